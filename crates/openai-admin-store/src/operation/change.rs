use crate::{
    base::{
        error::{Error, Result},
        kind::Kind,
        secret::Secret,
        stamp::Stamp,
    },
    operation::{
        audit_events::{Audit, Places},
        tx::Tx,
    },
};

/// A transaction that changes an organization. It has a stamp, records events and generates ids.
pub struct Change<'a> {
    tx: Tx<'a>,
    stamp: &'a Stamp,
    audit: Audit<'a>,
    /// How many ids were generated.
    minted: u128,
    created: Option<(Kind, i64)>,
    shows_secret: bool,
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
    pub(crate) fn new(mut tx: Tx<'a>, stamp: &'a Stamp) -> Self {
        tx.set_rules(stamp.rules);
        Self { tx, stamp, audit: Audit::new(stamp), minted: 0, created: None, shows_secret: false }
    }

    /// For a change that also created its organization, which has event and id number 0.
    pub(crate) fn after_creation(tx: Tx<'a>, stamp: &'a Stamp) -> Self {
        Self { audit: Audit::after_creation(stamp), minted: 1, ..Self::new(tx, stamp) }
    }

    pub(crate) fn stamp(&self) -> &'a Stamp {
        self.stamp
    }

    /// Generates the id of a resource that the change creates.
    pub(crate) fn mint<T>(&mut self, prefix: &str) -> Result<T>
    where
        T: TryFrom<String, Error: Into<Box<dyn std::error::Error + Send + Sync>>>,
    {
        let id = self.stamp.mint(prefix, self.minted);
        self.minted += 1;
        T::try_from(id).map_err(Error::internal)
    }

    /// The secret of the answer. After this call, the answer is not stored under an idempotency key.
    pub(crate) fn show_secret(&mut self) -> Result<&'a Secret> {
        self.shows_secret = true;
        self.stamp.secret.as_ref().ok_or_else(|| Error::internal("the stamp has no secret"))
    }

    /// Whether the answer contains a secret.
    pub(crate) fn shows_secret(&self) -> bool {
        self.shows_secret
    }

    /// Records an event.
    pub(crate) fn record(&mut self, event: &str, places: Places<'_>) -> Result<()> {
        self.audit.record(&mut self.tx, event, places)
    }

    /// Records an event for each row of an edge that is about to be deleted.
    pub(crate) fn record_ends(&mut self, record: [&'static str; 2], event: &str, seq: i64) -> Result<()> {
        self.audit.record_ends(&mut self.tx, record, event, seq)
    }

    /// Notes the created resource, for the idempotency key.
    pub(crate) fn creates(&mut self, kind: Kind, seq: i64) {
        self.created = Some((kind, seq));
    }

    pub(crate) fn created(&self) -> Option<(Kind, i64)> {
        self.created
    }
}
