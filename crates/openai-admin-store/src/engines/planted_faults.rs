//! Faults to be found: what a store must never do, for tests that prove that it would be noticed.
//!
//! Compiled only with the feature `planted-faults`, which nothing that is shipped switches on, and asleep until a
//! process plants one of them in itself.

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// A fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlantedFault {
    /// A change is acknowledged when it has been made, and before it is committed.
    AnswerBeforeCommit,
    /// A page begins at as many members as were read before it, whoever has come or gone meanwhile.
    CursorByOffset,
    /// A membership and its audit event are two transactions.
    AuditApart,
    /// A page in the cache counts for a few commits longer than it should.
    StaleCache,
    /// One of four changes of a group leaves its pages in the cache.
    LostInvalidation,
}

impl PlantedFault {
    /// Every fault.
    pub const ALL: [Self; 5] = [
        Self::AnswerBeforeCommit,
        Self::CursorByOffset,
        Self::AuditApart,
        Self::StaleCache,
        Self::LostInvalidation,
    ];
}

static PLANTED: OnceLock<PlantedFault> = OnceLock::new();

/// Plants a fault in this process, for all its life. Only the first counts.
pub fn plant(fault: PlantedFault) {
    let _ = PLANTED.set(fault);
}

pub(crate) fn is_planted(fault: PlantedFault) -> bool {
    PLANTED.get() == Some(&fault)
}

/// For how many commits more a page counts, in the cache's numbers, of which a commit takes two.
pub(crate) const STALE_COMMITS: u64 = 6;

/// How long an early answer comes before its commit: long enough for another client's read on a busy machine.
pub(crate) const COMMIT_DELAY: Duration = Duration::from_millis(20);

/// True at every fourth call.
pub(crate) fn is_one_of_four() -> bool {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    CALLS.fetch_add(1, Ordering::SeqCst) % 4 == 3
}
