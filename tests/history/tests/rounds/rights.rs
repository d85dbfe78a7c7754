//! What clients change and read about a user: the membership of a group, a role, and the membership of a project.
//!
//! Each is a set of users, and a pair of the history is a set and a user: the groups come first. A user is in a set if
//! and only if the user has a permission: each group has a role with its own permission, the role has one, and every
//! member of a project may request models.

use openai_admin::{
    Client, Error,
    models::{
        AccessCheck, CheckAccessBody, CreateGroupUserBody, ProjectUserCreateRequest,
        PublicAssignOrganizationGroupRoleBody,
    },
};
use openai_admin_history::Pair;

use crate::{clients::user_id, round::GROUPS};

/// The set of users with the role.
pub(crate) const ROLE: usize = GROUPS;
/// The set of users of the project.
pub(crate) const PROJECT: usize = GROUPS + 1;
/// The number of sets.
pub(crate) const SETS: usize = GROUPS + 2;

pub(crate) const ROLE_ID: &str = "role_own";
pub(crate) const PROJECT_ID: &str = "proj_1";
pub(crate) const PERMISSION_OF_ROLE: &str = "api.own";

pub(crate) fn group_id(group: usize) -> String {
    format!("group_{group}")
}

/// The role that only this group has.
pub(crate) fn role_of_group(group: usize) -> String {
    format!("role_{group}")
}

/// The permission of its members.
pub(crate) fn permission_of_group(group: usize) -> String {
    format!("api.group_{group}")
}

/// Adds a user to a set. Returns whether the server added the user, or reported that the user was in the set.
pub(crate) async fn add(client: &Client, Pair { group, user }: Pair) -> Result<bool, Error> {
    let user = user_id(user);
    match group {
        ROLE => {
            let body = PublicAssignOrganizationGroupRoleBody::new(ROLE_ID.parse().unwrap());
            client.user_roles().assign_user_role(user, body).await.map(|_| true)
        }
        PROJECT => {
            let mut body = ProjectUserCreateRequest::new("member".to_owned());
            body.user_id = Some(user.parse().unwrap());
            let added = client.project_users().create_project_user(PROJECT_ID, body).await;
            unless(added.map(drop), "already_in_project")
        }
        group => {
            let body = CreateGroupUserBody::new(user.parse().unwrap());
            client.group_users().add_group_user(group_id(group), body).await.map(|_| true)
        }
    }
}

/// Removes a user from a set. Returns whether the user was in it.
pub(crate) async fn remove(client: &Client, Pair { group, user }: Pair) -> Result<bool, Error> {
    let user = user_id(user);
    match group {
        ROLE => {
            let removed = client.user_roles().unassign_user_role(user, ROLE_ID).await;
            unless(removed.map(drop), "role_not_found")
        }
        PROJECT => {
            let removed = client.project_users().delete_project_user(PROJECT_ID, user).await;
            unless(removed.map(drop), "not_in_project")
        }
        group => {
            let removed = client.group_users().remove_group_user(group_id(group), user).await;
            unless(removed.map(drop), "not_a_member")
        }
    }
}

/// Whether a user is in a set, from the operation that retrieves it.
pub(crate) async fn retrieve(client: &Client, Pair { group, user }: Pair) -> Result<bool, Error> {
    let user = user_id(user);
    match group {
        ROLE => {
            let found = client.user_roles().retrieve_user_role(user, ROLE_ID).await;
            unless(found.map(drop), "role_not_found")
        }
        PROJECT => {
            let found = client.project_users().retrieve_project_user(PROJECT_ID, user).await;
            unless(found.map(drop), "not_in_project")
        }
        group => {
            let found = client.group_users().retrieve_group_user(group_id(group), user).await;
            unless(found.map(drop), "not_a_member")
        }
    }
}

/// Whether a user is in a set, from the permission that the set gives.
pub(crate) async fn check(client: &Client, Pair { group, user }: Pair) -> Result<bool, Error> {
    let permission = match group {
        ROLE => PERMISSION_OF_ROLE.to_owned(),
        PROJECT => "api.model.request".to_owned(),
        group => permission_of_group(group),
    };
    let mut check = AccessCheck::new(user_id(user).parse().unwrap(), permission.parse().unwrap());
    check.project_id = (group == PROJECT).then(|| PROJECT_ID.parse().unwrap());
    let checked = client.access().check_access(CheckAccessBody::new(vec![check])).await?;
    Ok(checked.data[0].allowed)
}

/// True, or false if the server answers with this code.
fn unless(result: Result<(), Error>, code: &str) -> Result<bool, Error> {
    match result {
        Ok(()) => Ok(true),
        Err(error) if error.code() == Some(code) => Ok(false),
        Err(error) => Err(error),
    }
}
