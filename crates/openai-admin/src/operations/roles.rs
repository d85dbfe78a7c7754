//! Roles of the organization: `/organization/roles`.

use super::record::record;
use crate::{
    BoundedText, Cursor, Limit, ListItem, NextPage, Order, RoleId, deleted::deleted, endpoint::endpoint,
    page::list_endpoint,
};

const TAG: &str = "Roles";

/// A role's name: 1 to 255 characters, not blank (assumed).
pub type RoleName = BoundedText<1, 255>;

record! {
    /// Lists the roles configured for the organization.
    #[derive(Default)]
    ListRoles {}
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

endpoint!(ListRoles, "list-roles", GET "/organization/roles", ROLES_READ -> PublicRoleListResource);

list_endpoint!(ListRoles, ordered);

record! {
    /// Creates a custom role for the organization.
    CreateRole {
        /// The role to create.
        body: PublicCreateOrganizationRoleBody,
    }
}

endpoint!(CreateRole, "create-role", POST ListRoles::PATH, ROLES_WRITE -> Role);

record! {
    /// Retrieves an organization role.
    RetrieveRole {
        /// The ID of the role to retrieve.
        role_id: RoleId,
    }
}

endpoint!(RetrieveRole, "retrieve-role", GET "/organization/roles/{role_id}", ROLES_READ -> Role);

record! {
    /// Updates an existing organization role.
    UpdateRole {
        /// The ID of the role to update.
        role_id: RoleId,
        /// The changes. Absent fields stay unchanged.
        body: PublicUpdateOrganizationRoleBody,
    }
}

endpoint!(UpdateRole, "update-role", POST RetrieveRole::PATH, ROLES_WRITE -> Role, idempotent);

record! {
    /// Deletes a custom role from the organization, with all its assignments (assumed).
    DeleteRole {
        /// The ID of the role to delete.
        role_id: RoleId,
    }
}

endpoint!(DeleteRole, "delete-role", DELETE RetrieveRole::PATH, ROLES_WRITE -> RoleDeletedResource);

record! {
    /// Request payload for creating a custom role.
    PublicCreateOrganizationRoleBody {
        /// Unique name for the role.
        role_name: RoleName,
        /// Permissions to grant to the role.
        permissions: Vec<String>,
    }
    optional {
        /// Description of the role.
        description: String,
    }
}

record! {
    /// Request payload for updating an existing role.
    #[derive(Default)]
    PublicUpdateOrganizationRoleBody {}
    optional {
        /// The new permissions of the role. They replace the previous ones.
        permissions: Vec<String>,
        /// New name for the role.
        role_name: RoleName,
    }
    clearable {
        /// New description for the role; null clears it (assumed).
        description: String,
    }
}

/// Paginated list of roles available on an organization or project.
pub type PublicRoleListResource = NextPage<Role>;

record! {
    /// Details about a role that can be assigned through the public Roles API.
    Role object RoleObject = "role" {
        /// Identifier for the role.
        id: RoleId,
        /// Unique name for the role.
        name: String,
        /// Permissions granted by the role.
        permissions: Vec<String>,
        /// Resource type the role is bound to, such as `api.organization` or `api.project`.
        resource_type: String,
        /// Whether the role is predefined and managed by the service.
        predefined_role: bool,
    }
    nullable {
        /// Description of the role.
        description: String,
    }
}

impl ListItem for Role {
    const LIST_SCHEMA: &'static str = "PublicRoleListResource";
    fn id(&self) -> &str {
        self.id.as_str()
    }
}

deleted!(RoleDeletedResource, RoleDeletedObject, "role.deleted", "role", RoleId);
