//! A namespace: a separate organization with its clock, its faults and its journal.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::Router;
use openai_admin_server::Minter;
use openai_admin_store::{Directory, Organization, Rules, Snapshot, Store};

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

/// The maximum number of snapshots in a namespace.
pub const SNAPSHOTS_MAX: usize = 100;
/// The maximum size in bytes of the snapshots of all namespaces together, including those for stale reads.
pub const SNAPSHOTS_BYTES_MAX: usize = 512 * 1024 * 1024;
/// The maximum size in bytes of the in-memory organizations of all namespaces together. Each counts with its size when
/// it was created, imported into or restored.
pub const NAMESPACES_BYTES_MAX: usize = 2 * 1024 * 1024 * 1024;
/// The estimated size in bytes of an imported resource or of a row that joins two, including indices: about three times
/// the measured size.
const ROW_BYTES: usize = 512;
/// The maximum length of a snapshot's name, in bytes.
const SNAPSHOT_NAME_BYTES_MAX: usize = 100;
/// The actor of imports and of other changes by the emulator.
const ACTOR: &str = "emulator";

/// The initial state of every namespace.
#[derive(Clone, Debug)]
pub(crate) struct InitialState {
    pub(crate) seed: Option<u64>,
    /// The seed of ids. It differs from `seed` if the database file contains ids of an earlier run.
    pub(crate) ids_seed: Option<u64>,
    pub(crate) clock: ClockStart,
    pub(crate) faults: FaultPlan,
    pub(crate) rules: Rules,
    pub(crate) budgets: MemoryBudgets,
}

/// The memory budgets that all namespaces share.
#[derive(Clone, Debug)]
pub(crate) struct MemoryBudgets {
    pub(crate) journals: Budget,
    pub(crate) snapshots: Budget,
    pub(crate) organizations: Budget,
}

impl Default for MemoryBudgets {
    fn default() -> Self {
        Self {
            journals: Budget::of(JOURNALS_BYTES_MAX),
            snapshots: Budget::of(SNAPSHOTS_BYTES_MAX),
            organizations: Budget::of(NAMESPACES_BYTES_MAX),
        }
    }
}

/// A separate organization. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Namespace(pub(crate) Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) name: String,
    initial_state: InitialState,
    pub(crate) clock: Clock,
    ids: Randomness,
    rules: Arc<Mutex<Rules>>,
    minter: Minter,
    pub(crate) store: Store,
    organization: Organization,
    /// The state that `reset` restores.
    fixtures: Snapshot,
    /// The size of the organization.
    size: Mutex<Reserved>,
    snapshots: Mutex<BTreeMap<String, NamedSnapshot>>,
    pub(crate) faults: Faults,
    pub(crate) journal: Journal,
    pub(crate) stale_reads: StaleReads,
    pub(crate) router: Router,
}

/// A snapshot with a name.
#[derive(Debug)]
struct NamedSnapshot {
    snapshot: Snapshot,
    /// The position of the ids' randomness.
    mark: u64,
    _size: Reserved,
}

impl Namespace {
    /// Opens a namespace over `store`, which contains an organization and matches `fixtures`.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if there is not enough memory.
    pub(crate) async fn open(
        name: &str,
        store: Store,
        fixtures: Snapshot,
        initial_state: &InitialState,
        keys: Keys,
    ) -> Result<Self> {
        let size = initial_state
            .budgets
            .organizations
            .reserve(fixtures.size_bytes())
            .ok_or_else(not_enough_memory)?;
        let clock = Clock::new(initial_state.clock);
        let ids = Randomness::new(initial_state.ids_seed, &format!("ids of {name}"));
        let rules = Arc::new(Mutex::new(initial_state.rules));
        let minter = minter(&clock, &ids, &rules);
        let organization = store.open_organization(minter.stamp(ACTOR), None).await?;
        // The number of ids that opening used depends on the database.
        ids.restart();
        let draws = Randomness::new(initial_state.seed, &format!("faults of {name}"));
        let faults = Faults::new(initial_state.faults.clone(), draws);
        let router = router(&store, &minter, &organization, keys);
        let snapshots = initial_state.budgets.snapshots.clone();
        let stale_reads = StaleReads::new(minter.clone(), organization.clone(), keys, snapshots);
        Ok(Self(Arc::new(Inner {
            name: name.to_owned(),
            initial_state: initial_state.clone(),
            clock,
            ids,
            rules,
            minter,
            store,
            organization,
            fixtures,
            size: Mutex::new(size),
            snapshots: Mutex::default(),
            faults,
            journal: Journal::new(initial_state.budgets.journals.clone()),
            stale_reads,
            router,
        })))
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Restores the initial state: the organization, future ids, clock, rules, faults and journal. Named snapshots
    /// remain.
    ///
    /// # Errors
    ///
    /// Errors of the database.
    pub async fn reset(&self) -> Result<()> {
        let inner = &*self.0;
        inner.store.reset_to(&inner.fixtures).await?;
        inner.stale_reads.forget();
        self.size().set(inner.fixtures.size_bytes());
        inner.ids.restart();
        inner.clock.start(inner.initial_state.clock);
        inner.faults.restart();
        *self.lock_rules() = inner.initial_state.rules;
        inner.journal.clear();
        Ok(())
    }

    /// Saves a snapshot of the organization. Replaces a snapshot of the same name.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if the name is empty or too long, or if there are too many snapshots or they are too large.
    pub async fn take_snapshot(&self, name: &str) -> Result<()> {
        if name.is_empty() || name.len() > SNAPSHOT_NAME_BYTES_MAX {
            let (length, max) = (name.len(), SNAPSHOT_NAME_BYTES_MAX);
            return Err(Error::invalid(format!(
                "the name of a snapshot must have 1 to {max} bytes, not {length}"
            )));
        }
        let mark = self.0.ids.mark();
        let snapshot = self.0.store.snapshot().await?;
        let mut snapshots = self.snapshots();
        if snapshots.len() >= SNAPSHOTS_MAX && !snapshots.contains_key(name) {
            return Err(Error::invalid(format!(
                "the limit of {SNAPSHOTS_MAX} snapshots is reached: delete some"
            )));
        }
        let bytes = snapshot.size_bytes();
        let size = self.0.initial_state.budgets.snapshots.reserve(bytes).ok_or_else(|| {
            Error::invalid(format!(
                "not enough memory for a snapshot of {bytes} bytes: the limit for all snapshots is \
                 {SNAPSHOTS_BYTES_MAX} bytes; delete some"
            ))
        })?;
        snapshots.insert(name.to_owned(), NamedSnapshot { snapshot, mark, _size: size });
        Ok(())
    }

    /// Restores the organization from a snapshot. Clock, faults and journal keep their state. With a seed, the future
    /// ids are the same after each restore, and differ from those in the snapshot.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is no such snapshot.
    pub async fn restore_snapshot(&self, name: &str) -> Result<()> {
        let found = self.snapshots().get(name).map(|named| (named.snapshot.clone(), named.mark));
        let (snapshot, mark) = found.ok_or_else(|| self.no_snapshot(name))?;
        self.0.store.reset_to(&snapshot).await?;
        self.0.stale_reads.forget();
        self.size().set(snapshot.size_bytes());
        self.0.ids.restore_mark(mark);
        Ok(())
    }

    /// Deletes a snapshot.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is no such snapshot.
    pub fn delete_snapshot(&self, name: &str) -> Result<()> {
        let removed = self.snapshots().remove(name);
        removed.map(|_| ()).ok_or_else(|| self.no_snapshot(name))
    }

    /// The names of the snapshots.
    pub fn snapshot_names(&self) -> Vec<String> {
        self.snapshots().keys().cloned().collect()
    }

    fn no_snapshot(&self, name: &str) -> Error {
        let names = self.snapshot_names();
        let known = if names.is_empty() { "there are none".to_owned() } else { names.join(", ") };
        Error::NotFound(format!("no snapshot '{name}': {known}"))
    }

    fn snapshots(&self) -> MutexGuard<'_, BTreeMap<String, NamedSnapshot>> {
        self.0.snapshots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn size(&self) -> MutexGuard<'_, Reserved> {
        self.0.size.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Exports the organization, in the format of [`import`](Self::import) and of the fixtures.
    ///
    /// # Errors
    ///
    /// Errors of the database.
    pub async fn export(&self) -> Result<Directory> {
        Ok(self.0.store.dump(self.0.organization.clone()).await?)
    }

    /// Creates missing resources of a directory and updates those that differ. Imports all of it or none.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] with the position in the directory, or if there is not enough memory.
    pub async fn import(&self, mut directory: Directory) -> Result<()> {
        let inner = &*self.0;
        if !self.size().grow(rows(&directory).saturating_mul(ROW_BYTES)) {
            return Err(not_enough_memory());
        }
        // The import applies to this organization, even if the document has another id.
        directory.organization = None;
        inner.ids.diverge_after(|| serde_json::to_vec(&directory).unwrap_or_default());
        let loaded = inner.store.load(inner.minter.stamp(ACTOR), directory).await;
        let bytes = inner.store.size_bytes().await?;
        self.size().set(usize::try_from(bytes).unwrap_or(usize::MAX));
        inner.stale_reads.forget();
        loaded?;
        Ok(())
    }

    /// The state of the clock.
    pub fn clock(&self) -> ClockReading {
        self.0.clock.read()
    }

    /// Sets the clock.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if the time is invalid.
    pub fn set_clock(&self, reading: &ClockReading) -> Result<()> {
        self.0.clock.set(reading).map_err(Error::Invalid)
    }

    /// Advances the clock.
    pub fn step_clock(&self, step: ClockStep) {
        self.0.clock.step(step);
    }

    /// The rules that apply to changes.
    pub fn rules(&self) -> Rules {
        *self.lock_rules()
    }

    /// Sets the rules that apply to changes.
    pub fn set_rules(&self, rules: Rules) {
        *self.lock_rules() = rules;
    }

    fn lock_rules(&self) -> MutexGuard<'_, Rules> {
        self.0.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The faults and their counts.
    pub fn faults(&self) -> FaultReport {
        self.0.faults.report()
    }

    /// Replaces all faults.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if the plan is invalid.
    pub fn set_faults(&self, plan: FaultPlan) -> Result<()> {
        plan.check().map_err(Error::Invalid)?;
        self.0.stale_reads.forget();
        self.0.faults.set(plan);
        Ok(())
    }

    /// Adds a fault rule after the others, and returns its name.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if the rule is invalid, or if its name is in use.
    pub fn add_fault(&self, rule: FaultRule) -> Result<String> {
        rule.check().and_then(|()| self.0.faults.add(rule)).map_err(Error::Invalid)
    }

    /// Removes a fault rule.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is no rule of this name.
    pub fn remove_fault(&self, name: &str) -> Result<()> {
        let missing = || Error::NotFound(format!("no fault '{name}'"));
        self.0.faults.remove(name).then_some(()).ok_or_else(missing)
    }

    /// The recorded requests and answers that match `filter`, with numbers above `after`.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if nothing can match the filter, for example because its operation does not exist.
    pub async fn requests(
        &self,
        filter: &ExchangeFilter,
        after: u64,
        limit: Option<usize>,
    ) -> Result<JournalPage> {
        self.check(filter)?;
        Ok(self.0.journal.page(filter, after, limit).await)
    }

    /// Refuses a filter that nothing can match in this namespace.
    fn check(&self, filter: &ExchangeFilter) -> Result<()> {
        filter.check()?;
        let Some(fault) = filter.fault_name() else { return Ok(()) };
        if Fault::KINDS.contains(&fault) || self.0.faults.has(fault) || self.0.journal.has_fault(fault) {
            return Ok(());
        }
        let kinds = Fault::KINDS.join(", ");
        Err(Error::invalid(format!(
            "no fault '{fault}': use the name of a rule, any, none, or a kind: {kinds}"
        )))
    }

    /// Clears the recorded requests.
    pub fn clear_requests(&self) {
        self.0.journal.clear();
    }

    /// Checks that the recorded requests match an expectation.
    ///
    /// # Errors
    ///
    /// [`Error::NotVerified`] with the actual requests; [`Error::Invalid`] if the expectation has no count, or if
    /// nothing can match it, for example because its operation does not exist.
    pub async fn verify(&self, expectation: &Expectation) -> Result<Verified> {
        expectation.filters().try_for_each(|filter| self.check(filter))?;
        self.0.journal.verify(expectation).await
    }
}

fn not_enough_memory() -> Error {
    Error::invalid(format!(
        "not enough memory: the limit for the organizations of all namespaces together is {NAMESPACES_BYTES_MAX} \
         bytes; delete unused namespaces"
    ))
}

/// The number of resources, of rows that join them, and of permissions, each of which may be as long as a row.
fn rows(directory: &Directory) -> usize {
    let of_users = directory.users.iter().map(|user| 1 + user.roles.len()).sum::<usize>();
    let of_groups =
        directory.groups.iter().map(|group| 1 + group.members.len() + group.roles.len()).sum::<usize>();
    let of_roles =
        directory.roles.iter().map(|role| 1 + role.permissions.as_ref().map_or(0, Vec::len)).sum::<usize>();
    of_users + of_groups + of_roles
}

fn minter(clock: &Clock, ids: &Randomness, rules: &Arc<Mutex<Rules>>) -> Minter {
    let (clock, ids, steady, rules) = (clock.clone(), ids.clone(), clock.clone(), Arc::clone(rules));
    Minter::new(move || clock.now_ms(), move || ids.bits())
        .with_steady_clock(move || steady.steady())
        .with_rules(move || *rules.lock().unwrap_or_else(PoisonError::into_inner))
}

#[cfg(test)]
mod tests;
