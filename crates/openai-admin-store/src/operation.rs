//! Runs operations: a request reads or changes one organization in one transaction.

pub(crate) mod audit_events;
pub(crate) mod audit_order;
pub(crate) mod change;
pub(crate) mod idempotency_keys;
pub(crate) mod reading;
pub(crate) mod tx;

use openai_admin::{Endpoint, Timestamp};

use crate::{
    base::{error::Result, org::Org, stamp::Stamp, time_limit::TimeLimit},
    engines::{lanes::Lane, transaction::Transaction},
    operation::{change::Change, reading::Reading, tx::Tx},
    store::Store,
};

/// A request that reads. Only this crate can implement it.
pub trait Reads: Endpoint {
    /// The lane that it waits in.
    fn lane(&self) -> Lane {
        Lane::Short
    }

    /// Reads the answer from one snapshot of the database.
    ///
    /// # Errors
    ///
    /// Those of the operation and of the database.
    fn read(&self, tx: &mut Reading<'_>) -> Result<Self::Response>;
}

/// A request that changes an organization. Only this crate can implement it.
pub trait Changes: Endpoint {
    /// Whether it deletes a resource with all its edges. It gets more time, and no membership is added in the
    /// organization while it runs.
    const ENDS: bool = false;

    /// The prefix of the secret that the change returns: its stamp must have one. An answer with a secret is never
    /// stored, so a retry under the same idempotency key is rejected.
    const SECRET: Option<&'static str> = None;

    /// Whether it changes keys that authenticate requests. Caches of keys in this store and its clones are stale then.
    const CHANGES_KEYS: bool = false;

    /// Makes the change and returns the answer. It may run again after a conflict with another change.
    ///
    /// # Errors
    ///
    /// Those of the operation and of the database. Nothing has changed then.
    fn change(&self, change: &mut Change<'_>) -> Result<Self::Response>;
}

impl Store {
    /// Runs a request that reads an organization. Resources that have expired by `at`, such as an invite, are shown as
    /// expired.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// use openai_admin::{Timestamp, operations::ListGroups};
    /// use openai_admin_store::{Stamp, Store};
    /// let store = Store::open_in_memory(None).await?;
    /// let organization = store.open_organization(Stamp::new(ulid::Ulid::from_parts(1, 1), "doc"), None).await?;
    /// assert!(store.read(organization.org, Timestamp::from_unix_seconds(1), ListGroups::new()).await?.data.is_empty());
    /// # Ok::<(), openai_admin_store::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// Those of the operation and of the database.
    pub async fn read<O: Reads>(&self, org: Org, at: Timestamp, request: O) -> Result<O::Response> {
        let lane = request.lane();
        let read = move |transaction: &mut Transaction<'_>| {
            request.read(&mut Reading::new(Tx::new(transaction, org), at))
        };
        match lane {
            Lane::Scan => self.scan(org, read).await,
            _ => self.query(read).await,
        }
    }

    /// Makes a change within an organization. It is on disk when this returns. With an idempotency key in the stamp, a
    /// creation is made at most once.
    ///
    /// # Errors
    ///
    /// Those of the operation and of the database. A creation also returns
    /// [`Error::IdempotencyKeyReused`](crate::Error::IdempotencyKeyReused),
    /// [`Error::IdempotentAnswerDeleted`](crate::Error::IdempotentAnswerDeleted), and, if its answer contains a secret,
    /// [`Error::IdempotentAnswerSecret`](crate::Error::IdempotentAnswerSecret).
    pub async fn change<O: Changes>(&self, org: Org, stamp: Stamp, request: O) -> Result<O::Response> {
        let time_limit = if O::ENDS { TimeLimit::Deletion } else { TimeLimit::Usual };
        let changed = self
            .transact_for(time_limit, Some(org), O::ENDS, move |transaction| {
                let mut change = Change::new(Tx::new(transaction, org), &stamp);
                if O::ENDS {
                    change.allow_long_statements(time_limit)?;
                }
                if O::IDEMPOTENT {
                    return request.change(&mut change);
                }
                idempotency_keys::once(&mut change, |change| request.change(change))
            })
            .await;
        // Also after an error: the outcome of the change may be unknown.
        if O::CHANGES_KEYS {
            self.api_keys_changed();
        }
        changed
    }
}
