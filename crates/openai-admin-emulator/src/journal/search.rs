//! Searches a journal, which may have 64 MiB, in steps: other tasks run in between, and the search stops if its client
//! disconnects.

use std::sync::Arc;

use super::exchange::Recorded;

/// How many bytes are searched in a step.
const PIECE_BYTES: usize = 1024 * 1024;

/// Calls `look` with each exchange until it returns false.
pub(super) async fn all(exchanges: &[Arc<Recorded>], mut look: impl FnMut(&Arc<Recorded>) -> bool) {
    let mut looked_at = 0;
    for recorded in exchanges {
        if !look(recorded) {
            return;
        }
        looked_at += recorded.bytes();
        if looked_at >= PIECE_BYTES {
            looked_at = 0;
            tokio::task::yield_now().await;
        }
    }
}
