//! `openai-admin users offboard`: removes users from every group and ends their rights, with a report.

use openai_admin::{Client, UserId};
use openai_admin_sync::{
    Approval,
    holdings::{self, Holdings},
    offboard::plan_offboarding,
};

use super::{
    super::user_file,
    apply::{confirm_and_execute, dry_run, show_without_changes},
    context::SyncContext,
};
use crate::{
    arguments::{GlobalArguments, OffboardArguments, UnknownChoice},
    config::Environment,
    failure::{Doing as _, Failure, Result},
    output::{Output, count, visible},
    progress,
    prompt::Consent,
    resolve::{self, ResolvedUser},
};

pub(super) async fn run(
    arguments: OffboardArguments,
    global: &GlobalArguments,
    environment: &Environment,
    output: &Output,
) -> Result<()> {
    let users = user_file::users(&arguments.users, arguments.file.as_deref())?;
    let consent = if arguments.dry_run {
        Consent::Given
    } else {
        Consent::of(&arguments.execution.consent, &format!("offboarding {}", count(users.len(), "user")))?
    };
    let context = SyncContext::open("users", Some(&arguments.execution), global, environment, output).await?;
    context.run(async |context| offboard(context, &users, &arguments, consent).await).await
}

async fn offboard(
    context: &SyncContext<'_>,
    texts: &[String],
    arguments: &OffboardArguments,
    consent: Consent,
) -> Result<()> {
    let users: Vec<UserId> = find(context, texts).await?;
    let state = context.read_state_for(consent, arguments.dry_run).await?;
    let options = context.options_without_files(UnknownChoice::Error, &state.runs)?;
    let holdings = match arguments.groups_only {
        true => Holdings::default(),
        false => read_holdings(context, &users, options.concurrency).await?,
    };
    let plan = plan_offboarding(&context.reader, users, holdings, &options).await;
    let plan = plan.map_err(|error| context.read_failure(error))?;
    if plan.groups.is_empty() && plan.rights.is_empty() && plan.kept.is_empty() {
        let (who, have) = match texts {
            [text] => (format!("'{}' is", visible(text)), "has"),
            _ => (format!("the {} are", count(texts.len(), "user")), "have"),
        };
        let rights =
            if arguments.groups_only { String::new() } else { format!(" and {have} no rights to end") };
        context.output.note(&format!("{who} in no group{rights}"));
        return match context.output.is_tree() {
            true => show_without_changes(context, &plan, &Approval::None, &arguments.execution),
            false => Ok(()),
        };
    }
    if arguments.dry_run {
        return dry_run(context, &plan, &arguments.execution);
    }
    confirm_and_execute(context, plan, state, &arguments.execution, consent).await
}

/// Reads the rights of the users, and says before the longest part how many requests it takes.
async fn read_holdings(context: &SyncContext<'_>, users: &[UserId], concurrency: usize) -> Result<Holdings> {
    let failure = |error| context.read_failure(error);
    let own_key = context.session.own_key.clone();
    let reading = holdings::begin(&context.reader, users, own_key, concurrency).await.map_err(failure)?;
    let requests = count(reading.requests_left(), "request");
    context.output.note(&format!("reading the projects of the organization takes at least {requests}"));
    reading.finish().await.map_err(failure)
}

/// The users, or a failure after printing each one that was not found.
async fn find(context: &SyncContext<'_>, texts: &[String]) -> Result<Vec<UserId>> {
    let client = &context.session.client;
    let found = resolve::users(client, texts).await?;
    let found = texts.iter().zip(found).collect();
    let found = progress::run_concurrently(context.output, found, |(text, found)| async move {
        let found = match found {
            // An id was not looked up.
            Ok(ResolvedUser { id, email: None }) => check_id(client, text, id).await?,
            found => found.map(|user| user.id),
        };
        Ok::<_, Failure>((text, found))
    });
    let mut ids: Vec<UserId> = Vec::with_capacity(texts.len());
    let mut failures = Vec::new();
    for (text, found) in found.await? {
        match found {
            Ok(id) if ids.contains(&id) => {}
            Ok(id) => ids.push(id),
            Err(failure) => failures.push((text, failure)),
        }
    }
    if failures.is_empty() {
        return Ok(ids);
    }
    let known = resolve::known_users(client).await;
    for (text, failure) in &mut failures {
        resolve::suggest(text, &known, failure);
    }
    match (failures.pop(), failures.len()) {
        (Some((_, failure)), 0) => Err(failure.hint("nothing changed")),
        (last, more) => {
            for (_, failure) in failures.into_iter().chain(last) {
                context.output.failure(&failure);
            }
            Err(Failure::not_found(format!("{} not found", count(more + 1, "user"))).hint("nothing changed"))
        }
    }
}

/// Checks that a user with this id exists. A key that may not read users cannot check.
async fn check_id(client: &Client, text: &str, id: UserId) -> Result<Result<UserId>> {
    match client.users().retrieve_user(id.clone()).await {
        Ok(_) => Ok(Ok(id)),
        Err(error) if error.is_not_found() => Ok(Err(resolve::unknown_user(text))),
        Err(error) if error.is_permission_denied() => Ok(Ok(id)),
        Err(error) => Err(error).doing(|| format!("find user '{text}'")),
    }
}
