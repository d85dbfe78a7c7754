//! The recorded calls, with the instants of their start and end.

use std::collections::BTreeSet;

use crate::audit::Audit;

/// A group and a user who is or could be a member of it. Both are numbered; users in list order. Any other set of users,
/// such as those with a role, counts as a group without pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pair {
    /// The group.
    pub group: usize,
    /// The user.
    pub user: usize,
}

/// All recorded events of a round.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// The number of users.
    pub users: usize,
    /// The memberships before the first call.
    pub members: BTreeSet<Pair>,
    /// The calls, in any order.
    pub calls: Vec<Call>,
    /// The contents of the database after the last call. `None` if it was not read.
    pub audit: Option<Audit>,
}

/// A call of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The client. A client makes one call at a time.
    pub client: usize,
    /// The instant of its start. Instants are counters: no two calls of a history start or end at the same one.
    pub begun: u64,
    /// How the call ended.
    pub ended: End,
    /// The operation and its result.
    pub outcome: Outcome,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With the answer in [`Outcome`], at this instant.
    Answered(u64),
    /// Without an answer: it took effect before this instant, when its server was known to be dead, or never.
    CutOff(u64),
    /// Without an answer: it may take effect at any time, or never.
    Unknown,
}

/// The operation of a call, and its result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The user was added, or was already a member.
    Added(Pair),
    /// The user, who was a member, was removed.
    Removed(Pair),
    /// A read returned whether the user is a member: a retrieval, or a removal of a non-member.
    Found(Pair, bool),
    /// A page was read. A page without an answer is not recorded, because it contains no information.
    Listed(Page),
}

/// A page of the users of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The walk it belongs to. The pages of a walk are recorded in order.
    pub walk: usize,
    /// The group.
    pub group: usize,
    /// The direction of the list.
    pub order: Order,
    /// The requested number of users.
    pub limit: usize,
    /// The cursor: only users after this one. `None`: from the start.
    pub after: Option<usize>,
    /// The users on the page.
    pub users: Vec<usize>,
    /// The cursor of the next page. `None` on the last page.
    pub next: Option<usize>,
}

/// The direction of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// From the first user to the last.
    Ascending,
    /// From the last user to the first.
    Descending,
}

impl Order {
    /// Whether `one` comes before `other` in this order.
    pub(crate) fn is_before(self, one: usize, other: usize) -> bool {
        match self {
            Self::Ascending => one < other,
            Self::Descending => one > other,
        }
    }
}

impl Page {
    /// The pairs that the page covers, and whether each is a member on it: those after its cursor, up to its last user
    /// if another page follows, and up to the end of the list otherwise.
    pub(crate) fn covered(&self, users: usize) -> impl Iterator<Item = (Pair, bool)> + '_ {
        let last = self.next.and(self.users.last().copied());
        let covers = move |user: &usize| {
            self.after.is_none_or(|after| self.order.is_before(after, *user))
                && last.is_none_or(|last| *user == last || self.order.is_before(*user, last))
                // A page with a limit of 0 covers no pair, nor does an empty page with a next page.
                && self.limit > 0
                && !(self.users.is_empty() && self.next.is_some())
        };
        (0..users).filter(covers).map(|user| (Pair { group: self.group, user }, self.users.contains(&user)))
    }
}

impl Call {
    /// The last instant at which it may have taken effect.
    pub(crate) fn latest(&self) -> u64 {
        match self.ended {
            End::Answered(at) | End::CutOff(at) => at,
            End::Unknown => u64::MAX,
        }
    }

    /// Whether it was answered.
    pub(crate) fn is_answered(&self) -> bool {
        matches!(self.ended, End::Answered(_))
    }
}
