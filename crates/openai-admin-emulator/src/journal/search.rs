//! Looking through a journal, which may hold 64 MiB: in pieces, so that others go on meanwhile, and so that a search ends
//! where it is when the client that asked has gone.

use std::sync::Arc;

use super::exchange::Recorded;

/// How much is looked at before others have their turn, in bytes.
const PIECE_BYTES: usize = 1024 * 1024;

/// Gives each exchange to `look`, until that says to stop.
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
