//! How an operation runs: its request reads or changes one organization in one transaction.

use openai_admin::Endpoint;

use crate::{
    audit_events::{Audit, Places},
    error::{Error, Result},
    idempotency_keys,
    kind::Kind,
    lanes::Lane,
    org::Org,
    stamp::Stamp,
    store::Store,
    time_limit::TimeLimit,
    tx::Tx,
};

/// A request that reads. Only this crate can implement it.
pub trait Reads: Endpoint {
    /// Which reads it waits with.
    fn lane(&self) -> Lane {
        Lane::Short
    }

    /// Reads the answer, on one snapshot of the database.
    ///
    /// # Errors
    ///
    /// Those of the operation and of the database.
    fn read(&self, tx: &mut Tx<'_>) -> Result<Self::Response>;
}

/// A request that changes something. Only this crate can implement it.
pub trait Changes: Endpoint {
    /// Whether it ends a thing with all its edges: it gets more time, and no membership is added in the organization
    /// meanwhile.
    const ENDS: bool = false;

    /// Makes the change and returns the answer. It may run again after it met another change.
    ///
    /// # Errors
    ///
    /// Those of the operation and of the database; nothing is changed then.
    fn change(&self, change: &mut Change<'_>) -> Result<Self::Response>;
}

/// A transaction that changes an organization: it knows who changes it, records what happens, and mints ids.
pub struct Change<'a> {
    tx: Tx<'a>,
    stamp: &'a Stamp,
    audit: Audit<'a>,
    /// How many ids were minted.
    minted: u128,
    created: Option<(Kind, i64)>,
}

impl<'a> std::ops::Deref for Change<'a> {
    type Target = Tx<'a>;
    fn deref(&self) -> &Tx<'a> {
        &self.tx
    }
}

impl std::ops::DerefMut for Change<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.tx
    }
}

impl<'a> Change<'a> {
    pub(crate) fn new(tx: Tx<'a>, stamp: &'a Stamp) -> Self {
        Self { tx, stamp, audit: Audit::new(stamp), minted: 0, created: None }
    }

    /// For a change that has created its organization too: event and id number 0 are that.
    pub(crate) fn after_creation(tx: Tx<'a>, stamp: &'a Stamp) -> Self {
        Self { audit: Audit::after_creation(stamp), minted: 1, ..Self::new(tx, stamp) }
    }

    pub(crate) fn stamp(&self) -> &'a Stamp {
        self.stamp
    }

    /// An id for something that the change creates.
    pub(crate) fn mint<T>(&mut self, prefix: &str) -> Result<T>
    where
        T: TryFrom<String, Error: Into<Box<dyn std::error::Error + Send + Sync>>>,
    {
        let id = self.stamp.mint(prefix, self.minted);
        self.minted += 1;
        T::try_from(id).map_err(Error::internal)
    }

    /// Records an event.
    pub(crate) fn record(&mut self, event: &str, places: Places<'_>) -> Result<()> {
        self.audit.record(&mut self.tx, event, places)
    }

    /// Records an event for each row of an edge that ends. Call it before the rows are deleted.
    pub(crate) fn record_ends(&mut self, record: [&'static str; 2], event: &str, seq: i64) -> Result<()> {
        self.audit.record_ends(&mut self.tx, record, event, seq)
    }

    /// Notes what the change creates, for its idempotency key.
    pub(crate) fn creates(&mut self, kind: Kind, seq: i64) {
        self.created = Some((kind, seq));
    }

    pub(crate) fn created(&self) -> Option<(Kind, i64)> {
        self.created
    }
}

impl Store {
    /// Answers a request that reads, within an organization.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// use openai_admin::operations::ListGroups;
    /// use openai_admin_store::{Stamp, Store};
    /// let store = Store::open_in_memory(None).await?;
    /// let organization = store.open_organization(Stamp::new(ulid::Ulid::from_parts(1, 1), "doc"), None).await?;
    /// assert!(store.read(organization.org, ListGroups::new()).await?.data.is_empty());
    /// # Ok::<(), openai_admin_store::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// Those of the operation and of the database.
    pub async fn read<O: Reads>(&self, org: Org, request: O) -> Result<O::Response> {
        match request.lane() {
            Lane::Scan => {
                self.scan(org, move |transaction| request.read(&mut Tx::new(transaction, org))).await
            }
            _ => self.query(move |transaction| request.read(&mut Tx::new(transaction, org))).await,
        }
    }

    /// Makes a change within an organization. It is on disk when this returns. A creation is made once under the
    /// idempotency key of the stamp.
    ///
    /// # Errors
    ///
    /// Those of the operation and of the database; of a creation also [`Error::IdempotencyKeyReused`] and
    /// [`Error::IdempotentAnswerDeleted`].
    pub async fn change<O: Changes>(&self, org: Org, stamp: Stamp, request: O) -> Result<O::Response> {
        let time_limit = if O::ENDS { TimeLimit::Deletion } else { TimeLimit::Usual };
        self.transact_for(time_limit, Some(org), O::ENDS, move |transaction| {
            let mut change = Change::new(Tx::new(transaction, org), &stamp);
            if O::ENDS {
                change.allow_long_statements(time_limit)?;
            }
            if O::IDEMPOTENT {
                return request.change(&mut change);
            }
            idempotency_keys::once(&mut change, |change| request.change(change))
        })
        .await
    }
}
