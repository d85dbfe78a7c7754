//! Users of the organization: `/organization/users`, and our extensions in `/x/users`.

use serde::{Deserialize, Serialize};

use super::groups::GroupListResource;
use crate::{
    BoundedText, Cursor, IdPage, Limit, ListItem, Object, ObjectName, Order, PersonalText, RoleId, Timestamp,
    UserId, UserRole,
    deleted::deleted,
    endpoint::endpoint,
    page::{ListObject, list_endpoint},
};

const TAG: &str = "Users";

/// A user's name: 0 to 255 characters.
pub type UserName = BoundedText<0, 255>;
/// An email address: 3 to 320 characters with an `@` (the store checks it).
pub type EmailText = BoundedText<3, 320>;

/// Lists all of the users in the organization.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ListUsers {
    /// How many users to return.
    pub limit: Option<Limit<1, 100, 20>>,
    /// Return users after this one: the `last_id` of the previous page.
    pub after: Option<Cursor>,
    /// Filter by the email address of users.
    #[serde(default)]
    pub emails: Vec<PersonalText>,
}

impl ListUsers {
    /// The first page, with default parameters.
    pub fn new() -> Self {
        Self::default()
    }
}

endpoint!(ListUsers, "list-users", GET "/organization/users", MANAGEMENT_READ -> UserListResponse);

list_endpoint!(ListUsers);

/// Retrieves a user by their identifier.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct RetrieveUser {
    /// The ID of the user.
    pub user_id: UserId,
}

impl RetrieveUser {
    /// Retrieves `user_id`.
    pub fn new(user_id: UserId) -> Self {
        Self { user_id }
    }
}

endpoint!(RetrieveUser, "retrieve-user", GET "/organization/users/{user_id}", MANAGEMENT_READ -> User);

/// Modifies a user's role in the organization.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ModifyUser {
    /// The ID of the user.
    pub user_id: UserId,
    /// The changes. Absent or null fields stay unchanged.
    pub body: UserRoleUpdateRequest,
}

impl ModifyUser {
    /// Changes `user_id` according to `body`.
    pub fn new(user_id: UserId, body: UserRoleUpdateRequest) -> Self {
        Self { user_id, body }
    }
}

endpoint!(ModifyUser, "modify-user", POST RetrieveUser::PATH, MANAGEMENT_WRITE -> User, idempotent);

/// Deletes a user from the organization, with all memberships (assumed).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct DeleteUser {
    /// The ID of the user.
    pub user_id: UserId,
}

impl DeleteUser {
    /// Deletes `user_id`.
    pub fn new(user_id: UserId) -> Self {
        Self { user_id }
    }
}

endpoint!(DeleteUser, "delete-user", DELETE RetrieveUser::PATH, MANAGEMENT_WRITE -> UserDeleteResponse);

/// Extension: creates a user. The published API has no such operation, since people accept an invite. A self-hosted
/// directory needs it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct CreateUser {
    /// The user to create.
    pub body: CreateUserBody,
}

impl CreateUser {
    /// Creates the user that `body` describes.
    pub fn new(body: CreateUserBody) -> Self {
        Self { body }
    }
}

endpoint!(CreateUser, "x-create-user", POST "/x/users", MANAGEMENT_WRITE -> User);

/// Extension: lists the groups of a user. The published API has no such operation: its clients read every group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ListUserGroups {
    /// The ID of the user.
    pub user_id: UserId,
    /// How many groups to return.
    pub limit: Option<Limit<0, 1000, 100>>,
    /// Return groups after this one: the `next` of the previous page, or the ID of its last group.
    pub after: Option<Cursor>,
    /// The order of the groups, by creation time; `asc` by default.
    #[cfg_attr(feature = "schema", schemars(extend("default" = "asc")))]
    pub order: Option<Order>,
}

impl ListUserGroups {
    /// The first page, with default parameters.
    pub fn new(user_id: UserId) -> Self {
        Self { user_id, limit: None, after: None, order: None }
    }
}

endpoint!(ListUserGroups, "x-list-user-groups", GET "/x/users/{user_id}/groups", GROUPS_READ -> GroupListResource);

list_endpoint!(ListUserGroups, ordered);

/// New attributes of a user. Absent or null fields stay unchanged.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct UserRoleUpdateRequest {
    /// `owner` or `reader`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<UserRole>,
    /// Role ID to assign to the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_id: Option<RoleId>,
    /// Technical level metadata.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub technical_level: Option<BoundedText<0, 255>>,
    /// Developer persona metadata.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub developer_persona: Option<BoundedText<0, 255>>,
}

impl UserRoleUpdateRequest {
    /// Changes only the role of a user.
    pub fn role(role: UserRole) -> Self {
        Self { role: Some(role), ..Self::default() }
    }
}

/// Extension: the user to create.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct CreateUserBody {
    /// The user's id; generated by the server by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<UserId>,
    /// The user's email address. It is unique in the organization, compared without case. Null for service accounts
    /// without one.
    #[serde(default)]
    pub email: Option<EmailText>,
    /// The user's name.
    pub name: UserName,
    /// The user's role in the organization; `reader` by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<UserRole>,
    /// Whether the user is a service account; false by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_service_account: Option<bool>,
}

impl CreateUserBody {
    /// A reader with an id generated by the server.
    pub fn new(email: EmailText, name: UserName) -> Self {
        Self { id: None, email: Some(email), name, role: None, is_service_account: None }
    }

    /// A service account, which may have no email address.
    pub fn service_account(name: UserName) -> Self {
        Self { id: None, email: None, name, role: None, is_service_account: Some(true) }
    }
}

/// Paginated list of the organization's users.
pub type UserListResponse = IdPage<User>;

/// Represents an individual `user` within an organization.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct User {
    /// Always `organization.user`.
    #[serde(default)]
    pub object: Object<OrganizationUserObject>,
    /// The identifier, which can be referenced in API endpoints.
    pub id: UserId,
    /// The name of the user.
    #[serde(default)]
    pub name: Option<PersonalText>,
    /// The email address of the user.
    #[serde(default)]
    pub email: Option<PersonalText>,
    /// `owner` or `reader`.
    #[serde(default)]
    pub role: Option<UserRole>,
    /// The Unix timestamp (in seconds) of when the user was added.
    pub added_at: Timestamp,
    /// Whether this is the organization's default user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_default: Option<bool>,
    /// The Unix timestamp (in seconds) of when the user was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<Timestamp>,
    /// Nested user details.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<Box<UserDetails>>,
    /// Whether the user is a service account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_service_account: Option<bool>,
    /// Whether the user is an authorized purchaser for Scale Tier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_scale_tier_authorized_purchaser: Option<bool>,
    /// Whether the user is managed through SCIM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_scim_managed: Option<bool>,
    /// The Unix timestamp (in seconds) of the user's last API key usage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key_last_used_at: Option<Timestamp>,
    /// The technical level metadata for the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub technical_level: Option<String>,
    /// The developer persona metadata for the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub developer_persona: Option<String>,
    /// Projects associated with the user, if included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub projects: Option<Box<UserProjects>>,
}

/// Nested details of a [`User`]. Our server omits them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct UserDetails {
    /// Always `user`.
    #[serde(default)]
    pub object: Object<UserObject>,
    /// The identifier of the user.
    pub id: UserId,
    /// The email address of the user.
    #[serde(default)]
    pub email: Option<PersonalText>,
    /// The name of the user.
    #[serde(default)]
    pub name: Option<PersonalText>,
    /// URL of the user's profile picture.
    #[serde(default)]
    pub picture: Option<PersonalText>,
    /// Whether the user may sign in.
    #[serde(default)]
    pub enabled: Option<bool>,
    /// Whether the user is banned.
    #[serde(default)]
    pub banned: Option<bool>,
    /// The Unix timestamp (in seconds) of when the user was banned.
    #[serde(default)]
    pub banned_at: Option<Timestamp>,
}

/// The `object` of nested user details.
#[derive(Clone, Debug)]
pub enum UserObject {}

impl ObjectName for UserObject {
    const NAME: &'static str = "user";
}

/// Projects of a [`User`]. Our server omits them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct UserProjects {
    /// Always `list`.
    #[serde(default)]
    pub object: Object<ListObject>,
    /// The projects.
    pub data: Vec<UserProject>,
}

/// A project of a [`User`], with their role in it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
#[non_exhaustive]
pub struct UserProject {
    /// The identifier of the project.
    pub id: Option<String>,
    /// The name of the project.
    pub name: Option<String>,
    /// The user's role in the project.
    pub role: Option<String>,
}

impl User {
    /// A user with only the required fields.
    pub fn new(id: UserId, added_at: Timestamp) -> Self {
        Self {
            object: Object::new(),
            id,
            name: None,
            email: None,
            role: None,
            added_at,
            is_default: None,
            created: None,
            user: None,
            is_service_account: None,
            is_scale_tier_authorized_purchaser: None,
            is_scim_managed: None,
            api_key_last_used_at: None,
            technical_level: None,
            developer_persona: None,
            projects: None,
        }
    }
}

impl ListItem for User {
    const LIST_SCHEMA: &'static str = "UserListResponse";
    const NEXT_LIST_SCHEMA: &'static str = "UserSearchResource";
    fn id(&self) -> &str {
        self.id.as_str()
    }
}

/// The `object` of a user of the organization.
#[derive(Clone, Debug)]
pub enum OrganizationUserObject {}

impl ObjectName for OrganizationUserObject {
    const NAME: &'static str = "organization.user";
}

deleted!(UserDeleteResponse, OrganizationUserDeletedObject, "organization.user.deleted", "user", UserId);
