//! `openai-admin groups`: groups of the organization.

use openai_admin::{
    GroupId, Limit,
    identity::name_key,
    models::{CreateGroupBody, GroupResponse, UpdateGroupBody},
};

use super::{group_users, protection};
use crate::{
    arguments::{GroupsCommand, OrderedListArguments},
    failure::{Failure, Result, While as _},
    lists::print_list,
    output::{Layout, visible},
    prompt::Consent,
    resolve,
    session::Session,
};

/// The largest page of groups.
const PAGE_SIZE: u16 = Limit::<0, 1000, 100>::MAX.get();

pub(super) async fn run(command: GroupsCommand, session: &Session<'_>) -> Result<()> {
    let Session { client, output, .. } = session;
    match command {
        GroupsCommand::List(arguments) => list(session, &arguments).await,
        GroupsCommand::Get { group } => output.item(&resolve::group(client, &group).await?),
        GroupsCommand::Create { name, allow_duplicate } => {
            if !allow_duplicate {
                check_name_is_free(session, &name, None).await?;
            }
            let doing = format!("create group '{}'", &*name);
            let created = client.groups().create_group(CreateGroupBody::new(name)).await.doing(|| doing)?;
            output.item(&*created)?;
            warn_of_namesakes(session, &created).await;
            Ok(())
        }
        GroupsCommand::Rename { group: text, name, allow_duplicate } => {
            let mut group = resolve::group(client, &text).await?;
            protection::allow_group(session, &group)?;
            if !allow_duplicate {
                check_name_is_free(session, &name, Some(&group.id)).await?;
            }
            let renamed = client.groups().update_group(group.id.clone(), UpdateGroupBody::new(name)).await;
            // What the answer leaves out is as it was.
            group.name = renamed.doing(|| format!("rename group '{text}'"))?.into_inner().name;
            output.item(&group)?;
            warn_of_namesakes(session, &group).await;
            Ok(())
        }
        GroupsCommand::Delete { group, consent } => {
            let consent = Consent::of(&consent, "deleting a group")?;
            delete(session, &group, consent).await
        }
        GroupsCommand::Users(command) => group_users::run(command, session).await,
    }
}

/// Refuses a name that a group has already: commands and files could name neither by it any more. `own` is the group
/// that gets the name, if there is one.
async fn check_name_is_free(session: &Session<'_>, name: &str, own: Option<&GroupId>) -> Result<()> {
    let key = name_key(name);
    // A key that may not list the groups cannot be asked to.
    let Ok(groups) = session.client.groups().list_groups().limit(PAGE_SIZE).items().try_collect().await
    else {
        return Ok(());
    };
    match groups.iter().find(|other| Some(&other.id) != own && name_key(&other.name) == key) {
        None => Ok(()),
        Some(other) => {
            let message = format!("a group is called '{}' already: {}", other.name, other.id);
            Err(Failure::not_found(message).hint("for another one of this name, pass --allow-duplicate"))
        }
    }
}

/// Two groups may have one name, and then neither can be named by it.
async fn warn_of_namesakes(session: &Session<'_>, group: &GroupResponse) {
    if session.output.is_quiet() {
        return;
    }
    let groups = session.client.groups().list_groups().limit(PAGE_SIZE).items().try_collect().await;
    // Who may not list the groups is not warned: the change itself is done.
    let namesakes = groups.iter().flatten().filter(|other| other.name == group.name).count();
    if namesakes > 1 {
        let name = visible(&group.name);
        session.output.note(&format!("{namesakes} groups are called '{name}' now: name them by id"));
    }
}

async fn list(session: &Session<'_>, arguments: &OrderedListArguments) -> Result<()> {
    let mut call = session.client.groups().list_groups();
    if let Some(order) = arguments.order {
        call = call.order(order.into());
    }
    let doing = || "list the groups".to_owned();
    print_list(
        call,
        &arguments.list,
        PAGE_SIZE,
        &Layout::of_record(),
        "there are no groups",
        doing,
        session.output,
    )
    .await
}

async fn delete(session: &Session<'_>, text: &str, consent: Consent) -> Result<()> {
    let Session { client, output, .. } = session;
    let group = resolve::group(client, text).await?;
    protection::allow_group(session, &group)?;
    if matches!(consent, Consent::Ask) {
        let members = group_users::members(session, &group).await?;
        consent.ask(&format!("delete group '{}' ({}) and its {members}?", group.name, group.id))?;
    }
    let deleted = client.groups().delete_group(group.id).await;
    let deleted = deleted.doing(|| format!("delete group '{text}'"))?;
    if output.is_for_people() {
        output.note(&format!("deleted group '{}' ({})", visible(&group.name), deleted.id));
        return Ok(());
    }
    output.item(&*deleted)
}
