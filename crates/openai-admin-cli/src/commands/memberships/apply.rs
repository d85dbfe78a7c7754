//! `openai-admin apply`: applies a plan under a lock and with a journal, and verifies the result.

use std::{collections::BTreeMap, path::Path};

use openai_admin_sync::{
    Approval, Executor, Journal, Plan, Start,
    executor::Executed,
    fresh::{self, Earlier},
    guard::{self, UndoProblem},
    journal::{Entry, OperationResult},
    render::{self, Notes, Summary},
    report,
};

use super::{
    context::{
        OrganizationState, PROGRESS_INTERVAL, Phase, SyncContext, conclude_plan, interrupted, last_applied,
        lock, now, read_group_files,
    },
    finish::{finish, write_report},
    job::{Begin, Job},
    plan::show,
    saved_run::RunRow,
    tables::read_bytes,
};
use crate::{
    arguments::{ApplyArguments, ExecutionArguments, GlobalArguments},
    config::Environment,
    failure::{Doing as _, ExitStatus, Failure, Result},
    output::{Output, count},
    progress::Progress,
    prompt::Consent,
};

/// How many differences of a stale plan are printed.
const DIFFERENCES_SHOWN_MAX: usize = 50;

pub(super) async fn run(
    arguments: ApplyArguments,
    global: &GlobalArguments,
    environment: &Environment,
    output: &Output,
) -> Result<()> {
    let saved = match arguments.group_files.files.as_slice() {
        [file] => saved_plan(file)?,
        _ => None,
    };
    match saved {
        Some(plan) => {
            let context =
                SyncContext::open("apply", Some(&arguments.execution), global, environment, output).await?;
            context.run(async |context| apply_saved(context, plan, &arguments.execution).await).await
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
    let mut desired = read_group_files(&arguments.group_files, environment, output)?;
    let consent = Consent::of(&arguments.execution.consent, "applying a file")?;
    let context = SyncContext::open("apply", Some(&arguments.execution), global, environment, output).await?;
    let accepted: BTreeMap<String, usize> = arguments.group_files.accepted_sources.iter().cloned().collect();
    let work = async |context: &SyncContext<'_>| {
        let state = context.read_state_for(consent, false).await?;
        let planned =
            context.plan_files(state, &mut desired, arguments.group_files.unknown, &accepted).await?;
        // A large file is not needed during the writes.
        drop(desired);
        let (plan, state) = planned;
        confirm_and_execute(context, plan, state, &arguments.execution, consent).await
    };
    context.run(work).await
}

/// Applies a saved plan as it was reviewed. Limits and protection come from the caller, never from the plan.
async fn apply_saved(
    context: &SyncContext<'_>,
    mut plan: Plan,
    execution: &ExecutionArguments,
) -> Result<()> {
    let OrganizationState { runs, lock, .. } = context.read_state_locked().await?;
    let typed = approval(&plan, execution)?;
    let digest = plan.digest.clone();
    guard::apply_policy(&mut plan, &context.policy);
    plan = plan.sealed();
    let approval = match typed {
        Approval::Digest(_) => Approval::Digest(plan.digest.clone()),
        other => other,
    };
    let summary = Summary::of(&plan, &approval);
    if summary.writes() == 0 {
        return show_without_changes(context, &plan, &approval, execution);
    }
    let protected = last_applied(&runs)?.unwrap_or_default().protect;
    let lock = lock.ok_or_else(|| Failure::new(ExitStatus::Failed, "the lock is missing"))?;
    let earlier = Earlier { protected, ..Earlier::default() };
    execute(context, Job { plan, runs, approval, begin: Begin::Saved(earlier, digest), lock }, execution)
        .await
}

/// The plan in a file; none if the file is something else.
fn saved_plan(file: &Path) -> Result<Option<Plan>> {
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
            .hint("create it again with `openai-admin plan … --out`")
    })
}

/// The approval on the command line, if it matches the plan.
pub(super) fn approval(plan: &Plan, execution: &ExecutionArguments) -> Result<Approval> {
    let approval = match (&execution.approval.allow_removals, &execution.approval.approve) {
        (Some(number), _) => Approval::Removals(*number),
        (None, Some(digest)) => Approval::Digest(digest.clone()),
        (None, None) => Approval::None,
    };
    guard::check_approval(plan, &approval)
        .map(|()| approval)
        .map_err(|problem| Failure::new(ExitStatus::Guard, problem).hint("nothing changed"))
}

/// Shows a plan that was just made, asks for confirmation, and applies it.
pub(super) async fn confirm_and_execute(
    context: &SyncContext<'_>,
    plan: Plan,
    state: OrganizationState,
    execution: &ExecutionArguments,
    consent: Consent,
) -> Result<()> {
    let approval = match approval(&plan, execution) {
        Ok(approval) => approval,
        Err(failure) => {
            show(context, &plan, &Approval::None, None, None)?;
            return Err(failure);
        }
    };
    let summary = Summary::of(&plan, &approval);
    if summary.writes() == 0 && check_complete(&plan, &approval).is_ok() {
        return show_without_changes(context, &plan, &approval, execution);
    }
    show_before_run(context, &plan, &approval)?;
    check_complete(&plan, &approval)?;
    let (lock, begin) = match state.lock {
        Some(lock) => (lock, Begin::Now),
        None => {
            context.phase.set(Phase::Asking);
            let question = format!("Apply {}?", count(summary.writes(), "change"));
            consent.ask_aside(&question, context.output).await?;
            context.phase.set(Phase::Reading);
            // The state may have changed while the user decided.
            (lock(&state.runs, "")?, Begin::Confirmed)
        }
    };
    execute(context, Job { plan, runs: state.runs, approval, begin, lock }, execution).await
}

/// Shows a plan without applying it, and writes the report.
pub(super) fn dry_run(context: &SyncContext<'_>, plan: &Plan, execution: &ExecutionArguments) -> Result<()> {
    show(context, plan, &Approval::None, None, None)?;
    if let Some(file) = &execution.report {
        write_report(file, &report::planned_rows(plan, &Approval::None))?;
    }
    conclude_plan(plan, &Approval::None)
}

/// Shows a plan without any change that may be applied.
pub(super) fn show_without_changes(
    context: &SyncContext<'_>,
    plan: &Plan,
    approval: &Approval,
    execution: &ExecutionArguments,
) -> Result<()> {
    show_before_run(context, plan, approval)?;
    if context.output.is_tree() {
        context.output.item(&RunRow::without_run(plan, approval))?;
    }
    if let Some(file) = &execution.report {
        write_report(file, &report::planned_rows(plan, approval))?;
    }
    conclude_plan(plan, approval)
}

/// Shows a plan that is about to be applied. In JSON and YAML the outcome of the run takes its place on standard output.
fn show_before_run(context: &SyncContext<'_>, plan: &Plan, approval: &Approval) -> Result<()> {
    if !context.output.is_tree() {
        return show(context, plan, approval, None, None);
    }
    context.output.note(render::table(plan, approval, &Notes::default()).trim_end());
    Ok(())
}

/// Refuses an undo that would be incomplete.
fn check_complete(plan: &Plan, approval: &Approval) -> Result<()> {
    let Some(run) = plan.purpose.undone_run() else { return Ok(()) };
    match guard::undo_problem(plan, approval) {
        None => Ok(()),
        Some(UndoProblem::Unreadable(groups)) => {
            let groups = crate::output::visible(&groups.join(", "));
            let message = format!("cannot undo all of run {run}: these groups could not be read: {groups}");
            Err(Failure::new(ExitStatus::Partial, message).hint("nothing changed; retry"))
        }
        Some(UndoProblem::Limits(removals)) => {
            let message =
                format!("undoing run {run} needs {} that the limits block", count(removals, "removal"));
            Err(Failure::new(ExitStatus::Guard, message)
                .hint("nothing changed: an undo applies completely or not at all")
                .suggest(format!("runs undo {run} --allow-removals {removals}"), "allows all of them"))
        }
    }
}

pub(super) async fn execute(
    context: &SyncContext<'_>,
    job: Job,
    execution: &ExecutionArguments,
) -> Result<()> {
    check_complete(&job.plan, &job.approval)?;
    let concurrency = execution.concurrency.get();
    let none = Earlier::default();
    let start = match &job.begin {
        Begin::Now => Start::of(&job.plan, &job.approval),
        Begin::Confirmed => compare(context, &job, &none, concurrency).await?,
        Begin::Saved(earlier, _) | Begin::Resumed(_, earlier) => {
            compare(context, &job, earlier, concurrency).await?
        }
    };
    check_start(context, &job, &start)?;
    let run = match &job.begin {
        Begin::Resumed(run, _) => run.clone(),
        Begin::Now | Begin::Confirmed | Begin::Saved(..) => {
            let at = now();
            let chance = at.subsec_nanosecond().unsigned_abs() ^ std::process::id();
            job.runs.begin(&job.plan, at, chance).doing(|| "save the run".to_owned())?
        }
    };
    let (mut journal, _) = Journal::open(&run.journal()).doing(|| "write the journal".to_owned())?;
    let accepted = match &job.approval {
        Approval::None => None,
        Approval::Removals(number) => Some(format!("{number} removals")),
        Approval::Digest(digest) => Some(digest.clone()),
    };
    let resumed = matches!(job.begin, Begin::Resumed(..));
    let by = context.session.user_name.clone();
    let begin = Entry::Begin { plan: job.plan.digest.clone(), accepted, resumed, head: true, by };
    journal.write(now(), begin).and_then(|()| journal.sync()).doing(|| "write the journal".to_owned())?;
    let executed = write(context, &job.plan, start, &mut journal, concurrency).await?;
    job.runs.remember(&context.lanes.learned(), now()).doing(|| "save the pace".to_owned())?;
    let done = finish(context, &job, &run, journal, executed, execution).await;
    drop(job.lock);
    done
}

/// Refuses a plan that the current state does not allow.
fn check_start(context: &SyncContext<'_>, job: &Job, start: &Start) -> Result<()> {
    if !start.differences.is_empty() {
        return Err(stale(context.output, start));
    }
    // In the current state, limits may block more than when the plan was made.
    let planned = Start::of(&job.plan, &job.approval).blocked();
    if let (Some(run), true) = (job.plan.purpose.undone_run(), start.blocked() > planned) {
        let message = format!("cannot undo all of run {run}: the limits now block a part of it");
        return Err(Failure::new(ExitStatus::Guard, message)
            .hint("nothing changed")
            .suggest(format!("runs undo {run} --dry-run"), "plans it again and shows the blocked changes"));
    }
    match (&start.needs_digest, &job.begin) {
        (Some(reason), Begin::Saved(_, digest)) if !matches!(job.approval, Approval::Digest(_)) => {
            let reason = crate::output::visible(reason);
            let message = format!("the plan exceeds the built-in limits: {reason}");
            Err(Failure::new(ExitStatus::Guard, message)
                .hint(format!("nothing changed; if you reviewed this plan, pass --approve {digest}")))
        }
        _ => Ok(()),
    }
}

async fn compare(
    context: &SyncContext<'_>,
    job: &Job,
    earlier: &Earlier,
    concurrency: usize,
) -> Result<Start> {
    let start = fresh::compare(&context.reader, &job.plan, &job.approval, earlier, concurrency).await;
    start.map_err(|error| context.read_failure(error))
}

fn stale(output: &Output, start: &Start) -> Failure {
    for difference in start.differences.iter().take(DIFFERENCES_SHOWN_MAX) {
        output.line(&format!("  {}", crate::output::visible(&difference.to_string())));
    }
    let number = count(start.differences.len(), "difference");
    Failure::new(ExitStatus::Stale, format!("the plan is stale: {number} since it was created"))
        .hint("nothing changed; create the plan again and review it")
}

async fn write(
    context: &SyncContext<'_>,
    plan: &Plan,
    start: Start,
    journal: &mut Journal,
    concurrency: usize,
) -> Result<Executed> {
    let total = start.todo.len() as u64;
    let progress = std::cell::RefCell::new(Progress::new(context.output, total));
    let mut step = |_: &OperationResult| progress.borrow_mut().step();
    let mut executor = Executor {
        client: context.session.client.clone(),
        lanes: &context.lanes,
        journal,
        clock: &now,
        concurrency,
        progress: &mut step,
    };
    let interrupted = async {
        // Without a signal handler Ctrl-C ends the process; the journal covers that too.
        interrupted().await;
        context.output.line("stopping: waiting for requests in flight");
    };
    context.phase.set(Phase::Writing);
    let mut running = std::pin::pin!(executor.run(plan, start, interrupted));
    let mut lines = tokio::time::interval(PROGRESS_INTERVAL);
    lines.reset();
    loop {
        tokio::select! {
            executed = &mut running => return executed.doing(|| "write the journal".to_owned()),
            _ = lines.tick() => if !context.output.is_interactive() {
                progress.borrow_mut().line();
                match context.lanes.refused() {
                    0 => {}
                    refused => context.output.note(&format!(
                        "throttled by the service: {refused} requests were retried"
                    )),
                }
            },
        }
    }
}
