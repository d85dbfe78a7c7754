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
        let seed = seed.map(|seed| mixed(seed, purpose));
        let randomness = Self { seed, rng: Arc::new(Mutex::new(Rng::with_seed(0))) };
        randomness.restart();
        randomness
    }

    /// Begins again with the seed, if there is one.
    pub(crate) fn restart(&self) {
        *self.lock() = fresh(self.seed);
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

fn mixed(seed: u64, purpose: &str) -> u64 {
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
}
