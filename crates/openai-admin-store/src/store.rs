//! A database of organizations, whatever its engine: bodies run in transactions, in the lane that fits them.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
        mpsc,
    },
    time::Duration,
};

use bytes::Bytes;
use tokio::sync::oneshot;

use crate::{
    base::{
        error::{Error, Result},
        org::Org,
        time_limit::TimeLimit,
        value::values,
    },
    engines::{
        database_url::DatabaseUrl,
        figures::Figures,
        job::{answered, queued},
        lanes::{Asker, Lane, ScanGate},
        postgres::{self, Postgres},
        sqlite::{
            self, Sqlite,
            page_cache::{PageCache, PageKey},
        },
        transaction::Transaction,
    },
};

/// How long closing waits for the operations that are under way.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(10);

/// A database of organizations. Cheap to clone: clones share its connections.
#[derive(Clone)]
pub struct Store {
    engine: Arc<Engine>,
    /// How often keys were changed through it.
    api_keys_changes: Arc<AtomicU64>,
    scans: Arc<ScanGate>,
    /// When old answers were last looked for, in unix seconds.
    pub(crate) answers_forgotten_at: Arc<AtomicI64>,
}

pub(crate) enum Engine {
    Sqlite(Sqlite),
    Postgres(Box<Postgres>),
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match *self.engine {
            Engine::Sqlite(_) => "Store(SQLite)",
            Engine::Postgres(_) => "Store(PostgreSQL)",
        })
    }
}

impl Store {
    pub(crate) fn of(engine: Engine) -> Self {
        let scanners = match &engine {
            Engine::Sqlite(_) => sqlite::scanners(),
            Engine::Postgres(_) => postgres::SCAN_CONNECTIONS,
        };
        let scans = Arc::new(ScanGate::new(scanners));
        Self {
            engine: Arc::new(engine),
            api_keys_changes: Arc::default(),
            scans,
            answers_forgotten_at: Arc::new(AtomicI64::new(i64::MIN)),
        }
    }

    /// Reads pages of group users from these replicas of a PostgreSQL database, as they are on the primary: what was
    /// acknowledged before a read, by whatever server, is in it. Where a replica is gone or too far behind, the primary
    /// is read. Only the first call counts.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidValue`] when either is not PostgreSQL, or when one that is reached is not a replica of the
    /// database.
    pub async fn read_from(&self, replicas: &[DatabaseUrl]) -> Result<()> {
        let refused =
            || Error::invalid_value("database-read", "replicas of a PostgreSQL database, each postgres://…");
        let url = |replica: &'_ DatabaseUrl| match replica {
            DatabaseUrl::Postgres(url) => Ok(url.clone()),
            DatabaseUrl::Sqlite(_) => Err(refused()),
        };
        let urls = replicas.iter().map(url).collect::<Result<Vec<_>>>()?;
        match &*self.engine {
            Engine::Postgres(postgres) => postgres.read_from(&urls).await,
            Engine::Sqlite(_) => Err(refused()),
        }
    }

    /// Finishes what is queued and closes the database, or gives up after ten seconds. Operations after it fail.
    pub async fn close(&self) {
        let engine = Arc::clone(&self.engine);
        let close = move || match &*engine {
            Engine::Sqlite(sqlite) => sqlite.close(),
            Engine::Postgres(postgres) => postgres.close(),
        };
        let (sender, receiver) = oneshot::channel();
        std::thread::spawn(move || {
            if !ends_within(CLOSE_TIMEOUT, close) {
                tracing::warn!("the database did not close within {CLOSE_TIMEOUT:?}, and is left to itself");
            }
            sender.send(())
        });
        // An error would mean that closing panicked; nothing is left to be done then either.
        let _ = receiver.await;
    }

    /// Keeps at most so many bytes of pages that were read, [`PAGE_CACHE_BYTES_MAX`](crate::PAGE_CACHE_BYTES_MAX) if
    /// this is never called; none switches the cache off. On PostgreSQL, where other processes write as well, there is
    /// no cache.
    pub fn set_page_cache_bytes_max(&self, bytes_max: usize) {
        if let Some(pages) = self.pages() {
            pages.set_bytes_max(bytes_max);
        }
    }

    /// The pages that were read before, where they are kept.
    pub(crate) fn pages(&self) -> Option<&Arc<PageCache>> {
        match &*self.engine {
            Engine::Sqlite(sqlite) => Some(sqlite.pages()),
            Engine::Postgres(_) => None,
        }
    }

    pub(crate) fn cached_page(&self, key: &PageKey) -> Option<Bytes> {
        match &*self.engine {
            Engine::Sqlite(sqlite) => sqlite.cached_page(key),
            Engine::Postgres(_) => None,
        }
    }

    /// Asks the database for nothing but an answer.
    ///
    /// # Errors
    ///
    /// What a read would meet now: [`Error::Unavailable`] or [`Error::Overloaded`].
    pub async fn ping(&self) -> Result<()> {
        self.query(|transaction| transaction.query_one("select 1", values![], |_| Ok(())).map(drop)).await
    }

    /// How the store is doing.
    pub fn figures(&self) -> Figures {
        match &*self.engine {
            Engine::Sqlite(sqlite) => sqlite.figures(),
            Engine::Postgres(postgres) => postgres.figures(),
        }
    }

    /// How often keys were changed through this store and its clones, so that who remembers a key knows when to look
    /// again. What other processes change is not counted.
    pub fn api_keys_version(&self) -> u64 {
        self.api_keys_changes.load(Ordering::Acquire)
    }

    /// To be called after a change of keys, before it is acknowledged.
    pub(crate) fn api_keys_changed(&self) {
        self.api_keys_changes.fetch_add(1, Ordering::Release);
    }

    /// Runs a body that reads a few rows or a page of them, on one snapshot of the database.
    ///
    /// A read is skipped, or interrupted on SQLite, when its caller no longer waits for it.
    pub(crate) async fn query<T, F>(&self, body: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Transaction<'_>) -> Result<T> + Send + 'static,
    {
        self.read_in(Lane::Short, body).await
    }

    /// Runs a body that looks at many rows of an organization, but at no more than a fixed number of them.
    pub(crate) async fn scan<T, F>(&self, org: Org, body: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Transaction<'_>) -> Result<T> + Send + 'static,
    {
        let turn = self.scans.enter(org.seq()).await?;
        // The turn ends with the body, which may go on for a moment after its caller has left.
        let body = move |transaction: &mut Transaction<'_>| {
            let _turn = &turn;
            body(transaction)
        };
        self.read_in(Lane::Scan, body).await
    }

    /// Runs a body that may read everything there is.
    pub(crate) async fn read_everything<T, F>(&self, body: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Transaction<'_>) -> Result<T> + Send + 'static,
    {
        self.read_in(Lane::Everything, body).await
    }

    async fn read_in<T, F>(&self, lane: Lane, body: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Transaction<'_>) -> Result<T> + Send + 'static,
    {
        let (asker, _present) = Asker::new();
        let (job, answer) = queued(body, Some(asker));
        match &*self.engine {
            Engine::Sqlite(sqlite) => sqlite.read(job, lane)?,
            Engine::Postgres(postgres) => postgres.read(job, lane)?,
        }
        answered(answer).await
    }

    /// Runs a body that writes, and returns when what it wrote is on disk. The body may be run more than once.
    pub(crate) async fn transact<T, F>(&self, body: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Transaction<'_>) -> Result<T> + Send + 'static,
    {
        self.transact_for(TimeLimit::Usual, None, false, body).await
    }

    /// Runs a body that writes an organization.
    pub(crate) async fn transact_in<T, F>(&self, org: Org, body: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Transaction<'_>) -> Result<T> + Send + 'static,
    {
        self.transact_for(TimeLimit::Usual, Some(org), false, body).await
    }

    /// Runs a body that may write everything there is.
    pub(crate) async fn transact_everything<T, F>(&self, body: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Transaction<'_>) -> Result<T> + Send + 'static,
    {
        self.transact_for(TimeLimit::Everything, None, false, body).await
    }

    pub(crate) async fn transact_for<T, F>(
        &self,
        time_limit: TimeLimit,
        org: Option<Org>,
        alone: bool,
        body: F,
    ) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Transaction<'_>) -> Result<T> + Send + 'static,
    {
        let (job, answer) = queued(body, None);
        match &*self.engine {
            // Its one writer does one thing after the other, and never waits for another machine.
            Engine::Sqlite(sqlite) => sqlite.write(job)?,
            Engine::Postgres(postgres) => postgres.write(job, time_limit, org, alone)?,
        }
        answered(answer).await
    }

    /// SQLite, when that is the engine.
    pub(crate) fn sqlite(&self) -> Option<&Sqlite> {
        match &*self.engine {
            Engine::Sqlite(sqlite) => Some(sqlite),
            Engine::Postgres(_) => None,
        }
    }

    /// The native ways of PostgreSQL, when that is the engine.
    pub(crate) fn postgres(&self) -> Option<&Postgres> {
        match &*self.engine {
            Engine::Sqlite(_) => None,
            Engine::Postgres(postgres) => Some(postgres),
        }
    }
}

/// Runs `work` on a thread of its own, and says whether it ended in time. Otherwise it goes on by itself.
fn ends_within(timeout: Duration, work: impl FnOnce() + Send + 'static) -> bool {
    let (ended, end) = mpsc::channel::<()>();
    std::thread::spawn(move || {
        work();
        drop(ended);
    });
    end.recv_timeout(timeout) != Err(mpsc::RecvTimeoutError::Timeout)
}

#[cfg(test)]
mod tests;
