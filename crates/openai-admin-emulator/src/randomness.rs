//! The randomness of an organization: from the operating system, or from a seed, so that two runs are the same.

use std::sync::{Arc, Mutex, PoisonError};

use fastrand::Rng;
use sha2::{Digest as _, Sha256};

/// Random numbers. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Randomness {
    seed: Option<u64>,
    rng: Arc<Mutex<Rng>>,
}

impl Randomness {
    /// `purpose` keeps what has the same seed apart.
    pub(crate) fn new(seed: Option<u64>, purpose: &str) -> Self {
        let seed = seed.map(|seed| mixed(seed, purpose.as_bytes()));
        let randomness = Self { seed, rng: Arc::new(Mutex::new(Rng::with_seed(0))) };
        randomness.restart();
        randomness
    }

    /// Begins again with the seed, if there is one.
    pub(crate) fn restart(&self) {
        *self.lock() = fresh(self.seed);
    }

    /// What comes next, to be gone back to; zero without a seed.
    pub(crate) fn mark(&self) -> u64 {
        self.seed.map_or(0, |_| self.lock().clone().u64(..))
    }

    /// Goes on from a mark: with the same numbers each time, none of which was drawn before the mark.
    pub(crate) fn go_back_to(&self, mark: u64) {
        self.diverge(mark, b"mark");
    }

    /// Goes on with numbers that were drawn neither by this nor by whatever has made `content`.
    pub(crate) fn go_on_after(&self, content: impl FnOnce() -> Vec<u8>) {
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

    /// At least 0 and less than 1.
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

/// A seed of its own for each content.
pub(crate) fn mixed(seed: u64, purpose: &[u8]) -> u64 {
    let digest = Sha256::new().chain_update(seed.to_le_bytes()).chain_update(purpose).finalize();
    digest.iter().take(8).fold(0, |mixed, byte| (mixed << 8) | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_numbers_again_and_others_for_another_purpose() {
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
    fn numbers_do_not_come_back_with_what_was_made_of_them() {
        let one = Randomness::new(Some(7), "ids");
        let mut seen = vec![one.bits()];
        let mark = one.mark();
        for step in 0..3 {
            seen.push(one.bits());
            one.restart();
            if step == 0 {
                one.go_back_to(mark);
            } else {
                one.go_on_after(|| format!("{seen:?}").into_bytes());
            }
            let next = one.bits();
            assert!(!seen.contains(&next), "step {step}");
            seen.push(next);
        }
        one.go_back_to(mark);
        assert_eq!(one.bits(), seen[2], "the same way each time");
    }
}
