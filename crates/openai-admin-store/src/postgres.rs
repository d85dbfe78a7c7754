//! PostgreSQL: a pool of threads, each with its own connection.
//!
//! Writes run SERIALIZABLE and are run again when PostgreSQL says that they met another; reads run on one snapshot.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    thread::JoinHandle,
    time::Duration,
};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use postgres::{
    Client, Config, IsolationLevel, NoTls,
    config::{Host, SslMode},
    error::{Severity, SqlState},
};

use crate::{
    error::{Error, Result},
    figures::{Counters, Figures},
    migrations::migrate,
    store::{Job, QUEUE_LENGTH_MAX},
    transaction::{Statements, Transaction},
};

/// How many connections a store holds.
const CONNECTIONS: usize = 16;
/// How long to wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The port where none is given.
const PORT: u16 = 5432;
/// How long a statement may take, in milliseconds.
const STATEMENT_MS_MAX: u32 = 30_000;
/// How long what is sent may stay without a sign of having arrived.
const SILENCE_MAX: Duration = Duration::from_secs(30);
/// After how long without a word a connection is probed, how often, and how many probes may stay without an answer.
const KEEPALIVES_IDLE: Duration = Duration::from_secs(30);
const KEEPALIVES_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVES_RETRIES: u32 = 3;
/// How often a transaction that met another is run again before the caller hears of it.
const ATTEMPTS_MAX: u32 = 64;
/// The pause before a second attempt; it grows with each attempt, so that many writers of one row take turns.
const RETRY_PAUSE: Duration = Duration::from_micros(200);
const RETRY_PAUSE_MAX: Duration = Duration::from_millis(50);

pub(crate) struct Postgres {
    jobs: Sender<Message>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    counters: Arc<Counters>,
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
        let counters = Arc::new(Counters::default());
        let mut threads = Vec::with_capacity(CONNECTIONS);
        for number in 0..CONNECTIONS {
            let worker = Worker {
                config: config.clone(),
                connection: first.take(),
                queue: queue.clone(),
                counters: Arc::clone(&counters),
            };
            let thread = std::thread::Builder::new().name(format!("postgres-{number}"));
            threads.push(thread.spawn(move || worker.run()).map_err(Error::unavailable)?);
        }
        Ok(Self { jobs, threads: Mutex::new(threads), counters })
    }

    /// A connection of its own, beside those of any pool.
    pub(crate) fn connect(url: &str) -> Result<Client> {
        Ok(Connection::open(&config(url)?)?.client)
    }

    pub(crate) fn run(&self, job: Box<dyn Job>, writes: bool) -> Result<()> {
        self.jobs.try_send(Message::Run { job, writes }).map_err(|error| match error {
            TrySendError::Full(_) => Error::Overloaded,
            TrySendError::Disconnected(_) => Error::unavailable("the database is closed"),
        })
    }

    pub(crate) fn figures(&self) -> Figures {
        let figures = Figures {
            engine: "postgres",
            connections: CONNECTIONS,
            reads_waiting: self.jobs.len(),
            waiting_max: QUEUE_LENGTH_MAX,
            ..Figures::default()
        };
        figures.counted(&self.counters)
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

/// Reads a URL. What is wrong with it is not repeated, since a password may be part of that.
fn parse(url: &str) -> Result<Config> {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    // The client takes everything before the first @ for user and password, wherever it stands.
    let is_ambiguous = rest.matches('@').count() > authority.matches('@').count().min(1);
    let config = if is_ambiguous { None } else { url.parse().ok() };
    config.ok_or_else(|| {
        let expected =
            "postgres://user@host/database, in which a password writes @ as %40, / as %2F and ? as %3F";
        Error::invalid_value("database", expected)
    })
}

/// Host, port and database of a URL, and nothing else of it.
pub(crate) fn shown(url: &str) -> String {
    let Ok(config) = parse(url) else { return "postgres://…".to_owned() };
    let ports = config.get_ports();
    let hosts = config.get_hosts().iter().enumerate().map(|(index, host)| {
        let host = match host {
            Host::Tcp(host) if host.contains(':') => format!("[{host}]"),
            Host::Tcp(host) => host.clone(),
            #[cfg(unix)]
            Host::Unix(path) => path.display().to_string().replace('/', "%2F"),
        };
        match ports.get(index).or(ports.first()) {
            Some(port) if *port != PORT => format!("{host}:{port}"),
            _ => host,
        }
    });
    let mut hosts: Vec<String> = hosts.collect();
    if hosts.is_empty() {
        hosts.extend(config.get_hostaddrs().iter().map(ToString::to_string));
    }
    let database = config.get_dbname().map(|database| format!("/{database}")).unwrap_or_default();
    format!("postgres://{}{database}", hosts.join(","))
}

/// Whether a URL holds a password, or what may be one.
pub(crate) fn holds_password(url: &str) -> bool {
    parse(url).map_or(true, |config| config.get_password().is_some())
}

/// The settings of every connection.
pub(crate) fn config(url: &str) -> Result<Config> {
    let mut config = parse(url)?;
    let mode = config.get_ssl_mode();
    if mode == SslMode::Require || (mode != SslMode::Disable && !is_on_this_machine(&config)) {
        let expected = "a PostgreSQL on this machine, or sslmode=disable in the URL, since connections to PostgreSQL \
                        are not encrypted yet: keep both on one host or in a private network";
        return Err(Error::invalid_value("database", expected));
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_TIMEOUT);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(SILENCE_MAX);
    }
    if config.get_keepalives_interval().is_none() {
        config.keepalives_idle(KEEPALIVES_IDLE).keepalives_interval(KEEPALIVES_INTERVAL);
    }
    if config.get_keepalives_retries().is_none() {
        config.keepalives_retries(KEEPALIVES_RETRIES);
    }
    if config.get_application_name().is_none() {
        config.application_name("openai-admin");
    }
    Ok(config)
}

fn is_on_this_machine(config: &Config) -> bool {
    // An address says where to connect, and a host then only what it is called.
    if !config.get_hostaddrs().is_empty() {
        return config.get_hostaddrs().iter().all(IpAddr::is_loopback);
    }
    config.get_hosts().iter().all(|host| match host {
        Host::Tcp(host) => host == "localhost" || host.parse().is_ok_and(|host: IpAddr| host.is_loopback()),
        #[cfg(unix)]
        Host::Unix(_) => true,
    })
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
        // A limit that the URL, the role or the database sets is kept.
        client.batch_execute(&format!(
            "select set_config('statement_timeout', '{STATEMENT_MS_MAX}', false)
             where current_setting('statement_timeout') = '0'"
        ))?;
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
    counters: Arc<Counters>,
}

impl Worker {
    fn run(mut self) {
        while let Ok(Message::Run { mut job, writes }) = self.queue.recv() {
            let outcome = self.transact(writes, &mut *job);
            if let Err(error @ (Error::Unavailable(_) | Error::OutcomeUnknown(_))) = &outcome {
                tracing::error!(error = error as &dyn std::error::Error, "PostgreSQL is unavailable");
            }
            if writes && outcome.is_ok() {
                self.counters.committed(1);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_that_is_silent_is_given_up() {
        let ours = config("postgres://localhost/x").expect("a URL");
        assert_eq!(ours.get_connect_timeout(), Some(&CONNECT_TIMEOUT));
        assert_eq!(ours.get_tcp_user_timeout(), Some(&SILENCE_MAX));
        assert_eq!(ours.get_keepalives_idle(), KEEPALIVES_IDLE);
        assert_eq!(ours.get_keepalives_interval(), Some(KEEPALIVES_INTERVAL));
        assert_eq!(ours.get_keepalives_retries(), Some(KEEPALIVES_RETRIES));
        let theirs = "postgres://localhost/x?connect_timeout=1&tcp_user_timeout=2&keepalives_interval=3";
        let theirs = config(theirs).expect("a URL");
        assert_eq!(theirs.get_connect_timeout(), Some(&Duration::from_secs(1)));
        assert_eq!(theirs.get_tcp_user_timeout(), Some(&Duration::from_secs(2)));
        assert_eq!(theirs.get_keepalives_interval(), Some(Duration::from_secs(3)));
    }

    #[test]
    fn another_machine_is_reached_without_encryption_only_when_the_url_says_so() {
        for near in [
            "postgres://localhost/x",
            "postgres://ada@127.0.0.1:5433,[::1]/x",
            "postgres:///x?host=/run/postgresql",
            "postgres://db.example/x?hostaddr=127.0.0.1",
            "postgres://db.example/x?sslmode=disable",
        ] {
            assert!(config(near).is_ok(), "{near}");
        }
        for far in [
            "postgres://db.example/x",
            "postgres://10.0.0.1/x",
            "postgres://localhost,db.example/x",
            "postgres://localhost/x?hostaddr=10.0.0.1",
            "postgres://localhost/x?sslmode=require",
        ] {
            let refused = config(far).expect_err(far).to_string();
            assert!(refused.contains("sslmode=disable"), "{refused}");
        }
    }
}
