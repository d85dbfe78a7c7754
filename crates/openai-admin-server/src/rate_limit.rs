//! How often a key may ask.

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{Mutex, PoisonError},
};

/// The window of the limit.
const MINUTE_MS: u64 = 60_000;
/// How many callers are remembered; those who have not asked for a minute are forgotten first.
const CALLERS_MAX: usize = 10_000;

/// A bucket for each caller that holds a minute's requests and fills evenly (the generic cell rate algorithm: one
/// number for each caller, the time at which their bucket will be full again).
#[derive(Debug)]
pub(crate) struct RateLimit {
    interval_ms: u64,
    full_at: Mutex<HashMap<String, u64>>,
}

impl RateLimit {
    pub(crate) fn new(requests_per_minute: NonZeroU32) -> Self {
        Self {
            interval_ms: MINUTE_MS.div_ceil(u64::from(requests_per_minute.get())),
            full_at: Mutex::default(),
        }
    }

    /// Takes a request out of the caller's bucket, or says in how many milliseconds there will be one.
    pub(crate) fn take(&self, caller: &str, now_ms: u64) -> Result<(), u64> {
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        if full_at.len() >= CALLERS_MAX && !full_at.contains_key(caller) {
            full_at.retain(|_, full_at| *full_at > now_ms);
        }
        let next = full_at.get(caller).copied().unwrap_or(0).max(now_ms) + self.interval_ms;
        if next > now_ms + MINUTE_MS {
            return Err(next - MINUTE_MS - now_ms);
        }
        full_at.insert(caller.to_owned(), next);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_has_a_minutes_requests_and_then_waits_for_the_next() {
        let limit = RateLimit::new(NonZeroU32::new(6).expect("six"));
        for _ in 0..6 {
            assert_eq!(limit.take("a", 1_000), Ok(()));
        }
        assert_eq!(limit.take("a", 1_000), Err(10_000));
        assert_eq!(limit.take("a", 10_999), Err(1));
        assert_eq!(limit.take("b", 1_000), Ok(()), "callers do not share a bucket");
        assert_eq!(limit.take("a", 11_000), Ok(()));
        assert_eq!(limit.take("a", 11_000), Err(10_000));
    }
}
