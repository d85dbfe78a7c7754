//! Groups of the organization: `/organization/groups`.

use serde::{Deserialize, Serialize};

use crate::{
    BoundedText, Cursor, Endpoint, GroupId, GroupType, Limit, ListItem, Method, NextPage, Object, ObjectName,
    Order, Scope, Timestamp, page::list_endpoint,
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
    /// Return groups after this one: the `next` of the page before, or the ID of its last group.
    pub after: Option<Cursor>,
    /// The order of the groups, by when they were created; `asc` by default.
    pub order: Option<Order>,
}

impl ListGroups {
    /// The first page, with everything at its default.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Endpoint for ListGroups {
    const ID: &'static str = "list-groups";
    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/organization/groups";
    const SCOPE: Scope = Scope::GROUPS_READ;
    const TAG: &'static str = TAG;
    type Response = GroupListResource;
}

list_endpoint!(ListGroups, ordered);

/// Creates a new group in the organization. Two groups may have one name (assumed).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct CreateGroup {
    /// What is created.
    pub body: CreateGroupBody,
}

impl CreateGroup {
    /// Creates a group called `name`.
    pub fn new(name: GroupName) -> Self {
        Self { body: CreateGroupBody { name } }
    }
}

impl Endpoint for CreateGroup {
    const ID: &'static str = "create-group";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = ListGroups::PATH;
    const SCOPE: Scope = Scope::GROUPS_WRITE;
    const TAG: &'static str = TAG;
    type Response = GroupResponse;
}

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

impl Endpoint for RetrieveGroup {
    const ID: &'static str = "retrieve-group";
    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/organization/groups/{group_id}";
    const SCOPE: Scope = Scope::GROUPS_READ;
    const TAG: &'static str = TAG;
    type Response = GroupResponse;
}

/// Updates a group's information.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct UpdateGroup {
    /// The ID of the group to update.
    pub group_id: GroupId,
    /// What changes.
    pub body: UpdateGroupBody,
}

impl UpdateGroup {
    /// Renames `group_id` to `name`.
    pub fn new(group_id: GroupId, name: GroupName) -> Self {
        Self { group_id, body: UpdateGroupBody { name } }
    }
}

impl Endpoint for UpdateGroup {
    const ID: &'static str = "update-group";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = RetrieveGroup::PATH;
    const SCOPE: Scope = Scope::GROUPS_WRITE;
    const TAG: &'static str = TAG;
    const IDEMPOTENT: bool = true;
    type Response = GroupResourceWithSuccess;
}

/// Deletes a group from the organization, and with it every membership in it (assumed).
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

impl Endpoint for DeleteGroup {
    const ID: &'static str = "delete-group";
    const METHOD: Method = Method::Delete;
    const PATH: &'static str = RetrieveGroup::PATH;
    const SCOPE: Scope = Scope::GROUPS_WRITE;
    const TAG: &'static str = TAG;
    type Response = GroupDeletedResource;
}

/// Request payload for creating a new group in the organization.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct CreateGroupBody {
    /// Human readable name for the group.
    pub name: GroupName,
}

impl CreateGroupBody {
    /// Names the group to create.
    pub fn new(name: GroupName) -> Self {
        Self { name }
    }
}

/// Request payload for updating the details of an existing group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct UpdateGroupBody {
    /// New display name for the group.
    pub name: GroupName,
}

impl UpdateGroupBody {
    /// Gives the group another name.
    pub fn new(name: GroupName) -> Self {
        Self { name }
    }
}

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
    /// The type of the group. The published examples leave it out, so it is read as `group` when absent.
    #[serde(default = "GroupResponse::default_type")]
    pub group_type: GroupType,
}

impl GroupResponse {
    /// A group of the organization that nobody else manages.
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

/// Confirmation payload returned after deleting a group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct GroupDeletedResource {
    /// Always `group.deleted`.
    #[serde(default)]
    pub object: Object<GroupDeletedObject>,
    /// Identifier of the deleted group.
    pub id: GroupId,
    /// Whether the group was deleted.
    pub deleted: bool,
}

impl GroupDeletedResource {
    /// Confirms the deletion of `id`.
    pub fn new(id: GroupId) -> Self {
        Self { object: Object::new(), id, deleted: true }
    }
}

/// The `object` of a deleted group.
#[derive(Clone, Debug)]
pub enum GroupDeletedObject {}

impl ObjectName for GroupDeletedObject {
    const NAME: &'static str = "group.deleted";
}
