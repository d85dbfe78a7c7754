//! Roles of the organization: `/organization/roles`.

use serde::{Deserialize, Serialize};

use crate::{
    BoundedText, Cursor, Limit, ListItem, NextPage, Object, ObjectName, Order, RoleId, deleted::deleted,
    endpoint::endpoint, page::list_endpoint,
};

const TAG: &str = "Roles";

/// A role's name: 1 to 255 characters, not blank (assumed).
pub type RoleName = BoundedText<1, 255>;
/// A role's description: at most 1,000 characters (assumed).
pub type RoleDescription = BoundedText<0, 1000>;

/// Lists the roles of the organization: the predefined ones, then the custom ones by creation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ListRoles {
    /// How many roles to return.
    pub limit: Option<Limit<0, 1000, 1000>>,
    /// Return roles after this one: the `next` of the page before, or the ID of its last role.
    pub after: Option<Cursor>,
    /// The order of the roles; `asc` by default.
    pub order: Option<Order>,
}

impl ListRoles {
    /// The first page, with everything at its default.
    pub fn new() -> Self {
        Self::default()
    }
}

endpoint!(ListRoles, "list-roles", GET "/organization/roles", ROLES_READ -> PublicRoleListResource);

list_endpoint!(ListRoles, ordered);

/// Creates a custom role for the organization.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct CreateRole {
    /// The role to create.
    pub body: PublicCreateOrganizationRoleBody,
}

impl CreateRole {
    /// Creates the role that `body` describes.
    pub fn new(body: PublicCreateOrganizationRoleBody) -> Self {
        Self { body }
    }
}

endpoint!(CreateRole, "create-role", POST ListRoles::PATH, ROLES_WRITE -> Role);

/// Retrieves a role of the organization.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct RetrieveRole {
    /// The ID of the role to retrieve.
    pub role_id: RoleId,
}

impl RetrieveRole {
    /// Retrieves `role_id`.
    pub fn new(role_id: RoleId) -> Self {
        Self { role_id }
    }
}

endpoint!(RetrieveRole, "retrieve-role", GET "/organization/roles/{role_id}", ROLES_READ -> Role);

/// Updates a custom role of the organization.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct UpdateRole {
    /// The ID of the role to update.
    pub role_id: RoleId,
    /// What changes; what is absent or null stays.
    pub body: PublicUpdateOrganizationRoleBody,
}

impl UpdateRole {
    /// Updates `role_id` as `body` says.
    pub fn new(role_id: RoleId, body: PublicUpdateOrganizationRoleBody) -> Self {
        Self { role_id, body }
    }
}

endpoint!(UpdateRole, "update-role", POST RetrieveRole::PATH, ROLES_WRITE -> Role, idempotent);

/// Deletes a custom role of the organization, and with it every assignment of it (assumed).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct DeleteRole {
    /// The ID of the role to delete.
    pub role_id: RoleId,
}

impl DeleteRole {
    /// Deletes `role_id`.
    pub fn new(role_id: RoleId) -> Self {
        Self { role_id }
    }
}

endpoint!(DeleteRole, "delete-role", DELETE RetrieveRole::PATH, ROLES_WRITE -> RoleDeletedResource);

/// Request payload for creating a custom role.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct PublicCreateOrganizationRoleBody {
    /// Unique name for the role.
    pub role_name: RoleName,
    /// Permissions to grant to the role, such as `api.groups.read`.
    pub permissions: Vec<String>,
    /// Optional description of the role.
    #[serde(default)]
    pub description: Option<RoleDescription>,
}

impl PublicCreateOrganizationRoleBody {
    /// A role called `role_name` that grants `permissions`.
    pub fn new(role_name: RoleName, permissions: Vec<String>) -> Self {
        Self { role_name, permissions, description: None }
    }
}

/// Request payload for updating an existing role.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct PublicUpdateOrganizationRoleBody {
    /// New name for the role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_name: Option<RoleName>,
    /// New set of permissions for the role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Vec<String>>,
    /// New description for the role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<RoleDescription>,
}

/// The `object` of every role.
#[derive(Clone, Debug, PartialEq)]
pub enum RoleObject {}

impl ObjectName for RoleObject {
    const NAME: &'static str = "role";
}

/// Details about a role that can be assigned through the public Roles API.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Role {
    /// Always `role`.
    #[serde(default)]
    pub object: Object<RoleObject>,
    /// Identifier for the role.
    pub id: RoleId,
    /// Unique name for the role.
    pub name: String,
    /// Optional description of the role.
    pub description: Option<String>,
    /// Permissions granted by the role.
    pub permissions: Vec<String>,
    /// Resource type the role is bound to: `api.organization` or `api.project`.
    pub resource_type: String,
    /// Whether the role is predefined and managed by OpenAI.
    pub predefined_role: bool,
}

impl Role {
    /// A custom role of the organization without a description.
    pub fn new(id: RoleId, name: impl Into<String>, permissions: Vec<String>) -> Self {
        Self {
            object: Object::new(),
            id,
            name: name.into(),
            description: None,
            permissions,
            resource_type: "api.organization".to_owned(),
            predefined_role: false,
        }
    }
}

impl ListItem for Role {
    const LIST_SCHEMA: &'static str = "PublicRoleListResource";
    fn id(&self) -> &str {
        self.id.as_str()
    }
}

/// Paginated list of roles available on an organization or project.
pub type PublicRoleListResource = NextPage<Role>;

deleted!(RoleDeletedResource, RoleDeletedObject, "role.deleted", "role", RoleId);
