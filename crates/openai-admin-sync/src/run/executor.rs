//! Applies a plan: sends its operations concurrently, at the rate of each lane, and journals each one before and after.

use std::{
    collections::{BTreeMap, HashSet},
    future::Future,
    io,
    time::Duration,
};

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use jiff::Timestamp;
use openai_admin::{
    Client, Error, ErrorKind, GroupId,
    operations::{AddGroupUser, CreateGroup, RemoveGroupUser, UpdateGroup, groups::GroupName},
};
use tokio::time::Instant;

use crate::{
    plan::{
        document::Plan,
        operation::{Effect, Operation, Target},
        right::Right,
    },
    run::{
        fresh::Start,
        journal::{Entry, Journal, OperationResult, Outcome},
        rights,
        schedule::Schedule,
    },
    service::lanes::{Attempt, Lanes, Permit},
};

/// The default number of concurrent writes.
pub const CONCURRENCY: usize = 16;
/// How often the journal is synced to disk.
const SYNC_EVERY: Duration = Duration::from_secs(1);
/// The run stops after this many connection failures in a row.
const FAILURES_IN_A_ROW_MAX: usize = 20;

/// The clock of a run.
pub type Clock<'a> = dyn Fn() -> Timestamp + 'a;

/// Runs a plan.
pub struct Executor<'a> {
    /// The client that sends the writes. Its own retries are turned off.
    pub client: Client,
    /// The lanes, which limit the request rate.
    pub lanes: &'a Lanes,
    /// The journal of the run.
    pub journal: &'a mut Journal,
    /// The clock, for the journal.
    pub clock: &'a Clock<'a>,
    /// The number of concurrent writes.
    pub concurrency: usize,
    /// Called with each result.
    pub progress: &'a mut dyn FnMut(&OperationResult),
}

impl std::fmt::Debug for Executor<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Executor").field("concurrency", &self.concurrency).finish_non_exhaustive()
    }
}

/// The results of a run.
#[derive(Debug)]
pub struct Executed {
    /// The results of finished operations, by number.
    pub results: BTreeMap<usize, OperationResult>,
    /// The ids of the plan's groups, with those that the run created.
    pub group_ids: Vec<Option<GroupId>>,
    /// Why the run stopped early; `None` if it did not.
    pub stopped: Option<StopReason>,
}

/// Why a run stopped early.
#[derive(Debug)]
pub enum StopReason {
    /// The caller stopped it.
    ByCaller,
    /// The service asks to wait longer than the limit.
    WaitTooLong(Error),
    /// Every further request would fail in the same way.
    CannotSucceed(Error),
}

/// A request that was sent, and its result.
struct Sent {
    operation: usize,
    at: Instant,
    attempt: Attempt<Answer>,
}

/// A successful response.
struct Answer {
    outcome: Outcome,
    status: u16,
    request_id: Option<String>,
    group_id: Option<GroupId>,
}

impl Executor<'_> {
    /// Sends the operations until all are finished or `stop` resolves, and then waits for those in flight.
    ///
    /// # Errors
    ///
    /// If the journal cannot be written. Nothing more is sent then.
    pub async fn run(
        &mut self,
        plan: &Plan,
        start: Start,
        stop: impl Future<Output = ()>,
    ) -> io::Result<Executed> {
        let now = (self.clock)();
        let mut results = BTreeMap::new();
        for (number, settled) in &start.settled {
            // A result that is already in the journal keeps its line, with the request id.
            if let Some(kept) = start.kept.get(number) {
                results.insert(*number, kept.clone());
                continue;
            }
            let result =
                OperationResult { error: settled.reason.clone(), ..result(*number, settled.outcome) };
            self.journal.write(now, Entry::Result(result.clone()))?;
            results.insert(*number, result);
        }
        let running = Running {
            operations: plan
                .groups
                .iter()
                .enumerate()
                .flat_map(|(index, group)| group.operations.iter().map(move |one| (Some(index), one)))
                .chain(plan.rights.iter().map(|one| (None, one)))
                .collect(),
            schedule: Schedule::new(plan, &start.todo),
            executed: Executed { results, group_ids: start.group_ids, stopped: None },
            announced: HashSet::new(),
            retries: BTreeMap::new(),
            later: Vec::new(),
            failures_in_a_row: 0,
        };
        let client = self.client.with_retries(0);
        let executed = running.run(self, &client, stop).await?;
        self.journal.sync()?;
        Ok(executed)
    }
}

/// The outcome of a failed request. After a broken or unreadable response, or a server error, it is unknown whether the
/// change was made.
pub fn outcome_of(error: &Error) -> Outcome {
    let is_unknown = match error.kind() {
        ErrorKind::Transport | ErrorKind::Timeout => error.was_sent(),
        ErrorKind::UnreadableAnswer => true,
        ErrorKind::Refused => {
            error.earlier_attempt_may_have_succeeded()
                || error.status().is_some_and(|status| status.is_server_error() || status.as_u16() == 408)
        }
        _ => false,
    };
    if is_unknown { Outcome::Unknown } else { Outcome::Failed }
}

fn result(operation: usize, outcome: Outcome) -> OperationResult {
    OperationResult {
        operation,
        outcome,
        status: None,
        request_id: None,
        latency_ms: 0,
        group_id: None,
        error: None,
    }
}

struct Running<'a> {
    /// Every operation with the index of its group, if it belongs to one.
    operations: Vec<(Option<usize>, &'a Operation)>,
    schedule: Schedule,
    executed: Executed,
    announced: HashSet<usize>,
    retries: BTreeMap<usize, u32>,
    /// The time of each retry.
    later: Vec<(Instant, usize)>,
    failures_in_a_row: usize,
}

impl Running<'_> {
    async fn run(
        mut self,
        executor: &mut Executor<'_>,
        client: &Client,
        stop: impl Future<Output = ()>,
    ) -> io::Result<Executed> {
        let lanes = executor.lanes;
        let mut stop = std::pin::pin!(stop);
        let mut sync = tokio::time::interval(SYNC_EVERY);
        let mut in_flight = FuturesUnordered::new();
        loop {
            let mut wake = None;
            if self.executed.stopped.is_none() {
                while in_flight.len() < executor.concurrency {
                    match self.next(lanes) {
                        Next::Send(number, permit) => {
                            let group_id = self.announce(number, executor)?;
                            let retries = self.retries.get(&number).copied().unwrap_or(0);
                            let operation = self.operations[number].1;
                            in_flight.push(send(client, lanes, permit, number, operation, group_id, retries));
                        }
                        Next::At(at) => {
                            wake = Some(at);
                            break;
                        }
                        Next::Nothing => break,
                    }
                }
            }
            // Each intent is written to the file before its request is sent.
            executor.journal.flush()?;
            if in_flight.is_empty() && wake.is_none() {
                return Ok(self.executed);
            }
            tokio::select! {
                biased;
                () = &mut stop, if self.executed.stopped.is_none() => {
                    self.executed.stopped = Some(StopReason::ByCaller);
                }
                Some(sent) = in_flight.next(), if !in_flight.is_empty() => self.ended(sent, executor)?,
                () = sleep_until(wake) => {}
                _ = sync.tick() => executor.journal.sync()?,
            }
        }
    }

    /// The next operation to send, or the time to check again.
    #[expect(clippy::disallowed_methods, reason = "tokio's clock, which tests set")]
    fn next(&mut self, lanes: &Lanes) -> Next {
        let now = Instant::now();
        if !self.later.is_empty() {
            let (due, later) = std::mem::take(&mut self.later).into_iter().partition(|(at, _)| *at <= now);
            self.later = later;
            let due: Vec<(Instant, usize)> = due;
            due.into_iter().for_each(|(_, operation)| self.schedule.put_back(operation));
        }
        let mut wake = self.later.iter().map(|(at, _)| *at).min();
        for lane in self.schedule.lanes() {
            match lanes.acquire(lane) {
                Ok(permit) => {
                    if let Some(operation) = self.schedule.take(lane) {
                        return Next::Send(operation, permit);
                    }
                }
                Err(at) => wake = [wake, at].into_iter().flatten().min(),
            }
        }
        wake.map_or(Next::Nothing, Next::At)
    }

    /// Journals the intent of an operation, once.
    fn announce(&mut self, number: usize, executor: &mut Executor<'_>) -> io::Result<Option<GroupId>> {
        let (index, operation) = self.operations[number];
        let group_id = index.and_then(|index| self.executed.group_ids[index].clone());
        if self.announced.insert(number) {
            let entry = Entry::Intent {
                operation: number,
                action: operation.action().to_owned(),
                group_id: group_id.clone(),
                user_id: operation.user_id().cloned(),
            };
            executor.journal.write((executor.clock)(), entry)?;
        }
        Ok(group_id)
    }

    fn ended(&mut self, sent: Sent, executor: &mut Executor<'_>) -> io::Result<()> {
        let Sent { operation, at, attempt } = sent;
        let latency_ms = u64::try_from(at.elapsed().as_millis()).unwrap_or(u64::MAX);
        let result = match attempt {
            Attempt::Answered(answer) => {
                self.failures_in_a_row = 0;
                OperationResult {
                    status: Some(answer.status),
                    request_id: answer.request_id,
                    group_id: answer.group_id,
                    latency_ms,
                    ..result(operation, answer.outcome)
                }
            }
            Attempt::RateLimited(_) => {
                self.schedule.put_back(operation);
                return Ok(());
            }
            Attempt::WaitTooLong(error) => {
                self.schedule.put_back(operation);
                self.stop(StopReason::WaitTooLong(error));
                return Ok(());
            }
            Attempt::Retry(_, pause) => {
                *self.retries.entry(operation).or_default() += 1;
                #[expect(clippy::disallowed_methods, reason = "tokio's clock, which tests set")]
                let now = Instant::now();
                self.later.push((now + pause, operation));
                return Ok(());
            }
            Attempt::Failed(error) => {
                let result = OperationResult {
                    status: error.status().map(|status| status.as_u16()),
                    request_id: error.request_id().map(str::to_owned),
                    error: Some(error.to_string()),
                    latency_ms,
                    ..result(operation, outcome_of(&error))
                };
                self.failed(error, self.operations[operation].1.right().is_some());
                result
            }
        };
        self.settle(result, executor)
    }

    fn stop(&mut self, why: StopReason) {
        if self.executed.stopped.is_none() {
            self.executed.stopped = Some(why);
        }
    }

    /// Stops the run if further requests would fail as well. A key may lack the scope of some rights only.
    fn failed(&mut self, error: Error, is_right: bool) {
        let is_gone = matches!(error.kind(), ErrorKind::Transport | ErrorKind::Timeout);
        self.failures_in_a_row = if is_gone { self.failures_in_a_row + 1 } else { 0 };
        let is_refused_always =
            error.is_unauthorized() || (error.is_permission_denied() && error.code().is_none() && !is_right);
        if is_refused_always || self.failures_in_a_row >= FAILURES_IN_A_ROW_MAX {
            self.stop(StopReason::CannotSucceed(error));
        }
    }

    fn settle(&mut self, result: OperationResult, executor: &mut Executor<'_>) -> io::Result<()> {
        let (index, _) = self.operations[result.operation];
        if let (Some(index), Some(group_id)) = (index, &result.group_id) {
            self.executed.group_ids[index] = Some(group_id.clone());
        }
        let held = self.schedule.ended(result.operation, result.outcome.is_settled());
        let mut results = vec![result];
        results.extend(held.operations.into_iter().map(|operation| OperationResult {
            error: Some("an operation that must come first did not succeed".to_owned()),
            ..self::result(operation, Outcome::Held)
        }));
        let now = (executor.clock)();
        for result in results {
            executor.journal.write(now, Entry::Result(result.clone()))?;
            (executor.progress)(&result);
            self.executed.results.insert(result.operation, result);
        }
        Ok(())
    }
}

enum Next {
    Send(usize, Permit),
    At(Instant),
    Nothing,
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

async fn send(
    client: &Client,
    lanes: &Lanes,
    permit: Permit,
    number: usize,
    operation: &Operation,
    group_id: Option<GroupId>,
    retries: u32,
) -> Sent {
    #[expect(clippy::disallowed_methods, reason = "tokio's clock, which tests set")]
    let at = Instant::now();
    // Only a creation is not idempotent: of a group, or of an invite.
    let is_invite = operation.is(Effect::Grant) && matches!(operation.right(), Some(Right::Invite { .. }));
    let is_idempotent = !operation.is(Effect::Create) && !is_invite;
    let attempt = lanes.attempt(permit, is_idempotent, retries, perform(client, operation, group_id)).await;
    Sent { operation: number, at, attempt }
}

async fn perform(client: &Client, operation: &Operation, group_id: Option<GroupId>) -> Result<Answer, Error> {
    let answer = match (operation.target(), group_id) {
        (Target::Right { right, .. }, _) => rights::perform(client, operation, right).await.map(Answer::sent),
        (Target::Group { name, before: None }, _) => {
            let answer = client.send(&CreateGroup::new(GroupName::new(name)?)).await?;
            let id = answer.id.clone();
            return Ok(Answer { group_id: Some(id), ..Answer::of(&answer) });
        }
        (Target::Group { name, before: Some(_) }, Some(group_id)) => client
            .send(&UpdateGroup::new(group_id, GroupName::new(name)?))
            .await
            .map(|answer| Answer::of(&answer)),
        (Target::Membership { user_id, .. }, Some(group_id)) if operation.is(Effect::Revoke) => client
            .send(&RemoveGroupUser::new(group_id, user_id.clone()))
            .await
            .map(|answer| Answer::of(&answer)),
        (Target::Membership { user_id, .. }, Some(group_id)) => {
            client.send(&AddGroupUser::new(group_id, user_id.clone())).await.map(|answer| Answer::of(&answer))
        }
        // Unreachable: the schedule starts no operation in a group without an id. The invalid id returns an error.
        (_, None) => GroupId::new("").map_err(Error::from).map(|_| Answer::nothing()),
    };
    match answer {
        // Removing a user who is not a member succeeds. An unknown URL does not.
        Err(error) if operation.is(Effect::Revoke) && error.is_not_found() && !error.is_unknown_url() => {
            Ok(Answer::no_change(&error))
        }
        // The service refused, so the right remains.
        Err(error) if operation.is(Effect::Revoke) && operation.right().is_some() => Err(error),
        Err(error) if error.is_conflict() || (operation.is(Effect::Grant) && exists_already(&error)) => {
            Ok(Answer::no_change(&error))
        }
        answer => answer,
    }
}

/// Whether the service refuses to give a right because the person has it.
fn exists_already(error: &Error) -> bool {
    const CODES: [&str; 3] = ["already_in_project", "already_invited", "already_a_member"];
    error.code().is_some_and(|code| CODES.contains(&code))
}

impl Answer {
    fn sent((status, request_id): rights::Sent) -> Self {
        Self { outcome: Outcome::Done, status, request_id, group_id: None }
    }

    fn of<T>(answer: &openai_admin::Response<T>) -> Self {
        Self {
            outcome: Outcome::Done,
            status: answer.status().as_u16(),
            request_id: answer.request_id().map(str::to_owned),
            group_id: None,
        }
    }

    fn nothing() -> Self {
        Self { outcome: Outcome::Failed, status: 0, request_id: None, group_id: None }
    }

    fn no_change(error: &Error) -> Self {
        Self {
            outcome: Outcome::NoChange,
            status: error.status().map(|status| status.as_u16()).unwrap_or_default(),
            request_id: error.request_id().map(str::to_owned),
            group_id: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use openai_admin::testing::Script;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_a_refusal_proves_that_nothing_was_changed() {
        let error = async |script: Script| {
            let client = Client::builder().base_url("http://localhost/v1").service(script).retries(0);
            let client = client.build().expect("a client");
            let (group, user) = ("group_1".parse().expect("an id"), "user_1".parse().expect("an id"));
            client.send(&AddGroupUser::new(group, user)).await.map(drop).expect_err("a failure")
        };
        let script = Script::new;
        for (script, expected) in [
            (script().then_ok("{\"object\":\"banana\"}"), Outcome::Unknown),
            (script().status(204), Outcome::Unknown),
            (script().status(200).broken_body("{\"obj"), Outcome::Unknown),
            (script().reset(), Outcome::Unknown),
            (script().status(500), Outcome::Unknown),
            (script().status(502).body("<html>"), Outcome::Unknown),
            (script().status(400), Outcome::Failed),
            (script().status(404), Outcome::Failed),
            (script().refuse_connection(), Outcome::Failed),
        ] {
            let error = error(script).await;
            assert_eq!(outcome_of(&error), expected, "{error}");
        }
    }
}
