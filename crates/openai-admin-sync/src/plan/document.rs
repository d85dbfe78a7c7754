//! A plan, which people read, machines keep, and `apply` is held to: its JSON, the digest over it, and its schema.

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
};
use crate::{
    input::{max_remove::MaxRemove, policy::Protected},
    plan::source::Source,
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
    /// `created_at` empty, and without the sources' canonical names: on another machine it is the same plan. Who approves a digest approves everything in here and nothing else.
    pub digest: String,
    /// When it was made, as RFC 3339.
    pub created_at: String,
    /// The organization that was read, as its answers name it.
    #[schemars(with = "Option<String>")]
    pub organization: Option<OrganizationId>,
    /// What it is for; to make groups as files say, when absent.
    #[serde(default, skip_serializing_if = "Purpose::is_files")]
    pub purpose: Purpose,
    /// Removals go first, and wait for no addition.
    pub revoke_first: bool,
    /// Whether an unknown address is a failure of the run, or only reported.
    pub unknown: UnknownPolicy,
    /// How many memberships may go in all groups together.
    pub max_remove: MaxRemove,
    /// Whom and what it does not touch: what files and the caller's side protect.
    #[serde(default, skip_serializing_if = "Protected::is_empty")]
    pub protect: Protected,
    /// What the wishes came from.
    pub sources: Vec<Source>,
    /// Every group that is wished for, in the order of the input.
    pub groups: Vec<GroupPlan>,
    /// What blocks every removal of the plan.
    pub blocks: Vec<Block>,
}

/// What a plan is for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Purpose {
    /// To make groups as files say.
    #[default]
    Files,
    /// To do what the rows of a table say.
    Import,
    /// To take somebody out of every group.
    Offboard {
        /// The user.
        #[schemars(with = "String")]
        user_id: UserId,
    },
    /// To take back what a run has done. It is done whole or not at all.
    Undo {
        /// The name of the run.
        run: String,
    },
}

impl Purpose {
    fn is_files(&self) -> bool {
        matches!(self, Self::Files)
    }

    /// Whether it takes back what a run has done.
    pub fn is_undo(&self) -> bool {
        matches!(self, Self::Undo { .. })
    }

    /// The name of the run that it takes back.
    pub fn undone_run(&self) -> Option<&str> {
        match self {
            Self::Undo { run } => Some(run),
            Self::Files | Self::Import | Self::Offboard { .. } => None,
        }
    }
}

/// What happens to users whom nobody knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnknownPolicy {
    /// The rest is done, and the run counts as partly done.
    #[default]
    Error,
    /// The rest is done, and they are only reported.
    Skip,
}

impl Plan {
    /// How many operations there are.
    pub fn operation_count(&self) -> usize {
        self.groups.iter().map(|group| group.operations.len()).sum()
    }

    /// Every operation with its group, in order: the number of an operation in journals is its place here.
    pub fn operations(&self) -> impl Iterator<Item = (&GroupPlan, &Operation)> {
        self.groups.iter().flat_map(|group| group.operations.iter().map(move |operation| (group, operation)))
    }

    /// How many memberships the groups of the plan had.
    pub fn member_count(&self) -> usize {
        self.groups.iter().map(|group| group.member_count).sum()
    }

    /// Sets the digest, after everything else is there.
    #[must_use]
    pub fn sealed(mut self) -> Self {
        self.seal();
        self
    }

    /// Sets the digest that the plan should have, and gives the one that it had. A large plan is not copied for it.
    fn seal(&mut self) -> String {
        let had = std::mem::take(&mut self.digest);
        let created_at = std::mem::take(&mut self.created_at);
        let canonical: Vec<Option<String>> =
            self.sources.iter_mut().map(|source| source.canonical.take()).collect();
        let mut hashing = Hashing(Sha256::new());
        // Writing to a hash cannot fail, and a plan has only keys that are text.
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
    /// What is wrong with it: it is no plan, of another version, or was changed after it was made.
    pub fn from_json(json: &[u8]) -> Result<Self, String> {
        let mut plan: Self =
            serde_json::from_slice(json).map_err(|error| format!("it is no plan: {error}"))?;
        if plan.version != PLAN_VERSION {
            return Err(format!(
                "it is a plan of version {}, and this program reads {PLAN_VERSION}",
                plan.version
            ));
        }
        let said = plan.seal();
        if plan.digest != said {
            return Err("it was changed after it was made: its digest is not that of its content".to_owned());
        }
        plan.check_groups()?;
        Ok(plan)
    }

    /// One group in two parts would be two groups to the limits.
    fn check_groups(&self) -> Result<(), String> {
        let mut seen = HashSet::new();
        let twice = self.groups.iter().filter_map(|group| group.id.as_ref()).find(|id| !seen.insert(*id));
        twice.map_or(Ok(()), |id| Err(format!("it names group {id} twice")))
    }

    /// The plan as JSON for people and tools.
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
