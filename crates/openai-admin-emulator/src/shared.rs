//! What all requests share: the namespaces, and which one a request is for.

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
    namespace::{Beginning, Namespace},
    paths,
};

/// Before the name of a namespace in a path.
const NAMESPACE_PREFIX: &str = "/_ns/";
/// The namespace of who names none.
pub(crate) const DEFAULT: &str = "default";
/// How many namespaces there are at most; each has a database and a thread of its own.
pub const NAMESPACES_MAX: usize = 4096;
/// How many requests of the API are worked on or held up at the same time at most, with those whose client has gone.
pub(crate) const RUNNING_MAX: usize = 10_000;
/// How long the name of a namespace may be, in bytes.
const NAME_BYTES_MAX: usize = 100;
/// How many bytes of a key's hash name its namespace.
const KEY_HASH_BYTES: usize = 8;

/// What a request makes of a namespace that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Makes {
    /// One that stays.
    Kept,
    /// One for this request alone: it only looks, or shows no key.
    Passing,
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) hosts: AllowedHosts,
    pub(crate) bodies: Budget,
    pub(crate) running: Arc<Semaphore>,
    pub(crate) beginning: Beginning,
    pub(crate) keys: Keys,
    /// The hashes of the keys that are taken, where not all are.
    pub(crate) key_hashes: Vec<KeyHash>,
    pub(crate) is_strict: bool,
    pub(crate) is_loose: bool,
    pub(crate) isolates_by_key: bool,
    /// What a new namespace begins as.
    pub(crate) fixtures: Snapshot,
    pub(crate) default: Namespace,
    pub(crate) namespaces: Mutex<BTreeMap<String, Arc<OnceCell<Namespace>>>>,
}

impl Shared {
    /// The name of the namespace that a request is for; what names it is taken out of the path.
    pub(crate) fn place(&self, parts: &mut Parts) -> Result<String> {
        if let Some(rest) = parts.uri.path().strip_prefix(NAMESPACE_PREFIX) {
            let name = rest.split('/').next().unwrap_or_default().to_owned();
            check_name(&name)?;
            let prefix_length = NAMESPACE_PREFIX.len() + name.len();
            parts.uri = paths::without_prefix(&parts.uri, prefix_length)
                .ok_or_else(|| Error::invalid("the path after the namespace is none"))?;
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

    /// What a request of the API makes of a namespace that is not there: one without a key makes none.
    pub(crate) fn makes(&self, headers: &HeaderMap) -> Makes {
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
        if is_taken { Makes::Kept } else { Makes::Passing }
    }

    /// A namespace. One that is not there is made from the fixtures, and kept or not.
    pub(crate) async fn namespace(&self, name: &str, makes: Makes) -> Result<Namespace> {
        if name == DEFAULT {
            return Ok(self.default.clone());
        }
        let Some(place) = self.place_of(name, makes)? else { return self.open(name).await };
        let opened = place.get_or_try_init(|| self.open(name)).await.cloned();
        if opened.is_err() {
            // One that could not be made is not there. Another request may just have made it.
            let mut namespaces = self.lock();
            if namespaces.get(name).is_some_and(|place| !place.initialized()) {
                namespaces.remove(name);
            }
        }
        opened
    }

    /// Where a namespace is kept; none for one that is not there and not to be kept.
    fn place_of(&self, name: &str, makes: Makes) -> Result<Option<Arc<OnceCell<Namespace>>>> {
        let mut namespaces = self.lock();
        let is_there = namespaces.contains_key(name);
        if !is_there && makes == Makes::Passing {
            return Ok(None);
        }
        if !is_there && namespaces.len() >= NAMESPACES_MAX {
            return Err(Error::invalid(format!(
                "there are {NAMESPACES_MAX} namespaces already: delete those that are done with, by DELETE \
                 {}/namespaces/NAME",
                paths::CONTROLS_PREFIX
            )));
        }
        Ok(Some(Arc::clone(namespaces.entry(name.to_owned()).or_default())))
    }

    async fn open(&self, name: &str) -> Result<Namespace> {
        let store = Store::open_in_memory(Some(self.fixtures.clone())).await?;
        Namespace::open(name, store, self.fixtures.clone(), &self.beginning, self.keys).await
    }

    pub(crate) fn namespace_names(&self) -> Vec<String> {
        let named = self.lock();
        std::iter::once(DEFAULT.to_owned()).chain(named.keys().cloned()).collect()
    }

    /// Lets go of a namespace; who asks for it again gets a new one.
    pub(crate) fn delete_namespace(&self, name: &str) -> Result<()> {
        if name == DEFAULT {
            return Err(Error::invalid(format!("'{DEFAULT}' cannot be deleted: reset it")));
        }
        self.lock()
            .remove(name)
            .map(|_| ())
            .ok_or_else(|| Error::NotFound(format!("there is no namespace '{name}'")))
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

/// The namespace of a key. The key itself is nowhere kept.
pub(crate) fn name_of_key(authorization: &[u8]) -> String {
    let digest = Sha256::digest(authorization);
    let hash: String = hexadecimal(&digest[..KEY_HASH_BYTES]).map(char::from).collect();
    format!("key-{hash}")
}

pub(crate) fn check_name(name: &str) -> Result<()> {
    let is_sound = (1..=NAME_BYTES_MAX).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if is_sound {
        return Ok(());
    }
    let name: String = name.chars().take(NAME_BYTES_MAX).collect();
    Err(Error::invalid(format!(
        "'{name}' names no namespace: use 1 to {NAME_BYTES_MAX} letters, digits, '-', '_' and '.'"
    )))
}
