//! `openai-admin apply`: does what a plan says, under a lock, with a journal, and looks again.

use std::{collections::BTreeMap, path::Path};

use openai_admin_sync::{
    Approval, Executor, Journal, Plan, Start,
    executor::Executed,
    fresh::{self, Earlier},
    guard::{self, Hindrance},
    journal::{Entry, OperationResult},
    render::Summary,
    report,
};

use super::{
    bench::{Bench, Look, Phase, TELL_EVERY, conclude_plan, last_applied, lock, now, stop_is_asked, wished},
    finish::{finish, write_report},
    job::{Begin, Job},
    plan::show,
    tables::read_bytes,
};
use crate::{
    arguments::{ApplyArguments, ExecutionArguments, GlobalArguments},
    config::Environment,
    failure::{ExitStatus, Failure, Result, While as _},
    output::{Output, count},
    progress::Progress,
    prompt::Consent,
};

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
    match kept {
        Some(plan) => {
            let bench = Bench::open("apply", Some(&arguments.execution), global, environment, output).await?;
            bench.run(async |bench| apply_kept(bench, plan, &arguments.execution).await).await
        }
        None => apply_files(&arguments, global, environment, output).await,
    }
}

async fn apply_files(
    arguments: &ApplyArguments,
    global: &GlobalArguments,
    environment: &Environment,
    output: &Output,
) -> Result<()> {
    let mut desired = wished(&arguments.wish, environment, output)?;
    let consent = Consent::of(&arguments.execution.consent, "applying a file")?;
    let bench = Bench::open("apply", Some(&arguments.execution), global, environment, output).await?;
    let accepted: BTreeMap<String, usize> = arguments.wish.accepted_sources.iter().cloned().collect();
    let work = async |bench: &Bench<'_>| {
        let look = bench.look_for(consent, false).await?;
        let planned = bench.plan_files(look, &mut desired, arguments.wish.unknown, &accepted).await?;
        // A large wish is not needed while it is done.
        drop(desired);
        let (plan, look) = planned;
        confirm_and_execute(bench, plan, look, &arguments.execution, consent).await
    };
    bench.run(work).await
}

/// Applies a kept plan as it was reviewed. Limits and protection come from the caller, never from the plan.
async fn apply_kept(bench: &Bench<'_>, mut plan: Plan, execution: &ExecutionArguments) -> Result<()> {
    let Look { runs, lock, .. } = bench.look_locked().await?;
    let typed = approval(&plan, execution)?;
    let digest = plan.digest.clone();
    guard::judge(&mut plan, &bench.policy);
    plan = plan.sealed();
    let approval = match typed {
        Approval::Digest(_) => Approval::Digest(plan.digest.clone()),
        other => other,
    };
    let summary = Summary::of(&plan, &approval);
    if summary.writes() == 0 {
        return nothing_written(bench, &plan, &approval, execution);
    }
    let protected = last_applied(&runs)?.unwrap_or_default().protect;
    let lock = lock.ok_or_else(|| Failure::new(ExitStatus::Failed, "the lock was not taken"))?;
    let earlier = Earlier { protected, ..Earlier::default() };
    execute(bench, Job { plan, runs, approval, begin: Begin::Kept(earlier, digest), lock }, execution).await
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
    look: Look,
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
    let summary = Summary::of(&plan, &approval);
    if summary.writes() == 0 && check_whole(&plan, &approval).is_ok() {
        return nothing_written(bench, &plan, &approval, execution);
    }
    show(bench, &plan, &approval, None, None)?;
    check_whole(&plan, &approval)?;
    let (lock, begin) = match look.lock {
        Some(lock) => (lock, Begin::Now),
        None => {
            bench.phase.set(Phase::Asking);
            consent.ask_aside(&format!("Apply {}?", count(summary.writes(), "change"))).await?;
            bench.phase.set(Phase::Reading);
            // Who thinks it over may find another state.
            (lock(&look.runs, "")?, Begin::Asked)
        }
    };
    execute(bench, Job { plan, runs: look.runs, approval, begin, lock }, execution).await
}

/// Shows a plan that nobody wants to be done, and writes its rows down.
pub(super) fn dry_run(bench: &Bench<'_>, plan: &Plan, execution: &ExecutionArguments) -> Result<()> {
    show(bench, plan, &Approval::None, None, None)?;
    if let Some(file) = &execution.report {
        write_report(file, &report::planned_rows(plan, &Approval::None))?;
    }
    conclude_plan(plan, &Approval::None)
}

/// Shows a plan that has nothing that may be done.
fn nothing_written(
    bench: &Bench<'_>,
    plan: &Plan,
    approval: &Approval,
    execution: &ExecutionArguments,
) -> Result<()> {
    show(bench, plan, approval, None, None)?;
    if let Some(file) = &execution.report {
        write_report(file, &report::planned_rows(plan, approval))?;
    }
    conclude_plan(plan, approval)
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

pub(super) async fn execute(bench: &Bench<'_>, job: Job, execution: &ExecutionArguments) -> Result<()> {
    check_whole(&job.plan, &job.approval)?;
    let concurrency = execution.concurrency.get();
    let none = Earlier::default();
    let start = match &job.begin {
        Begin::Now => Start::of(&job.plan, &job.approval),
        Begin::Asked => compare(bench, &job, &none, concurrency).await?,
        Begin::Kept(earlier, _) | Begin::Resumed(_, earlier) => {
            compare(bench, &job, earlier, concurrency).await?
        }
    };
    check_start(bench, &job, &start)?;
    let run = match &job.begin {
        Begin::Resumed(run, _) => run.clone(),
        Begin::Now | Begin::Asked | Begin::Kept(..) => {
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
    let begin = Entry::Begin { plan: job.plan.digest.clone(), accepted, resumed, head: true };
    journal.write(now(), begin).and_then(|()| journal.sync()).doing(|| "write the journal".to_owned())?;
    let executed = write(bench, &job.plan, start, &mut journal, concurrency).await?;
    job.runs.remember(&bench.lanes.learned(), now()).doing(|| "remember the pace".to_owned())?;
    let done = finish(bench, &job, &run, journal, executed, execution).await;
    drop(job.lock);
    done
}

/// What keeps a plan from being begun in the state that is there now.
fn check_start(bench: &Bench<'_>, job: &Job, start: &Start) -> Result<()> {
    if !start.differences.is_empty() {
        return Err(stale(bench.output, start));
    }
    // By the state as it is now, limits may block what they did not when it was planned.
    let planned = Start::of(&job.plan, &job.approval).blocked();
    if let (Some(run), true) = (job.plan.purpose.undone_run(), start.blocked() > planned) {
        let message = format!("to undo run {run}: the limits block a part of it by now");
        return Err(Failure::new(ExitStatus::Guard, message)
            .hint("nothing has been changed")
            .propose(format!("runs undo {run} --dry-run"), "plans it again, and says what blocks it"));
    }
    match (&start.needs_digest, &job.begin) {
        (Some(reason), Begin::Kept(_, digest)) if !matches!(job.approval, Approval::Digest(_)) => {
            let reason = crate::output::visible(reason);
            let message = format!("the plan allows what the built-in limits do not: {reason}");
            Err(Failure::new(ExitStatus::Guard, message).hint(format!(
                "nothing has been changed; if this is the plan that was reviewed: --approve {digest}"
            )))
        }
        _ => Ok(()),
    }
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
