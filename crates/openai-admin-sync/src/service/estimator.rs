//! How many requests a minute one route takes: estimated from what passes and what is refused, since the service says
//! neither its budget nor, mostly, when to come back.
//!
//! Pure: the time comes in as an argument, counted from any moment that stays the same.
//!
//! What passed in the minute before the first refusal is the first guess; the gap until something passes again corrects
//! it, where others, or other routes, had used the budget. The estimate then grows a little now and then, to notice a
//! budget that is larger than it seemed, ever more rarely; at a refusal it goes back to the step before. Where it had not
//! grown, what passed between two moments at which the budget was empty is what the budget gains: that is the measurement.
//!
//! Plain additive increase and multiplicative decrease was tried against the same services (`pacer/tests.rs`): at a budget of
//! 7 a minute 7 % of its requests are refused, where 3 % are allowed, since it never learns where the budget ends.

use std::{collections::VecDeque, time::Duration};

/// The time over which a budget is counted, in every service seen so far.
pub(crate) const WINDOW: Duration = Duration::from_secs(60);
/// A gap after the first refusal is not shorter than the first pause.
pub(crate) const FIRST_PAUSE: Duration = Duration::from_secs(2);
/// From fewer successes than this nothing is measured.
const MEASURABLE: u64 = 5;
/// A measurement that reaches this part of the estimate confirms it.
const NEAR: f64 = 0.8;
/// The gap after the first refusal counts if it implies at least this many times the first guess.
const GAP_COUNTS: f64 = 1.2;
/// And at most this many times the first guess: the budget may have been almost enough for one more.
const GAP_MAX: f64 = 4.0;
/// Below this many requests a minute, two requests are further apart than the first pause.
const SLOW: f64 = 10.0;
/// An estimate that has to fall to less than this part of itself was a wrong guess.
const FAR_BELOW: f64 = 0.75;
/// After this many steps in a row without a refusal, the steps become larger.
const FINE_STEPS_MAX: u32 = 4;
/// The estimate stays a little below what was measured, so that a clock's jitter is no refusal.
const BELOW_MEASURED: f64 = 0.99;
/// What is left of a learned pace that is refused before anything was measured.
const OF_LEARNED: f64 = 0.9;
/// The lowest estimate, in requests per minute.
const RPM_MIN: f64 = 0.5;
/// The most successes before the first refusal that are remembered.
const REMEMBERED_MAX: usize = 100_000;

/// How sure the estimate is, and so how it grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    /// A guess from little: it grows without waiting for a minute in which a step too much would show.
    Guessed,
    Found,
    /// The last refusal was far from the estimate.
    Far,
    /// The last refusal was near the estimate.
    Near,
    /// So were several in a row.
    Close,
}

impl Step {
    /// By which factor the estimate grows, and after how many successes.
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
    /// When the successes of the last minute came, until the first refusal.
    successes: VecDeque<Duration>,
    /// When the first refusal came, until something passes; none if the service said how long to wait.
    first_refused_at: Option<Duration>,
    /// When the budget was last seen empty.
    empty_at: Option<Duration>,
    successes_since_empty: u64,
    successes_since_growth: u64,
    /// When the estimate became what it is.
    steady_since: Duration,
    /// Steps since the last refusal.
    growths: u32,
    /// The estimate before the last step, until a refusal.
    before_growth: Option<f64>,
}

/// What the budget gained from one moment at which it was empty to the next.
#[derive(Clone, Copy, Debug)]
struct Measurement {
    rpm: f64,
    successes: u64,
}

impl Estimator {
    /// An estimate of at most `rpm_max`, which is also the first one; without it, one that begins with what was learned
    /// before.
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

    /// Requests per minute; none before a refusal, if nothing was learned before.
    pub fn rpm(&self) -> Option<f64> {
        self.rpm
    }

    /// The time between two requests.
    pub fn interval(&self) -> Duration {
        WINDOW.div_f64(self.rpm.unwrap_or(RPM_MIN).max(RPM_MIN))
    }

    /// Whether a full budget was found to be so slow that nothing passes within the first pause.
    pub fn is_found_slow(&self) -> bool {
        self.step == Step::Found && self.rpm.is_some_and(|rpm| rpm < SLOW)
    }

    /// A request passed, and none was refused yet.
    pub fn passed_freely(&mut self, now: Duration) {
        while self.successes.front().is_some_and(|at| *at + WINDOW < now)
            || self.successes.len() >= REMEMBERED_MAX
        {
            self.successes.pop_front();
        }
        self.successes.push_back(now);
    }

    /// The first refusal. Of a budget that was full, by the minute, what passed is what it holds. From little nothing is
    /// measured: it may have been used by others, or on other routes.
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

    /// The service says how long to wait: that may be the rest of a minute of its own, and the gap tells nothing.
    pub fn told_to_wait(&mut self) {
        if self.step != Step::Guessed {
            self.first_refused_at = None;
        }
    }

    /// A request that was sent at `sent` passed, as the first after a refusal.
    pub fn passed_again(&mut self, sent: Duration, now: Duration) {
        if let Some(refused_at) = self.first_refused_at.take() {
            self.guess_by_gap(sent.saturating_sub(refused_at));
        }
        // The pause tells nothing: some services forget what was not used in it.
        self.empty_at = Some(sent);
        self.steady_since = now;
        self.successes_since_empty = 1;
    }

    /// A request passed at the estimated pace. After enough of them the estimate grows, and unless it is a guess not
    /// before a minute has passed in which a step too much would show.
    pub fn passed(&mut self, now: Duration) {
        self.successes_since_empty += 1;
        self.successes_since_growth += 1;
        let (factor, after) = self.step.growth();
        let shows = self.step == Step::Guessed || now >= self.steady_since + WINDOW;
        if self.successes_since_growth >= after && shows {
            self.steady_since = now;
            self.before_growth = self.rpm;
            self.set(self.rpm.unwrap_or(RPM_MIN) * factor);
            self.growths += 1;
            // The budget is larger than it seemed: steps as fine as these would take for ever.
            if self.growths.is_multiple_of(FINE_STEPS_MAX) {
                self.step = self.step.coarser();
            }
        }
    }

    /// A request was refused at the estimated pace.
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

    /// An empty budget that lets one pass after `gap` gains at least about that much: more than the first guess, where
    /// the budget was not full when it was begun.
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

/// The estimate after a refusal. If it had grown, the one before is good. If not, what passed from empty to empty is what
/// the budget gained, or less where it forgets what is not used.
fn corrected(rpm: f64, is_guess: bool, before_growth: Option<f64>, measured: Option<Measurement>) -> f64 {
    let Some(Measurement { rpm: measured, successes }) = measured else {
        return before_growth.unwrap_or(rpm * OF_LEARNED);
    };
    let is_measurable = successes >= MEASURABLE;
    match before_growth {
        _ if is_guess && is_measurable => measured,
        // The last step was too much.
        Some(before) if measured >= before * NEAR => before,
        // A budget that was not used for a while let too much pass: the truth is between the two.
        Some(before) => (measured.max(RPM_MIN) * before).sqrt(),
        // One of so many came too soon.
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
    fn a_refusal_corrects_the_estimate_by_what_was_measured() {
        let measured = |rpm, successes| Some(Measurement { rpm, successes });
        for (rpm, is_guess, before_growth, measurement, expected) in [
            // Nothing was measured.
            (100.0, false, None, None, 90.0),
            (100.0, false, Some(80.0), None, 80.0),
            // A guess is replaced once there is enough to measure.
            (100.0, true, Some(66.0), measured(20.0, 5), 20.0),
            (100.0, true, Some(66.0), measured(60.0, 4), 66.0),
            // It had grown: the estimate before, or half the way down to a measurement that is far below it.
            (100.0, false, Some(80.0), measured(64.0, 50), 80.0),
            (100.0, false, Some(80.0), measured(20.0, 50), 40.0),
            // It had not grown: a little less, what was measured, or half of it.
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
    fn what_passed_in_the_minute_before_the_first_refusal_is_the_first_guess() {
        for (passed, refused_at, expected) in [(0, 0, 1.0), (3, 3, 3.0), (30, 30, 30.0), (100, 99, 61.0)] {
            let mut estimator = Estimator::new(None, None);
            (0..passed).for_each(|second| estimator.passed_freely(at(second)));
            estimator.refused_first(at(refused_at));
            assert_eq!(estimator.rpm(), Some(expected), "{passed} of them");
        }
    }

    #[test]
    fn the_gap_after_the_first_refusal_raises_a_guess_that_is_too_low() {
        // Three had passed before: a gap of 20 s is what they say, and a short one counts for four times as much at most.
        for (gap, is_told, expected) in
            [(20, false, 3.0), (10, false, 6.0), (5, false, 12.0), (2, false, 12.0), (10, true, 6.0)]
        {
            let mut estimator = Estimator::new(None, None);
            (0..3).for_each(|second| estimator.passed_freely(at(second)));
            estimator.refused_first(at(3));
            if is_told {
                estimator.told_to_wait();
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
    fn steps_become_finer_with_each_refusal_and_coarser_again_without() {
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
