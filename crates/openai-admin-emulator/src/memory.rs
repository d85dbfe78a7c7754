//! Memory budgets that several holders share.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

/// A budget in bytes. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Budget(Arc<Account>);

#[derive(Debug)]
struct Account {
    held: AtomicUsize,
    bytes_max: usize,
}

/// Reserved bytes. Dropping it releases them.
#[derive(Debug)]
pub(crate) struct Reserved {
    budget: Budget,
    bytes: usize,
}

impl Budget {
    pub(crate) fn of(bytes_max: usize) -> Self {
        Self(Arc::new(Account { held: AtomicUsize::new(0), bytes_max }))
    }

    /// Reserves bytes. `None` if the budget is not sufficient.
    pub(crate) fn reserve(&self, bytes: usize) -> Option<Reserved> {
        let more = |held: usize| held.checked_add(bytes).filter(|held| *held <= self.0.bytes_max);
        self.0.held.fetch_update(Relaxed, Relaxed, more).ok()?;
        Some(Reserved { budget: self.clone(), bytes })
    }

    /// Counts bytes that are already in memory, even beyond the budget.
    pub(crate) fn add(&self, bytes: usize) {
        self.0.held.fetch_add(bytes, Relaxed);
    }

    pub(crate) fn release(&self, bytes: usize) {
        self.0.held.fetch_sub(bytes, Relaxed);
    }

    pub(crate) fn is_exceeded(&self) -> bool {
        self.held() > self.0.bytes_max
    }

    pub(crate) fn held(&self) -> usize {
        self.0.held.load(Relaxed)
    }
}

impl Reserved {
    /// Reserves more bytes. Returns false if the budget is not sufficient.
    pub(crate) fn grow(&mut self, bytes: usize) -> bool {
        let Some(mut more) = self.budget.reserve(bytes) else { return false };
        self.bytes += std::mem::take(&mut more.bytes);
        true
    }

    /// Replaces the reserved size by the actual one, even beyond the budget.
    pub(crate) fn set(&mut self, bytes: usize) {
        self.budget.add(bytes);
        self.budget.release(self.bytes);
        self.bytes = bytes;
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        self.budget.release(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dropping_a_reservation_releases_it() {
        let budget = Budget::of(10);
        let mut one = budget.reserve(6).expect("room");
        assert!(budget.reserve(5).is_none());
        assert!(!one.grow(5) && one.grow(4));
        one.set(6);
        let other = budget.clone().reserve(4).expect("room");
        assert_eq!(budget.held(), 10);
        drop((one, other));
        assert_eq!(budget.held(), 0);
        assert!(budget.reserve(usize::MAX).is_none() && budget.reserve(11).is_none());
    }
}
