//! `openai-admin users list --no-group`: the users who are in no group.

use std::collections::HashSet;

use openai_admin::{UserId, models::User};

use crate::{
    failure::{Doing as _, Result},
    lists::{LONG_PAGE_SIZE, PAGE_SIZE},
    output::count,
    progress,
    session::Session,
};

/// Compares all users with the members of all groups: the API has no such list.
pub(super) async fn list(session: &Session<'_>) -> Result<()> {
    let Session { client, output, .. } = session;
    let groups = client.groups().list_groups().limit(LONG_PAGE_SIZE).items().try_collect().await;
    let groups = groups.doing(|| "list the groups".to_owned())?;
    let number = count(groups.len(), "group");
    output.note(&format!("reading the members of {number}: the API cannot list users without a group"));
    let members = progress::run_concurrently(output, groups, |group| async move {
        let list = client.group_users().list_group_users(group.id).limit(LONG_PAGE_SIZE).items();
        let members = list.try_collect().await?;
        Ok(members.into_iter().map(|member| member.id).collect::<Vec<UserId>>())
    });
    let members: Result<Vec<Vec<UserId>>, openai_admin::Error> = members.await;
    let members: HashSet<UserId> =
        members.doing(|| "list the members of the groups".to_owned())?.into_iter().flatten().collect();
    let users = client.users().list_users().limit(PAGE_SIZE).items().try_collect().await;
    let mut users: Vec<User> = users.doing(|| "list the users".to_owned())?;
    let searched = users.len();
    users.retain(|user| !members.contains(&user.id));
    output.items(&users, &format!("each of {} is in a group", count(searched, "user")))
}
