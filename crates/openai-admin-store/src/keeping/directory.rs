//! A whole organization as one document, which `load` reads and `dump` writes.

use openai_admin::{
    GroupId, GroupType, OrganizationId, PersonalText, ProjectId, ProjectResidency, RoleId, Timestamp, UserId,
    UserRole, UserType,
    operations::{groups::GroupName, projects::ProjectName, roles::RoleName},
};
use serde::{Deserialize, Serialize};

/// An organization with its users, groups, custom roles and projects.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Directory {
    /// Which organization; when absent, the only one of the database, or a new one in an empty database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<DirectoryOrganization>,
    /// Its users.
    #[serde(default)]
    pub users: Vec<DirectoryUser>,
    /// Its groups, each with its members.
    #[serde(default)]
    pub groups: Vec<DirectoryGroup>,
    /// Its custom roles. The predefined ones are in every organization and are not listed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<DirectoryRole>,
    /// Its projects in use. The default one is in every organization and is not listed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub projects: Vec<DirectoryProject>,
}

/// The organization of a [`Directory`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DirectoryOrganization {
    /// Its id; created when the database has none with it, or given to the only organization while that is new and empty.
    pub id: OrganizationId,
    /// Its title. When absent, the title that it has is kept, and a new organization has an empty one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

/// A user of a [`Directory`].
///
/// What is absent or null is kept of a user who is there already, and is the default of one who is created. A load
/// clears nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct DirectoryUser {
    /// Their id; minted when absent and no user has the email address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<UserId>,
    /// Their email address; a new user has none when absent, and a load never takes one away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<PersonalText>,
    /// Their name; empty for a new user when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<PersonalText>,
    /// Their role; `reader` for a new user when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<UserRole>,
    /// Whether it is a service account; a new user is none when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_service_account: Option<bool>,
    /// Their picture; a load never takes one away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture: Option<PersonalText>,
    /// `user`, or `tenant_user` for the user of a tenant; `user` for a new user when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_type: Option<UserType>,
    /// Metadata of the published API; a load never takes it away, but an empty text may replace it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub technical_level: Option<String>,
    /// Metadata of the published API; a load never takes it away, but an empty text may replace it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub developer_persona: Option<String>,
    /// When they were added, in unix seconds; the time of loading for a new user when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub added_at: Option<Timestamp>,
    /// Custom roles of the user, by name or id, beside `role`; those that it does not name stay.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
}

/// A group of a [`Directory`].
///
/// What is absent or null is kept of a group that is there already, and is the default of one that is created.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DirectoryGroup {
    /// Its id; when absent, the name says which group is meant, and the id of a new one is minted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<GroupId>,
    /// Its name; with an id, the name that it gets.
    pub name: GroupName,
    /// Whether an identity provider manages it; none manages a new group when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_scim_managed: Option<bool>,
    /// `group`, or `tenant_group` for the group of a tenant; `group` for a new group when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_type: Option<GroupType>,
    /// When it was created, in unix seconds; the time of loading for a new group when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Members, by id or email address; those whom it does not name stay.
    #[serde(default)]
    pub members: Vec<PersonalText>,
    /// Roles of the group, predefined or custom, by name or id; those that it does not name stay.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
}

/// A custom role of a [`Directory`], or of one of its projects.
///
/// What is absent or null is kept of a role that is there already, and is the default of one that is created.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DirectoryRole {
    /// Its id; when absent, the name says which role is meant, and the id of a new one is minted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<RoleId>,
    /// Its name, which no other role has; with an id, the name that it gets.
    pub name: RoleName,
    /// Its description; a new role has none when absent, and a load never takes one away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// All that it grants; a new role grants nothing when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Vec<String>>,
    /// When it was created, in unix seconds; the time of loading for a new role when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When it was last updated, in unix seconds; when absent, the time of the load that creates or updates it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
}

/// A project of a [`Directory`].
///
/// What is absent or null is kept of a project that is there already, and is the default of one that is created.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DirectoryProject {
    /// Its id; when absent, the name says which project is meant, and the id of a new one is minted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<ProjectId>,
    /// Its name; with an id, the name that it gets.
    pub name: ProjectName,
    /// Where its data is stored; only a new project takes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub residency: Option<ProjectResidency>,
    /// The external key associated with it; a new project has none when absent, and a load never takes one away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_key_id: Option<String>,
    /// When it was created, in unix seconds; the time of loading for a new project when absent.
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
