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
//! A replica that is gone, frozen, promoted or too far behind is left alone for a while, and reads go to the primary.

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
use tokio_postgres::{Row, Statement, types::PgLsn};

use super::{Config, Session, group_user_pages::Pages, now, until};
use crate::{
    error::{Error, Result},
    organizations::Org,
    page::Range,
};

/// How long a read waits for a replica before it goes to the primary: most replicas follow within a few milliseconds.
const LAG_MAX: Duration = Duration::from_millis(100);
/// How long between two looks at a replica that is behind.
const LOOK_PAUSE: Duration = Duration::from_millis(1);
/// How long a replica that was gone or too far behind is left alone.
const REST: Duration = Duration::from_secs(1);
/// How many reads one question to the primary answers at most.
const QUESTION_READS_MAX: usize = 4096;
/// How far the log of the primary reaches, with what is not on disk yet: also what a primary acknowledges early.
const POSITION: &str = "select pg_current_wal_insert_lsn()";

/// The replicas of a database.
pub(super) struct Replicas {
    replicas: Vec<Replica>,
    turn: AtomicUsize,
    questions: mpsc::Sender<oneshot::Sender<PgLsn>>,
}

struct Replica {
    pages: Pages,
    rests: Arc<AtomicBool>,
}

impl Replicas {
    /// Nothing is connected yet: a replica may come later than the server.
    pub(super) fn new(primary: &Config, replicas: &[Config], runtime: &Handle) -> Self {
        let (questions, asked) = mpsc::channel(QUESTION_READS_MAX);
        runtime.spawn(answer_questions(primary.clone(), asked));
        let replicas = replicas
            .iter()
            .map(|config| Replica { pages: Pages::new(config), rests: Arc::default() })
            .collect();
        Self { replicas, turn: AtomicUsize::new(0), questions }
    }

    /// A page as it is now or later. None when the primary has to say.
    pub(super) async fn read(
        &self,
        runtime: &Handle,
        org: Org,
        request: &ListGroupUsers,
        range: Range,
    ) -> Option<Vec<Row>> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let places = (0..self.replicas.len()).map(|place| (turn + place) % self.replicas.len());
        let mut awake = places.map(|place| &self.replicas[place]);
        let replica = awake.find(|replica| !replica.rests.load(Ordering::Relaxed))?;
        let deadline = now() + LAG_MAX;
        let position = until(runtime, deadline, self.position()).await??;
        let page =
            until(runtime, deadline, replica.read(runtime, position, org, request, range, deadline)).await;
        match page {
            Some(Ok(rows)) => return Some(rows),
            Some(Err(error)) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "a replica does not answer");
            }
            None => tracing::warn!("a replica is more than {LAG_MAX:?} behind"),
        }
        replica.rest(runtime);
        None
    }

    /// How far the primary's log reaches, asked for after this was called.
    async fn position(&self) -> Option<PgLsn> {
        let (answer, answered) = oneshot::channel();
        self.questions.send(answer).await.ok()?;
        answered.await.ok()
    }
}

impl Replica {
    async fn read(
        &self,
        runtime: &Handle,
        position: PgLsn,
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

    fn rest(&self, runtime: &Handle) {
        if self.rests.swap(true, Ordering::Relaxed) {
            return;
        }
        let rests = Arc::clone(&self.rests);
        runtime.spawn(async move {
            sleep(REST).await;
            rests.store(false, Ordering::Relaxed);
        });
    }
}

/// Answers all who ask at one moment with one question to the primary. Who asks while it is on its way gets the answer
/// to the next. One that cannot be answered is dropped.
async fn answer_questions(primary: Config, mut asked: mpsc::Receiver<oneshot::Sender<PgLsn>>) {
    let (mut session, mut waiting) = (None, Vec::new());
    while asked.recv_many(&mut waiting, QUESTION_READS_MAX).await > 0 {
        match timeout(LAG_MAX, position(&primary, &mut session)).await {
            Ok(Ok(position)) => {
                for answer in waiting.drain(..) {
                    // Nobody may be waiting any more.
                    let _ = answer.send(position);
                }
            }
            Ok(Err(_)) | Err(_) => {
                session = None;
                waiting.clear();
            }
        }
    }
}

async fn position(primary: &Config, open: &mut Option<(Session, Statement)>) -> Result<PgLsn> {
    let (session, statement) = match open {
        Some(open) => open,
        None => {
            let session = Session::open(primary, "").await?;
            let statement = session.prepare(POSITION).await?;
            open.insert((session, statement))
        }
    };
    let row = session.client.query_one(statement, &[]).await?;
    row.try_get(0).map_err(Error::from)
}
