//! Authenticates callers.
//!
//! No secret is compared with another. A key is looked up by its SHA-256, whose bytes an attacker cannot choose, so the
//! time of a look-up reveals nothing about the stored keys. The checksum of a minted key is computed from the key
//! itself.

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use openai_admin::{OrganizationId, Scope, Timestamp};
use openai_admin_store::{ApiKey, ConsoleSession, Error as StoreError, Org, Organization, Store};
use tokio::{sync::Semaphore, time::timeout};

use crate::{
    answer::{error::ApiError, rate_limit::RateLimit},
    api_keys::{self, Digest},
    connect::connections::Peer,
    minter::Minter,
};

/// The organization of a request, and the one that answered.
pub(crate) const ORGANIZATION: HeaderName = HeaderName::from_static("openai-organization");
/// How long a looked-up key stays cached. A key that another process revokes stays valid at most this long.
const CACHED_FOR: Duration = Duration::from_secs(5);
/// The maximum number of cached keys. When the cache is full, it is cleared.
const CACHED_KEYS_MAX: usize = 10_000;
/// The longest key that is looked up, in bytes. A longer one is wrong.
const KEY_BYTES_MAX: usize = 512;
/// How many unknown keys a peer may try per minute.
const UNKNOWN_KEYS_PER_MINUTE_MAX: NonZeroU32 = NonZeroU32::new(60).expect("it is not zero");
/// How many uncached keys are looked up concurrently, so that wrong keys leave most of the database to valid ones; and
/// how long a look-up waits for its turn.
const NEW_KEYS_AT_ONCE_MAX: usize = 2;
const NEW_KEY_TIMEOUT: Duration = Duration::from_secs(5);
/// How many digits of a key's hash name it in the audit log, if any key is accepted.
const KEY_NAME_LENGTH: usize = 16;
/// The name of the operator of this machine in the audit log.
const LOCAL: &str = "local";
/// The end of the scopes that allow only reads.
const READ: &str = ".read";
/// How often the last use of a key is recorded.
const USE_RECORDED_EVERY_SECONDS: i64 = 60;

/// The caller of a request and their permissions.
#[derive(Clone, Debug)]
pub struct Caller {
    pub(crate) org: Org,
    pub(crate) organization_id: OrganizationId,
    /// The id of the key, or another name for the audit log.
    pub(crate) actor: String,
    pub(crate) scopes: Vec<String>,
    expires_at: Option<Timestamp>,
    /// The key of a session of the web console, which is checked again at each request.
    session_key: Option<Digest>,
}

impl Caller {
    /// The operator of this machine, who needs no key and has all scopes in `organization`.
    pub fn local(organization: &Organization) -> Self {
        Self::operator(organization.org, organization.id.clone())
    }

    fn operator(org: Org, organization_id: OrganizationId) -> Self {
        let (actor, scopes) = (LOCAL.to_owned(), api_keys::all_scopes());
        Self { org, organization_id, actor, scopes, expires_at: None, session_key: None }
    }

    /// The same caller, with this name in the audit log.
    #[must_use]
    pub fn with_actor(self, actor: impl Into<String>) -> Self {
        Self { actor: actor.into(), ..self }
    }

    /// The caller of a session of the web console: its key, or the operator of this machine.
    pub(crate) fn of_session(session: ConsoleSession) -> Self {
        let ConsoleSession { org, organization_id, key, .. } = session;
        match key {
            Some(key) => {
                let (scopes, expires_at) = (key.scopes, key.expires_at);
                // A damaged hash is that of no key, so the session is refused.
                let session_key = Some(api_keys::digest_of(&key.hash).unwrap_or_default());
                Self { org, organization_id, actor: key.id, scopes, expires_at, session_key }
            }
            None => Self::operator(org, organization_id),
        }
    }

    /// The same caller without the scopes that allow changes.
    pub fn read_only(&self) -> Self {
        let scopes = self.scopes.iter().filter(|scope| scope.ends_with(READ)).cloned().collect();
        Self { scopes, ..self.clone() }
    }

    /// The scopes of the caller.
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// The name of the caller in the audit log: the id of a key, or `local`.
    pub fn actor(&self) -> &str {
        &self.actor
    }

    /// The id of the caller's organization.
    pub fn organization_id(&self) -> &OrganizationId {
        &self.organization_id
    }

    /// The same caller, named after the key of the request.
    pub(crate) fn with_any_key(&self, headers: &HeaderMap) -> Result<Self, ApiError> {
        let hash = api_keys::hash(bearer(headers)?);
        Ok(Self { actor: format!("key_{}", &hash[..KEY_NAME_LENGTH]), ..self.clone() })
    }

    /// Refuses a request whose `OpenAI-Organization` is not the key's organization. An empty header counts as absent,
    /// since programs send an unset variable as an empty header.
    pub(crate) fn check_organization(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        let own = self.organization_id.as_str().as_bytes();
        let mut named = headers.get_all(ORGANIZATION).iter().map(HeaderValue::as_bytes);
        let is_meant = named.all(|named| named.is_empty() || named == own);
        if is_meant { Ok(()) } else { Err(ApiError::mismatched_organization()) }
    }

    pub(crate) fn require(&self, scope: Scope) -> Result<(), ApiError> {
        let has = self.scopes.iter().any(|own| own == scope.as_str());
        if has { Ok(()) } else { Err(ApiError::missing_scope(scope)) }
    }

    fn with_key(key: ApiKey) -> Self {
        let ApiKey { org, organization_id, id, scopes, expires_at, .. } = key;
        Self { org, organization_id, actor: id, scopes, expires_at, session_key: None }
    }
}

/// Finds the caller of a request by its key.
#[derive(Debug)]
pub(crate) struct Authenticator {
    store: Store,
    minter: Minter,
    /// Cached callers, by the digest of their key.
    cached_keys: Mutex<HashMap<Digest, CachedKey>>,
    new_keys: Semaphore,
    /// `None` if all peers are a proxy: the wrong keys of one client would lock out all others.
    unknown_keys: Option<RateLimit<Peer>>,
}

/// The caller of a key when it was last looked up.
#[derive(Clone, Debug)]
struct CachedKey {
    caller: Arc<Caller>,
    /// By the steady clock: setting the wall clock back must not extend the life of a revoked key.
    since: Duration,
    /// The version of the store's keys at the look-up.
    version: u64,
}

impl Authenticator {
    /// `limits_peers` says whether a peer is a single client, so that its wrong keys can be counted.
    pub(crate) fn new(store: Store, minter: Minter, limits_peers: bool) -> Self {
        Self {
            store,
            minter,
            cached_keys: Mutex::default(),
            new_keys: Semaphore::new(NEW_KEYS_AT_ONCE_MAX),
            unknown_keys: limits_peers.then(|| RateLimit::new(UNKNOWN_KEYS_PER_MINUTE_MAX)),
        }
    }

    /// Returns the caller whose key the request has. `peer` is the sender of the request, or `None` in process.
    pub(crate) async fn authenticate(
        &self,
        headers: &HeaderMap,
        peer: Option<Peer>,
    ) -> Result<Arc<Caller>, ApiError> {
        self.authenticate_key(bearer(headers)?, peer).await
    }

    /// Returns the caller with this key.
    pub(crate) async fn authenticate_key(
        &self,
        key: &[u8],
        peer: Option<Peer>,
    ) -> Result<Arc<Caller>, ApiError> {
        if key.len() > KEY_BYTES_MAX {
            return Err(wrong_key(key));
        }
        let digest = api_keys::digest(key);
        let caller = match self.cached_key(&digest) {
            Some(cached) if self.is_fresh(&cached) => cached.caller,
            Some(_) => self.look_up(digest).await?.ok_or_else(|| wrong_key(key))?,
            None => self.look_up_new(key, digest, peer).await?,
        };
        match caller.expires_at {
            Some(expires_at) if expires_at <= self.minter.now() => Err(wrong_key(key)),
            _ => Ok(caller),
        }
    }

    /// Refuses the caller of a session whose key was revoked or has expired since. A key is cached as long as that of a
    /// request.
    pub(crate) async fn recheck(&self, caller: &Caller) -> Result<(), ApiError> {
        let Some(digest) = caller.session_key else { return Ok(()) };
        let current = match self.cached_key(&digest) {
            Some(cached) if self.is_fresh(&cached) => Some(cached.caller),
            _ => self.look_up(digest).await?,
        };
        let is_valid = |expires_at: Option<Timestamp>| expires_at.is_none_or(|at| at > self.minter.now());
        match current {
            Some(current) if is_valid(current.expires_at) => Ok(()),
            _ => Err(ApiError::ended_session_key()),
        }
    }

    fn cached_key(&self, digest: &Digest) -> Option<CachedKey> {
        self.cached_keys.lock().unwrap_or_else(PoisonError::into_inner).get(digest).cloned()
    }

    fn is_fresh(&self, cached: &CachedKey) -> bool {
        cached.version == self.store.api_keys_version()
            && self.minter.steady().saturating_sub(cached.since) < CACHED_FOR
    }

    /// Looks up a key that is not cached. The checksum, a limit for each peer and a short queue keep guesses from the
    /// database.
    async fn look_up_new(
        &self,
        key: &[u8],
        digest: Digest,
        peer: Option<Peer>,
    ) -> Result<Arc<Caller>, ApiError> {
        if api_keys::is_mistyped(&String::from_utf8_lossy(key)) {
            return Err(wrong_key(key));
        }
        let limit = self.unknown_keys.as_ref().zip(peer);
        if let Some((unknown_keys, peer)) = limit {
            let checked = unknown_keys.check(&peer, self.minter.steady());
            checked.map_err(ApiError::too_many_wrong_keys)?;
        }
        let turn = timeout(NEW_KEY_TIMEOUT, self.new_keys.acquire()).await;
        let _turn = turn.map_err(|_| StoreError::Overloaded)?;
        if let Some(caller) = self.look_up(digest).await? {
            return Ok(caller);
        }
        if let Some((unknown_keys, peer)) = limit {
            // Concurrent requests may exceed the limit together; the next one waits for all of them.
            let _ = unknown_keys.take(peer, self.minter.steady());
        }
        Err(wrong_key(key))
    }

    async fn look_up(&self, digest: Digest) -> Result<Option<Arc<Caller>>, ApiError> {
        // Read before the key, so that a concurrent change makes the entry stale.
        let version = self.store.api_keys_version();
        let hash = api_keys::stored(&digest);
        let found = self.store.find_api_key(hash.clone()).await?;
        let mut cached_keys = self.cached_keys.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(key) = found else {
            cached_keys.remove(&digest);
            return Ok(None);
        };
        self.record_use(hash, key.last_used_at);
        let caller = Arc::new(Caller::with_key(key));
        if cached_keys.len() >= CACHED_KEYS_MAX {
            cached_keys.clear();
        }
        let cached = CachedKey { caller: Arc::clone(&caller), since: self.minter.steady(), version };
        cached_keys.insert(digest, cached);
        Ok(Some(caller))
    }

    /// Records in the background that the key is in use.
    fn record_use(&self, hash: String, last: Option<Timestamp>) {
        let now = self.minter.now();
        if last.is_some_and(|last| is_recent(last, now)) {
            return;
        }
        let store = self.store.clone();
        tokio::spawn(async move {
            if let Err(error) = store.touch_api_key(hash, now).await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "cannot record the last use of a key"
                );
            }
        });
    }
}

/// Whether a recorded use is recent. A use in the future was recorded before the clock was set back.
fn is_recent(last: Timestamp, now: Timestamp) -> bool {
    (0..USE_RECORDED_EVERY_SECONDS).contains(&(now.unix_seconds() - last.unix_seconds()))
}

/// The key of a request, as bytes: a key that is not UTF-8 is wrong, not missing.
fn bearer(headers: &HeaderMap) -> Result<&[u8], ApiError> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next().ok_or_else(ApiError::no_key)?.as_bytes().trim_ascii();
    // A proxy may have checked the other one.
    if values.next().is_some() {
        return Err(ApiError::several_keys());
    }
    let space = value.iter().position(|byte| *byte == b' ').ok_or_else(ApiError::no_key)?;
    let (scheme, key) = value.split_at(space);
    let key = key.trim_ascii();
    if scheme.eq_ignore_ascii_case(b"bearer") && !key.is_empty() { Ok(key) } else { Err(ApiError::no_key()) }
}

fn wrong_key(key: &[u8]) -> ApiError {
    let key = String::from_utf8_lossy(key);
    ApiError::wrong_key(&api_keys::redact(&key), api_keys::is_mistyped(&key))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn key_of(values: &[&[u8]]) -> Result<Vec<u8>, String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::AUTHORIZATION, HeaderValue::from_bytes(value).expect("a value"));
        }
        bearer(&headers).map(<[u8]>::to_vec).map_err(|error| format!("{error:?}"))
    }

    #[test]
    fn a_key_is_one_bearer_and_any_bytes() {
        assert_eq!(key_of(&[b"Bearer sk-1"]), Ok(b"sk-1".to_vec()));
        assert_eq!(key_of(&[b" bearer   sk-1 "]), Ok(b"sk-1".to_vec()));
        assert_eq!(key_of(&[b"Bearer schl\xfcssel"]), Ok(b"schl\xfcssel".to_vec()));
        assert!(key_of(&[]).expect_err("no key").contains("You didn't provide"));
        for none in ["Bearer", "Bearer ", "Basic sk-1", ""] {
            assert!(key_of(&[none.as_bytes()]).expect_err("no key").contains("You didn't provide"));
        }
    }

    /// With a closed store, a look-up of a key answers 503.
    async fn with_closed_store() -> (Authenticator, tempfile::TempDir) {
        let folder = tempfile::tempdir().expect("a folder");
        let url = openai_admin_store::DatabaseUrl::Sqlite(folder.path().join("test.db"));
        let store = Store::open(&url).await.expect("a store");
        store.close().await;
        (Authenticator::new(store, Minter::new(|| 0, || 1), true), folder)
    }

    async fn answer_to(authenticator: &Authenticator, key: &str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, format!("Bearer {key}").parse().expect("a value"));
        format!("{:?}", authenticator.authenticate(&headers, None).await.expect_err("refused"))
    }

    #[tokio::test]
    async fn an_impossible_key_is_refused_without_a_look_up() {
        let (authenticator, _folder) = with_closed_store().await;
        let (minted, _) = api_keys::mint(&authenticator.minter, "x", Vec::new(), None);
        assert!(answer_to(&authenticator, &minted).await.contains("503"), "this one could be a key");
        assert!(answer_to(&authenticator, &minted[..minted.len() - 1]).await.contains("mistyped"));
        assert!(answer_to(&authenticator, &"x".repeat(KEY_BYTES_MAX)).await.contains("503"));
        assert!(answer_to(&authenticator, &"x".repeat(KEY_BYTES_MAX + 1)).await.contains("401"));
    }

    #[tokio::test(start_paused = true)]
    async fn unknown_keys_wait_for_their_turn_with_a_timeout() {
        let (authenticator, _folder) = with_closed_store().await;
        let turns =
            authenticator.new_keys.acquire_many(NEW_KEYS_AT_ONCE_MAX as u32).await.expect("all turns");
        let waiting = answer_to(&authenticator, "sk-1");
        assert!(timeout(NEW_KEY_TIMEOUT - Duration::from_millis(1), waiting).await.is_err());
        assert!(answer_to(&authenticator, "sk-1").await.contains("Too many operations"));
        drop(turns);
        assert!(answer_to(&authenticator, "sk-1").await.contains("database is unavailable"));
    }

    #[test]
    fn a_use_that_was_recorded_before_the_clock_was_set_back_is_not_recent() {
        let at = Timestamp::from_unix_seconds;
        for (now, expected) in [(999, false), (1_000, true), (1_059, true), (1_060, false)] {
            assert_eq!(is_recent(at(1_000), at(now)), expected, "{now}");
        }
    }

    #[test]
    fn two_keys_are_refused() {
        for second in [&b"Bearer sk-1"[..], b"Bearer sk-2", b"Basic x"] {
            let refused = key_of(&[b"Bearer sk-1", second]).expect_err("two keys");
            assert!(refused.contains("401") && refused.contains("more than one Authorization"), "{refused}");
        }
    }
}
