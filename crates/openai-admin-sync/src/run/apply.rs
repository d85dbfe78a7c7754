//! Applies a plan: compares it with the current state, refuses it or sends its operations, verifies the result, and
//! journals each step.

use std::{
    future::{Future, pending},
    io,
};

use openai_admin::Client;

use crate::{
    input::policy::Protected,
    plan::{
        document::Plan,
        guard::{self, Approval, UndoProblem},
    },
    run::{
        executor::{Clock, Executed, Executor},
        fresh::{self, Difference, Earlier, Start},
        journal::{Entry, Journal, OperationResult, Outcome},
        lock::Lock,
        runs::{Run, Runs},
        verify::{self, Verification},
    },
    service::{lanes::Lanes, read_error::ReadError, reader::Reader},
};

/// A plan to apply.
#[derive(Debug)]
pub struct Job {
    /// The plan.
    pub plan: Plan,
    /// The runs of its organization.
    pub runs: Runs,
    /// The approval, which matches the plan.
    pub approval: Approval,
    /// How the job starts.
    pub begin: Begin,
    /// The exclusive lock of the organization and its runs. The caller holds it until the result is shown.
    pub lock: Lock,
}

/// How a job starts.
#[derive(Debug)]
pub enum Begin {
    /// The plan was just made under the lock.
    Now,
    /// The plan was made before a person confirmed it, and is compared with the current state.
    Confirmed,
    /// The plan was saved, and is compared with the current state and the local protection.
    Saved {
        /// The users and groups that the last applied file protects.
        protected: Protected,
        /// The digest of the saved plan, which approves it.
        digest: String,
    },
    /// The run was started before.
    Resumed {
        /// The run.
        run: Run,
        /// Its earlier part.
        earlier: Earlier,
    },
}

/// What a run uses.
#[derive(Clone, Copy)]
pub struct Means<'a> {
    /// The client that sends the writes.
    pub client: &'a Client,
    /// The lanes, which limit the request rate.
    pub lanes: &'a Lanes,
    /// The reader that compares and verifies.
    pub reader: &'a Reader,
    /// The clock.
    pub clock: &'a Clock<'a>,
    /// A random number, for the name of the run.
    pub chance: u32,
    /// The person who applies the plan, for the journal.
    pub by: Option<&'a str>,
    /// The number of concurrent requests.
    pub concurrency: usize,
}

impl std::fmt::Debug for Means<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Means").field("concurrency", &self.concurrency).finish_non_exhaustive()
    }
}

/// How the caller follows a run and stops it. `()` does neither.
pub trait Watch {
    /// The run begins to send `total` operations.
    fn sending(&self, total: usize) {
        let _ = total;
    }

    /// An operation has ended.
    fn ended(&self, result: &OperationResult) {
        let _ = result;
    }

    /// Resolves when the run must send nothing more. Requests in flight end first.
    fn stop_sending(&self) -> impl Future<Output = ()> {
        pending()
    }

    /// Resolves when the verification must end. A resumed run verifies again.
    fn stop_verifying(&self) -> impl Future<Output = ()> {
        pending()
    }
}

impl Watch for () {}

/// Why a plan was not applied, or its run stopped.
#[derive(Debug)]
pub enum NotApplied {
    /// The undo would be incomplete. Nothing changed.
    IncompleteUndo(UndoProblem),
    /// The current state differs from the plan's. Nothing changed.
    Stale(Vec<Difference>),
    /// In the current state, limits block a part of this undo. Nothing changed.
    BlockedUndo,
    /// The saved plan needs the approval of its digest. Nothing changed.
    NeedsDigest {
        /// The reason.
        reason: String,
        /// The digest of the saved plan.
        digest: String,
    },
    /// The current state could not be read. Nothing changed.
    Unread(ReadError),
    /// A file of the run could not be written.
    File {
        /// The action that failed, such as `write the journal`.
        doing: &'static str,
        /// The run, if it has begun: some changes may have been made.
        run: Option<String>,
        /// The cause.
        error: io::Error,
    },
}

/// A run that has ended.
#[derive(Debug)]
pub struct Ended {
    /// The run.
    pub run: Run,
    /// The results.
    pub executed: Executed,
    /// The verification; `None` if it failed or was stopped.
    pub verification: Option<Verification>,
    /// Whether every operation is finished and the groups match the plan.
    pub complete: bool,
}

/// Applies a plan in this order: compare, refuse, journal, send, verify.
///
/// # Errors
///
/// See [`NotApplied`].
pub async fn apply(job: &Job, means: Means<'_>, watch: &impl Watch) -> Result<Ended, NotApplied> {
    if let Some(problem) = guard::undo_problem(&job.plan, &job.approval) {
        return Err(NotApplied::IncompleteUndo(problem));
    }
    let start = start(job, means).await.map_err(NotApplied::Unread)?;
    check_start(job, &start)?;
    let now = means.clock;
    let run = match &job.begin {
        Begin::Resumed { run, .. } => run.clone(),
        Begin::Now | Begin::Confirmed | Begin::Saved { .. } => {
            let begun = job.runs.begin(&job.plan, now(), means.chance);
            begun.map_err(|error| NotApplied::File { doing: "save the run", run: None, error })?
        }
    };
    let failed = |doing| {
        let run = Some(run.name.clone());
        move |error| NotApplied::File { doing, run, error }
    };
    let (mut journal, executed) = send(job, means, watch, &run, start).await.map_err(failed(JOURNAL))?;
    let verifying =
        verify::verify(means.reader, &job.plan, &job.approval, &executed.group_ids, means.concurrency);
    let verification = tokio::select! {
        verified = verifying => verified.ok(),
        () = watch.stop_verifying() => None,
    };
    let ended = end(means, &mut journal, executed, verification).map_err(failed(JOURNAL))?;
    // Only a hint for the next run: without it, the pace is learned again.
    let _ = job.runs.remember(&means.lanes.learned(), now());
    let (executed, verification, complete) = ended;
    Ok(Ended { run, executed, verification, complete })
}

const JOURNAL: &str = "write the journal";

async fn start(job: &Job, means: Means<'_>) -> Result<Start, ReadError> {
    let none;
    let earlier = match &job.begin {
        Begin::Now => return Ok(Start::of(&job.plan, &job.approval)),
        Begin::Resumed { earlier, .. } => earlier,
        Begin::Confirmed => {
            none = Earlier::default();
            &none
        }
        Begin::Saved { protected, .. } => {
            none = Earlier { protected: protected.clone(), ..Earlier::default() };
            &none
        }
    };
    fresh::compare(means.reader, &job.plan, &job.approval, earlier, means.concurrency).await
}

/// Refuses a plan that the current state does not allow.
fn check_start(job: &Job, start: &Start) -> Result<(), NotApplied> {
    if !start.differences.is_empty() {
        return Err(NotApplied::Stale(start.differences.clone()));
    }
    // In the current state, limits may block more than when the plan was made.
    let planned = Start::of(&job.plan, &job.approval).blocked();
    if job.plan.purpose.is_undo() && start.blocked() > planned {
        return Err(NotApplied::BlockedUndo);
    }
    match (&start.needs_digest, &job.begin, &job.approval) {
        (_, _, Approval::Digest(_)) => Ok(()),
        (Some(reason), Begin::Saved { digest, .. }, _) => {
            Err(NotApplied::NeedsDigest { reason: reason.clone(), digest: digest.clone() })
        }
        _ => Ok(()),
    }
}

async fn send(
    job: &Job,
    means: Means<'_>,
    watch: &impl Watch,
    run: &Run,
    start: Start,
) -> io::Result<(Journal, Executed)> {
    let (mut journal, _) = Journal::open(&run.journal())?;
    let accepted = match &job.approval {
        Approval::None => None,
        Approval::Removals(number) => Some(format!("{number} removals")),
        Approval::Digest(digest) => Some(digest.clone()),
    };
    let resumed = matches!(job.begin, Begin::Resumed { .. });
    let (plan, by) = (job.plan.digest.clone(), means.by.map(str::to_owned));
    let begin = Entry::Begin { plan, accepted, resumed, head: true, by };
    journal.write((means.clock)(), begin)?;
    journal.sync()?;
    watch.sending(start.todo.len());
    let mut executor = Executor {
        client: means.client.clone(),
        lanes: means.lanes,
        journal: &mut journal,
        clock: means.clock,
        concurrency: means.concurrency,
        progress: &mut |result| watch.ended(result),
    };
    let executed = executor.run(&job.plan, start, watch.stop_sending()).await?;
    Ok((journal, executed))
}

/// Records the verification and the end of a run.
fn end(
    means: Means<'_>,
    journal: &mut Journal,
    mut executed: Executed,
    verification: Option<Verification>,
) -> io::Result<(Executed, Option<Verification>, bool)> {
    let now = means.clock;
    if let Some(verification) = &verification {
        for result in verification.settle(&executed.results) {
            journal.write(now(), Entry::Result(result.clone()))?;
            executed.results.insert(result.operation, result);
        }
        let (converged, differing) = (verification.converged.len(), verification.differing.clone());
        journal.write(now(), Entry::Verified { converged, differing })?;
    }
    let is_done = |outcome: Outcome| outcome.is_settled() || outcome == Outcome::Blocked;
    let complete = executed.stopped.is_none()
        && executed.results.values().all(|result| is_done(result.outcome))
        && verification.as_ref().is_some_and(Verification::is_converged);
    let (requests, refused) = (means.lanes.requests(), means.lanes.refused());
    journal.write(now(), Entry::End { complete, requests, refused })?;
    journal.sync()?;
    Ok((executed, verification, complete))
}
