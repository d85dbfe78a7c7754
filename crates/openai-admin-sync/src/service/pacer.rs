//! When one route may be asked: as fast as an open lane allows until the first refusal, and at the estimated pace from
//! then on, with a pause after each refusal.
//!
//! Pure: the time comes in as an argument, counted from any moment that stays the same.

use std::time::Duration;

use crate::service::estimator::{Estimator, FIRST_PAUSE};

/// The longest pause, unless the service asks for a longer one. The first is [`FIRST_PAUSE`], and it doubles with each further refusal.
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// A shorter wait than this says nothing of when to come back, even if the service asks for it.
const ASKED_MIN: Duration = Duration::from_secs(1);
/// An open lane has one request in flight at first, and one more for this many successes.
const SUCCESSES_PER_SLOT: u64 = 8;

/// The pace of one route.
#[derive(Clone, Debug)]
pub struct Pacer {
    state: State,
    estimator: Estimator,
    success_count: u64,
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

impl Pacer {
    /// A pace of at most `rpm_max` requests per minute; without one, a pace that begins with what was learned before.
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

    /// What was learned, in requests per minute; none before a refusal.
    pub fn rpm(&self) -> Option<f64> {
        self.estimator.rpm()
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
                let interval = self.estimator.interval();
                // What was not used in time is lost: a burst now might be one too many.
                let next = next.max(now.saturating_sub(interval)) + interval;
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
            State::Open => self.estimator.passed_freely(now),
            State::Waiting { .. } if self.is_old(sent) => {}
            State::Waiting { .. } => {
                self.estimator.passed_again(sent, now);
                self.state = State::Paced { next: now + self.estimator.interval() };
            }
            State::Paced { .. } => self.estimator.passed(now),
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
        let pause = self.pause_after_refusal(now);
        if asked.is_some() {
            self.estimator.told_to_wait();
        }
        // A wait of zero, or one that is over, says nothing: the lane's own pause grows with each refusal.
        let asked = asked.filter(|asked| *asked >= ASKED_MIN).unwrap_or(pause);
        self.refused_at = Some(now);
        self.state = State::Waiting { until: now + asked, pause };
        asked
    }

    fn pause_after_refusal(&mut self, now: Duration) -> Duration {
        match self.state {
            State::Waiting { pause, .. } => (pause * 2).min(PAUSE_MAX),
            State::Open => {
                self.estimator.refused_first(now);
                // Of a slow budget that was full nothing passes sooner. Otherwise the gap until something passes is news.
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

    /// A request came back without an answer that tells of the budget.
    pub fn failed(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    fn is_old(&self, sent: Duration) -> bool {
        self.refused_at.is_some_and(|refused| sent < refused)
    }
}

#[cfg(test)]
mod tests;
