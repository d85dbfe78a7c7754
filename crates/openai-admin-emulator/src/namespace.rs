//! A namespace: an organization of its own, with its clock, its faults and its journal.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::Router;
use openai_admin_server::Minter;
use openai_admin_store::{Directory, Organization, Snapshot, Store};

use crate::{
    clock::{Clock, ClockReading, ClockStart, ClockStep},
    error::{Error, Result},
    faults::{Fault, FaultPlan, FaultReport, FaultRule, Faults},
    journal::{ExchangeFilter, Expectation, JOURNALS_BYTES_MAX, Journal, JournalPage, Verified},
    keys::{Keys, router},
    memory::{Budget, Reserved},
    randomness::Randomness,
    stale_reads::StaleReads,
};

/// How many snapshots a namespace keeps at most.
pub const SNAPSHOTS_MAX: usize = 100;
/// How many bytes the snapshots of all namespaces take at most, together, with those that stale reads need.
pub const SNAPSHOTS_BYTES_MAX: usize = 512 * 1024 * 1024;
/// How many bytes the organizations of all namespaces in memory take at most, together: each counts as large as it was
/// when it was made, imported into or restored.
pub const NAMESPACES_BYTES_MAX: usize = 2 * 1024 * 1024 * 1024;
/// What a thing, or a row that joins two, that is imported takes with its indices: about three times as much as measured.
const ROW_BYTES: usize = 512;
/// How long the name of a snapshot may be, in bytes.
const SNAPSHOT_NAME_BYTES_MAX: usize = 100;
/// Who changes what is loaded into it.
const ACTOR: &str = "emulator";

/// What every namespace begins with.
#[derive(Clone, Debug)]
pub(crate) struct Beginning {
    pub(crate) seed: Option<u64>,
    /// The seed of ids. Another one than `seed` over a file that holds ids of an earlier run.
    pub(crate) ids_seed: Option<u64>,
    pub(crate) clock: ClockStart,
    pub(crate) faults: FaultPlan,
    pub(crate) room: Room,
}

/// How many bytes all namespaces hold together.
#[derive(Clone, Debug)]
pub(crate) struct Room {
    pub(crate) journals: Budget,
    pub(crate) snapshots: Budget,
    pub(crate) organizations: Budget,
}

impl Default for Room {
    fn default() -> Self {
        Self {
            journals: Budget::of(JOURNALS_BYTES_MAX),
            snapshots: Budget::of(SNAPSHOTS_BYTES_MAX),
            organizations: Budget::of(NAMESPACES_BYTES_MAX),
        }
    }
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
    /// What the organization takes.
    size: Mutex<Reserved>,
    snapshots: Mutex<BTreeMap<String, Kept>>,
    pub(crate) faults: Faults,
    pub(crate) journal: Journal,
    pub(crate) stale_reads: StaleReads,
    pub(crate) router: Router,
}

/// A snapshot that has a name.
#[derive(Debug)]
struct Kept {
    snapshot: Snapshot,
    /// Where ids go on after it.
    mark: u64,
    _size: Reserved,
}

impl Namespace {
    /// A namespace over `store`, which holds an organization and is as `fixtures` are.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] when there is no room for it.
    pub(crate) async fn open(
        name: &str,
        store: Store,
        fixtures: Snapshot,
        beginning: &Beginning,
        keys: Keys,
    ) -> Result<Self> {
        let size = beginning.room.organizations.reserve(fixtures.size_bytes()).ok_or_else(no_room)?;
        let clock = Clock::new(beginning.clock);
        let ids = Randomness::new(beginning.ids_seed, &format!("ids of {name}"));
        let minter = minter(&clock, &ids);
        let organization = store.open_organization(minter.stamp(ACTOR), None).await?;
        // What opening took of the randomness depends on what was there.
        ids.restart();
        let draws = Randomness::new(beginning.seed, &format!("faults of {name}"));
        let faults = Faults::new(beginning.faults.clone(), draws);
        let router = router(&store, &minter, &organization, keys);
        let snapshots = beginning.room.snapshots.clone();
        let stale_reads = StaleReads::new(minter.clone(), organization.clone(), keys, snapshots);
        Ok(Self(Arc::new(Inner {
            name: name.to_owned(),
            beginning: beginning.clone(),
            clock,
            ids,
            minter,
            store,
            organization,
            fixtures,
            size: Mutex::new(size),
            snapshots: Mutex::default(),
            faults,
            journal: Journal::new(beginning.room.journals.clone()),
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
        self.size().set(inner.fixtures.size_bytes());
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
    /// [`Error::Invalid`] when the name is empty or too long, or when there are too many or too large ones.
    pub async fn take_snapshot(&self, name: &str) -> Result<()> {
        if name.is_empty() || name.len() > SNAPSHOT_NAME_BYTES_MAX {
            let (length, max) = (name.len(), SNAPSHOT_NAME_BYTES_MAX);
            return Err(Error::invalid(format!(
                "the name of a snapshot has 1 to {max} bytes, and not {length}"
            )));
        }
        let mark = self.0.ids.mark();
        let snapshot = self.0.store.snapshot().await?;
        let mut snapshots = self.snapshots();
        if snapshots.len() >= SNAPSHOTS_MAX && !snapshots.contains_key(name) {
            return Err(Error::invalid(format!("there are {SNAPSHOTS_MAX} snapshots already: delete some")));
        }
        let bytes = snapshot.size_bytes();
        let size = self.0.beginning.room.snapshots.reserve(bytes).ok_or_else(|| {
            Error::invalid(format!(
                "there is no room for a snapshot of {bytes} bytes: all snapshots together take                  {SNAPSHOTS_BYTES_MAX} at most; delete some"
            ))
        })?;
        snapshots.insert(name.to_owned(), Kept { snapshot, mark, _size: size });
        Ok(())
    }

    /// Makes the organization what it was when the snapshot was taken. Clock, faults and journal go on. With a seed, the
    /// ids to come are the same after each restore, and none that the snapshot has.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] when there is no such snapshot.
    pub async fn restore_snapshot(&self, name: &str) -> Result<()> {
        let found = self.snapshots().get(name).map(|kept| (kept.snapshot.clone(), kept.mark));
        let (snapshot, mark) = found.ok_or_else(|| self.no_snapshot(name))?;
        self.0.store.reset_to(&snapshot).await?;
        self.0.stale_reads.forget();
        self.size().set(snapshot.size_bytes());
        self.0.ids.go_back_to(mark);
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

    fn snapshots(&self) -> MutexGuard<'_, BTreeMap<String, Kept>> {
        self.0.snapshots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn size(&self) -> MutexGuard<'_, Reserved> {
        self.0.size.lock().unwrap_or_else(PoisonError::into_inner)
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
    /// [`Error::Invalid`], which names the place in the directory, or says that there is no room for it.
    pub async fn import(&self, mut directory: Directory) -> Result<()> {
        let inner = &*self.0;
        if !self.size().grow(rows(&directory).saturating_mul(ROW_BYTES)) {
            return Err(no_room());
        }
        // It is about the organization that is here, whatever it was called where it comes from.
        directory.organization = None;
        inner.ids.go_on_after(|| serde_json::to_vec(&directory).unwrap_or_default());
        let loaded = inner.store.load(inner.minter.stamp(ACTOR), directory).await;
        let bytes = inner.store.size_bytes().await?;
        self.size().set(usize::try_from(bytes).unwrap_or(usize::MAX));
        inner.stale_reads.forget();
        loaded?;
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
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] when nothing can ever be what the filter says, such as an operation that does not exist.
    pub async fn requests(
        &self,
        filter: &ExchangeFilter,
        after: u64,
        limit: Option<usize>,
    ) -> Result<JournalPage> {
        self.check(filter)?;
        Ok(self.0.journal.page(filter, after, limit).await)
    }

    /// Refuses a filter that nothing can match here.
    fn check(&self, filter: &ExchangeFilter) -> Result<()> {
        filter.check()?;
        let Some(fault) = filter.fault_name() else { return Ok(()) };
        if Fault::KINDS.contains(&fault) || self.0.faults.has(fault) || self.0.journal.has_fault(fault) {
            return Ok(());
        }
        let kinds = Fault::KINDS.join(", ");
        Err(Error::invalid(format!(
            "there is no fault '{fault}': use the name of a rule, any, none, or a kind: {kinds}"
        )))
    }

    /// Forgets what it was asked.
    pub fn clear_requests(&self) {
        self.0.journal.clear();
    }

    /// Whether it was asked as often as expected.
    ///
    /// # Errors
    ///
    /// [`Error::NotVerified`], which says what it was asked instead; [`Error::Invalid`] when it is not said how often, or
    /// when nothing can ever be what is expected, such as an operation that does not exist.
    pub async fn verify(&self, expectation: &Expectation) -> Result<Verified> {
        expectation.filters().try_for_each(|filter| self.check(filter))?;
        self.0.journal.verify(expectation).await
    }
}

fn no_room() -> Error {
    Error::invalid(format!(
        "there is no room for it: the organizations of all namespaces together take {NAMESPACES_BYTES_MAX} bytes at most; \
         delete namespaces that are done with"
    ))
}

/// How many things there are, rows that join them, and permissions, each of which may be as long as a row.
fn rows(directory: &Directory) -> usize {
    let of_users = directory.users.iter().map(|user| 1 + user.roles.len()).sum::<usize>();
    let of_groups =
        directory.groups.iter().map(|group| 1 + group.members.len() + group.roles.len()).sum::<usize>();
    let of_roles =
        directory.roles.iter().map(|role| 1 + role.permissions.as_ref().map_or(0, Vec::len)).sum::<usize>();
    of_users + of_groups + of_roles
}

fn minter(clock: &Clock, ids: &Randomness) -> Minter {
    let (clock, ids, steady) = (clock.clone(), ids.clone(), clock.clone());
    Minter::new(move || clock.now_ms(), move || ids.bits()).with_steady_clock(move || steady.steady())
}

#[cfg(test)]
mod tests;
