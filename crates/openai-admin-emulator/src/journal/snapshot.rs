use std::sync::Arc;

use super::exchange::Recorded;

/// A journal as it was at one moment: what is looked at for long is not looked at under its lock.
pub(super) struct Moment {
    pub(super) exchanges: Vec<Arc<Recorded>>,
    pub(super) dropped: u64,
}
