//! What a plan would do to one group, who could not be found, and what blocks it.

use std::collections::HashSet;

use openai_admin::{GroupId, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::operation::{Effect, Operation};
use crate::{
    input::{fault::Place, max_remove::MaxRemove},
    plan::source::Origin,
};

/// What would be done to a group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupPlan {
    /// The group's id; none before it is created.
    #[schemars(with = "Option<String>")]
    pub id: Option<GroupId>,
    /// Its name, after a renaming.
    pub name: String,
    /// Where the input describes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// Of a group that is created: the name of one that is there, is much like it, and is not in the input. Perhaps
    /// that one is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub similar: Option<String>,
    /// How many members it had.
    pub member_count: usize,
    /// Of the members it had, those who are wished for. Recorded for groups that change: with the additions they are
    /// everybody who is wished for.
    #[schemars(with = "Vec<String>")]
    pub keep: Vec<UserId>,
    /// Whether people who are wished for and are not there are added.
    pub adds: bool,
    /// Who is removed.
    pub removes: Removes,
    /// How many may go.
    pub max_remove: MaxRemove,
    /// Whether nobody may be left.
    pub allow_empty: bool,
    /// What would be done, in order.
    pub operations: Vec<Operation>,
    /// People who could not be found.
    pub unresolved: Vec<Unresolved>,
    /// How many would be removed if everybody had been found.
    pub frozen_removals: usize,
    /// What blocks it.
    pub blocks: Vec<Block>,
    /// Why it is left alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<Skip>,
    /// Of a group that is left alone: how many of its members differ from the input.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left_out: usize,
    /// Rows of a table that need no write, or for which none can be made. A file has no rows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<SettledRow>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// A row of a table for which there is no operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SettledRow {
    /// The address or id, as the table has it.
    pub who: String,
    /// The user, if they are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub user_id: Option<UserId>,
    /// Where the row is.
    pub origin: Origin,
    /// Whether what it says holds already; otherwise its group is blocked.
    pub holds: bool,
}

/// Who is removed from a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Removes {
    /// Everybody who is not wished for.
    Unlisted,
    /// Those whom the input names, and nobody else.
    Listed,
    /// Nobody.
    Nobody,
}

/// Somebody who could not be found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Unresolved {
    /// The address or id, as the input has it.
    pub who: String,
    /// Where the wish comes from.
    pub origin: Origin,
    /// What is wrong.
    pub problem: String,
}

/// A rule that keeps something from being done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Block {
    /// The rule.
    pub rule: Rule,
    /// What it found.
    pub message: String,
}

/// The rules that block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// More would be removed than may be.
    MaxRemove,
    /// Nobody would be left.
    Emptied,
    /// The group is protected.
    ProtectedGroup,
    /// Several groups are meant, or none.
    Group,
    /// The group could not be read.
    Unreadable,
    /// Its members are managed elsewhere, and differ.
    Managed,
}

impl Rule {
    /// Whether somebody can accept it, by the exact number or by the plan's digest.
    pub fn can_be_accepted(self) -> bool {
        matches!(self, Self::MaxRemove | Self::Emptied)
    }

    /// Its name, as messages begin with it.
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

/// Why a group is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Skip {
    /// An identity provider manages it.
    ScimManaged,
    /// A tenant shares it.
    TenantGroup,
}

impl Skip {
    /// The reason in words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ScimManaged => "an identity provider manages it",
            Self::TenantGroup => "a tenant shares it",
        }
    }
}

impl GroupPlan {
    /// A group of which nothing is known yet.
    pub fn new(name: &str, max_remove: MaxRemove) -> Self {
        Self {
            id: None,
            name: name.to_owned(),
            place: None,
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

    /// How many users would be added.
    pub fn additions(&self) -> usize {
        self.operations.iter().filter(|operation| operation.is(Effect::Grant)).count()
    }

    /// How many users would be removed, protected ones not counted.
    pub fn removals(&self) -> usize {
        let removals = self.operations.iter().filter(|operation| operation.is(Effect::Revoke));
        removals.filter(|operation| !operation.protected).count()
    }

    /// Everybody who is wished for, of a group that changes.
    pub fn wished(&self) -> HashSet<&UserId> {
        let added = self.operations.iter().filter(|operation| operation.is(Effect::Grant));
        self.keep.iter().chain(added.filter_map(Operation::user_id)).collect()
    }

    /// Whether the group is created by this plan.
    pub fn is_created(&self) -> bool {
        self.operations.iter().any(|operation| operation.is(Effect::Create))
    }

    /// Whether a rule blocks it that nobody can accept.
    pub fn is_barred(&self) -> bool {
        self.blocks.iter().any(|block| !block.rule.can_be_accepted())
    }

    /// Whether it is not known which group is meant.
    pub fn is_unknown(&self) -> bool {
        self.blocks.iter().any(|block| block.rule == Rule::Group)
    }

    /// Whether the group could not be read.
    pub fn is_unreadable(&self) -> bool {
        self.blocks.iter().any(|block| block.rule == Rule::Unreadable)
    }
}
