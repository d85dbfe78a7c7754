//! `openai-admin runs`: lists, shows, resumes and undoes the runs of this machine.

use std::path::Path;

use openai_admin_sync::{
    Approval,
    apply::{Begin, Job},
    current::Snapshot,
    fresh::Earlier,
    guard,
    journal::{self, Entry, Outcome},
    render::{self, Notes},
    report::{self, ReportRow},
    saved::{SavedRun, undone_by},
    undo::plan_undo,
};

use super::{
    apply::{self, confirm_and_execute, dry_run},
    context::{OrganizationState, SyncContext, lock},
    plan::rows as plan_rows,
    saved_run::{self, RunRow, all},
};
use crate::{
    arguments::{ExecutionArguments, Format, GlobalArguments, RunsCommand, UnknownChoice},
    config::Environment,
    failure::{Doing as _, ExitStatus, Failure, Result},
    output::{Layout, Output, Record, count},
    prompt::Consent,
    target,
};

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

/// The place of the column of rights, which only runs with rights have.
const RIGHT_AT: usize = 3;

pub(super) async fn run(
    command: RunsCommand,
    global: &GlobalArguments,
    environment: &Environment,
    output: &Output,
) -> Result<()> {
    let folder = target::state_of_service(global, environment)?;
    match command {
        RunsCommand::List => list(&folder, output),
        RunsCommand::Show { run } => {
            let saved = saved_run::find(&folder, &run)?;
            let notes = Notes { color: output.is_colored(), ..Notes::default() };
            match output.is_for_people() {
                _ if output.format() == Some(Format::Csv) => plan_rows(output, &saved.plan),
                true => output.data(&render::table(&saved.plan, &Approval::None, &notes)),
                false => output.json(&saved.plan.to_json()),
            }
        }
        RunsCommand::Report { run } => {
            let saved = saved_run::find(&folder, &run)?;
            let rows = report::rows(&saved.plan, &journal::results(&saved.lines), None);
            let mut layout = Layout::of_record();
            if rows.iter().any(|row| row.right.is_some()) {
                layout.columns.insert(RIGHT_AT, ("RIGHT".into(), "right".into()));
            }
            output.items_as(&layout, &rows, "no rows")
        }
        RunsCommand::Resume { run, execution } => {
            let saved = saved_run::find(&folder, &run)?;
            let context = SyncContext::open("runs", Some(&execution), global, environment, output).await?;
            context.run(async |context| resume(context, saved, &execution).await).await
        }
        RunsCommand::Undo { run, dry_run, execution } => {
            let saved = saved_run::find_to_undo(&folder, &run)?;
            let consent =
                if dry_run { Consent::Given } else { Consent::of(&execution.consent, "undoing a run")? };
            let context = SyncContext::open("runs", Some(&execution), global, environment, output).await?;
            context.run(async |context| undo(context, saved, &execution, consent, dry_run).await).await
        }
    }
}

fn list(folder: &Path, output: &Output) -> Result<()> {
    let all = all(folder).doing(|| "read the runs".to_owned())?;
    let mut rows: Vec<RunRow> = Vec::with_capacity(all.len());
    // The newest first, because later runs show whether a run was undone.
    let mut undos: Vec<SavedRun> = Vec::new();
    for (runs, run) in all.into_iter().rev() {
        let saved = saved_run::read(runs, run)?;
        rows.push(RunRow::of(&saved, undone_by(&saved.run.name, &undos).map(|undo| undo.run.name.clone())));
        if saved.plan.purpose.is_undo() {
            undos.push(saved);
        }
    }
    output.items(&rows, "no runs of this service on this machine")
}

async fn resume(context: &SyncContext<'_>, saved: SavedRun, execution: &ExecutionArguments) -> Result<()> {
    context.recall(&saved.runs);
    let lock = lock(&saved.runs, &format!("run {}, ", saved.run.name))?;
    // Read it again: under the lock its journal is final.
    let SavedRun { runs, run, mut plan, lines } = saved_run::read(saved.runs, saved.run)?;
    // The plan is unchanged, so its approval still counts. Protection and policy are the current ones.
    let accepted = lines.iter().any(|line| matches!(&line.entry, Entry::Begin { accepted: Some(_), .. }));
    let approval =
        if accepted { Approval::Digest(plan.digest.clone()) } else { apply::approval(&plan, execution)? };
    guard::apply_policy(&mut plan, &context.policy);
    let begin = Begin::Resumed { run, earlier: Earlier::of_journal(&lines) };
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
    let saved = saved_run::read(saved.runs, saved.run)?;
    let results = journal::results(&saved.lines);
    if !saved.may_have_changed() {
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
