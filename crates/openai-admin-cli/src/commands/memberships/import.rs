//! `openai-admin import memberships`: applies a table of people and groups, after checking all of it.

use std::ffi::OsString;

use openai_admin::likeness::most_like;
use openai_admin_sync::{
    csv::Mapping,
    desired::Desired,
    import::{self, ImportMode},
};

use super::{
    apply::{confirm_and_execute, dry_run},
    context::{SyncContext, input_failure, print_skipped_rows},
    tables::read_input,
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
    let desired = import::desired(&read_input(&arguments.file, &name)?, &name, &mapping, mode);
    let desired = desired.map_err(|errors| input_failure(&errors, environment, output))?;
    print_skipped_rows(&desired, output);
    let consent = if arguments.dry_run {
        Consent::Given
    } else {
        Consent::of(&arguments.execution.consent, "importing memberships")?
    };
    let context =
        SyncContext::open("import", Some(&arguments.execution), global, environment, output).await?;
    context.run(async |context| import(context, desired, &arguments, consent).await).await
}

/// The error for another word in place of `memberships`, mostly the file.
fn unknown_kind(words: &[OsString]) -> Failure {
    let words: Vec<String> = words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let first = words.first().map_or("", String::as_str);
    let is_slip = most_like(first, ["memberships"]).is_some();
    let rest = words.iter().skip(usize::from(is_slip)).map(|word| format!(" {}", shell_word(word)));
    Failure::usage(format!("unknown import '{first}': the only kind is memberships"))
        .suggest(format!("import memberships{}", rest.collect::<String>()), "imports group members")
}

async fn import(
    context: &SyncContext<'_>,
    desired: Desired,
    arguments: &ImportArguments,
    consent: Consent,
) -> Result<()> {
    // An import is a single change, so it does not become a source that later runs are compared with.
    let state = context.read_state_for(consent, arguments.dry_run).await?;
    let options = context.options_without_files(arguments.unknown, &state.runs)?;
    let (plan, state) = context.plan_from(state, &desired, &options).await?;
    drop(desired);
    if arguments.dry_run {
        return dry_run(context, &plan, &arguments.execution);
    }
    confirm_and_execute(context, plan, state, &arguments.execution, consent).await
}
