//! `openai-admin import memberships`: applies a table of people and groups, after checking all of it.

use std::{
    collections::{HashMap, HashSet},
    ffi::OsString,
    path::Path,
};

use openai_admin::{GroupId, likeness::most_like};
use openai_admin_sync::{
    InputErrors, Plan,
    csv::{self, GroupSource, Mapping, Matching, SkippedRow},
    current::CurrentGroup,
    desired::Desired,
    email::EmailKey,
    import::{self, ImportMode},
    private,
    render::shell_word,
};

use super::{
    apply::{confirm_and_execute, dry_run},
    context::{Phase, SyncContext, input_failure, print_skipped_rows},
    tables::read_input,
};
use crate::{
    arguments::{GlobalArguments, ImportArguments, ImportChoice, ImportCommand, MatchChoice},
    config::Environment,
    failure::{Doing as _, ExitStatus, Failure, Result},
    output::{Output, count, file_name, visible},
    prompt::{self, Consent},
};

/// How many groups that are not in the table are named.
const LEFT_OUT_NAMED_MAX: usize = 10;

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
    check_options(&arguments)?;
    let bytes = read_input(&arguments.file, &name)?;
    let desired = desired(&bytes, &name, &arguments);
    let desired = desired.map_err(|errors| input_failure(&errors, environment, output))?;
    print_notes(&desired, output);
    if let Some(file) = &arguments.skip_bad_rows {
        write_skipped(file, &desired.skipped_rows, output)?;
    }
    let consent = if arguments.dry_run {
        Consent::Given
    } else {
        Consent::of(&arguments.execution.consent, "importing memberships")?
    };
    let context =
        SyncContext::open("import", Some(&arguments.execution), global, environment, output).await?;
    let work = async |context: &SyncContext<'_>| {
        let desired = match &arguments.interactive {
            Some(file) => correct(context, desired, &bytes, &name, &arguments, file).await?,
            None => desired,
        };
        drop(bytes);
        import(context, desired, &arguments, consent).await
    };
    context.run(work).await
}

/// Refuses options that contradict the mode.
fn check_options(arguments: &ImportArguments) -> Result<()> {
    if arguments.skip_bad_rows.is_some() && arguments.mode == ImportChoice::Exact {
        return Err(Failure::usage(
            "--skip-bad-rows cannot be used with --mode exact: skipped users would be removed",
        )
        .hint("correct the invalid rows, or add the users with --mode add"));
    }
    if arguments.interactive.is_some() && (!prompt::can_ask() || arguments.file == Path::new("-")) {
        return Err(Failure::usage("--interactive needs a terminal, and a file other than standard input")
            .hint("without a terminal, --dry-run lists the unknown addresses with suggestions"));
    }
    if arguments.create_groups && arguments.mode == ImportChoice::Remove {
        return Err(Failure::usage("--create-groups cannot be used with --mode remove")
            .hint("a group that does not exist has no members to remove"));
    }
    Ok(())
}

/// The desired state of the table.
fn desired(
    bytes: &[u8],
    name: &str,
    arguments: &ImportArguments,
) -> std::result::Result<Desired, InputErrors> {
    let mode = match arguments.mode {
        ImportChoice::Add => ImportMode::Add,
        ImportChoice::Remove => ImportMode::Remove,
        ImportChoice::Exact => ImportMode::Exact,
    };
    let mut desired = import::desired(bytes, name, &mapping(arguments), mode)?;
    if arguments.create_groups {
        import::create_missing_groups(&mut desired)?;
    }
    Ok(desired)
}

fn mapping(arguments: &ImportArguments) -> Mapping {
    let group = match (&arguments.group, &arguments.group_column) {
        (Some(name), _) => GroupSource::Named(name.clone()),
        (None, Some(column)) => GroupSource::Column(column.clone()),
        (None, None) => GroupSource::Guessed,
    };
    Mapping {
        email: arguments.email_column.clone(),
        group,
        filter: arguments.filter.iter().cloned().collect(),
        delimiter: arguments.delimiter,
        sheet: arguments.sheet.clone(),
        fill_down: arguments.fill_down,
        split: arguments.split.clone(),
        skip_bad_rows: arguments.skip_bad_rows.is_some(),
        matching: match arguments.matching {
            MatchChoice::Exact => Matching::Exact,
            MatchChoice::Loose => Matching::Loose,
        },
        ..Mapping::default()
    }
}

/// Prints the guesses and changes, and the rows that a filter excludes.
fn print_notes(desired: &Desired, output: &Output) {
    for note in &desired.notes {
        output.note(note);
    }
    print_skipped_rows(desired, output);
}

/// Writes the skipped rows to a file that only its owner can read. Without any, the file has only a header.
fn write_skipped(file: &Path, rows: &[SkippedRow], output: &Output) -> Result<()> {
    let mut writer = ::csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    let problem = |problem: String| Failure::new(ExitStatus::Failed, problem);
    writer.write_record(["line", "problem", "cells"]).map_err(|error| problem(error.to_string()))?;
    for row in rows {
        let line = row.line.to_string();
        let cells = row.cells.iter().map(String::as_str);
        let record = [line.as_str(), row.problem.as_str()].into_iter().chain(cells);
        writer.write_record(record).map_err(|error| problem(error.to_string()))?;
    }
    let text = writer.into_inner().map_err(|error| problem(error.to_string()))?;
    private::write(file, &text).doing(|| format!("write {}", file.display()))?;
    output.note(&format!("wrote {} to {}", count(rows.len(), "skipped row"), file.display()));
    Ok(())
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

/// Asks about unknown addresses, and writes the corrected table. The desired state is then that of the corrected table.
async fn correct(
    context: &SyncContext<'_>,
    desired: Desired,
    bytes: &[u8],
    name: &str,
    arguments: &ImportArguments,
    file: &Path,
) -> Result<Desired> {
    // Without the lock, because the answers may take long.
    let state = context.read_state().await?;
    let options = context.options_without_files(arguments.unknown, &state.runs)?;
    let (plan, _) = context.plan_from(state, &desired, &options).await?;
    context.phase.set(Phase::Asking);
    let corrections = ask_for_corrections(&plan, context.output).await?;
    context.phase.set(Phase::Reading);
    if corrections.is_empty() {
        context.output.note("no address was corrected");
        return Ok(desired);
    }
    let failure = |errors: InputErrors| input_failure(&errors, context.environment, context.output);
    let written = csv::corrected(bytes, name, &mapping(arguments), &corrections).map_err(failure)?;
    private::write(file, &written).doing(|| format!("write {}", file.display()))?;
    let corrected = match corrections.len() {
        1 => "1 address".to_owned(),
        number => format!("{number} addresses"),
    };
    context.output.note(&format!("corrected {corrected} and wrote the table to {}", file_name(file)));
    self::desired(&written, &file_name(file), arguments).map_err(failure)
}

/// The accepted suggestions, by the address in the table. Each address is asked about once.
async fn ask_for_corrections(plan: &Plan, output: &Output) -> Result<HashMap<EmailKey, String>> {
    let mut seen = HashSet::new();
    let mut corrections = HashMap::new();
    for unresolved in plan.groups.iter().flat_map(|group| &group.unresolved) {
        let key = EmailKey::new(&unresolved.who);
        let Some(suggestion) = unresolved.suggestion.as_ref().filter(|_| seen.insert(key.clone())) else {
            continue;
        };
        let position = unresolved.origin.position.as_ref();
        let position = position.map(|position| format!("{}:{}: ", position.file, position.line));
        let (who, position) = (&unresolved.who, position.unwrap_or_default());
        let question = format!("{position}{who}: {}", unresolved.problem);
        if prompt::is_agreed(&question, output).await? {
            corrections.insert(key, suggestion.clone());
        }
    }
    Ok(corrections)
}

fn named(group: &CurrentGroup) -> (GroupId, String) {
    (group.id.clone(), group.name.clone())
}

/// The groups that an exact import does not change, because the table does not name them: a team may have left the
/// table by mistake, or with all its people.
fn not_in_table(groups: &[(GroupId, String)], plan: &Plan) -> Option<String> {
    let planned: HashSet<&GroupId> = plan.groups.iter().filter_map(|group| group.id.as_ref()).collect();
    let left_out = groups.iter().filter(|(id, _)| !planned.contains(id));
    let names: Vec<&str> = left_out.map(|(_, name)| name.as_str()).collect();
    let shown = visible(&names[..names.len().min(LEFT_OUT_NAMED_MAX)].join(", "));
    let (groups, keep) = match names.len() {
        0 => return None,
        1 => ("1 group is".to_owned(), "keeps its"),
        number => (format!("{number} groups are"), "keep their"),
    };
    let more = if names.len() > LEFT_OUT_NAMED_MAX { ", …" } else { "" };
    Some(format!("{groups} not in the table and {keep} members: {shown}{more}"))
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
    let groups: Vec<(GroupId, String)> = match arguments.mode {
        ImportChoice::Exact => {
            state.snapshot.groups.iter().filter(|group| !group.is_managed_elsewhere()).map(named).collect()
        }
        ImportChoice::Add | ImportChoice::Remove => Vec::new(),
    };
    let (plan, state) = context.plan_from(state, &desired, &options).await?;
    drop(desired);
    if let Some(note) = not_in_table(&groups, &plan) {
        context.output.note(&note);
    }
    if arguments.dry_run {
        return dry_run(context, &plan, &arguments.execution);
    }
    confirm_and_execute(context, plan, state, &arguments.execution, consent).await
}
