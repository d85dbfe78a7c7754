//! The lanes of a run: one for each method and route, each with its own request rate, shared by all requests to a
//! service.

use std::{
    collections::BTreeMap,
    fmt,
    future::Future,
    sync::{
        Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use openai_admin::{Endpoint, Error, ErrorKind};
use tokio::{sync::Notify, time::Instant};

use crate::service::pacer::Pacer;

/// The default limit of waiting for a service.
pub const MAX_WAIT: Duration = Duration::from_secs(600);
/// The most retries of a request, without those after a rate limit.
const RETRIES_MAX: u32 = 3;
/// The pause before the first retry. It doubles with each retry.
const RETRY_PAUSE: Duration = Duration::from_millis(500);

/// A method and a route.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Lane {
    method: &'static str,
    path: &'static str,
}

impl Lane {
    /// The lane of an operation.
    pub const fn of<E: Endpoint>() -> Self {
        Self { method: E::METHOD.as_str(), path: E::PATH }
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

impl fmt::Debug for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The limits of all lanes.
#[derive(Clone, Copy, Debug)]
pub struct LaneSettings {
    /// The most requests per minute on each lane; `None` to adapt to the service.
    pub rpm_max: Option<f64>,
    /// The longest wait for the service, at once or in a row without a success, before the run stops. It can be
    /// resumed.
    pub max_wait: Duration,
}

impl Default for LaneSettings {
    fn default() -> Self {
        Self { rpm_max: None, max_wait: MAX_WAIT }
    }
}

/// The lanes of one service.
pub struct Lanes {
    settings: LaneSettings,
    /// The rates of earlier runs, by the lane's name, in requests per minute.
    recalled: OnceLock<BTreeMap<String, f64>>,
    begun: Instant,
    paces: Mutex<BTreeMap<Lane, Pacer>>,
    /// Notified when a request ends, because a waiting one may be allowed now.
    returned: Notify,
    requests: AtomicU64,
    refused: AtomicU64,
}

impl fmt::Debug for Lanes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lanes").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// The result of a request.
#[derive(Debug)]
pub enum Attempt<T> {
    /// It succeeded.
    Answered(T),
    /// It was rate-limited. Send it again; its lane waits first.
    RateLimited(Error),
    /// It was rate-limited, and the service asks to wait longer than the limit.
    WaitTooLong(Error),
    /// It failed, and may be retried after this pause.
    Retry(Error, Duration),
    /// It failed.
    Failed(Error),
}

impl Lanes {
    /// Lanes whose clock starts now.
    #[expect(clippy::disallowed_methods, reason = "tokio's clock, which tests set")]
    pub fn new(settings: LaneSettings) -> Self {
        Self {
            settings,
            recalled: OnceLock::new(),
            begun: Instant::now(),
            paces: Mutex::default(),
            returned: Notify::new(),
            requests: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        }
    }

    /// Sets the rates that new lanes start with: requests per minute by the lane's name. Only the first call counts. It
    /// comes after the first response, which names the organization of the rates.
    pub fn recall(&self, learned: BTreeMap<String, f64>) {
        // Further calls have no effect.
        let _ = self.recalled.set(learned);
    }

    /// The number of requests sent.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// The number of rate-limited requests.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// The rates of lanes that were rate-limited in this run, to be stored: requests per minute by the lane's name.
    pub fn learned(&self) -> BTreeMap<String, f64> {
        let mut learned = BTreeMap::new();
        for (lane, pace) in &*self.paces() {
            if let Some(rpm) = pace.rpm().filter(|_| self.settings.rpm_max.is_none() && pace.was_refused()) {
                learned.insert(lane.to_string(), (rpm * 100.0).round() / 100.0);
            }
        }
        learned
    }

    /// Whether the rate of a lane comes from an earlier run.
    pub fn is_recalled(&self, lane: Lane) -> bool {
        let is_known = self.recalled.get().is_some_and(|known| known.contains_key(&lane.to_string()));
        is_known
            && self.settings.rpm_max.is_none()
            && !self.paces().get(&lane).is_some_and(Pacer::was_refused)
    }

    /// The rate of a lane in requests per minute; `None` if it is not limited.
    pub fn rpm(&self, lane: Lane) -> Option<f64> {
        let paces = self.paces();
        let known = paces.get(&lane).and_then(Pacer::rpm);
        known.or_else(|| self.new_pace(lane).rpm())
    }

    fn new_pace(&self, lane: Lane) -> Pacer {
        let learned = self.recalled.get().and_then(|known| known.get(&lane.to_string()));
        Pacer::new(self.settings.rpm_max, learned.copied())
    }

    fn paces(&self) -> MutexGuard<'_, BTreeMap<Lane, Pacer>> {
        self.paces.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, lane: Lane, change: impl FnOnce(&mut Pacer) -> T) -> T {
        change(self.paces().entry(lane).or_insert_with(|| self.new_pace(lane)))
    }

    /// The time since the lanes were created.
    #[expect(clippy::disallowed_methods, reason = "tokio's clock, which tests set")]
    fn now(&self) -> Duration {
        Instant::now().saturating_duration_since(self.begun)
    }

    /// Acquires a permit to send a request.
    ///
    /// # Errors
    ///
    /// The time to try again; `None` to try again when a request in flight ends.
    pub fn acquire(&self, lane: Lane) -> Result<Permit, Option<Instant>> {
        let now = self.now();
        match self.with(lane, |pace| pace.acquire(now)) {
            Ok(()) => Ok(Permit { lane, sent: now }),
            Err(at) => Err(at.map(|at| self.begun + at)),
        }
    }

    /// Waits for a permit to send a request.
    pub async fn wait(&self, lane: Lane) -> Permit {
        loop {
            let returned = self.returned.notified();
            match self.acquire(lane) {
                Ok(permit) => return permit,
                Err(Some(at)) => tokio::select! {
                    () = tokio::time::sleep_until(at) => {}
                    () = returned => {}
                },
                Err(None) => returned.await,
            }
        }
    }

    /// Sends a request once, with a permit. The client must not retry it.
    pub async fn attempt<T>(
        &self,
        permit: Permit,
        idempotent: bool,
        retries_made: u32,
        sending: impl Future<Output = Result<T, Error>>,
    ) -> Attempt<T> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let returns = Returns { lanes: self, permit, recorded: false };
        let result = sending.await;
        let attempt = returns.record(result);
        match attempt {
            Attempt::Failed(error) if retries_made < RETRIES_MAX && may_succeed_later(&error, idempotent) => {
                Attempt::Retry(error, RETRY_PAUSE * 2_u32.pow(retries_made))
            }
            attempt => attempt,
        }
    }

    /// Sends a request until it succeeds, fails, or would wait too long.
    ///
    /// # Errors
    ///
    /// The last error.
    pub async fn send<T, F: Future<Output = Result<T, Error>>>(
        &self,
        lane: Lane,
        idempotent: bool,
        mut sending: impl FnMut() -> F,
    ) -> Result<T, Error> {
        let mut retries = 0;
        loop {
            let permit = self.wait(lane).await;
            match self.attempt(permit, idempotent, retries, sending()).await {
                Attempt::Answered(answer) => return Ok(answer),
                Attempt::RateLimited(_) => {}
                Attempt::Retry(_, pause) => {
                    retries += 1;
                    tokio::time::sleep(pause).await;
                }
                Attempt::WaitTooLong(error) | Attempt::Failed(error) => return Err(error),
            }
        }
    }
}

/// A permit to send one request.
#[derive(Debug)]
pub struct Permit {
    lane: Lane,
    sent: Duration,
}

/// Returns the slot of a request, even if its future is dropped.
struct Returns<'a> {
    lanes: &'a Lanes,
    permit: Permit,
    recorded: bool,
}

impl Returns<'_> {
    fn record<T>(mut self, result: Result<T, Error>) -> Attempt<T> {
        self.recorded = true;
        let (lanes, sent, now) = (self.lanes, self.permit.sent, self.lanes.now());
        let attempt = lanes.with(self.permit.lane, |pace| match result {
            Ok(answer) => {
                pace.succeeded(sent, now);
                Attempt::Answered(answer)
            }
            Err(error) if error.is_rate_limited() && error.code() != Some("insufficient_quota") => {
                lanes.refused.fetch_add(1, Ordering::Relaxed);
                let pause = pace.refused(sent, now, error.retry_after());
                // Several short waits add up to a long one.
                let waited = pace.without_success(now).saturating_add(pause);
                if waited > lanes.settings.max_wait {
                    Attempt::WaitTooLong(error)
                } else {
                    Attempt::RateLimited(error)
                }
            }
            // An error response has used the budget as well.
            Err(error) if error.kind() == ErrorKind::Refused => {
                pace.succeeded(sent, now);
                Attempt::Failed(error)
            }
            Err(error) => {
                pace.failed();
                Attempt::Failed(error)
            }
        });
        lanes.returned.notify_waiters();
        attempt
    }
}

impl Drop for Returns<'_> {
    fn drop(&mut self) {
        if !self.recorded {
            self.lanes.with(self.permit.lane, Pacer::failed);
            self.lanes.returned.notify_waiters();
        }
    }
}

/// Whether a retry may succeed, and cannot make a change twice.
fn may_succeed_later(error: &Error, idempotent: bool) -> bool {
    match error.kind() {
        ErrorKind::Transport | ErrorKind::Timeout => idempotent || !error.was_sent(),
        ErrorKind::Refused => error
            .status()
            .is_some_and(|status| idempotent && (status.is_server_error() || status.as_u16() == 408)),
        _ => false,
    }
}
