//! Sessions of the web console: sign-in by key, and what a session may do.
//!
//! A session is a secret of 256 random bits, stored as its SHA-256. It is read-only until it is unlocked, and ends with
//! its key.

use std::sync::Arc;

use axum::http::Extensions;
use openai_admin::Timestamp;
use openai_admin_store::ConsoleSession;

use crate::{
    answer::{auth::Caller, error::ApiError, shared::Shared},
    api_keys,
    connect::connections::Peer,
};

/// An unused session ends after this time, in seconds.
const IDLE_SECONDS_MAX: i64 = 30 * 60;
/// Every session ends after this time, in seconds.
const SECONDS_MAX: i64 = 12 * 60 * 60;
/// How long a session stays unlocked, in seconds.
const UNLOCKED_SECONDS: i64 = 15 * 60;
/// How far another server's clock may be ahead, in seconds. A later time was recorded before the clock was set back.
const AHEAD_SECONDS_MAX: i64 = 60;
/// How often the last use of a session is recorded, in seconds.
const SEEN_EVERY_SECONDS: i64 = 60;
/// The length of a session's secret, in hexadecimal digits.
const SECRET_LENGTH: usize = 64;

/// The sessions of the web console. Cheap to clone.
#[derive(Clone)]
pub struct ConsoleSessions(Arc<Shared>);

impl std::fmt::Debug for ConsoleSessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConsoleSessions").finish_non_exhaustive()
    }
}

/// A session in use.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OpenSession {
    /// The caller with all scopes of the session's key.
    pub caller: Caller,
    /// The name of the key; `None` for the operator of this machine.
    pub key_name: Option<String>,
    /// When the session ends at the latest.
    pub ends_at: Timestamp,
    /// Until when the session may change something, if it is unlocked.
    pub unlocked_until: Option<Timestamp>,
}

impl OpenSession {
    /// The caller of the session's requests: without write scopes, unless it is unlocked.
    pub fn acting_caller(&self) -> Caller {
        if self.unlocked_until.is_some() { self.caller.clone() } else { self.caller.read_only() }
    }
}

/// Why a key does not open a session.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RefusedKey {
    /// The status of the API for the same key.
    pub status: u16,
    /// The message of the API.
    pub message: String,
}

impl From<ApiError> for RefusedKey {
    fn from(error: ApiError) -> Self {
        Self { status: error.status().as_u16(), message: error.message().to_owned() }
    }
}

impl ConsoleSessions {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self(shared)
    }

    /// The time of the server's clock.
    pub fn now(&self) -> Timestamp {
        self.0.minter.now()
    }

    /// A new secret that is not stored, such as that of a sign-in link.
    pub fn new_secret(&self) -> String {
        format!("{:032x}{:032x}", self.0.minter.secret(), self.0.minter.secret())
    }

    /// The token of a form that belongs to `secret`. Each call masks it differently, because pages may be compressed.
    pub fn form_token(&self, secret: &str) -> String {
        let mask = self.0.minter.random();
        format!("{mask:032x}{:032x}", mask ^ form_number(secret))
    }

    /// Whether a form belongs to `secret`.
    pub fn is_form_token(&self, secret: &str, token: &str) -> bool {
        let number = |digits: Option<&str>| u128::from_str_radix(digits?, 16).ok();
        let masked = number(token.get(..32)).zip(number(token.get(32..64)));
        token.len() == 64 && masked.is_some_and(|(mask, masked)| mask ^ masked == form_number(secret))
    }

    /// Opens a session for a key and returns its secret. `extensions` are those of the request: wrong keys are counted
    /// for each peer, as those of the API are.
    ///
    /// # Errors
    ///
    /// If the key is wrong, if the peer tried too many wrong keys, if the key signed in too often, or if the database is
    /// unavailable.
    pub async fn sign_in(&self, key: &str, extensions: &Extensions) -> Result<String, RefusedKey> {
        let caller = self.check_key(key, extensions).await?;
        self.admit(&caller)?;
        self.open(&caller, Some(caller.actor.clone())).await
    }

    /// Opens a session for the operator of this machine, a [`Caller::local`], and returns its secret.
    ///
    /// # Errors
    ///
    /// If the database is unavailable.
    pub async fn sign_in_locally(&self, operator: &Caller) -> Result<String, RefusedKey> {
        self.open(operator, None).await
    }

    fn admit(&self, caller: &Caller) -> Result<(), ApiError> {
        let taken = self.0.sign_ins.take((caller.org, caller.actor.clone()), self.0.minter.steady());
        taken.map_err(ApiError::too_many_sign_ins)
    }

    async fn check_key(&self, key: &str, extensions: &Extensions) -> Result<Arc<Caller>, RefusedKey> {
        let peer: Option<Peer> = extensions.get().copied();
        Ok(self.0.authenticator.authenticate_key(key.trim().as_bytes(), peer).await?)
    }

    async fn open(&self, caller: &Caller, key_id: Option<String>) -> Result<String, RefusedKey> {
        let secret = self.new_secret();
        let (stamp, hash) = (self.0.minter.stamp(&caller.actor), api_keys::hash(&secret));
        let expired = Timestamp::from_unix_seconds(stamp.at().unix_seconds() - SECONDS_MAX);
        let stored = self.0.store.create_console_session(caller.org, hash, key_id, stamp, expired).await;
        stored.map_err(ApiError::from)?;
        Ok(secret)
    }

    /// The session with this secret. `None` if it has ended, or if its key was revoked or has expired. `is_use` is false for
    /// a request that the page sends without its reader, which must not keep a session alive.
    ///
    /// # Errors
    ///
    /// If the database is unavailable.
    pub async fn find(&self, secret: &str, is_use: bool) -> Result<Option<OpenSession>, RefusedKey> {
        if secret.len() != SECRET_LENGTH {
            return Ok(None);
        }
        let (now, hash) = (self.now(), api_keys::hash(secret));
        let found = self.0.store.find_console_session(hash.clone()).await.map_err(ApiError::from)?;
        let Some(session) = found.filter(|session| is_open(session, now)) else { return Ok(None) };
        if is_use && now.unix_seconds() - session.seen_at.unix_seconds() >= SEEN_EVERY_SECONDS {
            self.0.store.touch_console_session(hash, now).await.map_err(ApiError::from)?;
        }
        Ok(Some(opened(session, now)))
    }

    /// Lets a session change something for 15 minutes. `key` is the key of the session again.
    ///
    /// # Errors
    ///
    /// If it is another key, or as for [`sign_in`](Self::sign_in).
    pub async fn unlock(
        &self,
        secret: &str,
        session: &OpenSession,
        key: &str,
        extensions: &Extensions,
    ) -> Result<(), RefusedKey> {
        // The operator of this machine has no key to repeat.
        if session.key_name.is_some() {
            self.admit(&session.caller)?;
            let checked = self.check_key(key, extensions).await.and_then(|caller| {
                let message = "This is another key. Sign out to use it.".to_owned();
                let is_same = caller.actor == session.caller.actor;
                is_same.then_some(()).ok_or(RefusedKey { status: 401, message })
            });
            if let Err(refused) = checked {
                self.record_failure(session, &refused).await?;
                return Err(refused);
            }
        }
        let until = Timestamp::from_unix_seconds(self.now().unix_seconds() + UNLOCKED_SECONDS);
        self.set_unlocked(secret, Some(until)).await
    }

    /// Records that a wrong key did not unlock a session. A sign-in with a wrong key names no organization, so no audit
    /// log can record it.
    async fn record_failure(&self, session: &OpenSession, refused: &RefusedKey) -> Result<(), RefusedKey> {
        if refused.status != 401 {
            return Ok(());
        }
        let (org, stamp) = (session.caller.org, self.0.minter.stamp(&session.caller.actor));
        let message = "the key is not the key of the session".to_owned();
        let recorded = self.0.store.record_failed_login(org, stamp, "wrong_key".to_owned(), message).await;
        Ok(recorded.map_err(ApiError::from)?)
    }

    /// Makes a session read-only again.
    ///
    /// # Errors
    ///
    /// If the database is unavailable.
    pub async fn lock(&self, secret: &str) -> Result<(), RefusedKey> {
        self.set_unlocked(secret, None).await
    }

    async fn set_unlocked(&self, secret: &str, until: Option<Timestamp>) -> Result<(), RefusedKey> {
        let stored = self.0.store.unlock_console_session(api_keys::hash(secret), until).await;
        Ok(stored.map_err(ApiError::from)?)
    }

    /// Ends a session.
    ///
    /// # Errors
    ///
    /// If the database is unavailable.
    pub async fn sign_out(&self, secret: &str, session: &OpenSession) -> Result<(), RefusedKey> {
        let (org, stamp) = (session.caller.org, self.0.minter.stamp(&session.caller.actor));
        let deleted = self.0.store.delete_console_session(org, stamp, api_keys::hash(secret)).await;
        Ok(deleted.map_err(ApiError::from)?)
    }
}

/// A number that the secret determines, and that does not reveal it.
fn form_number(secret: &str) -> u128 {
    let digest = api_keys::digest(format!("form {secret}"));
    digest.iter().take(size_of::<u128>()).fold(0, |number, byte| number << 8 | u128::from(*byte))
}

fn is_open(session: &ConsoleSession, now: Timestamp) -> bool {
    let is_since = |at: Timestamp, seconds_max: i64| {
        (-AHEAD_SECONDS_MAX..seconds_max).contains(&(now.unix_seconds() - at.unix_seconds()))
    };
    let expires_at = session.key.as_ref().and_then(|key| key.expires_at);
    is_since(session.seen_at, IDLE_SECONDS_MAX)
        && is_since(session.created_at, SECONDS_MAX)
        && expires_at.is_none_or(|at| at > now)
}

fn opened(session: ConsoleSession, now: Timestamp) -> OpenSession {
    let ends_at = Timestamp::from_unix_seconds(session.created_at.unix_seconds() + SECONDS_MAX);
    // More than 15 minutes are left only after the clock was set back.
    let is_unlocked = |until: &Timestamp| {
        (1..=UNLOCKED_SECONDS + AHEAD_SECONDS_MAX).contains(&(until.unix_seconds() - now.unix_seconds()))
    };
    let unlocked_until = session.unlocked_until.filter(is_unlocked);
    let key_name = session.key.as_ref().map(|key| key.name.clone());
    OpenSession { caller: Caller::of_session(session), key_name, ends_at, unlocked_until }
}
