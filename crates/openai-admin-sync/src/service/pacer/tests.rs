//! Simulates pacers against services in virtual time.

use std::collections::VecDeque;

use super::*;
use crate::service::estimator::WINDOW;

/// A simulated service with a budget per minute.
#[derive(Clone, Debug)]
enum Service {
    /// A token bucket.
    Bucket { size: f64, rpm: f64, level: f64, at: Duration },
    /// A limit for each minute of the clock.
    FixedWindow { rpm: u64, used: u64, window: u64, offset: Duration },
    /// A limit for the last 60 seconds.
    SlidingWindow { rpm: usize, sent: VecDeque<Duration> },
}

impl Service {
    fn bucket(size: f64, rpm: f64) -> Self {
        Self::Bucket { size, rpm, level: size, at: Duration::ZERO }
    }

    /// Sends a request, and returns whether it passes.
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

    /// The time until the next request passes, for `Retry-After`.
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

/// Sends as fast as the pacer allows for `minutes`, with at most `concurrency` in flight and a fixed latency.
fn run(
    pace: &mut Pacer,
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
    // Other clients or routes may have used a part of the bucket.
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

/// The number of requests that a service with this budget lets pass.
fn possible(rpm: u64, minutes: u64) -> f64 {
    (rpm * minutes) as f64
}

#[test]
fn a_budget_of_7_or_60_per_minute_is_used_to_95_percent_with_3_percent_refused() {
    const MINUTES: u64 = 60;
    for rpm in [7, 60] {
        for service in services(rpm) {
            for concurrency in [1, 4, 16] {
                let mut pace = Pacer::new(None, None);
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
fn a_retry_after_is_respected() {
    for rpm in [7, 60] {
        for service in services(rpm) {
            let mut pace = Pacer::new(None, None);
            let outcome = run(&mut pace, &mut service.clone(), 60, true, 8);
            let used = outcome.passed as f64 / possible(rpm, 60);
            let refused = outcome.refused as f64 / (outcome.passed + outcome.refused) as f64;
            // For a partly used bucket, the first guess is too low, and no gap corrects it.
            let is_used = matches!(service, Service::Bucket { size, level, .. } if level < size);
            let enough = if is_used { 0.94 } else { 0.95 };
            assert!(used >= enough && refused < 0.03, "{rpm} {service:?}: {used:.3} {refused:.4}");
        }
    }
    let mut pace = Pacer::new(None, None);
    pace.acquire(Duration::ZERO).expect("open");
    let asked = Some(Duration::from_secs(90));
    assert_eq!(pace.refused(Duration::ZERO, Duration::from_secs(1), asked), Duration::from_secs(90));
    assert_eq!(pace.acquire(Duration::from_secs(90)), Err(Some(Duration::from_secs(91))));
    pace.acquire(Duration::from_secs(91)).expect("after the wait");
}

#[test]
fn buckets_of_another_size_than_their_rate_are_found() {
    // A small bucket that fills fast, and a large one that fills slowly.
    for (size, rpm) in [(10.0, 60.0), (100.0, 7.0), (5.0, 600.0)] {
        let mut pace = Pacer::new(None, None);
        let outcome = run(&mut pace, &mut Service::bucket(size, rpm), 120, false, 4);
        let used = outcome.passed as f64 / (rpm * 120.0);
        assert!(used >= 0.8, "{size} {rpm}: {used:.3}");
    }
}

#[test]
fn a_learned_rate_is_used_at_once_and_a_maximum_is_kept() {
    let mut pace = Pacer::new(None, Some(7.0));
    let outcome = run(&mut pace, &mut Service::bucket(7.0, 7.0), 60, false, 8);
    // It tries a higher rate early: the learned one may be too low.
    assert!(outcome.refused as f64 / outcome.passed as f64 <= 0.03, "{}", outcome.refused);
    let mut pace = Pacer::new(Some(30.0), None);
    let outcome = run(&mut pace, &mut Service::bucket(1000.0, 1000.0), 10, false, 8);
    assert!((299..=302).contains(&outcome.passed), "{}", outcome.passed);
}

#[test]
fn a_refusal_pauses_2_4_and_at_most_60_seconds() {
    let mut pace = Pacer::new(None, None);
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
fn a_retry_after_of_zero_is_ignored() {
    let mut pace = Pacer::new(None, None);
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
fn a_learned_rate_that_is_too_low_is_raised() {
    let mut pace = Pacer::new(None, Some(9.0));
    let outcome = run(&mut pace, &mut Service::bucket(1e9, 1e9), 4, false, 8);
    assert!(outcome.passed > 45, "{}", outcome.passed);
    assert_eq!(Pacer::new(Some(600.0), Some(9.0)).rpm(), Some(600.0));
}

#[test]
fn an_open_lane_starts_slowly_and_then_sends_freely() {
    let mut pace = Pacer::new(None, None);
    assert_eq!(pace.acquire(Duration::ZERO), Ok(()));
    assert_eq!(pace.acquire(Duration::ZERO), Err(None));
    pace.succeeded(Duration::ZERO, Duration::ZERO);
    let outcome = run(&mut pace, &mut Service::bucket(1e9, 1e9), 1, false, 16);
    // 16 in flight, 80 ms each.
    assert!(outcome.passed > 11_000, "{}", outcome.passed);
}
