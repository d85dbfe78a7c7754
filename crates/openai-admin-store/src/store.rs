use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    str::FromStr,
    sync::Arc,
};

use tokio::sync::oneshot;

use crate::{
    error::{Error, Result},
    postgres::Postgres,
    sqlite::Sqlite,
    transaction::Transaction,
};

/// How many operations may wait for the database before [`Error::Overloaded`] turns new ones away.
pub(crate) const QUEUE_LENGTH_MAX: usize = 4096;

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
            Ok(Self::Sqlite(file.strip_prefix("//").unwrap_or(file).into()))
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            Ok(Self::Postgres(url.to_owned()))
        } else {
            Err(Error::invalid_value("database", "sqlite:FILE or postgres://user@host/database"))
        }
    }
}

/// A password may stand in the URL, so only host and database are shown.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(file) => write!(f, "sqlite:{}", file.display()),
            Self::Postgres(url) => {
                let rest =
                    url.rsplit_once('@').or_else(|| url.split_once("://")).map_or("", |(_, rest)| rest);
                write!(f, "postgres://{}", rest.split('?').next().unwrap_or_default())
            }
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
pub struct Store(Arc<Engine>);

enum Engine {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match *self.0 {
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
            DatabaseUrl::Postgres(url) => Postgres::open(&url).map(Engine::Postgres),
        };
        // A thread of its own, since both engines' clients block.
        let (sender, receiver) = oneshot::channel();
        std::thread::spawn(move || sender.send(open()));
        let engine = receiver.await.map_err(|_| Error::internal("opening the database panicked"))??;
        Ok(Self(Arc::new(engine)))
    }

    /// Finishes what is queued and closes the database. Operations after it fail.
    pub async fn close(&self) {
        let engine = Arc::clone(&self.0);
        let (sender, receiver) = oneshot::channel();
        std::thread::spawn(move || {
            match &*engine {
                Engine::Sqlite(sqlite) => sqlite.close(),
                Engine::Postgres(postgres) => postgres.close(),
            }
            sender.send(())
        });
        // An error would mean that closing panicked; nothing is left to be done then either.
        let _ = receiver.await;
    }

    /// Runs a body that reads, on one snapshot of the database.
    pub(crate) async fn read<T, F>(&self, body: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Transaction<'_>) -> Result<T> + Send + 'static,
    {
        let (job, answer) = queued(body);
        match &*self.0 {
            Engine::Sqlite(sqlite) => sqlite.read(job)?,
            Engine::Postgres(postgres) => postgres.run(job, false)?,
        }
        answered(answer).await
    }

    /// Runs a body that writes, and returns when what it wrote is on disk. The body may be run more than once.
    pub(crate) async fn write<T, F>(&self, body: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Transaction<'_>) -> Result<T> + Send + 'static,
    {
        let (job, answer) = queued(body);
        match &*self.0 {
            Engine::Sqlite(sqlite) => sqlite.write(job)?,
            Engine::Postgres(postgres) => postgres.run(job, true)?,
        }
        answered(answer).await
    }
}

/// An operation in an engine's queue.
pub(crate) trait Job: Send {
    /// Runs the body; its result is kept until [`answer`](Self::answer). An error means: undo what it wrote.
    fn run(&mut self, transaction: &mut Transaction<'_>) -> Result<()>;
    /// Hands out the result, or `failure` when the transaction around the body failed.
    fn answer(self: Box<Self>, failure: Option<Error>);
}

struct Task<T, F> {
    body: F,
    result: Option<Result<T>>,
    /// Taken when the result is handed out.
    answer: Option<oneshot::Sender<Result<T>>>,
}

/// The result of a body.
async fn answered<T>(answer: oneshot::Receiver<Result<T>>) -> Result<T> {
    answer.await.unwrap_or_else(|_| Err(Error::internal("an operation of the store was lost")))
}

/// A body as a job, and where its result arrives.
fn queued<T, F>(body: F) -> (Box<dyn Job>, oneshot::Receiver<Result<T>>)
where
    T: Send + 'static,
    F: Fn(&mut Transaction<'_>) -> Result<T> + Send + 'static,
{
    let (answer, receiver) = oneshot::channel();
    (Box::new(Task { body, result: None, answer: Some(answer) }), receiver)
}

impl<T, F> Job for Task<T, F>
where
    T: Send,
    F: Fn(&mut Transaction<'_>) -> Result<T> + Send,
{
    fn run(&mut self, transaction: &mut Transaction<'_>) -> Result<()> {
        // A panic in a body is a bug of ours; it must cost its own caller an error, not everybody the engine.
        let result = catch_unwind(AssertUnwindSafe(|| (self.body)(transaction)))
            .unwrap_or_else(|_| Err(Error::internal("an operation of the store panicked")));
        let outcome = result.as_ref().map(|_| ()).map_err(Error::clone);
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
mod tests {
    use super::*;

    #[test]
    fn a_database_url_never_shows_its_password() {
        let url: DatabaseUrl =
            "postgres://ada:s3cret@db.example/admin?sslmode=disable".parse().expect("a URL");
        assert_eq!(url.to_string(), "postgres://db.example/admin");
        assert_eq!(format!("{url:?}"), "postgres://db.example/admin");
    }
}
