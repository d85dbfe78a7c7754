//! PostgreSQL: a pool of threads, each with its own connection.
//!
//! Writes run SERIALIZABLE and are run again when PostgreSQL says that they met another; reads run on one snapshot.

use std::{
    sync::{Mutex, PoisonError},
    thread::JoinHandle,
    time::Duration,
};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use postgres::{
    Client, Config, IsolationLevel, NoTls,
    error::{Severity, SqlState},
};

use crate::{
    error::{Error, Result},
    migrations::migrate,
    store::{Job, QUEUE_LENGTH_MAX},
    transaction::{Statements, Transaction},
};

/// How many connections a store holds.
const CONNECTIONS: usize = 16;
/// How long to wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How often a transaction that met another is run again before the caller hears of it.
const ATTEMPTS_MAX: u32 = 64;
/// The pause before a second attempt; it grows with each attempt, so that many writers of one row take turns.
const RETRY_PAUSE: Duration = Duration::from_micros(200);
const RETRY_PAUSE_MAX: Duration = Duration::from_millis(50);

pub(crate) struct Postgres {
    jobs: Sender<Message>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

enum Message {
    Run { job: Box<dyn Job>, writes: bool },
    Stop,
}

impl Postgres {
    pub(crate) fn open(url: &str) -> Result<Self> {
        let config = config(url)?;
        let mut first = Connection::open(&config)?;
        first.migrate()?;

        let (jobs, queue) = bounded(QUEUE_LENGTH_MAX);
        let mut first = Some(first);
        let mut threads = Vec::with_capacity(CONNECTIONS);
        for number in 0..CONNECTIONS {
            let worker = Worker { config: config.clone(), connection: first.take(), queue: queue.clone() };
            let thread = std::thread::Builder::new().name(format!("postgres-{number}"));
            threads.push(thread.spawn(move || worker.run()).map_err(Error::unavailable)?);
        }
        Ok(Self { jobs, threads: Mutex::new(threads) })
    }

    pub(crate) fn run(&self, job: Box<dyn Job>, writes: bool) -> Result<()> {
        self.jobs.try_send(Message::Run { job, writes }).map_err(|error| match error {
            TrySendError::Full(_) => Error::Overloaded,
            TrySendError::Disconnected(_) => Error::unavailable("the database is closed"),
        })
    }

    pub(crate) fn close(&self) {
        for _ in 0..CONNECTIONS {
            // A closed queue means that the threads are gone already.
            let _ = self.jobs.send(Message::Stop);
        }
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            let _ = thread.join();
        }
    }
}

fn config(url: &str) -> Result<Config> {
    let mut config: Config = url.parse().map_err(|error: postgres::Error| {
        Error::invalid_value("database", format!("a PostgreSQL URL: {}", error_chain(&error)))
    })?;
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_TIMEOUT);
    }
    if config.get_application_name().is_none() {
        config.application_name("openai-admin");
    }
    Ok(config)
}

fn error_chain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", error_chain(source)),
        None => error.to_string(),
    }
}

struct Connection {
    client: Client,
    statements: Statements,
}

impl Connection {
    fn open(config: &Config) -> Result<Self> {
        let mut client = config.connect(NoTls)?;
        // Every statement reads or writes a page of rows by key: compiling it takes longer than running it.
        client.batch_execute("set jit = off")?;
        Ok(Self { client, statements: Statements::new() })
    }

    /// READ COMMITTED, so that who had to wait for the lock sees what its holder has done: a snapshot would be older
    /// than the wait.
    fn migrate(&mut self) -> Result<()> {
        self.transact(IsolationLevel::ReadCommitted, true, &mut migrate)
    }

    /// [`Error::Conflict`] when the transaction could not even be begun: nothing has happened then.
    fn transact(
        &mut self,
        isolation: IsolationLevel,
        writes: bool,
        body: &mut dyn FnMut(&mut Transaction<'_>) -> Result<()>,
    ) -> Result<()> {
        let Self { client, statements } = self;
        let transaction = client.build_transaction().isolation_level(isolation).read_only(!writes).start();
        let transaction = transaction.map_err(|error| {
            // How one learns that the server has closed a connection while it was idle.
            tracing::debug!(error = &error as &dyn std::error::Error, "a connection is replaced");
            Error::Conflict
        })?;
        let mut transaction = Transaction::Postgres { transaction, statements };
        body(&mut transaction)?;
        match transaction {
            Transaction::Postgres { transaction, .. } => {
                transaction.commit().map_err(|error| uncommitted(error, writes))
            }
            Transaction::Sqlite(_) => Ok(()),
        }
    }
}

/// What an error means that came instead of the answer to COMMIT.
fn uncommitted(error: postgres::Error, writes: bool) -> Error {
    // PostgreSQL says ERROR of a transaction that it has rolled back. Otherwise the connection has ended, and by the
    // time it did the transaction may have been committed.
    let is_rolled_back = error.as_db_error().is_some_and(|error| {
        error.parsed_severity() == Some(Severity::Error)
            && *error.code() != SqlState::T_R_STATEMENT_COMPLETION_UNKNOWN
            && *error.code() != SqlState::TRANSACTION_RESOLUTION_UNKNOWN
    });
    if writes && !is_rolled_back { Error::outcome_unknown(error) } else { error.into() }
}

struct Worker {
    config: Config,
    connection: Option<Connection>,
    queue: Receiver<Message>,
}

impl Worker {
    fn run(mut self) {
        while let Ok(Message::Run { mut job, writes }) = self.queue.recv() {
            let outcome = self.transact(writes, &mut *job);
            if let Err(error @ (Error::Unavailable(_) | Error::OutcomeUnknown(_))) = &outcome {
                tracing::error!(error = error as &dyn std::error::Error, "PostgreSQL is unavailable");
            }
            job.answer(outcome.err());
        }
    }

    /// Runs a job in one transaction, and again while it meets other transactions.
    fn transact(&mut self, writes: bool, job: &mut dyn Job) -> Result<()> {
        let isolation = if writes { IsolationLevel::Serializable } else { IsolationLevel::RepeatableRead };
        for attempt in 1..=ATTEMPTS_MAX {
            let outcome =
                self.connection()?.transact(isolation, writes, &mut |transaction| job.run(transaction));
            if !matches!(outcome, Err(Error::Conflict)) {
                return outcome;
            }
            std::thread::sleep((RETRY_PAUSE * attempt * attempt).min(RETRY_PAUSE_MAX));
        }
        Err(Error::Conflict)
    }

    fn connection(&mut self) -> Result<&mut Connection> {
        let open = self.connection.take().filter(|connection| !connection.client.is_closed());
        let connection = match open {
            Some(connection) => connection,
            None => Connection::open(&self.config)?,
        };
        Ok(self.connection.insert(connection))
    }
}
