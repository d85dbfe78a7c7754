//! `openai-admin roles assign` and `roles unassign`: the roles of several groups and users.

use openai_admin::{
    Client, Error, GroupId, ProjectId, RoleId, UserId, models::PublicAssignOrganizationGroupRoleBody,
};

use super::several::{Changed, change_each};
use crate::{
    arguments::{AssignmentArguments, RolesCommand},
    failure::{Doing as _, Result},
    output::count,
    prompt::Consent,
    resolve,
    session::Session,
};

/// A group or user with a role.
enum Principal {
    Group(GroupId),
    User(UserId),
}

/// The change of assignments.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    Assign,
    Unassign,
}

pub(super) async fn run(command: RolesCommand, session: &Session<'_>) -> Result<()> {
    let (change, assignment, consent) = match command {
        RolesCommand::Assign(assignment) => (Change::Assign, assignment, Consent::Given),
        RolesCommand::Unassign { assignment, removal } => {
            (Change::Unassign, assignment, Consent::of_removal(&removal, "unassigning a role")?)
        }
    };
    let AssignmentArguments { role: typed, groups, users, project } = assignment;
    let client = &session.client;
    let project = match project {
        Some(project) => Some(resolve::project(client, &project).await?),
        None => None,
    };
    let role = resolve::role(client, project.as_ref(), &typed).await?;
    let found = resolve::groups(client, &groups).await?.into_iter();
    let found = found.map(|group| group.map(|group| Principal::Group(group.id)));
    let mut principals: Vec<_> = groups.into_iter().zip(found).collect();
    let found = resolve::users(client, &users).await?.into_iter();
    let found = found.map(|user| user.map(|user| Principal::User(user.id)));
    principals.extend(users.into_iter().zip(found));
    let known = principals.iter().filter(|(_, found)| found.is_ok()).count();
    if change == Change::Unassign && known > 0 {
        let from = count(known, "principal");
        consent.ask(&format!("Unassign role '{typed}' from {from}?"), session.output)?;
    }
    let (project, role, typed) = (project.as_ref(), &role, &typed);
    change_each(session, principals, |principal| async move {
        let id = match &principal {
            Principal::Group(id) => id.to_string(),
            Principal::User(id) => id.to_string(),
        };
        let outcome = match change {
            Change::Assign => {
                let assigned = assign(client, project, principal, role).await;
                assigned.doing(|| format!("assign role '{typed}' to '{id}'"))?;
                "assigned"
            }
            Change::Unassign => match unassign(client, project, principal, role).await {
                Ok(()) => "unassigned",
                Err(error) if is_not_assigned(&error) => "not assigned",
                Err(error) => return Err(error).doing(|| format!("unassign role '{typed}' from '{id}'")),
            },
        };
        Ok(Changed { id: Some(id), outcome })
    })
    .await
}

/// Whether a principal does not have the role. An unknown principal is an error.
fn is_not_assigned(error: &Error) -> bool {
    error.is_not_found() && !error.is_unknown_url() && error.param().is_none_or(|param| param == "role_id")
}

async fn assign(
    client: &Client,
    project: Option<&ProjectId>,
    principal: Principal,
    role: &RoleId,
) -> Result<(), Error> {
    let body = PublicAssignOrganizationGroupRoleBody::new(role.clone());
    match (project, principal) {
        (None, Principal::Group(id)) => client.group_roles().assign_group_role(id, body).await.map(drop),
        (None, Principal::User(id)) => client.user_roles().assign_user_role(id, body).await.map(drop),
        (Some(project), Principal::Group(id)) => {
            client.project_group_roles().assign_project_group_role(project, id, body).await.map(drop)
        }
        (Some(project), Principal::User(id)) => {
            client.project_user_roles().assign_project_user_role(project, id, body).await.map(drop)
        }
    }
}

async fn unassign(
    client: &Client,
    project: Option<&ProjectId>,
    principal: Principal,
    role: &RoleId,
) -> Result<(), Error> {
    match (project, principal) {
        (None, Principal::Group(id)) => client.group_roles().unassign_group_role(id, role).await.map(drop),
        (None, Principal::User(id)) => client.user_roles().unassign_user_role(id, role).await.map(drop),
        (Some(project), Principal::Group(id)) => {
            client.project_group_roles().unassign_project_group_role(project, id, role).await.map(drop)
        }
        (Some(project), Principal::User(id)) => {
            client.project_user_roles().unassign_project_user_role(project, id, role).await.map(drop)
        }
    }
}
