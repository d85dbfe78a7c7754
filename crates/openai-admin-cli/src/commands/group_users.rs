//! `openai-admin groups users`: the members of groups.

use openai_admin::models::GroupResponse;
use openai_admin_sync::render::shell_word;

use super::{protection, recording::FoundGroup, user_file};
use crate::{
    arguments::{BulkArguments, GroupUsersCommand, OrderedListArguments},
    failure::{Doing as _, Failure, Result},
    lists::{LONG_PAGE_SIZE, print_list},
    output::{Layout, count, visible},
    prompt::Consent,
    resolve,
    session::Session,
};

mod at;
mod bulk;

use bulk::Change;

pub(super) async fn run(command: GroupUsersCommand, session: &Session<'_>) -> Result<()> {
    match command {
        GroupUsersCommand::List { group, at: Some(at), .. } => {
            at::list(session, &resolve::group(&session.client, &group).await?, at).await
        }
        GroupUsersCommand::List { group, at: None, list: arguments } => {
            list(session, &group, &arguments).await
        }
        GroupUsersCommand::Add(arguments) => {
            let users = user_file::users(&arguments.users, arguments.file.as_deref())?;
            let group = FoundGroup::find(session, &arguments.group).await?;
            protection::allow_group(session, &group.group)?;
            let rows = bulk::find(&session.client, users).await?;
            bulk::run(session, Change::Add, &group, rows, arguments.dry_run).await
        }
        GroupUsersCommand::Get { group, user } => get(session, &group, &user).await,
        GroupUsersCommand::Remove { bulk: arguments, consent } => {
            let users = user_file::users(&arguments.users, arguments.file.as_deref())?;
            let doing = format!("removing {} from a group", count(users.len(), "user"));
            let consent = if arguments.dry_run { Consent::Given } else { Consent::of(&consent, &doing)? };
            remove(session, &arguments, users, consent).await
        }
    }
}

async fn list(session: &Session<'_>, group: &str, arguments: &OrderedListArguments) -> Result<()> {
    let group = resolve::group(&session.client, group).await?;
    let mut call = session.client.group_users().list_group_users(group.id);
    if let Some(order) = arguments.order {
        call = call.order(order.into());
    }
    let none = format!("group '{}' has no members", visible(&group.name));
    let doing = || format!("list the users of group '{}'", group.name);
    print_list(call, &arguments.list, LONG_PAGE_SIZE, &Layout::of_record(), &none, doing, session.output)
        .await
}

async fn get(session: &Session<'_>, group: &str, text: &str) -> Result<()> {
    let Session { client, output, .. } = session;
    let group = resolve::group(client, group).await?;
    let user = resolve::user(client, text).await?;
    match client.group_users().retrieve_group_user(group.id.clone(), user.id).await {
        Ok(member) => output.item(&*member),
        Err(error) if error.is_not_found() => {
            let message = format!("'{text}' is not in group '{}' ({})", group.name, group.id);
            let argument = shell_word(group.id.as_str());
            Err(Failure::not_found(message)
                .suggest(format!("groups users list {argument}"), "lists its members"))
        }
        Err(error) => Err(error).doing(|| format!("find '{text}' in group '{}'", group.name)),
    }
}

async fn remove(
    session: &Session<'_>,
    arguments: &BulkArguments,
    users: Vec<String>,
    consent: Consent,
) -> Result<()> {
    let group = FoundGroup::find(session, &arguments.group).await?;
    protection::allow_group(session, &group.group)?;
    if consent != Consent::Given {
        consent.ask(&question(session, &group.group, &users).await?, session.output)?;
    }
    let rows = bulk::find(&session.client, users).await?;
    bulk::run(session, Change::Remove, &group, rows, arguments.dry_run).await
}

async fn question(session: &Session<'_>, group: &GroupResponse, users: &[String]) -> Result<String> {
    let who = match users {
        [user] => format!("'{user}'"),
        users => count(users.len(), "user"),
    };
    let members = members(session, group).await?;
    Ok(format!("remove {who} from group '{}' ({}), which has {members}?", group.name, group.id))
}

/// The number of members as text; for a large group, only that it is large.
pub(super) async fn members(session: &Session<'_>, group: &GroupResponse) -> Result<String> {
    let list = session.client.group_users().list_group_users(group.id.clone()).limit(LONG_PAGE_SIZE);
    let page = list.await.doing(|| format!("count the members of group '{}'", group.name))?;
    let counted = count(page.data.len(), "member");
    Ok(if page.has_more { format!("more than {counted}") } else { counted })
}
