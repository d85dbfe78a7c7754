use std::{
    fmt,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use openai_admin::Timestamp;
use openai_admin_store::Stamp;
use ulid::Ulid;

/// The clock and the randomness of a server: everything that differs from run to run comes from here, so that a
/// test or an emulator can set it.
#[derive(Clone)]
pub struct Minter {
    clock: Arc<dyn Fn() -> u64 + Send + Sync>,
    random: Arc<dyn Fn() -> u128 + Send + Sync>,
}

impl Minter {
    /// A minter of your own: the time in milliseconds since 1970-01-01T00:00:00Z, and 128 random bits at a time.
    pub fn new(
        clock: impl Fn() -> u64 + Send + Sync + 'static,
        random: impl Fn() -> u128 + Send + Sync + 'static,
    ) -> Self {
        Self { clock: Arc::new(clock), random: Arc::new(random) }
    }

    /// The clock and the random numbers of the operating system.
    pub fn system() -> Self {
        Self::new(system_clock, system_random)
    }

    /// The time in milliseconds.
    pub(crate) fn now_ms(&self) -> u64 {
        (self.clock)()
    }

    /// The time in seconds.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_unix_seconds(i64::try_from(self.now_ms() / 1000).unwrap_or(i64::MAX))
    }

    pub(crate) fn random(&self) -> u128 {
        (self.random)()
    }

    /// A change that `actor` makes now.
    pub fn stamp(&self, actor: &str) -> Stamp {
        Stamp::new(Ulid::from_parts(self.now_ms(), self.random()), actor)
    }
}

impl fmt::Debug for Minter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Minter").finish_non_exhaustive()
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the clock that everything else is given")]
fn system_clock() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[expect(clippy::disallowed_methods, reason = "this is the randomness that everything else is given")]
fn system_random() -> u128 {
    let mut bytes = [0; 16];
    // Keys and ids without randomness would be guessable, which is worse than no answer.
    getrandom::fill(&mut bytes).expect("the operating system gives random numbers");
    u128::from_le_bytes(bytes)
}
