use openai_admin::Timestamp;
use ulid::Ulid;

use crate::base::secret::Secret;

/// Who makes a change, when, and under which id: what a store would otherwise take from a hidden clock and hidden
/// random numbers.
#[derive(Clone, Debug)]
pub struct Stamp {
    /// The id of the change; what the change creates gets its id from it.
    pub change: Ulid,
    /// Who makes it: the id of a key, or the name of a command.
    pub actor: String,
    /// What makes a creation that is sent again the same one; none lets each be one of its own. Changes that do the
    /// same when they are made twice take no notice of it.
    pub idempotency_key: Option<IdempotencyKey>,
    /// What the change hands out once, if it hands out a secret.
    pub secret: Option<Secret>,
}

impl Stamp {
    /// A change by `actor`. The time of the change is the time in its id.
    pub fn new(change: Ulid, actor: impl Into<String>) -> Self {
        Self { change, actor: actor.into(), idempotency_key: None, secret: None }
    }

    /// The same change, made only once under this key.
    #[must_use]
    pub fn once(self, idempotency_key: Option<IdempotencyKey>) -> Self {
        Self { idempotency_key, ..self }
    }

    /// The same change, with a secret to hand out.
    #[must_use]
    pub fn with_secret(self, secret: Secret) -> Self {
        Self { secret: Some(secret), ..self }
    }

    /// When the change is made.
    pub fn at(&self) -> Timestamp {
        Timestamp::from_unix_seconds(self.seconds())
    }

    pub(crate) fn seconds(&self) -> i64 {
        i64::try_from(self.change.timestamp_ms() / 1000).unwrap_or(i64::MAX)
    }

    /// The id of the `item`th thing that the change creates: `prefix` and the ULID of the change, counted on.
    pub(crate) fn mint(&self, prefix: &str, item: u128) -> String {
        let ulid = Ulid::from_parts(self.change.timestamp_ms(), self.change.random().wrapping_add(item));
        format!("{prefix}{}", ulid)
    }
}

/// What tells a request that is sent again from another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// A hash of the key that the caller chose.
    pub key: String,
    /// A hash of everything that was asked.
    pub request: String,
}
