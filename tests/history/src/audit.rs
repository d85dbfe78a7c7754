//! The audit trail and what was acknowledged.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    history::{History, Pair, What},
    violation::Violation,
};

/// An event of the audit trail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditEvent {
    /// Who made the change.
    pub client: usize,
    /// About whom.
    pub pair: Pair,
    /// Whether the user was added; else they were removed.
    pub added: bool,
}

/// What the database holds after the last call, read at one instant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audit {
    /// The trail, in any order.
    pub events: Vec<AuditEvent>,
    /// Who is a member.
    pub members: BTreeSet<Pair>,
}

/// How many changes of one kind a client made to one pair.
#[derive(Clone, Copy, Default)]
struct Count {
    acknowledged: usize,
    cut_off: usize,
    told: usize,
}

/// Compares the trail with the calls, client by client and pair by pair, and with the members that it leads to. A
/// removal that is acknowledged has happened, so there is exactly one event for it. An add may have found a member, so
/// there is at most one; but the events of each pair together lead from what it was at first to what it is.
pub(crate) fn check(history: &History) -> Vec<Violation> {
    let Some(Audit { events, members }) = &history.audit else { return Vec::new() };
    let mut violations = against_calls(history, events);
    let pairs: BTreeSet<Pair> =
        events.iter().map(|event| event.pair).chain(history.members.union(members).copied()).collect();
    let leads_elsewhere = |pair: &Pair| {
        let of = |added| events.iter().filter(|event| event.pair == *pair && event.added == added).count();
        let before = usize::from(history.members.contains(pair));
        before + of(true) != usize::from(members.contains(pair)) + of(false)
    };
    violations.extend(
        pairs.into_iter().filter(leads_elsewhere).map(|pair| Violation::AuditLeadsElsewhere { pair }),
    );
    violations
}

fn against_calls(history: &History, events: &[AuditEvent]) -> Vec<Violation> {
    let mut counts: BTreeMap<(usize, Pair, bool), Count> = BTreeMap::new();
    for call in &history.calls {
        let (pair, added) = match call.what {
            What::Added(pair) => (pair, true),
            What::Removed(pair) => (pair, false),
            What::Found(..) | What::Listed(_) => continue,
        };
        let count = counts.entry((call.client, pair, added)).or_default();
        if call.is_answered() {
            count.acknowledged += 1;
        } else {
            count.cut_off += 1;
        }
    }
    for event in events {
        counts.entry((event.client, event.pair, event.added)).or_default().told += 1;
    }
    let disagreement = |((client, pair, added), count): ((usize, Pair, bool), Count)| {
        let least = if added { 0 } else { count.acknowledged };
        let most = count.acknowledged + count.cut_off;
        let told = count.told;
        let is_told = (least..=most).contains(&told);
        (!is_told).then_some(Violation::AuditDisagrees { client, pair, added, told, least, most })
    };
    counts.into_iter().filter_map(disagreement).collect()
}
