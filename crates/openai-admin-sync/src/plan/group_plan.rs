//! The part of a plan about one group: its operations, unmatched users and blocks.

use std::collections::HashSet;

use openai_admin::{GroupId, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::operation::{Effect, Operation};
use crate::{
    input::{input_error::Position, max_remove::MaxRemove},
    plan::source::Origin,
};

/// The part of a plan about one group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupPlan {
    /// The group's id; null for a group that the plan creates.
    #[schemars(with = "Option<String>")]
    pub id: Option<GroupId>,
    /// The group's name, after a rename.
    pub name: String,
    /// Where the input lists the group.
    #[serde(rename = "place", default, skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
    /// For a new group: an existing group with a similar name that the input does not list. The new name may be a typo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub similar: Option<String>,
    /// The number of members that the group had; 0 in the record of a command that did not count them.
    pub member_count: usize,
    /// The current members to keep. Recorded only for groups that change; together with the additions, these are the
    /// desired members. For a group that is missing or cannot be changed: the desired users, who are not removed from
    /// other groups on its account.
    #[schemars(with = "Vec<String>")]
    pub keep: Vec<UserId>,
    /// Whether missing members are added.
    pub adds: bool,
    /// Which members are removed.
    pub removes: Removes,
    /// The limit of removals.
    pub max_remove: MaxRemove,
    /// Whether the group may end up empty.
    pub allow_empty: bool,
    /// The operations, in order.
    pub operations: Vec<Operation>,
    /// Addresses and ids that match no user, or several.
    pub unresolved: Vec<Unresolved>,
    /// The number of members who are kept only because an unmatched address may be theirs.
    pub frozen_removals: usize,
    /// What blocks the group.
    pub blocks: Vec<Block>,
    /// Why the group is skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<Skip>,
    /// For a skipped group: the number of members that differ from the input.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left_out: usize,
    /// Rows of an imported table that need no operation, or whose group is blocked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<SettledRow>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// A row of an imported table without an operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SettledRow {
    /// The address or id, as written in the table.
    pub who: String,
    /// The user, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub user_id: Option<UserId>,
    /// The position of the row.
    pub origin: Origin,
    /// Whether the group already matches the row; if not, the group is blocked.
    pub holds: bool,
}

/// Which members are removed from a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Removes {
    /// All members that the input does not list.
    Unlisted,
    /// Only the members that the input lists for removal.
    Listed,
    /// No members.
    Nobody,
}

/// An address or id that matches no user, or several.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Unresolved {
    /// The address or id, as written in the input.
    pub who: String,
    /// Where the input lists it.
    pub origin: Origin,
    /// Why it did not match.
    pub problem: String,
    /// The address of a user that may be meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
    /// Whether the address has an invite, or the plan sends one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub invited: bool,
}

/// A rule that blocks a group or all removals.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Block {
    /// The rule.
    pub rule: Rule,
    /// The reason.
    pub message: String,
}

impl Block {
    /// The reason, after the rule unless the reason says it too.
    pub fn line(&self) -> String {
        match self.rule {
            Rule::Group | Rule::Unreadable | Rule::Managed | Rule::Emptied => self.message.clone(),
            rule => format!("{}: {}", rule.as_str(), self.message),
        }
    }
}

/// The rules that can block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// The removals exceed a limit.
    MaxRemove,
    /// The group would end up empty.
    Emptied,
    /// The group is protected.
    ProtectedGroup,
    /// The input matches no group, or several.
    Group,
    /// The group could not be read.
    Unreadable,
    /// The members are managed elsewhere and differ from the input.
    Managed,
}

impl Rule {
    /// Whether the caller can override the rule with the exact number of removals or with the plan's digest.
    pub fn can_be_accepted(self) -> bool {
        matches!(self, Self::MaxRemove | Self::Emptied)
    }

    /// The name of the rule in messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MaxRemove => "max_remove",
            Self::Emptied => "emptied",
            Self::ProtectedGroup => "protected",
            Self::Group => "group",
            Self::Unreadable => "unreadable",
            Self::Managed => "managed elsewhere",
        }
    }
}

/// Why a group is skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Skip {
    /// An identity provider manages the group.
    ScimManaged,
    /// The group is shared by a tenant.
    TenantGroup,
}

impl Skip {
    /// The reason, for messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ScimManaged => "managed by an identity provider",
            Self::TenantGroup => "shared by a tenant",
        }
    }
}

impl GroupPlan {
    /// A group plan without operations.
    pub fn new(name: &str, max_remove: MaxRemove) -> Self {
        Self {
            id: None,
            name: name.to_owned(),
            position: None,
            similar: None,
            member_count: 0,
            keep: Vec::new(),
            adds: false,
            removes: Removes::Nobody,
            max_remove,
            allow_empty: false,
            operations: Vec::new(),
            unresolved: Vec::new(),
            frozen_removals: 0,
            blocks: Vec::new(),
            skipped: None,
            left_out: 0,
            rows: Vec::new(),
        }
    }

    /// Whether users may be added: the group's list adds them, and no rule blocks the group.
    pub fn adds_users(&self) -> bool {
        self.adds && self.blocks.is_empty()
    }

    /// The number of users to add.
    pub fn additions(&self) -> usize {
        self.operations.iter().filter(|operation| operation.is(Effect::Grant)).count()
    }

    /// The number of users to remove, without protected ones.
    pub fn removals(&self) -> usize {
        let removals = self.operations.iter().filter(|operation| operation.is(Effect::Revoke));
        removals.filter(|operation| !operation.protected).count()
    }

    /// The desired members of a group that changes.
    pub fn desired_members(&self) -> HashSet<&UserId> {
        let added = self.operations.iter().filter(|operation| operation.is(Effect::Grant));
        self.keep.iter().chain(added.filter_map(Operation::user_id)).collect()
    }

    /// Whether the plan creates the group.
    pub fn is_created(&self) -> bool {
        self.operations.iter().any(|operation| operation.is(Effect::Create))
    }

    /// Whether a rule blocks the group that the caller cannot override.
    pub fn is_barred(&self) -> bool {
        self.blocks.iter().any(|block| !block.rule.can_be_accepted())
    }

    /// Whether the input matches no group, or several.
    pub fn is_unknown(&self) -> bool {
        self.blocks.iter().any(|block| block.rule == Rule::Group)
    }

    /// Whether the group could not be read.
    pub fn is_unreadable(&self) -> bool {
        self.blocks.iter().any(|block| block.rule == Rule::Unreadable)
    }
}
