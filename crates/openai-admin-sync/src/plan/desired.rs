//! The desired state: groups and their members, each with its origin. `expand.rs` makes it from files, `import.rs` from
//! a table, and `offboard.rs` from a user who leaves.

use std::collections::HashMap;

use openai_admin::{GroupId, OrganizationId};

use crate::{
    input::{
        csv, email::EmailKey, file::Mode, input_error::Position, max_remove::MaxRemove, member::UserRef,
        policy::Protected,
    },
    plan::{
        document::Purpose,
        operation::Operation,
        right::Kept,
        source::{Origin, Source},
    },
};

/// The most memberships of one plan, from all its files, tables and sets. Each takes about 400 bytes of memory.
pub const MEMBERSHIPS_MAX: usize = csv::ROWS_MAX;

/// The desired state.
#[derive(Debug, Default)]
pub struct Desired {
    /// The organization that the input is for, if it names one.
    pub organization: Option<OrganizationId>,
    /// The groups, in the order of the input.
    pub groups: Vec<DesiredGroup>,
    /// The protected users and groups.
    pub protect: Protected,
    /// The limit of removals in all groups together.
    pub max_remove: Option<MaxRemove>,
    /// The purpose of the plan.
    pub purpose: Purpose,
    /// The files and tables, with the number of entries of each.
    pub sources: Vec<Source>,
    /// A message for each table with excluded rows. Always show them: an excluded user may be removed.
    pub left_out: Vec<String>,
    /// Notes about guessed columns, decoded text, and changed or skipped cells in tables.
    pub notes: Vec<String>,
    /// The invalid rows that were skipped.
    pub skipped_rows: Vec<csv::SkippedRow>,
    /// How to compare the names of groups.
    pub matching: csv::Matching,
    /// The operations on rights.
    pub rights: Vec<Operation>,
    /// What the plan leaves as it is, although its purpose would change it.
    pub kept: Vec<Kept>,
    /// The names of users in tables by address, to suggest users for unknown addresses.
    pub names: HashMap<EmailKey, Box<str>>,
}

/// A desired group.
#[derive(Debug)]
pub struct DesiredGroup {
    /// The group's name.
    pub name: String,
    /// The group's id, if the input gives it.
    pub id: Option<GroupId>,
    /// Previous names of the group.
    pub previously: Vec<String>,
    /// Where the input lists the group.
    pub position: Option<Position>,
    /// Whether to create the group if it does not exist. If false, a missing group is an error.
    pub creates: bool,
    /// Whether an existing group keeps its name. If so, `name` may be an id.
    pub keeps_name: bool,
    /// The desired members; `None` if they are not managed.
    pub members: Option<DesiredMembers>,
    /// The limit of removals.
    pub max_remove: MaxRemove,
    /// Whether the group may end up empty.
    pub allow_empty: bool,
    /// Whether to skip the group, instead of blocking it, if an identity provider manages it.
    pub ignores_scim: bool,
}

impl DesiredGroup {
    /// A group that must exist, with the default limits.
    pub fn existing(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            id: None,
            previously: Vec::new(),
            position: None,
            creates: false,
            keeps_name: true,
            members: None,
            max_remove: MaxRemove::OF_GROUP,
            allow_empty: false,
            ignores_scim: false,
        }
    }
}

/// The desired members of a group.
#[derive(Debug, Default)]
pub struct DesiredMembers {
    /// How to handle users who are not in `present`.
    pub mode: Mode,
    /// The users who should be members, without duplicates.
    pub present: Vec<DesiredMember>,
    /// The users who should not be members, in any mode.
    pub absent: Vec<DesiredMember>,
    /// The users whose end date has passed, which is the reason of their removal.
    pub expired: Vec<DesiredMember>,
}

/// A desired member.
#[derive(Clone, Debug)]
pub struct DesiredMember {
    /// The user.
    pub who: UserRef,
    /// Where the input lists the user.
    pub origin: Origin,
}
