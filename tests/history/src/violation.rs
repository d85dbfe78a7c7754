//! What cannot have been, told so that a person can find it.

use std::fmt;

use crate::history::{Call, End, Page, Pair, What};

/// Something that a correct server does not show.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Violation {
    /// No instants for the calls about a pair explain all answers: a lost write, a phantom or a stale answer.
    NotLinearizable {
        /// The pair.
        pair: Pair,
        /// The first answer that nothing explains.
        call: Call,
        /// The calls about the pair before it.
        story: Vec<Call>,
    },
    /// A page is not in the form that a list promises.
    MalformedPage {
        /// The page.
        page: Page,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// There is no instant at which everything on a page may have been so.
    TornPage {
        /// The page.
        page: Page,
        /// When it was asked for.
        begun: u64,
        /// When it was answered.
        ended: u64,
    },
    /// A walk came to a cursor twice.
    RepeatedCursor {
        /// The walk.
        walk: usize,
        /// The page with the cursor.
        page: Page,
    },
    /// A walk met a member twice.
    RepeatedMember {
        /// The walk.
        walk: usize,
        /// The member.
        pair: Pair,
    },
    /// A walk did not meet somebody who was a member all the time.
    MissedMember {
        /// The walk.
        walk: usize,
        /// The member.
        pair: Pair,
    },
    /// The audit trail tells of more or fewer changes than a client made.
    AuditDisagrees {
        /// The client.
        client: usize,
        /// The pair.
        pair: Pair,
        /// Whether it is about adds; else about removals.
        added: bool,
        /// How many events there are.
        told: usize,
        /// How many there must be.
        least: usize,
        /// How many there may be.
        most: usize,
    },
    /// The store's own check of the whole database found something.
    NotSound {
        /// What it says.
        problem: String,
    },
    /// The audit trail leads to another membership than there is.
    AuditLeadsElsewhere {
        /// The pair.
        pair: Pair,
    },
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "user {} of group {}", self.user, self.group)
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { client, begun, ended, what } = self;
        match ended {
            End::Answered(ended) => write!(f, "{begun}–{ended} client {client} ")?,
            End::CutOff(ended) => write!(f, "{begun}–{ended} client {client}, cut off, perhaps ")?,
            End::Unknown => write!(f, "{begun}–… client {client}, unknown, perhaps ")?,
        }
        match what {
            What::Added(pair) => write!(f, "added {pair}"),
            What::Removed(pair) => write!(f, "removed {pair}"),
            What::Found(pair, true) => write!(f, "found {pair}"),
            What::Found(pair, false) => write!(f, "did not find {pair}"),
            What::Listed(page) => write!(f, "listed {page}"),
        }
    }
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { walk, group, order, limit, after, users, next } = self;
        write!(
            f,
            "group {group} (walk {walk}, {order:?}, limit {limit}, after {after:?}): {users:?}, next {next:?}"
        )
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotLinearizable { pair, call, story } => {
                writeln!(f, "nothing explains what was seen of {pair}, at last: {call}")?;
                story.iter().try_for_each(|call| writeln!(f, "    {call}"))
            }
            Self::MalformedPage { page, problem } => writeln!(f, "{problem}: {page}"),
            Self::TornPage { page, begun, ended } => {
                writeln!(
                    f,
                    "at no instant between {begun} and {ended} can all of this page have been so: {page}"
                )
            }
            Self::RepeatedCursor { walk, page } => writeln!(f, "walk {walk} came twice to a cursor: {page}"),
            Self::RepeatedMember { walk, pair } => writeln!(f, "walk {walk} met {pair} twice"),
            Self::MissedMember { walk, pair } => {
                writeln!(f, "walk {walk} did not meet {pair}, who was there all the time")
            }
            Self::AuditDisagrees { client, pair, added, told, least, most } => {
                let kind = if *added { "adds" } else { "removals" };
                writeln!(
                    f,
                    "the audit trail tells of {told} {kind} of {pair} by client {client}, who made {least} to {most}"
                )
            }
            Self::NotSound { problem } => writeln!(f, "{problem}"),
            Self::AuditLeadsElsewhere { pair } => {
                writeln!(f, "the audit trail does not lead to what is stored of {pair}")
            }
        }
    }
}
