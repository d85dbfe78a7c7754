//! Who asks.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use axum::http::{HeaderMap, header};
use openai_admin::{OrganizationId, Scope, Timestamp};
use openai_admin_store::{ApiKey, Org, Organization, Store};

use crate::{api_keys, error::ApiError, minter::Minter};

/// How long a key that was found is believed without looking again: a key that another process revokes works at
/// most this much longer.
const BELIEVED_MS: u64 = 5_000;
/// How many keys are believed at the same time; when more are in use, all are looked up anew.
const BELIEVED_KEYS_MAX: usize = 10_000;
/// How often the last use of a key is written down.
const USE_RECORDED_EVERY_SECONDS: i64 = 60;

/// Who asks, and what they may do.
#[derive(Clone, Debug)]
pub struct Caller {
    pub(crate) org: Org,
    pub(crate) organization_id: OrganizationId,
    /// The id of the key, or what else is named in the audit log.
    pub(crate) actor: String,
    scopes: Vec<String>,
    expires_at: Option<Timestamp>,
}

impl Caller {
    /// The operator of this machine, who needs no key: may do everything in `organization`.
    pub fn local(organization: &Organization) -> Self {
        Self {
            org: organization.org,
            organization_id: organization.id.clone(),
            actor: "local".to_owned(),
            scopes: api_keys::all_scopes(),
            expires_at: None,
        }
    }

    pub(crate) fn require(&self, scope: Scope) -> Result<(), ApiError> {
        let has = self.scopes.iter().any(|own| own == scope.as_str());
        if has { Ok(()) } else { Err(ApiError::missing_scope(scope)) }
    }

    fn with_key(key: ApiKey) -> Self {
        let ApiKey { org, organization_id, id, scopes, expires_at, .. } = key;
        Self { org, organization_id, actor: id, scopes, expires_at }
    }
}

/// Finds the caller of a request by its key.
#[derive(Debug)]
pub(crate) struct Authenticator {
    store: Store,
    minter: Minter,
    /// By hash: since when a key is believed, and whose it is.
    believed: Mutex<HashMap<String, (u64, Arc<Caller>)>>,
}

impl Authenticator {
    pub(crate) fn new(store: Store, minter: Minter) -> Self {
        Self { store, minter, believed: Mutex::default() }
    }

    pub(crate) async fn authenticate(&self, headers: &HeaderMap) -> Result<Arc<Caller>, ApiError> {
        let key = bearer(headers)?;
        let hash = api_keys::hash(key);
        let caller = match self.believed(&hash) {
            Some(caller) => caller,
            None => self.look_up(&hash).await?.ok_or_else(|| wrong_key(key))?,
        };
        match caller.expires_at {
            Some(expires_at) if expires_at <= self.minter.now() => Err(wrong_key(key)),
            _ => Ok(caller),
        }
    }

    fn believed(&self, hash: &str) -> Option<Arc<Caller>> {
        let believed = self.believed.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, caller) = believed.get(hash)?;
        let fresh = self.minter.now_ms().saturating_sub(*since) < BELIEVED_MS;
        fresh.then(|| Arc::clone(caller))
    }

    async fn look_up(&self, hash: &str) -> Result<Option<Arc<Caller>>, ApiError> {
        let Some(key) = self.store.find_api_key(hash.to_owned()).await? else { return Ok(None) };
        self.record_use(hash, key.last_used_at);
        let caller = Arc::new(Caller::with_key(key));
        let mut believed = self.believed.lock().unwrap_or_else(PoisonError::into_inner);
        if believed.len() >= BELIEVED_KEYS_MAX {
            believed.clear();
        }
        believed.insert(hash.to_owned(), (self.minter.now_ms(), Arc::clone(&caller)));
        Ok(Some(caller))
    }

    /// Writes down that the key is in use, behind the answer's back: nobody waits for it.
    fn record_use(&self, hash: &str, last: Option<Timestamp>) {
        let now = self.minter.now();
        let since = now.unix_seconds() - last.unwrap_or_default().unix_seconds();
        if since < USE_RECORDED_EVERY_SECONDS {
            return;
        }
        let (store, hash) = (self.store.clone(), hash.to_owned());
        tokio::spawn(async move {
            if let Err(error) = store.touch_api_key(hash, now).await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the last use of a key was not recorded"
                );
            }
        });
    }
}

/// The key of a request, as bytes: what is no text is still a wrong key, and not none.
fn bearer(headers: &HeaderMap) -> Result<&[u8], ApiError> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next().ok_or_else(ApiError::no_key)?.as_bytes().trim_ascii();
    // A proxy may have looked at the other one.
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

    #[test]
    fn two_keys_are_none() {
        for second in [&b"Bearer sk-1"[..], b"Bearer sk-2", b"Basic x"] {
            let refused = key_of(&[b"Bearer sk-1", second]).expect_err("two keys");
            assert!(refused.contains("401") && refused.contains("more than one Authorization"), "{refused}");
        }
    }
}
