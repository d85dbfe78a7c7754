//! The threads that run bodies, each with its own connection.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread::JoinHandle,
};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};

use super::{
    connection::Connection,
    limits::{ATTEMPTS_MAX, Access, retry_pause},
    settings::Config,
    transact::Isolation,
};
use crate::{
    base::error::{Error, Result},
    engines::{
        figures::Counters,
        job::{Job, QUEUE_LENGTH_MAX},
    },
};

/// A bounded queue, and the threads that run its jobs. A thread, and its connection, is started only when more jobs are
/// queued or running than there are threads: a server with few callers at a time has few connections. Each takes
/// PostgreSQL milliseconds to open, memory for its plans, and one of its places.
pub(super) struct Pool {
    jobs: Sender<Message>,
    /// How many jobs are queued or running.
    pending: Arc<AtomicUsize>,
    /// The number of running threads, to be read without their lock.
    started: AtomicUsize,
    name: &'static str,
    /// How many threads there may be.
    length: usize,
    config: Config,
    settings: &'static str,
    counters: Arc<Counters>,
    threads: Mutex<Threads>,
}

struct Threads {
    /// `None` once the pool is closed. The queue refuses jobs when the last receiver is gone.
    queue: Option<Receiver<Message>>,
    /// For the first thread.
    first: Option<Connection>,
    running: Vec<JoinHandle<()>>,
}

enum Message {
    Run { job: Box<dyn Job>, access: Access },
    Stop,
}

impl Pool {
    /// A pool of at most `length` threads. The first uses the connection `first`, if there is one. Each connection gets
    /// `settings`.
    pub(super) fn new(
        name: &'static str,
        length: usize,
        config: &Config,
        first: Option<Connection>,
        settings: &'static str,
        counters: &Arc<Counters>,
    ) -> Self {
        let (jobs, queue) = bounded(QUEUE_LENGTH_MAX);
        Self {
            jobs,
            pending: Arc::default(),
            started: AtomicUsize::new(0),
            name,
            length,
            config: config.clone(),
            settings,
            counters: Arc::clone(counters),
            threads: Mutex::new(Threads { queue: Some(queue), first, running: Vec::new() }),
        }
    }

    pub(super) fn run(&self, job: Box<dyn Job>, access: Access) -> Result<()> {
        let pending = self.pending.fetch_add(1, Ordering::Relaxed) + 1;
        let is_queued = self.start_for(pending).and_then(|()| {
            self.jobs.try_send(Message::Run { job, access }).map_err(|error| match error {
                TrySendError::Full(_) => Error::Overloaded,
                TrySendError::Disconnected(_) => Error::unavailable("the database is closed"),
            })
        });
        if is_queued.is_err() {
            self.pending.fetch_sub(1, Ordering::Relaxed);
        }
        is_queued
    }

    /// Starts threads while there are fewer than pending jobs.
    fn start_for(&self, pending: usize) -> Result<()> {
        let needed = pending.min(self.length);
        if self.started.load(Ordering::Relaxed) >= needed {
            return Ok(());
        }
        let mut threads = self.threads();
        while threads.running.len() < needed {
            let Some(queue) = threads.queue.clone() else {
                return Err(Error::unavailable("the database is closed"));
            };
            let worker = Worker {
                config: self.config.clone(),
                settings: self.settings,
                connection: threads.first.take(),
                queue,
                pending: Arc::clone(&self.pending),
                counters: Arc::clone(&self.counters),
            };
            let number = threads.running.len();
            let thread = std::thread::Builder::new().name(format!("{}-{number}", self.name));
            match thread.spawn(move || worker.run()) {
                Ok(thread) => threads.running.push(thread),
                Err(error) if number == 0 => return Err(Error::unavailable(error)),
                // The others run the job.
                Err(_) => break,
            }
        }
        self.started.store(threads.running.len(), Ordering::Relaxed);
        Ok(())
    }

    /// How many bodies wait for a thread.
    pub(super) fn waiting(&self) -> usize {
        self.jobs.len()
    }

    /// Stops the threads after the queued jobs.
    pub(super) fn close(&self) {
        let mut threads = self.threads();
        threads.queue = None;
        let running = std::mem::take(&mut threads.running);
        drop(threads);
        for _ in &running {
            // A closed queue means that the threads have ended.
            let _ = self.jobs.send(Message::Stop);
        }
        for thread in running {
            let _ = thread.join();
        }
    }

    fn threads(&self) -> MutexGuard<'_, Threads> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Worker {
    config: Config,
    settings: &'static str,
    connection: Option<Connection>,
    queue: Receiver<Message>,
    pending: Arc<AtomicUsize>,
    counters: Arc<Counters>,
}

impl Worker {
    fn run(mut self) {
        while let Ok(Message::Run { mut job, access }) = self.queue.recv() {
            if job.caller().is_some_and(|caller| caller.is_gone()) {
                self.pending.fetch_sub(1, Ordering::Relaxed);
                continue;
            }
            let outcome = self.transact(&access, &mut *job);
            if let Err(error @ (Error::Unavailable(_) | Error::OutcomeUnknown(_))) = &outcome {
                tracing::error!(error = error as &dyn std::error::Error, "PostgreSQL is unavailable");
            }
            if access.writes && outcome.is_ok() {
                self.counters.committed(1);
            }
            // Before the answer, after which the caller may queue another job: it needs no other thread.
            self.pending.fetch_sub(1, Ordering::Relaxed);
            job.answer(outcome.err());
        }
    }

    /// Runs a job in one transaction, and retries conflicts.
    fn transact(&mut self, access: &Access, job: &mut dyn Job) -> Result<()> {
        let isolation = if access.writes { Isolation::Serializable } else { Isolation::RepeatableRead };
        for attempt in 1..=ATTEMPTS_MAX {
            let connection = self.connection(access)?;
            connection.work_for(job.caller());
            let outcome = connection.transact(isolation, access, &mut |transaction| job.run(transaction));
            if !connection.is_usable() {
                // Immediately, so that the server notices it and releases the locks of the transaction.
                self.connection = None;
            }
            if !matches!(outcome, Err(Error::Conflict)) {
                return outcome;
            }
            std::thread::sleep(retry_pause(attempt));
        }
        Err(Error::Conflict)
    }

    fn connection(&mut self, access: &Access) -> Result<&mut Connection> {
        let open = self.connection.take().filter(Connection::is_usable);
        let connection = match open {
            Some(connection) => connection,
            None => Connection::open(&self.config, self.settings, access.deadline)?,
        };
        Ok(self.connection.insert(connection))
    }
}
