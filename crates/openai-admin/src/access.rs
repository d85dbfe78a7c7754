//! Effective access as a function of the roles of a person: the permissions, each with every path to it.
//!
//! In the organization, a person has the permissions of their roles there. In a project they have those of their roles
//! in the project and of their custom roles in the organization. Predefined roles of the organization grant nothing in
//! a project, but an owner of the organization has the role `owner` in every project (assumed).
//!
//! The server and the command line share these functions: the command line computes the access of people in services
//! that do not report it.

mod predefined;

use std::{collections::BTreeMap, sync::Arc};

pub use self::predefined::{PredefinedRole, predefined_permissions};
use crate::{
    AccessPathKind, GroupId,
    models::{AccessPath, PermissionAccess, Role},
};

/// A role of a person.
#[derive(Clone, Debug)]
pub struct HeldRole {
    /// The role.
    pub role: Arc<Role>,
    /// The group that has the role, and its name. None if the person has it directly.
    pub group: Option<(GroupId, String)>,
}

/// The roles of a person, in the organization and in the project in question.
#[derive(Clone, Debug)]
pub struct HeldRoles {
    /// Their roles in the organization, each direct one before those of groups.
    pub organization: Vec<HeldRole>,
    /// Their roles in the project. None for access in the organization.
    pub project: Option<ProjectRoles>,
}

/// The roles of a person in a project.
#[derive(Clone, Debug)]
pub struct ProjectRoles {
    /// The roles.
    pub held: Vec<HeldRole>,
    /// The predefined role `owner` of the project.
    pub owner: Arc<Role>,
}

/// The permissions of a person, sorted by name. The paths are in the order of their kinds.
pub fn permissions(roles: &HeldRoles) -> Vec<PermissionAccess> {
    let mut permissions = BTreeMap::<&str, Vec<AccessPath>>::new();
    for (kind, role, group) in ways(roles) {
        // A role may name a permission twice.
        for (permission, assumed) in granted(role).into_iter().collect::<BTreeMap<_, _>>() {
            permissions.entry(permission).or_default().push(path(kind.clone(), role, group, assumed));
        }
    }
    let permissions = permissions.into_iter();
    permissions.map(|(permission, paths)| PermissionAccess::new(permission.to_owned(), paths)).collect()
}

/// The paths to one permission.
pub fn paths(roles: &HeldRoles, permission: &str) -> Vec<AccessPath> {
    let ways = ways(roles).into_iter();
    let paths = ways.filter_map(|(kind, role, group)| {
        let (_, assumed) = granted(role).into_iter().find(|(granted, _)| *granted == permission)?;
        Some(path(kind, role, group, assumed))
    });
    paths.collect()
}

type Way<'a> = (AccessPathKind, &'a Role, Option<&'a (GroupId, String)>);

/// The roles that grant permissions in the organization or project in question, in the order of their kinds.
fn ways(roles: &HeldRoles) -> Vec<Way<'_>> {
    let mut ways = Vec::new();
    let Some(project) = &roles.project else {
        add(&mut ways, &roles.organization, AccessPathKind::OrganizationRole, AccessPathKind::Group);
        return ways;
    };
    let (predefined, custom): (Vec<_>, Vec<_>) =
        roles.organization.iter().partition(|held| held.role.predefined_role);
    add(&mut ways, custom, AccessPathKind::OrganizationRole, AccessPathKind::Group);
    add(&mut ways, &project.held, AccessPathKind::ProjectMembership, AccessPathKind::ProjectGroup);
    let is_owner =
        |held: &&HeldRole| PredefinedRole::of(&held.role) == Some(PredefinedRole::OrganizationOwner);
    let owners = predefined.into_iter().filter(is_owner);
    ways.extend(owners.map(|held| (AccessPathKind::Implied, project.owner.as_ref(), held.group.as_ref())));
    ways
}

/// Adds the direct roles, and then those of groups.
fn add<'a>(
    ways: &mut Vec<Way<'a>>,
    held: impl IntoIterator<Item = &'a HeldRole>,
    direct: AccessPathKind,
    through_group: AccessPathKind,
) {
    let (of_groups, own): (Vec<_>, Vec<_>) = held.into_iter().partition(|held| held.group.is_some());
    ways.extend(own.into_iter().map(|held| (direct.clone(), held.role.as_ref(), None)));
    ways.extend(
        of_groups.into_iter().map(|held| (through_group.clone(), held.role.as_ref(), held.group.as_ref())),
    );
}

/// The permissions that a role grants, each with whether it is assumed. If the service does not list the permissions of
/// a predefined role, they are those of [`PredefinedRole::permissions`].
pub fn granted(role: &Role) -> Vec<(&str, bool)> {
    match PredefinedRole::of(role) {
        Some(predefined) if role.permissions.is_empty() => predefined.permissions().collect(),
        _ => role.permissions.iter().map(|permission| (permission.as_str(), false)).collect(),
    }
}

fn path(kind: AccessPathKind, role: &Role, group: Option<&(GroupId, String)>, assumed: bool) -> AccessPath {
    let mut path = AccessPath::new(kind, role.id.clone(), role.name.clone(), assumed);
    (path.group_id, path.group_name) = group.cloned().unzip();
    path
}
