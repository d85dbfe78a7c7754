//! Adding users to groups and removing them, in batches: the changes that arrive during one batch form the next. A
//! batch is one statement and one commit; each caller gets the answer to its own change.
//!
//! # Why this is safe
//!
//! A batch is not SERIALIZABLE: two of them would then abort each other for touching the same pages of an index. It
//! runs READ COMMITTED, and these are all the ways in which it can conflict with other transactions:
//!
//! - **Another batch, the same membership.** The row itself decides. An insert that conflicts with another waits for it
//!   and does nothing if it commits; a delete waits and finds no row. Events are written for the rows that were
//!   actually inserted or deleted, and answers report only those.
//! - **The deletion of the group or of the user.** That transaction is SERIALIZABLE and its snapshot may be older than
//!   a membership from a batch, which it would leave behind as an orphan. A lock on the group's row would not help,
//!   because a row that was only locked counts as unchanged. So the deletion takes an exclusive advisory lock of its
//!   organization *before* it has a snapshot ([`Access::excludes_additions`]), and releases it after its end. A batch
//!   shares that lock from before its own snapshot to its end. Whichever comes first, the other sees all of its
//!   changes.
//! - **A held lock.** A batch does not wait for it, or one organization would block all others. Changes in that
//!   organization go to the shared body instead, which is SERIALIZABLE, as the deletion is.
//! - **The shared body: a load, or a change that a batch did not make.** It only inserts memberships or deletes one. A
//!   conflict about the same row is decided as between two batches: the body gets a serialization error, and runs
//!   again. It does not change a group or user in a way that would make a membership an orphan.
//!
//! A batch covers the plain cases only: adding an existing user to an existing group that may be changed, and removing
//! a member. All others (unknown, managed, not a member) go to the shared body, which returns the error.

use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::{Arc, PoisonError, RwLock},
};

use futures_util::future::join;
use openai_admin::{GroupId, UserId};
use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::{Instant, sleep, timeout_at},
};
use tokio_postgres::Statement;

use super::{
    connection::uncommitted,
    limits::{ATTEMPTS_MAX, retry_pause},
    session::Session,
    settings::Config,
    transact::Isolation,
};
use crate::{
    base::{
        error::{Error, Result},
        events::{MEMBER_ADDED, MEMBER_REMOVED},
        org::Org,
        stamp::Stamp,
        time_limit::TimeLimit,
    },
    engines::{figures::Counters, job::QUEUE_LENGTH_MAX},
};

/// How many batches run at once, each on its own connection. All changes of one membership go to the same lane, so that
/// they run in order.
pub(super) const LANES: usize = 4;
/// The maximum number of changes in a batch.
const BATCH_LENGTH_MAX: usize = 512;

/// The settings of a connection that writes batches. The plan must not depend on the contents of the first batches.
const SETTINGS: &str = "set plan_cache_mode = force_generic_plan;";

/// Shares the lock of each organization, and returns the organizations whose lock is not held exclusively.
const LOCK: &str = "select org from unnest($1::bigint[]) as pending (org)
                    where pg_try_advisory_xact_lock_shared('group_users'::regclass::oid::int, hashint8(org))";

/// Makes the possible changes, writes their events, and returns the numbers of the changes that were made, from 1.
const APPLY: &str = "
    with found as materialized (
        select a.*, g.seq as group_seq, u.seq as user_seq
        from unnest($1::bigint[], $2::text[], $3::text[], $4::boolean[], $5::text[], $6::bigint[], $7::text[])
             with ordinality as a (org, group_id, user_id, adds, change, recorded_at, actor, number)
        cross join lateral (select seq from groups
                            where org = a.org and id = a.group_id and removed_at is null and is_scim_managed = 0
                              and group_type = 'group' limit 1) g
        cross join lateral (select seq from users
                            where org = a.org and id = a.user_id and removed_at is null limit 1) u
    ), added as (
        insert into group_users (org, group_seq, user_seq)
        select org, group_seq, user_seq from found where adds
        on conflict do nothing
        returning org, group_seq, user_seq
    ), removed as (
        delete from group_users m using found f
        where not f.adds and m.org = f.org and m.group_seq = f.group_seq and m.user_seq = f.user_seq
        returning f.number
    ), recorded as (
        insert into audit_events (org, change, item, recorded_at, actor, event, group_seq, user_seq)
        select org, change, 0, recorded_at, actor, case when adds then $8::text else $9::text end, group_seq, user_seq
        from found
        where case when adds then (org, group_seq, user_seq) in (select org, group_seq, user_seq from added)
                   else number in (select number from removed) end
    )
    select number from found where adds or number in (select number from removed)";

/// A membership to add or to remove.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) org: Org,
    pub(crate) adds: bool,
    pub(crate) group_id: GroupId,
    pub(crate) user_id: UserId,
    pub(crate) stamp: Stamp,
}

impl Change {
    fn membership(&self) -> (i64, &str, &str) {
        (self.org.seq(), self.group_id.as_str(), self.user_id.as_str())
    }

    fn lane(&self) -> usize {
        let mut hasher = DefaultHasher::new();
        self.membership().hash(&mut hasher);
        usize::try_from(hasher.finish() % LANES as u64).unwrap_or(0)
    }
}

struct PendingChange {
    change: Change,
    deadline: Instant,
    answer: oneshot::Sender<Result<bool>>,
}

impl PendingChange {
    fn answer(self, result: Result<bool>) {
        // Sending fails if the caller was cancelled. The change remains committed.
        let _ = self.answer.send(result);
    }
}

/// The lanes, until they are closed.
pub(super) struct Changes {
    queues: RwLock<Vec<mpsc::Sender<PendingChange>>>,
    lanes: std::sync::Mutex<Vec<JoinHandle<()>>>,
}

impl Changes {
    /// Makes a change, and returns whether it is done.
    pub(super) async fn make(&self, change: Change) -> Result<bool> {
        let (answer, receiver) = oneshot::channel();
        self.enqueue(PendingChange { change, deadline: TimeLimit::Usual.deadline(), answer })?;
        receiver.await.unwrap_or_else(|_| Err(Error::outcome_unknown("the database was closed meanwhile")))
    }

    pub(super) fn start(config: &Config, runtime: &Handle, counters: &Arc<Counters>) -> Self {
        let (mut queues, mut lanes) = (Vec::with_capacity(LANES), Vec::with_capacity(LANES));
        for _ in 0..LANES {
            let (queue, incoming) = mpsc::channel(QUEUE_LENGTH_MAX / LANES);
            queues.push(queue);
            let lane = Lane {
                config: config.clone(),
                incoming,
                waiting: Vec::new(),
                writer: None,
                counters: Arc::clone(counters),
            };
            lanes.push(runtime.spawn(lane.run()));
        }
        Self { queues: RwLock::new(queues), lanes: lanes.into() }
    }

    fn enqueue(&self, pending: PendingChange) -> Result<()> {
        let queues = self.queues.read().unwrap_or_else(PoisonError::into_inner);
        let queue =
            queues.get(pending.change.lane()).ok_or_else(|| Error::unavailable("the database is closed"))?;
        queue.try_send(pending).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Error::Overloaded,
            mpsc::error::TrySendError::Closed(_) => Error::unavailable("the database is closed"),
        })
    }

    /// How many changes wait for a batch.
    pub(super) fn waiting(&self) -> usize {
        let queues = self.queues.read().unwrap_or_else(PoisonError::into_inner);
        queues.iter().map(|queue| queue.max_capacity() - queue.capacity()).sum()
    }

    /// Finishes the queued changes. Must not be called by a task.
    pub(super) fn close(&self, runtime: &Handle) {
        self.queues.write().unwrap_or_else(PoisonError::into_inner).clear();
        let lanes = std::mem::take(&mut *self.lanes.lock().unwrap_or_else(PoisonError::into_inner));
        for lane in lanes {
            let _ = runtime.block_on(lane);
        }
    }
}

/// Runs one batch after the other.
struct Lane {
    config: Config,
    incoming: mpsc::Receiver<PendingChange>,
    /// Changes of memberships that the previous batch changed.
    waiting: Vec<PendingChange>,
    writer: Option<Writer>,
    counters: Arc<Counters>,
}

struct Writer {
    session: Session,
    lock: Statement,
    apply: Statement,
    /// Whether COMMIT may have been sent, so that the outcome is unknown unless PostgreSQL reports it.
    is_committing: bool,
}

impl Lane {
    async fn run(mut self) {
        loop {
            if self.waiting.is_empty()
                && self.incoming.recv_many(&mut self.waiting, BATCH_LENGTH_MAX).await == 0
            {
                break;
            }
            while self.waiting.len() < BATCH_LENGTH_MAX
                && let Ok(pending) = self.incoming.try_recv()
            {
                self.waiting.push(pending);
            }
            let (batch, waiting) = first_of_each_membership(std::mem::take(&mut self.waiting));
            self.waiting = waiting;
            self.answer_all(batch).await;
        }
    }

    async fn answer_all(&mut self, batch: Vec<PendingChange>) {
        let deadline = batch.iter().map(|pending| pending.deadline).min();
        let Some(deadline) = deadline else { return };
        let outcome = match timeout_at(deadline, self.apply(&batch)).await {
            Ok(outcome) => outcome,
            Err(_) => {
                // Dropped, so that a transaction which was not committed ends.
                let writer = self.writer.take();
                let timeout_error = Session::timed_out();
                Err(if writer.is_some_and(|writer| writer.is_committing) {
                    Error::outcome_unknown(timeout_error)
                } else {
                    timeout_error
                })
            }
        };
        if let Ok(done) = &outcome
            && !done.is_empty()
        {
            self.counters.committed(done.len());
        }
        if let Err(error) = &outcome {
            tracing::error!(
                error = error as &dyn std::error::Error,
                batch = batch.len(),
                "a batch of changes failed"
            );
        }
        for (index, pending) in batch.into_iter().enumerate() {
            pending.answer(outcome.as_ref().map(|done| done.contains(&index)).map_err(Error::clone));
        }
    }

    /// Applies a batch, retries conflicts, and returns the indices of the changes that are done.
    async fn apply(&mut self, batch: &[PendingChange]) -> Result<HashSet<usize>> {
        let mut attempt = 1;
        loop {
            let writer = match self.writer.take().filter(|writer| !writer.session.client.is_closed()) {
                Some(writer) => writer,
                None => Writer::open(&self.config).await?,
            };
            let writer = self.writer.insert(writer);
            writer.is_committing = false;
            match writer.apply(batch).await {
                Err(Error::Conflict) if attempt < ATTEMPTS_MAX => sleep(retry_pause(attempt)).await,
                // The server closed an idle connection: nothing has happened.
                Err(Error::Unavailable(_)) if !writer.is_committing && attempt == 1 => self.writer = None,
                outcome => return outcome,
            }
            attempt += 1;
        }
    }
}

/// The first change of each membership, and the others in their order.
fn first_of_each_membership(pending: Vec<PendingChange>) -> (Vec<PendingChange>, Vec<PendingChange>) {
    let mut seen = HashSet::with_capacity(pending.len());
    let is_first: Vec<bool> =
        pending.iter().map(|pending| seen.insert(pending.change.membership())).collect();
    let (mut first, mut others) = (Vec::with_capacity(pending.len()), Vec::new());
    for (pending, is_first) in pending.into_iter().zip(is_first) {
        if is_first { first.push(pending) } else { others.push(pending) }
    }
    // All batches use the same order, so that two of them cannot deadlock.
    first.sort_by(|one, other| one.change.membership().cmp(&other.change.membership()));
    (first, others)
}

impl Writer {
    async fn open(config: &Config) -> Result<Self> {
        let session = Session::open(config, SETTINGS).await?;
        let (lock, apply) = (session.prepare(LOCK).await?, session.prepare(APPLY).await?);
        Ok(Self { session, lock, apply, is_committing: false })
    }

    /// One attempt, in one transaction. Two round trips: after the first, nothing has been changed yet, the connection
    /// is known to be alive, and the acquired locks are known.
    async fn apply(&mut self, batch: &[PendingChange]) -> Result<HashSet<usize>> {
        let client = &self.session.client;
        let mut orgs: Vec<i64> = batch.iter().map(|pending| pending.change.org.seq()).collect();
        orgs.dedup();
        let (begun, locked) = join(
            client.batch_execute(Isolation::ReadCommitted.start(true)),
            client.query(&self.lock, &[&orgs]),
        )
        .await;
        begun?;
        let locked: HashSet<i64> = locked?.iter().map(|row| row.get(0)).collect();
        let plain: Vec<usize> =
            (0..batch.len()).filter(|index| locked.contains(&batch[*index].change.org.seq())).collect();

        let columns = Columns::of(plain.iter().map(|index| &batch[*index].change));
        self.is_committing = true;
        let (added, removed) = (MEMBER_ADDED, MEMBER_REMOVED);
        let (applied, committed) = join(
            client.query(
                &self.apply,
                &[
                    &columns.orgs,
                    &columns.group_ids,
                    &columns.user_ids,
                    &columns.adds,
                    &columns.changes,
                    &columns.recorded_at,
                    &columns.actors,
                    &added,
                    &removed,
                ],
            ),
            client.batch_execute("COMMIT"),
        )
        .await;
        let applied = match applied {
            Ok(applied) => applied,
            // PostgreSQL reported an error, so it has not committed.
            Err(error) if error.as_db_error().is_some() => {
                return match Error::from(error) {
                    error @ (Error::Conflict | Error::Unavailable(_)) => Err(error),
                    // One of the changes cannot be stored. The shared body runs each separately, so only that caller
                    // gets the error.
                    _ => Ok(HashSet::new()),
                };
            }
            Err(error) => return Err(Error::outcome_unknown(error)),
        };
        committed.map_err(|error| uncommitted(error, true))?;
        let numbers = applied.iter().map(|row| row.get::<_, i64>(0));
        Ok(numbers.filter_map(|number| plain.get(usize::try_from(number - 1).ok()?).copied()).collect())
    }
}

/// The changes of a batch, column by column.
#[derive(Default)]
struct Columns<'a> {
    orgs: Vec<i64>,
    group_ids: Vec<&'a str>,
    user_ids: Vec<&'a str>,
    adds: Vec<bool>,
    changes: Vec<String>,
    recorded_at: Vec<i64>,
    actors: Vec<&'a str>,
}

impl<'a> Columns<'a> {
    fn of(changes: impl Iterator<Item = &'a Change>) -> Self {
        let mut columns = Self::default();
        for change in changes {
            columns.orgs.push(change.org.seq());
            columns.group_ids.push(change.group_id.as_str());
            columns.user_ids.push(change.user_id.as_str());
            columns.adds.push(change.adds);
            columns.changes.push(change.stamp.change.to_string());
            columns.recorded_at.push(change.stamp.seconds());
            columns.actors.push(&change.stamp.actor);
        }
        columns
    }
}
