//! `openai-admin plan` and `openai-admin drift`: show differences. Both only have a reader, which cannot write.

use std::{collections::BTreeSet, fs::OpenOptions, io::Write as _};

use openai_admin_sync::{
    Approval, Plan,
    render::shell_word,
    render::{self, Notes, Summary},
    report::{PLAN_COLUMNS, PlanRow, plan_rows},
    run::rights::lane,
    summary::{self, Verdict},
};

use super::context::{SyncContext, conclude_plan, read_group_files};
use crate::{
    arguments::{DriftArguments, Format, GlobalArguments, PlanArguments, RenderChoice},
    config::Environment,
    failure::{Doing as _, ExitStatus, Failure, Result},
    output::{Output, Record},
};

const SECONDS_PER_MINUTE: u64 = 60;

impl Record for PlanRow {
    const FIELDS: &'static [&'static str] = &PLAN_COLUMNS;
    const COLUMNS: &'static [(&'static str, &'static str)] = &[
        ("GROUP", "group"),
        ("ACTION", "action"),
        ("EMAIL", "email"),
        ("REASON", "reason"),
        ("LINE", "line"),
    ];
}

pub(super) async fn plan(
    arguments: PlanArguments,
    global: &GlobalArguments,
    environment: &Environment,
    output: &Output,
) -> Result<()> {
    let mut desired = read_group_files(&arguments.group_files, environment, output)?;
    let mut context = SyncContext::open("plan", None, global, environment, output).await?;
    context.is_summary = arguments.summary;
    let accepted = arguments.group_files.accepted_sources.iter().cloned().collect();
    let work = async |context: &SyncContext<'_>| {
        let state = context.read_state().await?;
        let (plan, _) =
            context.plan_files(state, &mut desired, arguments.group_files.unknown, &accepted).await?;
        if let Some(file) = &arguments.out {
            plan.write_json(file).doing(|| format!("write {}", file.display()))?;
        }
        // The suggested command is complete.
        let applied = arguments.out.as_ref().or(arguments.group_files.files.first());
        let applied = applied.map(|file| format!("apply {}", shell_word(&file.display().to_string())));
        show(context, &plan, &Approval::None, arguments.render, applied.as_deref())?;
        let summary = Summary::of(&plan, &Approval::None);
        conclude_plan(&plan, &Approval::None)?;
        if arguments.detailed_exitcode && !summary.is_empty() {
            return Err(Failure::silent(ExitStatus::Difference));
        }
        Ok(())
    };
    context.run(work).await
}

pub(super) async fn drift(
    arguments: DriftArguments,
    global: &GlobalArguments,
    environment: &Environment,
    output: &Output,
) -> Result<()> {
    let mut desired = read_group_files(&arguments.group_files, environment, output)?;
    let context = SyncContext::open("drift", None, global, environment, output).await?;
    let accepted = arguments.group_files.accepted_sources.iter().cloned().collect();
    let work = async |context: &SyncContext<'_>| {
        let state = context.read_state().await?;
        let (plan, _) =
            context.plan_files(state, &mut desired, arguments.group_files.unknown, &accepted).await?;
        show(context, &plan, &Approval::None, None, None)?;
        let summary = Summary::of(&plan, &Approval::None);
        match summary.verdict() {
            // A comparison with gaps cannot report "no differences".
            Verdict::Incomplete | Verdict::NotFound => {
                let uncompared = summary::not_done_line(&plan, &Approval::None).unwrap_or_default();
                Err(Failure::new(ExitStatus::Partial, format!("not compared: {uncompared}")))
            }
            Verdict::Clean if summary.is_empty() => Ok(()),
            Verdict::Clean | Verdict::Blocked => Err(Failure::silent(ExitStatus::Difference)),
        }
    };
    context.run(work).await
}

/// Shows a plan in the given form, with the approved changes marked. `apply` is the command that would apply it.
pub(super) fn show(
    context: &SyncContext<'_>,
    plan: &Plan,
    approval: &Approval,
    form: Option<RenderChoice>,
    apply: Option<&str>,
) -> Result<()> {
    let output = context.output;
    let notes = Notes {
        pace: pace(context, plan),
        apply: apply.map(|arguments| output.command(arguments)),
        color: output.is_colored(),
        is_summary: context.is_summary,
    };
    if form.is_none() && output.format() == Some(Format::Csv) {
        return rows(output, plan);
    }
    let form = form.unwrap_or(match output.format() {
        Some(Format::Json | Format::Jsonl | Format::Yaml | Format::Csv) => RenderChoice::Json,
        Some(Format::Table) | None => RenderChoice::Table,
    });
    if context.environment.is_github || form == RenderChoice::Github {
        step_summary(context.environment, &render::markdown(plan, &notes))?;
    }
    match form {
        RenderChoice::Json => output.json(&plan.to_json()),
        RenderChoice::Markdown => output.data(&render::markdown(plan, &notes)),
        RenderChoice::Github => output.raw(&render::annotations(plan)),
        RenderChoice::Table => {
            output.data(&render::table(plan, approval, &notes))?;
            if context.environment.is_github { output.raw(&render::annotations(plan)) } else { Ok(()) }
        }
    }
}

/// The rows of a plan for a spreadsheet.
pub(super) fn rows(output: &Output, plan: &Plan) -> Result<()> {
    output.items(&plan_rows(plan), "no changes")
}

/// The slowest pace that the plan needs, and its source.
fn pace(context: &SyncContext<'_>, plan: &Plan) -> Option<(f64, String)> {
    let lanes: BTreeSet<_> = plan.operations().map(|(_, operation)| lane(operation)).collect();
    let paces = lanes.into_iter().filter_map(|lane| Some((context.lanes.rpm(lane)?, lane)));
    let (rpm, lane) = paces.min_by(|(a, _), (b, _)| a.total_cmp(b))?;
    let age = context.learned_age.get().filter(|_| context.lanes.is_recalled(lane));
    let known = match age.map(|age| age.as_secs() / SECONDS_PER_MINUTE) {
        Some(minutes) if minutes < 2 * 60 => format!("learned {minutes} min ago; override with --max-rpm"),
        Some(minutes) => format!("learned {} h ago; override with --max-rpm", minutes / 60),
        None => "learned".to_owned(),
    };
    Some((rpm, known))
}

fn step_summary(environment: &Environment, text: &str) -> Result<()> {
    let Some(file) = &environment.step_summary else { return Ok(()) };
    let opened = OpenOptions::new().create(true).append(true).open(file);
    opened
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .doing(|| format!("write the step summary {}", file.display()))
}
