use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    str::FromStr,
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
    error::{Error, Result},
    figures::Figures,
    lanes::{Asker, Lane, ScanGate},
    migrations::require_newest,
    org::Org,
    page_cache::{PageCache, PageKey},
    postgres::{self, Postgres},
    snapshot::Snapshot,
    sqlite::{self, Sqlite},
    time_limit::TimeLimit,
    transaction::Transaction,
};

/// How many operations may wait for the database before [`Error::Overloaded`] turns new ones away.
pub(crate) const QUEUE_LENGTH_MAX: usize = 4096;
/// How long closing waits for the operations that are under way.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(10);

/// Where a database is: `sqlite:FILE` or `postgres://…`.
///
/// ```
/// use openai_admin_store::DatabaseUrl;
/// assert!("sqlite:openai-admin.db".parse::<DatabaseUrl>().is_ok());
/// assert!("mysql://localhost".parse::<DatabaseUrl>().is_err());
/// ```
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A file, created when it does not exist.
    Sqlite(PathBuf),
    /// A connection URL of libpq's form.
    Postgres(String),
}

impl FromStr for DatabaseUrl {
    type Err = Error;

    fn from_str(url: &str) -> Result<Self> {
        if let Some(file) = url.strip_prefix("sqlite:").filter(|file| !file.is_empty()) {
            let file = file.strip_prefix("//").unwrap_or(file);
            if file.starts_with("file:") || file.contains('?') {
                let expected = "sqlite: and the path of a file, without file: and without options";
                return Err(Error::invalid_value("database", expected));
            }
            sqlite::check_file(file.as_ref())?;
            Ok(Self::Sqlite(file.into()))
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            postgres::config(url)?;
            Ok(Self::Postgres(url.to_owned()))
        } else {
            Err(Error::invalid_value("database", "sqlite:FILE or postgres://user@host/database"))
        }
    }
}

impl DatabaseUrl {
    /// Whether it holds a password, and so has no place on a screen.
    pub fn holds_password(&self) -> bool {
        match self {
            Self::Sqlite(_) => false,
            Self::Postgres(url) => postgres::holds_password(url),
        }
    }
}

/// A password may stand in the URL, so only host and database are shown.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(file) => write!(f, "sqlite:{}", file.display()),
            Self::Postgres(url) => f.write_str(&postgres::shown(url)),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

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

enum Engine {
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
    /// Opens a database, creates it if it is a file that does not exist, and brings its schema up to date.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] when the database cannot be opened or reached; [`Error::InvalidValue`] when a newer
    /// version of this program has changed its schema.
    pub async fn open(url: &DatabaseUrl) -> Result<Self> {
        let url = url.clone();
        let open = move || match url {
            DatabaseUrl::Sqlite(file) => Sqlite::open(&file).map(Engine::Sqlite),
            DatabaseUrl::Postgres(url) => Postgres::open(&url).map(Box::new).map(Engine::Postgres),
        };
        Ok(Self::of(on_a_thread(open).await?))
    }

    /// Opens a database that is there only to read it: its schema stays as it is, and it may lie where nothing can be
    /// written, such as a backup on a read-only disk. What would write is refused. PostgreSQL is opened as by
    /// [`open`](Self::open), after a look at its schema.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] when the database cannot be opened or reached; [`Error::InvalidValue`] when its schema is
    /// not that of this version of the program.
    pub async fn open_to_read(url: &DatabaseUrl) -> Result<Self> {
        let url = url.clone();
        let open = move || match url {
            DatabaseUrl::Sqlite(file) => Sqlite::open_to_read(&file).map(Engine::Sqlite),
            DatabaseUrl::Postgres(url) => {
                postgres::once(&url, false, &mut require_newest)?;
                Postgres::open(&url).map(Box::new).map(Engine::Postgres)
            }
        };
        Ok(Self::of(on_a_thread(open).await?))
    }

    fn of(engine: Engine) -> Self {
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

    /// Opens a database in memory: SQLite like any other, gone with its last clone. It begins as `begun` was, or empty.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// use openai_admin_store::Store;
    /// let store = Store::open_in_memory(None).await?;
    /// assert!(store.organizations().await?.is_empty());
    /// # Ok::<(), openai_admin_store::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] when there is no memory or no thread for it.
    pub async fn open_in_memory(begun: Option<Snapshot>) -> Result<Self> {
        let open = move || Sqlite::open_in_memory(begun.as_ref()).map(Engine::Sqlite);
        Ok(Self::of(on_a_thread(open).await?))
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

/// Does something on a thread of its own, since both engines' clients block.
pub(crate) async fn on_a_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let (sender, receiver) = oneshot::channel();
    std::thread::spawn(move || sender.send(work()));
    receiver.await.map_err(|_| Error::internal("work beside the engine's own panicked"))?
}

/// An operation in an engine's queue.
pub(crate) trait Job: Send {
    /// Who waits for a read. None for a write, which is done all the same.
    fn asker(&self) -> Option<Asker> {
        None
    }
    /// Runs the body; its result is kept until [`answer`](Self::answer). An error means: undo what it wrote.
    fn run(&mut self, transaction: &mut Transaction<'_>) -> Result<()>;
    /// Hands out the result, or `failure` when the transaction around the body failed.
    fn answer(self: Box<Self>, failure: Option<Error>);
}

struct Task<T, F> {
    body: F,
    asker: Option<Asker>,
    result: Option<Result<T>>,
    /// Taken when the result is handed out.
    answer: Option<oneshot::Sender<Result<T>>>,
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

/// The result of a body.
async fn answered<T>(answer: oneshot::Receiver<Result<T>>) -> Result<T> {
    answer.await.unwrap_or_else(|_| Err(Error::internal("an operation of the store was lost")))
}

/// A body as a job, and where its result arrives.
fn queued<T, F>(body: F, asker: Option<Asker>) -> (Box<dyn Job>, oneshot::Receiver<Result<T>>)
where
    T: Send + 'static,
    F: Fn(&mut Transaction<'_>) -> Result<T> + Send + 'static,
{
    let (answer, receiver) = oneshot::channel();
    (Box::new(Task { body, asker, result: None, answer: Some(answer) }), receiver)
}

impl<T, F> Job for Task<T, F>
where
    T: Send,
    F: Fn(&mut Transaction<'_>) -> Result<T> + Send,
{
    fn asker(&self) -> Option<Asker> {
        self.asker.clone()
    }

    fn run(&mut self, transaction: &mut Transaction<'_>) -> Result<()> {
        // A panic in a body is a bug of ours; it must cost its own caller an error, not everybody the engine.
        let result = catch_unwind(AssertUnwindSafe(|| (self.body)(transaction)))
            .unwrap_or_else(|_| Err(Error::internal("an operation of the store panicked")));
        let outcome = result.as_ref().map(|_| ()).map_err(Error::clone);
        #[cfg(feature = "planted-faults")]
        if crate::planted_faults::is_planted(crate::PlantedFault::AnswerBeforeCommit) && result.is_ok() {
            if let Some(answer) = self.answer.take() {
                let _ = answer.send(result);
            }
            std::thread::sleep(crate::planted_faults::COMMIT_DELAY);
            return outcome;
        }
        self.result = Some(result);
        outcome
    }

    fn answer(mut self: Box<Self>, failure: Option<Error>) {
        let result = match failure {
            Some(failure) => Err(failure),
            None => self.result.take().unwrap_or(Err(Error::Conflict)),
        };
        if let Some(answer) = self.answer.take() {
            // Nobody may be waiting any more: the caller was cancelled. The change stands all the same.
            let _ = answer.send(result);
        }
    }
}

/// An engine that ends without an answer owes one: what it never ran has not happened.
impl<T, F> Drop for Task<T, F> {
    fn drop(&mut self) {
        if let Some(answer) = self.answer.take() {
            let error = match self.result {
                None => Error::unavailable("the database is closed"),
                Some(_) => Error::outcome_unknown("the database was closed meanwhile"),
            };
            let _ = answer.send(Err(error));
        }
    }
}

#[cfg(test)]
mod tests;
