//! Compares the audit trail with the acknowledged changes.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    history::{History, Outcome, Pair},
    violation::Violation,
};

/// An event of the audit trail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditEvent {
    /// The client that made the change.
    pub client: usize,
    /// The changed membership.
    pub pair: Pair,
    /// True if the user was added, false if they were removed.
    pub added: bool,
}

/// The contents of the database after the last call, read in one snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audit {
    /// The trail, in any order.
    pub events: Vec<AuditEvent>,
    /// The memberships.
    pub members: BTreeSet<Pair>,
}

/// The number of changes of one kind that a client made to one pair.
#[derive(Clone, Copy, Default)]
struct Count {
    acknowledged: usize,
    cut_off: usize,
    recorded: usize,
}

/// Compares the trail with the calls, for each client and pair, and with the final members. An acknowledged removal has
/// happened, so it has exactly one event. An add may have found a member, so it has at most one. The events of each
/// pair must lead from its first state to its last.
pub(crate) fn check(history: &History) -> Vec<Violation> {
    let Some(Audit { events, members }) = &history.audit else { return Vec::new() };
    let mut violations = against_calls(history, events);
    let pairs: BTreeSet<Pair> =
        events.iter().map(|event| event.pair).chain(history.members.union(members).copied()).collect();
    let contradicts = |pair: &Pair| {
        let of = |added| events.iter().filter(|event| event.pair == *pair && event.added == added).count();
        let before = usize::from(history.members.contains(pair));
        before + of(true) != usize::from(members.contains(pair)) + of(false)
    };
    violations.extend(
        pairs.into_iter().filter(contradicts).map(|pair| Violation::AuditContradictsMembers { pair }),
    );
    violations
}

fn against_calls(history: &History, events: &[AuditEvent]) -> Vec<Violation> {
    let mut counts: BTreeMap<(usize, Pair, bool), Count> = BTreeMap::new();
    for call in &history.calls {
        let (pair, added) = match call.outcome {
            Outcome::Added(pair) => (pair, true),
            Outcome::Removed(pair) => (pair, false),
            Outcome::Found(..) | Outcome::Listed(_) => continue,
        };
        let count = counts.entry((call.client, pair, added)).or_default();
        if call.is_answered() {
            count.acknowledged += 1;
        } else {
            count.cut_off += 1;
        }
    }
    for event in events {
        counts.entry((event.client, event.pair, event.added)).or_default().recorded += 1;
    }
    let disagreement = |((client, pair, added), count): ((usize, Pair, bool), Count)| {
        let least = if added { 0 } else { count.acknowledged };
        let most = count.acknowledged + count.cut_off;
        let recorded = count.recorded;
        let is_within = (least..=most).contains(&recorded);
        (!is_within).then_some(Violation::AuditDisagrees { client, pair, added, recorded, least, most })
    };
    counts.into_iter().filter_map(disagreement).collect()
}
