//! Types that role assignments of groups and of users share, in the organization and in projects.

use super::{audit_logs::OtherFields, record::record};
use crate::{ListItem, NextPage, RoleId, Timestamp, one_field::one_field};

record! {
    /// Request payload for assigning a role to a group or user.
    PublicAssignOrganizationGroupRoleBody {
        /// Identifier of the role to assign.
        role_id: RoleId,
    }
}

one_field!(PublicAssignOrganizationGroupRoleBody { role_id: RoleId });

/// Paginated list of roles assigned to a principal.
pub type RoleListResource = NextPage<AssignedRoleDetails>;

record! {
    /// Detailed information about a role assignment entry returned when listing assignments.
    AssignedRoleDetails {
        /// Identifier for the role.
        id: RoleId,
        /// Name of the role.
        name: String,
        /// Permissions associated with the role.
        permissions: Vec<String>,
        /// Resource type the role applies to.
        resource_type: String,
        /// Whether the role is predefined by the service.
        predefined_role: bool,
    }
    nullable {
        /// Description of the role.
        description: String,
        /// Unix timestamp (in seconds) when the role was created.
        created_at: Timestamp,
        /// Unix timestamp (in seconds) when the role was last updated.
        updated_at: Timestamp,
        /// Identifier of the actor who created the role.
        created_by: String,
        /// User details for the actor that created the role, when available.
        created_by_user_obj: OtherFields,
        /// Arbitrary metadata stored on the role.
        metadata: OtherFields,
        /// Principals from which the role assignment is inherited, when available.
        assignment_sources: Vec<AssignmentSource>,
    }
}

impl ListItem for AssignedRoleDetails {
    const LIST_SCHEMA: &'static str = "RoleListResource";
    fn id(&self) -> &str {
        self.id.as_str()
    }
}

record! {
    /// A principal from which a role assignment is inherited.
    AssignmentSource {
        /// Identifier of the principal.
        principal_id: String,
        /// Type of the principal, such as `user` or `group`.
        principal_type: String,
    }
}

record! {
    /// Confirmation payload returned after unassigning a role.
    DeletedRoleAssignmentResource {
        /// The type of the removed assignment, such as `group.role.deleted` or `user.role.deleted`.
        object: String,
        /// Whether the assignment was removed.
        deleted: bool,
    }
}
