//! The clock of an organization: that of the machine, shifted, or one that stands until somebody moves it.

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

/// The last time that a clock shows, in milliseconds since 1970-01-01T00:00:00Z: 9999-12-30T22:00:00Z, since what comes
/// later is in the year 10000 somewhere, and cannot be written.
const MS_MAX: i64 = 253_402_207_200_000;

/// Where a clock begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClockStart {
    /// With the machine's time, and runs.
    #[default]
    System,
    /// At this time in milliseconds since 1970-01-01T00:00:00Z, and stands.
    Fixed(i64),
}

/// What a clock shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClockReading {
    /// The time, such as `2026-01-01T00:00:00Z`.
    pub now: String,
    /// Whether it runs; one that is set without this stands.
    #[serde(default)]
    pub runs: bool,
}

/// How far a clock is moved.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClockStep {
    /// How many milliseconds; never back.
    pub ms: u32,
}

/// A clock that can be set. Clones are the same clock.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    state: Mutex<State>,
    /// The latest time that it has shown, in milliseconds.
    latest: AtomicU64,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// So many milliseconds from the machine's time.
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

    /// The latest time that it has shown, to measure durations by: it stands with the clock and is not set back with it,
    /// so that durations are the same in every run.
    pub(crate) fn steady(&self) -> Duration {
        let now = self.now_ms();
        Duration::from_millis(self.0.latest.fetch_max(now, Relaxed).max(now))
    }

    /// What it shows.
    pub fn read(&self) -> ClockReading {
        let runs = matches!(*self.lock(), State::Runs { .. });
        ClockReading { now: written(self.now_ms()), runs }
    }

    /// Sets it.
    ///
    /// # Errors
    ///
    /// What is wrong with the time, in words.
    pub fn set(&self, reading: &ClockReading) -> Result<(), String> {
        let at = parse(&reading.now)?;
        self.change(if reading.runs {
            State::Runs { ahead: at - machine_ms() }
        } else {
            State::Stands { at }
        });
        Ok(())
    }

    /// Moves it on, up to 9999-12-30T22:00:00Z.
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

/// A time as `2026-01-01T00:00:00Z`, in milliseconds since 1970-01-01T00:00:00Z.
///
/// # Errors
///
/// What is wrong with it, in words.
pub fn parse(time: &str) -> Result<i64, String> {
    let expected = || {
        let last = written(MS_MAX.unsigned_abs());
        format!("'{time}' is no time: write it as 2026-01-01T00:00:00Z, between 1970 and {last}")
    };
    let parsed: Timestamp = time.parse().map_err(|_| expected())?;
    Some(parsed.as_millisecond()).filter(|ms| (0..=MS_MAX).contains(ms)).ok_or_else(expected)
}

/// A time as people write it.
pub(crate) fn written(ms: u64) -> String {
    let time = Timestamp::from_millisecond(i64::try_from(ms).unwrap_or(MS_MAX)).unwrap_or_default();
    time.to_string()
}

#[expect(clippy::disallowed_methods, reason = "this is the clock that everything else is given")]
fn machine_ms() -> i64 {
    Timestamp::now().as_millisecond()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_stands_until_it_is_moved() {
        let clock = Clock::new(ClockStart::System);
        assert!(clock.read().runs);
        clock.set(&ClockReading { now: "2026-01-01T00:00:00Z".to_owned(), runs: false }).expect("a time");
        assert_eq!(clock.now_ms(), 1_767_225_600_000);
        clock.step(ClockStep { ms: 1500 });
        assert_eq!(clock.read(), ClockReading { now: "2026-01-01T00:00:01.5Z".to_owned(), runs: false });
    }

    #[test]
    fn a_clock_may_run_from_another_time() {
        let clock = Clock::new(ClockStart::Fixed(0));
        clock.set(&ClockReading { now: "2030-01-01T00:00:00Z".to_owned(), runs: true }).expect("a time");
        let begun = clock.now_ms();
        assert!(begun >= 1_893_456_000_000);
        clock.step(ClockStep { ms: 60_000 });
        assert!(clock.now_ms() >= begun + 60_000);
        assert!(clock.read().runs);
    }

    #[test]
    fn durations_are_measured_by_a_clock_that_stands_and_never_goes_back() {
        let clock = Clock::new(ClockStart::Fixed(1_000));
        assert_eq!(clock.steady(), Duration::from_secs(1));
        assert_eq!(clock.steady(), Duration::from_secs(1));
        clock.step(ClockStep { ms: 500 });
        assert_eq!(clock.steady(), Duration::from_millis(1_500));
        clock.start(ClockStart::Fixed(0));
        assert_eq!(clock.steady(), Duration::from_millis(1_500));
    }

    #[test]
    fn what_is_no_time_is_refused() {
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
    fn the_last_time_is_shown_whichever_way_it_is_reached() {
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
