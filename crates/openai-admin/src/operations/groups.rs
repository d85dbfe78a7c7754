//! Groups of the organization: `/organization/groups`.

use serde::{Deserialize, Serialize};

use crate::{
    BoundedText, Cursor, GroupId, GroupType, Limit, ListItem, NextPage, Order, Timestamp, deleted::deleted,
    endpoint::endpoint, one_field::one_field, page::list_endpoint,
};

const TAG: &str = "Groups";

/// A group's name: 1 to 255 characters, not blank.
pub type GroupName = BoundedText<1, 255>;

/// Lists all groups in the organization.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ListGroups {
    /// How many groups to return.
    pub limit: Option<Limit<0, 1000, 100>>,
    /// Return groups after this one: the `next` of the previous page, or the ID of its last group.
    pub after: Option<Cursor>,
    /// The order of the groups, by creation time; `asc` by default.
    pub order: Option<Order>,
}

impl ListGroups {
    /// The first page, with default parameters.
    pub fn new() -> Self {
        Self::default()
    }
}

endpoint!(ListGroups, "list-groups", GET "/organization/groups", GROUPS_READ -> GroupListResource);

list_endpoint!(ListGroups, ordered);

/// Creates a new group in the organization. Two groups may have the same name (assumed).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct CreateGroup {
    /// The group to create.
    pub body: CreateGroupBody,
}

impl CreateGroup {
    /// Creates a group called `name`.
    pub fn new(name: GroupName) -> Self {
        Self { body: CreateGroupBody { name } }
    }
}

endpoint!(CreateGroup, "create-group", POST ListGroups::PATH, GROUPS_WRITE -> GroupResponse);

/// Retrieves a group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct RetrieveGroup {
    /// The ID of the group to retrieve.
    pub group_id: GroupId,
}

impl RetrieveGroup {
    /// Retrieves `group_id`.
    pub fn new(group_id: GroupId) -> Self {
        Self { group_id }
    }
}

endpoint!(RetrieveGroup, "retrieve-group", GET "/organization/groups/{group_id}", GROUPS_READ -> GroupResponse);

/// Updates a group's information.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct UpdateGroup {
    /// The ID of the group to update.
    pub group_id: GroupId,
    /// The changes.
    pub body: UpdateGroupBody,
}

impl UpdateGroup {
    /// Renames `group_id` to `name`.
    pub fn new(group_id: GroupId, name: GroupName) -> Self {
        Self { group_id, body: UpdateGroupBody { name } }
    }
}

endpoint!(UpdateGroup, "update-group", POST RetrieveGroup::PATH, GROUPS_WRITE -> GroupResourceWithSuccess, idempotent);

/// Deletes a group from the organization, with all its memberships (assumed).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct DeleteGroup {
    /// The ID of the group to delete.
    pub group_id: GroupId,
}

impl DeleteGroup {
    /// Deletes `group_id`.
    pub fn new(group_id: GroupId) -> Self {
        Self { group_id }
    }
}

endpoint!(DeleteGroup, "delete-group", DELETE RetrieveGroup::PATH, GROUPS_WRITE -> GroupDeletedResource);

/// Request payload for creating a new group in the organization.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct CreateGroupBody {
    /// Human readable name for the group.
    pub name: GroupName,
}

impl CreateGroupBody {
    /// The name of the group.
    pub fn new(name: GroupName) -> Self {
        Self { name }
    }
}

one_field!(CreateGroupBody { name: GroupName });

/// Request payload for updating the details of an existing group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct UpdateGroupBody {
    /// New display name for the group.
    pub name: GroupName,
}

impl UpdateGroupBody {
    /// The new name of the group.
    pub fn new(name: GroupName) -> Self {
        Self { name }
    }
}

one_field!(UpdateGroupBody { name: GroupName });

/// Paginated list of organization groups.
pub type GroupListResource = NextPage<GroupResponse>;

/// Details about an organization group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct GroupResponse {
    /// Identifier for the group.
    pub id: GroupId,
    /// Display name of the group.
    pub name: String,
    /// Unix timestamp (in seconds) when the group was created.
    pub created_at: Timestamp,
    /// Whether the group is managed through SCIM and controlled by your identity provider.
    #[serde(default)]
    pub is_scim_managed: bool,
    /// The type of the group. Default: `group`, since the published examples omit it.
    #[serde(default = "GroupResponse::default_type")]
    pub group_type: GroupType,
}

impl GroupResponse {
    /// A group that the organization itself manages.
    pub fn new(id: GroupId, name: impl Into<String>, created_at: Timestamp) -> Self {
        Self { id, name: name.into(), created_at, is_scim_managed: false, group_type: Self::default_type() }
    }

    fn default_type() -> GroupType {
        GroupType::Group
    }
}

impl ListItem for GroupResponse {
    const LIST_SCHEMA: &'static str = "GroupListResource";
    fn id(&self) -> &str {
        self.id.as_str()
    }
}

/// Response returned after updating a group. As published, it has no `group_type`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct GroupResourceWithSuccess {
    /// Identifier for the group.
    pub id: GroupId,
    /// Updated display name for the group.
    pub name: String,
    /// Unix timestamp (in seconds) when the group was created.
    pub created_at: Timestamp,
    /// Whether the group is managed through SCIM and controlled by your identity provider.
    #[serde(default)]
    pub is_scim_managed: bool,
}

impl From<GroupResponse> for GroupResourceWithSuccess {
    fn from(group: GroupResponse) -> Self {
        let GroupResponse { id, name, created_at, is_scim_managed, group_type: _ } = group;
        Self { id, name, created_at, is_scim_managed }
    }
}

deleted!(GroupDeletedResource, GroupDeletedObject, "group.deleted", "group", GroupId);
