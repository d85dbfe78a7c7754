//! Roles assigned to a user in a project: `/projects/{project_id}/users/{user_id}/roles`.

use super::{
    record::record,
    role_assignments::{
        AssignedRoleDetails, DeletedRoleAssignmentResource, PublicAssignOrganizationGroupRoleBody,
        RoleListResource,
    },
    user_roles::UserRoleAssignment,
};
use crate::{Cursor, Limit, Order, ProjectId, RoleId, UserId, endpoint::endpoint, page::list_endpoint};

const TAG: &str = "Project user role assignments";

record! {
    /// Lists the project roles assigned to a user within a project, directly or through a group.
    ListProjectUserRoleAssignments {
        /// The ID of the project.
        project_id: ProjectId,
        /// The ID of the user.
        user_id: UserId,
    }
    query {
        /// How many assignments to return; 1000 by default (assumed).
        limit: Limit<0, 1000, 1000>,
        /// Return assignments after this one: the `next` of the previous page.
        after: Cursor,
        /// The order of the assignments; `asc` by default (assumed).
        order: Order,
    }
}

endpoint!(ListProjectUserRoleAssignments, "list-project-user-role-assignments", GET "/projects/{project_id}/users/{user_id}/roles", ROLES_READ -> RoleListResource);

list_endpoint!(ListProjectUserRoleAssignments, ordered);

record! {
    /// Assigns a project role to a user within a project. Assigning it again changes nothing and succeeds (assumed). The
    /// user must be in the project, not only through a group (assumed).
    AssignProjectUserRole {
        /// The ID of the project.
        project_id: ProjectId,
        /// The ID of the user.
        user_id: UserId,
        /// The role to assign.
        body: PublicAssignOrganizationGroupRoleBody,
    }
}

endpoint!(AssignProjectUserRole, "assign-project-user-role", POST ListProjectUserRoleAssignments::PATH, ROLES_WRITE -> UserRoleAssignment, idempotent);

record! {
    /// Retrieves a project role assigned to a user.
    RetrieveProjectUserRole {
        /// The ID of the project.
        project_id: ProjectId,
        /// The ID of the user.
        user_id: UserId,
        /// The ID of the project role.
        role_id: RoleId,
    }
}

endpoint!(RetrieveProjectUserRole, "retrieve-project-user-role", GET "/projects/{project_id}/users/{user_id}/roles/{role_id}", ROLES_READ -> AssignedRoleDetails);

record! {
    /// Unassigns a project role from a user within a project.
    UnassignProjectUserRole {
        /// The ID of the project.
        project_id: ProjectId,
        /// The ID of the user.
        user_id: UserId,
        /// The ID of the project role to remove.
        role_id: RoleId,
    }
}

endpoint!(UnassignProjectUserRole, "unassign-project-user-role", DELETE RetrieveProjectUserRole::PATH, ROLES_WRITE -> DeletedRoleAssignmentResource);
