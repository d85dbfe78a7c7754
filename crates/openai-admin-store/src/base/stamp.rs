use std::sync::Arc;

use openai_admin::Timestamp;
use ulid::Ulid;

use crate::base::{rule::Rules, secret::Secret};

/// The author, time and id of a change. They are arguments, because the store reads neither a clock nor a random number
/// generator.
#[derive(Clone, Debug)]
pub struct Stamp {
    /// The id of the change. The ids of the created resources derive from it.
    pub change: Ulid,
    /// The author: the id of a key, or the name of a command.
    pub actor: String,
    /// Identifies retries of the same creation. `None`: each request is a separate creation. Changes that are
    /// idempotent by nature ignore it.
    pub idempotency_key: Option<IdempotencyKey>,
    /// The secret that the change returns, if it returns one.
    pub secret: Option<Secret>,
    /// The scopes of the author. An API key that the change creates has them.
    pub scopes: Vec<String>,
    /// The rules that apply to the change: all of them, except in an emulator.
    pub rules: Rules,
    /// The ids of the first created resources, in their order. The others are generated.
    pub ids: Option<Arc<[String]>>,
}

impl Stamp {
    /// A change by `actor`. The time of the change is the time in its id.
    pub fn new(change: Ulid, actor: impl Into<String>) -> Self {
        Self {
            change,
            actor: actor.into(),
            idempotency_key: None,
            secret: None,
            scopes: Vec::new(),
            rules: Rules::default(),
            ids: None,
        }
    }

    /// The same change, made at most once under this key.
    #[must_use]
    pub fn once(self, idempotency_key: Option<IdempotencyKey>) -> Self {
        Self { idempotency_key, ..self }
    }

    /// The same change, with a secret to return.
    #[must_use]
    pub fn with_secret(self, secret: Secret) -> Self {
        Self { secret: Some(secret), ..self }
    }

    /// The same change, by an author with these scopes.
    #[must_use]
    pub fn with_scopes(self, scopes: Vec<String>) -> Self {
        Self { scopes, ..self }
    }

    /// The time of the change.
    pub fn at(&self) -> Timestamp {
        Timestamp::from_unix_seconds(self.seconds())
    }

    pub(crate) fn seconds(&self) -> i64 {
        i64::try_from(self.change.timestamp_ms() / 1000).unwrap_or(i64::MAX)
    }

    /// The id of the `item`th resource that the change creates: a given one, or `prefix` and the ULID of the change
    /// plus `item`.
    pub(crate) fn mint(&self, prefix: &str, item: u128) -> String {
        let given = self.ids.as_deref().zip(usize::try_from(item).ok());
        if let Some(id) = given.and_then(|(ids, item)| ids.get(item)) {
            return id.clone();
        }
        let ulid = Ulid::from_parts(self.change.timestamp_ms(), self.change.random().wrapping_add(item));
        format!("{prefix}{}", ulid)
    }
}

/// Distinguishes a retried request from another request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// A hash of the key that the caller chose.
    pub key: String,
    /// A hash of the whole request.
    pub request: String,
}
