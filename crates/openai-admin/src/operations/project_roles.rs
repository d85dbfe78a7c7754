//! Roles of a project: `/projects/{project_id}/roles`.

use super::{
    record::record,
    roles::{
        PublicCreateOrganizationRoleBody, PublicRoleListResource, PublicUpdateOrganizationRoleBody, Role,
        RoleDeletedResource,
    },
};
use crate::{Cursor, Limit, Order, ProjectId, RoleId, endpoint::endpoint, page::list_endpoint};

const TAG: &str = "Roles";

record! {
    /// Lists the roles configured for a project.
    ListProjectRoles {
        /// The ID of the project.
        project_id: ProjectId,
    }
    query {
        /// How many roles to return.
        limit: Limit<0, 1000, 1000>,
        /// Return roles after this one: the `next` of the previous page.
        after: Cursor,
        /// The order of the roles; `asc` by default.
        #[cfg_attr(feature = "schema", schemars(extend("default" = "asc")))]
        order: Order,
    }
}

endpoint!(ListProjectRoles, "list-project-roles", GET "/projects/{project_id}/roles", ROLES_READ -> PublicRoleListResource);

list_endpoint!(ListProjectRoles, ordered);

record! {
    /// Creates a custom role for a project.
    CreateProjectRole {
        /// The ID of the project.
        project_id: ProjectId,
        /// The role to create.
        body: PublicCreateOrganizationRoleBody,
    }
}

endpoint!(CreateProjectRole, "create-project-role", POST ListProjectRoles::PATH, ROLES_WRITE -> Role);

record! {
    /// Retrieves a project role.
    RetrieveProjectRole {
        /// The ID of the project.
        project_id: ProjectId,
        /// The ID of the role to retrieve.
        role_id: RoleId,
    }
}

endpoint!(RetrieveProjectRole, "retrieve-project-role", GET "/projects/{project_id}/roles/{role_id}", ROLES_READ -> Role);

record! {
    /// Updates an existing project role.
    UpdateProjectRole {
        /// The ID of the project.
        project_id: ProjectId,
        /// The ID of the role to update.
        role_id: RoleId,
        /// The changes. Absent fields stay unchanged.
        body: PublicUpdateOrganizationRoleBody,
    }
}

endpoint!(UpdateProjectRole, "update-project-role", POST RetrieveProjectRole::PATH, ROLES_WRITE -> Role, idempotent);

record! {
    /// Deletes a custom role from a project, with all its assignments (assumed).
    DeleteProjectRole {
        /// The ID of the project.
        project_id: ProjectId,
        /// The ID of the role to delete.
        role_id: RoleId,
    }
}

endpoint!(DeleteProjectRole, "delete-project-role", DELETE RetrieveProjectRole::PATH, ROLES_WRITE -> RoleDeletedResource);
