//! `openai-admin runs`: what was done on this machine, how it goes on, and the way back.

use std::{io, path::Path};

use openai_admin_sync::{
    Approval, Plan, Run, Runs,
    fresh::Earlier,
    journal::{self, Entry, Line, Outcome},
    render::{self, Notes, Summary},
    report::{self, ReportRow},
    undo::plan_undo,
};
use serde::Serialize;

use super::{
    Bench,
    apply::{self, Begin, Job, confirm_and_execute},
    plan::show,
    verdict,
};
use crate::{
    arguments::{ExecutionArguments, GlobalArguments, RunsCommand, UnknownChoice},
    config::{self, Environment},
    failure::{ExitStatus, Failure, Result, While as _},
    output::{Output, Record},
    prompt::Consent,
};

/// A run as it is listed.
#[derive(Serialize)]
struct RunRow {
    run: String,
    organization: Option<String>,
    state: &'static str,
    operations: usize,
    done: usize,
    failed: usize,
    left: usize,
}

impl Record for RunRow {
    const FIELDS: &'static [&'static str] =
        &["run", "organization", "state", "operations", "done", "failed", "left"];
    const COLUMNS: &'static [(&'static str, &'static str)] = &[
        ("RUN", "run"),
        ("ORGANIZATION", "organization"),
        ("STATE", "state"),
        ("OPERATIONS", "operations"),
        ("DONE", "done"),
        ("FAILED", "failed"),
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
                true => output.data(&render::table(&kept.plan, &Approval::None, &notes)),
                false => output.data(&kept.plan.to_json()),
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
            let done = Box::pin(resume(&bench, kept, &execution)).await;
            bench.close().await;
            done
        }
        RunsCommand::Undo { run, dry_run, execution } => {
            let kept = Kept::find(&folder, &run)?;
            let consent =
                if dry_run { Consent::Given } else { Consent::of(&execution.consent, "undoing a run")? };
            let bench = Bench::open("runs", Some(&execution), global, environment, output).await?;
            let done = Box::pin(undo(&bench, kept, &execution, consent, dry_run)).await;
            bench.close().await;
            done
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
            .filter(|(_, (_, run))| text == "last" || run.name.starts_with(text))
            .map(|(place, _)| place)
            .collect();
        let found = match meant.as_slice() {
            [.., last] if text == "last" => Some(*last),
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

    fn row(&self) -> RunRow {
        let results = journal::results(&self.lines);
        let end = self.lines.iter().rev().find_map(|line| match line.entry {
            Entry::End { complete, .. } => Some(complete),
            _ => None,
        });
        let failed =
            results.values().filter(|result| matches!(result.outcome, Outcome::Failed | Outcome::Held));
        RunRow {
            run: self.run.name.clone(),
            organization: self.plan.organization.as_ref().map(ToString::to_string),
            state: match end {
                Some(true) => "complete",
                Some(false) => "partial",
                None => "stopped",
            },
            operations: self.plan.operation_count(),
            done: results.values().filter(|result| result.outcome.is_settled()).count(),
            failed: failed.count(),
            left: self.plan.operation_count().saturating_sub(results.len()),
        }
    }
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
    let rows: Result<Vec<RunRow>> =
        all.into_iter().map(|(runs, run)| Ok(Kept::read(runs, run)?.row())).collect();
    output.items(&rows?, "there are no runs of this service on this machine")
}

async fn resume(bench: &Bench<'_>, kept: Kept, execution: &ExecutionArguments) -> Result<()> {
    let Kept { runs, run, plan, lines } = kept;
    bench.lanes.recall(runs.learned());
    // What was accepted once is accepted still: the plan is the same.
    let accepted = lines.iter().any(|line| matches!(&line.entry, Entry::Begin { accepted: Some(_), .. }));
    let approval =
        if accepted { Approval::Digest(plan.digest.clone()) } else { apply::approval(&plan, execution)? };
    let intents = lines.iter().filter_map(|line| match line.entry {
        Entry::Intent { operation, .. } => Some(operation),
        _ => None,
    });
    let earlier = Earlier { intents: intents.collect(), results: journal::results(&lines) };
    apply::execute(bench, Job { plan, runs, approval, begin: Begin::Resumed(run, earlier) }, execution).await
}

async fn undo(
    bench: &Bench<'_>,
    kept: Kept,
    execution: &ExecutionArguments,
    consent: Consent,
    dry_run: bool,
) -> Result<()> {
    bench.lanes.recall(kept.runs.learned());
    let results = journal::results(&kept.lines);
    if !results.values().any(|result| result.outcome.is_change()) {
        return Err(Failure::new(ExitStatus::Failed, format!("run {} has changed nothing", kept.run.name)));
    }
    let options = bench.options(UnknownChoice::Error);
    let plan = plan_undo(&bench.reader, &kept.run.name, &kept.plan, &results, &options).await;
    let plan = plan.map_err(|error| bench.unread(error))?;
    if dry_run {
        show(bench, &plan, &Approval::None, None, None)?;
        return match verdict(&plan, &Summary::of(&plan, &Approval::None)) {
            Some(status) => Err(Failure::silent(status)),
            None => Ok(()),
        };
    }
    confirm_and_execute(bench, plan, &kept.runs, execution, consent).await
}
