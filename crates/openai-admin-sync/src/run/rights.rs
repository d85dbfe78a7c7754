//! Operations on rights: whether a right exists, and the requests that give and end it.

use std::collections::{BTreeMap, HashMap, HashSet};

use futures_util::stream::{self, StreamExt as _};
use openai_admin::{
    Client, Endpoint, Error, InviteId, InviteRole, InviteStatus, UserId, UserRole,
    models::{
        InviteRequest, ProjectUserCreateRequest, PublicAssignOrganizationGroupRoleBody, UserRoleUpdateRequest,
    },
    operations::{
        AddGroupUser, AssignProjectUserRole, AssignUserRole, CreateGroup, CreateProjectUser,
        DeleteAdminApiKey, DeleteInvite, DeleteProjectApiKey, DeleteProjectUser, InviteUser, ModifyUser,
        RemoveGroupUser, UnassignProjectUserRole, UnassignUserRole, UpdateGroup, users::EmailText,
    },
};

use crate::{
    input::email::EmailKey,
    plan::{
        operation::{Effect, Operation},
        right::Right,
    },
    service::{lanes::Lane, read_error::ReadError, reader::Reader},
};

/// The lane of an operation.
pub fn lane(operation: &Operation) -> Lane {
    let is_end = operation.is(Effect::Revoke);
    match (operation.right(), operation.effect()) {
        (Some(right), _) => lane_of_right(right, is_end),
        (None, Effect::Create) => Lane::of::<CreateGroup>(),
        (None, Effect::Rename) => Lane::of::<UpdateGroup>(),
        (None, Effect::Grant) => Lane::of::<AddGroupUser>(),
        (None, Effect::Revoke) => Lane::of::<RemoveGroupUser>(),
    }
}

fn lane_of_right(right: &Right, is_end: bool) -> Lane {
    match right {
        Right::Invite { .. } if is_end => Lane::of::<DeleteInvite>(),
        Right::Invite { .. } => Lane::of::<InviteUser>(),
        Right::AdminKey(_) => Lane::of::<DeleteAdminApiKey>(),
        Right::ProjectKey { .. } => Lane::of::<DeleteProjectApiKey>(),
        Right::Owner => Lane::of::<ModifyUser>(),
        Right::Role { .. } if is_end => Lane::of::<UnassignUserRole>(),
        Right::Role { .. } => Lane::of::<AssignUserRole>(),
        Right::ProjectRole { .. } if is_end => Lane::of::<UnassignProjectUserRole>(),
        Right::ProjectRole { .. } => Lane::of::<AssignProjectUserRole>(),
        Right::Project { .. } if is_end => Lane::of::<DeleteProjectUser>(),
        Right::Project { .. } => Lane::of::<CreateProjectUser>(),
    }
}

/// Whether the right of each operation exists, by the number of the operation.
///
/// # Errors
///
/// If one cannot be read.
pub async fn existing(
    reader: &Reader,
    operations: &[(usize, &Operation)],
    concurrency: usize,
) -> Result<BTreeMap<usize, bool>, ReadError> {
    let sends_invite =
        |operation: &Operation| matches!(operation.right(), Some(Right::Invite { invite_id: None, .. }));
    let invited = match operations.iter().any(|(_, operation)| sends_invite(operation)) {
        true => invited(reader).await?,
        false => HashSet::new(),
    };
    let (invited, mut reads) = (&invited, Vec::with_capacity(operations.len()));
    for (number, operation) in operations.iter().copied() {
        reads.push(async move { (number, exists(reader, operation, invited).await) });
    }
    let mut reads = stream::iter(reads).buffer_unordered(concurrency.max(1));
    let mut existing = BTreeMap::new();
    while let Some((number, exists)) = reads.next().await {
        existing.insert(number, exists?);
    }
    Ok(existing)
}

/// The addresses that the service has of the users whose rights these operations end.
///
/// # Errors
///
/// If a user cannot be read.
pub async fn current_emails(
    reader: &Reader,
    operations: &[(usize, &Operation)],
    concurrency: usize,
) -> Result<HashMap<UserId, Option<String>>, ReadError> {
    let ends = operations.iter().filter(|(_, operation)| operation.is(Effect::Revoke));
    let users: HashSet<&UserId> = ends.filter_map(|(_, operation)| operation.user_id()).collect();
    let mut reads = Vec::with_capacity(users.len());
    for user_id in users {
        reads.push(async move { (user_id, reader.find_user(user_id.clone()).await) });
    }
    let mut reads = stream::iter(reads).buffer_unordered(concurrency.max(1));
    let mut emails = HashMap::new();
    while let Some((user_id, user)) = reads.next().await {
        emails.insert(user_id.clone(), user?.and_then(|user| user.email).map(|email| email.to_string()));
    }
    Ok(emails)
}

/// Whether these operations would end the role of the last owner. `existing` says which rights exist.
///
/// # Errors
///
/// If the users cannot be read.
pub async fn leaves_no_owner(
    reader: &Reader,
    operations: &[(usize, &Operation)],
    existing: &BTreeMap<usize, bool>,
) -> Result<bool, ReadError> {
    let ends = operations.iter().filter(|(number, operation)| {
        let is_owner = matches!(operation.right(), Some(Right::Owner)) && operation.is(Effect::Revoke);
        is_owner && existing.get(number).copied().unwrap_or_default()
    });
    let leavers: HashSet<&UserId> = ends.filter_map(|(_, operation)| operation.user_id()).collect();
    Ok(!leavers.is_empty() && !reader.has_other_owner(&leavers).await?)
}

/// The addresses with an invite that is pending or was accepted.
async fn invited(reader: &Reader) -> Result<HashSet<EmailKey>, ReadError> {
    let invites = reader.list_invites().await?.into_iter();
    let open = invites.filter(|invite| invite.status != InviteStatus::Expired);
    Ok(open.map(|invite| EmailKey::new(&invite.email)).collect())
}

async fn exists(reader: &Reader, operation: &Operation, invited: &HashSet<EmailKey>) -> Result<bool, Error> {
    let Some(right) = operation.right() else { return Ok(false) };
    if let Right::Invite { invite_id, .. } = right {
        return match invite_id {
            Some(invite_id) => reader.has_pending_invite(invite_id).await,
            None => Ok(operation.email().is_some_and(|email| invited.contains(&EmailKey::new(email)))),
        };
    }
    let Some(user_id) = operation.user_id() else { return Ok(false) };
    match right {
        Right::Invite { .. } => Ok(false),
        Right::AdminKey(key) => reader.has_admin_api_key(&key.id, user_id).await,
        Right::ProjectKey { project, key } => reader.has_project_api_key(&project.id, &key.id, user_id).await,
        Right::Owner => {
            let user = reader.find_user(user_id.clone()).await?;
            Ok(user.is_some_and(|user| user.role == Some(UserRole::Owner)))
        }
        Right::Role { role_id, .. } => reader.has_own_role(user_id, role_id).await,
        Right::ProjectRole { project, role_id, .. } => {
            reader.has_own_project_role(&project.id, user_id, role_id).await
        }
        Right::Project { project, .. } => {
            let found = reader.find_project_user(project.id.clone(), user_id.clone()).await?;
            Ok(found.is_some())
        }
    }
}

/// A successful response: its status and request id.
pub(super) type Sent = (u16, Option<String>);

/// Sends the request of an operation on a right.
pub(super) async fn perform(client: &Client, operation: &Operation, right: &Right) -> Result<Sent, Error> {
    let is_end = operation.is(Effect::Revoke);
    let user = || operation.user_id().cloned().map_or_else(|| UserId::new("").map_err(Error::from), Ok);
    let assigned =
        |role_id: &openai_admin::RoleId| PublicAssignOrganizationGroupRoleBody::new(role_id.clone());
    match right {
        Right::Invite { invite_id, .. } if is_end => {
            let invite_id = invite_id.clone().map_or_else(|| InviteId::new("").map_err(Error::from), Ok);
            send(client, &DeleteInvite::new(invite_id?)).await
        }
        Right::Invite { role, .. } => {
            let email = EmailText::new(operation.email().unwrap_or_default())?;
            send(client, &InviteUser::new(InviteRequest::new(email, InviteRole::from(role.as_str())))).await
        }
        Right::AdminKey(key) => send(client, &DeleteAdminApiKey::new(key.id.clone())).await,
        Right::ProjectKey { project, key } => {
            send(client, &DeleteProjectApiKey::new(project.id.clone(), key.id.clone())).await
        }
        Right::Owner => {
            let mut body = UserRoleUpdateRequest::default();
            body.role = Some(if is_end { UserRole::Reader } else { UserRole::Owner });
            send(client, &ModifyUser::new(user()?, body)).await
        }
        Right::Role { role_id, .. } if is_end => {
            send(client, &UnassignUserRole::new(user()?, role_id.clone())).await
        }
        Right::Role { role_id, .. } => send(client, &AssignUserRole::new(user()?, assigned(role_id))).await,
        Right::ProjectRole { project, role_id, .. } if is_end => {
            let request = UnassignProjectUserRole::new(project.id.clone(), user()?, role_id.clone());
            send(client, &request).await
        }
        Right::ProjectRole { project, role_id, .. } => {
            let request = AssignProjectUserRole::new(project.id.clone(), user()?, assigned(role_id));
            send(client, &request).await
        }
        Right::Project { project, .. } if is_end => {
            send(client, &DeleteProjectUser::new(project.id.clone(), user()?)).await
        }
        Right::Project { project, role } => {
            let mut body = ProjectUserCreateRequest::new(role.clone());
            body.user_id = Some(user()?);
            send(client, &CreateProjectUser::new(project.id.clone(), body)).await
        }
    }
}

async fn send<E: Endpoint>(client: &Client, request: &E) -> Result<Sent, Error> {
    let answer = client.send(request).await?;
    Ok((answer.status().as_u16(), answer.request_id().map(str::to_owned)))
}
