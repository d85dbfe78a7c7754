//! `openai-admin plan` and `openai-admin drift`: what differs. Both hold a reader, which cannot write.

use std::fs::OpenOptions;
use std::io::Write as _;

use openai_admin_sync::{
    Approval, Plan,
    executor::lane,
    render::{self, Notes, Summary},
    schedule::Kind,
};

use super::{Bench, verdict, wished};
use crate::{
    arguments::{DriftArguments, Format, GlobalArguments, PlanArguments, RenderChoice},
    config::{Environment, shell_word},
    failure::{ExitStatus, Failure, Result, While as _},
    output::Output,
};

pub(super) async fn plan(
    arguments: PlanArguments,
    global: &GlobalArguments,
    environment: &Environment,
    output: &Output,
) -> Result<()> {
    let desired = wished(&arguments.wish, environment, output)?;
    let bench = Bench::open("plan", None, global, environment, output).await?;
    let accepted = arguments.wish.accepted_sources.iter().cloned().collect();
    let work = async |bench: &Bench<'_>| {
        let (plan, _) = bench.plan(&desired, arguments.wish.unknown, &accepted).await?;
        if let Some(file) = &arguments.out {
            plan.write_json(file).doing(|| format!("write {}", file.display()))?;
        }
        // What is proposed works as it stands.
        let applied = arguments.out.as_ref().or(arguments.wish.files.first());
        let applied = applied.map(|file| format!("apply {}", shell_word(&file.display().to_string())));
        show(bench, &plan, &Approval::None, arguments.render, applied.as_deref())?;
        let summary = Summary::of(&plan, &Approval::None);
        match verdict(&plan, &summary) {
            Some(status) => Err(Failure::silent(status)),
            None if arguments.detailed_exitcode && !summary.is_empty() => {
                Err(Failure::silent(ExitStatus::Difference))
            }
            None => Ok(()),
        }
    };
    bench.run(work).await
}

pub(super) async fn drift(
    arguments: DriftArguments,
    global: &GlobalArguments,
    environment: &Environment,
    output: &Output,
) -> Result<()> {
    let desired = wished(&arguments.wish, environment, output)?;
    let bench = Bench::open("drift", None, global, environment, output).await?;
    let accepted = arguments.wish.accepted_sources.iter().cloned().collect();
    let work = async |bench: &Bench<'_>| {
        let (plan, _) = bench.plan(&desired, arguments.wish.unknown, &accepted).await?;
        show(bench, &plan, &Approval::None, None, None)?;
        let summary = Summary::of(&plan, &Approval::None);
        match verdict(&plan, &summary) {
            Some(ExitStatus::Partial) => Err(Failure::silent(ExitStatus::Partial)),
            _ if summary.is_empty() => Ok(()),
            _ => Err(Failure::silent(ExitStatus::Difference)),
        }
    };
    bench.run(work).await
}

/// Shows a plan in the form that was asked for, and what of it is accepted. `apply` is the command that would do it.
pub(super) fn show(
    bench: &Bench<'_>,
    plan: &Plan,
    approval: &Approval,
    form: Option<RenderChoice>,
    apply: Option<&str>,
) -> Result<()> {
    let output = bench.output;
    let notes = Notes {
        pace: pace(bench, plan),
        apply: apply.map(|arguments| output.command(arguments)),
        color: output.is_colored(),
    };
    let form = form.unwrap_or(match output.format() {
        Some(Format::Json | Format::Jsonl | Format::Yaml | Format::Csv) => RenderChoice::Json,
        Some(Format::Table) | None => RenderChoice::Table,
    });
    if bench.environment.is_github || form == RenderChoice::Github {
        step_summary(bench.environment, &render::markdown(plan, &notes))?;
    }
    match form {
        RenderChoice::Json => output.json(&plan.to_json()),
        RenderChoice::Markdown => output.data(&render::markdown(plan, &notes)),
        RenderChoice::Github => output.raw(&render::annotations(plan)),
        RenderChoice::Table => {
            output.data(&render::table(plan, approval, &notes))?;
            if bench.environment.is_github { output.raw(&render::annotations(plan)) } else { Ok(()) }
        }
    }
}

/// The slowest pace of those that the plan needs.
fn pace(bench: &Bench<'_>, plan: &Plan) -> Option<(f64, &'static str)> {
    let mut kinds: Vec<Kind> = plan.operations().map(|(_, operation)| Kind::of(&operation.action)).collect();
    kinds.sort();
    kinds.dedup();
    let paces = kinds.into_iter().filter_map(|kind| bench.lanes.rpm(lane(kind)));
    paces.min_by(f64::total_cmp).map(|rpm| (rpm, "learned"))
}

fn step_summary(environment: &Environment, text: &str) -> Result<()> {
    let Some(file) = &environment.step_summary else { return Ok(()) };
    let opened = OpenOptions::new().create(true).append(true).open(file);
    opened
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .doing(|| format!("write the step summary {}", file.display()))
}
