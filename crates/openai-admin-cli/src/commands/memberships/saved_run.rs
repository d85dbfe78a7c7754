//! A run of this machine, read back: its plan, its journal and its counts.

use std::{io, path::Path};

use jiff::Timestamp;
use openai_admin_sync::{
    Approval, Decision, Plan, Run, Runs, guard,
    saved::{self, RunCounts, SavedRun, undone_by},
};
use serde::Serialize;

use crate::{
    failure::{Doing as _, ExitStatus, Failure, Result},
    output::Record,
};

/// The word for the newest run.
const LAST: &str = "last";

/// A row of the list of runs.
#[derive(Serialize)]
pub(super) struct RunRow {
    /// Null if there was nothing to apply.
    run: Option<String>,
    /// When it began, in Unix seconds.
    started_at: Option<i64>,
    /// The operating system's name of the user who started it.
    by: Option<String>,
    /// The command and its object, such as `apply groups.yaml`.
    what: String,
    organization: Option<String>,
    /// The run that undid this run.
    undone_by: Option<String>,
    #[serde(flatten)]
    counts: RunCounts,
}

impl Record for RunRow {
    const FIELDS: &'static [&'static str] = &[
        "run",
        "started_at",
        "by",
        "what",
        "organization",
        "state",
        "undone_by",
        "operations",
        "done",
        "failed",
        "unknown",
        "held",
        "blocked",
        "left",
    ];
    const COLUMNS: &'static [(&'static str, &'static str)] = &[
        ("RUN", "run"),
        ("COMMAND", "what"),
        ("STATE", "state"),
        ("STARTED (UTC)", "started_at"),
        ("BY", "by"),
        ("DONE", "done"),
        ("FAILED", "failed"),
        ("UNKNOWN", "unknown"),
        ("HELD BACK", "held"),
        ("BLOCKED", "blocked"),
        ("REMAINING", "left"),
    ];
}

impl RunRow {
    /// The outcome of a plan without anything to apply.
    pub(super) fn without_run(plan: &Plan, approval: &Approval) -> Self {
        let decisions = guard::decisions(plan, approval);
        let number = |is_meant: fn(&Decision) -> bool| decisions.iter().filter(|it| is_meant(it)).count();
        Self {
            run: None,
            started_at: None,
            by: None,
            what: saved::what(plan),
            organization: plan.organization.as_ref().map(ToString::to_string),
            undone_by: None,
            counts: RunCounts {
                state: "nothing to apply",
                operations: plan.operation_count(),
                held: number(|it| matches!(it, Decision::Held(_))),
                blocked: number(|it| matches!(it, Decision::Blocked | Decision::Protected)),
                ..RunCounts::default()
            },
        }
    }

    /// The row of a run. `undone_by` is the run that undid it.
    pub(super) fn of(saved: &SavedRun, undone_by: Option<String>) -> Self {
        let (started_at, by) = saved.begin();
        Self {
            run: Some(saved.run.name.clone()),
            started_at: started_at.map(Timestamp::as_second),
            by: by.map(str::to_owned),
            what: saved::what(&saved.plan),
            organization: saved.plan.organization.as_ref().map(ToString::to_string),
            counts: saved.counts(undone_by.is_some()),
            undone_by,
        }
    }
}

/// Reads a run.
pub(super) fn read(runs: Runs, run: Run) -> Result<SavedRun> {
    let name = run.name.clone();
    SavedRun::read(runs, run).doing(|| format!("read run {name}"))
}

pub(super) fn find(folder: &Path, text: &str) -> Result<SavedRun> {
    let mut all = all(folder).doing(|| "read the runs".to_owned())?;
    let matching: Vec<usize> = all
        .iter()
        .enumerate()
        .filter(|(_, (_, run))| text == LAST || run.name.starts_with(text))
        .map(|(index, _)| index)
        .collect();
    let found = match matching.as_slice() {
        [.., last] if text == LAST => Some(*last),
        [one] => Some(*one),
        _ => None,
    };
    let problem = if matching.is_empty() { "no run matches" } else { "several runs match" };
    let Some(index) = found else {
        let message = format!("{problem} '{text}'");
        return Err(Failure::not_found(message).suggest("runs list", "lists all runs"));
    };
    let (runs, run) = all.swap_remove(index);
    read(runs, run)
}

/// The run to undo. `last` skips undos, so that undoing twice does not redo.
pub(super) fn find_to_undo(folder: &Path, text: &str) -> Result<SavedRun> {
    if text != LAST {
        return find(folder, text);
    }
    let all = all(folder).doing(|| "read the runs".to_owned())?;
    let mut undos: Vec<SavedRun> = Vec::new();
    for (runs, run) in all.into_iter().rev() {
        let saved = read(runs, run)?;
        if saved.plan.purpose.is_undo() {
            undos.push(saved);
            continue;
        }
        return match undone_by(&saved.run.name, &undos) {
            None => Ok(saved),
            Some(undo) => {
                let (run, undo) = (&saved.run.name, &undo.run.name);
                let message = format!("run {run} was already undone by run {undo}");
                Err(Failure::new(ExitStatus::Failed, message)
                    .suggest(format!("runs undo {undo}"), "redoes it")
                    .suggest("runs list", "lists earlier runs"))
            }
        };
    }
    let problem = if undos.is_empty() { "no runs" } else { "every run is an undo" };
    Err(Failure::not_found(problem).suggest("runs list", "lists all runs"))
}

/// The runs of every organization of a service, oldest first.
pub(super) fn all(folder: &Path) -> io::Result<Vec<(Runs, Run)>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut all = Vec::new();
    for entry in entries {
        let runs = Runs::new(entry?.path());
        all.extend(runs.list()?.into_iter().map(|run| (runs.clone(), run)));
    }
    all.sort_by(|(_, a), (_, b)| a.name.cmp(&b.name));
    Ok(all)
}
