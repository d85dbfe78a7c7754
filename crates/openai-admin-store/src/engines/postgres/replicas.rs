//! Pages read from replicas, with the guarantees of a read from the primary.
//!
//! A replica lags behind its primary, so a client might not see its own write, made through this server or another. So
//! each read first queries the primary for its position in the log (one query for all reads that wait at that moment),
//! and then reads from a replica that has replayed up to it. A write that was acknowledged before the read began is in
//! the log by then, independent of its author: no token is needed, and several servers may share the database.
//!
//! The order matters: the query starts after the read was requested; the replica's progress is read after the query's
//! result; and a later statement on the same connection reads the page, with a snapshot from after the progress was
//! read. Reading the progress in the page's own statement would be too late, because its snapshot is older.
//!
//! A replica may be slightly *ahead* of the primary: a change is in the log just before the primary shows it. Its
//! author has no answer yet.
//!
//! A replica that is unreachable, frozen or too far behind is skipped for 1 s, and one that is not a replica of the
//! primary for 10 s. Meanwhile, reads go to the primary.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use openai_admin::operations::ListGroupUsers;
use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot},
    time::{Instant, sleep, timeout},
};
use tokio_postgres::{Row, Statement};

use super::{
    group_user_pages::Pages,
    limits::until,
    replica_proof::{Difference, Position, Primary},
    session::Session,
    settings::{Config, config, shown},
};
use crate::{
    base::{
        error::{Error, Result},
        org::Org,
        page::Range,
        time_limit::now,
    },
    engines::figures::{Counters, PageSource},
};

/// How long a read waits for a replica before it goes to the primary. Most replicas lag by a few milliseconds.
const LAG_MAX: Duration = Duration::from_millis(100);
/// How long to wait before the progress of a lagging replica is read again.
const LOOK_PAUSE: Duration = Duration::from_millis(1);
/// How long a replica that is unreachable or too far behind is skipped.
const REST: Duration = Duration::from_secs(1);
/// How long a server that is not a replica of the primary is skipped.
const DIFFERENT_REST: Duration = Duration::from_secs(10);
/// How long the first check of a replica may take before the server starts without it.
const FIRST_LOOK_MAX: Duration = Duration::from_secs(3);
/// How many reads share one query to the primary at most.
const QUESTION_READS_MAX: usize = 4096;
/// The primary's position in the log, including writes that are not on disk yet, which a primary may acknowledge.
const POSITION: &str = "select pg_current_wal_insert_lsn()";

/// The replicas of a database.
pub(super) struct Replicas {
    replicas: Vec<Replica>,
    turn: AtomicUsize,
    questions: mpsc::Sender<oneshot::Sender<Position>>,
    counters: Arc<Counters>,
}

struct Replica {
    /// Host, port and database.
    name: String,
    pages: Pages,
    rests: Arc<AtomicBool>,
}

impl Replicas {
    /// Replicas at these URLs. A replica that is unreachable now is retried later.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidValue`] if a reachable server is not a replica of the primary.
    pub(super) async fn open(
        primary: &Config,
        urls: &[String],
        runtime: &Handle,
        counters: &Arc<Counters>,
    ) -> Result<Self> {
        let replicas: Vec<Replica> = urls.iter().map(|url| Replica::new(url)).collect::<Result<_>>()?;
        let first_question = {
            let primary = primary.clone();
            async move { position(&primary, &mut None).await }
        };
        let position = runtime.spawn(first_question).await.map_err(Error::unavailable)??;
        for replica in &replicas {
            replica.prove(runtime, &position).await?;
        }
        let (questions, asked) = mpsc::channel(QUESTION_READS_MAX);
        runtime.spawn(answer_questions(primary.clone(), asked));
        Ok(Self { replicas, turn: AtomicUsize::new(0), questions, counters: Arc::clone(counters) })
    }

    /// Reads a page as of now or later. `None`: read it from the primary.
    pub(super) async fn read(
        &self,
        runtime: &Handle,
        org: Org,
        request: &ListGroupUsers,
        range: Range,
    ) -> Option<Vec<Row>> {
        let page = self.read_from_one(runtime, org, request, range).await;
        let source = if page.is_some() { PageSource::Replica } else { PageSource::Primary };
        self.counters.page_read(source);
        page
    }

    async fn read_from_one(
        &self,
        runtime: &Handle,
        org: Org,
        request: &ListGroupUsers,
        range: Range,
    ) -> Option<Vec<Row>> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let places = (0..self.replicas.len()).map(|place| (turn + place) % self.replicas.len());
        let mut awake = places.map(|place| &self.replicas[place]);
        let replica = awake.find(|replica| !replica.rests())?;
        let deadline = now() + LAG_MAX;
        let position = until(runtime, deadline, self.position()).await??;
        let page =
            until(runtime, deadline, replica.read(runtime, &position, org, request, range, deadline)).await;
        match page {
            Some(Ok(rows)) => return Some(rows),
            Some(Err(error)) => replica.leave_alone(runtime, &error),
            None => {
                tracing::warn!(replica = replica.name, "a replica is more than {LAG_MAX:?} behind");
                replica.rest(runtime, REST);
            }
        }
        None
    }

    /// The primary's position in the log, from a query that starts after this call.
    async fn position(&self) -> Option<Position> {
        let (answer, answered) = oneshot::channel();
        self.questions.send(answer).await.ok()?;
        answered.await.ok()
    }

    /// How many replicas are currently skipped.
    pub(super) fn resting(&self) -> usize {
        self.replicas.iter().filter(|replica| replica.rests()).count()
    }
}

impl Replica {
    fn new(url: &str) -> Result<Self> {
        Ok(Self { name: shown(url), pages: Pages::new(&config(url)?), rests: Arc::default() })
    }

    /// Checks the replica for the first time.
    async fn prove(&self, runtime: &Handle, position: &Position) -> Result<()> {
        let looked = self.pages.look(runtime, position, now() + FIRST_LOOK_MAX).await;
        let Err(error) = looked else { return Ok(()) };
        if let Some(difference) = Difference::of(&error).filter(|difference| !difference.may_pass()) {
            let expected =
                format!("a streaming replica of the database, but {} is not one: {difference}", self.name);
            return Err(Error::invalid_value("database-read", expected));
        }
        self.leave_alone(runtime, &error);
        Ok(())
    }

    async fn read(
        &self,
        runtime: &Handle,
        position: &Position,
        org: Org,
        request: &ListGroupUsers,
        range: Range,
        deadline: Instant,
    ) -> Result<Vec<Row>> {
        loop {
            let page = self.pages.read(runtime, org, request, range, Some(position), deadline).await?;
            if let Some(rows) = page {
                return Ok(rows);
            }
            // With the drivers' timers, because the caller's runtime may have none.
            until(runtime, now() + LOOK_PAUSE, std::future::pending::<()>()).await;
        }
    }

    fn rests(&self) -> bool {
        self.rests.load(Ordering::Relaxed)
    }

    /// Logs the reason and skips the replica for some time.
    fn leave_alone(&self, runtime: &Handle, error: &Error) {
        match Difference::of(error) {
            Some(difference) => {
                tracing::warn!(
                    replica = self.name,
                    "skipping a replica for {DIFFERENT_REST:?}: {difference}"
                );
                self.rest(runtime, DIFFERENT_REST);
            }
            None => {
                let error = error as &dyn std::error::Error;
                tracing::warn!(replica = self.name, error, "a replica does not answer");
                self.rest(runtime, REST);
            }
        }
    }

    fn rest(&self, runtime: &Handle, pause: Duration) {
        if self.rests.swap(true, Ordering::Relaxed) {
            return;
        }
        let rests = Arc::clone(&self.rests);
        runtime.spawn(async move {
            sleep(pause).await;
            rests.store(false, Ordering::Relaxed);
        });
    }
}

/// A connection that queries the primary for its position in the log.
struct Questioner {
    session: Session,
    statement: Statement,
    primary: Primary,
}

/// Answers all reads that wait at one moment with one query to the primary. Reads that arrive during the query get the
/// result of the next. If a query fails, its reads go to the primary.
async fn answer_questions(primary: Config, mut asked: mpsc::Receiver<oneshot::Sender<Position>>) {
    let (mut questioner, mut waiting) = (None, Vec::new());
    while asked.recv_many(&mut waiting, QUESTION_READS_MAX).await > 0 {
        match timeout(LAG_MAX, position(&primary, &mut questioner)).await {
            Ok(Ok(position)) => {
                for answer in waiting.drain(..) {
                    // Sending fails if the caller was cancelled.
                    let _ = answer.send(position);
                }
            }
            Ok(Err(_)) | Err(_) => {
                questioner = None;
                waiting.clear();
            }
        }
    }
}

async fn position(primary: &Config, open: &mut Option<Questioner>) -> Result<Position> {
    let questioner = match open {
        Some(questioner) => questioner,
        None => open.insert(Questioner::open(primary).await?),
    };
    let row = questioner.session.client.query_one(&questioner.statement, &[]).await?;
    Ok(Position { log: row.try_get(0)?, primary: questioner.primary })
}

impl Questioner {
    async fn open(primary: &Config) -> Result<Self> {
        let session = Session::open(primary, "").await?;
        let statement = session.prepare(POSITION).await?;
        let primary = Primary::of(&session).await?;
        Ok(Self { session, statement, primary })
    }
}
