//! A run of this machine, read back: its plan, its journal and its counts.

use std::{io, path::Path};

use jiff::Timestamp;
use openai_admin_sync::{
    Approval, Decision, Plan, Run, Runs, guard,
    journal::{self, Entry, Line, Outcome},
    plan::{Operation, Purpose},
};
use serde::Serialize;

use crate::{
    failure::{Doing as _, ExitStatus, Failure, Result},
    output::{Record, count},
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
    state: &'static str,
    /// The run that undid this run.
    undone_by: Option<String>,
    operations: usize,
    done: usize,
    failed: usize,
    unknown: usize,
    held: usize,
    blocked: usize,
    left: usize,
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
            what: what(plan),
            organization: plan.organization.as_ref().map(ToString::to_string),
            state: "nothing to apply",
            undone_by: None,
            operations: plan.operation_count(),
            done: 0,
            failed: 0,
            unknown: 0,
            held: number(|it| matches!(it, Decision::Held(_))),
            blocked: number(|it| matches!(it, Decision::Blocked | Decision::Protected)),
            left: 0,
        }
    }
}

/// A saved run with its plan and journal.
pub(super) struct SavedRun {
    pub(super) runs: Runs,
    pub(super) run: Run,
    pub(super) plan: Plan,
    pub(super) lines: Vec<Line>,
}

impl SavedRun {
    pub(super) fn read(runs: Runs, run: Run) -> Result<Self> {
        let plan = run.plan().doing(|| format!("read run {}", run.name))?;
        let lines = run.lines().doing(|| format!("read the journal of run {}", run.name))?;
        Ok(Self { runs, run, plan, lines })
    }

    pub(super) fn find(folder: &Path, text: &str) -> Result<Self> {
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
        Self::read(runs, run)
    }

    /// The run to undo. `last` skips undos, so that undoing twice does not redo.
    pub(super) fn find_to_undo(folder: &Path, text: &str) -> Result<Self> {
        if text != LAST {
            return Self::find(folder, text);
        }
        let all = all(folder).doing(|| "read the runs".to_owned())?;
        let mut undos: Vec<Self> = Vec::new();
        for (runs, run) in all.into_iter().rev() {
            let saved = Self::read(runs, run)?;
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

    /// Whether it ended with nothing left to do; none if it has not ended.
    fn is_complete(&self) -> Option<bool> {
        self.lines.iter().rev().find_map(|line| match line.entry {
            Entry::End { complete, .. } => Some(complete),
            _ => None,
        })
    }

    /// Its start, and the user who started it. A run of an earlier version names no one.
    fn begin(&self) -> (Option<i64>, Option<String>) {
        let begin = self.lines.iter().find_map(|line| match &line.entry {
            Entry::Begin { by, .. } => Some((line.at.parse::<Timestamp>().ok(), by.clone())),
            _ => None,
        });
        let (at, by) = begin.unwrap_or_default();
        (at.map(Timestamp::as_second), by)
    }

    /// Its counts. `undone_by` is the run that undid it.
    pub(super) fn row(&self, undone_by: Option<String>) -> RunRow {
        let results = journal::results(&self.lines);
        let number = |outcome: Outcome| results.values().filter(|result| result.outcome == outcome).count();
        let (started_at, by) = self.begin();
        RunRow {
            run: Some(self.run.name.clone()),
            started_at,
            by,
            what: what(&self.plan),
            organization: self.plan.organization.as_ref().map(ToString::to_string),
            state: match self.is_complete() {
                _ if undone_by.is_some() => "undone",
                Some(true) => "complete",
                Some(false) => "partial",
                None => "stopped",
            },
            undone_by,
            operations: self.plan.operation_count(),
            done: results.values().filter(|result| result.outcome.is_settled()).count(),
            failed: number(Outcome::Failed),
            unknown: number(Outcome::Unknown),
            held: number(Outcome::Held),
            blocked: number(Outcome::Blocked),
            left: self.plan.operation_count().saturating_sub(results.len()),
        }
    }
}

/// The command and its object.
fn what(plan: &Plan) -> String {
    let sources = || {
        let first = plan.sources.first().map_or("", |source| source.name.as_str());
        match plan.sources.len() {
            0 | 1 => first.to_owned(),
            2 => format!("{first} and 1 other file"),
            number => format!("{first} and {} other files", number - 1),
        }
    };
    let of = match &plan.purpose {
        Purpose::Files | Purpose::Import => sources(),
        Purpose::Offboard { user_id, others } => {
            let mut operations = plan.operations().map(|(_, operation)| operation);
            let first = operations.find(|operation| operation.user_id() == Some(user_id));
            let email = first.and_then(Operation::email);
            let first = email.unwrap_or(user_id.as_str());
            match others.len() {
                0 => first.to_owned(),
                number => format!("{first} and {}", count(number, "other user")),
            }
        }
        Purpose::Command { command } => return command.clone(),
        Purpose::Undo { run } => run.clone(),
    };
    let verb = match plan.purpose {
        Purpose::Files => "apply",
        Purpose::Import => "import",
        Purpose::Offboard { .. } => "offboard",
        Purpose::Command { .. } | Purpose::Undo { .. } => "undo",
    };
    format!("{verb} {of}").trim_end().to_owned()
}

/// Among these undos, the newest first, the one that undid a run and was not undone itself.
pub(super) fn undone_by<'a>(run: &str, undos: &'a [SavedRun]) -> Option<&'a SavedRun> {
    undos.iter().enumerate().find_map(|(index, undo)| {
        let is_meant = undo.plan.purpose.undone_run() == Some(run) && undo.is_complete() == Some(true);
        (is_meant && undone_by(&undo.run.name, &undos[..index]).is_none()).then_some(undo)
    })
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
