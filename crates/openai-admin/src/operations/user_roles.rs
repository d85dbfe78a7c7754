//! Roles assigned to a user in the organization: `/organization/users/{user_id}/roles`.

use super::{
    record::record,
    role_assignments::{
        AssignedRoleDetails, DeletedRoleAssignmentResource, PublicAssignOrganizationGroupRoleBody,
        RoleListResource,
    },
    roles::Role,
    users::User,
};
use crate::{Cursor, Limit, Order, RoleId, UserId, endpoint::endpoint, page::list_endpoint};

const TAG: &str = "User organization role assignments";

record! {
    /// Lists the organization roles assigned to a user within the organization.
    ListUserRoleAssignments {
        /// The ID of the user to inspect.
        user_id: UserId,
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

endpoint!(ListUserRoleAssignments, "list-user-role-assignments", GET "/organization/users/{user_id}/roles", ROLES_READ -> RoleListResource);

list_endpoint!(ListUserRoleAssignments, ordered);

record! {
    /// Assigns an organization role to a user. Assigning it again changes nothing and succeeds (assumed).
    AssignUserRole {
        /// The ID of the user that should receive the organization role.
        user_id: UserId,
        /// The role to assign.
        body: PublicAssignOrganizationGroupRoleBody,
    }
}

endpoint!(AssignUserRole, "assign-user-role", POST ListUserRoleAssignments::PATH, ROLES_WRITE -> UserRoleAssignment, idempotent);

record! {
    /// Retrieves an organization role assigned to a user.
    RetrieveUserRole {
        /// The ID of the user to inspect.
        user_id: UserId,
        /// The ID of the organization role to retrieve for the user.
        role_id: RoleId,
    }
}

endpoint!(RetrieveUserRole, "retrieve-user-role", GET "/organization/users/{user_id}/roles/{role_id}", ROLES_READ -> AssignedRoleDetails);

record! {
    /// Unassigns an organization role from a user within the organization.
    UnassignUserRole {
        /// The ID of the user to modify.
        user_id: UserId,
        /// The ID of the organization role to remove from the user.
        role_id: RoleId,
    }
}

endpoint!(UnassignUserRole, "unassign-user-role", DELETE RetrieveUserRole::PATH, ROLES_WRITE -> DeletedRoleAssignmentResource);

record! {
    /// Role assignment linking a user to a role.
    UserRoleAssignment object UserRoleObject = "user.role" {
        /// The user that has the role.
        user: User,
        /// The role.
        role: Role,
    }
}
