//! `openai-admin users offboard`: somebody leaves every group, with a receipt.

use openai_admin_sync::offboard::plan_offboarding;

use super::{
    apply::{confirm_and_execute, dry_run},
    bench::Bench,
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
    let bench = Bench::open("users", Some(&arguments.execution), global, environment, output).await?;
    bench.run(async |bench| offboard(bench, &arguments, consent).await).await
}

async fn offboard(bench: &Bench<'_>, arguments: &OffboardArguments, consent: Consent) -> Result<()> {
    let user = resolve::user(&bench.session.client, &arguments.user).await?;
    let look = bench.look_for(consent, arguments.dry_run).await?;
    let options = bench.options_beside_files(UnknownChoice::Error, &look.runs)?;
    let plan = plan_offboarding(&bench.reader, &user.id, &options).await;
    let plan = plan.map_err(|error| bench.unread(error))?;
    if plan.groups.is_empty() {
        bench.output.note(&format!("'{}' is in no group", visible(&arguments.user)));
        return Ok(());
    }
    if arguments.dry_run {
        return dry_run(bench, &plan, &arguments.execution);
    }
    confirm_and_execute(bench, plan, look, &arguments.execution, consent).await
}
