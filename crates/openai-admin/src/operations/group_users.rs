//! Users of a group: `/organization/groups/{group_id}/users`.

use serde::{Deserialize, Serialize};

use crate::{
    Cursor, GroupId, Limit, ListItem, NextPage, Object, ObjectName, Order, PersonalText, UserId, UserType,
    deleted::deleted, endpoint::endpoint, one_field::one_field, page::list_endpoint,
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
    /// Return users after this one: the `next` of the previous page, or the ID of its last user.
    pub after: Option<Cursor>,
    /// The order of the users, by when they joined the organization; `desc` by default.
    pub order: Option<Order>,
}

impl ListGroupUsers {
    /// The first page, with default parameters.
    pub fn new(group_id: GroupId) -> Self {
        Self { group_id, limit: None, after: None, order: None }
    }
}

endpoint!(ListGroupUsers, "list-group-users", GET "/organization/groups/{group_id}/users", GROUPS_READ -> UserListResource);

list_endpoint!(ListGroupUsers, ordered);

/// Adds a user to a group. Adding a member again changes nothing and succeeds (assumed).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct AddGroupUser {
    /// The ID of the group to update.
    pub group_id: GroupId,
    /// The user to add.
    pub body: CreateGroupUserBody,
}

impl AddGroupUser {
    /// Adds `user_id` to `group_id`.
    pub fn new(group_id: GroupId, user_id: UserId) -> Self {
        Self { group_id, body: CreateGroupUserBody { user_id } }
    }
}

endpoint!(AddGroupUser, "add-group-user", POST ListGroupUsers::PATH, GROUPS_WRITE -> GroupUserAssignment, idempotent);

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

endpoint!(RetrieveGroupUser, "retrieve-group-user", GET "/organization/groups/{group_id}/users/{user_id}", GROUPS_READ -> GroupMemberUser);

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

endpoint!(RemoveGroupUser, "remove-group-user", DELETE RetrieveGroupUser::PATH, GROUPS_WRITE -> GroupUserDeletedResource);

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

one_field!(CreateGroupUserBody { user_id: UserId });

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

deleted!(GroupUserDeletedResource, GroupUserDeletedObject, "group.user.deleted", "user from a group");

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
    // Older answers have an organization user here, whose name may be null. Null is read as an empty name.
    #[serde(default, deserialize_with = "crate::value::null_as_default")]
    pub name: PersonalText,
    /// The email address of the user; null for users without one.
    #[serde(default)]
    pub email: Option<PersonalText>,
}

impl GroupUser {
    /// A user, as in the list of a group.
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
    /// A member of the organization itself, without a picture.
    pub fn new(id: UserId, name: PersonalText) -> Self {
        Self { id, name, email: None, picture: None, is_service_account: None, user_type: UserType::User }
    }
}
