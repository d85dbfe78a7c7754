//! `openai-admin groups`: groups of the organization.

use openai_admin::{
    GroupId,
    identity::name_key,
    models::{CreateGroupBody, GroupResponse, UpdateGroupBody},
};
use openai_admin_sync::{
    desired::Origin,
    plan::{Operation, Why},
};

use super::{
    group_users, protection,
    recording::{Before, FoundGroup, Recording},
};
use crate::{
    arguments::{GroupsCommand, OrderedListArguments},
    failure::{Doing as _, Failure, Result},
    lists::{LONG_PAGE_SIZE, print_list, read_list},
    output::{Layout, visible},
    prompt::{self, Consent},
    resolve,
    session::Session,
};

mod counted;
mod overlap;

pub(super) async fn run(command: GroupsCommand, session: &Session<'_>) -> Result<()> {
    let Session { client, output, .. } = session;
    match command {
        GroupsCommand::List { list: arguments, members } => list(session, &arguments, members).await,
        GroupsCommand::Get { group } => output.item(&resolve::group(client, &group).await?),
        GroupsCommand::Create { name, allow_duplicate } => {
            if !allow_duplicate {
                ask_about_namesake(session, &name, None).await?;
            }
            let doing = format!("create group '{}'", &*name);
            let created = client.groups().create_group(CreateGroupBody::new(name)).await.doing(|| doing)?;
            output.item(&*created)?;
            warn_of_same_name(session, &created).await;
            Ok(())
        }
        GroupsCommand::Rename { group: text, name, allow_duplicate } => {
            let found = FoundGroup::find(session, &text).await?;
            let mut group = found.group.clone();
            protection::allow_group(session, &group)?;
            if !allow_duplicate {
                ask_about_namesake(session, &name, Some(&group.id)).await?;
            }
            let mut recording = record_rename(session, &found, &name);
            let renamed = client.groups().update_group(group.id.clone(), UpdateGroupBody::new(name)).await;
            if let Some(recording) = &mut recording {
                recording.result(session, 0, &renamed);
            }
            // The response omits fields that did not change.
            group.name = renamed.doing(|| format!("rename group '{text}'"))?.into_inner().name;
            output.item(&group)?;
            if let Some(recording) = recording {
                recording.end(session);
            }
            warn_of_same_name(session, &group).await;
            Ok(())
        }
        GroupsCommand::Delete { group, removal } => {
            let consent = Consent::of_removal(&removal, "deleting a group")?;
            delete(session, &group, consent).await
        }
        GroupsCommand::Overlap { groups } => overlap::run(session, &groups).await,
        GroupsCommand::Users(command) => group_users::run(command, session).await,
    }
}

/// Starts to record a rename. A rename to the same name changes nothing.
fn record_rename(session: &Session<'_>, found: &FoundGroup, name: &str) -> Option<Recording> {
    let (before, group) = (Before::without_members(session, found), &found.group);
    let is_change = *group.name != *name;
    let rename =
        || Operation::rename_group(group.name.to_string(), name.to_owned(), Why::Listed, Origin::default());
    let operations = is_change.then(rename).into_iter().collect();
    Recording::begin(session, before, group, &format!("groups rename {} to {name}", group.name), operations)
}

/// Asks before a name is used that another group already has, because commands and files cannot use it for either group.
/// Without a terminal it is refused. `own` is the group to rename, if any.
async fn ask_about_namesake(session: &Session<'_>, name: &str, own: Option<&GroupId>) -> Result<()> {
    let key = name_key(name);
    // A key without the scope to list groups cannot check.
    let Ok(groups) = session.client.groups().list_groups().limit(LONG_PAGE_SIZE).items().try_collect().await
    else {
        return Ok(());
    };
    match groups.iter().find(|other| Some(&other.id) != own && name_key(&other.name) == key) {
        None => Ok(()),
        Some(other) if prompt::can_ask() => {
            let question =
                format!("a group already has the name '{}': {}; use it twice?", other.name, other.id);
            Consent::Ask.ask(&question, session.output)
        }
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
    let groups = session.client.groups().list_groups().limit(LONG_PAGE_SIZE).items().try_collect().await;
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
        let part = read_list(call, &arguments.list, LONG_PAGE_SIZE).await.doing(doing)?;
        return counted::print(session, part, none).await;
    }
    print_list(call, &arguments.list, LONG_PAGE_SIZE, &Layout::of_record(), none, doing, session.output).await
}

async fn delete(session: &Session<'_>, text: &str, consent: Consent) -> Result<()> {
    let Session { client, output, .. } = session;
    let group = resolve::group(client, text).await?;
    protection::allow_group(session, &group)?;
    if consent != Consent::Given {
        let members = group_users::members(session, &group).await?;
        let question = format!("delete group '{}' ({}) and its {members} permanently?", group.name, group.id);
        consent.ask(&question, output)?;
    }
    let deleted = client.groups().delete_group(group.id).await;
    let deleted = deleted.doing(|| format!("delete group '{text}'"))?;
    if output.is_for_people() {
        let name = visible(&group.name);
        output.note(&format!("deleted group '{name}' ({}); this cannot be undone", deleted.id));
        return Ok(());
    }
    output.item(&*deleted)
}
