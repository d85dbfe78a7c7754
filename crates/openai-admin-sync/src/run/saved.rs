//! A stored run, read back: its plan, its journal and its counts.

use std::io;

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    plan::{
        document::{Plan, Purpose},
        operation::Operation,
    },
    run::{
        journal::{self, Entry, Line, Outcome},
        runs::{Run, Runs},
    },
};

/// A stored run with its plan and journal.
#[derive(Debug)]
pub struct SavedRun {
    /// The runs of its organization.
    pub runs: Runs,
    /// The run.
    pub run: Run,
    /// Its plan.
    pub plan: Plan,
    /// The lines of its journal.
    pub lines: Vec<Line>,
}

/// The counts of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RunCounts {
    /// The state: `complete`, `partial`, `stopped` before its end, or `undone`.
    pub state: &'static str,
    /// The operations of the plan.
    pub operations: usize,
    /// The changes that are in place.
    pub done: usize,
    /// The failed requests.
    pub failed: usize,
    /// The requests with an unknown outcome.
    pub unknown: usize,
    /// The operations that wait for one that failed.
    pub held: usize,
    /// The operations that a rule blocks.
    pub blocked: usize,
    /// The operations without a result.
    pub left: usize,
}

impl SavedRun {
    /// Reads a run.
    ///
    /// # Errors
    ///
    /// If its plan or its journal cannot be read, or was modified.
    pub fn read(runs: Runs, run: Run) -> io::Result<Self> {
        let plan = run.plan()?;
        let lines = run
            .lines()
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", run.journal().display())))?;
        Ok(Self { runs, run, plan, lines })
    }

    /// Whether it ended with nothing left to do; `None` if it has not ended.
    pub fn is_complete(&self) -> Option<bool> {
        self.lines.iter().rev().find_map(|line| match line.entry {
            Entry::End { complete, .. } => Some(complete),
            _ => None,
        })
    }

    /// When and by whom it was started. A run of an earlier version, or of the console, names no one.
    pub fn begin(&self) -> (Option<Timestamp>, Option<&str>) {
        let begin = self.lines.iter().find_map(|line| match &line.entry {
            Entry::Begin { by, .. } => Some((line.at.parse().ok(), by.as_deref())),
            _ => None,
        });
        begin.unwrap_or_default()
    }

    /// Whether it may have changed something.
    pub fn may_have_changed(&self) -> bool {
        journal::results(&self.lines).values().any(|result| result.outcome.may_be_change())
    }

    /// Its counts. `is_undone` says whether a later run undid it.
    pub fn counts(&self, is_undone: bool) -> RunCounts {
        let results = journal::results(&self.lines);
        let number = |outcome: Outcome| results.values().filter(|result| result.outcome == outcome).count();
        let operations = self.plan.operation_count();
        RunCounts {
            state: match self.is_complete() {
                _ if is_undone => "undone",
                Some(true) => "complete",
                Some(false) => "partial",
                None => "stopped",
            },
            operations,
            done: results.values().filter(|result| result.outcome.is_settled()).count(),
            failed: number(Outcome::Failed),
            unknown: number(Outcome::Unknown),
            held: number(Outcome::Held),
            blocked: number(Outcome::Blocked),
            left: operations.saturating_sub(results.len()),
        }
    }
}

/// The command and its object, such as `apply groups.yaml`.
pub fn what(plan: &Plan) -> String {
    let others = |number: usize, noun: &str| match number {
        0 => String::new(),
        1 => format!(" and 1 other {noun}"),
        number => format!(" and {number} other {noun}s"),
    };
    let of = match &plan.purpose {
        Purpose::Files | Purpose::Import => {
            let first = plan.sources.first().map_or("", |source| source.name.as_str());
            format!("{first}{}", others(plan.sources.len().saturating_sub(1), "file"))
        }
        Purpose::Offboard { user_id, others: more } => {
            let mut operations = plan.operations().map(|(_, operation)| operation);
            let first = operations.find(|operation| operation.user_id() == Some(user_id));
            let first = first.and_then(Operation::email).unwrap_or(user_id.as_str());
            format!("{first}{}", others(more.len(), "user"))
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
pub fn undone_by<'a>(run: &str, undos: &'a [SavedRun]) -> Option<&'a SavedRun> {
    undos.iter().enumerate().find_map(|(index, undo)| {
        let is_meant = undo.plan.purpose.undone_run() == Some(run) && undo.is_complete() == Some(true);
        (is_meant && undone_by(&undo.run.name, &undos[..index]).is_none()).then_some(undo)
    })
}
