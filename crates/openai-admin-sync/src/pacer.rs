//! How fast one route may be asked: learned from its refusals, since the service says neither its budget nor, mostly,
//! when to come back.
//!
//! Pure: the time comes in as an argument, counted from any moment that stays the same.
//!
//! A lane is *open* until its first refusal: as many requests as the concurrency allows. What went through in the
//! minute before is the first guess; the gap until something passes again corrects it, where others, or other routes, had
//! used the budget. The pace then grows a little now and then, to notice a budget that is larger than it seemed, ever more
//! rarely; at a refusal it goes back to the step before. Where it had not grown, what went through between two moments at
//! which the budget was empty is what the budget gains: that is the measurement.

use std::{collections::VecDeque, time::Duration};

/// What a budget is counted over, as far as anybody has seen.
const WINDOW: Duration = Duration::from_secs(60);
/// The first pause after a refusal that does not say how long; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
/// The longest pause that nobody asked for.
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// A shorter wait than this, when a service asks for it, says nothing of when to come back.
const ASKED_MIN: Duration = Duration::from_secs(1);
/// An open lane has one request in flight at first, and one more for so many successes.
const SUCCESSES_PER_SLOT: u64 = 8;
/// How the pace grows: by which factor, after how many successes. A guess grows by the first step, without waiting for a
/// minute to pass. A refusal near the pace goes to the fourth step, and each further one to the next.
const GROWTH: [(f64, u64); 5] = [(1.5, 3), (1.25, 5), (1.1, 15), (1.03, 80), (1.02, 200)];
/// The steps, by their places in [`GROWTH`].
const GUESSED: usize = 0;
const FOUND: usize = 1;
const FAR: usize = 2;
const NEAR_BY: usize = 3;
/// From fewer successes than this nothing is measured.
const MEASURABLE: u64 = 5;
/// A measurement that reaches this part of the pace confirms it.
const NEAR: f64 = 0.8;
/// A gap between the first refusal and what passed after it that speaks of so much more than the first guess is believed.
const GAP_COUNTS: f64 = 1.2;
/// And not more than so many times the first guess: the budget may have been almost enough for one more.
const GAP_MAX: f64 = 4.0;
/// Below so many requests a minute, the pause between two of them is long beside the first pause.
const SLOW: f64 = 10.0;
/// A pace that has to fall to less than this part of itself was a wrong guess.
const FAR_BELOW: f64 = 0.75;
/// So many steps in a row without a refusal, and they become larger.
const FINE_STEPS_MAX: u32 = 4;
/// The pace goes a little below what was measured, so that a clock's jitter is no refusal.
const BELOW_MEASURED: f64 = 0.99;
/// The slowest pace, in requests per minute.
const RPM_MIN: f64 = 0.5;
/// How many requests of an open lane are remembered for its first measurement.
const REMEMBERED_MAX: usize = 100_000;

/// The pace of one route.
#[derive(Clone, Debug)]
pub struct Pace {
    state: State,
    /// Requests per minute, once known.
    rpm: Option<f64>,
    rpm_max: Option<f64>,
    /// When the successes of the last minute came, while open.
    successes: VecDeque<Duration>,
    success_count: u64,
    /// When the budget was last seen empty.
    empty_at: Option<Duration>,
    /// When the lane was first refused, until something passes, unless the service said how long to wait.
    first_refused_at: Option<Duration>,
    successes_since_empty: u64,
    successes_since_growth: u64,
    growth: usize,
    /// When the pace became what it is.
    steady_since: Duration,
    /// Steps since the last refusal.
    growths: u32,
    /// The pace before the last step, until a refusal.
    before_growth: Option<f64>,
    in_flight: usize,
    /// Answers to requests that were sent before the last refusal tell nothing new.
    refused_at: Option<Duration>,
    /// When the lane was refused first since the last success.
    refused_since: Option<Duration>,
    was_refused: bool,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Open,
    /// Refused: one request at `until` tries.
    Waiting {
        until: Duration,
        pause: Duration,
    },
    Paced {
        next: Duration,
    },
}

impl Pace {
    /// A pace of at most `rpm_max` requests per minute; without one, a pace that begins with what was learned before.
    pub fn new(rpm_max: Option<f64>, learned_rpm: Option<f64>) -> Self {
        let rpm = rpm_max.or(learned_rpm);
        Self {
            state: if rpm.is_some() { State::Paced { next: Duration::ZERO } } else { State::Open },
            rpm,
            rpm_max,
            successes: VecDeque::new(),
            success_count: 0,
            empty_at: None,
            first_refused_at: None,
            successes_since_empty: 0,
            successes_since_growth: 0,
            growth: FOUND,
            steady_since: Duration::ZERO,
            growths: 0,
            before_growth: None,
            in_flight: 0,
            refused_at: None,
            refused_since: None,
            was_refused: false,
        }
    }

    /// What was learned, in requests per minute; none before a refusal.
    pub fn rpm(&self) -> Option<f64> {
        self.rpm
    }

    /// Whether it was refused, so that what it knows is news.
    pub fn was_refused(&self) -> bool {
        self.was_refused
    }

    /// For how long nothing has passed, if the lane was refused since.
    pub fn without_success(&self, now: Duration) -> Duration {
        self.refused_since.map_or(Duration::ZERO, |since| now.saturating_sub(since))
    }

    /// Takes leave to send a request.
    ///
    /// # Errors
    ///
    /// When to ask again; none when the next answer may change it.
    pub fn acquire(&mut self, now: Duration) -> Result<(), Option<Duration>> {
        match self.state {
            State::Open => {
                let slots = 1 + self.success_count / SUCCESSES_PER_SLOT;
                if self.in_flight as u64 >= slots {
                    return Err(None);
                }
            }
            State::Waiting { .. } if self.in_flight > 0 => return Err(None),
            State::Waiting { until, .. } if now < until => return Err(Some(until)),
            State::Waiting { .. } => {}
            State::Paced { next } if now < next => return Err(Some(next)),
            State::Paced { next } => {
                // What was not used in time is lost: a burst now might be one too many.
                let next = next.max(now.saturating_sub(self.interval())) + self.interval();
                self.state = State::Paced { next };
            }
        }
        self.in_flight += 1;
        Ok(())
    }

    /// A request that was sent at `sent` was answered, and not refused for coming too soon.
    pub fn succeeded(&mut self, sent: Duration, now: Duration) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.success_count += 1;
        self.refused_since = None;
        match self.state {
            State::Open => {
                while self.successes.front().is_some_and(|at| *at + WINDOW < now)
                    || self.successes.len() >= REMEMBERED_MAX
                {
                    self.successes.pop_front();
                }
                self.successes.push_back(now);
            }
            State::Waiting { .. } if self.is_old(sent) => {}
            State::Waiting { .. } => {
                if let Some(refused_at) = self.first_refused_at.take() {
                    self.guess_again(sent.saturating_sub(refused_at));
                }
                // The pause tells nothing: some services forget what was not used in it.
                self.empty_at = Some(sent);
                self.steady_since = now;
                self.successes_since_empty = 1;
                self.state = State::Paced { next: now + self.interval() };
            }
            State::Paced { .. } => {
                self.successes_since_empty += 1;
                self.grow(now);
            }
        }
    }

    /// A request that was sent at `sent` was refused; `asked` is how long the service says to wait. Gives the pause.
    pub fn refused(&mut self, sent: Duration, now: Duration, asked: Option<Duration>) -> Duration {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.was_refused = true;
        self.refused_since.get_or_insert(now);
        if self.is_old(sent)
            && let State::Waiting { until, pause } = self.state
        {
            // Sent together with the one that was refused first. Only a longer wait is news.
            let until = asked.map_or(until, |asked| until.max(now + asked));
            self.state = State::Waiting { until, pause };
            return until.saturating_sub(now);
        }
        let pause = match self.state {
            State::Waiting { pause, .. } => (pause * 2).min(PAUSE_MAX),
            State::Open => {
                self.first_measurement(now);
                // A slow budget that was full: sooner there is nothing. Otherwise the gap until something passes is news.
                if self.growth == FOUND && self.rpm.is_some_and(|rpm| rpm < SLOW) {
                    FIRST_PAUSE.max(self.interval())
                } else {
                    FIRST_PAUSE
                }
            }
            State::Paced { .. } => {
                self.measure(now);
                FIRST_PAUSE.max(self.interval()).min(PAUSE_MAX)
            }
        };
        // A wait that the service names may be the rest of a minute of its own.
        if asked.is_some() && self.growth != GUESSED {
            self.first_refused_at = None;
        }
        // A wait of nothing, or one that is over, is no answer: the pause of its own grows with each refusal.
        let asked = match asked {
            Some(asked) if asked >= ASKED_MIN => asked,
            Some(_) | None => pause,
        };
        self.refused_at = Some(now);
        self.state = State::Waiting { until: now + asked, pause };
        asked
    }

    /// A request came back without an answer that tells of the budget.
    pub fn failed(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    fn is_old(&self, sent: Duration) -> bool {
        self.refused_at.is_some_and(|refused| sent < refused)
    }

    fn interval(&self) -> Duration {
        WINDOW.div_f64(self.rpm.unwrap_or(RPM_MIN).max(RPM_MIN))
    }

    fn set(&mut self, rpm: f64) {
        let rpm = rpm.max(RPM_MIN);
        self.rpm = Some(self.rpm_max.map_or(rpm, |max| rpm.min(max)));
        self.successes_since_growth = 0;
    }

    /// A budget that was full, by the minute: what went through is what it holds. From little nothing is measured: it may
    /// have been used by others, or on other routes.
    fn first_measurement(&mut self, now: Duration) {
        let recent = self.successes.iter().filter(|at| **at + WINDOW >= now).count();
        self.set(recent.max(1) as f64);
        if (recent as u64) < MEASURABLE {
            self.growth = GUESSED;
        }
        self.successes.clear();
        self.first_refused_at = Some(now);
        self.empty_at = Some(now);
        self.successes_since_empty = 0;
    }

    /// An empty budget that lets one through after `gap` gains at least about that much: more than the first guess, where
    /// the budget was not full when it was begun.
    fn guess_again(&mut self, gap: Duration) {
        let by_gap = WINDOW.div_duration_f64(gap.max(FIRST_PAUSE));
        let first = self.rpm.unwrap_or(RPM_MIN);
        if by_gap > first * GAP_COUNTS {
            self.set(by_gap.min(first * GAP_MAX));
            self.growth = GUESSED;
        }
    }

    /// Refused at a pace. If it had grown, the pace before is good. If not, what went through from empty to empty is
    /// what the budget gained, or less where it forgets what is not used.
    fn measure(&mut self, now: Duration) {
        let rpm = self.rpm.unwrap_or(RPM_MIN);
        let measured = self.empty_at.map(|empty_at| {
            let minutes = now.saturating_sub(empty_at).as_secs_f64() / WINDOW.as_secs_f64();
            self.successes_since_empty as f64 / minutes.max(f64::EPSILON) * BELOW_MEASURED
        });
        let good = match (self.before_growth.take(), measured) {
            // What was guessed is known now.
            (_, Some(measured)) if self.growth == GUESSED && self.successes_since_empty >= MEASURABLE => {
                measured
            }
            // It is about right, and the last step was too much.
            (Some(before), Some(measured)) if measured >= before * NEAR => before,
            // A budget that was not used for a while let too much through: the truth is somewhere between.
            (Some(before), Some(measured)) => (measured.max(RPM_MIN) * before).sqrt(),
            (Some(before), None) => before,
            // It is about right, and one of so many came too soon.
            (None, Some(measured)) if measured >= rpm * NEAR => {
                rpm * (1.0 - 0.4 / (self.successes_since_empty + 2) as f64)
            }
            (None, Some(measured)) if self.successes_since_empty >= MEASURABLE => measured,
            (None, Some(_)) => rpm / 2.0,
            // Begun with what was learned before, and the budget was anything.
            (None, None) => rpm * 0.9,
        };
        let nearer = (self.growth + 1).clamp(NEAR_BY, GROWTH.len() - 1);
        self.growth = if good < rpm * FAR_BELOW { FAR } else { nearer };
        self.growths = 0;
        self.set(good.min(rpm));
        self.empty_at = Some(now);
        self.successes_since_empty = 0;
    }

    /// A step needs successes, and a minute in which a step too much would show.
    fn grow(&mut self, now: Duration) {
        self.successes_since_growth += 1;
        let (factor, after) = GROWTH[self.growth];
        let shows = self.growth == GUESSED || now >= self.steady_since + WINDOW;
        if self.successes_since_growth >= after && shows {
            self.steady_since = now;
            self.before_growth = self.rpm;
            self.set(self.rpm.unwrap_or(RPM_MIN) * factor);
            self.growths += 1;
            // The budget is larger than it seemed: steps as fine as these would take for ever.
            if self.growths.is_multiple_of(FINE_STEPS_MAX) {
                self.growth = if self.growth > FOUND { self.growth - 1 } else { self.growth };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Services in virtual time, each with a budget by the minute.
    #[derive(Clone, Debug)]
    enum Service {
        /// A bucket that fills evenly.
        Bucket { size: f64, rpm: f64, level: f64, at: Duration },
        /// A number for each minute of the clock.
        FixedWindow { rpm: u64, used: u64, window: u64, offset: Duration },
        /// A number for the last minute, whenever it began.
        SlidingWindow { rpm: usize, sent: VecDeque<Duration> },
    }

    impl Service {
        fn bucket(size: f64, rpm: f64) -> Self {
            Self::Bucket { size, rpm, level: size, at: Duration::ZERO }
        }

        /// Whether a request passes.
        fn ask(&mut self, now: Duration) -> bool {
            match self {
                Self::Bucket { size, rpm, level, at } => {
                    *level = (*level + now.saturating_sub(*at).as_secs_f64() * *rpm / 60.0).min(*size);
                    *at = now;
                    let passes = *level >= 1.0;
                    *level -= f64::from(u8::from(passes));
                    passes
                }
                Self::FixedWindow { rpm, used, window, offset } => {
                    let current = (now + *offset).as_secs() / 60;
                    if current != *window {
                        (*window, *used) = (current, 0);
                    }
                    *used += 1;
                    *used <= *rpm
                }
                Self::SlidingWindow { rpm, sent } => {
                    while sent.front().is_some_and(|at| *at + WINDOW <= now) {
                        sent.pop_front();
                    }
                    let passes = sent.len() < *rpm;
                    if passes {
                        sent.push_back(now);
                    }
                    passes
                }
            }
        }

        /// How long until it passes again, for services that say so.
        fn wait(&self, now: Duration) -> Duration {
            match self {
                Self::Bucket { rpm, level, .. } => Duration::from_secs_f64((1.0 - level) * 60.0 / rpm),
                Self::FixedWindow { offset, .. } => Duration::from_secs(60 - (now + *offset).as_secs() % 60),
                Self::SlidingWindow { sent, .. } => {
                    sent.front().map_or(Duration::ZERO, |at| (*at + WINDOW).saturating_sub(now))
                }
            }
        }
    }

    struct Outcome {
        passed: u64,
        refused: u64,
    }

    /// Sends as fast as the pace allows for `minutes`, with `concurrency` at most in flight and a latency.
    fn run(
        pace: &mut Pace,
        service: &mut Service,
        minutes: u64,
        says_wait: bool,
        concurrency: usize,
    ) -> Outcome {
        let latency = Duration::from_millis(80);
        let end = Duration::from_secs(60 * minutes);
        let mut outcome = Outcome { passed: 0, refused: 0 };
        let mut in_flight: VecDeque<(Duration, bool, Option<Duration>)> = VecDeque::new();
        let mut now = Duration::ZERO;
        while now < end {
            let mut wake = None;
            while in_flight.len() < concurrency {
                match pace.acquire(now) {
                    Ok(()) => {
                        let passes = service.ask(now);
                        let wait = (says_wait && !passes).then(|| service.wait(now));
                        in_flight.push_back((now, passes, wait));
                    }
                    Err(at) => {
                        wake = at;
                        break;
                    }
                }
            }
            let answer = in_flight.front().map(|(sent, ..)| *sent + latency);
            now = match (answer, wake) {
                (Some(answer), Some(wake)) => answer.min(wake).max(now),
                (Some(answer), None) => answer,
                (None, Some(wake)) => wake,
                (None, None) => panic!("nothing in flight and nothing to wait for"),
            };
            while let Some((sent, passes, wait)) = in_flight.front().copied() {
                if sent + latency > now {
                    break;
                }
                in_flight.pop_front();
                if passes {
                    outcome.passed += 1;
                    pace.succeeded(sent, now);
                } else {
                    outcome.refused += 1;
                    pace.refused(sent, now, wait);
                }
            }
        }
        outcome
    }

    fn services(rpm: u64) -> Vec<Service> {
        let bucket = |full: f64| {
            let (size, rpm) = (rpm as f64, rpm as f64);
            Service::Bucket { size, rpm, level: size * full, at: Duration::ZERO }
        };
        // What others, or other routes, have used of a bucket is not known either.
        let mut services = vec![
            bucket(1.0),
            bucket(0.8),
            bucket(0.4),
            bucket(0.2),
            Service::SlidingWindow { rpm: usize::try_from(rpm).expect("small"), sent: VecDeque::new() },
        ];
        services.extend([0, 17, 41, 59].map(|offset| Service::FixedWindow {
            rpm,
            used: 0,
            window: 0,
            offset: Duration::from_secs(offset),
        }));
        services
    }

    /// What could have passed at most in so many minutes: every service lets its budget through, and the first one
    /// at once.
    fn possible(rpm: u64, minutes: u64) -> f64 {
        (rpm * minutes) as f64
    }

    #[test]
    fn a_hidden_budget_of_7_or_60_a_minute_is_used_to_95_percent_with_3_percent_refused() {
        const MINUTES: u64 = 60;
        for rpm in [7, 60] {
            for service in services(rpm) {
                for concurrency in [1, 4, 16] {
                    let mut pace = Pace::new(None, None);
                    let outcome = run(&mut pace, &mut service.clone(), MINUTES, false, concurrency);
                    let used = outcome.passed as f64 / possible(rpm, MINUTES);
                    let refused = outcome.refused as f64 / (outcome.passed + outcome.refused) as f64;
                    assert!(used >= 0.95, "{rpm} {service:?} {concurrency}: used {used:.3}");
                    assert!(refused < 0.03, "{rpm} {service:?} {concurrency}: refused {refused:.4}");
                }
            }
        }
    }

    #[test]
    fn a_service_that_says_how_long_to_wait_is_obeyed() {
        for rpm in [7, 60] {
            for service in services(rpm) {
                let mut pace = Pace::new(None, None);
                let outcome = run(&mut pace, &mut service.clone(), 60, true, 8);
                let used = outcome.passed as f64 / possible(rpm, 60);
                let refused = outcome.refused as f64 / (outcome.passed + outcome.refused) as f64;
                // Of a bucket that others have used the first guess is too low, and nothing corrects it at once.
                let is_used = matches!(service, Service::Bucket { size, level, .. } if level < size);
                let enough = if is_used { 0.94 } else { 0.95 };
                assert!(used >= enough && refused < 0.03, "{rpm} {service:?}: {used:.3} {refused:.4}");
            }
        }
        let mut pace = Pace::new(None, None);
        pace.acquire(Duration::ZERO).expect("open");
        let asked = Some(Duration::from_secs(90));
        assert_eq!(pace.refused(Duration::ZERO, Duration::from_secs(1), asked), Duration::from_secs(90));
        assert_eq!(pace.acquire(Duration::from_secs(90)), Err(Some(Duration::from_secs(91))));
        pace.acquire(Duration::from_secs(91)).expect("after the wait");
    }

    #[test]
    fn budgets_that_are_unlike_a_minutes_number_are_found_too() {
        // A small bucket that fills fast, and a large one that fills slowly.
        for (size, rpm) in [(10.0, 60.0), (100.0, 7.0), (5.0, 600.0)] {
            let mut pace = Pace::new(None, None);
            let outcome = run(&mut pace, &mut Service::bucket(size, rpm), 120, false, 4);
            let used = outcome.passed as f64 / (rpm * 120.0);
            assert!(used >= 0.8, "{size} {rpm}: {used:.3}");
        }
    }

    #[test]
    fn what_was_learned_is_used_at_once_and_a_maximum_is_kept() {
        let mut pace = Pace::new(None, Some(7.0));
        let outcome = run(&mut pace, &mut Service::bucket(7.0, 7.0), 60, false, 8);
        // It tries a larger pace early: a learned one may be of a bad hour.
        assert!(outcome.refused as f64 / outcome.passed as f64 <= 0.03, "{}", outcome.refused);
        let mut pace = Pace::new(Some(30.0), None);
        let outcome = run(&mut pace, &mut Service::bucket(1000.0, 1000.0), 10, false, 8);
        assert!((299..=302).contains(&outcome.passed), "{}", outcome.passed);
    }

    #[test]
    fn a_refusal_pauses_2_4_and_at_most_60_seconds() {
        let mut pace = Pace::new(None, None);
        let mut now = Duration::ZERO;
        let mut pauses = Vec::new();
        for _ in 0..7 {
            pace.acquire(now).expect("its turn");
            let pause = pace.refused(now, now, None);
            pauses.push(pause.as_secs());
            now += pause;
        }
        assert_eq!(pauses, [2, 4, 8, 16, 32, 60, 60]);
    }

    #[test]
    fn a_wait_of_nothing_is_no_leave_to_send_at_once() {
        let mut pace = Pace::new(None, None);
        let mut now = Duration::ZERO;
        let mut pauses = Vec::new();
        for _ in 0..7 {
            pace.acquire(now).expect("its turn");
            let pause = pace.refused(now, now, Some(Duration::ZERO));
            pauses.push(pause.as_secs());
            now += pause;
        }
        assert_eq!(pauses, [2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(pace.without_success(now), now);
        pace.acquire(now).expect("its turn");
        pace.succeeded(now, now);
        assert_eq!(pace.without_success(now), Duration::ZERO);
    }

    #[test]
    fn a_pace_that_was_learned_too_low_is_left_behind_in_a_run_of_thirty() {
        let mut pace = Pace::new(None, Some(9.0));
        let outcome = run(&mut pace, &mut Service::bucket(1e9, 1e9), 4, false, 8);
        assert!(outcome.passed > 45, "{}", outcome.passed);
        assert_eq!(Pace::new(Some(600.0), Some(9.0)).rpm(), Some(600.0));
    }

    #[test]
    fn an_open_lane_begins_slowly_and_then_holds_nothing_back() {
        let mut pace = Pace::new(None, None);
        assert_eq!(pace.acquire(Duration::ZERO), Ok(()));
        assert_eq!(pace.acquire(Duration::ZERO), Err(None));
        pace.succeeded(Duration::ZERO, Duration::ZERO);
        let outcome = run(&mut pace, &mut Service::bucket(1e9, 1e9), 1, false, 16);
        // 16 in flight, 80 ms each.
        assert!(outcome.passed > 11_000, "{}", outcome.passed);
    }
}
