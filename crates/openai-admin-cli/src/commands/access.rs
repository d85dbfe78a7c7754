//! `openai-admin access`: the permissions of users, with every path to them.
//!
//! Our server reports access. For services that do not, `published.rs` computes the same answers.

mod permissions;
mod published;

use openai_admin::{
    Client, PermissionName, ProjectId, UserId,
    access::{HeldRoles, paths, permissions as permissions_of},
    models::{AccessCheck, AccessCheckResult, CheckAccessBody, PermissionAccess, PermissionUser},
    operations::RetrieveUserAccess,
};

use crate::{
    arguments::{AccessCommand, AccessProject, ListArguments},
    failure::{Doing as _, Failure, Result},
    lists::{ListPart, PAGE_SIZE, items_max, read_list},
    output::{Layout, visible},
    resolve::{self, or_missing_user},
    session::Session,
};
use published::Outline;

pub(super) async fn run(command: AccessCommand, session: &Session<'_>) -> Result<()> {
    match command {
        AccessCommand::Of { user, project } => of(session, &user, &project).await,
        AccessCommand::Who { permission, project, list } => who(session, permission, &project, &list).await,
        AccessCommand::Explain { user, permission, project } => {
            explain(session, &user, permission, &project).await
        }
        AccessCommand::Permissions { project } => list_permissions(session, &project).await,
    }
}

async fn of(session: &Session<'_>, text: &str, project: &AccessProject) -> Result<()> {
    let Session { client, output, .. } = session;
    let user_id = resolve::user(client, text).await?.id;
    let mut request = RetrieveUserAccess::new(user_id.clone());
    request.project_id = find_project(client, project).await?;
    let permissions: Vec<PermissionAccess> = match reported(client.send(&request).await) {
        Some(access) => {
            or_missing_user(client, text, access, "find the access of").await?.into_inner().permissions
        }
        None => {
            let outline = Outline::read(client, request.project_id).await?;
            permissions_of(&held_roles(session, &outline, text, &user_id).await?)
        }
    };
    let none = format!("'{}' has no permissions in {}", visible(text), place(project));
    output.items(&permissions, &none)
}

async fn who(
    session: &Session<'_>,
    permission: PermissionName,
    project: &AccessProject,
    part: &ListArguments,
) -> Result<()> {
    let Session { client, output, .. } = session;
    let project_id = find_project(client, project).await?;
    let mut call = client.access().list_permission_users(&permission);
    if let Some(project_id) = &project_id {
        call = call.project_id(project_id);
    }
    let users = match reported(read_list(call, part, PAGE_SIZE).await) {
        Some(users) => {
            let users = or_unknown_permission(client, users, &permission, project).await?;
            users.doing(|| format!("list the users with '{permission}'"))?
        }
        None => {
            let outline = known_outline(client, project_id, &permission, project).await?;
            part_of(outline.with_permission(permission.as_str(), output).await?, part)?
        }
    };
    let none = format!("no user has '{}' in {}", visible(permission.as_str()), place(project));
    users.print(&Layout::of_record(), &none, output)
}

/// The requested part of a whole list.
fn part_of(mut users: Vec<PermissionUser>, part: &ListArguments) -> Result<ListPart<PermissionUser>> {
    if let Some(after) = &part.after {
        let place = users.iter().position(|user| user.user_id.as_str() == after.as_str());
        let place = place.ok_or_else(|| Failure::usage(format!("'{after}' is not a user of this list")))?;
        users.drain(..=place);
    }
    let is_truncated = users.len() > items_max(part);
    users.truncate(items_max(part));
    Ok(ListPart { items: users, after: part.after.clone(), is_truncated })
}

async fn explain(
    session: &Session<'_>,
    text: &str,
    permission: PermissionName,
    project: &AccessProject,
) -> Result<()> {
    let Session { client, output, .. } = session;
    let mut check = AccessCheck::new(resolve::user(client, text).await?.id, permission.clone());
    check.project_id = find_project(client, project).await?;
    let body = CheckAccessBody::new(vec![check.clone()]);
    match reported(client.access().check_access(body).await) {
        Some(results) => {
            let results = or_unknown_permission(client, results, &permission, project).await?;
            let results = or_missing_user(client, text, results, "check the access of").await?;
            results.data.iter().try_for_each(|result| output.item(result))
        }
        None => {
            let outline = known_outline(client, check.project_id.clone(), &permission, project).await?;
            let held = held_roles(session, &outline, text, &check.user_id).await?;
            let paths = paths(&held, permission.as_str());
            let mut result = AccessCheckResult::new(check.user_id, permission, !paths.is_empty(), paths);
            result.project_id = check.project_id;
            output.item(&result)
        }
    }
}

/// The roles of a user, from published lists.
async fn held_roles(
    session: &Session<'_>,
    outline: &Outline<'_>,
    text: &str,
    user_id: &UserId,
) -> Result<HeldRoles> {
    let Session { client, output, .. } = session;
    let user = client.users().retrieve_user(user_id).await;
    let user = or_missing_user(client, text, user, "find the access of").await?;
    outline.of_user(&user, output).await
}

/// The outline for a permission that a role grants.
async fn known_outline<'a>(
    client: &'a Client,
    project_id: Option<ProjectId>,
    permission: &PermissionName,
    project: &AccessProject,
) -> Result<Outline<'a>> {
    let outline = Outline::read(client, project_id).await?;
    let roles = outline.all_roles();
    match permissions::is_known(permission, &roles) {
        true => Ok(outline),
        false => Err(permissions::unknown(permission, &roles, project)),
    }
}

async fn list_permissions(session: &Session<'_>, project: &AccessProject) -> Result<()> {
    let Session { client, output, .. } = session;
    let project_id = find_project(client, project).await?;
    let roles = permissions::roles(client, project_id.as_ref()).await?;
    let none = format!("no role grants a permission in {}", place(project));
    output.items(&permissions::permissions_of(&roles), &none)
}

/// The answer, with suggestions if no role grants the permission.
async fn or_unknown_permission<T>(
    client: &Client,
    answer: Result<T, openai_admin::Error>,
    permission: &PermissionName,
    project: &AccessProject,
) -> Result<Result<T, openai_admin::Error>> {
    let is_unknown = |error: &openai_admin::Error| {
        error.code() == Some("invalid_value")
            && error.param().is_some_and(|param| param.ends_with("permission"))
    };
    if !answer.as_ref().is_err_and(is_unknown) {
        return Ok(answer);
    }
    let project_id = find_project(client, project).await?;
    let roles = permissions::roles(client, project_id.as_ref()).await?;
    Err(permissions::unknown(permission, &roles, project))
}

async fn find_project(client: &Client, project: &AccessProject) -> Result<Option<ProjectId>> {
    match &project.text {
        Some(text) => resolve::project(client, text).await.map(Some),
        None => Ok(None),
    }
}

/// The organization or project in a message.
fn place(project: &AccessProject) -> String {
    match &project.text {
        Some(text) => format!("project '{}'", visible(text)),
        None => "the organization".to_owned(),
    }
}

/// The answer of a service that reports access; none if the service does not have the operation.
fn reported<T>(answer: Result<T, openai_admin::Error>) -> Option<Result<T, openai_admin::Error>> {
    match answer {
        Err(error) if error.is_unknown_url() => None,
        answer => Some(answer),
    }
}
