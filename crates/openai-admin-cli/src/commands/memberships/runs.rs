//! `openai-admin runs`: what was done on this machine, how it goes on, and the way back.

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
    bench::{Bench, Look, lock},
    job::{Begin, Job},
    plan::rows as plan_rows,
};
use crate::{
    arguments::{ExecutionArguments, Format, GlobalArguments, RunsCommand, UnknownChoice},
    config::{self, Environment},
    failure::{ExitStatus, Failure, Result, While as _},
    output::{Output, Record, count},
    prompt::Consent,
};

/// The name of whichever run was the last.
const LAST: &str = "last";

/// A run as it is listed.
#[derive(Serialize)]
struct RunRow {
    run: String,
    /// What was typed: apply, import, offboard or undo, and of what.
    what: String,
    organization: Option<String>,
    state: &'static str,
    /// The run that has taken it back.
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
        ("WHAT", "what"),
        ("STATE", "state"),
        ("DONE", "done"),
        ("FAILED", "failed"),
        ("UNKNOWN", "unknown"),
        ("HELD", "held"),
        ("BLOCKED", "blocked"),
        ("LEFT", "left"),
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
            let kept = Kept::find(&folder, &run)?;
            let notes = Notes { color: output.is_colored(), ..Notes::default() };
            match output.is_for_people() {
                _ if output.format() == Some(Format::Csv) => plan_rows(output, &kept.plan),
                true => output.data(&render::table(&kept.plan, &Approval::None, &notes)),
                false => output.json(&kept.plan.to_json()),
            }
        }
        RunsCommand::Report { run } => {
            let kept = Kept::find(&folder, &run)?;
            let rows = report::rows(&kept.plan, &journal::results(&kept.lines), None);
            output.items(&rows, "the run has nothing to report")
        }
        RunsCommand::Resume { run, execution } => {
            let kept = Kept::find(&folder, &run)?;
            let bench = Bench::open("runs", Some(&execution), global, environment, output).await?;
            bench.run(async |bench| resume(bench, kept, &execution).await).await
        }
        RunsCommand::Undo { run, dry_run, execution } => {
            let kept = Kept::find_to_undo(&folder, &run)?;
            let consent =
                if dry_run { Consent::Given } else { Consent::of(&execution.consent, "undoing a run")? };
            let bench = Bench::open("runs", Some(&execution), global, environment, output).await?;
            bench.run(async |bench| undo(bench, kept, &execution, consent, dry_run).await).await
        }
    }
}

/// A run that was kept, with all that is known of it.
struct Kept {
    runs: Runs,
    run: Run,
    plan: Plan,
    lines: Vec<Line>,
}

impl Kept {
    fn read(runs: Runs, run: Run) -> Result<Self> {
        let plan = run.plan().doing(|| format!("read run {}", run.name))?;
        let lines = run.lines().doing(|| format!("read the journal of run {}", run.name))?;
        Ok(Self { runs, run, plan, lines })
    }

    fn find(folder: &Path, text: &str) -> Result<Self> {
        let mut all = all(folder).doing(|| "read the runs".to_owned())?;
        let meant: Vec<usize> = all
            .iter()
            .enumerate()
            .filter(|(_, (_, run))| text == LAST || run.name.starts_with(text))
            .map(|(place, _)| place)
            .collect();
        let found = match meant.as_slice() {
            [.., last] if text == LAST => Some(*last),
            [one] => Some(*one),
            _ => None,
        };
        let problem = if meant.is_empty() { "there is no run" } else { "there are several runs" };
        let Some(place) = found else {
            let message = format!("{problem} '{text}'");
            return Err(Failure::not_found(message).propose("runs list", "shows all runs"));
        };
        let (runs, run) = all.swap_remove(place);
        Self::read(runs, run)
    }

    /// The same to undo it: the last is then the last that is no undo, since who asks twice wants no redo.
    fn find_to_undo(folder: &Path, text: &str) -> Result<Self> {
        if text != LAST {
            return Self::find(folder, text);
        }
        let all = all(folder).doing(|| "read the runs".to_owned())?;
        let mut undos: Vec<Self> = Vec::new();
        for (runs, run) in all.into_iter().rev() {
            let kept = Self::read(runs, run)?;
            if kept.plan.purpose.is_undo() {
                undos.push(kept);
                continue;
            }
            return match undone_by(&kept.run.name, &undos) {
                None => Ok(kept),
                Some(undo) => {
                    let (run, undo) = (&kept.run.name, &undo.run.name);
                    let message =
                        format!("run {run} is the last that is no undo, and run {undo} has undone it");
                    Err(Failure::new(ExitStatus::Failed, message)
                        .propose(format!("runs undo {undo}"), "does again what it did")
                        .propose("runs list", "shows the runs before it"))
                }
            };
        }
        let problem =
            if undos.is_empty() { "there is no run yet" } else { "there is no run that is no undo" };
        Err(Failure::not_found(problem).propose("runs list", "shows all runs"))
    }

    /// Whether nothing was left to do when it ended; none when it has not ended.
    fn is_complete(&self) -> Option<bool> {
        self.lines.iter().rev().find_map(|line| match line.entry {
            Entry::End { complete, .. } => Some(complete),
            _ => None,
        })
    }

    /// What was typed, in short.
    fn what(&self) -> String {
        let plan = &self.plan;
        let sources = || {
            let first = plan.sources.first().map_or("", |source| source.name.as_str());
            match plan.sources.len() {
                0 | 1 => first.to_owned(),
                number => format!("{first} and {} more", number - 1),
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

/// Of some undos, the newest first: the one that has undone a run, and was not undone itself.
fn undone_by<'a>(run: &str, undos: &'a [Kept]) -> Option<&'a Kept> {
    undos.iter().enumerate().find_map(|(place, undo)| {
        let is_meant = undo.plan.purpose.undone_run() == Some(run) && undo.is_complete() == Some(true);
        (is_meant && undone_by(&undo.run.name, &undos[..place]).is_none()).then_some(undo)
    })
}

/// The runs of every organization of a service, the oldest first.
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
    // From the newest to the oldest: whether a run is undone, later ones say.
    let mut undos: Vec<Kept> = Vec::new();
    for (runs, run) in all.into_iter().rev() {
        let kept = Kept::read(runs, run)?;
        rows.push(kept.row(undone_by(&kept.run.name, &undos).map(|undo| undo.run.name.clone())));
        if kept.plan.purpose.is_undo() {
            undos.push(kept);
        }
    }
    rows.reverse();
    output.items(&rows, "there are no runs of this service on this machine")
}

async fn resume(bench: &Bench<'_>, kept: Kept, execution: &ExecutionArguments) -> Result<()> {
    bench.recall(&kept.runs);
    let lock = lock(&kept.runs, &format!("run {}, ", kept.run.name))?;
    // Under the lock its journal is at its end.
    let Kept { runs, run, mut plan, lines } = Kept::read(kept.runs, kept.run)?;
    // What was accepted once is accepted still: the plan is the same. Protection and policy are those of now.
    let accepted = lines.iter().any(|line| matches!(&line.entry, Entry::Begin { accepted: Some(_), .. }));
    let approval =
        if accepted { Approval::Digest(plan.digest.clone()) } else { apply::approval(&plan, execution)? };
    guard::judge(&mut plan, &bench.policy);
    let intents = lines.iter().filter_map(|line| match line.entry {
        Entry::Intent { operation, .. } => Some(operation),
        _ => None,
    });
    let earlier =
        Earlier { intents: intents.collect(), results: journal::results(&lines), ..Earlier::default() };
    let begin = Begin::Resumed(run, earlier);
    apply::execute(bench, Job { plan, runs, approval, begin, lock }, execution).await
}

async fn undo(
    bench: &Bench<'_>,
    kept: Kept,
    execution: &ExecutionArguments,
    consent: Consent,
    is_dry_run: bool,
) -> Result<()> {
    bench.recall(&kept.runs);
    let is_locked = consent == Consent::Given && !is_dry_run;
    let lock = if is_locked { Some(lock(&kept.runs, "")?) } else { None };
    let kept = Kept::read(kept.runs, kept.run)?;
    let results = journal::results(&kept.lines);
    if !results.values().any(|result| result.outcome.may_be_change()) {
        return Err(Failure::new(ExitStatus::Failed, format!("run {} has changed nothing", kept.run.name)));
    }
    let unknown = results.values().filter(|result| result.outcome == Outcome::Unknown).count();
    if unknown > 0 {
        let operations = count(unknown, "operation");
        bench
            .output
            .note(&format!("{operations} of the run had no answer: what is there of them is taken back too"));
    }
    if let Some(undone) = kept.plan.purpose.undone_run() {
        let run = &kept.run.name;
        bench.output.note(&format!("run {run} is an undo: to undo it does again what run {undone} did"));
    }
    let options = bench.options_beside_files(UnknownChoice::Error, &kept.runs)?;
    let plan = plan_undo(&bench.reader, &kept.run.name, &kept.plan, &results, &options).await;
    let plan = plan.map_err(|error| bench.unread(error))?;
    if is_dry_run {
        return dry_run(bench, &plan, execution);
    }
    let look = Look { snapshot: Snapshot::default(), runs: kept.runs, lock };
    confirm_and_execute(bench, plan, look, execution, consent).await
}
