//! SQLite: one thread that writes, a few that read, one file in WAL mode.
//!
//! The writer takes what is queued, runs each body, commits once and answers all: `synchronous=FULL` at nearly the
//! price of `NORMAL`, and nobody ever meets a locked database.

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

/// How many operations one commit carries at most.
const BATCH_LENGTH_MAX: usize = 512;
/// How long to wait for another process that writes to the same file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// How long to wait before the next attempt where SQLite does not wait by itself.
const BUSY_PAUSE: Duration = Duration::from_millis(5);
/// How many threads read a few rows; as many as there are cores, within these bounds.
const READERS_MIN: usize = 2;
const READERS_MAX: usize = 8;
/// How many threads scan at most; as many as there are cores, but no fewer than the minimum above.
const SCANNERS_MAX: usize = 4;
/// How many threads read what may be everything.
const LONG_READERS: usize = 1;
/// How many prepared statements a connection keeps; more than all operations of the API have, since planning a statement
/// costs more than running it. A few kilobytes each.
const STATEMENTS_MAX: usize = 512;

pub(crate) struct Sqlite {
    writes: Sender<Message>,
    /// None for a database in memory, where the writer reads as well.
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

/// How many threads scan.
pub(crate) fn scanners() -> usize {
    std::thread::available_parallelism().map_or(READERS_MIN, usize::from).clamp(READERS_MIN, SCANNERS_MAX)
}

enum Message {
    Run(Box<dyn Job>),
    /// Something that needs the writer's connection, outside of any transaction.
    Alone(Alone),
    /// Somebody else has written to the file.
    RenewPages,
    Stop,
}

type Alone = Box<dyn FnOnce(&mut Connection) + Send>;

impl Sqlite {
    pub(crate) fn open(file: &Path, prepare: Prepare) -> Result<Self> {
        Self::open_file(file, prepare).map_err(|error| error.of_file(file))
    }

    fn open_file(file: &Path, prepare: Prepare) -> Result<Self> {
        check_file(file)?;
        refuse_emptied(file)?;
        // Before anything that stays in the file.
        refuse_foreign(file)?;
        create(file);
        let opened = OpenFiles::note_file(file);
        let writer = connect(file, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
        switch_to_wal(&writer)?;
        // A commit that returned survives a loss of power.
        writer.execute_batch("pragma synchronous = full")?;
        writer.execute_batch("begin immediate")?;
        prepare(&mut Transaction::Sqlite(&writer))?;
        writer.execute_batch("commit")?;

        let watch = connect(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        // It never waits: who asks it can as well read the database.
        watch.busy_timeout(Duration::ZERO)?;
        watch.execute_batch("pragma query_only = on")?;
        let pages = Arc::new(PageCache::new(watch));
        pages.observe(&writer)?;

        // A restoration may have replaced it meanwhile, and then another file is open than the one that is there.
        opened.check()?;
        let mut sqlite = Self::start(writer, OpenFiles::note(file), pages)?;
        let threads = sqlite.threads.get_mut().unwrap_or_else(PoisonError::into_inner);
        sqlite.readers = Some(Lanes::start(file, connect_reader, threads)?);
        Ok(sqlite)
    }

    /// Opens a file only to read it: nothing is written to it or beside it where that can be avoided, and its schema must
    /// be the newest.
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
        // Nobody receives what would be written.
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

    /// A database that is gone with the process. Another connection would have another database, so the writer reads as
    /// well, and whatever is read is in memory already: there is no cache.
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

    /// Starts the writer, who reads as well.
    fn start(connection: Connection, files: OpenFiles, pages: Arc<PageCache>) -> Result<Self> {
        let counters = Arc::new(Counters::default());
        let (writes, queue) = bounded(QUEUE_LENGTH_MAX);
        let writer = Writer { connection, files, pages: Arc::clone(&pages), counters: Arc::clone(&counters) };
        let threads = Mutex::new(vec![spawn("sqlite-writer", move || writer.write_all(&queue))?]);
        Ok(Self { writes, readers: None, threads, pages, counters, is_read_only: false })
    }

    /// Does something with the writer's connection when no transaction is open.
    pub(crate) fn alone(&self, work: Alone) -> Result<()> {
        self.writes.try_send(Message::Alone(work)).map_err(refused)
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

    /// The pages that were read before.
    pub(crate) fn pages(&self) -> &Arc<PageCache> {
        &self.pages
    }

    pub(crate) fn cached_page(&self, key: &PageKey) -> Option<Bytes> {
        // When the queue is full, a commit is about to renew the pages anyway.
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
        figures.counted(&self.counters)
    }

    pub(crate) fn close(&self) {
        // A closed queue means that the thread is gone already.
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
    configure(&connection)?;
    Ok(connection)
}

/// The busy timeout does not cover a change of the journal mode: where several processes open a new file at once, SQLite
/// refuses all but one of them immediately.
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
    // Otherwise SQLite looks at the value of `limit $4` to plan with, and so plans anew for each page: a fifth of all
    // that reading one costs.
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
            let mut alone = None;
            loop {
                match next {
                    // Only a read has an asker.
                    Ok(Message::Run(job)) if job.asker().is_some_and(|asker| asker.is_gone()) => {}
                    Ok(Message::Run(job)) => batch.push(job),
                    Ok(Message::Alone(work)) => {
                        alone = Some(work);
                        break;
                    }
                    // The end of this batch renews them, also when it is empty.
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
            if let Some(work) = alone {
                self.pages.begin_commit();
                work(&mut self.connection);
                self.pages.all_changes();
                self.pages.end_commit(&self.connection);
            }
        }
    }

    /// Commits what is queued and answers it.
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

    /// A look before, so that nothing is begun in a file that nobody will open again, and a look after, so that nothing
    /// is acknowledged that went into one.
    fn write_to_the_right_file(&self, batch: &mut [Box<dyn Job>]) -> Result<()> {
        self.files.check()?;
        write_batch(&self.connection, batch)?;
        self.files.check().map_err(|error| match error {
            Error::Unavailable(cause) => Error::OutcomeUnknown(cause),
            error => error,
        })
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
    if run_together(connection, batch)? {
        return Ok(());
    }
    execute(connection, "rollback")?;
    execute(connection, "begin immediate")?;
    run_apart(connection, batch)
}

/// Runs each body. False when one has failed after it wrote something, which cannot be undone alone then: hardly any
/// does, and a savepoint for each costs a copy of every page that it changes.
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

/// Runs each body so that one that fails takes nothing with it.
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

/// An error that made SQLite roll back everything took the other operations with it.
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
        // The log has been written whole, and nobody knows how much of it has reached the disk: after a crash it
        // would count.
        Err(error) if is_failed_sync(&error) => Err(Error::outcome_unknown(error)),
        Err(error) => Err(error.into()),
    }
}

fn is_failed_sync(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_some_and(|error| error.extended_code == rusqlite::ffi::SQLITE_IOERR_FSYNC)
}

#[cfg(test)]
mod tests;
