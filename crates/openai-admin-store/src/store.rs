//! A database of organizations on either engine. Bodies run in transactions, in the lane that fits them.

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
        lanes::{Caller, Lane, ScanGate},
        postgres::{self, Postgres},
        sqlite::{
            self, Sqlite,
            page_cache::{PageCache, PageKey},
        },
        transaction::Transaction,
    },
};

/// How long closing waits for running operations.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(10);

/// A database of organizations. Cheap to clone: clones share the connections.
#[derive(Clone)]
pub struct Store {
    engine: Arc<Engine>,
    /// How often keys were changed through this store and its clones.
    api_keys_changes: Arc<AtomicU64>,
    scans: Arc<ScanGate>,
    /// When expired answers were last deleted, in Unix seconds.
    pub(crate) answers_swept_at: Arc<AtomicI64>,
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
            answers_swept_at: Arc::new(AtomicI64::new(i64::MIN)),
        }
    }

    /// Reads pages of group users from these replicas of a PostgreSQL database, with the guarantees of the primary: a
    /// read sees every write that any server acknowledged before it. If a replica is unreachable or too far behind, the
    /// page is read from the primary. Only the first successful call counts.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidValue`] if the database or a replica is not PostgreSQL, or if a reachable server is not a
    /// replica of the database.
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

    /// Finishes the queued operations and closes the database, for at most ten seconds. Later operations fail.
    pub async fn close(&self) {
        let engine = Arc::clone(&self.engine);
        let close = move || match &*engine {
            Engine::Sqlite(sqlite) => sqlite.close(),
            Engine::Postgres(postgres) => postgres.close(),
        };
        let (sender, receiver) = oneshot::channel();
        std::thread::spawn(move || {
            if !ends_within(CLOSE_TIMEOUT, close) {
                tracing::warn!(
                    "the database did not close within {CLOSE_TIMEOUT:?}; continuing without waiting"
                );
            }
            sender.send(())
        });
        // An error means that closing panicked; then nothing remains to be done either.
        let _ = receiver.await;
    }

    /// Sets the maximum size of the page cache in bytes; the default is
    /// [`PAGE_CACHE_BYTES_MAX`](crate::PAGE_CACHE_BYTES_MAX). 0 disables the cache. PostgreSQL has no cache, because
    /// other processes also write to the database.
    pub fn set_page_cache_bytes_max(&self, bytes_max: usize) {
        if let Some(pages) = self.pages() {
            pages.set_bytes_max(bytes_max);
        }
    }

    /// The page cache, if the engine has one.
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

    /// Checks that the database answers.
    ///
    /// # Errors
    ///
    /// Those of a read: [`Error::Unavailable`] or [`Error::Overloaded`].
    pub async fn ping(&self) -> Result<()> {
        self.query(|transaction| transaction.query_one("select 1", values![], |_| Ok(())).map(drop)).await
    }

    /// The current metrics of the store.
    pub fn figures(&self) -> Figures {
        match &*self.engine {
            Engine::Sqlite(sqlite) => sqlite.figures(),
            Engine::Postgres(postgres) => postgres.figures(),
        }
    }

    /// How often keys were changed through this store and its clones, so that a cache of keys can detect that it is
    /// stale. Changes by other processes are not counted.
    pub fn api_keys_version(&self) -> u64 {
        self.api_keys_changes.load(Ordering::Acquire)
    }

    /// Call it after a change of keys, before the change is acknowledged.
    pub(crate) fn api_keys_changed(&self) {
        self.api_keys_changes.fetch_add(1, Ordering::Release);
    }

    /// Runs a body that reads a few rows or a page of them, on one snapshot of the database.
    ///
    /// A read is skipped, or interrupted on SQLite, if its caller no longer waits for it.
    pub(crate) async fn query<T, F>(&self, body: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Transaction<'_>) -> Result<T> + Send + 'static,
    {
        self.read_in(Lane::Short, body).await
    }

    /// Runs a body that reads many rows of an organization, up to a fixed number.
    pub(crate) async fn scan<T, F>(&self, org: Org, body: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Transaction<'_>) -> Result<T> + Send + 'static,
    {
        let turn = self.scans.enter(org.seq()).await?;
        // The permit is released with the body, which may run slightly longer than its caller waits.
        let body = move |transaction: &mut Transaction<'_>| {
            let _turn = &turn;
            body(transaction)
        };
        self.read_in(Lane::Scan, body).await
    }

    /// Runs a body that may read the whole database.
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
        let (caller, _present) = Caller::new();
        let (job, answer) = queued(body, Some(caller));
        match &*self.engine {
            Engine::Sqlite(sqlite) => sqlite.read(job, lane)?,
            Engine::Postgres(postgres) => postgres.read(job, lane)?,
        }
        answered(answer).await
    }

    /// Runs a body that writes, and returns when its writes are on disk. The body may run more than once.
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

    /// Runs a body that may write the whole database.
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
        excludes_additions: bool,
        body: F,
    ) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Transaction<'_>) -> Result<T> + Send + 'static,
    {
        let (job, answer) = queued(body, None);
        match &*self.engine {
            // SQLite's only writer runs one operation after the other, and never waits for a remote server.
            Engine::Sqlite(sqlite) => sqlite.write(job)?,
            Engine::Postgres(postgres) => postgres.write(job, time_limit, org, excludes_additions)?,
        }
        answered(answer).await
    }

    /// The engine, if it is SQLite.
    pub(crate) fn sqlite(&self) -> Option<&Sqlite> {
        match &*self.engine {
            Engine::Sqlite(sqlite) => Some(sqlite),
            Engine::Postgres(_) => None,
        }
    }

    /// The engine, if it is PostgreSQL.
    pub(crate) fn postgres(&self) -> Option<&Postgres> {
        match &*self.engine {
            Engine::Sqlite(_) => None,
            Engine::Postgres(postgres) => Some(postgres),
        }
    }
}

/// Runs `work` on a new thread, and returns whether it ended in time. Otherwise it continues in the background.
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
