//! A whole organization as one document. `load` reads it and `dump` writes it.

use openai_admin::{
    GroupId, GroupType, OrganizationId, PersonalText, ProjectId, ProjectResidency, RoleId, Timestamp, UserId,
    UserRole, UserType,
    models::ProjectRateLimitUpdateRequest,
    operations::{groups::GroupName, projects::ProjectName, roles::RoleName},
};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// An organization with its users, groups, custom roles, projects, settings and rate limits.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Directory {
    /// The organization. Default: the only one of the database, or a new one in an empty database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<DirectoryOrganization>,
    /// Its users.
    #[serde(default)]
    pub users: Vec<DirectoryUser>,
    /// Its groups, each with its members.
    #[serde(default)]
    pub groups: Vec<DirectoryGroup>,
    /// Its custom roles. The predefined roles exist in every organization and are not listed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<DirectoryRole>,
    /// Its active projects. The default project exists in every organization and is not listed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub projects: Vec<DirectoryProject>,
    /// Settings of the organization and of its projects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<DirectorySetting>,
    /// Rate limits that differ from the defaults of a model: those of the organization, then those of its projects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rate_limits: Vec<DirectoryRateLimit>,
}

/// Rate limits of a model in a [`Directory`]. A load replaces the given limits, and keeps the others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DirectoryRateLimit {
    /// The name of the model. The organization gets the model if it does not have it.
    pub model: String,
    /// The project, by id or name; the organization when absent. Its limits are the maximum of those of its projects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The limits: the body of a request that updates them.
    pub limits: ProjectRateLimitUpdateRequest,
}

/// A setting of a [`Directory`]. A load replaces the value that is set, and never removes one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DirectorySetting {
    /// Its name, such as `spend_limit`.
    pub setting: String,
    /// The project that has it, by id or name; the organization when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Its value: the body of a request that updates all of it.
    pub value: Json,
}

/// The organization of a [`Directory`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DirectoryOrganization {
    /// Its id. If the database has no such organization, it is created, or the only organization gets the id while it
    /// is new and empty.
    pub id: OrganizationId,
    /// Its title. Default: unchanged, or empty for a new organization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

/// A user of a [`Directory`].
///
/// For an existing user, an absent or null field leaves the value unchanged. For a new user, it means the default. A
/// load never clears a value.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct DirectoryUser {
    /// Their id. Default: a new id if no user has the email address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<UserId>,
    /// Their email address. A new user may have none, and a load never removes one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<PersonalText>,
    /// Their name. Default for a new user: empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<PersonalText>,
    /// Their role. Default for a new user: `reader`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<UserRole>,
    /// Whether it is a service account. Default for a new user: false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_service_account: Option<bool>,
    /// Their picture. A load never removes one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture: Option<PersonalText>,
    /// `user`, or `tenant_user` for the user of a tenant. Default for a new user: `user`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_type: Option<UserType>,
    /// Metadata of the published API. A load never removes it, but an empty text may replace it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub technical_level: Option<String>,
    /// Metadata of the published API. A load never removes it, but an empty text may replace it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub developer_persona: Option<String>,
    /// When they were added, in Unix seconds. Default for a new user: the time of the load.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub added_at: Option<Timestamp>,
    /// Custom roles of the user, by name or id, in addition to `role`. A load removes no other role.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
}

/// A group of a [`Directory`].
///
/// For an existing group, an absent or null field leaves the value unchanged. For a new group, it means the default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DirectoryGroup {
    /// Its id. Default: the id of the group with this name, or a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<GroupId>,
    /// Its name. With an id, the group is renamed to it.
    pub name: GroupName,
    /// Whether an identity provider manages it. Default for a new group: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_scim_managed: Option<bool>,
    /// `group`, or `tenant_group` for the group of a tenant. Default for a new group: `group`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_type: Option<GroupType>,
    /// When it was created, in Unix seconds. Default for a new group: the time of the load.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Members, by id or email address. A load removes no other member.
    #[serde(default)]
    pub members: Vec<PersonalText>,
    /// Roles of the group, predefined or custom, by name or id. A load removes no other role.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
}

/// A custom role of a [`Directory`], or of one of its projects.
///
/// For an existing role, an absent or null field leaves the value unchanged. For a new role, it means the default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DirectoryRole {
    /// Its id. Default: the id of the role with this name, or a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<RoleId>,
    /// Its unique name. With an id, the role is renamed to it.
    pub name: RoleName,
    /// Its description. A new role may have none, and a load never removes one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// All permissions that it grants. Default for a new role: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Vec<String>>,
    /// When it was created, in Unix seconds. Default for a new role: the time of the load.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When it was last updated, in Unix seconds. Default: the time of the load that creates or updates it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
}

/// A project of a [`Directory`].
///
/// The default project is one of them if it has roles, users or groups. Its id begins with `proj_default_`, and that of
/// any organization stands for it.
///
/// For an existing project, an absent or null field leaves the value unchanged. For a new project, it means the
/// default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DirectoryProject {
    /// Its id. Default: the id of the created project with this name, or a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<ProjectId>,
    /// Its name. With an id, the project is renamed to it; that of the default project is always `Default project`.
    pub name: ProjectName,
    /// Where its data is stored. Can only be set for a new project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub residency: Option<ProjectResidency>,
    /// The external key associated with it. A new project may have none, and a load never removes one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_key_id: Option<String>,
    /// When it was created, in Unix seconds. Default for a new project: the time of the load.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Its custom roles. The predefined ones are in every project and are not listed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<DirectoryRole>,
    /// Its users; those that it does not name stay.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<DirectoryProjectUser>,
    /// Its groups; those that it does not name stay.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<DirectoryProjectGroup>,
}

/// A user of a project of a [`Directory`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DirectoryProjectUser {
    /// The user, by id or email address.
    pub user: PersonalText,
    /// `owner`, `member` or `viewer`; when absent, the role that the user has, and `member` for a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// When the user was added, in unix seconds; the time of loading for a new one when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub added_at: Option<Timestamp>,
    /// The names or ids of the custom roles of the project that the user has besides. Assignments that are not listed
    /// stay.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
}

/// A group of a project of a [`Directory`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DirectoryProjectGroup {
    /// The group, by id, or by a name that no other group has.
    pub group: String,
    /// When the group was added, in unix seconds; the time of loading for a new one when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Roles of the group in the project, by name or id; those that it does not name stay.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
}
