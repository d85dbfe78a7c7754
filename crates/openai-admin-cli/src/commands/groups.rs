//! `openai-admin groups`: groups of the organization.

use openai_admin::{
    GroupId, Limit,
    identity::name_key,
    models::{CreateGroupBody, GroupResponse, UpdateGroupBody},
};

use super::{group_users, protection};
use crate::{
    arguments::{GroupsCommand, OrderedListArguments},
    failure::{Doing as _, Failure, Result},
    lists::{print_list, read_list},
    output::{Layout, visible},
    prompt::Consent,
    resolve,
    session::Session,
};

mod counted;

/// The largest page of groups.
const PAGE_SIZE: u16 = Limit::<0, 1000, 100>::MAX.get();

pub(super) async fn run(command: GroupsCommand, session: &Session<'_>) -> Result<()> {
    let Session { client, output, .. } = session;
    match command {
        GroupsCommand::List { list: arguments, members } => list(session, &arguments, members).await,
        GroupsCommand::Get { group } => output.item(&resolve::group(client, &group).await?),
        GroupsCommand::Create { name, allow_duplicate } => {
            if !allow_duplicate {
                check_name_is_free(session, &name, None).await?;
            }
            let doing = format!("create group '{}'", &*name);
            let created = client.groups().create_group(CreateGroupBody::new(name)).await.doing(|| doing)?;
            output.item(&*created)?;
            warn_of_same_name(session, &created).await;
            Ok(())
        }
        GroupsCommand::Rename { group: text, name, allow_duplicate } => {
            let mut group = resolve::group(client, &text).await?;
            protection::allow_group(session, &group)?;
            if !allow_duplicate {
                check_name_is_free(session, &name, Some(&group.id)).await?;
            }
            let renamed = client.groups().update_group(group.id.clone(), UpdateGroupBody::new(name)).await;
            // The response omits fields that did not change.
            group.name = renamed.doing(|| format!("rename group '{text}'"))?.into_inner().name;
            output.item(&group)?;
            warn_of_same_name(session, &group).await;
            Ok(())
        }
        GroupsCommand::Delete { group, removal } => {
            let consent = Consent::of_removal(&removal, "deleting a group")?;
            delete(session, &group, consent).await
        }
        GroupsCommand::Users(command) => group_users::run(command, session).await,
    }
}

/// Refuses a name that another group already has, because commands and files could not use it for either group. `own`
/// is the group to rename, if any.
async fn check_name_is_free(session: &Session<'_>, name: &str, own: Option<&GroupId>) -> Result<()> {
    let key = name_key(name);
    // A key without the scope to list groups cannot check.
    let Ok(groups) = session.client.groups().list_groups().limit(PAGE_SIZE).items().try_collect().await
    else {
        return Ok(());
    };
    match groups.iter().find(|other| Some(&other.id) != own && name_key(&other.name) == key) {
        None => Ok(()),
        Some(other) => {
            let message = format!("a group already has the name '{}': {}", other.name, other.id);
            Err(Failure::not_found(message).hint("pass --allow-duplicate to use the name anyway"))
        }
    }
}

/// Warns if several groups have the same name, because commands cannot use it for any of them.
async fn warn_of_same_name(session: &Session<'_>, group: &GroupResponse) {
    if session.output.is_quiet() {
        return;
    }
    let groups = session.client.groups().list_groups().limit(PAGE_SIZE).items().try_collect().await;
    // Without the scope to list groups there is no warning: the change itself succeeded.
    let namesakes = groups.iter().flatten().filter(|other| other.name == group.name).count();
    if namesakes > 1 {
        let name = visible(&group.name);
        session.output.note(&format!("{namesakes} groups now have the name '{name}': use their ids"));
    }
}

async fn list(session: &Session<'_>, arguments: &OrderedListArguments, counts_members: bool) -> Result<()> {
    let mut call = session.client.groups().list_groups();
    if let Some(order) = arguments.order {
        call = call.order(order.into());
    }
    let doing = || "list the groups".to_owned();
    let none = "no groups";
    if counts_members {
        let part = read_list(call, &arguments.list, PAGE_SIZE).await.doing(doing)?;
        return counted::print(session, part, none).await;
    }
    print_list(call, &arguments.list, PAGE_SIZE, &Layout::of_record(), none, doing, session.output).await
}

async fn delete(session: &Session<'_>, text: &str, consent: Consent) -> Result<()> {
    let Session { client, output, .. } = session;
    let group = resolve::group(client, text).await?;
    protection::allow_group(session, &group)?;
    if consent != Consent::Given {
        let members = group_users::members(session, &group).await?;
        let question = format!("delete group '{}' ({}) and its {members}?", group.name, group.id);
        consent.ask(&question, output)?;
    }
    let deleted = client.groups().delete_group(group.id).await;
    let deleted = deleted.doing(|| format!("delete group '{text}'"))?;
    if output.is_for_people() {
        output.note(&format!("deleted group '{}' ({})", visible(&group.name), deleted.id));
        return Ok(());
    }
    output.item(&*deleted)
}
