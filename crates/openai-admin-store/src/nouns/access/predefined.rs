//! The permissions of predefined roles.
//!
//! OpenAI's guide to roles publishes the areas that each predefined role may read and write. It does not publish the
//! names of all permissions, nor what a role grants in every area: such rows are marked as assumed. These rows explain
//! access and never restrict a request.

use crate::nouns::roles::{predefined_project_seq, predefined_seq};
use openai_admin::UserRole;

/// A predefined role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Grantee {
    OrganizationOwner,
    OrganizationReader,
    ProjectOwner,
    ProjectMember,
    ProjectViewer,
}

use Grantee::{OrganizationOwner, OrganizationReader, ProjectMember, ProjectOwner, ProjectViewer};

impl Grantee {
    fn of(role_seq: i64) -> Option<Self> {
        let is_project = |name| predefined_project_seq(name) == Some(role_seq);
        match role_seq {
            0.. => None,
            seq if seq == predefined_seq(&UserRole::Owner) => Some(OrganizationOwner),
            seq if seq == predefined_seq(&UserRole::Reader) => Some(OrganizationReader),
            _ if is_project("owner") => Some(ProjectOwner),
            _ if is_project("member") => Some(ProjectMember),
            _ => Some(ProjectViewer),
        }
    }
}

/// A permission, and the predefined roles that grant it.
struct Grant {
    permission: &'static str,
    assumed: bool,
    grantees: &'static [Grantee],
}

const fn published(permission: &'static str, grantees: &'static [Grantee]) -> Grant {
    Grant { permission, assumed: false, grantees }
}

const fn assumed(permission: &'static str, grantees: &'static [Grantee]) -> Grant {
    Grant { permission, assumed: true, grantees }
}

const ALL: &[Grantee] = &[OrganizationOwner, OrganizationReader, ProjectOwner, ProjectMember, ProjectViewer];
const NOT_VIEWER: &[Grantee] = &[OrganizationOwner, OrganizationReader, ProjectOwner, ProjectMember];
const OWNERS_AND_MEMBER: &[Grantee] = &[OrganizationOwner, ProjectOwner, ProjectMember];
const OWNERS: &[Grantee] = &[OrganizationOwner, ProjectOwner];
const ORGANIZATION_OWNER: &[Grantee] = &[OrganizationOwner];

/// Sorted by permission.
static GRANTS: [Grant; 34] = [
    published("api.assistants.read", ALL),
    published("api.assistants.write", NOT_VIEWER),
    assumed("api.audit_logs.read", ORGANIZATION_OWNER),
    assumed("api.evals.read", ALL),
    assumed("api.evals.write", NOT_VIEWER),
    assumed("api.external_keys.read", ORGANIZATION_OWNER),
    assumed("api.external_keys.write", ORGANIZATION_OWNER),
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

/// The permissions of a predefined role, each with whether it is assumed.
pub(crate) fn permissions(role_seq: i64) -> impl Iterator<Item = (&'static str, bool)> {
    let grantee = Grantee::of(role_seq);
    let grants =
        GRANTS.iter().filter(move |grant| grantee.is_some_and(|role| grant.grantees.contains(&role)));
    grants.map(|grant| (grant.permission, grant.assumed))
}

/// Whether a predefined role grants a permission.
pub(crate) fn grants(role_seq: i64, permission: &str) -> bool {
    permissions(role_seq).any(|(granted, _)| granted == permission)
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
        let of = |role_seq| permissions(role_seq).map(|(permission, _)| permission).collect::<Vec<_>>();
        for (owner, others) in [(-2, [-1].as_slice()), (-5, &[-4, -3])] {
            let owned = of(owner);
            for other in others {
                let lesser = of(*other);
                assert!(!lesser.is_empty() && lesser.len() < owned.len());
                assert!(lesser.iter().all(|permission| owned.contains(permission)), "{other}");
            }
        }
    }

    #[test]
    fn a_custom_role_has_no_predefined_permissions() {
        assert_eq!(permissions(1).count(), 0);
    }
}
