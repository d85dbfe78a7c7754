//! The retry policy of a client.

use std::{fmt, sync::Arc, time::Duration};

use super::retry::{PAUSE_MAX, Pauses, RETRIES_MAX, RETRY_BUDGET, may_be_sent_again};
use crate::Error;

/// How a client retries failed calls: how often, after which pauses, and after which failures.
///
/// The time of a call with all its attempts is limited by [`ClientBuilder::timeout`](crate::ClientBuilder::timeout), and
/// a pause that the service requests takes precedence over the policy's.
///
/// ```
/// # #[cfg(feature = "rustls")] {
/// use std::time::Duration;
/// use openai_admin::{Client, RetryPolicy};
///
/// let policy = RetryPolicy::new()
///     .attempts(5)
///     .pauses(Duration::from_millis(200), Duration::from_secs(5))
///     .budget(20)
///     .retry_if(|failed| failed.would_retry() || failed.error().is_conflict());
/// let client = Client::builder().key("sk-admin-123").retry_policy(policy).timeout(Duration::from_secs(60)).build()?;
/// # let _ = client; }
/// # Ok::<(), openai_admin::Error>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct RetryPolicy {
    attempts_max: u32,
    pauses: Pauses,
    budget_retries: u32,
    predicate: Option<Arc<Predicate>>,
}

type Predicate = dyn Fn(FailedAttempt<'_>) -> bool + Send + Sync;

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts_max: RETRIES_MAX + 1,
            pauses: Pauses::default(),
            budget_retries: RETRY_BUDGET,
            predicate: None,
        }
    }
}

impl fmt::Debug for RetryPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryPolicy")
            .field("attempts_max", &self.attempts_max)
            .field("pauses", &self.pauses)
            .field("budget_retries", &self.budget_retries)
            .field("has_predicate", &self.predicate.is_some())
            .finish()
    }
}

impl RetryPolicy {
    /// The default policy: three attempts, pauses of up to 0.5 s that double up to 8 s, and a budget of a hundred retries.
    pub fn new() -> Self {
        Self::default()
    }

    /// The maximum number of attempts of a call, with the first. 0 counts as 1. Default: 3.
    pub fn attempts(mut self, attempts_max: u32) -> Self {
        self.attempts_max = attempts_max.max(1);
        self
    }

    /// The maximum pause before the first retry, which doubles with each retry, and the longest pause. The pause is a
    /// random part of it, so that clients do not retry at the same time. Default: 0.5 s and 8 s. At most an hour.
    pub fn pauses(mut self, first_max: Duration, max: Duration) -> Self {
        self.pauses = Pauses { first_max: first_max.min(PAUSE_MAX), max: max.min(PAUSE_MAX) };
        self
    }

    /// The number of retries that all clones of the client have together, so that a failing service does not get several
    /// times the requests. Five successful calls return one. Default: 100.
    pub fn budget(mut self, retries_max: u32) -> Self {
        self.budget_retries = retries_max;
        self
    }

    /// Decides which failed attempts are retried, within the limits of the policy. Without it, a failure is retried if
    /// that may help and cannot do harm: see [`FailedAttempt::would_retry`].
    ///
    /// It is not called if a retry cannot help: if the request is invalid, the certificate of the service is not accepted,
    /// or its answer cannot be read.
    pub fn retry_if(mut self, predicate: impl Fn(FailedAttempt<'_>) -> bool + Send + Sync + 'static) -> Self {
        self.predicate = Some(Arc::new(predicate));
        self
    }

    pub(super) fn retries_max(&self) -> u32 {
        self.attempts_max - 1
    }

    pub(super) fn pauses_of_call(&self) -> Pauses {
        self.pauses
    }

    pub(super) fn budget_retries(&self) -> u32 {
        self.budget_retries
    }

    /// The decision of the predicate, if there is one.
    pub(super) fn decide(&self, error: &Error, is_idempotent: bool) -> Option<bool> {
        let predicate = self.predicate.as_ref()?;
        let would_retry = may_be_sent_again(error.outcome()?, is_idempotent);
        Some(predicate(FailedAttempt { error, is_idempotent, would_retry }))
    }
}

/// A failed attempt, for the decision of [`RetryPolicy::retry_if`].
#[derive(Clone, Copy, Debug)]
pub struct FailedAttempt<'a> {
    error: &'a Error,
    is_idempotent: bool,
    would_retry: bool,
}

impl<'a> FailedAttempt<'a> {
    /// The failure, with its operation and the number of attempts so far.
    pub fn error(&self) -> &'a Error {
        self.error
    }

    /// Whether the operation may be repeated, even if this attempt had an effect.
    pub fn is_idempotent(&self) -> bool {
        self.is_idempotent
    }

    /// Whether the client would retry without a predicate: the failure is temporary, and a repetition does no harm.
    pub fn would_retry(&self) -> bool {
        self.would_retry
    }
}
