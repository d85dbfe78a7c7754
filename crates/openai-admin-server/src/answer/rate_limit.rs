//! A rate limit for each caller.

use std::{
    collections::HashMap,
    hash::Hash,
    num::NonZeroU32,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// The window of the limit, in nanoseconds, so that no number of requests is rounded.
const MINUTE_NS: u64 = 60_000_000_000;
/// The maximum number of remembered callers. Above it, callers with a full bucket are removed, which changes nothing;
/// if every bucket is active, all are reset.
const CALLERS_MAX: usize = 10_000;

/// A token bucket for each caller that holds the requests of a minute and fills evenly (the generic cell rate
/// algorithm, which stores one number for each caller: the time at which their bucket is full again).
#[derive(Debug)]
pub(crate) struct RateLimit<K> {
    interval_ns: u64,
    full_at_ns: Mutex<HashMap<K, u64>>,
}

impl<K: Eq + Hash> RateLimit<K> {
    pub(crate) fn new(requests_per_minute: NonZeroU32) -> Self {
        Self { interval_ns: MINUTE_NS / u64::from(requests_per_minute.get()), full_at_ns: Mutex::default() }
    }

    /// Takes a token from the caller's bucket, or returns the time until the next one. `now` must come from a monotonic
    /// clock: if it went back, every bucket would stay empty for the length of the step.
    pub(crate) fn take(&self, caller: K, now: Duration) -> Result<(), Duration> {
        let now_ns = nanoseconds(now);
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

    /// Whether the caller's bucket has a token. Takes none.
    pub(crate) fn check(&self, caller: &K, now: Duration) -> Result<(), Duration> {
        let full_at_ns = self.full_at_ns.lock().unwrap_or_else(PoisonError::into_inner);
        self.next(full_at_ns.get(caller), nanoseconds(now)).map(|_| ())
    }

    fn next(&self, full_at_ns: Option<&u64>, now_ns: u64) -> Result<u64, Duration> {
        let next = full_at_ns.copied().unwrap_or(0).max(now_ns).saturating_add(self.interval_ns);
        let latest = now_ns.saturating_add(MINUTE_NS);
        if next > latest { Err(Duration::from_nanos(next - latest)) } else { Ok(next) }
    }
}

/// 584 years fit.
fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: Duration = Duration::ZERO;
    const MINUTE: Duration = Duration::from_secs(60);
    const BIT: Duration = Duration::from_nanos(1);

    #[test]
    fn no_more_callers_are_remembered_than_the_bound() {
        let limit = RateLimit::new(NonZeroU32::MIN);
        for caller in 0..CALLERS_MAX {
            assert_eq!(limit.take(caller, BEGIN), Ok(()));
        }
        assert_eq!(limit.take(0, BEGIN), Err(MINUTE), "at the bound all are remembered");
        assert_eq!(limit.take(CALLERS_MAX, BEGIN), Ok(()));
        assert_eq!(
            limit.full_at_ns.lock().expect("not poisoned").len(),
            1,
            "one beyond the limit resets all"
        );
        assert_eq!(limit.take(CALLERS_MAX, BEGIN), Err(MINUTE));
    }

    #[test]
    fn checking_takes_no_token() {
        let limit = RateLimit::new(NonZeroU32::MIN);
        assert_eq!((limit.check(&1, BEGIN), limit.check(&1, BEGIN)), (Ok(()), Ok(())));
        assert_eq!(limit.take(1, BEGIN), Ok(()));
        assert_eq!((limit.check(&1, BEGIN), limit.check(&1, MINUTE - BIT)), (Err(MINUTE), Err(BIT)));
        assert_eq!(limit.check(&1, MINUTE), Ok(()));
    }
}
