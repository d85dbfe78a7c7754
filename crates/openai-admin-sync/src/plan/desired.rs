//! What should be: groups and their members, with the origin of every wish. Files become this in `expand.rs`, tables in
//! `import.rs`, and a user who leaves in `offboard.rs`.

use openai_admin::{GroupId, OrganizationId};

use crate::{
    input::{csv, fault::Place, file::Mode, max_remove::MaxRemove, member::Who, policy::Protected},
    plan::{
        document::Purpose,
        source::{Origin, Source},
    },
};

/// The most memberships that one plan is made from, each kept at about 400 bytes: those of all its files, tables and sets.
pub const MEMBERSHIPS_MAX: usize = csv::ROWS_MAX;

/// Everything that is wished for.
#[derive(Debug, Default)]
pub struct Desired {
    /// The only organization that is meant, if the input says one.
    pub organization: Option<OrganizationId>,
    /// The groups, in the order of the input.
    pub groups: Vec<DesiredGroup>,
    /// Whom and what no plan touches.
    pub protect: Protected,
    /// How many memberships may go in all groups together.
    pub max_remove: Option<MaxRemove>,
    /// What a plan of it is for.
    pub purpose: Purpose,
    /// Where the wishes come from, and how many each says.
    pub sources: Vec<Source>,
    /// Which rows of tables do not count, for people: always told, since who is left out may be removed.
    pub left_out: Vec<String>,
}

/// A group that is wished for.
#[derive(Debug)]
pub struct DesiredGroup {
    /// Its name.
    pub name: String,
    /// Its id, if the input pins it.
    pub id: Option<GroupId>,
    /// Names that it had.
    pub previously: Vec<String>,
    /// Where the input says so.
    pub place: Option<Place>,
    /// Whether it is created when there is none. Otherwise a missing group is a fault, and the name may be an id.
    pub creates: bool,
    /// What becomes of its members; none when they are not managed.
    pub members: Option<DesiredMembers>,
    /// How many may go.
    pub max_remove: MaxRemove,
    /// Whether nobody may be left.
    pub allow_empty: bool,
    /// Whether it is left alone, and no fault, when an identity provider manages it.
    pub ignores_scim: bool,
}

impl DesiredGroup {
    /// A group that must be there, with the limits that hold when nobody says otherwise.
    pub fn existing(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            id: None,
            previously: Vec::new(),
            place: None,
            creates: false,
            members: None,
            max_remove: MaxRemove::OF_GROUP,
            allow_empty: false,
            ignores_scim: false,
        }
    }
}

/// Who should be in a group.
#[derive(Debug, Default)]
pub struct DesiredMembers {
    /// What `present` means for those who are not in it.
    pub mode: Mode,
    /// Who should be there, each once.
    pub present: Vec<DesiredMember>,
    /// Who should not be there, whatever the mode.
    pub absent: Vec<DesiredMember>,
    /// Who was wished for until a day that is over: the reason of their removal.
    pub expired: Vec<DesiredMember>,
}

/// Somebody who is wished for, and why.
#[derive(Clone, Debug)]
pub struct DesiredMember {
    /// Who.
    pub who: Who,
    /// Why.
    pub origin: Origin,
}
