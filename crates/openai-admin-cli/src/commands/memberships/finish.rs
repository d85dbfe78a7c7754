//! The end of a run: writes the report, and prints the outcome.

use std::path::Path;

use openai_admin_sync::{
    Plan, Run,
    apply::{Ended, Job},
    executor::{Executed, StopReason},
    guard::{self, Decision},
    journal::{OperationResult, Outcome},
    plan::{Kept, Operation, Purpose},
    private,
    render::Summary,
    report::{self, ReportRow},
    summary::{self, RunSummary, Verdict},
};

use super::{
    context::SyncContext,
    saved_run::{self, RunRow},
};
use crate::{
    arguments::ExecutionArguments,
    failure::{Doing as _, ExitStatus, Failure, Result},
    output::{Output, count, visible},
};

/// How many failures are printed.
const FAILURES_SHOWN_MAX: usize = 20;

/// Writes the report, and prints the outcome.
pub(super) fn finish(
    context: &SyncContext<'_>,
    job: &Job,
    ended: Ended,
    execution: &ExecutionArguments,
) -> Result<()> {
    let Ended { run, executed, verification, complete } = ended;
    let verification = verification.as_ref();
    if let Some(file) = &execution.report {
        write_report(file, &report::rows(&job.plan, &executed.results, verification))?;
    }
    print_failures(context.output, &job.plan, &run, &executed);
    let run_summary = RunSummary::of(&job.plan, &job.approval, &executed.results, verification);
    context.output.note(&format!("run {}: {}", run.name, run_summary.line()));
    if let Some(line) = summary::follow_up(&job.plan) {
        context.output.note(&line);
    }
    if context.output.is_tree() {
        context.output.item(&RunRow::of(&saved_run::read(job.runs.clone(), run.clone())?, None))?;
    }
    conclude(context, job, &run, executed, complete, &run_summary)
}

/// Writes rows to a file that only its owner can read.
pub(super) fn write_report(file: &Path, rows: &[ReportRow]) -> Result<()> {
    let is_json = file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    let text = if is_json {
        serde_json::to_string_pretty(rows).map_err(|error| error.to_string())
    } else {
        report::csv(rows).map_err(|error| error.to_string())
    };
    let text = text.map_err(|problem| Failure::new(ExitStatus::Failed, problem))?;
    private::write(file, text.as_bytes()).doing(|| format!("write {}", file.display()))
}

fn print_failures(output: &Output, plan: &Plan, run: &Run, executed: &Executed) {
    let failures = plan.operations().enumerate().filter_map(|(number, (group, operation))| {
        let result = executed.results.get(&number)?;
        let is_failure = matches!(result.outcome, Outcome::Failed | Outcome::Unknown | Outcome::Held);
        is_failure.then_some((group, operation, result))
    });
    let failures: Vec<_> = failures.collect();
    for (group, operation, result) in failures.iter().take(FAILURES_SHOWN_MAX) {
        let who = operation.who().unwrap_or_default();
        let error = result.error.as_deref().unwrap_or_default();
        let of = match (group, operation.right()) {
            (Some(group), _) => format!("in '{}'", group.name),
            (None, Some(right)) => format!("({right})"),
            (None, None) => String::new(),
        };
        let line = format!("{} {who} {of}: {}: {error}", operation.action(), result.outcome.as_str());
        output.line(&visible(&line));
    }
    if failures.len() > FAILURES_SHOWN_MAX {
        output.line(&format!(
            "… and {} more: `runs report {}`",
            failures.len() - FAILURES_SHOWN_MAX,
            run.name
        ));
    }
}

fn conclude(
    context: &SyncContext<'_>,
    job: &Job,
    run: &Run,
    executed: Executed,
    complete: bool,
    run_summary: &RunSummary,
) -> Result<()> {
    let output = context.output;
    let changed = executed.results.values().any(|result| result.outcome.may_be_change());
    let resume = format!("runs resume {}", run.name);
    match executed.stopped {
        Some(StopReason::WaitTooLong(error)) => {
            let failure = Failure { status: ExitStatus::RateLimited, ..Failure::from(error) };
            return Err(failure.suggest(resume, "continues later"));
        }
        Some(StopReason::CannotSucceed(error)) => {
            return Err(Failure::from(error).suggest(resume, "continues"));
        }
        Some(StopReason::ByCaller) => {
            let failure = Failure::new(ExitStatus::Partial, "stopped before the end");
            return Err(failure.suggest(resume, "continues"));
        }
        None => {}
    }
    if changed {
        let what = if job.plan.purpose.is_undo() { "to redo" } else { "to undo" };
        output.note(&format!("{what}: {}", output.command(&format!("runs undo {}", run.name))));
    }
    let open = open(job, &executed);
    let verdict = Summary::of(&job.plan, &job.approval).verdict();
    if !open.is_empty() {
        return Err(open_operations_failure(&open, &resume));
    }
    match verdict {
        Verdict::Clean if complete => Ok(()),
        // Blocked changes, and changes that depend on them, stay undone however often the run is resumed.
        _ if !run_summary.not_done.is_empty() => Err(still_blocked(job, changed, run_summary)),
        _ => Err(Failure::new(
            ExitStatus::Partial,
            "the groups differ from the plan: something else changed them",
        )
        .hint("plan again and review the plan")),
    }
}

/// The operations that a run could have done and did not.
fn open<'a>(job: &'a Job, executed: &'a Executed) -> Vec<(&'a Operation, Option<&'a OperationResult>)> {
    let is_open = |result: &OperationResult, decision: &Decision| match result.outcome {
        Outcome::Failed | Outcome::Unknown => true,
        // Held because an earlier operation failed, not because a rule blocks it.
        Outcome::Held => *decision == Decision::Allowed,
        _ => false,
    };
    let decisions = guard::decisions(&job.plan, &job.approval);
    let all = job.plan.operations().zip(&decisions).enumerate();
    all.map(|(number, ((_, operation), decision))| (operation, executed.results.get(&number), decision))
        .filter(|(_, result, decision)| result.is_none_or(|result| is_open(result, decision)))
        .map(|(operation, result, _)| (operation, result))
        .collect()
}

/// A failure for open operations. If the service would refuse them all again, only a new plan helps.
fn open_operations_failure(open: &[(&Operation, Option<&OperationResult>)], resume: &str) -> Failure {
    let is_refused = |result: &OperationResult| {
        let status = result.status.unwrap_or_default();
        (400..500).contains(&status) && ![408, 429].contains(&status)
    };
    let refused: Vec<&Operation> = open
        .iter()
        .filter(|(_, result)| result.is_some_and(is_refused))
        .map(|(operation, _)| *operation)
        .collect();
    let number = count(open.len(), "operation");
    let message = format!("not done: {number}");
    let Some(first) = refused.first().filter(|_| refused.len() == open.len()) else {
        return Failure::new(ExitStatus::Partial, message).suggest(resume, "does the rest");
    };
    let who = first.who().unwrap_or("the group");
    let position = first
        .origin
        .position
        .as_ref()
        .map(|position| format!(" (named at {}:{})", position.file, position.line));
    let position = position.unwrap_or_default();
    Failure::new(ExitStatus::Partial, message)
        .hint(visible(&format!("the service refuses {who}{position}: correct the input and plan again")))
}

fn still_blocked(job: &Job, changed: bool, run_summary: &RunSummary) -> Failure {
    let status = match Summary::of(&job.plan, &job.approval).verdict() {
        Verdict::Blocked if !changed => ExitStatus::Guard,
        Verdict::NotFound if !changed => ExitStatus::NotFound,
        _ => ExitStatus::Partial,
    };
    let not_done = run_summary.not_done_line().unwrap_or_default();
    let message = match &job.plan.purpose {
        Purpose::Offboard { user_id, others } if others.is_empty() => {
            let email = job.plan.operations().find_map(|(_, operation)| operation.email());
            let still = if job.plan.kept.iter().any(Kept::is_open) {
                "keeps some rights"
            } else {
                "is still a member"
            };
            format!("{} {still}: {not_done}", email.unwrap_or(user_id.as_str()))
        }
        _ => format!("not done: {not_done}"),
    };
    let failure = Failure::new(status, message);
    match guard::blocked_removals(&job.plan) {
        0 => failure,
        removals => failure.hint(format!(
            "to allow the blocked removals, run the command again with --allow-removals {removals}"
        )),
    }
}
