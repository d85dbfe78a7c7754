//! Plans and runs: show a plan, apply it, list runs, undo one.

use std::sync::Arc;

use askama::Template;
use axum::extract::Path;
use openai_admin_sync::{
    Approval, Plan, Run, Runs, guard, journal,
    plan::{Effect, Operation},
    render::shell_word,
    saved::{self, RunCounts, SavedRun},
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
    plans::{Noted, Planner, Problem},
    visit::{ChangeForm, Visit},
};

/// Runs of a page.
const RUNS_MAX: usize = 100;
/// Changes of a group that a page shows.
const CHANGES_SHOWN_MAX: usize = 500;
/// Changed groups and notes that the page of a plan shows.
const GROUPS_SHOWN_MAX: usize = 200;
const NOTES_SHOWN_MAX: usize = 100;

/// The runs of the visitor's organization.
fn runs(visit: &Visit) -> Result<Runs, Failure> {
    let none = || Failure::invalid("this server keeps no runs, so it cannot apply plans");
    let folder = visit.state.pages.runs.as_deref().ok_or_else(none)?;
    let organization =
        visit.session.as_ref().map(|session| session.open.caller.organization_id().to_string());
    Ok(Runs::of_organization(folder, organization.as_deref().unwrap_or("unknown")))
}

/// The planner of a visit, with the policy of the server.
pub(crate) fn planner(visit: &Visit) -> Result<Planner, Failure> {
    let policy = visit.state.pages.policy.clone();
    let (command, minter) = (visit.state.pages.command.clone(), visit.state.minter.clone());
    Ok(Planner::new(visit.client.clone(), policy, runs(visit)?, command, minter))
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::Api(error) => error.into(),
            Problem::Lines(lines) => Self::invalid(lines.join("\n")).hint("Nothing was changed."),
            Problem::Stopped { run, message, command } => {
                let next = match command {
                    Some(command) => format!("Run `{command} runs resume {}`.", shell_word(&run)),
                    None => "Open the run, then create the plan again.".to_owned(),
                };
                Self::internal(&format!("run {run} stopped: {message}"))
                    .hint(format!("Some changes may have been made. {next}"))
            }
        }
    }
}

/// Keeps a new plan and shows it.
pub(crate) fn keep(visit: &Visit, planned: Result<impl Into<Noted>, Problem>) -> Answer {
    let name = visit.state.plans.keep(visit.owner(), planned?.into(), visit.state.minter.now())?;
    see(&format!("/console/plans/{}", escaped(&name)))
}

/// The changes of a group.
struct GroupChanges {
    name: String,
    path: Option<String>,
    members: usize,
    additions: usize,
    removals: usize,
    /// Rows that the group already matches.
    settled: usize,
    blocks: Vec<String>,
    /// Sign and address of each change.
    changes: Vec<(&'static str, String)>,
    hidden: usize,
    unresolved: Vec<String>,
    hidden_unresolved: usize,
}

fn changes(plan: &Plan) -> Vec<GroupChanges> {
    let groups = plan.groups.iter().take(GROUPS_SHOWN_MAX).map(|group| GroupChanges {
        name: group.name.clone(),
        path: group.id.as_ref().map(|id| groups::path_of(id.as_str())),
        members: group.member_count,
        additions: group.additions(),
        removals: group.removals(),
        settled: group.rows.iter().filter(|row| row.holds).count(),
        blocks: group.blocks.iter().map(|block| block.line()).collect(),
        changes: group.operations.iter().take(CHANGES_SHOWN_MAX).map(change).collect(),
        hidden: group.operations.len().saturating_sub(CHANGES_SHOWN_MAX),
        unresolved: group
            .unresolved
            .iter()
            .take(CHANGES_SHOWN_MAX)
            .map(|one| format!("{}: {}", one.who, one.problem))
            .collect(),
        hidden_unresolved: group.unresolved.len().saturating_sub(CHANGES_SHOWN_MAX),
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

/// Sign, person and right of each change of a right, with the last use of a key.
fn right_changes(plan: &Plan) -> Vec<(&'static str, String)> {
    let changes = plan.rights.iter().take(CHANGES_SHOWN_MAX).map(|operation| {
        let (sign, who) = change(operation);
        let right = operation.right().map(|right| match right.last_use() {
            Some(last_use) => format!(": {right}, {last_use}"),
            None => format!(": {right}"),
        });
        (sign, format!("{who}{}", right.unwrap_or_default()))
    });
    changes.collect()
}

#[derive(Template)]
#[template(path = "plan.html")]
struct PlanPage {
    frame: Frame,
    name: String,
    summary: String,
    /// Changes, with the blocked removals.
    writes: usize,
    /// Groups that are not shown.
    hidden_groups: usize,
    /// Notes about the input.
    notes: Vec<String>,
    groups: Vec<GroupChanges>,
    rights: Vec<(&'static str, String)>,
    hidden_rights: usize,
    /// What the plan leaves, and what cannot be undone.
    kept: Vec<String>,
    blocks: Vec<String>,
    not_done: Vec<String>,
    /// Removals that limits block: the number to type.
    blocked_removals: usize,
}

fn find_plan(visit: &Visit, name: &str) -> Result<Arc<Noted>, Failure> {
    let found = visit.state.plans.find(&visit.owner(), name, visit.state.minter.now());
    found.ok_or_else(|| {
        Failure::not_found(
            "the plan was applied already, is older than an hour, or belongs to another session",
        )
        .hint("Runs lists the plans that were applied.")
    })
}

pub(crate) async fn show_plan(visit: Visit, Path(name): Path<String>) -> Answer {
    let noted = find_plan(&visit, &name)?;
    let plan = &noted.plan;
    let blocked_removals = guard::blocked_removals(plan);
    // The button applies the blocked removals too, since it needs their number.
    let approval = match blocked_removals {
        0 => Approval::None,
        number => Approval::Removals(number),
    };
    page(&PlanPage {
        notes: noted.notes.iter().take(NOTES_SHOWN_MAX).cloned().collect(),
        frame: visit.frame(Section::Runs, "Plan"),
        summary: summary::Summary::of(plan, &Approval::None).line(plan),
        writes: summary::Summary::of(plan, &approval).writes(),
        groups: changes(plan),
        hidden_groups: plan.groups.len().saturating_sub(GROUPS_SHOWN_MAX),
        rights: right_changes(plan),
        hidden_rights: plan.rights.len().saturating_sub(CHANGES_SHOWN_MAX),
        kept: plan.kept.iter().map(ToString::to_string).chain(summary::irreversible(plan)).collect(),
        blocks: plan.blocks.iter().map(|block| block.line()).collect(),
        not_done: not_done(plan, &Approval::None),
        blocked_removals,
        name,
    })
}

/// Applies a plan once. Its run continues if the browser disconnects.
pub(crate) async fn apply(Path(name): Path<String>, form: ChangeForm) -> Answer {
    let ChangeForm { visit, fields } = form;
    let noted = find_plan(&visit, &name)?;
    let approval = match fields.given("removals") {
        None => Approval::None,
        Some(number) => Approval::Removals(number.parse().map_err(|_| {
            Failure::invalid(format!("invalid number \"{number}\"")).hint("Nothing was changed.")
        })?),
    };
    let planner = planner(&visit)?;
    planner.approved(noted.plan.clone(), approval.clone())?;
    let plan = visit.state.plans.take(&visit.owner(), &name, visit.state.minter.now());
    let Some(plan) = plan else { return Err(Failure::not_found("the plan was applied already")) };
    // A run blocks: it syncs its journal.
    let run = tokio::task::spawn_blocking(move || {
        tokio::runtime::Handle::current().block_on(planner.apply(plan, approval))
    });
    let run = run.await.map_err(|error| Failure::internal(&error.to_string()))??;
    see(&format!("/console/runs/{}?notice=applied", escaped(&run.name)))
}

/// A run in a table.
struct RunRow {
    name: String,
    what: String,
    counts: RunCounts,
}

impl RunRow {
    fn of(saved: &SavedRun, is_undone: bool) -> Self {
        let (name, what) = (saved.run.name.clone(), saved::what(&saved.plan));
        Self { name, what, counts: saved.counts(is_undone) }
    }
}

#[derive(Template)]
#[template(path = "runs.html")]
struct RunsPage {
    frame: Frame,
    rows: Vec<RunRow>,
    hidden: usize,
}

fn unreadable(error: std::io::Error) -> Failure {
    Failure::internal(&error.to_string())
}

/// The newest runs that `is_meant` accepts, newest first. A run that cannot be read is left out.
fn newest(runs: &Runs, is_meant: impl Fn(&Run) -> bool) -> Result<Vec<SavedRun>, Failure> {
    let stored = runs.list().map_err(unreadable)?.into_iter().rev().filter(is_meant).take(RUNS_MAX);
    Ok(stored.filter_map(|run| SavedRun::read(runs.clone(), run).ok()).collect())
}

pub(crate) async fn list(visit: Visit) -> Answer {
    let (mut rows, mut undos, mut stored) = (Vec::new(), Vec::new(), 0);
    if visit.state.pages.runs.is_some() {
        let runs = runs(&visit)?;
        stored = runs.list().map_err(unreadable)?.len();
        for saved in newest(&runs, |_| true)? {
            rows.push(RunRow::of(&saved, saved::undone_by(&saved.run.name, &undos).is_some()));
            if saved.plan.purpose.is_undo() {
                undos.push(saved);
            }
        }
    }
    let hidden = stored.saturating_sub(rows.len());
    page(&RunsPage { frame: visit.frame(Section::Runs, "Runs"), rows, hidden })
}

fn find(visit: &Visit, name: &str) -> Result<SavedRun, Failure> {
    let runs = runs(visit)?;
    let found = runs.list().map_err(unreadable)?.into_iter().find(|run| run.name == name);
    let found = found.ok_or_else(|| Failure::not_found("no run of this organization has this name"))?;
    SavedRun::read(runs, found).map_err(unreadable)
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
    let saved = find(&visit, &name)?;
    let results = journal::results(&saved.lines);
    let rows = saved.plan.operations().enumerate().map(|(number, (group, operation))| {
        let result = results.get(&number);
        OutcomeRow {
            change: change(operation),
            group: group
                .map(|group| group.name.clone())
                .or_else(|| operation.right().map(ToString::to_string))
                .unwrap_or_default(),
            path: group.and_then(|group| group.id.as_ref()).map(|id| groups::path_of(id.as_str())),
            outcome: result.map_or("not sent", |result| result.outcome.as_str()),
            error: result.and_then(|result| result.error.clone()).unwrap_or_default(),
        }
    });
    let outcomes: Vec<OutcomeRow> = rows.take(CHANGES_SHOWN_MAX).collect();
    let mut undos = newest(&saved.runs, |run| run.name > name)?;
    undos.retain(|later| later.plan.purpose.is_undo());
    let undone_by = saved::undone_by(&name, &undos).map(|undo| undo.run.name.clone());
    page(&RunPage {
        frame: visit.frame(Section::Runs, format!("Run {name}")),
        hidden: saved.plan.operation_count().saturating_sub(outcomes.len()),
        changed: saved.may_have_changed(),
        outcomes,
        run: RunRow::of(&saved, undone_by.is_some()),
        undone_by,
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
        let stopped = |command: Option<&str>| Problem::Stopped {
            run: "1".to_owned(),
            message: "disk full".to_owned(),
            command: command.map(str::to_owned),
        };
        assert_eq!(
            &*hint(stopped(Some("openai-admin --local 'a b.db'"))),
            "Some changes may have been made. Run `openai-admin --local 'a b.db' runs resume 1`."
        );
        let again = "Some changes may have been made. Open the run, then create the plan again.";
        assert_eq!(&*hint(stopped(None)), again);
    }
}
