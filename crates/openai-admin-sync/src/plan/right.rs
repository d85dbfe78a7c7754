//! What a person has in an organization besides memberships of groups: roles, memberships of projects, keys and invites.

use std::fmt;

use jiff::Timestamp;
use openai_admin::{ApiKeyId, InviteId, ProjectId, RoleId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The name of the default project of every organization.
const DEFAULT_PROJECT: &str = "Default project";

/// A right of a person, or an invite that would give rights. An offboarding ends them in the order of the variants:
/// first what works without a sign-in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Right {
    /// An invite to the organization.
    Invite {
        /// Its id; absent for an invite that the plan sends.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(with = "Option<String>")]
        invite_id: Option<InviteId>,
        /// The role in the organization.
        role: String,
    },
    /// An admin API key that the person owns.
    AdminKey(Key),
    /// An API key that the person owns in a project.
    ProjectKey {
        /// The project.
        project: ProjectName,
        /// The key.
        key: Key,
    },
    /// The role `owner` of the organization. Without it, the person is a `reader`.
    Owner,
    /// A custom role in the organization.
    Role {
        /// The role's id.
        #[schemars(with = "String")]
        role_id: RoleId,
        /// The role's name.
        name: String,
    },
    /// A custom role in a project.
    ProjectRole {
        /// The project.
        project: ProjectName,
        /// The role's id.
        #[schemars(with = "String")]
        role_id: RoleId,
        /// The role's name.
        name: String,
    },
    /// The membership of a project.
    Project {
        /// The project.
        project: ProjectName,
        /// The predefined role there.
        role: String,
    },
}

/// A project and its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProjectName {
    /// The project's id.
    #[schemars(with = "String")]
    pub id: ProjectId,
    /// The project's name, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A key and its last use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Key {
    /// The key's id.
    #[schemars(with = "String")]
    pub id: ApiKeyId,
    /// The key's name, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When the key was last used, in unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<i64>,
}

impl Right {
    /// The place in the order of an offboarding.
    pub(crate) fn place(&self) -> u8 {
        match self {
            Self::Invite { .. } => 0,
            Self::AdminKey(_) => 1,
            Self::ProjectKey { .. } => 2,
            Self::Owner => 3,
            Self::Role { .. } => 4,
            Self::ProjectRole { .. } => 5,
            Self::Project { .. } => 6,
        }
    }

    /// Whether the right can be given back after it ended. A key and an invite cannot, and the service refuses to add
    /// users to the default project.
    pub fn can_return(&self) -> bool {
        match self {
            Self::Invite { .. } | Self::AdminKey(_) | Self::ProjectKey { .. } => false,
            Self::ProjectRole { project, .. } | Self::Project { project, .. } => !project.is_default(),
            Self::Owner | Self::Role { .. } => true,
        }
    }

    /// The name of the change that ends or gives the right, in journals and reports.
    pub(crate) fn action(&self, is_end: bool) -> &'static str {
        match self {
            Self::Invite { .. } if is_end => "delete_invite",
            Self::Invite { .. } => "invite",
            Self::AdminKey(_) => "delete_admin_key",
            Self::ProjectKey { .. } => "delete_project_key",
            Self::Owner if is_end => "make_reader",
            Self::Owner => "make_owner",
            Self::Role { .. } if is_end => "unassign_role",
            Self::Role { .. } => "assign_role",
            Self::ProjectRole { .. } if is_end => "unassign_project_role",
            Self::ProjectRole { .. } => "assign_project_role",
            Self::Project { .. } if is_end => "remove_from_project",
            Self::Project { .. } => "add_to_project",
        }
    }

    /// When a key was last used: a date, or `never used`. `None` for other rights.
    pub fn last_use(&self) -> Option<String> {
        let (Self::AdminKey(key) | Self::ProjectKey { key, .. }) = self else { return None };
        let at = key.last_used_at.and_then(|seconds| Timestamp::from_second(seconds).ok());
        Some(at.map_or("never used".to_owned(), |at| format!("last used {}", at.strftime("%Y-%m-%d"))))
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invite { role, .. } => write!(f, "invite as {role}"),
            Self::AdminKey(key) => write!(f, "admin key {key}"),
            Self::ProjectKey { project, key } => write!(f, "key {key} of project {project}"),
            Self::Owner => f.write_str("role owner"),
            Self::Role { name, .. } => write!(f, "role '{name}'"),
            Self::ProjectRole { project, name, .. } => write!(f, "role '{name}' in project {project}"),
            Self::Project { project, role } => write!(f, "project {project} as {role}"),
        }
    }
}

impl ProjectName {
    /// Whether it is the default project, whose name cannot be changed.
    fn is_default(&self) -> bool {
        self.name.as_deref() == Some(DEFAULT_PROJECT)
    }
}

impl fmt::Display for ProjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "'{name}'"),
            None => write!(f, "{}", self.id),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "'{name}' ({})", self.id),
            None => write!(f, "{}", self.id),
        }
    }
}

/// Something that a plan leaves as it is, although its purpose would change it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Kept {
    /// The person, by address or id; absent if it concerns all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// The thing.
    pub what: String,
    /// The reason.
    pub reason: KeptReason,
}

/// Why a plan leaves something as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeptReason {
    /// The organization would have no owner.
    LastOwner,
    /// The key sends the requests of the plan.
    OwnKey,
    /// The key may not read it, or the service does not have it.
    NotRead,
    /// It ended and cannot be given back.
    CannotReturn,
    /// The person accepted the invite.
    Accepted,
    /// The person created it, and others may use it.
    SharedUse,
}

impl Kept {
    /// Whether the plan does less than its purpose.
    pub fn is_open(&self) -> bool {
        match self.reason {
            KeptReason::LastOwner | KeptReason::OwnKey | KeptReason::NotRead | KeptReason::Accepted => true,
            KeptReason::CannotReturn | KeptReason::SharedUse => false,
        }
    }
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { who, what, reason } = self;
        let who = who.as_ref().map(|who| format!("{who}: ")).unwrap_or_default();
        match reason {
            KeptReason::LastOwner => write!(f, "{who}{what} stays: the organization has no other owner"),
            KeptReason::OwnKey => write!(f, "{who}{what} stays: this command uses it"),
            KeptReason::NotRead => {
                write!(f, "{what} were not read: this key may not read them, or the service has none")
            }
            KeptReason::CannotReturn => write!(f, "{who}{what} cannot be restored"),
            KeptReason::Accepted => {
                write!(
                    f,
                    "{who}{what} cannot be undone: it was accepted, and the person stays in the organization"
                )
            }
            KeptReason::SharedUse => {
                write!(f, "{who}{what} stays, with its keys: others may use it")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_described_with_its_last_use() {
        let key = |last_used_at| {
            Right::AdminKey(Key {
                id: "key_1".parse().expect("an id"),
                name: Some("ci".to_owned()),
                last_used_at,
            })
        };
        assert_eq!(key(None).to_string(), "admin key 'ci' (key_1)");
        assert_eq!(key(None).last_use().as_deref(), Some("never used"));
        assert_eq!(key(Some(86_400)).last_use().as_deref(), Some("last used 1970-01-02"));
    }
}
