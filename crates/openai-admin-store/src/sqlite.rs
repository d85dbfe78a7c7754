//! SQLite: one thread that writes, a few that read, one file in WAL mode.
//!
//! The writer takes what is queued, runs each body in a savepoint, commits once and answers all: `synchronous=FULL`
//! at nearly the price of `NORMAL`, and nobody ever meets a locked database.

use std::{
    fs::OpenOptions,
    path::Path,
    sync::{Mutex, PoisonError},
    thread::JoinHandle,
    time::Duration,
};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use rusqlite::{Connection, OpenFlags};

use crate::{
    error::{Error, Result},
    migrations::migrate,
    store::{Job, QUEUE_LENGTH_MAX},
    transaction::Transaction,
};

/// How many operations one commit carries at most.
const BATCH_LENGTH_MAX: usize = 512;
/// How long to wait for another process that writes to the same file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// How many threads read; as many as there are cores, within these bounds.
const READERS_MIN: usize = 2;
const READERS_MAX: usize = 8;
/// How many prepared statements a connection keeps; more than the operations have.
const STATEMENTS_MAX: usize = 128;

pub(crate) struct Sqlite {
    writes: Sender<Message>,
    reads: Sender<Message>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    readers: usize,
}

enum Message {
    Run(Box<dyn Job>),
    Stop,
}

impl Sqlite {
    pub(crate) fn open(file: &Path) -> Result<Self> {
        check_file(file)?;
        create(file);
        let writer = connect(file, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
        // FULL: a commit that returned survives a loss of power.
        writer.execute_batch("pragma journal_mode = wal; pragma synchronous = full;")?;
        writer.execute_batch("begin immediate")?;
        migrate(&mut Transaction::Sqlite(&writer))?;
        writer.execute_batch("commit")?;

        let readers = std::thread::available_parallelism().map_or(READERS_MIN, usize::from);
        let readers = readers.clamp(READERS_MIN, READERS_MAX);
        let (writes, write_queue) = bounded(QUEUE_LENGTH_MAX);
        let (reads, read_queue) = bounded(QUEUE_LENGTH_MAX);
        let mut threads = vec![spawn("sqlite-writer", move || write_all(&writer, &write_queue))?];
        for _ in 0..readers {
            let reader = connect(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
            reader.execute_batch("pragma query_only = on")?;
            let queue = read_queue.clone();
            threads.push(spawn("sqlite-reader", move || read_all(&reader, &queue))?);
        }
        Ok(Self { writes, reads, threads: Mutex::new(threads), readers })
    }

    pub(crate) fn write(&self, job: Box<dyn Job>) -> Result<()> {
        enqueue(&self.writes, job)
    }

    pub(crate) fn read(&self, job: Box<dyn Job>) -> Result<()> {
        enqueue(&self.reads, job)
    }

    pub(crate) fn close(&self) {
        // A closed queue means that the thread is gone already.
        let _ = self.writes.send(Message::Stop);
        for _ in 0..self.readers {
            let _ = self.reads.send(Message::Stop);
        }
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            let _ = thread.join();
        }
    }
}

fn enqueue(queue: &Sender<Message>, job: Box<dyn Job>) -> Result<()> {
    queue.try_send(Message::Run(job)).map_err(|error| match error {
        TrySendError::Full(_) => Error::Overloaded,
        TrySendError::Disconnected(_) => Error::unavailable("the database is closed"),
    })
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work).map_err(Error::unavailable)
}

/// Refuses what SQLite takes for something else than a file.
pub(crate) fn check_file(file: &Path) -> Result<()> {
    if file.as_os_str().is_empty() || file.as_os_str() == ":memory:" {
        let expected = "the path of a file, since each connection would have a database in memory of its own";
        return Err(Error::invalid_value("database", expected));
    }
    Ok(())
}

/// Makes a new file that only its owner reads, since it holds people's names. What SQLite puts beside it gets the
/// same mode. An error is left to SQLite, which meets it again and says more.
fn create(file: &Path) {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let _ = options.open(file);
}

fn connect(file: &Path, flags: OpenFlags) -> Result<Connection> {
    let connection = Connection::open_with_flags(file, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    Ok(connection)
}

fn read_all(connection: &Connection, queue: &Receiver<Message>) {
    while let Ok(Message::Run(mut job)) = queue.recv() {
        let failure = read_one(connection, &mut *job).err();
        job.answer(failure);
    }
}

fn read_one(connection: &Connection, job: &mut dyn Job) -> Result<()> {
    execute(connection, "begin")?;
    // The body's own error is kept by the job; a read has nothing to undo.
    let _ = job.run(&mut Transaction::Sqlite(connection));
    execute(connection, "rollback")
}

fn write_all(connection: &Connection, queue: &Receiver<Message>) {
    let mut batch = Vec::with_capacity(BATCH_LENGTH_MAX);
    while let Ok(Message::Run(job)) = queue.recv() {
        batch.push(job);
        let mut stopped = false;
        while batch.len() < BATCH_LENGTH_MAX && !stopped {
            match queue.try_recv() {
                Ok(Message::Run(job)) => batch.push(job),
                Ok(Message::Stop) => stopped = true,
                Err(_) => break,
            }
        }
        let failure = write_batch(connection, &mut batch).err();
        if let Some(error) = &failure {
            tracing::error!(error = error as &dyn std::error::Error, batch = batch.len(), "a commit failed");
        }
        for job in batch.drain(..) {
            job.answer(failure.clone());
        }
        if stopped {
            break;
        }
    }
}

/// Runs a batch in one transaction. After an error nothing of it has happened, unless the error says otherwise.
fn write_batch(connection: &Connection, batch: &mut [Box<dyn Job>]) -> Result<()> {
    let written = run_batch(connection, batch).and_then(|()| commit(connection));
    // SQLite may have rolled back by itself, as it does when the disk is full.
    if written.is_err() && !connection.is_autocommit() {
        execute(connection, "rollback").map_err(|_| Error::outcome_unknown("the rollback failed"))?;
    }
    written
}

fn run_batch(connection: &Connection, batch: &mut [Box<dyn Job>]) -> Result<()> {
    execute(connection, "begin immediate")?;
    for job in batch.iter_mut() {
        execute(connection, "savepoint operation")?;
        if job.run(&mut Transaction::Sqlite(connection)).is_err() {
            // An error that made SQLite roll back everything took the other operations with it.
            if connection.is_autocommit() {
                return Err(Error::unavailable("the transaction was rolled back by the database"));
            }
            execute(connection, "rollback to operation")?;
        }
        execute(connection, "release operation")?;
    }
    Ok(())
}

fn commit(connection: &Connection) -> Result<()> {
    let committed = connection.prepare_cached("commit").and_then(|mut commit| commit.execute([]));
    match committed {
        Ok(_) => Ok(()),
        // The log has been written whole, and nobody knows how much of it has reached the disk: after a crash it
        // would count.
        Err(error) if is_failed_sync(&error) => Err(Error::outcome_unknown(error)),
        Err(error) => Err(error.into()),
    }
}

fn is_failed_sync(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_some_and(|error| error.extended_code == rusqlite::ffi::SQLITE_IOERR_FSYNC)
}

fn execute(connection: &Connection, sql: &str) -> Result<()> {
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Change(&'static str);

    impl Job for Change {
        fn run(&mut self, transaction: &mut Transaction<'_>) -> Result<()> {
            transaction.batch(self.0)
        }
        fn answer(self: Box<Self>, _: Option<Error>) {}
    }

    #[test]
    fn a_commit_that_is_refused_is_rolled_back_and_certainly_did_not_happen() {
        let connection = Connection::open_in_memory().expect("a database");
        // A constraint that is checked by the commit: the only refusal that needs no full disk.
        let schema = "pragma foreign_keys = on;
                      create table parents (id integer primary key);
                      create table children (parent integer references parents deferrable initially deferred)";
        connection.execute_batch(schema).expect("a schema");
        let orphan: Box<dyn Job> = Box::new(Change("insert into children values (1)"));
        let refused = write_batch(&connection, &mut [orphan]).expect_err("no parent");
        assert!(matches!(refused, Error::Internal(_)), "{refused:?}");
        assert!(connection.is_autocommit(), "the transaction is over");
        let parent: Box<dyn Job> = Box::new(Change("insert into parents values (1)"));
        write_batch(&connection, &mut [parent]).expect("the next one begins afresh");
    }
}
