//! The JSON of an operation. Effect and target are one word there, the action, followed by the fields of that action.
//! Journals and reports use the same words.

use std::borrow::Cow;

use openai_admin::UserId;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::operation::{Effect, Operation, Target, Why};
use crate::plan::{right::Right, source::Origin};

/// One write with its precondition.
#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Operation")]
struct Document<'a> {
    /// The action.
    #[serde(flatten)]
    action: Action<'a>,
    /// The precondition. If the result already holds, the operation changes nothing; in any other state, the plan is
    /// stale.
    requires: Requirement,
    /// The reason.
    why: Why,
    /// Where the input requests it.
    #[serde(default)]
    origin: Cow<'a, Origin>,
    /// Whether the user is protected: the operation is not sent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    protected: bool,
}

/// The action of an operation.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(tag = "action", rename_all = "snake_case")]
enum Action<'a> {
    /// Create the group.
    CreateGroup {
        /// The group's name.
        name: Cow<'a, str>,
    },
    /// Rename the group.
    RenameGroup {
        /// The old name.
        from: Cow<'a, str>,
        /// The new name.
        to: Cow<'a, str>,
    },
    /// Add a user to the group.
    AddUser {
        /// The user.
        #[schemars(with = "String")]
        user_id: Cow<'a, UserId>,
        /// The user's address, if known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        email: Option<Cow<'a, str>>,
    },
    /// Remove a user from the group.
    RemoveUser {
        /// The user.
        #[schemars(with = "String")]
        user_id: Cow<'a, UserId>,
        /// The user's address, if known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        email: Option<Cow<'a, str>>,
    },
    /// Give a right.
    GrantRight {
        /// The user; absent for an invite.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(with = "Option<String>")]
        user_id: Option<Cow<'a, UserId>>,
        /// The address, if known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        email: Option<Cow<'a, str>>,
        /// The right.
        right: Cow<'a, Right>,
    },
    /// End a right.
    EndRight {
        /// The user.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(with = "Option<String>")]
        user_id: Option<Cow<'a, UserId>>,
        /// The address, if known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        email: Option<Cow<'a, str>>,
        /// The right.
        right: Cow<'a, Right>,
    },
}

/// The precondition of an operation.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Requirement {
    /// No group has the name.
    NoGroupOfThisName,
    /// The group still has its old name.
    NamedAsBefore,
    /// The user is not in the group.
    NotAMember,
    /// The user is in the group.
    Member,
    /// The right does not exist.
    NotHeld,
    /// The right exists.
    Held,
}

impl Action<'_> {
    fn requires(&self) -> Requirement {
        match self {
            Self::CreateGroup { .. } => Requirement::NoGroupOfThisName,
            Self::RenameGroup { .. } => Requirement::NamedAsBefore,
            Self::AddUser { .. } => Requirement::NotAMember,
            Self::RemoveUser { .. } => Requirement::Member,
            Self::GrantRight { .. } => Requirement::NotHeld,
            Self::EndRight { .. } => Requirement::Held,
        }
    }
}

impl<'a> From<&'a Operation> for Action<'a> {
    fn from(operation: &'a Operation) -> Self {
        match operation.target() {
            Target::Group { name, before: None } => Self::CreateGroup { name: name.into() },
            Target::Group { name, before: Some(before) } => {
                Self::RenameGroup { from: before.into(), to: name.into() }
            }
            Target::Membership { user_id, email } => {
                let (user_id, email) = (Cow::Borrowed(user_id), email.as_deref().map(Cow::Borrowed));
                if operation.is(Effect::Revoke) {
                    Self::RemoveUser { user_id, email }
                } else {
                    Self::AddUser { user_id, email }
                }
            }
            Target::Right { user_id, email, right } => {
                let user_id = user_id.as_ref().map(Cow::Borrowed);
                let (email, right) = (email.as_deref().map(Cow::Borrowed), Cow::Borrowed(right));
                match operation.is(Effect::Revoke) {
                    true => Self::EndRight { user_id, email, right },
                    false => Self::GrantRight { user_id, email, right },
                }
            }
        }
    }
}

impl Operation {
    /// The name of the action in documents, journals and reports. In documents, the actions on rights have two names, and
    /// the right says which it is.
    pub fn action(&self) -> &'static str {
        if let Some(right) = self.right() {
            return right.action(self.is(Effect::Revoke));
        }
        match Action::from(self) {
            Action::CreateGroup { .. } => "create_group",
            Action::RenameGroup { .. } => "rename_group",
            Action::AddUser { .. } => "add_user",
            Action::RemoveUser { .. } => "remove_user",
            Action::GrantRight { .. } => "grant_right",
            Action::EndRight { .. } => "end_right",
        }
    }
}

impl Serialize for Operation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let action = Action::from(self);
        let requires = action.requires();
        let (why, origin, protected) = (self.why, Cow::Borrowed(&self.origin), self.protected);
        Document { action, requires, why, origin, protected }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Operation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The action determines the precondition. A document with another one fails the check of its digest.
        let Document { action, requires: _, why, origin, protected } = Document::deserialize(deserializer)?;
        let origin = origin.into_owned();
        let owned = |email: Option<Cow<'_, str>>| email.map(Cow::into_owned);
        let mut operation = match action {
            Action::CreateGroup { name } => Self::create_group(name.into_owned(), why, origin),
            Action::RenameGroup { from, to } => {
                Self::rename_group(from.into_owned(), to.into_owned(), why, origin)
            }
            Action::AddUser { user_id, email } => {
                Self::add_user(user_id.into_owned(), owned(email), why, origin)
            }
            Action::RemoveUser { user_id, email } => {
                Self::remove_user(user_id.into_owned(), owned(email), why, origin)
            }
            Action::GrantRight { user_id, email, right } => {
                Self::of_right(Effect::Grant, target(user_id, owned(email), right), why, origin)
            }
            Action::EndRight { user_id, email, right } => {
                Self::of_right(Effect::Revoke, target(user_id, owned(email), right), why, origin)
            }
        };
        operation.protected = protected;
        Ok(operation)
    }
}

fn target(user_id: Option<Cow<'_, UserId>>, email: Option<String>, right: Cow<'_, Right>) -> Target {
    Target::Right { user_id: user_id.map(Cow::into_owned), email, right: right.into_owned() }
}

impl JsonSchema for Operation {
    fn schema_name() -> Cow<'static, str> {
        Document::schema_name()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Document::json_schema(generator)
    }
}
