//! `openai-admin apply`: does what a plan says, under a lock, with a journal, and looks again.

use std::{collections::BTreeMap, path::Path};

use openai_admin_sync::{
    Approval, Executor, Journal, Plan, Run, Runs, Start,
    executor::{Executed, Stopped},
    fresh::{self, Earlier},
    guard::{self, Hindrance},
    journal::{Entry, OperationResult, Outcome},
    lock::{Lock, LockError},
    plan::UnknownPolicy,
    render::Summary,
    report, verify,
    verify::Verification,
};

use super::{Bench, Phase, TELL_EVERY, now, plan::show, read_bytes, stop_is_asked, verdict, wished};
use crate::{
    arguments::{ApplyArguments, ExecutionArguments, GlobalArguments},
    config::Environment,
    failure::{ExitStatus, Failure, Result, While as _},
    output::{Output, count},
    progress::Progress,
    prompt::Consent,
};

/// How many failures are told one by one.
const FAILURES_TOLD_MAX: usize = 20;
/// How many differences of a stale plan are told one by one.
const DIFFERENCES_TOLD_MAX: usize = 50;

pub(super) async fn run(
    arguments: ApplyArguments,
    global: &GlobalArguments,
    environment: &Environment,
    output: &Output,
) -> Result<()> {
    let kept = match arguments.wish.files.as_slice() {
        [file] => kept_plan(file)?,
        _ => None,
    };
    let Some(plan) = kept else {
        let desired = wished(&arguments.wish, environment, output)?;
        let consent = Consent::of(&arguments.execution.consent, "applying a file")?;
        let bench = Bench::open("apply", Some(&arguments.execution), global, environment, output).await?;
        let accepted: BTreeMap<String, usize> = arguments.wish.accepted_sources.iter().cloned().collect();
        let work = async |bench: &Bench<'_>| {
            let (plan, runs) = bench.plan(&desired, arguments.wish.unknown, &accepted).await?;
            // A large wish is not needed while it is done.
            drop(desired);
            confirm_and_execute(bench, plan, &runs, &arguments.execution, consent).await
        };
        return bench.run(work).await;
    };
    let bench = Bench::open("apply", Some(&arguments.execution), global, environment, output).await?;
    let work = async |bench: &Bench<'_>| {
        // A plan that was kept has been seen: it is held to what it says.
        let (_, runs) = bench.look().await?;
        let approval = approval(&plan, &arguments.execution)?;
        let summary = Summary::of(&plan, &approval);
        if summary.writes() == 0 {
            show(bench, &plan, &approval, None, None)?;
            return nothing_written(&plan, &summary);
        }
        execute(bench, Job { plan, runs, approval, begin: Begin::Kept }, &arguments.execution).await
    };
    bench.run(work).await
}

/// The plan in a file; none when it holds something else.
fn kept_plan(file: &Path) -> Result<Option<Plan>> {
    if file == Path::new("-") {
        return Ok(None);
    }
    let Ok(bytes) = read_bytes(file) else { return Ok(None) };
    let is_plan =
        serde_json::from_slice::<serde_json::Value>(&bytes).is_ok_and(|value| value.get("digest").is_some());
    if !is_plan {
        return Ok(None);
    }
    Plan::from_json(&bytes).map(Some).map_err(|problem| {
        Failure::bad_input(format!("{}: {problem}", file.display()))
            .hint("make it again with `openai-admin plan … --out`")
    })
}

/// What was accepted on the command line, if it fits the plan.
pub(super) fn approval(plan: &Plan, execution: &ExecutionArguments) -> Result<Approval> {
    let approval = match (&execution.approval.allow_removals, &execution.approval.approve) {
        (Some(number), _) => Approval::Removals(*number),
        (None, Some(digest)) => Approval::Digest(digest.clone()),
        (None, None) => Approval::None,
    };
    guard::check_approval(plan, &approval)
        .map(|()| approval)
        .map_err(|problem| Failure::new(ExitStatus::Guard, problem).hint("nothing has been changed"))
}

/// Shows a plan that was made just now, asks, and does it.
pub(super) async fn confirm_and_execute(
    bench: &Bench<'_>,
    plan: Plan,
    runs: &Runs,
    execution: &ExecutionArguments,
    consent: Consent,
) -> Result<()> {
    let approval = match approval(&plan, execution) {
        Ok(approval) => approval,
        Err(failure) => {
            show(bench, &plan, &Approval::None, None, None)?;
            return Err(failure);
        }
    };
    show(bench, &plan, &approval, None, None)?;
    check_whole(&plan, &approval)?;
    let summary = Summary::of(&plan, &approval);
    if summary.writes() == 0 {
        return nothing_written(&plan, &summary);
    }
    let begin = match consent {
        Consent::Given => Begin::Now,
        // Who thinks it over may find another state.
        Consent::Ask => Begin::Kept,
    };
    bench.phase.set(Phase::Asking);
    consent.ask_aside(&format!("do this: {}?", count(summary.writes(), "write"))).await?;
    bench.phase.set(Phase::Reading);
    execute(bench, Job { plan, runs: runs.clone(), approval, begin }, execution).await
}

/// What it means that a plan has nothing that may be done.
fn nothing_written(plan: &Plan, summary: &Summary) -> Result<()> {
    verdict(plan, summary).map_or(Ok(()), |status| Err(Failure::silent(status)))
}

/// Refuses an undo that would be done in part.
fn check_whole(plan: &Plan, approval: &Approval) -> Result<()> {
    let Some(run) = plan.purpose.undone_run() else { return Ok(()) };
    match guard::hindrance(plan, approval) {
        None => Ok(()),
        Some(Hindrance::Unreadable(groups)) => {
            let groups = crate::output::visible(&groups.join(", "));
            let message =
                format!("run {run} cannot be undone whole: these groups could not be read: {groups}");
            Err(Failure::new(ExitStatus::Partial, message).hint("nothing has been changed; try again"))
        }
        Some(Hindrance::Limits(removals)) => {
            let message =
                format!("to undo run {run} takes {} that the limits block", count(removals, "removal"));
            Err(Failure::new(ExitStatus::Guard, message)
                .hint("nothing has been changed: an undo is done whole or not at all")
                .propose(format!("runs undo {run} --allow-removals {removals}"), "does all of it"))
        }
    }
}

/// A plan that is to be done.
pub(super) struct Job {
    pub(super) plan: Plan,
    pub(super) runs: Runs,
    pub(super) approval: Approval,
    pub(super) begin: Begin,
}

/// How it begins.
pub(super) enum Begin {
    /// The plan was made just now.
    Now,
    /// It was made before, and is compared with what is.
    Kept,
    /// It was begun before.
    Resumed(Run, Earlier),
}

pub(super) async fn execute(bench: &Bench<'_>, job: Job, execution: &ExecutionArguments) -> Result<()> {
    check_whole(&job.plan, &job.approval)?;
    let _lock = lock(&job.runs, &job.begin)?;
    let concurrency = execution.concurrency.get();
    let none = Earlier::default();
    let start = match &job.begin {
        Begin::Now => Start::of(&job.plan, &job.approval),
        Begin::Kept => compare(bench, &job, &none, concurrency).await?,
        Begin::Resumed(_, earlier) => compare(bench, &job, earlier, concurrency).await?,
    };
    if !start.differences.is_empty() {
        return Err(stale(bench.output, &start));
    }
    // By the state as it is now, limits may block what they did not when it was planned.
    if let (Some(run), true) = (job.plan.purpose.undone_run(), start.blocked() > 0) {
        let message = format!("to undo run {run}: the limits block a part of it by now");
        return Err(Failure::new(ExitStatus::Guard, message)
            .hint("nothing has been changed")
            .propose(format!("runs undo {run}"), "plans it again, and says what they block"));
    }
    let run = match &job.begin {
        Begin::Resumed(run, _) => run.clone(),
        Begin::Now | Begin::Kept => {
            let at = now();
            let chance = at.subsec_nanosecond().unsigned_abs() ^ std::process::id();
            job.runs.begin(&job.plan, at, chance).doing(|| "keep the run".to_owned())?
        }
    };
    let (mut journal, _) = Journal::open(&run.journal()).doing(|| "write the journal".to_owned())?;
    let accepted = match &job.approval {
        Approval::None => None,
        Approval::Removals(number) => Some(format!("{number} removals")),
        Approval::Digest(digest) => Some(digest.clone()),
    };
    let resumed = matches!(job.begin, Begin::Resumed(..));
    let begin = Entry::Begin { plan: job.plan.digest.clone(), accepted, resumed };
    journal.write(now(), begin).and_then(|()| journal.sync()).doing(|| "write the journal".to_owned())?;
    let executed = write(bench, &job.plan, start, &mut journal, concurrency).await?;
    job.runs.remember(&bench.lanes.learned()).doing(|| "remember the pace".to_owned())?;
    finish(bench, &job, &run, journal, executed, execution).await
}

fn lock(runs: &Runs, begin: &Begin) -> Result<Lock> {
    let file = runs.lock_file().doing(|| "keep the runs".to_owned())?;
    let what = match begin {
        Begin::Resumed(run, _) => format!("run {}, ", run.name),
        Begin::Now | Begin::Kept => String::new(),
    };
    let holder =
        format!("{what}process {}, since {}", std::process::id(), now().strftime("%Y-%m-%d %H:%M:%S UTC"));
    Lock::take(&file, &holder).map_err(|error| match error {
        LockError::Held(who) => {
            let message = format!("another run works on this organization: {who}");
            Failure::new(ExitStatus::Locked, message).hint("wait for it; nothing has been changed")
        }
        LockError::Io(error) => error.into(),
    })
}

async fn compare(bench: &Bench<'_>, job: &Job, earlier: &Earlier, concurrency: usize) -> Result<Start> {
    let start = fresh::compare(&bench.reader, &job.plan, &job.approval, earlier, concurrency).await;
    start.map_err(|error| bench.unread(error))
}

fn stale(output: &Output, start: &Start) -> Failure {
    for difference in start.differences.iter().take(DIFFERENCES_TOLD_MAX) {
        output.line(&format!("  {}", crate::output::visible(&difference.to_string())));
    }
    let number = count(start.differences.len(), "difference");
    Failure::new(ExitStatus::Stale, format!("the plan is stale: {number} since it was made"))
        .hint("make it again, and look at it again; nothing has been changed")
}

async fn write(
    bench: &Bench<'_>,
    plan: &Plan,
    start: Start,
    journal: &mut Journal,
    concurrency: usize,
) -> Result<Executed> {
    let total = start.todo.len() as u64;
    let progress = std::cell::RefCell::new(Progress::new(bench.output, total));
    let mut step = |_: &OperationResult| progress.borrow_mut().step();
    let mut executor = Executor {
        client: bench.session.client.clone(),
        lanes: &bench.lanes,
        journal,
        clock: &now,
        concurrency,
        progress: &mut step,
    };
    let interrupted = async {
        // Without a signal handler Ctrl-C ends the process, and the journal is as good.
        stop_is_asked().await;
        bench.output.line("stopping: waiting for what is in flight");
    };
    bench.phase.set(Phase::Writing);
    let mut running = std::pin::pin!(executor.run(plan, start, interrupted));
    let mut lines = tokio::time::interval(TELL_EVERY);
    lines.reset();
    loop {
        tokio::select! {
            executed = &mut running => return executed.doing(|| "write the journal".to_owned()),
            _ = lines.tick() => if !bench.output.is_interactive() {
                progress.borrow_mut().line();
                match bench.lanes.refused() {
                    0 => {}
                    refused => bench.output.note(&format!(
                        "at the pace that the service allows: {refused} came too soon and were sent again"
                    )),
                }
            },
        }
    }
}

/// Looks again, writes it down, and says what came of it.
async fn finish(
    bench: &Bench<'_>,
    job: &Job,
    run: &Run,
    mut journal: Journal,
    executed: Executed,
    execution: &ExecutionArguments,
) -> Result<()> {
    let concurrency = execution.concurrency.get();
    let looking = verify::verify(&bench.reader, &job.plan, &job.approval, &executed.group_ids, concurrency);
    // To look again can take a while, and is not needed: `runs resume` does it as well.
    let found = tokio::select! {
        found = looking => found.ok(),
        () = stop_is_asked() => None,
    };
    let verification = found.as_ref();
    let mut entry = |entry: Entry| journal.write(now(), entry).doing(|| "write the journal".to_owned());
    if let Some(verification) = verification {
        entry(Entry::Verified {
            converged: verification.converged.len(),
            differing: verification.differing.clone(),
        })?;
    }
    let all_settled = executed
        .results
        .values()
        .all(|result| result.outcome.is_settled() || result.outcome == Outcome::Blocked);
    let complete =
        executed.stopped.is_none() && all_settled && verification.is_some_and(Verification::is_converged);
    let (requests, refused) = (bench.lanes.requests(), bench.lanes.refused());
    entry(Entry::End { complete, requests, refused })?;
    journal.sync().doing(|| "write the journal".to_owned())?;
    if let Some(file) = &execution.report {
        write_report(file, &job.plan, &executed.results, verification)?;
    }
    tell(bench.output, &job.plan, run, &executed, verification);
    conclude(bench, job, run, executed, complete)
}

fn write_report(
    file: &Path,
    plan: &Plan,
    results: &BTreeMap<usize, OperationResult>,
    verification: Option<&Verification>,
) -> Result<()> {
    let rows = report::rows(plan, results, verification);
    let is_json = file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    let text = if is_json {
        serde_json::to_string_pretty(&rows).map_err(|error| error.to_string())
    } else {
        report::csv(&rows).map_err(|error| error.to_string())
    };
    let text = text.map_err(|problem| Failure::new(ExitStatus::Failed, problem))?;
    std::fs::write(file, text).doing(|| format!("write {}", file.display()))
}

fn tell(output: &Output, plan: &Plan, run: &Run, executed: &Executed, verification: Option<&Verification>) {
    let failures = plan.operations().enumerate().filter_map(|(number, (group, operation))| {
        let result = executed.results.get(&number)?;
        let is_failure = matches!(result.outcome, Outcome::Failed | Outcome::Held);
        is_failure.then_some((group, operation, result))
    });
    let failures: Vec<_> = failures.collect();
    for (group, operation, result) in failures.iter().take(FAILURES_TOLD_MAX) {
        let who = operation.action.email().or(operation.action.user_id().map(|id| id.as_str())).unwrap_or("");
        let error = result.error.as_deref().unwrap_or_default();
        let line = format!(
            "{} {who} in '{}': {}: {error}",
            operation.action.name(),
            group.name,
            result.outcome.as_str()
        );
        output.line(&crate::output::visible(&line));
    }
    if failures.len() > FAILURES_TOLD_MAX {
        output.line(&format!(
            "… and {} more: `runs report {}`",
            failures.len() - FAILURES_TOLD_MAX,
            run.name
        ));
    }
    let number =
        |outcome: Outcome| executed.results.values().filter(|result| result.outcome == outcome).count();
    let parts = [
        (number(Outcome::Done) + number(Outcome::FoundDone), "done"),
        (number(Outcome::NoChange), "done already"),
        (number(Outcome::Failed), "failed"),
        (number(Outcome::Held), "held"),
        (number(Outcome::Blocked), "blocked"),
        (plan.operation_count().saturating_sub(executed.results.len()), "not sent"),
    ];
    let parts: Vec<String> = parts
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, what)| format!("{number} {what}"))
        .collect();
    let converged = match verification {
        Some(found) if found.is_converged() => "; looked again: as wished for".to_owned(),
        Some(found) => {
            format!("; looked again: differs in {}", crate::output::visible(&found.differing.join(", ")))
        }
        None => "; could not look again".to_owned(),
    };
    output.note(&format!("run {}: {}{converged}", run.name, parts.join(", ")));
}

fn conclude(bench: &Bench<'_>, job: &Job, run: &Run, executed: Executed, complete: bool) -> Result<()> {
    let output = bench.output;
    let changed = executed.results.values().any(|result| result.outcome.is_change());
    let resume = format!("runs resume {}", run.name);
    match executed.stopped {
        Some(Stopped::TooLong(error)) => {
            let failure = Failure { status: ExitStatus::RateLimited, ..Failure::from(error) };
            return Err(failure.propose(resume, "goes on later"));
        }
        Some(Stopped::Hopeless(error)) => return Err(Failure::from(error).propose(resume, "goes on")),
        Some(Stopped::Asked) => {
            let failure = Failure::new(ExitStatus::Partial, "stopped before the end");
            return Err(failure.propose(resume, "goes on"));
        }
        None => {}
    }
    if changed {
        let what = if job.plan.purpose.is_undo() { "to do again what was undone" } else { "to undo" };
        output.note(&format!("{what}: {}", output.command(&format!("runs undo {}", run.name))));
    }
    let summary = Summary::of(&job.plan, &job.approval);
    let is_blocked = summary.blocked > 0 || summary.blocked_groups > 0 && job.approval == Approval::None;
    let is_unknown = summary.unresolved > 0 && job.plan.unknown == UnknownPolicy::Error;
    let is_open =
        |outcome: Outcome| !outcome.is_settled() && !matches!(outcome, Outcome::Blocked | Outcome::Held);
    let failed = executed.results.values().any(|result| is_open(result.outcome))
        || executed.results.len() < job.plan.operation_count();
    match () {
        // What was blocked, and who is held for its sake, stays so however often it is resumed.
        () if !complete && !failed && is_blocked => Err(still_blocked(&job.plan)),
        () if !complete => {
            Err(Failure::new(ExitStatus::Partial, "not everything was done").propose(resume, "does the rest"))
        }
        () if is_blocked && !changed => Err(Failure::silent(ExitStatus::Guard)),
        () if is_blocked || is_unknown || summary.unreadable > 0 => Err(Failure::silent(ExitStatus::Partial)),
        () => Ok(()),
    }
}

fn still_blocked(plan: &Plan) -> Failure {
    let failure =
        Failure::new(ExitStatus::Partial, "the rest is blocked, or is held until what is blocked is done");
    match guard::blocked_removals(plan) {
        0 => failure.hint("the plan above says why, group by group; correct that and do it again"),
        removals => failure.hint(format!(
            "to accept what the limits block: the same command again with --allow-removals {removals}"
        )),
    }
}
