//! The clock of an organization: the machine's with an offset, or one that is stopped until it is advanced.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The latest time of a clock, in milliseconds since 1970-01-01T00:00:00Z: 9999-12-30T22:00:00Z. A later time is in the
/// year 10000 in some time zones, which cannot be formatted.
const MS_MAX: i64 = 253_402_207_200_000;

/// The start of a clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClockStart {
    /// At the machine's time. The clock runs.
    #[default]
    System,
    /// At this time in milliseconds since 1970-01-01T00:00:00Z. The clock is stopped.
    Fixed(i64),
}

/// The state of a clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClockReading {
    /// The time, such as `2026-01-01T00:00:00Z`.
    pub now: String,
    /// Whether the clock runs. If omitted when setting it, the clock stops.
    #[serde(default)]
    pub runs: bool,
}

/// A step of a clock.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClockStep {
    /// Milliseconds to advance.
    pub ms: u32,
}

/// A settable clock. Clones share its state.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    state: Mutex<State>,
    /// The latest time that was read, in milliseconds.
    latest: AtomicU64,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// The offset from the machine's time in milliseconds.
    Runs {
        ahead: i64,
    },
    Stands {
        at: i64,
    },
}

impl Clock {
    pub(crate) fn new(start: ClockStart) -> Self {
        let state = Mutex::new(State::Runs { ahead: 0 });
        let clock = Self(Arc::new(Inner { state, latest: AtomicU64::new(0) }));
        clock.start(start);
        clock
    }

    pub(crate) fn start(&self, start: ClockStart) {
        self.change(match start {
            ClockStart::System => State::Runs { ahead: 0 },
            ClockStart::Fixed(at) => State::Stands { at },
        });
    }

    /// The time in milliseconds since 1970-01-01T00:00:00Z.
    pub fn now_ms(&self) -> u64 {
        let now = match *self.lock() {
            State::Runs { ahead } => machine_ms().saturating_add(ahead),
            State::Stands { at } => at,
        };
        u64::try_from(now.clamp(0, MS_MAX)).unwrap_or_default()
    }

    /// The latest time that was read, for durations: it stops with the clock but never goes back, so that durations are
    /// the same in every run.
    pub(crate) fn steady(&self) -> Duration {
        let now = self.now_ms();
        Duration::from_millis(self.0.latest.fetch_max(now, Relaxed).max(now))
    }

    /// Reads the state.
    pub fn read(&self) -> ClockReading {
        let runs = matches!(*self.lock(), State::Runs { .. });
        ClockReading { now: written(self.now_ms()), runs }
    }

    /// Sets the clock.
    ///
    /// # Errors
    ///
    /// A description of the invalid time.
    pub fn set(&self, reading: &ClockReading) -> Result<(), String> {
        let at = parse(&reading.now)?;
        self.change(if reading.runs {
            State::Runs { ahead: at - machine_ms() }
        } else {
            State::Stands { at }
        });
        Ok(())
    }

    /// Advances the clock, up to 9999-12-30T22:00:00Z.
    pub fn step(&self, step: ClockStep) {
        let mut state = self.lock();
        let (State::Runs { ahead: moved } | State::Stands { at: moved }) = &mut *state;
        *moved = moved.saturating_add(i64::from(step.ms)).min(MS_MAX);
    }

    fn change(&self, state: State) {
        *self.lock() = state;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Parses a time such as `2026-01-01T00:00:00Z`. Returns milliseconds since 1970-01-01T00:00:00Z.
///
/// # Errors
///
/// A description of the invalid time.
pub fn parse(time: &str) -> Result<i64, String> {
    let expected = || {
        let last = written(MS_MAX.unsigned_abs());
        format!("invalid time '{time}': use the format 2026-01-01T00:00:00Z, between 1970 and {last}")
    };
    let parsed: Timestamp = time.parse().map_err(|_| expected())?;
    Some(parsed.as_millisecond()).filter(|ms| (0..=MS_MAX).contains(ms)).ok_or_else(expected)
}

/// Formats a time.
pub(crate) fn written(ms: u64) -> String {
    let time = Timestamp::from_millisecond(i64::try_from(ms).unwrap_or(MS_MAX)).unwrap_or_default();
    time.to_string()
}

#[expect(clippy::disallowed_methods, reason = "everything else gets its time from this clock")]
fn machine_ms() -> i64 {
    Timestamp::now().as_millisecond()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_is_stopped_until_it_is_advanced() {
        let clock = Clock::new(ClockStart::System);
        assert!(clock.read().runs);
        clock.set(&ClockReading { now: "2026-01-01T00:00:00Z".to_owned(), runs: false }).expect("a time");
        assert_eq!(clock.now_ms(), 1_767_225_600_000);
        clock.step(ClockStep { ms: 1500 });
        assert_eq!(clock.read(), ClockReading { now: "2026-01-01T00:00:01.5Z".to_owned(), runs: false });
    }

    #[test]
    fn a_clock_can_run_from_another_time() {
        let clock = Clock::new(ClockStart::Fixed(0));
        clock.set(&ClockReading { now: "2030-01-01T00:00:00Z".to_owned(), runs: true }).expect("a time");
        let begun = clock.now_ms();
        assert!(begun >= 1_893_456_000_000);
        clock.step(ClockStep { ms: 60_000 });
        assert!(clock.now_ms() >= begun + 60_000);
        assert!(clock.read().runs);
    }

    #[test]
    fn the_clock_for_durations_stops_with_the_clock_and_never_goes_back() {
        let clock = Clock::new(ClockStart::Fixed(1_000));
        assert_eq!(clock.steady(), Duration::from_secs(1));
        assert_eq!(clock.steady(), Duration::from_secs(1));
        clock.step(ClockStep { ms: 500 });
        assert_eq!(clock.steady(), Duration::from_millis(1_500));
        clock.start(ClockStart::Fixed(0));
        assert_eq!(clock.steady(), Duration::from_millis(1_500));
    }

    #[test]
    fn an_invalid_time_is_refused() {
        for wrong in [
            "",
            "tomorrow",
            "2026-13-01T00:00:00Z",
            "1969-12-31T23:59:59Z",
            "-009999-01-01T00:00:00Z",
            "9999-12-30T22:00:00.001Z",
            "9999-12-31T23:59:59Z",
        ] {
            let refused = parse(wrong).expect_err(wrong);
            assert!(refused.contains("2026-01-01T00:00:00Z"), "{refused}");
        }
    }

    #[test]
    fn a_clock_never_passes_its_latest_time() {
        let last = "9999-12-30T22:00:00Z";
        assert_eq!(parse(last), Ok(MS_MAX));
        let clock = Clock::new(ClockStart::Fixed(i64::MAX));
        assert_eq!((clock.now_ms(), clock.read().now.as_str()), (MS_MAX.unsigned_abs(), last));
        for runs in [false, true] {
            clock.set(&ClockReading { now: "9999-12-30T21:59:59Z".to_owned(), runs }).expect("a time");
            clock.step(ClockStep { ms: u32::MAX });
            assert_eq!((clock.now_ms(), clock.read().now.as_str()), (MS_MAX.unsigned_abs(), last));
        }
    }
}
