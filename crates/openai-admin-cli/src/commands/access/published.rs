//! Effective access in services that do not report it, computed from the published lists of users, groups, roles and
//! their assignments. [`openai_admin::access`] derives the permissions, as our server does.
//!
//! An assignment is direct if its source is the user, or if it has no source. Assignments through groups
//! are read from the groups: it is not published whether the list of a user contains them.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use openai_admin::{
    Client, GroupId, ProjectId, ProjectStatus, UserId,
    access::{self, HeldRole, HeldRoles, PredefinedRole, ProjectRoles},
    models::{AssignedRoleDetails, GroupResponse, PermissionUser, Role, User},
};

use super::permissions;
use crate::{
    failure::{Doing as _, ExitStatus, Failure, Result},
    lists::{LONG_PAGE_SIZE, PAGE_SIZE},
    output::{Output, count},
};

/// The roles and groups of the organization, and those of the project in question.
pub(super) struct Outline<'a> {
    client: &'a Client,
    pub(super) roles: Vec<Role>,
    groups: Vec<GroupResponse>,
    project: Option<ProjectOutline>,
}

/// The roles and groups of a project.
struct ProjectOutline {
    id: ProjectId,
    roles: Vec<Role>,
    owner: Arc<Role>,
    groups: HashSet<GroupId>,
}

impl<'a> Outline<'a> {
    /// Reads the outline, with a request for each page of roles and groups.
    pub(super) async fn read(client: &'a Client, project_id: Option<ProjectId>) -> Result<Self> {
        let project = match project_id {
            Some(project_id) => Some(ProjectOutline::read(client, project_id).await?),
            None => None,
        };
        let roles = permissions::organization_roles(client).await?;
        let groups = client.groups().list_groups().limit(LONG_PAGE_SIZE);
        let groups = groups.items().try_collect().await.doing(|| "list the groups".to_owned())?;
        Ok(Self { client, roles, groups, project })
    }

    /// All roles that can grant a permission here.
    pub(super) fn all_roles(&self) -> Vec<Role> {
        let of_project = self.project.iter().flat_map(|project| &project.roles);
        self.roles.iter().chain(of_project).cloned().collect()
    }

    /// The groups in the project; none without a project.
    fn project_groups(&self) -> usize {
        self.project.as_ref().map_or(0, |project| project.groups.len())
    }

    /// The roles of one user.
    pub(super) async fn of_user(&self, user: &User, output: &Output) -> Result<HeldRoles> {
        let in_project = if self.project.is_some() { 2 } else { 0 };
        // Each group is asked for the user, and those of the user for their roles.
        let requests = 1 + in_project + 2 * self.groups.len() + self.project_groups();
        self.announce("", "at most", requests, output);
        let mut held = self.predefined_of(user);
        self.add_assigned(user, &mut held.organization).await?;
        if let (Some(project), Some(roles)) = (&self.project, &mut held.project) {
            roles.held = self.of_user_in_project(project, &user.id).await?;
        }
        for group in &self.groups {
            if self.is_member(group, &user.id).await? {
                add(&mut held, self.of_group(group).await?);
            }
        }
        Ok(held)
    }

    /// The users with a permission, each with every path to it.
    pub(super) async fn with_permission(
        &self,
        permission: &str,
        output: &Output,
    ) -> Result<Vec<PermissionUser>> {
        let users = self.client.users().list_users().limit(PAGE_SIZE);
        let users = users.items().try_collect().await.doing(|| "list the users".to_owned())?;
        // The predefined role of a user is in the list of users.
        let needs_assignments = self.roles.iter().any(|role| {
            !role.predefined_role && role.permissions.iter().any(|granted| granted == permission)
        });
        let of_users = if needs_assignments { users.len() } else { 0 };
        let in_project = if self.project.is_some() { 2 } else { 0 };
        let requests = of_users + self.groups.len() + in_project + self.project_groups();
        let from = format!("{} and ", count(users.len(), "user"));
        self.announce(&from, "at least", requests, output);

        let mut held = BTreeMap::new();
        for user in &users {
            let mut roles = self.predefined_of(user);
            if needs_assignments {
                self.add_assigned(user, &mut roles.organization).await?;
            }
            held.insert(user.id.clone(), roles);
        }
        self.add_project_users(&mut held).await?;
        for group in &self.groups {
            let roles = self.of_group(group).await?;
            if !access::paths(&roles, permission).is_empty() {
                self.add_to_members(group, &roles, &mut held).await?;
            }
        }
        let with_paths = users.into_iter().filter_map(|user| {
            let paths = access::paths(&held[&user.id], permission);
            let mut shown = (!paths.is_empty()).then(|| PermissionUser::new(user.id, paths))?;
            (shown.name, shown.email) = (user.name, user.email);
            Some(shown)
        });
        Ok(with_paths.collect())
    }

    /// Says how many requests the computation takes, before it starts.
    fn announce(&self, from: &str, bound: &str, requests: usize, output: &Output) {
        let groups = count(self.groups.len(), "group");
        let requests = count(requests, "request");
        output.note(&format!(
            "this service does not report access: computing it from {from}{groups} takes {bound} {requests} more"
        ));
    }

    /// The predefined role of a user in the organization. It need not be in the list of the user's assignments.
    fn predefined_of(&self, user: &User) -> HeldRoles {
        let name = user.role.as_ref().map(ToString::to_string).unwrap_or_default();
        let is_it = |role: &&Role| role.predefined_role && role.name == name;
        let own =
            self.roles.iter().find(is_it).map(|role| HeldRole { role: Arc::new(role.clone()), group: None });
        let project = self
            .project
            .as_ref()
            .map(|project| ProjectRoles { held: Vec::new(), owner: Arc::clone(&project.owner) });
        HeldRoles { organization: own.into_iter().collect(), project }
    }

    /// Adds the roles that are assigned to a user in the organization.
    async fn add_assigned(&self, user: &User, held: &mut Vec<HeldRole>) -> Result<()> {
        let list = self.client.user_roles().list_user_role_assignments(&user.id).limit(LONG_PAGE_SIZE);
        let assigned = list.items().try_collect().await;
        let assigned = assigned.doing(|| format!("list the roles of user '{}'", user.id))?;
        for role in direct(assigned, &user.id) {
            if held.iter().all(|known| known.role.id != role.role.id) {
                held.push(role);
            }
        }
        Ok(())
    }

    /// The roles of a user or service account in a project.
    async fn of_user_in_project(&self, project: &ProjectOutline, user_id: &UserId) -> Result<Vec<HeldRole>> {
        let list = self.client.project_user_roles().list_project_user_role_assignments(&project.id, user_id);
        match list.limit(LONG_PAGE_SIZE).items().try_collect().await {
            Ok(assigned) => return Ok(direct(assigned, user_id)),
            // The user is not in the project, or is one of its service accounts.
            Err(error) if error.is_not_found() && !error.is_unknown_url() => {}
            Err(error) => return Err(error).doing(|| format!("list the roles of user '{user_id}'")),
        }
        let account =
            self.client.service_accounts().retrieve_service_account(&project.id, user_id.as_str()).await;
        match account {
            Ok(account) => Ok(project.role_named(&account.role.to_string()).into_iter().collect()),
            Err(error) if error.is_not_found() && !error.is_unknown_url() => Ok(Vec::new()),
            Err(error) => Err(error).doing(|| format!("find service account '{user_id}'")),
        }
    }

    /// Adds the roles of all users and service accounts of the project.
    async fn add_project_users(&self, held: &mut BTreeMap<UserId, HeldRoles>) -> Result<()> {
        let Some(project) = &self.project else { return Ok(()) };
        let doing = || format!("list the users of project '{}'", project.id);
        let users = self.client.project_users().list_project_users(&project.id).limit(PAGE_SIZE);
        for user in users.items().try_collect().await.doing(doing)? {
            let roles = self.of_user_in_project(project, &user.id).await?;
            add_in_project(held, &user.id, roles);
        }
        let accounts = self.client.service_accounts().list_service_accounts(&project.id).limit(PAGE_SIZE);
        for account in accounts.items().try_collect().await.doing(doing)? {
            let Ok(user_id) = UserId::new(account.id.as_str()) else { continue };
            add_in_project(held, &user_id, project.role_named(&account.role.to_string()));
        }
        Ok(())
    }

    async fn is_member(&self, group: &GroupResponse, user_id: &UserId) -> Result<bool> {
        match self.client.group_users().retrieve_group_user(&group.id, user_id).await {
            Ok(_) => Ok(true),
            Err(error) if error.is_not_found() && !error.is_unknown_url() => Ok(false),
            Err(error) => Err(error).doing(|| format!("find user '{user_id}' in group '{}'", group.id)),
        }
    }

    /// The roles of a group, as its members have them.
    async fn of_group(&self, group: &GroupResponse) -> Result<HeldRoles> {
        let doing = || format!("list the roles of group '{}'", group.id);
        let of_group = |role: AssignedRoleDetails| HeldRole {
            role: Arc::new(role_of(role)),
            group: Some((group.id.clone(), group.name.clone())),
        };
        let list = self.client.group_roles().list_group_role_assignments(&group.id).limit(LONG_PAGE_SIZE);
        let organization = list.items().try_collect().await.doing(doing)?;
        let project = match &self.project {
            Some(project) => {
                let mut held = Vec::new();
                if project.groups.contains(&group.id) {
                    let list = self
                        .client
                        .project_group_roles()
                        .list_project_group_role_assignments(&project.id, &group.id);
                    held = list.limit(LONG_PAGE_SIZE).items().try_collect().await.doing(doing)?;
                }
                let held = held.into_iter().map(of_group).collect();
                Some(ProjectRoles { held, owner: Arc::clone(&project.owner) })
            }
            None => None,
        };
        Ok(HeldRoles { organization: organization.into_iter().map(of_group).collect(), project })
    }

    /// Adds the roles of a group to those of its members.
    async fn add_to_members(
        &self,
        group: &GroupResponse,
        roles: &HeldRoles,
        held: &mut BTreeMap<UserId, HeldRoles>,
    ) -> Result<()> {
        let members = self.client.group_users().list_group_users(&group.id).limit(LONG_PAGE_SIZE);
        let members = members.items().try_collect().await;
        for member in members.doing(|| format!("list the users of group '{}'", group.id))? {
            // A user who was deleted since the users were listed has no access.
            if let Some(held) = held.get_mut(&member.id) {
                add(held, roles.clone());
            }
        }
        Ok(())
    }
}

impl ProjectOutline {
    async fn read(client: &Client, project_id: ProjectId) -> Result<Self> {
        let found = client.projects().retrieve_project(&project_id).await;
        let status = found.doing(|| format!("find project '{project_id}'"))?.into_inner().status;
        if status == Some(ProjectStatus::Archived) {
            let message = format!("project '{project_id}' is archived and gives no access");
            return Err(Failure::new(ExitStatus::Failed, message));
        }
        let roles = permissions::project_roles(client, &project_id).await?;
        let is_owner = |role: &&Role| PredefinedRole::of(role) == Some(PredefinedRole::ProjectOwner);
        let owner = roles.iter().find(is_owner).cloned().map(Arc::new);
        let owner = owner.ok_or_else(|| {
            Failure::not_found(format!("the roles of project '{project_id}' do not include 'owner'"))
        })?;
        let groups = client.project_groups().list_project_groups(&project_id).limit(PAGE_SIZE);
        let groups = groups.items().try_collect().await;
        let groups = groups.doing(|| format!("list the groups of project '{project_id}'"))?;
        let groups = groups.into_iter().map(|group| group.group_id).collect();
        Ok(Self { id: project_id, roles, owner, groups })
    }

    /// The predefined role of a service account.
    fn role_named(&self, name: &str) -> Option<HeldRole> {
        let role = self.roles.iter().find(|role| role.predefined_role && role.name == name)?;
        Some(HeldRole { role: Arc::new(role.clone()), group: None })
    }
}

/// The assignments of a user that are not only through groups.
fn direct(assigned: Vec<AssignedRoleDetails>, user_id: &UserId) -> Vec<HeldRole> {
    let is_direct = |role: &AssignedRoleDetails| {
        let sources = role.assignment_sources.as_deref().unwrap_or_default();
        sources.is_empty() || sources.iter().any(|source| source.principal_id == user_id.as_str())
    };
    let direct = assigned.into_iter().filter(is_direct);
    direct.map(|role| HeldRole { role: Arc::new(role_of(role)), group: None }).collect()
}

fn role_of(assigned: AssignedRoleDetails) -> Role {
    let AssignedRoleDetails { id, name, permissions, resource_type, predefined_role, description, .. } =
        assigned;
    let mut role = Role::new(id, name, permissions, resource_type, predefined_role);
    role.description = description;
    role
}

/// Adds roles of a user in the project. A user who was added since the users were listed is omitted.
fn add_in_project(
    held: &mut BTreeMap<UserId, HeldRoles>,
    user_id: &UserId,
    roles: impl IntoIterator<Item = HeldRole>,
) {
    if let Some(project) = held.get_mut(user_id).and_then(|held| held.project.as_mut()) {
        project.held.extend(roles);
    }
}

/// Adds the roles of a group.
fn add(held: &mut HeldRoles, of_group: HeldRoles) {
    held.organization.extend(of_group.organization);
    if let (Some(project), Some(of_group)) = (&mut held.project, of_group.project) {
        project.held.extend(of_group.held);
    }
}
