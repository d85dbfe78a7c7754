//! Users of a group: `/organization/groups/{group_id}/users`.

use serde::{Deserialize, Serialize};

use crate::{
    Cursor, Endpoint, GroupId, Limit, ListItem, Method, NextPage, Object, ObjectName, Order, PersonalText,
    Scope, UserId, UserType, page::list_endpoint,
};

const TAG: &str = "Group users";

/// Lists the users assigned to a group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ListGroupUsers {
    /// The ID of the group to inspect.
    pub group_id: GroupId,
    /// How many users to return.
    pub limit: Option<Limit<0, 1000, 100>>,
    /// Return users after this one: the `next` of the page before, or the ID of its last user.
    pub after: Option<Cursor>,
    /// The order of the users, by when they joined the organization; `desc` by default.
    pub order: Option<Order>,
}

impl ListGroupUsers {
    /// The first page, with everything at its default.
    pub fn new(group_id: GroupId) -> Self {
        Self { group_id, limit: None, after: None, order: None }
    }
}

impl Endpoint for ListGroupUsers {
    const ID: &'static str = "list-group-users";
    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/organization/groups/{group_id}/users";
    const SCOPE: Scope = Scope::GROUPS_READ;
    const TAG: &'static str = TAG;
    type Response = UserListResource;
}

list_endpoint!(ListGroupUsers, ordered);

/// Adds a user to a group. Adding a member again changes nothing and succeeds (assumed).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct AddGroupUser {
    /// The ID of the group to update.
    pub group_id: GroupId,
    /// Who is added.
    pub body: CreateGroupUserBody,
}

impl AddGroupUser {
    /// Adds `user_id` to `group_id`.
    pub fn new(group_id: GroupId, user_id: UserId) -> Self {
        Self { group_id, body: CreateGroupUserBody { user_id } }
    }
}

impl Endpoint for AddGroupUser {
    const ID: &'static str = "add-group-user";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = ListGroupUsers::PATH;
    const SCOPE: Scope = Scope::GROUPS_WRITE;
    const TAG: &'static str = TAG;
    const IDEMPOTENT: bool = true;
    type Response = GroupUserAssignment;
}

/// Retrieves a user in a group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct RetrieveGroupUser {
    /// The ID of the group to inspect.
    pub group_id: GroupId,
    /// The ID of the user to retrieve from the group.
    pub user_id: UserId,
}

impl RetrieveGroupUser {
    /// Retrieves `user_id` as a member of `group_id`.
    pub fn new(group_id: GroupId, user_id: UserId) -> Self {
        Self { group_id, user_id }
    }
}

impl Endpoint for RetrieveGroupUser {
    const ID: &'static str = "retrieve-group-user";
    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/organization/groups/{group_id}/users/{user_id}";
    const SCOPE: Scope = Scope::GROUPS_READ;
    const TAG: &'static str = TAG;
    type Response = GroupMemberUser;
}

/// Removes a user from a group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct RemoveGroupUser {
    /// The ID of the group to update.
    pub group_id: GroupId,
    /// The ID of the user to remove from the group.
    pub user_id: UserId,
}

impl RemoveGroupUser {
    /// Removes `user_id` from `group_id`.
    pub fn new(group_id: GroupId, user_id: UserId) -> Self {
        Self { group_id, user_id }
    }
}

impl Endpoint for RemoveGroupUser {
    const ID: &'static str = "remove-group-user";
    const METHOD: Method = Method::Delete;
    const PATH: &'static str = RetrieveGroupUser::PATH;
    const SCOPE: Scope = Scope::GROUPS_WRITE;
    const TAG: &'static str = TAG;
    type Response = GroupUserDeletedResource;
}

/// Request payload for adding a user to a group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct CreateGroupUserBody {
    /// Identifier of the user to add to the group.
    pub user_id: UserId,
}

impl CreateGroupUserBody {
    /// Names the user to add.
    pub fn new(user_id: UserId) -> Self {
        Self { user_id }
    }
}

/// Confirmation payload returned after adding a user to a group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct GroupUserAssignment {
    /// Always `group.user`.
    #[serde(default)]
    pub object: Object<GroupUserObject>,
    /// Identifier of the user that was added.
    pub user_id: UserId,
    /// Identifier of the group the user was added to.
    pub group_id: GroupId,
}

impl GroupUserAssignment {
    /// Confirms that `user_id` is in `group_id`.
    pub fn new(group_id: GroupId, user_id: UserId) -> Self {
        Self { object: Object::new(), user_id, group_id }
    }
}

/// The `object` of a membership.
#[derive(Clone, Debug)]
pub enum GroupUserObject {}

impl ObjectName for GroupUserObject {
    const NAME: &'static str = "group.user";
}

/// Confirmation payload returned after removing a user from a group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct GroupUserDeletedResource {
    /// Always `group.user.deleted`.
    #[serde(default)]
    pub object: Object<GroupUserDeletedObject>,
    /// Whether the group membership was removed.
    pub deleted: bool,
}

impl GroupUserDeletedResource {
    /// Confirms a removal.
    pub fn new() -> Self {
        Self { object: Object::new(), deleted: true }
    }
}

impl Default for GroupUserDeletedResource {
    fn default() -> Self {
        Self::new()
    }
}

/// The `object` of a removed membership.
#[derive(Clone, Debug)]
pub enum GroupUserDeletedObject {}

impl ObjectName for GroupUserDeletedObject {
    const NAME: &'static str = "group.user.deleted";
}

/// Paginated list of user objects returned when inspecting group membership.
pub type UserListResource = NextPage<GroupUser>;

/// Represents an individual user returned when inspecting group membership.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct GroupUser {
    /// The identifier, which can be referenced in API endpoints.
    pub id: UserId,
    /// The name of the user.
    // Older answers hold a whole organization user here, whose name may be null: read as empty.
    #[serde(default, deserialize_with = "crate::value::null_as_default")]
    pub name: PersonalText,
    /// The email address of the user; null for users without one.
    #[serde(default)]
    pub email: Option<PersonalText>,
}

impl GroupUser {
    /// A user as a group's list shows it.
    pub fn new(id: UserId, name: PersonalText, email: Option<PersonalText>) -> Self {
        Self { id, name, email }
    }
}

impl ListItem for GroupUser {
    const LIST_SCHEMA: &'static str = "UserListResource";
    fn id(&self) -> &str {
        self.id.as_str()
    }
}

/// Details about a user returned from an organization group membership lookup.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct GroupMemberUser {
    /// Identifier for the user.
    pub id: UserId,
    /// Display name of the user.
    pub name: PersonalText,
    /// Email address of the user; null for users without one.
    #[serde(default)]
    pub email: Option<PersonalText>,
    /// URL of the user's profile picture, if available.
    #[serde(default)]
    pub picture: Option<PersonalText>,
    /// Whether the user is a service account.
    #[serde(default)]
    pub is_service_account: Option<bool>,
    /// The type of user.
    pub user_type: UserType,
}

impl GroupMemberUser {
    /// A member without picture, of the organization itself.
    pub fn new(id: UserId, name: PersonalText) -> Self {
        Self { id, name, email: None, picture: None, is_service_account: None, user_type: UserType::User }
    }
}
