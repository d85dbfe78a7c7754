//! Role assignments in a project: to its groups, and to its users directly or through a group.
//!
//! A user who is in the project only through a group has the roles of the group there. No other role can be
//! assigned to them there: membership of the project comes before its roles (according to a third party).
//!
//! The predefined role of a user is the role that `project_users.rs` shows. What holds for all assignments is in
//! `role_assignments.rs`.

use openai_admin::{
    GroupId, UserId,
    models::{
        AssignedRoleDetails, DeletedRoleAssignmentResource, GroupResponse, GroupRoleAssignment, Project,
        RoleListResource, UserRoleAssignment,
    },
    operations::{
        AssignProjectGroupRole, AssignProjectUserRole, ListProjectGroupRoleAssignments,
        ListProjectUserRoleAssignments, RetrieveProjectGroupRole, RetrieveProjectUserRole,
        UnassignProjectGroupRole, UnassignProjectUserRole,
    },
};

use crate::{
    base::error::{Error, Result},
    engines::lanes::Lane,
    nouns::{
        project_access, projects,
        role_assignments::{self, Assigned},
        roles::{self, RoleResource},
        users::{self, StoredUser},
    },
    operation::{Changes, Reads, change::Change, reading::Reading, tx::Tx},
    shapes::{
        assignment::Principal,
        thing::{self, Stored},
    },
};

/// The role of a user whose role `owner` in a project is unassigned.
const ROLE_WITHOUT_OWNER: &str = "member";

fn find_group(
    tx: &mut Tx<'_>,
    project: &Stored<Project>,
    group_id: &GroupId,
) -> Result<Stored<GroupResponse>> {
    let group = thing::find::<GroupResponse>(tx, group_id.as_str())?;
    project_access::check_in_project(tx, project, Principal::Group(group.seq), group_id.as_str())?;
    Ok(group)
}

fn find_user(tx: &mut Tx<'_>, project: &Stored<Project>, user_id: &UserId) -> Result<Stored<StoredUser>> {
    let user = users::find(tx, user_id)?;
    project_access::check_in_project(tx, project, Principal::User(user.seq), user_id.as_str())?;
    Ok(user)
}

fn roles_of_group(tx: &mut Tx<'_>, project: &Stored<Project>, group_id: &GroupId) -> Result<Assigned> {
    let group = find_group(tx, project, group_id)?;
    role_assignments::of_group(tx, group.seq, RoleResource::Project(project).resource())
}

fn roles_of_user(tx: &mut Tx<'_>, project: &Stored<Project>, user_id: &UserId) -> Result<Assigned> {
    let user = users::find(tx, user_id)?;
    let assigned = role_assignments::of_user(tx, &user, RoleResource::Project(project).resource())?;
    // Every direct member has a role.
    if assigned.is_empty() {
        return Err(project_access::not_in_project(
            &project.thing.id,
            Principal::User(user.seq),
            user_id.as_str(),
        ));
    }
    Ok(assigned)
}

impl Reads for ListProjectGroupRoleAssignments {
    fn read(&self, tx: &mut Reading<'_>) -> Result<RoleListResource> {
        let project = projects::find(tx, &self.project_id)?;
        let assigned = roles_of_group(tx, &project, &self.group_id)?;
        let (resource, limit) = (RoleResource::Project(&project), self.limit.unwrap_or_default().get());
        role_assignments::page(tx, resource, &assigned, self.order, self.after.as_ref(), limit)
    }
}

impl Reads for ListProjectUserRoleAssignments {
    /// It reads the roles of every group of the user.
    fn lane(&self) -> Lane {
        Lane::Scan
    }

    fn read(&self, tx: &mut Reading<'_>) -> Result<RoleListResource> {
        let project = projects::find(tx, &self.project_id)?;
        let assigned = roles_of_user(tx, &project, &self.user_id)?;
        let (resource, limit) = (RoleResource::Project(&project), self.limit.unwrap_or_default().get());
        role_assignments::page(tx, resource, &assigned, self.order, self.after.as_ref(), limit)
    }
}

impl Reads for RetrieveProjectGroupRole {
    fn read(&self, tx: &mut Reading<'_>) -> Result<AssignedRoleDetails> {
        let project = projects::find(tx, &self.project_id)?;
        let assigned = roles_of_group(tx, &project, &self.group_id)?;
        role_assignments::retrieve(tx, RoleResource::Project(&project), &assigned, &self.role_id)
    }
}

impl Reads for RetrieveProjectUserRole {
    /// It reads the roles of every group of the user.
    fn lane(&self) -> Lane {
        Lane::Scan
    }

    fn read(&self, tx: &mut Reading<'_>) -> Result<AssignedRoleDetails> {
        let project = projects::find(tx, &self.project_id)?;
        let assigned = roles_of_user(tx, &project, &self.user_id)?;
        role_assignments::retrieve(tx, RoleResource::Project(&project), &assigned, &self.role_id)
    }
}

/// Assigning a role again changes nothing (assumed).
impl Changes for AssignProjectGroupRole {
    fn change(&self, change: &mut Change<'_>) -> Result<GroupRoleAssignment> {
        let project = projects::find_active(change, &self.project_id)?;
        let group = find_group(change, &project, &self.group_id)?;
        let resource = RoleResource::Project(&project);
        let role = roles::find(change, resource, &self.body.role_id)?;
        role_assignments::assign(change, resource, Principal::Group(group.seq), &role)?;
        Ok(GroupRoleAssignment::new(role_assignments::shown(group.thing), role.thing.role))
    }
}

/// A predefined role replaces the user's predefined role in the project (assumed).
impl Changes for AssignProjectUserRole {
    fn change(&self, change: &mut Change<'_>) -> Result<UserRoleAssignment> {
        let project = projects::find_active(change, &self.project_id)?;
        let user = find_user(change, &project, &self.user_id)?;
        let resource = RoleResource::Project(&project);
        let role = roles::find(change, resource, &self.body.role_id)?;
        if role.thing.role.predefined_role {
            project_access::set_user_role(change, &project, user.seq, &role)?;
        } else {
            role_assignments::assign(change, resource, Principal::User(user.seq), &role)?;
        }
        Ok(UserRoleAssignment::new(user.thing.user, role.thing.role))
    }
}

/// A group without a role remains in the project (assumed).
impl Changes for UnassignProjectGroupRole {
    fn change(&self, change: &mut Change<'_>) -> Result<DeletedRoleAssignmentResource> {
        let project = projects::find_active(change, &self.project_id)?;
        let group = find_group(change, &project, &self.group_id)?;
        let resource = RoleResource::Project(&project);
        let role = roles::find(change, resource, &self.role_id)?;
        role_assignments::unassign(change, resource, Principal::Group(group.seq), &role)?;
        Ok(role_assignments::removed_from_group())
    }
}

/// Without `owner` a user is a `member`, and every user of a project has a predefined role there (assumed).
impl Changes for UnassignProjectUserRole {
    fn change(&self, change: &mut Change<'_>) -> Result<DeletedRoleAssignmentResource> {
        let project = projects::find_active(change, &self.project_id)?;
        let user = find_user(change, &project, &self.user_id)?;
        let (resource, principal) = (RoleResource::Project(&project), Principal::User(user.seq));
        let role = roles::find(change, resource, &self.role_id)?;
        if !role.thing.role.predefined_role {
            role_assignments::unassign(change, resource, principal, &role)?;
        } else if !role_assignments::is_direct(change, resource, principal, &role)? {
            return Err(role_assignments::not_assigned(&self.role_id));
        } else if Some(role.seq) == roles::predefined_project_seq("owner") {
            let member = project_access::find_role(change, &project, ROLE_WITHOUT_OWNER)?;
            project_access::set_user_role(change, &project, user.seq, &member)?;
        } else {
            let expected =
                "a role that can be unassigned: every user of a project has 'owner', 'member' or 'viewer'";
            return Err(Error::invalid_value("role_id", expected));
        }
        Ok(role_assignments::removed_from_user())
    }
}
