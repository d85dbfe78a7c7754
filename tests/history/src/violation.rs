//! Violations, with readable descriptions.

use std::fmt;

use crate::history::{Call, End, Outcome, Page, Pair};

/// A result that a correct server never returns.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Violation {
    /// No instants for the calls about a pair explain all answers: a lost write, a phantom or a stale answer.
    NotLinearizable {
        /// The pair.
        pair: Pair,
        /// The first answer without an explanation.
        call: Call,
        /// The earlier calls about the pair.
        earlier_calls: Vec<Call>,
    },
    /// A page does not have the form of a list page.
    MalformedPage {
        /// The page.
        page: Page,
        /// The problem.
        problem: &'static str,
    },
    /// There is no instant at which the whole page may have been correct.
    TornPage {
        /// The page.
        page: Page,
        /// When it was requested.
        begun: u64,
        /// When it was answered.
        ended: u64,
    },
    /// A walk returned a cursor twice.
    RepeatedCursor {
        /// The walk.
        walk: usize,
        /// The page with the cursor.
        page: Page,
    },
    /// A walk contains a member twice.
    RepeatedMember {
        /// The walk.
        walk: usize,
        /// The member.
        pair: Pair,
    },
    /// A walk does not contain a user who was a member all the time.
    MissedMember {
        /// The walk.
        walk: usize,
        /// The member.
        pair: Pair,
    },
    /// The audit trail contains more or fewer changes than a client made.
    AuditDisagrees {
        /// The client.
        client: usize,
        /// The pair.
        pair: Pair,
        /// True for adds, false for removals.
        added: bool,
        /// The number of events.
        recorded: usize,
        /// The minimum number of events.
        least: usize,
        /// The maximum number of events.
        most: usize,
    },
    /// The store's verification of the whole database failed.
    VerificationFailed {
        /// The line that it reported.
        problem: String,
    },
    /// The audit trail leads to another membership than the stored one.
    AuditContradictsMembers {
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
        let Self { client, begun, ended, outcome } = self;
        match ended {
            End::Answered(ended) => write!(f, "{begun}–{ended} client {client} ")?,
            End::CutOff(ended) => write!(f, "{begun}–{ended} client {client}, cut off, perhaps ")?,
            End::Unknown => write!(f, "{begun}–… client {client}, unknown, perhaps ")?,
        }
        match outcome {
            Outcome::Added(pair) => write!(f, "added {pair}"),
            Outcome::Removed(pair) => write!(f, "removed {pair}"),
            Outcome::Found(pair, true) => write!(f, "found {pair}"),
            Outcome::Found(pair, false) => write!(f, "did not find {pair}"),
            Outcome::Listed(page) => write!(f, "listed {page}"),
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
            Self::NotLinearizable { pair, call, earlier_calls } => {
                writeln!(
                    f,
                    "no order of the calls explains the answers about {pair}; the first without an explanation: {call}"
                )?;
                earlier_calls.iter().try_for_each(|call| writeln!(f, "    {call}"))
            }
            Self::MalformedPage { page, problem } => writeln!(f, "{problem}: {page}"),
            Self::TornPage { page, begun, ended } => {
                writeln!(f, "this page was not a snapshot at any instant between {begun} and {ended}: {page}")
            }
            Self::RepeatedCursor { walk, page } => writeln!(f, "walk {walk} returned a cursor twice: {page}"),
            Self::RepeatedMember { walk, pair } => writeln!(f, "walk {walk} contains {pair} twice"),
            Self::MissedMember { walk, pair } => {
                writeln!(f, "walk {walk} does not contain {pair}, who was a member all the time")
            }
            Self::AuditDisagrees { client, pair, added, recorded, least, most } => {
                let kind = if *added { "adds" } else { "removals" };
                writeln!(
                    f,
                    "the audit trail contains {recorded} {kind} of {pair} by client {client}, who made {least} to {most}"
                )
            }
            Self::VerificationFailed { problem } => writeln!(f, "{problem}"),
            Self::AuditContradictsMembers { pair } => {
                writeln!(f, "the audit trail does not lead to the stored membership of {pair}")
            }
        }
    }
}
