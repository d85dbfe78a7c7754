//! The request rate of one route: increasing until the first 429, then at the estimated rate, with a pause after each
//! 429.
//!
//! Pure: the time is an argument, counted from any fixed moment.

use std::time::Duration;

use crate::service::estimator::{Estimator, FIRST_PAUSE};

/// The longest pause, unless the service asks for a longer one. The first is [`FIRST_PAUSE`], and it doubles with each
/// further 429.
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// A shorter wait in a response is ignored.
const RETRY_AFTER_MIN: Duration = Duration::from_secs(1);
/// An open lane starts with one request in flight, and adds one for this many successes.
const SUCCESSES_PER_SLOT: u64 = 8;

/// The request rate of one route.
#[derive(Clone, Debug)]
pub struct Pacer {
    state: State,
    estimator: Estimator,
    success_count: u64,
    in_flight: usize,
    /// The last refusal. Responses to requests sent before it are ignored.
    refused_at: Option<Duration>,
    /// The first refusal since the last success.
    refused_since: Option<Duration>,
    was_refused: bool,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Open,
    /// Refused: a single request is sent at `until`.
    Waiting {
        until: Duration,
        pause: Duration,
    },
    Paced {
        next: Duration,
    },
}

impl Pacer {
    /// A pacer of at most `rpm_max` requests per minute; if `None`, it starts at `learned_rpm`.
    pub fn new(rpm_max: Option<f64>, learned_rpm: Option<f64>) -> Self {
        let estimator = Estimator::new(rpm_max, learned_rpm);
        let is_known = estimator.rpm().is_some();
        Self {
            state: if is_known { State::Paced { next: Duration::ZERO } } else { State::Open },
            estimator,
            success_count: 0,
            in_flight: 0,
            refused_at: None,
            refused_since: None,
            was_refused: false,
        }
    }

    /// The estimate in requests per minute; `None` before a refusal.
    pub fn rpm(&self) -> Option<f64> {
        self.estimator.rpm()
    }

    /// Whether a request was refused, so that the estimate is new.
    pub fn was_refused(&self) -> bool {
        self.was_refused
    }

    /// The time since the first refusal after the last success; zero if there is none.
    pub fn without_success(&self, now: Duration) -> Duration {
        self.refused_since.map_or(Duration::ZERO, |since| now.saturating_sub(since))
    }

    /// Takes leave to send a request.
    ///
    /// # Errors
    ///
    /// The time to try again; `None` to try again after the next response.
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
                let interval = self.estimator.interval();
                // Unused slots expire: a burst now could exceed the budget.
                let next = next.max(now.saturating_sub(interval)) + interval;
                self.state = State::Paced { next };
            }
        }
        self.in_flight += 1;
        Ok(())
    }

    /// Records that a request sent at `sent` was not rate-limited.
    pub fn succeeded(&mut self, sent: Duration, now: Duration) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.success_count += 1;
        self.refused_since = None;
        match self.state {
            State::Open => self.estimator.passed_freely(now),
            State::Waiting { .. } if self.is_old(sent) => {}
            State::Waiting { .. } => {
                self.estimator.passed_again(sent, now);
                self.state = State::Paced { next: now + self.estimator.interval() };
            }
            State::Paced { .. } => self.estimator.passed(now),
        }
    }

    /// Records that a request sent at `sent` was refused. `retry_after` is the wait that the service asks for. Returns
    /// the pause.
    pub fn refused(&mut self, sent: Duration, now: Duration, retry_after: Option<Duration>) -> Duration {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.was_refused = true;
        self.refused_since.get_or_insert(now);
        if self.is_old(sent)
            && let State::Waiting { until, pause } = self.state
        {
            // Sent before the first refusal: only a longer wait matters.
            let until = retry_after.map_or(until, |wait| until.max(now + wait));
            self.state = State::Waiting { until, pause };
            return until.saturating_sub(now);
        }
        let pause = self.pause_after_refusal(now);
        if retry_after.is_some() {
            self.estimator.received_retry_after();
        }
        // A wait of zero would retry at once, so the growing pause of the lane applies.
        let wait = retry_after.filter(|wait| *wait >= RETRY_AFTER_MIN).unwrap_or(pause);
        self.refused_at = Some(now);
        self.state = State::Waiting { until: now + wait, pause };
        wait
    }

    fn pause_after_refusal(&mut self, now: Duration) -> Duration {
        match self.state {
            State::Waiting { pause, .. } => (pause * 2).min(PAUSE_MAX),
            State::Open => {
                self.estimator.refused_first(now);
                // A slow budget needs this long to refill. Otherwise, the gap until the next success is a measurement.
                if self.estimator.is_found_slow() {
                    FIRST_PAUSE.max(self.estimator.interval())
                } else {
                    FIRST_PAUSE
                }
            }
            State::Paced { .. } => {
                self.estimator.refused(now);
                FIRST_PAUSE.max(self.estimator.interval()).min(PAUSE_MAX)
            }
        }
    }

    /// Records that a request failed without a response that shows the state of the budget.
    pub fn failed(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    fn is_old(&self, sent: Duration) -> bool {
        self.refused_at.is_some_and(|refused| sent < refused)
    }
}

#[cfg(test)]
mod tests;
