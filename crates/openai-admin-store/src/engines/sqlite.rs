//! SQLite: one thread that writes, a few that read, one file in WAL mode.
//!
//! The writer takes all queued bodies, runs them, commits once and answers all: `synchronous=FULL` at nearly the cost
//! of `NORMAL`. No operation waits for a locked database.

pub(crate) mod files;
pub(crate) mod page_cache;
mod readers;
pub(crate) mod snapshot;
mod threads;

use std::{
    fs::OpenOptions,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    thread::JoinHandle,
    time::Duration,
};

use bytes::Bytes;
use crossbeam_channel::{Receiver, Sender, TryRecvError, bounded};
use rusqlite::{Connection, ErrorCode, OpenFlags, config::DbConfig};

use crate::{
    base::{
        error::{Error, Result},
        time_limit::now,
    },
    engines::{
        figures::{Counters, Figures},
        job::{Job, QUEUE_LENGTH_MAX},
        lanes::Lane,
        sqlite::{
            files::{OpenFiles, open_to_read, refuse_emptied, refuse_foreign},
            page_cache::{PageCache, PageKey},
            readers::{Connect, Readers},
            snapshot::Snapshot,
            threads::{enqueue, execute, refused, spawn},
        },
        transaction::{Prepare, Transaction},
    },
};

/// The maximum number of operations in one commit.
const BATCH_LENGTH_MAX: usize = 512;
/// How long to wait for another process that writes to the same file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// The pause between attempts where SQLite does not wait itself.
const BUSY_PAUSE: Duration = Duration::from_millis(5);
/// Threads for short reads: one per core, within these bounds.
const READERS_MIN: usize = 2;
const READERS_MAX: usize = 8;
/// The maximum number of threads that scan: one per core, but at least the minimum above.
const SCANNERS_MAX: usize = 4;
/// Threads for reads that may cover the whole database.
const LONG_READERS: usize = 1;
/// How many prepared statements a connection caches: more than all operations of the API have, because planning a
/// statement costs more than running it. Each takes a few kilobytes.
const STATEMENTS_MAX: usize = 512;

pub(crate) struct Sqlite {
    writes: Sender<Message>,
    /// `None` for a database in memory: the writer also reads.
    readers: Option<Lanes>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    pages: Arc<PageCache>,
    counters: Arc<Counters>,
    is_read_only: bool,
}

struct Lanes {
    short: Readers,
    scan: Readers,
    everything: Readers,
}

impl Lanes {
    fn start(file: &Path, connect: Connect, threads: &mut Vec<JoinHandle<()>>) -> Result<Self> {
        let cores = std::thread::available_parallelism().map_or(READERS_MIN, usize::from);
        let (readers, scanners) = (cores.clamp(READERS_MIN, READERS_MAX), scanners());
        Ok(Self {
            short: Readers::start(file, connect, Lane::Short, readers, threads)?,
            scan: Readers::start(file, connect, Lane::Scan, scanners, threads)?,
            everything: Readers::start(file, connect, Lane::Everything, LONG_READERS, threads)?,
        })
    }

    fn all(&self) -> [&Readers; 3] {
        [&self.short, &self.scan, &self.everything]
    }

    fn of(&self, lane: Lane) -> &Readers {
        match lane {
            Lane::Short => &self.short,
            Lane::Scan => &self.scan,
            Lane::Everything => &self.everything,
        }
    }
}

/// The number of threads that scan.
pub(crate) fn scanners() -> usize {
    std::thread::available_parallelism().map_or(READERS_MIN, usize::from).clamp(READERS_MIN, SCANNERS_MAX)
}

enum Message {
    Run(Box<dyn Job>),
    /// Work that needs the writer's connection outside of any transaction.
    WithConnection(ConnectionWork),
    /// Another process has written to the file.
    RenewPages,
    Stop,
}

type ConnectionWork = Box<dyn FnOnce(&mut Connection) + Send>;

impl Sqlite {
    pub(crate) fn open(file: &Path, prepare: Prepare) -> Result<Self> {
        Self::open_file(file, prepare).map_err(|error| error.of_file(file))
    }

    fn open_file(file: &Path, prepare: Prepare) -> Result<Self> {
        check_file(file)?;
        refuse_emptied(file)?;
        // Before anything is written to the file.
        refuse_foreign(file)?;
        create(file);
        let opened = OpenFiles::note_file(file);
        let writer = connect(file, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
        switch_to_wal(&writer)?;
        // A commit that returned survives a power failure.
        writer.execute_batch("pragma synchronous = full")?;
        writer.execute_batch("begin immediate")?;
        prepare(&mut Transaction::Sqlite(&writer))?;
        writer.execute_batch("commit")?;

        let watch = connect(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        // It never waits: its callers can read the database instead.
        watch.busy_timeout(Duration::ZERO)?;
        watch.execute_batch("pragma query_only = on")?;
        let pages = Arc::new(PageCache::new(watch));
        pages.observe(&writer)?;

        // A restore may have replaced the file in the meantime. The open file is then not the one at this path.
        opened.check()?;
        let mut sqlite = Self::start(writer, OpenFiles::note(file), pages)?;
        let threads = sqlite.threads.get_mut().unwrap_or_else(PoisonError::into_inner);
        sqlite.readers = Some(Lanes::start(file, connect_reader, threads)?);
        Ok(sqlite)
    }

    /// Opens a file only for reading. Avoids writing to it or beside it, and requires the newest schema.
    pub(crate) fn open_to_read(file: &Path, check: Prepare) -> Result<Self> {
        check_file(file)?;
        refuse_emptied(file)?;
        refuse_foreign(file)?;
        let connection = open_to_read(file)?;
        check(&mut Transaction::Sqlite(&connection))?;
        let mut threads = Vec::new();
        let lanes = Lanes::start(file, |file| configured(open_to_read(file)?), &mut threads)?;
        let pages = Arc::new(PageCache::new(connection));
        pages.set_bytes_max(0);
        // Writes are rejected, so no thread receives from this queue.
        let (writes, _) = bounded(1);
        let counters = Arc::default();
        Ok(Self {
            writes,
            readers: Some(lanes),
            threads: Mutex::new(threads),
            pages,
            counters,
            is_read_only: true,
        })
    }

    /// A database that ends with the process. Another connection would open another database, so the writer also reads.
    /// The data is already in memory, so there is no cache.
    pub(crate) fn open_in_memory(begun: Option<&Snapshot>, prepare: Prepare) -> Result<Self> {
        let mut writer = Connection::open_in_memory()?;
        configure(&writer)?;
        match begun {
            Some(snapshot) => snapshot.put_into(&mut writer)?,
            None => prepare(&mut Transaction::Sqlite(&writer))?,
        }
        let pages = Arc::new(PageCache::new(Connection::open_in_memory()?));
        pages.set_bytes_max(0);
        Self::start(writer, OpenFiles::none(), pages)
    }

    /// Starts the writer, which also reads.
    fn start(connection: Connection, files: OpenFiles, pages: Arc<PageCache>) -> Result<Self> {
        let counters = Arc::new(Counters::default());
        let (writes, queue) = bounded(QUEUE_LENGTH_MAX);
        let writer = Writer { connection, files, pages: Arc::clone(&pages), counters: Arc::clone(&counters) };
        let threads = Mutex::new(vec![spawn("sqlite-writer", move || writer.write_all(&queue))?]);
        Ok(Self { writes, readers: None, threads, pages, counters, is_read_only: false })
    }

    /// Runs `work` on the writer's connection while no transaction is open.
    pub(crate) fn with_connection(&self, work: ConnectionWork) -> Result<()> {
        self.writes.try_send(Message::WithConnection(work)).map_err(refused)
    }

    pub(crate) fn write(&self, job: Box<dyn Job>) -> Result<()> {
        if self.is_read_only {
            return Err(Error::invalid_value("database", "a database that was opened to be written"));
        }
        enqueue(&self.writes, Message::Run(job))
    }

    pub(crate) fn read(&self, job: Box<dyn Job>, lane: Lane) -> Result<()> {
        match &self.readers {
            Some(lanes) => lanes.of(lane).read(job),
            None => self.write(job),
        }
    }

    /// The cache of pages.
    pub(crate) fn pages(&self) -> &Arc<PageCache> {
        &self.pages
    }

    pub(crate) fn cached_page(&self, key: &PageKey) -> Option<Bytes> {
        // If the queue is full, the next commit renews the pages anyway.
        self.pages.get(key, || drop(self.writes.try_send(Message::RenewPages)))
    }

    pub(crate) fn figures(&self) -> Figures {
        let readers = || self.readers.iter().flat_map(Lanes::all);
        let figures = Figures {
            engine: "sqlite",
            connections: 1 + readers().map(Readers::threads).sum::<usize>(),
            reads_waiting: readers().map(Readers::waiting).sum(),
            writes_waiting: self.writes.len(),
            waiting_max: QUEUE_LENGTH_MAX,
            page_hits: self.pages.hits(),
            page_misses: self.pages.misses(),
            page_bytes: self.pages.bytes(),
            ..Figures::default()
        };
        figures.with_counters(&self.counters)
    }

    pub(crate) fn close(&self) {
        // A closed queue means that the thread has ended.
        let _ = self.writes.send(Message::Stop);
        if let Some(lanes) = &self.readers {
            lanes.all().into_iter().for_each(Readers::stop);
        }
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            let _ = thread.join();
        }
        self.pages.close();
    }
}

/// Rejects names that SQLite does not treat as a file.
pub(crate) fn check_file(file: &Path) -> Result<()> {
    if file.as_os_str().is_empty() || file.as_os_str() == ":memory:" {
        let expected = "the path of a file, because each connection would open a separate in-memory database";
        return Err(Error::invalid_value("database", expected));
    }
    Ok(())
}

/// Creates a new file that only its owner can read, because it holds personal data. SQLite gives its other files the
/// same mode. Errors are ignored: SQLite gets the same error and reports more detail.
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
    configure(&connection)?;
    Ok(connection)
}

/// The busy timeout does not cover a change of the journal mode: if several processes open a new file at once, SQLite
/// rejects all but one of them immediately.
fn switch_to_wal(connection: &Connection) -> Result<()> {
    let deadline = now() + BUSY_TIMEOUT;
    loop {
        match connection.execute_batch("pragma journal_mode = wal") {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && now() < deadline => {
                std::thread::sleep(BUSY_PAUSE);
            }
            outcome => return Ok(outcome?),
        }
    }
}

fn connect_reader(file: &Path) -> Result<Connection> {
    let connection = connect(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.execute_batch("pragma query_only = on")?;
    Ok(connection)
}

fn configured(connection: Connection) -> Result<Connection> {
    configure(&connection)?;
    Ok(connection)
}

fn configure(connection: &Connection) -> Result<()> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    // Otherwise SQLite plans with the value of `limit $4`, and so plans again for each page: a fifth of the cost of a
    // page.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

struct Writer {
    connection: Connection,
    files: OpenFiles,
    pages: Arc<PageCache>,
    counters: Arc<Counters>,
}

impl Writer {
    fn write_all(mut self, queue: &Receiver<Message>) {
        let mut batch = Vec::with_capacity(BATCH_LENGTH_MAX);
        let mut stopped = false;
        while !stopped {
            let mut next = queue.recv().map_err(|_| TryRecvError::Disconnected);
            let mut connection_work = None;
            loop {
                match next {
                    // Only a read has a caller that can be gone.
                    Ok(Message::Run(job)) if job.caller().is_some_and(|caller| caller.is_gone()) => {}
                    Ok(Message::Run(job)) => batch.push(job),
                    Ok(Message::WithConnection(work)) => {
                        connection_work = Some(work);
                        break;
                    }
                    // The end of this batch renews them, even if it is empty.
                    Ok(Message::RenewPages) => {}
                    Ok(Message::Stop) | Err(TryRecvError::Disconnected) => stopped = true,
                    Err(TryRecvError::Empty) => break,
                }
                if stopped || batch.len() == BATCH_LENGTH_MAX {
                    break;
                }
                next = queue.try_recv();
            }
            self.write(&mut batch);
            if let Some(work) = connection_work {
                self.pages.begin_commit();
                work(&mut self.connection);
                self.pages.invalidate_all();
                self.pages.end_commit(&self.connection);
            }
        }
    }

    /// Commits the queued bodies and answers them.
    fn write(&self, batch: &mut Vec<Box<dyn Job>>) {
        self.pages.begin_commit();
        let written = if batch.is_empty() { Ok(()) } else { self.write_to_the_right_file(batch) };
        self.pages.end_commit(&self.connection);
        if let Err(error) = &written {
            tracing::error!(error = error as &dyn std::error::Error, batch = batch.len(), "a commit failed");
        } else if !batch.is_empty() {
            self.counters.committed(batch.len());
        }
        let failure = written.err();
        for job in batch.drain(..) {
            job.answer(failure.clone());
        }
    }

    /// Checks the file before, so that no commit starts in a file that was deleted, and after, so that no commit to a
    /// deleted file is acknowledged.
    fn write_to_the_right_file(&self, batch: &mut [Box<dyn Job>]) -> Result<()> {
        self.files.check()?;
        write_batch(&self.connection, batch)?;
        self.files.check().map_err(|error| match error {
            Error::Unavailable(cause) => Error::OutcomeUnknown(cause),
            error => error,
        })
    }
}

/// Runs a batch in one transaction. After an error, nothing has changed unless the error says otherwise.
fn write_batch(connection: &Connection, batch: &mut [Box<dyn Job>]) -> Result<()> {
    let written = run_batch(connection, batch).and_then(|()| commit(connection));
    // SQLite may have rolled back itself, as it does when the disk is full.
    if written.is_err() && !connection.is_autocommit() {
        execute(connection, "rollback").map_err(|_| Error::outcome_unknown("the rollback failed"))?;
    }
    written
}

fn run_batch(connection: &Connection, batch: &mut [Box<dyn Job>]) -> Result<()> {
    execute(connection, "begin immediate")?;
    if run_together(connection, batch)? {
        return Ok(());
    }
    execute(connection, "rollback")?;
    execute(connection, "begin immediate")?;
    run_apart(connection, batch)
}

/// Runs each body. Returns false if one failed after it wrote something, because that cannot be undone separately. This
/// is rare, and a savepoint for each body costs a copy of every page that it changes.
fn run_together(connection: &Connection, batch: &mut [Box<dyn Job>]) -> Result<bool> {
    for job in batch {
        let before = connection.total_changes();
        if job.run(&mut Transaction::Sqlite(connection)).is_err() {
            check_is_open(connection)?;
            if connection.total_changes() != before {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// Runs each body in a savepoint, so that a failed one is undone separately.
fn run_apart(connection: &Connection, batch: &mut [Box<dyn Job>]) -> Result<()> {
    for job in batch {
        execute(connection, "savepoint operation")?;
        if job.run(&mut Transaction::Sqlite(connection)).is_err() {
            check_is_open(connection)?;
            execute(connection, "rollback to operation")?;
        }
        execute(connection, "release operation")?;
    }
    Ok(())
}

/// Returns an error if SQLite has rolled back the whole transaction, which includes the other operations.
fn check_is_open(connection: &Connection) -> Result<()> {
    if connection.is_autocommit() {
        return Err(Error::unavailable("the transaction was rolled back by the database"));
    }
    Ok(())
}

fn commit(connection: &Connection) -> Result<()> {
    let committed = connection.prepare_cached("commit").and_then(|mut commit| commit.execute([]));
    match committed {
        Ok(_) => Ok(()),
        // The log is written, but an unknown part of it may have reached the disk. After a crash, that part could take
        // effect.
        Err(error) if is_failed_sync(&error) => Err(Error::outcome_unknown(error)),
        Err(error) => Err(error.into()),
    }
}

fn is_failed_sync(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_some_and(|error| error.extended_code == rusqlite::ffi::SQLITE_IOERR_FSYNC)
}

#[cfg(test)]
mod tests;
