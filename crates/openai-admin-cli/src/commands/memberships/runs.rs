//! `openai-admin runs`: lists, shows, resumes and undoes the runs of this machine.

use std::{io, path::Path};

use openai_admin_sync::{
    Approval, Plan, Run, Runs,
    current::Snapshot,
    fresh::Earlier,
    guard,
    journal::{self, Entry, Line, Outcome},
    plan::Purpose,
    render::{self, Notes},
    report::{self, ReportRow},
    undo::plan_undo,
};
use serde::Serialize;

use super::{
    apply::{self, confirm_and_execute, dry_run},
    context::{OrganizationState, SyncContext, lock},
    job::{Begin, Job},
    plan::rows as plan_rows,
};
use crate::{
    arguments::{ExecutionArguments, Format, GlobalArguments, RunsCommand, UnknownChoice},
    config::{self, Environment},
    failure::{Doing as _, ExitStatus, Failure, Result},
    output::{Output, Record, count},
    prompt::Consent,
};

/// The word for the newest run.
const LAST: &str = "last";

/// A row of the list of runs.
#[derive(Serialize)]
struct RunRow {
    run: String,
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
        ("DONE", "done"),
        ("FAILED", "failed"),
        ("UNKNOWN", "unknown"),
        ("HELD BACK", "held"),
        ("BLOCKED", "blocked"),
        ("REMAINING", "left"),
    ];
}

impl Record for ReportRow {
    const FIELDS: &'static [&'static str] = &report::COLUMNS;
    const COLUMNS: &'static [(&'static str, &'static str)] = &[
        ("ACTION", "action"),
        ("GROUP", "group"),
        ("EMAIL", "email"),
        ("ID", "user_id"),
        ("OUTCOME", "outcome"),
        ("REQUEST", "request_id"),
        ("ERROR", "error"),
    ];
}

pub(super) async fn run(
    command: RunsCommand,
    global: &GlobalArguments,
    environment: &Environment,
    output: &Output,
) -> Result<()> {
    let folder = config::state_of_service(global, environment)?;
    match command {
        RunsCommand::List => list(&folder, output),
        RunsCommand::Show { run } => {
            let saved = SavedRun::find(&folder, &run)?;
            let notes = Notes { color: output.is_colored(), ..Notes::default() };
            match output.is_for_people() {
                _ if output.format() == Some(Format::Csv) => plan_rows(output, &saved.plan),
                true => output.data(&render::table(&saved.plan, &Approval::None, &notes)),
                false => output.json(&saved.plan.to_json()),
            }
        }
        RunsCommand::Report { run } => {
            let saved = SavedRun::find(&folder, &run)?;
            let rows = report::rows(&saved.plan, &journal::results(&saved.lines), None);
            output.items(&rows, "no rows")
        }
        RunsCommand::Resume { run, execution } => {
            let saved = SavedRun::find(&folder, &run)?;
            let context = SyncContext::open("runs", Some(&execution), global, environment, output).await?;
            context.run(async |context| resume(context, saved, &execution).await).await
        }
        RunsCommand::Undo { run, dry_run, execution } => {
            let saved = SavedRun::find_to_undo(&folder, &run)?;
            let consent =
                if dry_run { Consent::Given } else { Consent::of(&execution.consent, "undoing a run")? };
            let context = SyncContext::open("runs", Some(&execution), global, environment, output).await?;
            context.run(async |context| undo(context, saved, &execution, consent, dry_run).await).await
        }
    }
}

/// A saved run with its plan and journal.
struct SavedRun {
    runs: Runs,
    run: Run,
    plan: Plan,
    lines: Vec<Line>,
}

impl SavedRun {
    fn read(runs: Runs, run: Run) -> Result<Self> {
        let plan = run.plan().doing(|| format!("read run {}", run.name))?;
        let lines = run.lines().doing(|| format!("read the journal of run {}", run.name))?;
        Ok(Self { runs, run, plan, lines })
    }

    fn find(folder: &Path, text: &str) -> Result<Self> {
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
    fn find_to_undo(folder: &Path, text: &str) -> Result<Self> {
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

    /// The command and its object.
    fn what(&self) -> String {
        let plan = &self.plan;
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
            Purpose::Offboard { user_id } => {
                let email = plan.operations().find_map(|(_, operation)| operation.email());
                email.unwrap_or(user_id.as_str()).to_owned()
            }
            Purpose::Undo { run } => run.clone(),
        };
        let verb = match plan.purpose {
            Purpose::Files => "apply",
            Purpose::Import => "import",
            Purpose::Offboard { .. } => "offboard",
            Purpose::Undo { .. } => "undo",
        };
        format!("{verb} {of}").trim_end().to_owned()
    }

    fn row(&self, undone_by: Option<String>) -> RunRow {
        let results = journal::results(&self.lines);
        let number = |outcome: Outcome| results.values().filter(|result| result.outcome == outcome).count();
        RunRow {
            run: self.run.name.clone(),
            what: self.what(),
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

/// Among these undos, the newest first, the one that undid a run and was not undone itself.
fn undone_by<'a>(run: &str, undos: &'a [SavedRun]) -> Option<&'a SavedRun> {
    undos.iter().enumerate().find_map(|(index, undo)| {
        let is_meant = undo.plan.purpose.undone_run() == Some(run) && undo.is_complete() == Some(true);
        (is_meant && undone_by(&undo.run.name, &undos[..index]).is_none()).then_some(undo)
    })
}

/// The runs of every organization of a service, oldest first.
fn all(folder: &Path) -> io::Result<Vec<(Runs, Run)>> {
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

fn list(folder: &Path, output: &Output) -> Result<()> {
    let all = all(folder).doing(|| "read the runs".to_owned())?;
    let mut rows: Vec<RunRow> = Vec::with_capacity(all.len());
    // Newest first, because later runs show whether a run was undone.
    let mut undos: Vec<SavedRun> = Vec::new();
    for (runs, run) in all.into_iter().rev() {
        let saved = SavedRun::read(runs, run)?;
        rows.push(saved.row(undone_by(&saved.run.name, &undos).map(|undo| undo.run.name.clone())));
        if saved.plan.purpose.is_undo() {
            undos.push(saved);
        }
    }
    rows.reverse();
    output.items(&rows, "no runs of this service on this machine")
}

async fn resume(context: &SyncContext<'_>, saved: SavedRun, execution: &ExecutionArguments) -> Result<()> {
    context.recall(&saved.runs);
    let lock = lock(&saved.runs, &format!("run {}, ", saved.run.name))?;
    // Read it again: under the lock its journal is final.
    let SavedRun { runs, run, mut plan, lines } = SavedRun::read(saved.runs, saved.run)?;
    // The plan is unchanged, so its approval still counts. Protection and policy are the current ones.
    let accepted = lines.iter().any(|line| matches!(&line.entry, Entry::Begin { accepted: Some(_), .. }));
    let approval =
        if accepted { Approval::Digest(plan.digest.clone()) } else { apply::approval(&plan, execution)? };
    guard::apply_policy(&mut plan, &context.policy);
    let intents = lines.iter().filter_map(|line| match line.entry {
        Entry::Intent { operation, .. } => Some(operation),
        _ => None,
    });
    let earlier =
        Earlier { intents: intents.collect(), results: journal::results(&lines), ..Earlier::default() };
    let begin = Begin::Resumed(run, earlier);
    apply::execute(context, Job { plan, runs, approval, begin, lock }, execution).await
}

async fn undo(
    context: &SyncContext<'_>,
    saved: SavedRun,
    execution: &ExecutionArguments,
    consent: Consent,
    is_dry_run: bool,
) -> Result<()> {
    context.recall(&saved.runs);
    let is_locked = consent == Consent::Given && !is_dry_run;
    let lock = if is_locked { Some(lock(&saved.runs, "")?) } else { None };
    let saved = SavedRun::read(saved.runs, saved.run)?;
    let results = journal::results(&saved.lines);
    if !results.values().any(|result| result.outcome.may_be_change()) {
        return Err(Failure::new(ExitStatus::Failed, format!("run {} changed nothing", saved.run.name)));
    }
    let unknown = results.values().filter(|result| result.outcome == Outcome::Unknown).count();
    if unknown > 0 {
        let operations = count(unknown, "operation");
        context
            .output
            .note(&format!("{operations} of the run had no response; any effect of them is undone too"));
    }
    if let Some(undone) = saved.plan.purpose.undone_run() {
        let run = &saved.run.name;
        context.output.note(&format!("run {run} is an undo: undoing it redoes run {undone}"));
    }
    let options = context.options_without_files(UnknownChoice::Error, &saved.runs)?;
    let plan = plan_undo(&context.reader, &saved.run.name, &saved.plan, &results, &options).await;
    let plan = plan.map_err(|error| context.read_failure(error))?;
    if is_dry_run {
        return dry_run(context, &plan, execution);
    }
    let state = OrganizationState { snapshot: Snapshot::default(), runs: saved.runs, lock };
    confirm_and_execute(context, plan, state, execution, consent).await
}
