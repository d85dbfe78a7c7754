//! The state that all requests share, and the selection of their namespace.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::http::{HeaderMap, header, request::Parts};
use openai_admin::hexadecimal;
use openai_admin_server::browser::AllowedHosts;
use openai_admin_store::{Snapshot, Store};
use sha2::{Digest as _, Sha256};
use tokio::sync::{OnceCell, Semaphore};

use crate::{
    error::{Error, Result},
    keys::Keys,
    memory::Budget,
    namespace::{InitialState, Namespace},
    paths,
};

/// The prefix of a namespace's name in a path.
const NAMESPACE_PREFIX: &str = "/_ns/";
/// The namespace of requests that select none.
pub(crate) const DEFAULT: &str = "default";
/// The maximum number of namespaces. Each has a database and a thread.
pub const NAMESPACES_MAX: usize = 4096;
/// The maximum number of concurrent API requests, including delayed ones and those whose client has disconnected.
pub(crate) const RUNNING_MAX: usize = 10_000;
/// The maximum length of a namespace's name, in bytes.
const NAME_BYTES_MAX: usize = 100;
/// How many bytes of a key's hash are in the name of its namespace.
const KEY_HASH_BYTES: usize = 8;

/// What a request does if its namespace does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnMissing {
    /// Creates it.
    Create,
    /// Uses a temporary one: the request only reads, or has no valid key.
    UseTemporary,
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) hosts: AllowedHosts,
    pub(crate) bodies: Budget,
    pub(crate) running: Arc<Semaphore>,
    pub(crate) initial_state: InitialState,
    pub(crate) keys: Keys,
    /// The hashes of the accepted keys, unless any key is accepted.
    pub(crate) key_hashes: Vec<KeyHash>,
    pub(crate) is_strict: bool,
    pub(crate) isolates_by_key: bool,
    /// The initial state of a namespace.
    pub(crate) fixtures: Snapshot,
    pub(crate) default: Namespace,
    pub(crate) namespaces: Mutex<BTreeMap<String, Arc<OnceCell<Namespace>>>>,
}

impl Shared {
    /// The name of a request's namespace. Removes the prefix of a namespace from the path.
    pub(crate) fn take_namespace_name(&self, parts: &mut Parts) -> Result<String> {
        if let Some(rest) = parts.uri.path().strip_prefix(NAMESPACE_PREFIX) {
            let name = rest.split('/').next().unwrap_or_default().to_owned();
            check_name(&name)?;
            let prefix_length = NAMESPACE_PREFIX.len() + name.len();
            parts.uri = paths::without_prefix(&parts.uri, prefix_length)
                .ok_or_else(|| Error::invalid("the path after the namespace is invalid"))?;
            return Ok(name);
        }
        if parts.uri.path().starts_with(paths::CONTROLS_PREFIX)
            && let Some(name) = named_in_query(parts.uri.query().unwrap_or_default())
        {
            check_name(&name)?;
            return Ok(name);
        }
        let key = parts.headers.get(header::AUTHORIZATION).filter(|_| self.isolates_by_key);
        Ok(key.map_or_else(|| DEFAULT.to_owned(), |key| name_of_key(key.as_bytes())))
    }

    /// What an API request does if its namespace does not exist: only a request with a valid key creates it.
    pub(crate) fn on_missing(&self, headers: &HeaderMap) -> OnMissing {
        let value = headers.get(header::AUTHORIZATION).map(|value| value.as_bytes().trim_ascii());
        let key = value.and_then(|value| {
            let (scheme, key) = value.split_at(value.iter().position(|byte| *byte == b' ')?);
            let key = key.trim_ascii();
            (scheme.eq_ignore_ascii_case(b"bearer") && !key.is_empty()).then_some(key)
        });
        let is_taken = key.is_some_and(|key| match self.keys {
            Keys::Any => true,
            Keys::Stored => self.key_hashes.contains(&key_hash(key)),
        });
        if is_taken { OnMissing::Create } else { OnMissing::UseTemporary }
    }

    /// A namespace. If it does not exist, it is created from the fixtures, permanently or temporarily.
    pub(crate) async fn namespace(&self, name: &str, on_missing: OnMissing) -> Result<Namespace> {
        if name == DEFAULT {
            return Ok(self.default.clone());
        }
        let Some(cell) = self.cell_of(name, on_missing)? else { return self.open(name).await };
        let opened = cell.get_or_try_init(|| self.open(name)).await.cloned();
        if opened.is_err() {
            // Removes a namespace that was not created, unless another request has just created it.
            let mut namespaces = self.lock();
            if namespaces.get(name).is_some_and(|cell| !cell.initialized()) {
                namespaces.remove(name);
            }
        }
        opened
    }

    /// The cell of a namespace. `None` if it does not exist and is not to be created.
    fn cell_of(&self, name: &str, on_missing: OnMissing) -> Result<Option<Arc<OnceCell<Namespace>>>> {
        let mut namespaces = self.lock();
        let exists = namespaces.contains_key(name);
        if !exists && on_missing == OnMissing::UseTemporary {
            return Ok(None);
        }
        if !exists && namespaces.len() >= NAMESPACES_MAX {
            return Err(Error::invalid(format!(
                "the limit of {NAMESPACES_MAX} namespaces is reached: delete unused ones with DELETE \
                 {}/namespaces/NAME",
                paths::CONTROLS_PREFIX
            )));
        }
        Ok(Some(Arc::clone(namespaces.entry(name.to_owned()).or_default())))
    }

    async fn open(&self, name: &str) -> Result<Namespace> {
        let store = Store::open_in_memory(Some(self.fixtures.clone())).await?;
        Namespace::open(name, store, self.fixtures.clone(), &self.initial_state, self.keys).await
    }

    pub(crate) fn namespace_names(&self) -> Vec<String> {
        let named = self.lock();
        std::iter::once(DEFAULT.to_owned()).chain(named.keys().cloned()).collect()
    }

    /// Deletes a namespace. The next request to it creates a new one.
    pub(crate) fn delete_namespace(&self, name: &str) -> Result<()> {
        if name == DEFAULT {
            return Err(Error::invalid(format!("cannot delete '{DEFAULT}': reset it instead")));
        }
        self.lock().remove(name).map(|_| ()).ok_or_else(|| Error::NotFound(format!("no namespace '{name}'")))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Arc<OnceCell<Namespace>>>> {
        self.namespaces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn named_in_query(query: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find(|(name, _)| name == "namespace").map(|(_, value)| value.into_owned())
}

pub(crate) type KeyHash = [u8; 32];

pub(crate) fn key_hash(key: &[u8]) -> KeyHash {
    Sha256::digest(key).into()
}

/// The name of a key's namespace. The key itself is not stored.
pub(crate) fn name_of_key(authorization: &[u8]) -> String {
    let digest = Sha256::digest(authorization);
    let hash: String = hexadecimal(&digest[..KEY_HASH_BYTES]).map(char::from).collect();
    format!("key-{hash}")
}

pub(crate) fn check_name(name: &str) -> Result<()> {
    let is_valid = (1..=NAME_BYTES_MAX).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if is_valid {
        return Ok(());
    }
    let name: String = name.chars().take(NAME_BYTES_MAX).collect();
    Err(Error::invalid(format!(
        "invalid namespace name '{name}': use 1 to {NAME_BYTES_MAX} letters, digits, '-', '_' and '.'"
    )))
}
