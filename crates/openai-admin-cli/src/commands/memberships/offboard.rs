//! `openai-admin users offboard`: removes a user from every group, with a report.

use openai_admin_sync::offboard::plan_offboarding;

use super::{
    apply::{confirm_and_execute, dry_run},
    context::SyncContext,
};
use crate::{
    arguments::{GlobalArguments, OffboardArguments, UnknownChoice},
    config::Environment,
    failure::Result,
    output::{Output, visible},
    prompt::Consent,
    resolve,
};

pub(super) async fn run(
    arguments: OffboardArguments,
    global: &GlobalArguments,
    environment: &Environment,
    output: &Output,
) -> Result<()> {
    let consent = if arguments.dry_run {
        Consent::Given
    } else {
        Consent::of(&arguments.execution.consent, "offboarding a user")?
    };
    let context = SyncContext::open("users", Some(&arguments.execution), global, environment, output).await?;
    context.run(async |context| offboard(context, &arguments, consent).await).await
}

async fn offboard(context: &SyncContext<'_>, arguments: &OffboardArguments, consent: Consent) -> Result<()> {
    let user = resolve::user(&context.session.client, &arguments.user).await?;
    let state = context.read_state_for(consent, arguments.dry_run).await?;
    let options = context.options_without_files(UnknownChoice::Error, &state.runs)?;
    let plan = plan_offboarding(&context.reader, &user.id, &options).await;
    let plan = plan.map_err(|error| context.read_failure(error))?;
    if plan.groups.is_empty() {
        context.output.note(&format!("'{}' is in no group", visible(&arguments.user)));
        return Ok(());
    }
    if arguments.dry_run {
        return dry_run(context, &plan, &arguments.execution);
    }
    confirm_and_execute(context, plan, state, &arguments.execution, consent).await
}
