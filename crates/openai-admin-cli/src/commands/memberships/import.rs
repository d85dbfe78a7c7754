//! `openai-admin import memberships`: a table of people and groups, checked whole before anything is written.

use std::ffi::OsString;

use openai_admin::likeness::most_like;
use openai_admin_sync::{
    csv::Mapping,
    desired::Desired,
    import::{self, ImportMode},
};

use super::{
    apply::{confirm_and_execute, dry_run},
    bench::{Bench, faulty, tell_left_out},
    tables::bytes_of,
};
use crate::{
    arguments::{GlobalArguments, ImportArguments, ImportChoice, ImportCommand},
    config::{Environment, shell_word},
    failure::{Failure, Result},
    output::{Output, file_name},
    prompt::Consent,
};

pub(super) async fn run(
    command: ImportCommand,
    global: &GlobalArguments,
    environment: &Environment,
    output: &Output,
) -> Result<()> {
    let arguments = match command {
        ImportCommand::Memberships(arguments) => arguments,
        ImportCommand::Other(words) => return Err(unknown_kind(&words)),
    };
    let name = file_name(&arguments.file);
    let mapping = Mapping {
        email: arguments.email_column.clone(),
        group: Some(arguments.group_column.clone()),
        filter: arguments.filter.iter().cloned().collect(),
        delimiter: arguments.delimiter,
        ..Mapping::default()
    };
    let mode = match arguments.mode {
        ImportChoice::Add => ImportMode::Add,
        ImportChoice::Remove => ImportMode::Remove,
        ImportChoice::Exact => ImportMode::Exact,
    };
    let wished = import::desired(&bytes_of(&arguments.file, &name)?, &name, &mapping, mode);
    let wished = wished.map_err(|faults| faulty(&faults, environment, output))?;
    tell_left_out(&wished, output);
    let consent = if arguments.dry_run {
        Consent::Given
    } else {
        Consent::of(&arguments.execution.consent, "importing memberships")?
    };
    let bench = Bench::open("import", Some(&arguments.execution), global, environment, output).await?;
    bench.run(async |bench| import(bench, wished, &arguments, consent).await).await
}

/// Somebody has typed something else where `memberships` belongs: mostly the file.
fn unknown_kind(words: &[OsString]) -> Failure {
    let words: Vec<String> = words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let first = words.first().map_or("", String::as_str);
    let is_slip = most_like(first, ["memberships"]).is_some();
    let rest = words.iter().skip(usize::from(is_slip)).map(|word| format!(" {}", shell_word(word)));
    Failure::usage(format!("import what? '{first}' is no kind of import; there is one, memberships"))
        .propose(format!("import memberships{}", rest.collect::<String>()), "imports who is in which group")
}

async fn import(
    bench: &Bench<'_>,
    wished: Desired,
    arguments: &ImportArguments,
    consent: Consent,
) -> Result<()> {
    // A table that is imported is a job of its own, not a source that is expected to stay as it was.
    let look = bench.look_for(consent, arguments.dry_run).await?;
    let options = bench.options_beside_files(arguments.unknown, &look.runs)?;
    let (plan, look) = bench.plan_from(look, &wished, &options).await?;
    drop(wished);
    if arguments.dry_run {
        return dry_run(bench, &plan, &arguments.execution);
    }
    confirm_and_execute(bench, plan, look, &arguments.execution, consent).await
}
