//! The permissions of predefined roles.
//!
//! OpenAI's guide to roles publishes the areas that each predefined role may read and write. It does not publish the
//! names of all permissions, nor what a role grants in every area: such rows are marked as assumed. These rows explain
//! access and never restrict a request.

use crate::models::Role;

/// A predefined role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PredefinedRole {
    /// The role `owner` of the organization.
    OrganizationOwner,
    /// The role `reader` of the organization.
    OrganizationReader,
    /// The role `owner` of a project.
    ProjectOwner,
    /// The role `member` of a project.
    ProjectMember,
    /// The role `viewer` of a project.
    ProjectViewer,
}

use PredefinedRole::{OrganizationOwner, OrganizationReader, ProjectMember, ProjectOwner, ProjectViewer};

impl PredefinedRole {
    /// The predefined role with this name on a type of resource: `api.organization` or `api.project`. Assumed: `member`
    /// is the older name of an organization's `reader`.
    pub fn named(resource_type: &str, name: &str) -> Option<Self> {
        match (resource_type, name) {
            ("api.organization", "owner") => Some(OrganizationOwner),
            ("api.organization", "reader" | "member") => Some(OrganizationReader),
            ("api.project", "owner") => Some(ProjectOwner),
            ("api.project", "member") => Some(ProjectMember),
            ("api.project", "viewer") => Some(ProjectViewer),
            _ => None,
        }
    }

    /// The predefined role that a role is. None for a custom role.
    pub fn of(role: &Role) -> Option<Self> {
        let is_predefined = role.predefined_role;
        Self::named(&role.resource_type, &role.name).filter(|_| is_predefined)
    }

    /// Its permissions, sorted by name, each with whether it is assumed.
    pub fn permissions(self) -> impl Iterator<Item = (&'static str, bool)> {
        let grants = GRANTS.iter().filter(move |grant| grant.grantees.contains(&self));
        grants.map(|grant| (grant.permission, grant.assumed))
    }

    /// Whether it grants a permission.
    pub fn grants(self, permission: &str) -> bool {
        self.permissions().any(|(granted, _)| granted == permission)
    }
}

/// A permission, and the predefined roles that grant it.
struct Grant {
    permission: &'static str,
    assumed: bool,
    grantees: &'static [PredefinedRole],
}

const fn published(permission: &'static str, grantees: &'static [PredefinedRole]) -> Grant {
    Grant { permission, assumed: false, grantees }
}

const fn assumed(permission: &'static str, grantees: &'static [PredefinedRole]) -> Grant {
    Grant { permission, assumed: true, grantees }
}

const ALL: &[PredefinedRole] =
    &[OrganizationOwner, OrganizationReader, ProjectOwner, ProjectMember, ProjectViewer];
const NOT_VIEWER: &[PredefinedRole] = &[OrganizationOwner, OrganizationReader, ProjectOwner, ProjectMember];
const OWNERS_AND_MEMBER: &[PredefinedRole] = &[OrganizationOwner, ProjectOwner, ProjectMember];
const OWNERS: &[PredefinedRole] = &[OrganizationOwner, ProjectOwner];
const ORGANIZATION_OWNER: &[PredefinedRole] = &[OrganizationOwner];

/// Sorted by permission.
static GRANTS: [Grant; 36] = [
    published("api.assistants.read", ALL),
    published("api.assistants.write", NOT_VIEWER),
    assumed("api.audit_logs.read", ORGANIZATION_OWNER),
    assumed("api.evals.read", ALL),
    assumed("api.evals.write", NOT_VIEWER),
    assumed("api.external_keys.read", ORGANIZATION_OWNER),
    assumed("api.external_keys.write", ORGANIZATION_OWNER),
    assumed("api.external_storage.read", ORGANIZATION_OWNER),
    assumed("api.external_storage.write", ORGANIZATION_OWNER),
    assumed("api.files.read", ALL),
    assumed("api.files.write", NOT_VIEWER),
    assumed("api.fine_tuning.jobs.read", ALL),
    assumed("api.fine_tuning.jobs.write", NOT_VIEWER),
    published("api.groups.read", ALL),
    published("api.groups.write", OWNERS_AND_MEMBER),
    published("api.management.read", ORGANIZATION_OWNER),
    published("api.management.write", ORGANIZATION_OWNER),
    published("api.model.read", ALL),
    published("api.model.request", NOT_VIEWER),
    assumed("api.mtls.read", ORGANIZATION_OWNER),
    assumed("api.mtls.write", ORGANIZATION_OWNER),
    assumed("api.organization.projects.api_keys.read", ALL),
    assumed("api.organization.projects.api_keys.write", NOT_VIEWER),
    assumed("api.organization.projects.service_accounts.read", OWNERS),
    assumed("api.organization.projects.service_accounts.write", OWNERS),
    assumed("api.responses.write", NOT_VIEWER),
    assumed("api.roles.read", ALL),
    assumed("api.roles.write", OWNERS_AND_MEMBER),
    published("api.threads.read", ALL),
    published("api.threads.write", NOT_VIEWER),
    published("api.usage.read", ORGANIZATION_OWNER),
    assumed("api.usage.write", ORGANIZATION_OWNER),
    assumed("api.vector_stores.read", ALL),
    assumed("api.vector_stores.write", NOT_VIEWER),
    assumed("api.webhooks.read", OWNERS),
    assumed("api.webhooks.write", OWNERS),
];

/// The permissions of all predefined roles, sorted by name.
pub fn predefined_permissions() -> impl Iterator<Item = &'static str> {
    GRANTS.iter().map(|grant| grant.permission)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_permissions_are_sorted_and_unique() {
        assert!(GRANTS.is_sorted_by(|one, next| one.permission < next.permission));
    }

    #[test]
    fn an_owner_has_the_permissions_of_lesser_roles() {
        let of =
            |role: PredefinedRole| role.permissions().map(|(permission, _)| permission).collect::<Vec<_>>();
        for (owner, others) in [
            (OrganizationOwner, [OrganizationReader].as_slice()),
            (ProjectOwner, &[ProjectMember, ProjectViewer]),
        ] {
            let owned = of(owner);
            for other in others {
                let lesser = of(*other);
                assert!(!lesser.is_empty() && lesser.len() < owned.len());
                assert!(lesser.iter().all(|permission| owned.contains(permission)), "{other:?}");
            }
        }
    }

    #[test]
    fn a_custom_role_with_a_predefined_name_is_not_predefined() {
        let role = |is_predefined| {
            let id = "role_1".parse().expect("an id");
            Role::new(id, "owner".to_owned(), Vec::new(), "api.project".to_owned(), is_predefined)
        };
        assert_eq!(PredefinedRole::of(&role(true)), Some(ProjectOwner));
        assert_eq!(PredefinedRole::of(&role(false)), None);
    }
}
