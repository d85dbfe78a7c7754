//! What was recorded: calls, with the instants of their beginning and end.

use std::collections::BTreeSet;

use crate::audit::Audit;

/// A user of a group, or one who could be. Users and groups are numbered; users in the order in which they are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pair {
    /// The group.
    pub group: usize,
    /// The user.
    pub user: usize,
}

/// Everything that happened in a round.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// How many users there are.
    pub users: usize,
    /// Who was a member before the first call.
    pub members: BTreeSet<Pair>,
    /// The calls, in any order.
    pub calls: Vec<Call>,
    /// What the database holds after the last call; none when it was not looked at.
    pub audit: Option<Audit>,
}

/// A call of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Who made it. A client makes one call after the other.
    pub client: usize,
    /// When it was made. Instants are counted: no two calls of a history begin or end at the same one.
    pub begun: u64,
    /// When it was over.
    pub ended: End,
    /// What was asked, and what was answered.
    pub what: What,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With the answer in [`What`], at this instant.
    Answered(u64),
    /// Without an answer: it took effect before this instant, at which its server was known to be gone, or never.
    CutOff(u64),
    /// Without an answer: it takes effect at any time, or never.
    Unknown,
}

/// What a call did, or what it found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// The user was added; they may have been a member already.
    Added(Pair),
    /// The user, who was a member, was removed.
    Removed(Pair),
    /// The user was found to be a member, or not to be one: by retrieving them, or by a removal that was refused.
    Found(Pair, bool),
    /// A page was read. A page without an answer tells nothing and is not recorded.
    Listed(Page),
}

/// A page of the users of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The walk that it belongs to. The pages of a walk are recorded in their order.
    pub walk: usize,
    /// The group.
    pub group: usize,
    /// The direction of the list.
    pub order: Order,
    /// How many users were asked for.
    pub limit: usize,
    /// The cursor: the users after this one, or all.
    pub after: Option<usize>,
    /// The users on the page.
    pub users: Vec<usize>,
    /// Where the next page begins; none at the end.
    pub next: Option<usize>,
}

/// The direction of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The first user first.
    Ascending,
    /// The last user first.
    Descending,
}

impl Order {
    /// Whether `one` comes before `other`.
    pub(crate) fn is_before(self, one: usize, other: usize) -> bool {
        match self {
            Self::Ascending => one < other,
            Self::Descending => one > other,
        }
    }
}

impl Page {
    /// The pairs that the page tells about, and what it tells: those after its cursor, up to its last user where
    /// another page follows, and up to the end of the list otherwise.
    pub(crate) fn covered(&self, users: usize) -> impl Iterator<Item = (Pair, bool)> + '_ {
        let last = self.next.and(self.users.last().copied());
        let covers = move |user: &usize| {
            self.after.is_none_or(|after| self.order.is_before(after, *user))
                && last.is_none_or(|last| *user == last || self.order.is_before(*user, last))
                // A page that was not to hold anybody tells about nobody, nor does one that is empty and has a next.
                && self.limit > 0
                && !(self.users.is_empty() && self.next.is_some())
        };
        (0..users).filter(covers).map(|user| (Pair { group: self.group, user }, self.users.contains(&user)))
    }
}

impl Call {
    /// The last instant at which it can have taken effect.
    pub(crate) fn latest(&self) -> u64 {
        match self.ended {
            End::Answered(at) | End::CutOff(at) => at,
            End::Unknown => u64::MAX,
        }
    }

    /// Whether its answer came.
    pub(crate) fn is_answered(&self) -> bool {
        matches!(self.ended, End::Answered(_))
    }
}
