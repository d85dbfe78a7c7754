//! How often somebody may do something.

use std::{
    collections::HashMap,
    hash::Hash,
    num::NonZeroU32,
    sync::{Mutex, PoisonError},
};

/// The window of the limit, in nanoseconds: finer than the clock, so that no number of requests is rounded.
const MINUTE_NS: u64 = 60_000_000_000;
const MILLISECOND_NS: u64 = 1_000_000;
/// How many callers are remembered. When there are more, those whose bucket is full are forgotten, which changes
/// nothing; and if all of them have asked within a minute, everybody begins anew.
const CALLERS_MAX: usize = 10_000;

/// A bucket for each caller that holds what they may do in a minute and fills evenly (the generic cell rate algorithm:
/// one number for each caller, the time at which their bucket will be full again).
#[derive(Debug)]
pub(crate) struct RateLimit<K> {
    interval_ns: u64,
    full_at_ns: Mutex<HashMap<K, u64>>,
}

impl<K: Eq + Hash> RateLimit<K> {
    pub(crate) fn new(requests_per_minute: NonZeroU32) -> Self {
        Self { interval_ns: MINUTE_NS / u64::from(requests_per_minute.get()), full_at_ns: Mutex::default() }
    }

    /// Takes one out of the caller's bucket, or says in how many milliseconds there will be one.
    pub(crate) fn take(&self, caller: K, now_ms: u64) -> Result<(), u64> {
        let now_ns = now_ms.saturating_mul(MILLISECOND_NS);
        let mut full_at_ns = self.full_at_ns.lock().unwrap_or_else(PoisonError::into_inner);
        if full_at_ns.len() >= CALLERS_MAX && !full_at_ns.contains_key(&caller) {
            full_at_ns.retain(|_, full_at_ns| *full_at_ns > now_ns);
            if full_at_ns.len() >= CALLERS_MAX {
                full_at_ns.clear();
            }
        }
        let next = self.next(full_at_ns.get(&caller), now_ns)?;
        full_at_ns.insert(caller, next);
        Ok(())
    }

    /// Whether there is one in the caller's bucket, which stays there.
    pub(crate) fn check(&self, caller: &K, now_ms: u64) -> Result<(), u64> {
        let full_at_ns = self.full_at_ns.lock().unwrap_or_else(PoisonError::into_inner);
        self.next(full_at_ns.get(caller), now_ms.saturating_mul(MILLISECOND_NS)).map(|_| ())
    }

    fn next(&self, full_at_ns: Option<&u64>, now_ns: u64) -> Result<u64, u64> {
        let next = full_at_ns.copied().unwrap_or(0).max(now_ns).saturating_add(self.interval_ns);
        let latest = now_ns.saturating_add(MINUTE_NS);
        if next > latest { Err((next - latest).div_ceil(MILLISECOND_NS)) } else { Ok(next) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_callers_are_remembered_than_the_bound() {
        let limit = RateLimit::new(NonZeroU32::MIN);
        for caller in 0..CALLERS_MAX {
            assert_eq!(limit.take(caller, 0), Ok(()));
        }
        assert_eq!(limit.take(0, 0), Err(60_000), "at the bound all are remembered");
        assert_eq!(limit.take(CALLERS_MAX, 0), Ok(()));
        assert_eq!(limit.full_at_ns.lock().expect("not poisoned").len(), 1, "one beyond, and all begin anew");
        assert_eq!(limit.take(CALLERS_MAX, 0), Err(60_000));
    }

    #[test]
    fn checking_takes_nothing() {
        let limit = RateLimit::new(NonZeroU32::MIN);
        assert_eq!((limit.check(&1, 0), limit.check(&1, 0)), (Ok(()), Ok(())));
        assert_eq!(limit.take(1, 0), Ok(()));
        assert_eq!((limit.check(&1, 0), limit.check(&1, 59_999)), (Err(60_000), Err(1)));
        assert_eq!(limit.check(&1, 60_000), Ok(()));
    }
}
