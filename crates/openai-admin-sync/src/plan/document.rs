//! The plan document that is reviewed, stored and applied: its JSON, its digest and its schema.

use std::{
    collections::HashSet,
    io::{self, Write},
};

use openai_admin::{OrganizationId, UserId, hexadecimal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{
    group_plan::{Block, GroupPlan},
    operation::Operation,
    right::Kept,
};
use crate::{
    input::{max_remove::MaxRemove, policy::Protected},
    plan::{operation::Effect, right::Right, source::Source},
};

/// The version of the plan's format.
pub const PLAN_VERSION: u32 = 1;

/// A plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The version of this format: 1.
    pub version: u32,
    /// `sha256:` and the hash of this document as compact JSON, in the order of this schema, with `digest` and
    /// `created_at` empty, and without the canonical names of the sources, so that another machine computes the same
    /// digest. Approving a digest approves the whole document and nothing else.
    pub digest: String,
    /// When the plan was made, as RFC 3339.
    pub created_at: String,
    /// The organization that was read, as the service reports it.
    #[schemars(with = "Option<String>")]
    pub organization: Option<OrganizationId>,
    /// The purpose of the plan; if absent, to match group files.
    #[serde(default, skip_serializing_if = "Purpose::is_files")]
    pub purpose: Purpose,
    /// Whether removals are sent first, without waiting for additions.
    pub revoke_first: bool,
    /// Whether an unmatched address fails the run, or is only reported.
    pub unknown: UnknownPolicy,
    /// The limit of removals in all groups together.
    pub max_remove: MaxRemove,
    /// The users and groups that the files and the policy protect.
    #[serde(default, skip_serializing_if = "Protected::is_empty")]
    pub protect: Protected,
    /// The files and tables that the plan was made from.
    pub sources: Vec<Source>,
    /// The groups of the input, in its order.
    pub groups: Vec<GroupPlan>,
    /// The operations on rights, which belong to no group. Their numbers follow those of the groups' operations.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rights: Vec<Operation>,
    /// What the plan leaves as it is, although its purpose would change it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<Kept>,
    /// What blocks all removals of the plan.
    pub blocks: Vec<Block>,
}

/// The purpose of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Purpose {
    /// To match group files.
    #[default]
    Files,
    /// To import the rows of a table.
    Import,
    /// To remove users from every group and end their rights.
    Offboard {
        /// The user, or the first of several.
        #[schemars(with = "String")]
        user_id: UserId,
        /// The other users.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[schemars(with = "Vec<String>")]
        others: Vec<UserId>,
    },
    /// The changes of a command to one group.
    Command {
        /// The command.
        command: String,
    },
    /// To undo a run. An undo is applied completely or not at all.
    Undo {
        /// The name of the run.
        run: String,
    },
}

impl Purpose {
    fn is_files(&self) -> bool {
        matches!(self, Self::Files)
    }

    /// Whether the plan undoes a run.
    pub fn is_undo(&self) -> bool {
        matches!(self, Self::Undo { .. })
    }

    /// The name of the run that the plan undoes.
    pub fn undone_run(&self) -> Option<&str> {
        match self {
            Self::Undo { run } => Some(run),
            _ => None,
        }
    }
}

/// How to handle addresses and ids that match no user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnknownPolicy {
    /// Apply the rest, and report the run as partly done.
    #[default]
    Error,
    /// Apply the rest, and only report them.
    Skip,
    /// Invite addresses to the organization, and apply the rest. Other unmatched users are reported as errors.
    Invite,
}

impl Plan {
    /// The number of operations.
    pub fn operation_count(&self) -> usize {
        self.first_right() + self.rights.len()
    }

    /// The number of the first operation on a right.
    pub(crate) fn first_right(&self) -> usize {
        self.groups.iter().map(|group| group.operations.len()).sum()
    }

    /// All operations in order, each with its group. Those on rights have none. The index of an operation is its number
    /// in journals.
    pub fn operations(&self) -> impl Iterator<Item = (Option<&GroupPlan>, &Operation)> {
        let of_groups = self
            .groups
            .iter()
            .flat_map(|group| group.operations.iter().map(move |operation| (Some(group), operation)));
        of_groups.chain(self.rights.iter().map(|operation| (None, operation)))
    }

    /// The operations on rights, each with its number.
    pub fn numbered_rights(&self) -> impl Iterator<Item = (usize, &Operation)> {
        (self.first_right()..).zip(&self.rights)
    }

    /// The number of members that the groups of the plan had.
    pub fn member_count(&self) -> usize {
        self.groups.iter().map(|group| group.member_count).sum()
    }

    /// Sets the digest. Call it last: any later change invalidates the digest.
    #[must_use]
    pub fn sealed(mut self) -> Self {
        self.seal();
        self
    }

    /// Computes and sets the digest, and returns the previous one. It does not copy the plan, which may be large.
    fn seal(&mut self) -> String {
        let had = std::mem::take(&mut self.digest);
        let created_at = std::mem::take(&mut self.created_at);
        let canonical: Vec<Option<String>> =
            self.sources.iter_mut().map(|source| source.canonical.take()).collect();
        let mut hashing = Hashing(Sha256::new());
        // Cannot fail: hashing does no IO, and all keys of a plan are strings.
        let _ = serde_json::to_writer(&mut hashing, self);
        for (source, canonical) in self.sources.iter_mut().zip(canonical) {
            source.canonical = canonical;
        }
        self.created_at = created_at;
        self.digest = format!("sha256:{}", hex(&hashing.0.finalize()));
        had
    }

    /// Reads a plan from its JSON.
    ///
    /// # Errors
    ///
    /// If the JSON is not a plan, has another version, or was modified after the plan was made.
    pub fn from_json(json: &[u8]) -> Result<Self, String> {
        let mut plan: Self = serde_json::from_slice(json).map_err(|error| format!("not a plan: {error}"))?;
        if plan.version != PLAN_VERSION {
            return Err(format!("unsupported plan version {} (expected {PLAN_VERSION})", plan.version));
        }
        let stated = plan.seal();
        if plan.digest != stated {
            return Err("the plan was modified: its digest does not match its content".to_owned());
        }
        plan.check_groups()?;
        plan.check_rights()?;
        Ok(plan)
    }

    /// Refuses an operation on a right that does not say whose right it is.
    fn check_rights(&self) -> Result<(), String> {
        for operation in &self.rights {
            let is_named = match operation.right() {
                Some(Right::Invite { invite_id: Some(_), .. }) => true,
                Some(Right::Invite { invite_id: None, .. }) => {
                    operation.is(Effect::Grant) && operation.email().is_some()
                }
                Some(_) => operation.user_id().is_some(),
                None => false,
            };
            if !is_named {
                return Err(format!("the plan has an incomplete {} in 'rights'", operation.action()));
            }
        }
        Ok(())
    }

    /// Refuses a group that is listed twice: the limits would apply to each part separately.
    fn check_groups(&self) -> Result<(), String> {
        let mut seen = HashSet::new();
        let twice = self.groups.iter().filter_map(|group| group.id.as_ref()).find(|id| !seen.insert(*id));
        twice.map_or(Ok(()), |id| Err(format!("the plan lists group {id} twice")))
    }

    /// The plan as indented JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }
}

/// The JSON Schema of a plan.
pub fn json_schema() -> schemars::Schema {
    schemars::schema_for!(Plan)
}

struct Hashing(Sha256);

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    hexadecimal(bytes).map(char::from).collect()
}
