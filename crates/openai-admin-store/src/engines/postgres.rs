//! PostgreSQL: a pool of threads that run bodies, each with its own connection, and fast paths for the three hot
//! operations: a page of a group's users is one statement, and changes of memberships are batched.
//!
//! Writes run SERIALIZABLE and are retried after a serialization failure. Reads run on one snapshot. Each operation has
//! a deadline that starts when it is queued.

pub(crate) mod connection;
mod encryption;
mod group_user_changes;
mod group_user_pages;
mod limits;
mod pool;
mod replica_proof;
mod replicas;
mod session;
mod settings;
mod transact;

use std::sync::{Arc, OnceLock};

use openai_admin::{Order, operations::ListGroupUsers};
use tokio::runtime::{Builder, Handle, Runtime};

use self::{
    connection::Connection,
    group_user_changes::Changes,
    group_user_pages::Pages,
    limits::{ATTEMPTS_MAX, Access, retry_pause},
    pool::Pool,
    replicas::Replicas,
    transact::Isolation,
};
pub(crate) use self::{
    group_user_changes::Change,
    settings::{Config, config, holds_password, shown},
};
use crate::{
    base::{
        error::{Error, Result},
        org::Org,
        page::Range,
        time_limit::TimeLimit,
        value::Row,
    },
    engines::{
        figures::{Counters, Figures},
        job::{Job, QUEUE_LENGTH_MAX},
        lanes::Lane,
        transaction::{Prepare, Transaction},
    },
};

/// Threads that run bodies, each with a connection.
const CONNECTIONS: usize = 16;
/// Threads that scan, each with a connection.
pub(crate) const SCAN_CONNECTIONS: usize = 4;
/// Threads that run bodies which may read or write the whole database.
const LONG_CONNECTIONS: usize = 2;
/// Ends a scan well before its caller gets the error that PostgreSQL is unavailable. A scan reads a fixed number of
/// rows, which takes milliseconds.
const SCAN_SETTINGS: &str = "set statement_timeout = '5s'";
/// Threads that drive the connections of the fast paths.
const DRIVERS: usize = 2;
pub(crate) struct Postgres {
    pool: Pool,
    /// A separate pool, so that scans cannot delay other operations.
    scans: Pool,
    /// A separate pool, so that a few long operations cannot delay all others.
    long: Pool,
    pages: Pages,
    changes: Changes,
    config: Config,
    replicas: OnceLock<Replicas>,
    counters: Arc<Counters>,
    drivers: Drivers,
}

impl Postgres {
    pub(crate) fn open(url: &str, mut prepare: Prepare) -> Result<Self> {
        let config = config(url)?;
        let access = Access {
            writes: true,
            org: None,
            excludes_additions: false,
            deadline: TimeLimit::Everything.deadline(),
        };
        let mut first = Connection::open(&config, "", TimeLimit::Usual.deadline())?;
        // READ COMMITTED, so that a process which waited for the lock sees the changes of its previous holder. A
        // snapshot would be older than the wait.
        let mut attempt = 1;
        while let Err(error) = first.transact(Isolation::ReadCommitted, &access, &mut prepare) {
            if !matches!(error, Error::Conflict) || !first.is_usable() || attempt == ATTEMPTS_MAX {
                return Err(error);
            }
            std::thread::sleep(retry_pause(attempt));
            attempt += 1;
        }

        let drivers = Drivers::start()?;
        let counters = Arc::new(Counters::default());
        Ok(Self {
            pool: Pool::new("postgres", CONNECTIONS, &config, Some(first), "", &counters),
            scans: Pool::new("postgres-scan", SCAN_CONNECTIONS, &config, None, SCAN_SETTINGS, &counters),
            long: Pool::new("postgres-long", LONG_CONNECTIONS, &config, None, "", &counters),
            pages: Pages::new(&config),
            replicas: OnceLock::new(),
            changes: Changes::start(&config, &drivers.handle, &counters),
            config,
            counters,
            drivers,
        })
    }

    /// Reads pages from replicas from now on. The first successful call sets the replicas.
    pub(crate) async fn read_from(&self, urls: &[String]) -> Result<()> {
        let replicas = Replicas::open(&self.config, urls, &self.drivers.handle, &self.counters).await?;
        self.replicas.get_or_init(|| replicas);
        Ok(())
    }

    /// Queues a body that reads.
    pub(crate) fn read(&self, job: Box<dyn Job>, lane: Lane) -> Result<()> {
        let access = Access {
            writes: false,
            org: None,
            excludes_additions: false,
            deadline: lane.time_limit().deadline(),
        };
        match lane {
            Lane::Short => self.pool.run(job, access),
            Lane::Scan => self.scans.run(job, access),
            Lane::Everything => self.long.run(job, access),
        }
    }

    /// Queues a body that writes an organization, or one that determines the organization itself. With
    /// `excludes_additions`, no member is added to the organization while it runs.
    pub(crate) fn write(
        &self,
        job: Box<dyn Job>,
        time_limit: TimeLimit,
        org: Option<Org>,
        excludes_additions: bool,
    ) -> Result<()> {
        let access = Access {
            writes: true,
            org: org.map(Org::seq),
            excludes_additions,
            deadline: time_limit.deadline(),
        };
        match time_limit {
            TimeLimit::Everything => self.long.run(job, access),
            TimeLimit::Usual | TimeLimit::Deletion => self.pool.run(job, access),
        }
    }

    /// Lists the users of a group: passes each user's id, name and email address to `push`, in order, and returns
    /// whether there are more. Returns `None` if the fast path does not cover the request; run the shared body then.
    pub(crate) async fn list_group_users(
        &self,
        org: Org,
        request: &ListGroupUsers,
        mut push: impl FnMut(&str, &str, Option<&str>) -> Result<()>,
    ) -> Result<Option<bool>> {
        let limit = request.limit.unwrap_or_default().get();
        if limit == 0 {
            return Ok(None);
        }
        let range = Range::new(request.order.unwrap_or(Order::Desc), None, limit);
        let deadline = TimeLimit::Usual.deadline();
        let runtime = &self.drivers.handle;
        let rows = match self.replicas.get() {
            Some(replicas) => replicas.read(runtime, org, request, range).await,
            None => None,
        };
        let rows = match rows {
            Some(rows) => rows,
            None => self.pages.read(runtime, org, request, range, None, deadline).await?.unwrap_or_default(),
        };
        if rows.is_empty() {
            return Ok(None);
        }
        for row in rows.iter().take(range.limit).map(Row::Postgres) {
            push(row.text(0)?, row.text(1)?, row.optional_text(2)?)?;
        }
        Ok(Some(rows.len() > range.limit))
    }

    /// Changes a membership, and returns whether it is done. If not, the fast path does not cover the change; run the
    /// shared body then.
    pub(crate) async fn change_group_user(&self, change: Change) -> Result<bool> {
        self.changes.make(change).await
    }

    pub(crate) fn figures(&self) -> Figures {
        let figures = Figures {
            engine: "postgres",
            connections: CONNECTIONS
                + SCAN_CONNECTIONS
                + LONG_CONNECTIONS
                + group_user_pages::CONNECTIONS
                + group_user_changes::LANES,
            reads_waiting: self.pool.waiting() + self.scans.waiting() + self.long.waiting(),
            writes_waiting: self.changes.waiting(),
            waiting_max: QUEUE_LENGTH_MAX,
            replicas_skipped: self.replicas.get().map_or(0, Replicas::skipped),
            ..Figures::default()
        };
        figures.with_counters(&self.counters)
    }

    pub(crate) fn close(&self) {
        // First, because the changes that they do not make themselves go to the pool.
        self.changes.close(&self.drivers.handle);
        self.pool.close();
        self.scans.close();
        self.long.close();
    }
}

/// Runs a body in one transaction on a new connection, outside of any pool: a body that reads one snapshot, or one that
/// has the database to itself.
pub(crate) fn once(
    url: &str,
    writes: bool,
    body: &mut dyn FnMut(&mut Transaction<'_>) -> Result<()>,
) -> Result<()> {
    let mut connection = Connection::open(&config(url)?, "", TimeLimit::Usual.deadline())?;
    let isolation = if writes { Isolation::ReadCommitted } else { Isolation::RepeatableRead };
    connection.transact(
        isolation,
        &Access { writes, org: None, excludes_additions: false, deadline: TimeLimit::Everything.deadline() },
        body,
    )
}

/// The threads that drive the connections which do not belong to one thread.
struct Drivers {
    handle: Handle,
    /// `None` only during drop.
    runtime: Option<Runtime>,
}

impl Drivers {
    fn start() -> Result<Self> {
        let mut threads = Builder::new_multi_thread();
        threads.worker_threads(DRIVERS).thread_name("postgres-driver").enable_all();
        let runtime = threads.build().map_err(Error::unavailable)?;
        Ok(Self { handle: runtime.handle().clone(), runtime: Some(runtime) })
    }
}

impl Drop for Drivers {
    fn drop(&mut self) {
        // Without waiting, because a store may be dropped where blocking is not allowed.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
