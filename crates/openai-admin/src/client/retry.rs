//! The decision to retry: a pure function of the outcome of an attempt, the time and a random number.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use http::{HeaderMap, StatusCode, header};

/// The default number of retries.
pub const RETRIES_MAX: u32 = 2;
/// The default number of retries that all clones of a client have together, before a success returns some.
pub const RETRY_BUDGET: u32 = 100;
/// The longest pause that a service may request. A call that would have to wait longer fails at once.
pub const ASKED_PAUSE_MAX: Duration = Duration::from_secs(120);
/// How much longer than requested a pause may be.
const ASKED_JITTER_MAX: Duration = Duration::from_millis(500);
/// The longest pause of a policy. A longer one counts as this.
pub(super) const PAUSE_MAX: Duration = Duration::from_secs(60 * 60);

/// The outcome of an attempt.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Outcome<'a> {
    /// The request was not sent: there was no connection.
    NotSent,
    /// The request was sent, but no complete answer arrived. It may have taken effect.
    Unknown,
    /// The service refused the request.
    Refused { status: StatusCode, headers: &'a HeaderMap, code: Option<&'a str>, message: &'a str },
}

/// The pauses between attempts, if the service requests none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pauses {
    /// The maximum pause before the first retry. It doubles with each retry.
    pub(super) first_max: Duration,
    /// The longest pause.
    pub(super) max: Duration,
}

impl Default for Pauses {
    fn default() -> Self {
        Self { first_max: Duration::from_millis(500), max: Duration::from_secs(8) }
    }
}

/// The state of the call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Situation {
    /// The decision of the client's predicate, if it has one.
    pub(super) decided: Option<bool>,
    pub(super) pauses: Pauses,
    /// Whether repeating the request is safe.
    pub(super) idempotent: bool,
    pub(super) retries_made: u32,
    pub(super) retries_max: u32,
    /// The time in Unix seconds, for services that send a date.
    pub(super) unix_seconds: u64,
    /// A random number from 0 to 1.
    pub(super) random: f64,
}

/// The pause before the next attempt. `None` if the call must not be retried.
pub(super) fn pause_before_retry(outcome: Outcome<'_>, situation: Situation) -> Option<Duration> {
    let is_worth_it = || may_be_sent_again(outcome, situation.idempotent);
    if situation.retries_made >= situation.retries_max || !situation.decided.unwrap_or_else(is_worth_it) {
        return None;
    }
    let Pauses { first_max, max } = situation.pauses;
    let asked = match outcome {
        Outcome::Refused { headers, message, .. } => asked_pause(headers, message, situation.unix_seconds),
        Outcome::NotSent | Outcome::Unknown => None,
    };
    match asked {
        Some(asked) if asked > ASKED_PAUSE_MAX => None,
        // Slightly longer than requested, so that clients with the same answer do not retry at the same time.
        Some(asked) => Some(asked + ASKED_JITTER_MAX.mul_f64(situation.random.clamp(0.0, 1.0))),
        None => {
            let doubled = first_max.saturating_mul(1 << situation.retries_made.min(16));
            Some(doubled.min(max).mul_f64(situation.random.clamp(0.0, 1.0)))
        }
    }
}

/// Whether a retry may help and cannot do harm.
pub(super) fn may_be_sent_again(outcome: Outcome<'_>, idempotent: bool) -> bool {
    let (status, headers, code) = match outcome {
        Outcome::NotSent => return true,
        Outcome::Unknown => return idempotent,
        Outcome::Refused { status, headers, code, .. } => (status, headers, code),
    };
    // Waiting does not restore a quota.
    if code == Some("insufficient_quota") {
        return false;
    }
    match headers.get("x-should-retry").map(|value| value.as_bytes()) {
        Some(b"true") => return true,
        Some(b"false") => return false,
        _ => {}
    }
    match status {
        // The request had no effect.
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => true,
        // A service that is unavailable and sends a time to wait has not acted on the request. A gateway without such a
        // time may have forwarded it.
        StatusCode::SERVICE_UNAVAILABLE => idempotent || headers.contains_key(header::RETRY_AFTER),
        // The failure may have been before, during or after the change.
        status => status.is_server_error() && idempotent,
    }
}

/// The pause that the service requests, in a header or (often in the real service) only in its message.
pub(crate) fn asked_pause(headers: &HeaderMap, message: &str, unix_seconds: u64) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let milliseconds = text("retry-after-ms").and_then(|value| seconds(value, 0.001));
    let retry_after = || {
        let value = text(header::RETRY_AFTER.as_str())?;
        seconds(value, 1.0).or_else(|| {
            let date = httpdate::parse_http_date(value).ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
            Some(Duration::from_secs(date.as_secs().saturating_sub(unix_seconds)))
        })
    };
    milliseconds.or_else(retry_after).or_else(|| pause_in_message(message))
}

fn seconds(number: &str, unit: f64) -> Option<Duration> {
    let number: f64 = number.parse().ok()?;
    Duration::try_from_secs_f64(number * unit).ok()
}

/// Reads `… try again after 6.9 seconds`, `… try again in 20s`, `… try again in 1m30s`, `… try again in 350ms`.
fn pause_in_message(message: &str) -> Option<Duration> {
    let message = message.to_ascii_lowercase();
    let rest = message.split_once("try again ")?.1;
    let mut rest = rest.strip_prefix("in ").or_else(|| rest.strip_prefix("after "))?;
    let mut pause = None;
    loop {
        let digits = rest.find(|character: char| !character.is_ascii_digit() && character != '.')?;
        let (number, after) = rest.split_at(digits);
        let Ok(number) = number.trim_end_matches('.').parse::<f64>() else { return pause };
        let unit = after.trim_start();
        let length = unit.find(|character: char| !character.is_ascii_alphabetic()).unwrap_or(unit.len());
        let unit_seconds = match &unit[..length] {
            "ms" | "milliseconds" => 0.001,
            "s" | "sec" | "second" | "seconds" => 1.0,
            "m" | "min" | "minute" | "minutes" => 60.0,
            "h" | "hour" | "hours" => 3600.0,
            _ => return pause,
        };
        let part = Duration::try_from_secs_f64(number * unit_seconds).ok()?;
        pause = Some(pause.unwrap_or(Duration::ZERO).saturating_add(part));
        rest = unit[length..].trim_start();
        if !rest.starts_with(|character: char| character.is_ascii_digit()) {
            return pause;
        }
    }
}

/// The retry budget that all clones of a client share, so that a failing service does not get three times the requests.
/// A retry costs tokens, a success returns some.
#[derive(Debug)]
pub(super) struct Budget {
    tokens: AtomicU32,
    /// The initial and maximum balance.
    tokens_max: u32,
}

const RETRY_COST: u32 = 5;
const SUCCESS_GAIN: u32 = 1;

impl Budget {
    pub(super) fn new(retries_max: u32) -> Self {
        let tokens_max = retries_max.saturating_mul(RETRY_COST);
        Self { tokens: AtomicU32::new(tokens_max), tokens_max }
    }

    /// Takes the cost of a retry, if available.
    pub(super) fn take(&self) -> bool {
        let taken = |left: u32| left.checked_sub(RETRY_COST);
        self.tokens.fetch_update(Ordering::Relaxed, Ordering::Relaxed, taken).is_ok()
    }

    pub(super) fn give_back(&self) {
        // Usually the budget is full. Skipping the write avoids cache misses of other threads.
        if self.tokens.load(Ordering::Relaxed) < self.tokens_max {
            let given = |left: u32| Some(left.saturating_add(SUCCESS_GAIN).min(self.tokens_max));
            let _ = self.tokens.fetch_update(Ordering::Relaxed, Ordering::Relaxed, given);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a service may name the date at which to come back")]
pub(crate) fn unix_seconds() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSES: Pauses = Pauses { first_max: Duration::from_millis(500), max: Duration::from_secs(8) };
    const SITUATION: Situation = Situation {
        decided: None,
        pauses: PAUSES,
        idempotent: true,
        retries_made: 0,
        retries_max: 2,
        unix_seconds: 1_000,
        random: 1.0,
    };

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (http::HeaderName::from_static(name), value.parse().expect("a value")))
            .collect()
    }

    fn pause(
        status: u16,
        pairs: &[(&'static str, &str)],
        message: &str,
        situation: Situation,
    ) -> Option<Duration> {
        let status = StatusCode::from_u16(status).expect("a status");
        let headers = headers(pairs);
        pause_before_retry(Outcome::Refused { status, headers: &headers, code: None, message }, situation)
    }

    #[test]
    fn only_temporary_failures_are_retried() {
        for status in [408, 429, 500, 502, 503, 504, 529] {
            assert!(pause(status, &[], "", SITUATION).is_some(), "{status}");
        }
        for status in [301, 400, 401, 403, 404, 405, 409, 413, 422] {
            assert!(pause(status, &[], "", SITUATION).is_none(), "{status}");
        }
    }

    #[test]
    fn after_an_unknown_outcome_only_idempotent_requests_are_retried() {
        let once = Situation { idempotent: false, ..SITUATION };
        assert!(pause_before_retry(Outcome::NotSent, once).is_some());
        assert!(pause_before_retry(Outcome::Unknown, SITUATION).is_some());
        assert!(pause_before_retry(Outcome::Unknown, once).is_none());
        for (status, again) in
            [(500, false), (502, false), (504, false), (503, false), (429, true), (408, true)]
        {
            assert_eq!(pause(status, &[], "", once).is_some(), again, "{status}");
        }
        assert!(pause(503, &[("retry-after", "1")], "", once).is_some());
    }

    #[test]
    fn the_header_of_the_service_overrides_the_decision() {
        assert!(pause(409, &[("x-should-retry", "true")], "", SITUATION).is_some());
        assert!(pause(503, &[("x-should-retry", "false")], "", SITUATION).is_none());
        let quota = Outcome::Refused {
            status: StatusCode::TOO_MANY_REQUESTS,
            headers: &HeaderMap::new(),
            code: Some("insufficient_quota"),
            message: "",
        };
        assert!(pause_before_retry(quota, SITUATION).is_none());
    }

    #[test]
    fn the_number_of_retries_is_limited() {
        assert!(pause(503, &[], "", Situation { retries_made: 1, ..SITUATION }).is_some());
        assert!(pause(503, &[], "", Situation { retries_made: 2, ..SITUATION }).is_none());
        assert!(pause(503, &[], "", Situation { retries_max: 0, ..SITUATION }).is_none());
    }

    #[test]
    fn the_pause_doubles_with_full_jitter_up_to_a_limit() {
        let at = |retries_made, random| {
            pause(503, &[], "", Situation { retries_made, retries_max: 99, random, ..SITUATION })
                .expect("a pause")
        };
        assert_eq!(at(0, 1.0), Duration::from_millis(500));
        assert_eq!(at(1, 1.0), Duration::from_millis(1000));
        assert_eq!(at(1, 0.25), Duration::from_millis(250));
        assert_eq!(at(1, 0.0), Duration::ZERO);
        assert_eq!(at(40, 1.0), PAUSES.max);
    }

    #[test]
    fn the_requested_pause_is_read_from_headers_and_message() {
        let none = Situation { random: 0.0, ..SITUATION };
        let asked = |pairs: &[(&'static str, &str)], message| pause(429, pairs, message, none);
        assert_eq!(asked(&[("retry-after-ms", "1500")], ""), Some(Duration::from_millis(1500)));
        assert_eq!(asked(&[("retry-after", "7")], ""), Some(Duration::from_secs(7)));
        assert_eq!(asked(&[("retry-after", "0.25")], ""), Some(Duration::from_millis(250)));
        assert_eq!(
            asked(&[("retry-after", "Thu, 01 Jan 1970 00:17:10 GMT")], ""),
            Some(Duration::from_secs(30))
        );
        assert_eq!(asked(&[("retry-after", "Thu, 01 Jan 1970 00:00:10 GMT")], ""), Some(Duration::ZERO));
        assert_eq!(asked(&[], "Please try again after 6.9 seconds."), Some(Duration::from_millis(6900)));
        assert_eq!(asked(&[], "Rate limit. Please try again in 20s. Visit …"), Some(Duration::from_secs(20)));
        assert_eq!(asked(&[], "try again in 1m30s."), Some(Duration::from_secs(90)));
        assert_eq!(asked(&[], "try again in 350ms."), Some(Duration::from_millis(350)));
    }

    #[test]
    fn a_requested_pause_of_more_than_two_minutes_fails_at_once() {
        assert_eq!(pause(429, &[("retry-after", "86400")], "", SITUATION), None);
        assert_eq!(pause(429, &[("retry-after", "121")], "", SITUATION), None);
        assert!(pause(429, &[("retry-after", "120")], "", SITUATION).is_some());
        assert_eq!(pause(429, &[], "try again in 24h.", SITUATION), None);
    }

    #[test]
    fn an_invalid_pause_is_ignored() {
        for value in ["-1", "NaN", "inf", "soon", "1e400", ""] {
            assert_eq!(asked_pause(&headers(&[("retry-after", value)]), "", 0), None, "{value}");
        }
        for message in [
            "try again",
            "try again in",
            "try again in ",
            "try again later",
            "try again in . s",
            "try again in 5",
        ] {
            assert_eq!(pause_in_message(message), None, "{message}");
        }
    }

    #[test]
    fn a_budget_runs_out_and_recovers_with_successes() {
        let budget = Budget::new(RETRY_BUDGET);
        let retries = std::iter::repeat_with(|| budget.take()).take_while(|taken| *taken).count();
        assert_eq!(retries, 100);
        for _ in 0..5 {
            budget.give_back();
        }
        assert!(budget.take() && !budget.take());
    }
}
