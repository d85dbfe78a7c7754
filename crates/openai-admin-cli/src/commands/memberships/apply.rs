//! `openai-admin apply`: applies a plan under a lock and with a journal, and verifies the result.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    future::{Future, pending},
    path::Path,
};

use openai_admin_sync::{
    Approval, Plan,
    apply::{self, Begin, Job, Means, NotApplied, Watch},
    fresh::Difference,
    guard::{self, UndoProblem},
    journal::OperationResult,
    render::{self, Notes, Summary},
    report,
};

use super::{
    context::{
        OrganizationState, PROGRESS_INTERVAL, Phase, SyncContext, conclude_plan, interrupted, last_applied,
        lock, now, read_group_files,
    },
    finish::{finish, write_report},
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
async fn apply_saved(context: &SyncContext<'_>, plan: Plan, execution: &ExecutionArguments) -> Result<()> {
    let OrganizationState { runs, lock, .. } = context.read_state_locked().await?;
    let digest = plan.digest.clone();
    let approved = guard::under_policy(plan, &context.policy, given(execution));
    let (plan, approval) = approved.map_err(not_approved)?;
    let summary = Summary::of(&plan, &approval);
    if summary.writes() == 0 {
        return show_without_changes(context, &plan, &approval, execution);
    }
    let protected = last_applied(&runs)?.unwrap_or_default().protect;
    let lock = lock.ok_or_else(|| Failure::new(ExitStatus::Failed, "the lock is missing"))?;
    let begin = Begin::Saved { protected, digest };
    execute(context, Job { plan, runs, approval, begin, lock }, execution).await
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

/// The approval on the command line.
fn given(execution: &ExecutionArguments) -> Approval {
    match (&execution.approval.allow_removals, &execution.approval.approve) {
        (Some(number), _) => Approval::Removals(*number),
        (None, Some(digest)) => Approval::Digest(digest.clone()),
        (None, None) => Approval::None,
    }
}

/// The approval on the command line, if it matches the plan.
pub(super) fn approval(plan: &Plan, execution: &ExecutionArguments) -> Result<Approval> {
    let approval = given(execution);
    guard::check_approval(plan, &approval).map(|()| approval).map_err(not_approved)
}

fn not_approved(problem: String) -> Failure {
    Failure::new(ExitStatus::Guard, problem)
        .hint("nothing changed; review the plan before you approve it again")
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
    guard::undo_problem(plan, approval).map_or(Ok(()), |problem| Err(incomplete_undo(plan, problem)))
}

fn incomplete_undo(plan: &Plan, problem: UndoProblem) -> Failure {
    let run = plan.purpose.undone_run().unwrap_or_default();
    match problem {
        UndoProblem::Unreadable(groups) => {
            let groups = crate::output::visible(&groups.join(", "));
            let message = format!("cannot undo all of run {run}: these groups could not be read: {groups}");
            Failure::new(ExitStatus::Partial, message).hint("nothing changed; retry")
        }
        UndoProblem::Limits(removals) => {
            let message =
                format!("undoing run {run} needs {} that the limits block", count(removals, "removal"));
            Failure::new(ExitStatus::Guard, message)
                .hint("nothing changed: an undo applies completely or not at all")
                .suggest(format!("runs undo {run} --allow-removals {removals}"), "allows all of them")
        }
    }
}

/// Applies a job, shows its progress, and concludes.
pub(super) async fn execute(
    context: &SyncContext<'_>,
    job: Job,
    execution: &ExecutionArguments,
) -> Result<()> {
    let at = now();
    let means = Means {
        client: &context.session.client,
        lanes: &context.lanes,
        reader: &context.reader,
        clock: &now,
        chance: at.subsec_nanosecond().unsigned_abs() ^ std::process::id(),
        by: context.session.user_name.as_deref(),
        concurrency: execution.concurrency.get(),
    };
    let watch = Terminal { context, progress: RefCell::default() };
    let ended = tokio::select! {
        ended = apply::apply(&job, means, &watch) => ended,
        () = watch.print_lines() => return Ok(()),
    };
    let ended = ended.map_err(|problem| failure(context, &job.plan, problem))?;
    finish(context, &job, ended, execution)
}

/// The terminal as the watch of a run.
struct Terminal<'a> {
    context: &'a SyncContext<'a>,
    progress: RefCell<Option<Progress<'a>>>,
}

impl Watch for Terminal<'_> {
    fn sending(&self, total: usize) {
        *self.progress.borrow_mut() = Some(Progress::new(self.context.output, total as u64));
        self.context.phase.set(Phase::Writing);
    }

    fn ended(&self, _: &OperationResult) {
        if let Some(progress) = self.progress.borrow_mut().as_mut() {
            progress.step();
        }
    }

    async fn stop_sending(&self) {
        // Without a signal handler Ctrl-C ends the process; the journal covers that too.
        interrupted().await;
        self.context.output.line("stopping: waiting for requests in flight");
    }

    /// Verification may take long, and `runs resume` does it too, so Ctrl-C may skip it.
    fn stop_verifying(&self) -> impl Future<Output = ()> {
        *self.progress.borrow_mut() = None;
        interrupted()
    }
}

impl Terminal<'_> {
    /// Prints a line of progress regularly. Never ends.
    async fn print_lines(&self) {
        if self.context.output.is_interactive() {
            pending::<()>().await;
        }
        let mut ticks = tokio::time::interval(PROGRESS_INTERVAL);
        ticks.reset();
        loop {
            ticks.tick().await;
            let mut progress = self.progress.borrow_mut();
            let Some(progress) = progress.as_mut() else { continue };
            progress.line();
            match self.context.lanes.refused() {
                0 => {}
                refused => self
                    .context
                    .output
                    .note(&format!("throttled by the service: {refused} requests were retried")),
            }
        }
    }
}

fn failure(context: &SyncContext<'_>, plan: &Plan, problem: NotApplied) -> Failure {
    let run = plan.purpose.undone_run().unwrap_or_default();
    match problem {
        NotApplied::IncompleteUndo(problem) => incomplete_undo(plan, problem),
        NotApplied::Stale(differences) => stale(context.output, &differences),
        NotApplied::BlockedUndo => {
            let message = format!("cannot undo all of run {run}: the limits now block a part of it");
            Failure::new(ExitStatus::Guard, message)
                .hint("nothing changed")
                .suggest(format!("runs undo {run} --dry-run"), "plans it again and shows the blocked changes")
        }
        NotApplied::NeedsDigest { reason, digest } => {
            let reason = crate::output::visible(&reason);
            let message = format!("the plan exceeds the built-in limits: {reason}");
            Failure::new(ExitStatus::Guard, message)
                .hint(format!("nothing changed; if you reviewed this plan, pass --approve {digest}"))
        }
        NotApplied::Unread(error) => context.read_failure(error),
        NotApplied::File { doing, error, .. } => {
            let failed: Result<()> = Err(error).doing(|| doing.to_owned());
            failed.err().unwrap_or_else(|| Failure::new(ExitStatus::Failed, doing))
        }
    }
}

fn stale(output: &Output, differences: &[Difference]) -> Failure {
    for difference in differences.iter().take(DIFFERENCES_SHOWN_MAX) {
        output.line(&format!("  {}", crate::output::visible(&difference.to_string())));
    }
    let number = count(differences.len(), "difference");
    Failure::new(ExitStatus::Stale, format!("the plan is stale: {number} since it was created"))
        .hint("nothing changed; create the plan again and review it")
}
