//! Lanes separate slow reads from fast ones. Each lane has its own connections, so that a read of many rows never
//! delays a read of a few, such as the authentication of a request.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::base::{
    error::{Error, Result},
    time_limit::TimeLimit,
};

/// How many scans of one organization may wait before further ones are rejected with [`Error::Overloaded`].
const SCANS_WAITING_MAX: usize = 256;

/// The queue of a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// For reads of a few rows by key, or of one page.
    Short,
    /// For reads of many rows, up to a fixed number.
    Scan,
    /// For reads that may cover the whole database.
    Everything,
}

impl Lane {
    /// The time limit of a read in this lane.
    pub(crate) const fn time_limit(self) -> TimeLimit {
        match self {
            Self::Short | Self::Scan => TimeLimit::Usual,
            Self::Everything => TimeLimit::Everything,
        }
    }
}

/// Tracks whether the caller of a read still waits for its answer.
#[derive(Clone, Debug)]
pub(crate) struct Caller(Weak<()>);

impl Caller {
    /// A caller that counts as gone once the second value is dropped.
    pub(crate) fn new() -> (Self, Arc<()>) {
        let present = Arc::new(());
        (Self(Arc::downgrade(&present)), present)
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.0.strong_count() == 0
    }
}

/// Limits how many scans each organization runs at once. A scan that waits here occupies no slot of an engine's queue,
/// and is removed as soon as its caller is cancelled.
pub(crate) struct ScanGate {
    share: usize,
    organizations: Mutex<HashMap<i64, Slots>>,
}

#[derive(Clone)]
struct Slots {
    waiting: Arc<Semaphore>,
    running: Arc<Semaphore>,
}

impl ScanGate {
    /// A gate in front of `readers` connections. An organization gets at most half of them.
    pub(crate) fn new(readers: usize) -> Self {
        Self { share: (readers / 2).max(1), organizations: Mutex::default() }
    }

    /// Waits for one of the organization's slots. Dropping the permit releases it.
    pub(crate) async fn enter(&self, org: i64) -> Result<OwnedSemaphorePermit> {
        let Slots { waiting, running } = self.slots(org);
        let _waits = waiting.try_acquire_owned().map_err(|_| Error::Overloaded)?;
        running.acquire_owned().await.map_err(Error::internal)
    }

    fn slots(&self, org: i64) -> Slots {
        let mut organizations = self.organizations.lock().unwrap_or_else(PoisonError::into_inner);
        let slots = organizations.entry(org).or_insert_with(|| Slots {
            waiting: Arc::new(Semaphore::new(SCANS_WAITING_MAX)),
            running: Arc::new(Semaphore::new(self.share)),
        });
        slots.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::task::Poll;

    use super::*;

    fn is_pending<F: Future + Unpin>(mut future: F) -> impl Future<Output = bool> {
        std::future::poll_fn(move |context| {
            Poll::Ready(std::pin::Pin::new(&mut future).poll(context).is_pending())
        })
    }

    #[test]
    fn one_organization_cannot_take_all_scan_readers() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let gate = ScanGate::new(4);
            let (ours, theirs) = (1, 2);
            let first = gate.enter(ours).await.expect("a turn");
            let _second = gate.enter(ours).await.expect("a turn");
            let mut waiting: Vec<_> = (0..SCANS_WAITING_MAX).map(|_| Box::pin(gate.enter(ours))).collect();
            for waits in &mut waiting {
                assert!(is_pending(waits).await);
            }
            assert!(matches!(gate.enter(ours).await, Err(Error::Overloaded)));
            let _theirs = gate.enter(theirs).await.expect("their own turn");
            // Cancelled callers free their slots, and the oldest waiting one is next.
            waiting.truncate(1);
            drop(first);
            let _next = waiting.pop().expect("one is left").await.expect("a turn");
        });
    }
}
