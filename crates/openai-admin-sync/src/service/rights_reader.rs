//! Reads of the rights of people: roles, projects, keys and invites.

use std::collections::HashSet;

use openai_admin::{
    ApiKeyId, AuditLogEventType, Error, InviteId, InviteStatus, Limit, OwnerProjectAccessFilter, ProjectId,
    RoleId, UserId, UserRole,
    models::{AdminApiKey, AssignedRoleDetails, AuditLog, Invite, Project, ProjectApiKey, ProjectUser, User},
    operations::{
        ListProjectApiKeys, RetrieveAdminApiKey, RetrieveInvite, RetrieveProjectApiKey, RetrieveProjectUser,
        RetrieveProjectUserRole, RetrieveServiceAccount, RetrieveUserRole,
    },
};

use crate::service::{
    read_error::ReadError,
    reader::{PAGE_SIZE, Reader, Walk, found},
};

/// The largest page size of projects, their users and keys, of invites, and of the audit log.
const RIGHTS_PAGE_SIZE: u16 = Limit::<1, 100, 20>::MAX.get();

/// Adds each page of a list to `items`.
fn all<T>(items: &mut Vec<T>) -> impl FnMut(Vec<T>) -> Walk + '_ {
    |page| {
        items.extend(page);
        Walk::Continue
    }
}

/// Whether an assignment of a role is the user's own. One without sources is.
fn is_direct(role: &AssignedRoleDetails, user_id: &UserId) -> bool {
    let sources = role.assignment_sources.as_deref().unwrap_or_default();
    sources.is_empty() || sources.iter().any(|source| source.principal_id == user_id.as_str())
}

/// A custom role that a user has, not only through a group.
fn own_custom_roles(roles: Vec<AssignedRoleDetails>, user_id: &UserId) -> Vec<AssignedRoleDetails> {
    let is_own = |role: &AssignedRoleDetails| !role.predefined_role && is_direct(role, user_id);
    roles.into_iter().filter(is_own).collect()
}

impl Reader {
    /// All active projects.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub async fn list_projects(&self) -> Result<Vec<Project>, ReadError> {
        let mut projects = Vec::new();
        self.walk(|| self.client().projects().list_projects().limit(RIGHTS_PAGE_SIZE), all(&mut projects))
            .await?;
        Ok(projects)
    }

    /// All invites, whatever their state.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub async fn list_invites(&self) -> Result<Vec<Invite>, ReadError> {
        let mut invites = Vec::new();
        self.walk(|| self.client().invites().list_invites().limit(RIGHTS_PAGE_SIZE), all(&mut invites))
            .await?;
        Ok(invites)
    }

    /// All admin API keys.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub async fn list_admin_api_keys(&self) -> Result<Vec<AdminApiKey>, ReadError> {
        let mut keys = Vec::new();
        let list = || self.client().admin_api_keys().list_admin_api_keys().limit(RIGHTS_PAGE_SIZE);
        self.walk(list, all(&mut keys)).await?;
        Ok(keys)
    }

    /// All API keys of a project, with those of owners without access.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub async fn list_project_api_keys(
        &self,
        project_id: &ProjectId,
    ) -> Result<Vec<ProjectApiKey>, ReadError> {
        let mut keys = Vec::new();
        let mut request = ListProjectApiKeys::new(project_id.clone());
        request.owner_project_access = Some(OwnerProjectAccessFilter::Any);
        let list = || self.client().list(request.clone()).limit(RIGHTS_PAGE_SIZE);
        self.walk(list, all(&mut keys)).await?;
        Ok(keys)
    }

    /// The custom roles that a user has in the organization, without those that come from groups alone.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub async fn list_own_roles(&self, user_id: &UserId) -> Result<Vec<AssignedRoleDetails>, ReadError> {
        let mut roles = Vec::new();
        let list = || self.client().user_roles().list_user_role_assignments(user_id).limit(PAGE_SIZE);
        self.walk(list, all(&mut roles)).await?;
        Ok(own_custom_roles(roles, user_id))
    }

    /// The custom roles that a user has in a project, without those that come from groups alone.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub async fn list_own_project_roles(
        &self,
        project_id: &ProjectId,
        user_id: &UserId,
    ) -> Result<Vec<AssignedRoleDetails>, ReadError> {
        let mut roles = Vec::new();
        let list = || {
            let roles = self.client().project_user_roles();
            roles.list_project_user_role_assignments(project_id, user_id).limit(PAGE_SIZE)
        };
        self.walk(list, all(&mut roles)).await?;
        Ok(own_custom_roles(roles, user_id))
    }

    /// The latest events of one type by these actors, at most `pages_max` pages.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub async fn list_events_of(
        &self,
        event_type: AuditLogEventType,
        actors: &[String],
        pages_max: usize,
    ) -> Result<Vec<AuditLog>, ReadError> {
        let mut events = Vec::new();
        let mut pages = 0;
        let take = |page: Vec<AuditLog>| {
            events.extend(page);
            pages += 1;
            if pages < pages_max { Walk::Continue } else { Walk::Stop }
        };
        let list = || {
            let list = self.client().audit_logs().list_audit_logs().limit(RIGHTS_PAGE_SIZE);
            list.event_types([event_type.clone()]).actor_ids(actors.iter().cloned())
        };
        self.walk(list, take).await?;
        Ok(events)
    }

    /// A user of a project; `None` if the user is not in it.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn find_project_user(
        &self,
        project_id: ProjectId,
        user_id: UserId,
    ) -> Result<Option<ProjectUser>, Error> {
        found(self.send(&RetrieveProjectUser::new(project_id, user_id)).await)
    }

    /// The name of a service account; `None` if it does not exist.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn find_service_account(
        &self,
        project_id: ProjectId,
        id: &str,
    ) -> Result<Option<String>, Error> {
        let Ok(id) = id.parse() else { return Ok(None) };
        Ok(found(self.send(&RetrieveServiceAccount::new(project_id, id)).await)?.map(|account| account.name))
    }

    /// Whether a user has a custom role in the organization, not only through a group.
    pub(crate) async fn has_own_role(&self, user_id: &UserId, role_id: &RoleId) -> Result<bool, Error> {
        let role = found(self.send(&RetrieveUserRole::new(user_id.clone(), role_id.clone())).await)?;
        Ok(role.is_some_and(|role| is_direct(&role, user_id)))
    }

    /// Whether a user has a custom role in a project, not only through a group.
    pub(crate) async fn has_own_project_role(
        &self,
        project_id: &ProjectId,
        user_id: &UserId,
        role_id: &RoleId,
    ) -> Result<bool, Error> {
        let (project_id, id) = (project_id.clone(), user_id.clone());
        let role = found(self.send(&RetrieveProjectUserRole::new(project_id, id, role_id.clone())).await)?;
        Ok(role.is_some_and(|role| is_direct(&role, user_id)))
    }

    /// Whether someone besides these users is an owner of the organization.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub async fn has_other_owner(&self, users: &HashSet<&UserId>) -> Result<bool, ReadError> {
        let mut has_other = false;
        let take = |page: Vec<User>| {
            has_other |=
                page.iter().any(|user| user.role == Some(UserRole::Owner) && !users.contains(&user.id));
            if has_other { Walk::Stop } else { Walk::Continue }
        };
        self.scan_users(take).await?;
        Ok(has_other)
    }

    /// Whether a user owns this admin API key.
    pub(crate) async fn has_admin_api_key(&self, key_id: &ApiKeyId, user_id: &UserId) -> Result<bool, Error> {
        let key = found(self.send(&RetrieveAdminApiKey::new(key_id.clone())).await)?;
        Ok(key.is_some_and(|key| key.owner.id.as_ref() == Some(user_id)))
    }

    /// Whether a user owns this API key of a project.
    pub(crate) async fn has_project_api_key(
        &self,
        project_id: &ProjectId,
        key_id: &ApiKeyId,
        user_id: &UserId,
    ) -> Result<bool, Error> {
        let request = RetrieveProjectApiKey::new(project_id.clone(), key_id.clone());
        let key = found(self.send(&request).await)?;
        let owner = key.as_ref().and_then(|key| key.owner.user.as_ref());
        Ok(owner.is_some_and(|owner| owner.id == *user_id))
    }

    /// Whether an invite can be accepted.
    pub(crate) async fn has_pending_invite(&self, invite_id: &InviteId) -> Result<bool, Error> {
        let invite = found(self.send(&RetrieveInvite::new(invite_id.clone())).await)?;
        Ok(invite.is_some_and(|invite| invite.status == InviteStatus::Pending))
    }
}
