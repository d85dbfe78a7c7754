//! Estimates the rate limit of one route in requests per minute from successes and refusals (429), because the service
//! does not report its budget and often sends no `Retry-After`.
//!
//! Pure: the time is an argument, counted from any fixed moment.
//!
//! The first guess is the number of successes in the minute before the first refusal. The gap until the next success
//! corrects it if other clients or routes had used the budget. The estimate then grows in steps, more and more rarely,
//! to detect a larger budget. A refusal after a step reverts the step. At a refusal without a step before it, the
//! successes since the budget was last empty measure how fast the budget refills.
//!
//! Additive increase with multiplicative decrease was tried with the same services (`pacer/tests.rs`): with a budget of
//! 7 per minute, 7 % of its requests were refused, and the tests allow 3 %, because it never learns the limit.

use std::{collections::VecDeque, time::Duration};

/// The time window of a budget in every service seen so far.
pub(crate) const WINDOW: Duration = Duration::from_secs(60);
/// The first pause after a refusal, and so the shortest gap.
pub(crate) const FIRST_PAUSE: Duration = Duration::from_secs(2);
/// The fewest successes for a measurement.
const MEASURABLE: u64 = 5;
/// A measurement of at least this fraction of the estimate confirms it.
const NEAR: f64 = 0.8;
/// The gap after the first refusal counts if it implies at least this many times the first guess.
const GAP_COUNTS: f64 = 1.2;
/// The gap raises the first guess at most this many times: the budget may have been almost enough for one more request.
const GAP_MAX: f64 = 4.0;
/// A rate below this, in requests per minute, is slow: a refused request needs more than the first pause.
const SLOW: f64 = 10.0;
/// An estimate that falls below this fraction of itself was a wrong guess.
const FAR_BELOW: f64 = 0.75;
/// Steps become larger after this many steps without a refusal.
const FINE_STEPS_MAX: u32 = 4;
/// The estimate stays slightly below the measurement, so that clock jitter causes no refusal.
const BELOW_MEASURED: f64 = 0.99;
/// The factor for a learned rate that is refused before the first measurement.
const LEARNED_FACTOR: f64 = 0.9;
/// The lowest estimate, in requests per minute.
const RPM_MIN: f64 = 0.5;
/// The most successes that are recorded before the first refusal.
const REMEMBERED_MAX: usize = 100_000;

/// The confidence in the estimate, which determines how it grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    /// A guess from few successes: it grows without waiting a minute for a refusal.
    Guessed,
    Found,
    /// The last refusal was far from the estimate.
    Far,
    /// The last refusal was near the estimate.
    Near,
    /// Several refusals in a row were near the estimate.
    Close,
}

impl Step {
    /// The factor of the next growth, and the number of successes before it.
    fn growth(self) -> (f64, u64) {
        match self {
            Self::Guessed => (1.5, 3),
            Self::Found => (1.25, 5),
            Self::Far => (1.1, 15),
            Self::Near => (1.03, 80),
            Self::Close => (1.02, 200),
        }
    }

    fn finer(self) -> Self {
        match self {
            Self::Guessed | Self::Found | Self::Far => Self::Near,
            Self::Near | Self::Close => Self::Close,
        }
    }

    fn coarser(self) -> Self {
        match self {
            Self::Guessed => Self::Guessed,
            Self::Found | Self::Far => Self::Found,
            Self::Near => Self::Far,
            Self::Close => Self::Near,
        }
    }
}

/// An estimate of the budget of one route.
#[derive(Clone, Debug)]
pub struct Estimator {
    /// Requests per minute, once known.
    rpm: Option<f64>,
    rpm_max: Option<f64>,
    step: Step,
    /// The times of the successes in the last minute, until the first refusal.
    successes: VecDeque<Duration>,
    /// The time of the first refusal, until the next success; `None` if the service said how long to wait.
    first_refused_at: Option<Duration>,
    /// The last time at which the budget was empty.
    empty_at: Option<Duration>,
    successes_since_empty: u64,
    successes_since_growth: u64,
    /// The time of the last change of the estimate.
    steady_since: Duration,
    /// Steps since the last refusal.
    growths: u32,
    /// The estimate before the last step, until a refusal.
    before_growth: Option<f64>,
}

/// How fast the budget refilled between two moments at which it was empty.
#[derive(Clone, Copy, Debug)]
struct Measurement {
    rpm: f64,
    successes: u64,
}

impl Estimator {
    /// An estimator that starts at `rpm_max`, which is also its maximum; if `None`, it starts at `learned_rpm`.
    pub fn new(rpm_max: Option<f64>, learned_rpm: Option<f64>) -> Self {
        Self {
            rpm: rpm_max.or(learned_rpm),
            rpm_max,
            step: Step::Found,
            successes: VecDeque::new(),
            first_refused_at: None,
            empty_at: None,
            successes_since_empty: 0,
            successes_since_growth: 0,
            steady_since: Duration::ZERO,
            growths: 0,
            before_growth: None,
        }
    }

    /// The estimate in requests per minute; `None` before a refusal, unless it started with a rate.
    pub fn rpm(&self) -> Option<f64> {
        self.rpm
    }

    /// The time between two requests.
    pub fn interval(&self) -> Duration {
        WINDOW.div_f64(self.rpm.unwrap_or(RPM_MIN).max(RPM_MIN))
    }

    /// Whether the budget refills so slowly that no request passes within the first pause.
    pub fn is_found_slow(&self) -> bool {
        self.step == Step::Found && self.rpm.is_some_and(|rpm| rpm < SLOW)
    }

    /// Records a success before the first refusal.
    pub fn passed_freely(&mut self, now: Duration) {
        while self.successes.front().is_some_and(|at| *at + WINDOW < now)
            || self.successes.len() >= REMEMBERED_MAX
        {
            self.successes.pop_front();
        }
        self.successes.push_back(now);
    }

    /// Records the first refusal. If the budget was full, the successes of the last minute are its size. A few
    /// successes are only a guess: other clients or routes may have used the budget.
    pub fn refused_first(&mut self, now: Duration) {
        let recent = self.successes.iter().filter(|at| **at + WINDOW >= now).count();
        self.set(recent.max(1) as f64);
        if (recent as u64) < MEASURABLE {
            self.step = Step::Guessed;
        }
        self.successes.clear();
        self.first_refused_at = Some(now);
        self.empty_at = Some(now);
        self.successes_since_empty = 0;
    }

    /// Records that the service said how long to wait. The gap is not a measurement then: it may be the rest of a fixed
    /// window.
    pub fn received_retry_after(&mut self) {
        if self.step != Step::Guessed {
            self.first_refused_at = None;
        }
    }

    /// Records the first success after a refusal, of a request sent at `sent`.
    pub fn passed_again(&mut self, sent: Duration, now: Duration) {
        if let Some(refused_at) = self.first_refused_at.take() {
            self.guess_by_gap(sent.saturating_sub(refused_at));
        }
        // The pause is not measured: some services do not carry over unused budget.
        self.empty_at = Some(sent);
        self.steady_since = now;
        self.successes_since_empty = 1;
    }

    /// Records a success at the estimated rate. The estimate grows after enough successes and, unless it is a guess,
    /// after a minute in which a step too far would have caused a refusal.
    pub fn passed(&mut self, now: Duration) {
        self.successes_since_empty += 1;
        self.successes_since_growth += 1;
        let (factor, after) = self.step.growth();
        let is_proven = self.step == Step::Guessed || now >= self.steady_since + WINDOW;
        if self.successes_since_growth >= after && is_proven {
            self.steady_since = now;
            self.before_growth = self.rpm;
            self.set(self.rpm.unwrap_or(RPM_MIN) * factor);
            self.growths += 1;
            // The budget is larger than estimated, and small steps would take too long.
            if self.growths.is_multiple_of(FINE_STEPS_MAX) {
                self.step = self.step.coarser();
            }
        }
    }

    /// Records a refusal at the estimated rate.
    pub fn refused(&mut self, now: Duration) {
        let rpm = self.rpm.unwrap_or(RPM_MIN);
        let is_guess = self.step == Step::Guessed;
        let corrected = corrected(rpm, is_guess, self.before_growth.take(), self.measurement(now)).min(rpm);
        self.step = if corrected < rpm * FAR_BELOW { Step::Far } else { self.step.finer() };
        self.growths = 0;
        self.set(corrected);
        self.empty_at = Some(now);
        self.successes_since_empty = 0;
    }

    fn measurement(&self, now: Duration) -> Option<Measurement> {
        let minutes = now.saturating_sub(self.empty_at?).as_secs_f64() / WINDOW.as_secs_f64();
        let successes = self.successes_since_empty;
        Some(Measurement { rpm: successes as f64 / minutes.max(f64::EPSILON) * BELOW_MEASURED, successes })
    }

    /// Raises the first guess by the gap after the first refusal: an empty budget refills at least one request in
    /// `gap`. The guess is too low if the budget was not full at the start.
    fn guess_by_gap(&mut self, gap: Duration) {
        let by_gap = WINDOW.div_duration_f64(gap.max(FIRST_PAUSE));
        let first = self.rpm.unwrap_or(RPM_MIN);
        if by_gap > first * GAP_COUNTS {
            self.set(by_gap.min(first * GAP_MAX));
            self.step = Step::Guessed;
        }
    }

    fn set(&mut self, rpm: f64) {
        let rpm = rpm.max(RPM_MIN);
        self.rpm = Some(self.rpm_max.map_or(rpm, |max| rpm.min(max)));
        self.successes_since_growth = 0;
    }
}

/// The estimate after a refusal. If it had grown, the previous estimate applies. If not, the measurement does, which is
/// too low for services that do not carry over unused budget.
fn corrected(rpm: f64, is_guess: bool, before_growth: Option<f64>, measured: Option<Measurement>) -> f64 {
    let Some(Measurement { rpm: measured, successes }) = measured else {
        return before_growth.unwrap_or(rpm * LEARNED_FACTOR);
    };
    let is_measurable = successes >= MEASURABLE;
    match before_growth {
        _ if is_guess && is_measurable => measured,
        // The last step was too large.
        Some(before) if measured >= before * NEAR => before,
        // Unused budget had let too many requests pass: the limit is between the two.
        Some(before) => (measured.max(RPM_MIN) * before).sqrt(),
        // Only one of all these requests was too early.
        None if measured >= rpm * NEAR => rpm * (1.0 - 0.4 / (successes + 2) as f64),
        None if is_measurable => measured,
        None => rpm / 2.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_refusal_corrects_the_estimate_with_the_measurement() {
        let measured = |rpm, successes| Some(Measurement { rpm, successes });
        for (rpm, is_guess, before_growth, measurement, expected) in [
            // No measurement.
            (100.0, false, None, None, 90.0),
            (100.0, false, Some(80.0), None, 80.0),
            // A measurement replaces a guess.
            (100.0, true, Some(66.0), measured(20.0, 5), 20.0),
            (100.0, true, Some(66.0), measured(60.0, 4), 66.0),
            // The estimate had grown: the previous one, or halfway to a measurement far below it.
            (100.0, false, Some(80.0), measured(64.0, 50), 80.0),
            (100.0, false, Some(80.0), measured(20.0, 50), 40.0),
            // It had not grown: slightly less, the measurement, or half.
            (100.0, false, None, measured(95.0, 38), 99.0),
            (100.0, false, None, measured(50.0, 5), 50.0),
            (100.0, false, None, measured(50.0, 4), 50.0),
            (100.0, false, None, measured(10.0, 4), 50.0),
        ] {
            let corrected = corrected(rpm, is_guess, before_growth, measurement);
            assert!((corrected - expected).abs() < 1e-9, "{corrected} should be {expected}");
        }
    }

    #[test]
    fn the_successes_of_the_minute_before_the_first_refusal_are_the_first_guess() {
        for (passed, refused_at, expected) in [(0, 0, 1.0), (3, 3, 3.0), (30, 30, 30.0), (100, 99, 61.0)] {
            let mut estimator = Estimator::new(None, None);
            (0..passed).for_each(|second| estimator.passed_freely(at(second)));
            estimator.refused_first(at(refused_at));
            assert_eq!(estimator.rpm(), Some(expected), "{passed} of them");
        }
    }

    #[test]
    fn the_gap_after_the_first_refusal_raises_a_guess_that_is_too_low() {
        // After 3 successes, a gap of 20 s confirms the guess, and a shorter gap raises it at most 4 times.
        for (gap, has_retry_after, expected) in
            [(20, false, 3.0), (10, false, 6.0), (5, false, 12.0), (2, false, 12.0), (10, true, 6.0)]
        {
            let mut estimator = Estimator::new(None, None);
            (0..3).for_each(|second| estimator.passed_freely(at(second)));
            estimator.refused_first(at(3));
            if has_retry_after {
                estimator.received_retry_after();
            }
            estimator.passed_again(at(3 + gap), at(3 + gap));
            assert_eq!(estimator.rpm(), Some(expected), "a gap of {gap} s");
        }
    }

    #[test]
    fn an_estimate_grows_after_enough_successes_and_a_minute_and_never_over_its_maximum() {
        let grown = |rpm_max, successes: u64, end: u64| {
            let mut estimator = Estimator::new(rpm_max, Some(10.0));
            (0..successes).for_each(|_| estimator.passed(at(end)));
            estimator.rpm().expect("learned")
        };
        for (rpm_max, successes, end, expected) in
            [(None, 4, 60, 10.0), (None, 5, 59, 10.0), (None, 5, 60, 12.5), (Some(10.0), 5, 60, 10.0)]
        {
            assert_eq!(grown(rpm_max, successes, end), expected, "{successes} until {end} s");
        }
    }

    #[test]
    fn steps_become_finer_after_a_refusal_and_coarser_without() {
        use Step::{Close, Far, Found, Guessed, Near};
        for (step, finer, coarser) in [
            (Guessed, Near, Guessed),
            (Found, Near, Found),
            (Far, Near, Found),
            (Near, Close, Far),
            (Close, Close, Near),
        ] {
            assert_eq!((step.finer(), step.coarser()), (finer, coarser), "{step:?}");
        }
    }
}
