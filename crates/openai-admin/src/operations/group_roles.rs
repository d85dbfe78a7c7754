//! Roles assigned to a group in the organization: `/organization/groups/{group_id}/roles`.

use super::{
    record::record,
    role_assignments::{
        AssignedRoleDetails, DeletedRoleAssignmentResource, PublicAssignOrganizationGroupRoleBody,
        RoleListResource,
    },
    roles::Role,
};
use crate::{Cursor, GroupId, Limit, Order, RoleId, Timestamp, endpoint::endpoint, page::list_endpoint};

const TAG: &str = "Group organization role assignments";

record! {
    /// Lists the organization roles assigned to a group within the organization.
    ListGroupRoleAssignments {
        /// The ID of the group to inspect.
        group_id: GroupId,
    }
    query {
        /// How many assignments to return; 1000 by default (assumed).
        limit: Limit<0, 1000, 1000>,
        /// Return assignments after this one: the `next` of the previous page.
        after: Cursor,
        /// The order of the roles; `asc` by default (assumed).
        order: Order,
    }
}

endpoint!(ListGroupRoleAssignments, "list-group-role-assignments", GET "/organization/groups/{group_id}/roles", ROLES_READ -> RoleListResource);

list_endpoint!(ListGroupRoleAssignments, ordered);

record! {
    /// Assigns an organization role to a group. Assigning it again changes nothing and succeeds (assumed).
    AssignGroupRole {
        /// The ID of the group that should receive the organization role.
        group_id: GroupId,
        /// The role to assign.
        body: PublicAssignOrganizationGroupRoleBody,
    }
}

endpoint!(AssignGroupRole, "assign-group-role", POST ListGroupRoleAssignments::PATH, ROLES_WRITE -> GroupRoleAssignment, idempotent);

record! {
    /// Retrieves an organization role assigned to a group.
    RetrieveGroupRole {
        /// The ID of the group to inspect.
        group_id: GroupId,
        /// The ID of the organization role to retrieve for the group.
        role_id: RoleId,
    }
}

endpoint!(RetrieveGroupRole, "retrieve-group-role", GET "/organization/groups/{group_id}/roles/{role_id}", ROLES_READ -> AssignedRoleDetails);

record! {
    /// Unassigns an organization role from a group within the organization.
    UnassignGroupRole {
        /// The ID of the group to modify.
        group_id: GroupId,
        /// The ID of the organization role to remove from the group.
        role_id: RoleId,
    }
}

endpoint!(UnassignGroupRole, "unassign-group-role", DELETE RetrieveGroupRole::PATH, ROLES_WRITE -> DeletedRoleAssignmentResource);

record! {
    /// Role assignment linking a group to a role.
    GroupRoleAssignment object GroupRoleObject = "group.role" {
        /// The group that has the role.
        group: Group,
        /// The role.
        role: Role,
    }
}

record! {
    /// Summary information about a group returned in role assignment responses.
    Group object GroupObject = "group" {
        /// Identifier for the group.
        id: GroupId,
        /// Display name of the group.
        name: String,
        /// Unix timestamp (in seconds) when the group was created.
        created_at: Timestamp,
        /// Whether the group is managed through SCIM.
        scim_managed: bool,
    }
}
