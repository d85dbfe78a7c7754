//! Effective access as a function of the roles of a person: the permissions, each with every path to it.
//!
//! In the organization, a person has the permissions of their roles there. In a project they have those of their roles
//! in the project and of their custom roles in the organization. Predefined roles of the organization grant nothing in
//! a project, but an owner of the organization has the role `owner` in every project (assumed).

use std::collections::BTreeMap;

use openai_admin::{
    AccessPathKind, GroupId, UserRole,
    models::{AccessPath, PermissionAccess},
};

use crate::{
    nouns::{
        access::predefined,
        roles::{self, StoredRole},
    },
    shapes::thing::Stored,
};

/// A role of a person.
#[derive(Clone, Debug)]
pub(crate) struct HeldRole {
    pub(crate) role: Stored<StoredRole>,
    /// The group that has the role, and its name. None if the person has it directly.
    pub(crate) group: Option<(GroupId, String)>,
}

/// The roles of a person, in the organization and in the project in question.
#[derive(Clone, Debug)]
pub(crate) struct HeldRoles {
    pub(crate) organization: Vec<HeldRole>,
    pub(crate) project: Option<ProjectRoles>,
}

/// The roles of a person in a project.
#[derive(Clone, Debug)]
pub(crate) struct ProjectRoles {
    pub(crate) held: Vec<HeldRole>,
    /// The predefined role `owner` of the project.
    pub(crate) owner: Stored<StoredRole>,
}

/// The permissions of a person, sorted by name. The paths are in the order of their kinds.
pub(crate) fn permissions(roles: &HeldRoles) -> Vec<PermissionAccess> {
    let mut permissions = BTreeMap::<&str, Vec<AccessPath>>::new();
    for (kind, role, group) in ways(roles) {
        for (permission, assumed) in granted(role) {
            permissions.entry(permission).or_default().push(path(kind.clone(), role, group, assumed));
        }
    }
    let permissions = permissions.into_iter();
    permissions.map(|(permission, paths)| PermissionAccess::new(permission.to_owned(), paths)).collect()
}

/// The paths to one permission.
pub(crate) fn paths(roles: &HeldRoles, permission: &str) -> Vec<AccessPath> {
    let ways = ways(roles).into_iter();
    let paths = ways.filter_map(|(kind, role, group)| {
        let assumed = *granted(role).get(permission)?;
        Some(path(kind, role, group, assumed))
    });
    paths.collect()
}

type Way<'a> = (AccessPathKind, &'a Stored<StoredRole>, Option<&'a (GroupId, String)>);

/// The roles that grant permissions in the organization or project in question, in the order of their kinds.
fn ways(roles: &HeldRoles) -> Vec<Way<'_>> {
    let mut ways = Vec::new();
    let Some(project) = &roles.project else {
        add(&mut ways, &roles.organization, AccessPathKind::OrganizationRole, AccessPathKind::Group);
        return ways;
    };
    let (predefined, custom): (Vec<_>, Vec<_>) =
        roles.organization.iter().partition(|held| held.role.seq < 0);
    add(&mut ways, custom, AccessPathKind::OrganizationRole, AccessPathKind::Group);
    add(&mut ways, &project.held, AccessPathKind::ProjectMembership, AccessPathKind::ProjectGroup);
    let owners =
        predefined.into_iter().filter(|held| held.role.seq == roles::predefined_seq(&UserRole::Owner));
    ways.extend(owners.map(|held| (AccessPathKind::Implied, &project.owner, held.group.as_ref())));
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
    ways.extend(own.into_iter().map(|held| (direct.clone(), &held.role, None)));
    ways.extend(of_groups.into_iter().map(|held| (through_group.clone(), &held.role, held.group.as_ref())));
}

/// The permissions that a role grants, each with whether it is assumed.
fn granted(role: &Stored<StoredRole>) -> BTreeMap<&str, bool> {
    match role.thing.role.predefined_role {
        true => predefined::permissions(role.seq).collect(),
        false => role.thing.role.permissions.iter().map(|permission| (permission.as_str(), false)).collect(),
    }
}

fn path(
    kind: AccessPathKind,
    role: &Stored<StoredRole>,
    group: Option<&(GroupId, String)>,
    assumed: bool,
) -> AccessPath {
    let role = &role.thing.role;
    let mut path = AccessPath::new(kind, role.id.clone(), role.name.clone(), assumed);
    (path.group_id, path.group_name) = group.cloned().unzip();
    path
}
