//! A namespace: an organization of its own, with its clock, its faults and its journal.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::Router;
use openai_admin_server::{Config, Minter, Server};
use openai_admin_store::{Directory, Organization, Snapshot, Store};

use crate::{
    clock::{Clock, ClockReading, ClockStart, ClockStep},
    error::{Error, Result},
    faults::{FaultPlan, FaultReport, FaultRule, Faults},
    journal::{ExchangeFilter, Expectation, Journal, JournalBytes, JournalPage, Verified},
    randomness::Randomness,
    stale_reads::StaleReads,
};

/// How many snapshots a namespace keeps at most.
pub const SNAPSHOTS_MAX: usize = 100;
/// How long the name of a snapshot may be, in bytes.
const SNAPSHOT_NAME_BYTES_MAX: usize = 100;
/// Who changes what is loaded into it.
const ACTOR: &str = "emulator";

/// What every namespace begins with.
#[derive(Clone, Debug, Default)]
pub(crate) struct Beginning {
    pub(crate) seed: Option<u64>,
    pub(crate) clock: ClockStart,
    pub(crate) faults: FaultPlan,
    pub(crate) journals: JournalBytes,
}

/// An organization of its own. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Namespace(pub(crate) Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) name: String,
    beginning: Beginning,
    pub(crate) clock: Clock,
    ids: Randomness,
    minter: Minter,
    pub(crate) store: Store,
    organization: Organization,
    /// What `reset` goes back to.
    fixtures: Snapshot,
    snapshots: Mutex<BTreeMap<String, Snapshot>>,
    pub(crate) faults: Faults,
    pub(crate) journal: Journal,
    pub(crate) stale_reads: StaleReads,
    pub(crate) router: Router,
}

/// How requests show who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keys {
    /// By any key.
    Any,
    /// By a key that the store has.
    Stored,
}

impl Namespace {
    /// A namespace over `store`, which holds an organization and is as `fixtures` are.
    pub(crate) async fn open(
        name: &str,
        store: Store,
        fixtures: Snapshot,
        beginning: &Beginning,
        keys: Keys,
    ) -> Result<Self> {
        let clock = Clock::new(beginning.clock);
        let ids = Randomness::new(beginning.seed, &format!("ids of {name}"));
        let minter = minter(&clock, &ids);
        let organization = store.open_organization(minter.stamp(ACTOR), None).await?;
        // What opening took of the randomness depends on what was there.
        ids.restart();
        let draws = Randomness::new(beginning.seed, &format!("faults of {name}"));
        let faults = Faults::new(beginning.faults.clone(), draws);
        let router = router(&store, &minter, &organization, keys);
        let stale_reads = StaleReads::new(minter.clone(), organization.clone(), keys);
        Ok(Self(Arc::new(Inner {
            name: name.to_owned(),
            beginning: beginning.clone(),
            clock,
            ids,
            minter,
            store,
            organization,
            fixtures,
            snapshots: Mutex::default(),
            faults,
            journal: Journal::new(beginning.journals.clone()),
            stale_reads,
            router,
        })))
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Puts everything back as it was at the start: the organization, ids to come, clock, faults and journal. Named
    /// snapshots stay.
    ///
    /// # Errors
    ///
    /// Only those of the database.
    pub async fn reset(&self) -> Result<()> {
        let inner = &*self.0;
        inner.store.reset_to(&inner.fixtures).await?;
        inner.stale_reads.forget();
        inner.ids.restart();
        inner.clock.start(inner.beginning.clock);
        inner.faults.restart();
        inner.journal.clear();
        Ok(())
    }

    /// Keeps the organization as it is now, under a name; another one of that name is replaced.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] when the name is empty or too long, or when there are too many.
    pub async fn take_snapshot(&self, name: &str) -> Result<()> {
        if name.is_empty() || name.len() > SNAPSHOT_NAME_BYTES_MAX {
            let (length, max) = (name.len(), SNAPSHOT_NAME_BYTES_MAX);
            return Err(Error::invalid(format!(
                "the name of a snapshot has 1 to {max} bytes, and not {length}"
            )));
        }
        let snapshot = self.0.store.snapshot().await?;
        let mut snapshots = self.snapshots();
        if snapshots.len() >= SNAPSHOTS_MAX && !snapshots.contains_key(name) {
            return Err(Error::invalid(format!("there are {SNAPSHOTS_MAX} snapshots already: delete some")));
        }
        snapshots.insert(name.to_owned(), snapshot);
        Ok(())
    }

    /// Makes the organization what it was when the snapshot was taken. Clock, faults and journal go on.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] when there is no such snapshot.
    pub async fn restore_snapshot(&self, name: &str) -> Result<()> {
        let found = self.snapshots().get(name).cloned();
        let snapshot = found.ok_or_else(|| self.no_snapshot(name))?;
        self.0.store.reset_to(&snapshot).await?;
        self.0.stale_reads.forget();
        Ok(())
    }

    /// Lets go of a snapshot.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] when there is no such snapshot.
    pub fn delete_snapshot(&self, name: &str) -> Result<()> {
        let removed = self.snapshots().remove(name);
        removed.map(|_| ()).ok_or_else(|| self.no_snapshot(name))
    }

    /// The names of its snapshots.
    pub fn snapshot_names(&self) -> Vec<String> {
        self.snapshots().keys().cloned().collect()
    }

    fn no_snapshot(&self, name: &str) -> Error {
        let names = self.snapshot_names();
        let known = if names.is_empty() { "there are none".to_owned() } else { names.join(", ") };
        Error::NotFound(format!("there is no snapshot '{name}': {known}"))
    }

    fn snapshots(&self) -> MutexGuard<'_, BTreeMap<String, Snapshot>> {
        self.0.snapshots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The whole organization, as [`import`](Self::import) and the fixtures read it.
    ///
    /// # Errors
    ///
    /// Only those of the database.
    pub async fn export(&self) -> Result<Directory> {
        Ok(self.0.store.dump(self.0.organization.clone()).await?)
    }

    /// Creates what is missing of a directory and updates what differs: all of it or none.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`], which names the place in the directory.
    pub async fn import(&self, mut directory: Directory) -> Result<()> {
        // It is about the organization that is here, whatever it was called where it comes from.
        directory.organization = None;
        self.0.store.load(self.0.minter.stamp(ACTOR), directory).await?;
        self.0.stale_reads.forget();
        Ok(())
    }

    /// What its clock shows.
    pub fn clock(&self) -> ClockReading {
        self.0.clock.read()
    }

    /// Sets its clock.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] when it is set to no time.
    pub fn set_clock(&self, reading: &ClockReading) -> Result<()> {
        self.0.clock.set(reading).map_err(Error::Invalid)
    }

    /// Moves its clock on.
    pub fn step_clock(&self, step: ClockStep) {
        self.0.clock.step(step);
    }

    /// Its faults, and what has come of them.
    pub fn faults(&self) -> FaultReport {
        self.0.faults.report()
    }

    /// Replaces all faults.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] when they cannot be followed.
    pub fn set_faults(&self, plan: FaultPlan) -> Result<()> {
        plan.check().map_err(Error::Invalid)?;
        self.0.stale_reads.forget();
        self.0.faults.set(plan);
        Ok(())
    }

    /// Adds a fault after the others, and returns its name.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] when it cannot be followed, or when there is one of that name.
    pub fn add_fault(&self, rule: FaultRule) -> Result<String> {
        rule.check().and_then(|()| self.0.faults.add(rule)).map_err(Error::Invalid)
    }

    /// Removes a fault.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] when there is none of that name.
    pub fn remove_fault(&self, name: &str) -> Result<()> {
        let missing = || Error::NotFound(format!("there is no fault '{name}'"));
        self.0.faults.remove(name).then_some(()).ok_or_else(missing)
    }

    /// What it was asked and has answered: those that are meant, of which the number is greater than `after`.
    pub fn requests(&self, filter: &ExchangeFilter, after: u64, limit: Option<usize>) -> JournalPage {
        self.0.journal.page(filter, after, limit)
    }

    /// Forgets what it was asked.
    pub fn clear_requests(&self) {
        self.0.journal.clear();
    }

    /// Whether it was asked as often as expected.
    ///
    /// # Errors
    ///
    /// [`Error::NotVerified`], which says what it was asked instead; [`Error::Invalid`] when it is not said how often.
    pub fn verify(&self, expectation: &Expectation) -> Result<Verified> {
        self.0.journal.verify(expectation)
    }
}

fn minter(clock: &Clock, ids: &Randomness) -> Minter {
    let (clock, ids) = (clock.clone(), ids.clone());
    Minter::new(move || clock.now_ms(), move || ids.bits())
}

/// The service that answers the API from a store.
pub(crate) fn router(store: &Store, minter: &Minter, organization: &Organization, keys: Keys) -> Router {
    let server = Server::new(store.clone(), minter.clone(), Config::default());
    match keys {
        Keys::Any => server.router_for_any_key(organization),
        Keys::Stored => server.router(),
    }
}
