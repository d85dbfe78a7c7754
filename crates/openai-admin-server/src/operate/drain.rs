//! Whether the server has been told to stop: from then on it is not ready, and sends its clients elsewhere.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

#[derive(Debug, Default)]
pub(crate) struct Drain(AtomicBool);

impl Drain {
    pub(crate) fn begin(&self) {
        self.0.store(true, Relaxed);
    }

    pub(crate) fn has_begun(&self) -> bool {
        self.0.load(Relaxed)
    }
}
