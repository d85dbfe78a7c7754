//! Deadlines and retries of the work on a connection.

use std::{future::Future, time::Duration};

use tokio::{runtime::Handle, time::Instant};

/// How often a transaction is attempted before a conflict is reported to the caller.
pub(super) const ATTEMPTS_MAX: u32 = 64;
/// The pause before a second attempt. It grows with each attempt, so that many writers of one row take turns.
const RETRY_PAUSE: Duration = Duration::from_micros(200);
const RETRY_PAUSE_MAX: Duration = Duration::from_millis(50);

/// What a body accesses, and its deadline.
#[derive(Clone, Copy, Debug)]
pub(super) struct Access {
    pub(super) writes: bool,
    /// The number of the organization that is written, if it is known before the body runs.
    pub(super) org: Option<i64>,
    /// Whether the body excludes additions of members in that organization.
    pub(super) excludes_additions: bool,
    pub(super) deadline: Instant,
}

/// Waits for `future` until `deadline`, with the timers of `runtime`, because the caller's runtime may have none.
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
