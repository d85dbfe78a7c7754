use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use openai_admin::Timestamp;
use openai_admin_store::{Rules, Stamp};
use ulid::Ulid;

/// The clocks, the randomness and the rules of a server. Everything that differs between runs comes from here, so that tests and
/// emulators can control it.
///
/// There are two clocks. The wall clock gives the time, and may be set back or forward. The steady clock measures
/// durations, and never goes back.
#[derive(Clone)]
pub struct Minter {
    clock: Arc<dyn Fn() -> u64 + Send + Sync>,
    steady_clock: Arc<dyn Fn() -> Duration + Send + Sync>,
    random: Arc<dyn Fn() -> u128 + Send + Sync>,
    secret: Arc<dyn Fn() -> u128 + Send + Sync>,
    /// The rules, if some may be off.
    rules: Option<Arc<dyn Fn() -> Rules + Send + Sync>>,
    ids: Option<Arc<[String]>>,
}

impl Minter {
    /// A minter with a custom clock, in milliseconds since 1970-01-01T00:00:00Z, and a source of 128 random bits. The
    /// machine measures durations, unless [`with_steady_clock`](Self::with_steady_clock) replaces that clock.
    pub fn new(
        clock: impl Fn() -> u64 + Send + Sync + 'static,
        random: impl Fn() -> u128 + Send + Sync + 'static,
    ) -> Self {
        let random: Arc<dyn Fn() -> u128 + Send + Sync> = Arc::new(random);
        Self {
            clock: Arc::new(clock),
            steady_clock: system_steady_clock(),
            secret: Arc::clone(&random),
            random,
            rules: None,
            ids: None,
        }
    }

    /// Takes the rules that apply to a change from here. Only an emulator does so: by default, all rules apply.
    pub fn with_rules(self, rules: impl Fn() -> Rules + Send + Sync + 'static) -> Self {
        Self { rules: Some(Arc::new(rules)), ..self }
    }

    /// Gives these ids to the first resources that each change creates.
    pub fn with_ids(self, ids: impl Into<Arc<[String]>>) -> Self {
        Self { ids: Some(ids.into()), ..self }
    }

    /// Replaces the clock for durations: the time since any fixed moment, which never goes back.
    pub fn with_steady_clock(self, clock: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        Self { steady_clock: Arc::new(clock), ..self }
    }

    /// The clock and the random numbers of the operating system.
    pub fn system() -> Self {
        let fetched = Mutex::new(Fetched::default());
        let random = move || fetched.lock().unwrap_or_else(PoisonError::into_inner).take();
        Self { secret: Arc::new(system_random), ..Self::new(system_clock, random) }
    }

    /// The steady clock, for durations: the time since a fixed moment.
    pub(crate) fn steady(&self) -> Duration {
        (self.steady_clock)()
    }

    /// The wall clock in milliseconds. It may go back.
    pub fn now_ms(&self) -> u64 {
        (self.clock)()
    }

    /// The wall clock in seconds.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_unix_seconds(i64::try_from(self.now_ms() / 1000).unwrap_or(i64::MAX))
    }

    /// Random bits for a unique id.
    pub fn random(&self) -> u128 {
        (self.random)()
    }

    /// Random bits for a secret. They are used once.
    pub(crate) fn secret(&self) -> u128 {
        (self.secret)()
    }

    /// The rules that apply.
    pub(crate) fn rules(&self) -> Rules {
        self.rules.as_ref().map(|rules| rules()).unwrap_or_default()
    }

    /// A change by `actor` at the current time.
    pub fn stamp(&self, actor: &str) -> Stamp {
        let mut stamp = Stamp::new(Ulid::from_parts(self.now_ms(), self.random()), actor);
        stamp.rules = self.rules();
        stamp.ids.clone_from(&self.ids);
        stamp
    }
}

impl fmt::Debug for Minter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Minter").finish_non_exhaustive()
    }
}

#[expect(clippy::disallowed_methods, reason = "everything else gets its time from this clock")]
fn system_clock() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[expect(clippy::disallowed_methods, reason = "everything else gets its time from this clock")]
fn system_steady_clock() -> Arc<dyn Fn() -> Duration + Send + Sync> {
    let begun = Instant::now();
    Arc::new(move || begun.elapsed())
}

/// How many random numbers are fetched at once, since a system call costs more than an id.
const FETCHED: usize = 256;

/// Unused random numbers of the system. Each is used once.
#[derive(Default)]
struct Fetched(Vec<u128>);

impl Fetched {
    fn take(&mut self) -> u128 {
        if self.0.is_empty() {
            let mut bytes = [0; FETCHED * size_of::<u128>()];
            fill(&mut bytes);
            let (numbers, _) = bytes.as_chunks();
            self.0.extend(numbers.iter().map(|bytes| u128::from_le_bytes(*bytes)));
        }
        self.0.pop().unwrap_or_else(system_random)
    }
}

fn system_random() -> u128 {
    let mut bytes = [0; size_of::<u128>()];
    fill(&mut bytes);
    u128::from_le_bytes(bytes)
}

#[expect(clippy::disallowed_methods, reason = "everything else gets its randomness from here")]
fn fill(bytes: &mut [u8]) {
    // Panicking is better than guessable keys and ids.
    getrandom::fill(bytes).expect("the operating system provides random numbers");
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_random_number_is_used_twice() {
        let minter = Minter::system();
        let count = 3 * FETCHED + 1;
        let numbers = (0..count).flat_map(|_| [minter.random(), minter.clone().random(), minter.secret()]);
        assert_eq!(numbers.collect::<HashSet<u128>>().len(), 3 * count);
    }
}
