use std::sync::Arc;

use super::exchange::Recorded;

/// A snapshot of a journal, so that long searches do not hold its lock.
pub(super) struct JournalSnapshot {
    pub(super) exchanges: Vec<Arc<Recorded>>,
    pub(super) dropped: u64,
}
