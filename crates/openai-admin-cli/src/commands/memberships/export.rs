//! `openai-admin export`: writes the current groups as a group file.

use openai_admin_sync::{
    current, export,
    policy::{Protected, Protection},
};

use super::context::SyncContext;
use crate::{
    arguments::{ExportArguments, ExportChoice, GlobalArguments},
    config::Environment,
    failure::{ExitStatus, Failure, Result},
    output::{Output, count},
};

pub(super) async fn run(
    arguments: &ExportArguments,
    global: &GlobalArguments,
    environment: &Environment,
    output: &Output,
) -> Result<()> {
    let context = SyncContext::open("export", None, global, environment, output).await?;
    let write = async |context: &SyncContext<'_>| {
        let text = text(context, arguments).await?;
        if arguments.format == ExportChoice::Json { output.json(&text) } else { output.text(&text) }
    };
    context.run(write).await
}

async fn text(context: &SyncContext<'_>, arguments: &ExportArguments) -> Result<String> {
    let mut snapshot = context.read_state().await?.snapshot;
    let pattern =
        Protection::of(&Protected { groups: vec![arguments.groups.clone()], ..Protected::default() });
    let groups = snapshot.groups.iter().enumerate();
    let matching: Vec<usize> =
        groups.filter(|(_, group)| pattern.has_group(None, &group.name)).map(|(index, _)| index).collect();
    let (managed_elsewhere, indexes): (Vec<usize>, Vec<usize>) =
        matching.into_iter().partition(|index| snapshot.groups[*index].is_managed_elsewhere());
    if !managed_elsewhere.is_empty() {
        let number = count(managed_elsewhere.len(), "group");
        context.output.note(&format!("skipped: {number} that an identity provider or a tenant manages"));
    }
    let read = current::read_members(&context.reader, &mut snapshot, &indexes, current::CONCURRENCY).await;
    read.map_err(|error| context.read_failure(error))?;
    // With groups missing, the export would plan their removal.
    if let Some(group) =
        snapshot.groups.iter().find(|group| matches!(group.members, current::Members::Unreadable(_)))
    {
        let message = format!("the users of group '{}' could not be read", group.name);
        return Err(Failure::new(ExitStatus::Partial, message).hint("nothing was exported; retry"));
    }
    let unwritable =
        |error: String| Failure::new(ExitStatus::Failed, format!("cannot write the data: {error}"));
    match arguments.format {
        ExportChoice::Yaml => export::export(&snapshot).to_yaml().map_err(unwritable),
        ExportChoice::Json => serde_json::to_string_pretty(&export::export(&snapshot))
            .map(|text| text + "\n")
            .map_err(|error| unwritable(error.to_string())),
        ExportChoice::Csv => {
            let mut writer = csv::Writer::from_writer(Vec::new());
            let rows = export::rows(&snapshot);
            for row in &rows {
                writer.serialize(row).map_err(|error| unwritable(error.to_string()))?;
            }
            let bytes = writer.into_inner().map_err(|error| unwritable(error.to_string()))?;
            String::from_utf8(bytes).map_err(|error| unwritable(error.to_string()))
        }
    }
}
