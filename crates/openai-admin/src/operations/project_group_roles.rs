//! Roles assigned to a group in a project: `/projects/{project_id}/groups/{group_id}/roles`.

use super::{
    group_roles::GroupRoleAssignment,
    record::record,
    role_assignments::{
        AssignedRoleDetails, DeletedRoleAssignmentResource, PublicAssignOrganizationGroupRoleBody,
        RoleListResource,
    },
};
use crate::{Cursor, GroupId, Limit, Order, ProjectId, RoleId, endpoint::endpoint, page::list_endpoint};

const TAG: &str = "Project group role assignments";

record! {
    /// Lists the project roles assigned to a group within a project.
    ListProjectGroupRoleAssignments {
        /// The ID of the project.
        project_id: ProjectId,
        /// The ID of the group.
        group_id: GroupId,
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

endpoint!(ListProjectGroupRoleAssignments, "list-project-group-role-assignments", GET "/projects/{project_id}/groups/{group_id}/roles", ROLES_READ -> RoleListResource);

list_endpoint!(ListProjectGroupRoleAssignments, ordered);

record! {
    /// Assigns a project role to a group within a project. Assigning it again changes nothing and succeeds (assumed).
    AssignProjectGroupRole {
        /// The ID of the project.
        project_id: ProjectId,
        /// The ID of the group.
        group_id: GroupId,
        /// The role to assign.
        body: PublicAssignOrganizationGroupRoleBody,
    }
}

endpoint!(AssignProjectGroupRole, "assign-project-group-role", POST ListProjectGroupRoleAssignments::PATH, ROLES_WRITE -> GroupRoleAssignment, idempotent);

record! {
    /// Retrieves a project role assigned to a group.
    RetrieveProjectGroupRole {
        /// The ID of the project.
        project_id: ProjectId,
        /// The ID of the group.
        group_id: GroupId,
        /// The ID of the project role.
        role_id: RoleId,
    }
}

endpoint!(RetrieveProjectGroupRole, "retrieve-project-group-role", GET "/projects/{project_id}/groups/{group_id}/roles/{role_id}", ROLES_READ -> AssignedRoleDetails);

record! {
    /// Unassigns a project role from a group within a project.
    UnassignProjectGroupRole {
        /// The ID of the project.
        project_id: ProjectId,
        /// The ID of the group.
        group_id: GroupId,
        /// The ID of the project role to remove.
        role_id: RoleId,
    }
}

endpoint!(UnassignProjectGroupRole, "unassign-project-group-role", DELETE RetrieveProjectGroupRole::PATH, ROLES_WRITE -> DeletedRoleAssignmentResource);
