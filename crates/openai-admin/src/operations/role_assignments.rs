//! Organization roles of groups and of users: `/organization/groups/{group_id}/roles`,
//! `/organization/users/{user_id}/roles`.

use serde::{Deserialize, Serialize};

use crate::{
    Cursor, GroupId, Limit, ListItem, NextPage, Object, ObjectName, Order, RoleId, Timestamp, UserId,
    endpoint::endpoint,
    operations::{groups::GroupResponse, roles::Role, users::User},
    page::list_endpoint,
};

/// Declares the four operations on the roles of a principal.
macro_rules! role_assignments {
    (
        $principal:ident: $Id:ident, $words:literal, $tag:literal, $path:literal, $one:literal,
        $list:ident $list_id:literal, $assign:ident $assign_id:literal -> $assignment:ident,
        $retrieve:ident $retrieve_id:literal, $unassign:ident $unassign_id:literal
    ) => {
        const _: () = {
            const TAG: &str = $tag;
            endpoint!($list, $list_id, GET $path, ROLES_READ -> RoleListResource);
            endpoint!($assign, $assign_id, POST $path, ROLES_WRITE -> $assignment, idempotent);
            endpoint!($retrieve, $retrieve_id, GET $one, ROLES_READ -> AssignedRoleDetails);
            endpoint!($unassign, $unassign_id, DELETE $one, ROLES_WRITE -> DeletedRoleAssignmentResource);
        };

        #[doc = concat!("Lists the organization roles of a ", $words, ", by creation of the roles (assumed).")]
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[non_exhaustive]
        pub struct $list {
            #[doc = concat!("The ID of the ", $words, ".")]
            pub $principal: $Id,
            /// How many roles to return.
            pub limit: Option<Limit<0, 1000, 1000>>,
            /// Return roles after this one: the `next` of the page before, or the ID of its last role.
            pub after: Option<Cursor>,
            /// The order of the roles; `asc` by default (assumed).
            pub order: Option<Order>,
        }

        impl $list {
            #[doc = concat!("The first page of the roles of a ", $words, ".")]
            pub fn new($principal: $Id) -> Self {
                Self { $principal, limit: None, after: None, order: None }
            }
        }

        list_endpoint!($list, ordered);

        #[doc = concat!("Assigns an organization role to a ", $words, "; assigning it again changes nothing (assumed).")]
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[non_exhaustive]
        pub struct $assign {
            #[doc = concat!("The ID of the ", $words, ".")]
            pub $principal: $Id,
            /// The role to assign.
            pub body: PublicAssignOrganizationGroupRoleBody,
        }

        impl $assign {
            #[doc = concat!("Assigns `role_id` to a ", $words, ".")]
            pub fn new($principal: $Id, role_id: RoleId) -> Self {
                Self { $principal, body: PublicAssignOrganizationGroupRoleBody { role_id } }
            }
        }

        #[doc = concat!("Retrieves an organization role of a ", $words, ".")]
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[non_exhaustive]
        pub struct $retrieve {
            #[doc = concat!("The ID of the ", $words, ".")]
            pub $principal: $Id,
            /// The ID of the role.
            pub role_id: RoleId,
        }

        impl $retrieve {
            #[doc = concat!("Retrieves `role_id` as a role of a ", $words, ".")]
            pub fn new($principal: $Id, role_id: RoleId) -> Self {
                Self { $principal, role_id }
            }
        }

        #[doc = concat!("Unassigns an organization role from a ", $words, ".")]
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[non_exhaustive]
        pub struct $unassign {
            #[doc = concat!("The ID of the ", $words, ".")]
            pub $principal: $Id,
            /// The ID of the role.
            pub role_id: RoleId,
        }

        impl $unassign {
            #[doc = concat!("Unassigns `role_id` from a ", $words, ".")]
            pub fn new($principal: $Id, role_id: RoleId) -> Self {
                Self { $principal, role_id }
            }
        }
    };
}

role_assignments! {
    group_id: GroupId, "group", "Group organization role assignments",
    "/organization/groups/{group_id}/roles", "/organization/groups/{group_id}/roles/{role_id}",
    ListGroupRoleAssignments "list-group-role-assignments",
    AssignGroupRole "assign-group-role" -> GroupRoleAssignment,
    RetrieveGroupRole "retrieve-group-role", UnassignGroupRole "unassign-group-role"
}

role_assignments! {
    user_id: UserId, "user", "User organization role assignments",
    "/organization/users/{user_id}/roles", "/organization/users/{user_id}/roles/{role_id}",
    ListUserRoleAssignments "list-user-role-assignments",
    AssignUserRole "assign-user-role" -> UserRoleAssignment,
    RetrieveUserRole "retrieve-user-role", UnassignUserRole "unassign-user-role"
}

/// Request payload for assigning a role to a group or user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct PublicAssignOrganizationGroupRoleBody {
    /// Identifier of the role to assign.
    pub role_id: RoleId,
}

/// Detailed information about a role assignment entry returned when listing assignments.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct AssignedRoleDetails {
    /// Identifier for the role.
    pub id: RoleId,
    /// Name of the role.
    pub name: String,
    /// Permissions associated with the role.
    pub permissions: Vec<String>,
    /// Resource type the role applies to.
    pub resource_type: String,
    /// Whether the role is predefined by OpenAI.
    pub predefined_role: bool,
    /// Description of the role.
    pub description: Option<String>,
    /// When the role was created; null of a predefined role.
    pub created_at: Option<Timestamp>,
    /// When the role was last updated; null of a predefined role.
    pub updated_at: Option<Timestamp>,
    /// Identifier of the actor who created the role.
    pub created_by: Option<String>,
    /// User details for the actor that created the role, when available.
    pub created_by_user_obj: Option<serde_json::Map<String, serde_json::Value>>,
    /// Arbitrary metadata stored on the role.
    pub metadata: Option<serde_json::Map<String, serde_json::Value>>,
    /// Principals from which the role assignment is inherited; null where it is direct only. The published examples
    /// leave it out.
    #[serde(default)]
    pub assignment_sources: Option<Vec<AssignmentSource>>,
}

impl AssignedRoleDetails {
    /// A role that is assigned directly.
    pub fn new(role: Role) -> Self {
        let Role { id, name, description, permissions, resource_type, predefined_role, .. } = role;
        Self {
            id,
            name,
            permissions,
            resource_type,
            predefined_role,
            description,
            created_at: None,
            updated_at: None,
            created_by: None,
            created_by_user_obj: None,
            metadata: Some(serde_json::Map::new()),
            assignment_sources: None,
        }
    }
}

impl ListItem for AssignedRoleDetails {
    const LIST_SCHEMA: &'static str = "RoleListResource";
    fn id(&self) -> &str {
        self.id.as_str()
    }
}

/// A principal from which a role assignment is inherited.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct AssignmentSource {
    /// The ID of the principal.
    pub principal_id: String,
    /// `user` or `group`.
    pub principal_type: String,
}

impl AssignmentSource {
    /// A principal of a type.
    pub fn new(principal_type: impl Into<String>, principal_id: impl Into<String>) -> Self {
        Self { principal_id: principal_id.into(), principal_type: principal_type.into() }
    }
}

/// Paginated list of roles assigned to a principal.
pub type RoleListResource = NextPage<AssignedRoleDetails>;

/// The `object` of a group.
#[derive(Clone, Debug, PartialEq)]
pub enum GroupObject {}

impl ObjectName for GroupObject {
    const NAME: &'static str = "group";
}

/// Summary information about a group returned in role assignment responses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Group {
    /// Always `group`.
    #[serde(default)]
    pub object: Object<GroupObject>,
    /// Identifier for the group.
    pub id: GroupId,
    /// Display name of the group.
    pub name: String,
    /// Unix timestamp (in seconds) when the group was created.
    pub created_at: Timestamp,
    /// Whether the group is managed through a SCIM directory.
    pub scim_managed: bool,
}

impl From<GroupResponse> for Group {
    fn from(group: GroupResponse) -> Self {
        let GroupResponse { id, name, created_at, is_scim_managed, .. } = group;
        Self { object: Object::new(), id, name, created_at, scim_managed: is_scim_managed }
    }
}

/// Declares an assignment as it is answered.
macro_rules! assignment {
    ($assignment:ident, $object:ident = $name:literal, $field:ident: $Principal:ident) => {
        #[doc = concat!("The `object` of a role assignment of a ", stringify!($field), ".")]
        #[derive(Clone, Debug, PartialEq)]
        pub enum $object {}

        impl ObjectName for $object {
            const NAME: &'static str = $name;
        }

        #[doc = concat!("Role assignment linking a ", stringify!($field), " to a role.")]
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[non_exhaustive]
        pub struct $assignment {
            #[doc = concat!("Always `", $name, "`.")]
            #[serde(default)]
            pub object: Object<$object>,
            #[doc = concat!("The ", stringify!($field), ".")]
            pub $field: $Principal,
            /// The role.
            pub role: Role,
        }

        impl $assignment {
            #[doc = concat!("Links a ", stringify!($field), " to a role.")]
            pub fn new($field: $Principal, role: Role) -> Self {
                Self { object: Object::new(), $field, role }
            }
        }
    };
}

assignment!(GroupRoleAssignment, GroupRoleObject = "group.role", group: Group);
assignment!(UserRoleAssignment, UserRoleObject = "user.role", user: User);

/// Confirmation payload returned after unassigning a role.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct DeletedRoleAssignmentResource {
    /// Such as `group.role.deleted` or `user.role.deleted`.
    pub object: String,
    /// Whether the assignment was removed.
    pub deleted: bool,
}

impl DeletedRoleAssignmentResource {
    /// Confirms the removal of a role of a `group` or a `user`.
    pub fn new(principal: &str) -> Self {
        Self { object: format!("{principal}.role.deleted"), deleted: true }
    }
}
