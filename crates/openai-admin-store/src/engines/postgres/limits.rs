//! How long, how often and for whom work is done on a connection.

use std::{future::Future, time::Duration};

use tokio::{runtime::Handle, time::Instant};

/// How often a transaction that met another is run again before the caller hears of it.
pub(super) const ATTEMPTS_MAX: u32 = 64;
/// The pause before a second attempt; it grows with each attempt, so that many writers of one row take turns.
const RETRY_PAUSE: Duration = Duration::from_micros(200);
const RETRY_PAUSE_MAX: Duration = Duration::from_millis(50);

/// What a body does, and when it is given up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Access {
    pub(super) writes: bool,
    /// The number of the organization that is written, where it is known before the body runs.
    pub(super) org: Option<i64>,
    /// Whether no member is added in that organization meanwhile.
    pub(super) alone: bool,
    pub(super) deadline: Instant,
}

/// Waits for `future` until `deadline`, by the clock of `runtime`: the caller's need not have one.
pub(super) async fn until<F: Future>(runtime: &Handle, deadline: Instant, future: F) -> Option<F::Output> {
    let timeout = {
        let _entered = runtime.enter();
        tokio::time::timeout_at(deadline, future)
    };
    timeout.await.ok()
}

pub(super) fn retry_pause(attempt: u32) -> Duration {
    (RETRY_PAUSE * attempt * attempt).min(RETRY_PAUSE_MAX)
}
