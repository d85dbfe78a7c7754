//! Pages read from replicas, by everybody as if they were read from the primary.
//!
//! A replica follows its primary by some moments, in which a client would not see what it has just written, through
//! this server or another. So each read first asks the primary how far its log reaches (one question for all reads
//! that wait at that moment), and reads on a replica that has replayed as much. What was acknowledged before a read
//! began is in the log by then, whoever wrote it: no token needs to travel, and any number of servers may share the
//! database.
//!
//! The order of these three is what counts: the question is asked after the read was asked for; the replica's progress
//! is looked at after the answer; and the page is read by a later statement on the same connection, whose snapshot is
//! taken when the look has ended. To look within the page's own statement would be too late: its snapshot is older.
//!
//! What a replica shows may be a moment *ahead* of the primary: a change is in the log just before the primary shows
//! it, and who writes it has no answer yet.
//!
//! A replica that is gone, frozen or too far behind is left alone for a moment, and one that is not proved to be a
//! replica of the primary for longer; reads go to the primary then.

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

/// How long a read waits for a replica before it goes to the primary: most replicas follow within a few milliseconds.
const LAG_MAX: Duration = Duration::from_millis(100);
/// How long between two looks at a replica that is behind.
const LOOK_PAUSE: Duration = Duration::from_millis(1);
/// How long a replica that was gone or too far behind is left alone.
const REST: Duration = Duration::from_secs(1);
/// How long a replica that is not one of the primary is left alone.
const DIFFERENT_REST: Duration = Duration::from_secs(10);
/// How long the first look at a replica may take, before the server goes on without it.
const FIRST_LOOK_MAX: Duration = Duration::from_secs(3);
/// How many reads one question to the primary answers at most.
const QUESTION_READS_MAX: usize = 4096;
/// How far the log of the primary reaches, with what is not on disk yet: also what a primary acknowledges early.
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
    /// Replicas at these URLs. One that cannot be reached may come later than the server.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidValue`] when one is reached and is not a replica of the primary.
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

    /// A page as it is now or later. None when the primary has to say.
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

    /// How far the primary's log reaches, asked for after this was called.
    async fn position(&self) -> Option<Position> {
        let (answer, answered) = oneshot::channel();
        self.questions.send(answer).await.ok()?;
        answered.await.ok()
    }

    /// How many replicas are left alone at this moment.
    pub(super) fn resting(&self) -> usize {
        self.replicas.iter().filter(|replica| replica.rests()).count()
    }
}

impl Replica {
    fn new(url: &str) -> Result<Self> {
        Ok(Self { name: shown(url), pages: Pages::new(&config(url)?), rests: Arc::default() })
    }

    /// Looks at it for the first time.
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
            // By the drivers' clock: the caller's runtime need not have one.
            until(runtime, now() + LOOK_PAUSE, std::future::pending::<()>()).await;
        }
    }

    fn rests(&self) -> bool {
        self.rests.load(Ordering::Relaxed)
    }

    /// Says why, and rests.
    fn leave_alone(&self, runtime: &Handle, error: &Error) {
        match Difference::of(error) {
            Some(difference) => {
                tracing::warn!(
                    replica = self.name,
                    "a replica is left alone for {DIFFERENT_REST:?}: {difference}"
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

/// A connection to the primary that is asked for its position in the log.
struct Questioner {
    session: Session,
    statement: Statement,
    primary: Primary,
}

/// Answers all who ask at one moment with one question to the primary. Who asks while it is on its way gets the answer
/// to the next. One that cannot be answered is dropped.
async fn answer_questions(primary: Config, mut asked: mpsc::Receiver<oneshot::Sender<Position>>) {
    let (mut questioner, mut waiting) = (None, Vec::new());
    while asked.recv_many(&mut waiting, QUESTION_READS_MAX).await > 0 {
        match timeout(LAG_MAX, position(&primary, &mut questioner)).await {
            Ok(Ok(position)) => {
                for answer in waiting.drain(..) {
                    // Nobody may be waiting any more.
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
