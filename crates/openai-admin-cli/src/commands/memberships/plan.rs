//! `openai-admin plan` and `openai-admin drift`: what differs. Both hold a reader, which cannot write.

use std::{collections::BTreeSet, fs::OpenOptions, io::Write as _};

use openai_admin_sync::{
    Approval, Plan,
    executor::lane,
    plan::{Effect, Operation},
    render::{self, Notes, Summary},
    report::{PLAN_COLUMNS, PlanRow, plan_rows},
    summary::{self, Verdict},
};

use super::bench::{Bench, conclude_plan, wished};
use crate::{
    arguments::{DriftArguments, Format, GlobalArguments, PlanArguments, RenderChoice},
    config::{Environment, shell_word},
    failure::{ExitStatus, Failure, Result, While as _},
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
    let mut desired = wished(&arguments.wish, environment, output)?;
    let bench = Bench::open("plan", None, global, environment, output).await?;
    let accepted = arguments.wish.accepted_sources.iter().cloned().collect();
    let work = async |bench: &Bench<'_>| {
        let look = bench.look().await?;
        let (plan, _) = bench.plan_files(look, &mut desired, arguments.wish.unknown, &accepted).await?;
        if let Some(file) = &arguments.out {
            plan.write_json(file).doing(|| format!("write {}", file.display()))?;
        }
        // What is proposed works as it stands.
        let applied = arguments.out.as_ref().or(arguments.wish.files.first());
        let applied = applied.map(|file| format!("apply {}", shell_word(&file.display().to_string())));
        show(bench, &plan, &Approval::None, arguments.render, applied.as_deref())?;
        let summary = Summary::of(&plan, &Approval::None);
        conclude_plan(&plan, &Approval::None)?;
        if arguments.detailed_exitcode && !summary.is_empty() {
            return Err(Failure::silent(ExitStatus::Difference));
        }
        Ok(())
    };
    bench.run(work).await
}

pub(super) async fn drift(
    arguments: DriftArguments,
    global: &GlobalArguments,
    environment: &Environment,
    output: &Output,
) -> Result<()> {
    let mut desired = wished(&arguments.wish, environment, output)?;
    let bench = Bench::open("drift", None, global, environment, output).await?;
    let accepted = arguments.wish.accepted_sources.iter().cloned().collect();
    let work = async |bench: &Bench<'_>| {
        let look = bench.look().await?;
        let (plan, _) = bench.plan_files(look, &mut desired, arguments.wish.unknown, &accepted).await?;
        show(bench, &plan, &Approval::None, None, None)?;
        let summary = Summary::of(&plan, &Approval::None);
        match summary.verdict() {
            // What could not be compared is no "nothing differs".
            Verdict::Incomplete | Verdict::NotFound => {
                let uncompared = summary::not_done_line(&plan, &Approval::None).unwrap_or_default();
                Err(Failure::new(ExitStatus::Partial, format!("not compared: {uncompared}")))
            }
            Verdict::Clean if summary.is_empty() => Ok(()),
            Verdict::Clean | Verdict::Blocked => Err(Failure::silent(ExitStatus::Difference)),
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
    if form.is_none() && output.format() == Some(Format::Csv) {
        return rows(output, plan);
    }
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

/// The rows of a plan for a spreadsheet.
pub(super) fn rows(output: &Output, plan: &Plan) -> Result<()> {
    output.items(&plan_rows(plan), "there is nothing to do")
}

/// The slowest pace of those that the plan needs, and where it comes from.
fn pace(bench: &Bench<'_>, plan: &Plan) -> Option<(f64, String)> {
    let effects: BTreeSet<Effect> =
        plan.operations().map(|(_, operation)| Operation::effect(operation)).collect();
    let lanes = effects.into_iter().map(lane);
    let paces = lanes.filter_map(|lane| Some((bench.lanes.rpm(lane)?, lane)));
    let (rpm, lane) = paces.min_by(|(a, _), (b, _)| a.total_cmp(b))?;
    let age = bench.learned_age.get().filter(|_| bench.lanes.is_recalled(lane));
    let known = match age.map(|age| age.as_secs() / SECONDS_PER_MINUTE) {
        Some(minutes) if minutes < 2 * 60 => format!("learned {minutes} min ago; --max-rpm overrules it"),
        Some(minutes) => format!("learned {} h ago; --max-rpm overrules it", minutes / 60),
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
