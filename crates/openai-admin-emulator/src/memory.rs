//! How many bytes may be held in memory, by several holders together.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

/// A number of bytes with a maximum. Clones count together.
#[derive(Clone, Debug)]
pub(crate) struct Budget(Arc<Account>);

#[derive(Debug)]
struct Account {
    held: AtomicUsize,
    bytes_max: usize,
}

/// Bytes that count until this is dropped.
#[derive(Debug)]
pub(crate) struct Reserved {
    budget: Budget,
    bytes: usize,
}

impl Budget {
    pub(crate) fn of(bytes_max: usize) -> Self {
        Self(Arc::new(Account { held: AtomicUsize::new(0), bytes_max }))
    }

    /// Reserves room for bytes that are about to be held; none when there is not enough.
    pub(crate) fn reserve(&self, bytes: usize) -> Option<Reserved> {
        let more = |held: usize| held.checked_add(bytes).filter(|held| *held <= self.0.bytes_max);
        self.0.held.fetch_update(Relaxed, Relaxed, more).ok()?;
        Some(Reserved { budget: self.clone(), bytes })
    }

    /// Counts bytes that are held already, whether there is room for them or not.
    pub(crate) fn add(&self, bytes: usize) {
        self.0.held.fetch_add(bytes, Relaxed);
    }

    pub(crate) fn give_back(&self, bytes: usize) {
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
    /// Reserves more for the same holder, or says that there is no room.
    pub(crate) fn grow(&mut self, bytes: usize) -> bool {
        let Some(mut more) = self.budget.reserve(bytes) else { return false };
        self.bytes += std::mem::take(&mut more.bytes);
        true
    }

    /// Counts what is really held instead of what was reserved, whether there is room for it or not.
    pub(crate) fn set(&mut self, bytes: usize) {
        self.budget.add(bytes);
        self.budget.give_back(self.bytes);
        self.bytes = bytes;
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        self.budget.give_back(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_reserved_is_given_back_when_it_is_dropped() {
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
