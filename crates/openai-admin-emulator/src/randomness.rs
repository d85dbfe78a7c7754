//! The randomness of an organization: from the operating system, or from a seed for reproducible runs.

use std::sync::{Arc, Mutex, PoisonError};

use fastrand::Rng;
use sha2::{Digest as _, Sha256};

/// A source of random numbers. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Randomness {
    seed: Option<u64>,
    rng: Arc<Mutex<Rng>>,
}

impl Randomness {
    /// `purpose` separates sources with the same seed.
    pub(crate) fn new(seed: Option<u64>, purpose: &str) -> Self {
        let seed = seed.map(|seed| mixed(seed, purpose.as_bytes()));
        let randomness = Self { seed, rng: Arc::new(Mutex::new(Rng::with_seed(0))) };
        randomness.restart();
        randomness
    }

    /// Restarts from the seed, if there is one.
    pub(crate) fn restart(&self) {
        *self.lock() = fresh(self.seed);
    }

    /// The current position, for `restore_mark`. Zero without a seed.
    pub(crate) fn mark(&self) -> u64 {
        self.seed.map_or(0, |_| self.lock().clone().u64(..))
    }

    /// Continues from a mark, with the same numbers each time, none of which was drawn before the mark.
    pub(crate) fn restore_mark(&self, mark: u64) {
        self.diverge(mark, b"mark");
    }

    /// Continues with numbers that neither this source nor the author of `content` has drawn.
    pub(crate) fn diverge_after(&self, content: impl FnOnce() -> Vec<u8>) {
        if self.seed.is_some() {
            let next = self.lock().u64(..);
            self.diverge(next, &content());
        }
    }

    fn diverge(&self, from: u64, content: &[u8]) {
        if self.seed.is_some() {
            *self.lock() = Rng::with_seed(mixed(from, content));
        }
    }

    /// 128 random bits.
    pub(crate) fn bits(&self) -> u128 {
        self.lock().u128(..)
    }

    /// A number of at least 0 and less than 1.
    pub(crate) fn fraction(&self) -> f64 {
        self.lock().f64()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Rng> {
        self.rng.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn fresh(seed: Option<u64>) -> Rng {
    seed.map_or_else(Rng::new, Rng::with_seed)
}

/// A separate seed for each content.
pub(crate) fn mixed(seed: u64, purpose: &[u8]) -> u64 {
    let digest = Sha256::new().chain_update(seed.to_le_bytes()).chain_update(purpose).finalize();
    digest.iter().take(8).fold(0, |mixed, byte| (mixed << 8) | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_numbers_for_a_purpose_and_others_for_another() {
        let one = Randomness::new(Some(7), "ids");
        let first = [one.bits(), one.bits()];
        one.restart();
        assert_eq!([one.bits(), one.bits()], first);
        assert_eq!(Randomness::new(Some(7), "ids").bits(), first[0]);
        assert_ne!(Randomness::new(Some(7), "faults").bits(), first[0]);
        assert_ne!(Randomness::new(Some(8), "ids").bits(), first[0]);
        assert_ne!(Randomness::new(None, "ids").bits(), Randomness::new(None, "ids").bits());
    }

    #[test]
    fn numbers_do_not_repeat_after_a_restore() {
        let one = Randomness::new(Some(7), "ids");
        let mut seen = vec![one.bits()];
        let mark = one.mark();
        for step in 0..3 {
            seen.push(one.bits());
            one.restart();
            if step == 0 {
                one.restore_mark(mark);
            } else {
                one.diverge_after(|| format!("{seen:?}").into_bytes());
            }
            let next = one.bits();
            assert!(!seen.contains(&next), "step {step}");
            seen.push(next);
        }
        one.restore_mark(mark);
        assert_eq!(one.bits(), seen[2], "the same way each time");
    }
}
