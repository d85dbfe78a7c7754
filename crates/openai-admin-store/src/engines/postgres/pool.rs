//! The threads that run bodies, each with its own connection.

use std::{
    sync::{Arc, Mutex, PoisonError},
    thread::JoinHandle,
};

use super::{
    connection::Connection,
    limits::{ATTEMPTS_MAX, Access, retry_pause},
    queue::{Queue, Refused},
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

pub(super) struct Pool {
    queue: Arc<Queue<Queued>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

struct Queued {
    job: Box<dyn Job>,
    access: Access,
}

impl Pool {
    /// Starts `length` threads. The first uses the connection `first`, if there is one. Each connection gets
    /// `settings`.
    pub(super) fn start(
        name: &str,
        length: usize,
        config: &Config,
        mut first: Option<Connection>,
        settings: &'static str,
        counters: &Arc<Counters>,
    ) -> Result<Self> {
        let queue = Arc::new(Queue::new(length, QUEUE_LENGTH_MAX));
        let mut threads = Vec::with_capacity(length);
        for number in 0..length {
            let worker = Worker {
                config: config.clone(),
                settings,
                connection: first.take(),
                queue: Arc::clone(&queue),
                counters: Arc::clone(counters),
            };
            let thread = std::thread::Builder::new().name(format!("{name}-{number}"));
            threads.push(thread.spawn(move || worker.run(number)).map_err(Error::unavailable)?);
        }
        Ok(Self { queue, threads: Mutex::new(threads) })
    }

    pub(super) fn run(&self, job: Box<dyn Job>, access: Access) -> Result<()> {
        self.queue.push(Queued { job, access }).map_err(|refused| match refused {
            Refused::Full => Error::Overloaded,
            Refused::Closed => Error::unavailable("the database is closed"),
        })
    }

    /// How many bodies wait for a thread.
    pub(super) fn waiting(&self) -> usize {
        self.queue.waiting()
    }

    pub(super) fn close(&self) {
        self.queue.close();
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            let _ = thread.join();
        }
    }
}

/// Without waiting, because a store may be dropped where blocking is not allowed.
impl Drop for Pool {
    fn drop(&mut self) {
        self.queue.close();
    }
}

struct Worker {
    config: Config,
    settings: &'static str,
    connection: Option<Connection>,
    queue: Arc<Queue<Queued>>,
    counters: Arc<Counters>,
}

impl Worker {
    fn run(mut self, number: usize) {
        while let Some(Queued { mut job, access }) = self.queue.next(number) {
            if job.caller().is_some_and(|caller| caller.is_gone()) {
                continue;
            }
            let outcome = self.transact(&access, &mut *job);
            if let Err(error @ (Error::Unavailable(_) | Error::OutcomeUnknown(_))) = &outcome {
                tracing::error!(error = error as &dyn std::error::Error, "PostgreSQL is unavailable");
            }
            if access.writes && outcome.is_ok() {
                self.counters.committed(1);
            }
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
