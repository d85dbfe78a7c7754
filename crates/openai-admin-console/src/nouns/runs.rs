//! Plans and runs: show a plan, apply it, list runs, undo one.

use std::path::PathBuf;

use askama::Template;
use axum::extract::Path;
use openai_admin_sync::{
    Approval, Plan, Run, Runs, guard,
    journal::{self, Entry},
    plan::{Effect, Operation, Purpose},
    render::shell_word,
    summary::{self, not_done},
};

use crate::{
    base::{
        failure::Failure,
        fields::escaped,
        frame::{Frame, Section},
        page::{Answer, page, see},
    },
    nouns::groups,
    plans::{self, Planner, Problem},
    visit::{ChangeForm, Visit},
};

/// Runs of a page.
const RUNS_MAX: usize = 100;
/// Changes of a group that a page shows.
const CHANGES_SHOWN_MAX: usize = 500;

fn folder(visit: &Visit) -> Result<PathBuf, Failure> {
    let none = || Failure::invalid("this server keeps no runs, so it cannot apply plans");
    visit.state.pages.runs.clone().ok_or_else(none)
}

/// The runs of the visitor's organization.
fn runs(visit: &Visit) -> Result<Runs, Failure> {
    let organization =
        visit.session.as_ref().map(|session| session.open.caller.organization_id().to_string());
    Ok(Runs::of_organization(&folder(visit)?, organization.as_deref().unwrap_or("unknown")))
}

/// The planner of a visit, with the policy of the server and the protection of the last applied file.
pub(crate) fn planner(visit: &Visit) -> Result<Planner, Failure> {
    let mut policy = visit.state.pages.policy.clone();
    let applied = runs(visit)?.last_applied().map_err(|error| Failure::internal(&error.to_string()))?;
    if let Some(applied) = applied {
        policy.protect.add(&applied.protect);
    }
    Ok(Planner::new(visit.client.clone(), policy, visit.state.minter.clone()))
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::Api(error) => error.into(),
            Problem::Lines(lines) => Self::invalid(lines.join("\n")).hint("Nothing was changed."),
            Problem::Stopped { run, message } => {
                let command = format!("openai-admin runs resume {}", shell_word(&run));
                Self::internal(&format!(
                    "run {run} stopped, because its journal cannot be written: {message}"
                ))
                .hint(format!("Some changes may have been made. Run `{command}`."))
            }
        }
    }
}

/// Keeps a new plan and shows it.
pub(crate) fn keep(visit: &Visit, planned: Result<Plan, Problem>) -> Answer {
    let name = visit.state.plans.keep(visit.owner(), planned?, visit.state.minter.now());
    see(&format!("/console/plans/{}", escaped(&name)))
}

/// The changes of a group.
struct GroupChanges {
    name: String,
    path: Option<String>,
    members: usize,
    additions: usize,
    removals: usize,
    blocks: Vec<String>,
    /// Sign and address of each change.
    changes: Vec<(&'static str, String)>,
    hidden: usize,
    unresolved: Vec<String>,
}

fn changes(plan: &Plan) -> Vec<GroupChanges> {
    let groups = plan.groups.iter().map(|group| GroupChanges {
        name: group.name.clone(),
        path: group.id.as_ref().map(|id| groups::path_of(id.as_str())),
        members: group.member_count,
        additions: group.additions(),
        removals: group.removals(),
        blocks: group.blocks.iter().map(|block| block.line()).collect(),
        changes: group.operations.iter().take(CHANGES_SHOWN_MAX).map(change).collect(),
        hidden: group.operations.len().saturating_sub(CHANGES_SHOWN_MAX),
        unresolved: group.unresolved.iter().map(|one| format!("{}: {}", one.who, one.problem)).collect(),
    });
    groups.collect()
}

fn change(operation: &Operation) -> (&'static str, String) {
    let sign = match operation.effect() {
        Effect::Grant => "+",
        Effect::Revoke => "−",
        _ => "~",
    };
    let protected = if operation.protected { " (protected)" } else { "" };
    (sign, format!("{}{protected}", operation.who().unwrap_or("the group")))
}

#[derive(Template)]
#[template(path = "plan.html")]
struct PlanPage {
    frame: Frame,
    name: String,
    summary: String,
    /// Changes, with the blocked removals.
    writes: usize,
    groups: Vec<GroupChanges>,
    blocks: Vec<String>,
    not_done: Vec<String>,
    /// Removals that limits block: the number to type.
    blocked_removals: usize,
}

fn find_plan(visit: &Visit, name: &str) -> Result<Plan, Failure> {
    let found = visit.state.plans.find(&visit.owner(), name, visit.state.minter.now());
    found.ok_or_else(|| {
        Failure::not_found(
            "the plan was applied already, is older than an hour, or belongs to another session",
        )
        .hint("Runs lists the plans that were applied.")
    })
}

pub(crate) async fn show_plan(visit: Visit, Path(name): Path<String>) -> Answer {
    let plan = find_plan(&visit, &name)?;
    let blocked_removals = guard::blocked_removals(&plan);
    // The button applies the blocked removals too, since it needs their number.
    let approval = match blocked_removals {
        0 => Approval::None,
        number => Approval::Removals(number),
    };
    page(&PlanPage {
        frame: visit.frame(Section::Runs, "Plan"),
        summary: summary::Summary::of(&plan, &Approval::None).line(&plan),
        writes: summary::Summary::of(&plan, &approval).writes(),
        groups: changes(&plan),
        blocks: plan.blocks.iter().map(|block| block.line()).collect(),
        not_done: not_done(&plan, &Approval::None),
        blocked_removals,
        name,
    })
}

/// Applies a plan once. Its run continues if the browser disconnects.
pub(crate) async fn apply(Path(name): Path<String>, form: ChangeForm) -> Answer {
    let ChangeForm { visit, fields } = form;
    let plan = find_plan(&visit, &name)?;
    let approval = match fields.given("removals") {
        None => Approval::None,
        Some(number) => Approval::Removals(number.parse().map_err(|_| {
            Failure::invalid(format!("invalid number \"{number}\"")).hint("Nothing was changed.")
        })?),
    };
    plans::check(&plan, &approval)?;
    let plan = visit.state.plans.take(&visit.owner(), &name, visit.state.minter.now());
    let Some(plan) = plan else { return Err(Failure::not_found("the plan was applied already")) };
    let (folder, planner) = (folder(&visit)?, planner(&visit)?);
    // A run blocks: it syncs its journal.
    let run = tokio::task::spawn_blocking(move || {
        tokio::runtime::Handle::current().block_on(planner.apply(&folder, plan, approval))
    });
    let run = run.await.map_err(|error| Failure::internal(&error.to_string()))??;
    see(&format!("/console/runs/{}?notice=applied", escaped(&run)))
}

/// A run in a table.
struct RunRow {
    name: String,
    what: String,
    state: &'static str,
    done: usize,
    failed: usize,
    operations: usize,
}

fn row(run: &Run) -> Option<RunRow> {
    let (plan, lines) = (run.plan().ok()?, run.lines().ok()?);
    let results = journal::results(&lines);
    let end = lines.iter().rev().find_map(|line| match line.entry {
        Entry::End { complete, .. } => Some(complete),
        _ => None,
    });
    Some(RunRow {
        name: run.name.clone(),
        what: match &plan.purpose {
            Purpose::Files => "group files".to_owned(),
            Purpose::Import => "import".to_owned(),
            Purpose::Offboard { user_id, others } if others.is_empty() => format!("offboard {user_id}"),
            Purpose::Offboard { user_id, others } => {
                format!("offboard {user_id} and {} others", others.len())
            }
            Purpose::Command { command } => command.clone(),
            Purpose::Undo { run } => format!("undo of {run}"),
        },
        state: match end {
            Some(true) => "complete",
            Some(false) => "incomplete",
            None => "not ended",
        },
        done: results.values().filter(|result| result.outcome.is_settled()).count(),
        failed: results.values().filter(|result| result.error.is_some()).count(),
        operations: plan.operation_count(),
    })
}

#[derive(Template)]
#[template(path = "runs.html")]
struct RunsPage {
    frame: Frame,
    rows: Vec<RunRow>,
    hidden: usize,
}

fn stored(visit: &Visit) -> Result<Vec<Run>, Failure> {
    runs(visit)?.list().map_err(|error| Failure::internal(&error.to_string()))
}

pub(crate) async fn list(visit: Visit) -> Answer {
    let stored = if visit.state.pages.runs.is_some() { stored(&visit)? } else { Vec::new() };
    page(&RunsPage {
        frame: visit.frame(Section::Runs, "Runs"),
        rows: stored.iter().rev().take(RUNS_MAX).filter_map(row).collect(),
        hidden: stored.len().saturating_sub(RUNS_MAX),
    })
}

fn find(visit: &Visit, name: &str) -> Result<Run, Failure> {
    let found = stored(visit)?.into_iter().find(|run| run.name == name);
    found.ok_or_else(|| Failure::not_found("no run of this organization has this name"))
}

/// A change of a run with its outcome.
struct OutcomeRow {
    change: (&'static str, String),
    group: String,
    /// The page of the group.
    path: Option<String>,
    outcome: &'static str,
    error: String,
}

#[derive(Template)]
#[template(path = "run.html")]
struct RunPage {
    frame: Frame,
    run: RunRow,
    outcomes: Vec<OutcomeRow>,
    hidden: usize,
    changed: bool,
    /// The later run that undid this one.
    undone_by: Option<String>,
}

pub(crate) async fn show(visit: Visit, Path(name): Path<String>) -> Answer {
    let run = find(&visit, &name)?;
    let unreadable = |error: std::io::Error| Failure::internal(&error.to_string());
    let (plan, lines) = (run.plan().map_err(unreadable)?, run.lines().map_err(unreadable)?);
    let results = journal::results(&lines);
    let rows = plan.operations().enumerate().map(|(number, (group, operation))| {
        let result = results.get(&number);
        OutcomeRow {
            change: change(operation),
            group: group.name.clone(),
            path: group.id.as_ref().map(|id| groups::path_of(id.as_str())),
            outcome: result.map_or("not sent", |result| result.outcome.as_str()),
            error: result.and_then(|result| result.error.clone()).unwrap_or_default(),
        }
    });
    let outcomes: Vec<OutcomeRow> = rows.take(CHANGES_SHOWN_MAX).collect();
    let undone_by = stored(&visit)?.into_iter().rev().find(|later| {
        let is_undo = |plan: Plan| plan.purpose.undone_run() == Some(run.name.as_str());
        later.name > run.name && later.plan().is_ok_and(is_undo)
    });
    let row = row(&run).ok_or_else(|| Failure::internal("the run cannot be read"))?;
    page(&RunPage {
        frame: visit.frame(Section::Runs, format!("Run {name}")),
        hidden: plan.operation_count().saturating_sub(outcomes.len()),
        changed: results.values().any(|result| result.outcome.may_be_change()),
        outcomes,
        run: row,
        undone_by: undone_by.map(|run| run.name),
    })
}

pub(crate) async fn undo(Path(name): Path<String>, form: ChangeForm) -> Answer {
    let run = find(&form.visit, &name)?;
    let planned = planner(&form.visit)?.plan_undo(&run).await;
    keep(&form.visit, planned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_problem_before_the_run_says_that_nothing_was_changed() {
        let hint = |problem: Problem| Failure::from(problem).hint.unwrap_or_default();
        assert_eq!(&*hint(Problem::Lines(vec!["stale".to_owned()])), "Nothing was changed.");
        let stopped = Problem::Stopped { run: "1".to_owned(), message: "disk full".to_owned() };
        assert_eq!(&*hint(stopped), "Some changes may have been made. Run `openai-admin runs resume 1`.");
    }
}
