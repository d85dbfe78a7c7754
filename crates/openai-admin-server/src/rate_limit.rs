//! How often a key may ask.

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{Mutex, PoisonError},
};

use openai_admin_store::Org;

/// The window of the limit, in nanoseconds: finer than the clock, so that no number of requests is rounded.
const MINUTE_NS: u64 = 60_000_000_000;
const MILLISECOND_NS: u64 = 1_000_000;
/// How many callers are remembered; those who have not asked for a minute are forgotten first.
const CALLERS_MAX: usize = 10_000;

/// A bucket for each caller that holds a minute's requests and fills evenly (the generic cell rate algorithm: one
/// number for each caller, the time at which their bucket will be full again).
#[derive(Debug)]
pub(crate) struct RateLimit {
    interval_ns: u64,
    /// By organization and key.
    full_at_ns: Mutex<HashMap<(Org, String), u64>>,
}

impl RateLimit {
    pub(crate) fn new(requests_per_minute: NonZeroU32) -> Self {
        Self { interval_ns: MINUTE_NS / u64::from(requests_per_minute.get()), full_at_ns: Mutex::default() }
    }

    /// Takes a request out of the caller's bucket, or says in how many milliseconds there will be one.
    pub(crate) fn take(&self, org: Org, key: &str, now_ms: u64) -> Result<(), u64> {
        let now_ns = now_ms.saturating_mul(MILLISECOND_NS);
        let caller = (org, key.to_owned());
        let mut full_at_ns = self.full_at_ns.lock().unwrap_or_else(PoisonError::into_inner);
        if full_at_ns.len() >= CALLERS_MAX && !full_at_ns.contains_key(&caller) {
            full_at_ns.retain(|_, full_at_ns| *full_at_ns > now_ns);
        }
        let next = full_at_ns.get(&caller).copied().unwrap_or(0).max(now_ns).saturating_add(self.interval_ns);
        let latest = now_ns.saturating_add(MINUTE_NS);
        if next > latest {
            return Err((next - latest).div_ceil(MILLISECOND_NS));
        }
        full_at_ns.insert(caller, next);
        Ok(())
    }
}
