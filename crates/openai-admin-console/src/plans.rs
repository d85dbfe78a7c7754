//! Changes of several members: a plan is shown first, then applied by `openai-admin-sync` with its guards and its journal.

use std::{
    collections::{BTreeMap, HashMap},
    io,
    sync::{Arc, Mutex, PoisonError},
};

use openai_admin::{Client, GroupId, Timestamp, UserId, models::GroupResponse};
use openai_admin_server::Minter;
use openai_admin_sync::{
    Approval, InputErrors, LaneSettings, Lanes, Plan, PlanOptions, Policy, Reader, Run, Runs,
    apply::{self, Begin, Job, Means, NotApplied},
    csv::{GroupSource, Mapping},
    current::ReadError,
    desired::{self, Desired, DesiredGroup, DesiredMember, DesiredMembers},
    executor, file, guard,
    holdings::{self, OwnKey},
    import::{self, ImportMode},
    journal,
    lock::LockError,
    offboard,
    plan::Purpose,
    planning,
    saved::SavedRun,
    text, undo,
};
use tokio::sync::OwnedSemaphorePermit;

/// How long a plan can be applied, in seconds.
const PLAN_SECONDS: i64 = 60 * 60;
/// Changes of a plan at most.
const PLAN_OPERATIONS_MAX: usize = 200_000;
/// The plans that are kept.
const KEPT: KeptMax = KeptMax { plans: 200, plan_bytes: 96 * 1024 * 1024, bytes: 160 * 1024 * 1024 };
/// The extensions of group files. Any other file is a table.
const GROUP_FILES: [&str; 3] = ["yaml", "yml", "json"];
/// The heading of the column of pasted addresses.
const EMAIL: &str = "email";
/// Errors of an input that a page shows.
const ERRORS_SHOWN_MAX: usize = 100;
/// Why an undo is refused.
const INCOMPLETE_UNDO: &str = "an undo is applied in full or not at all, and limits block a part of it";
/// The name of pasted addresses in messages.
const PASTED: &str = "pasted addresses";

/// A plan with notes about its input.
#[derive(Debug)]
pub(crate) struct Noted {
    pub(crate) plan: Plan,
    /// Guesses, skipped rows and counts, for the person who decides.
    pub(crate) notes: Vec<String>,
}

impl From<Plan> for Noted {
    fn from(plan: Plan) -> Self {
        Self { plan, notes: Vec::new() }
    }
}

impl Noted {
    /// The size of the plan as JSON, with its rows and unmatched addresses, and of the notes. About the memory that it
    /// takes.
    fn bytes(&self) -> usize {
        let mut counter = Counter(0);
        // Counting does not fail.
        let _ = serde_json::to_writer(&mut counter, &self.plan);
        counter.0 + self.notes.iter().map(String::len).sum::<usize>()
    }
}

/// Counts the bytes that are written.
struct Counter(usize);

impl io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A session and the digest of a plan.
type PlanKey = (String, String);

/// The largest number and sizes of plans that are kept. The oldest plan is dropped first.
#[derive(Clone, Copy, Debug)]
struct KeptMax {
    plans: usize,
    plan_bytes: usize,
    bytes: usize,
}

/// A plan that is kept since a time.
#[derive(Debug)]
struct KeptPlan {
    at: Timestamp,
    bytes: usize,
    noted: Arc<Noted>,
}

/// The plans that wait for a decision, each for the session that made it.
#[derive(Debug)]
pub(crate) struct Plans {
    max: KeptMax,
    kept: Mutex<HashMap<PlanKey, KeptPlan>>,
}

impl KeptPlan {
    /// Whether the plan can still be applied.
    fn lasts(&self, now: Timestamp) -> bool {
        now.unix_seconds() - self.at.unix_seconds() < PLAN_SECONDS
    }
}

impl Default for Plans {
    fn default() -> Self {
        Self { max: KEPT, kept: Mutex::default() }
    }
}

impl Plans {
    /// Keeps a plan and returns its digest, without the name of the hash.
    pub(crate) fn keep(&self, owner: String, noted: Noted, now: Timestamp) -> Result<String, Problem> {
        let operations = noted.plan.operation_count();
        if operations > PLAN_OPERATIONS_MAX {
            let message = format!("the plan has {operations} changes, more than {PLAN_OPERATIONS_MAX}");
            return Err(Problem::Lines(vec![message, "use the command line for it".to_owned()]));
        }
        let bytes = noted.bytes();
        if bytes > self.max.plan_bytes {
            let mib_max = self.max.plan_bytes / (1024 * 1024);
            let message = format!("the plan with its rows has more than {mib_max} MiB");
            return Err(Problem::Lines(vec![message, "use the command line for it".to_owned()]));
        }
        let name = noted.plan.digest.rsplit(':').next().unwrap_or_default().to_owned();
        let mut plans = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        plans.retain(|_, kept| kept.lasts(now));
        plans.remove(&(owner.clone(), name.clone()));
        let sum = |plans: &HashMap<_, KeptPlan>| -> usize { plans.values().map(|kept| kept.bytes).sum() };
        while plans.len() >= self.max.plans || sum(&plans) + bytes > self.max.bytes {
            let oldest = plans.iter().min_by_key(|(_, kept)| kept.at).map(|(key, _)| key.clone());
            let Some(oldest) = oldest else { break };
            plans.remove(&oldest);
        }
        plans.insert((owner, name.clone()), KeptPlan { at: now, bytes, noted: Arc::new(noted) });
        Ok(name)
    }

    /// The plan of this session with this digest.
    pub(crate) fn find(&self, owner: &str, name: &str, now: Timestamp) -> Option<Arc<Noted>> {
        let plans = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = plans.get(&(owner.to_owned(), name.to_owned()))?;
        kept.lasts(now).then(|| Arc::clone(&kept.noted))
    }

    /// Takes the plan, so that it is applied once.
    pub(crate) fn take(&self, owner: &str, name: &str, now: Timestamp) -> Option<Plan> {
        let found = self.find(owner, name, now)?;
        let mut plans = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        plans.remove(&(owner.to_owned(), name.to_owned())).map(|_| found.plan.clone())
    }
}

/// Why a plan was not made or not applied. Nothing was changed, unless the problem says so.
#[derive(Debug)]
pub(crate) enum Problem {
    /// The API refused to answer.
    Api(openai_admin::Error),
    /// Other problems, one a line.
    Lines(Vec<String>),
    /// The run with this name began, and its journal cannot be written. Some changes may have been made.
    Stopped {
        run: String,
        message: String,
        /// The command line that reads the same runs, such as `openai-admin --local acme.db`, if one does.
        command: Option<String>,
    },
}

impl Problem {
    fn line(text: impl Into<String>) -> Self {
        Self::Lines(vec![text.into()])
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Api(error) => Self::Api(error),
            ReadError::Integrity(message) => Self::line(message),
            ReadError::Input(errors) => errors.into(),
        }
    }
}

impl From<InputErrors> for Problem {
    fn from(errors: InputErrors) -> Self {
        Self::Lines(errors.0.iter().take(ERRORS_SHOWN_MAX).map(ToString::to_string).collect())
    }
}

impl From<LockError> for Problem {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Held(who) => Self::line(format!("another run is using this organization: {who}")),
            LockError::Io(error) => error.into(),
        }
    }
}

impl From<NotApplied> for Problem {
    fn from(problem: NotApplied) -> Self {
        match problem {
            NotApplied::IncompleteUndo(_) | NotApplied::BlockedUndo => Self::line(INCOMPLETE_UNDO),
            NotApplied::Stale(differences) => {
                let intro = "the plan is stale, and nothing was changed: create it again".to_owned();
                let differences = differences.iter().map(ToString::to_string);
                Self::Lines(std::iter::once(intro).chain(differences).collect())
            }
            NotApplied::NeedsDigest { reason, .. } => {
                Self::line(format!("the plan exceeds the built-in limits: {reason}"))
            }
            NotApplied::Unread(error) => error.into(),
            NotApplied::File { doing, run: None, error } => Self::line(format!("cannot {doing}: {error}")),
            NotApplied::File { doing, run: Some(run), error } => {
                Self::Stopped { run, message: format!("cannot {doing}: {error}"), command: None }
            }
        }
    }
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Self::line(format!("the folder of runs: {error}"))
    }
}

/// An uploaded or pasted table, and how its rows are used.
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) mapping: Mapping,
    pub(crate) mode: ImportMode,
    pub(crate) creates_groups: bool,
}

/// Whether a file is a group file, by its name.
pub(crate) fn is_group_file(name: &str) -> bool {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    GROUP_FILES.iter().any(|known| extension.eq_ignore_ascii_case(known))
}

fn expand(files: Vec<(String, Vec<u8>)>, today: jiff::civil::Date) -> Result<Desired, Problem> {
    let (group_files, tables): (Vec<_>, Vec<_>) =
        files.into_iter().partition(|(name, _)| is_group_file(name));
    let mut parsed = Vec::with_capacity(group_files.len());
    for (name, bytes) in group_files {
        let file = text::read(&bytes, &name).and_then(|text| file::parse(text, &name));
        parsed.push((name, file.map_err(InputErrors::from)?));
    }
    let mut read_table = |_: &str, table: &str| {
        let base = table.rsplit('/').next().unwrap_or(table);
        let found = tables.iter().find(|(name, _)| name == base).map(|(_, bytes)| bytes.clone());
        found.ok_or_else(|| "it was not uploaded: choose it together with the group file".to_owned())
    };
    Ok(desired::expand(&parsed, today, &mut read_table)?)
}

/// The guesses about an input, and its rows that are left out.
fn notes(desired: &Desired) -> Vec<String> {
    desired.notes.iter().chain(&desired.left_out).cloned().collect()
}

/// Reads an input away from the threads that answer requests.
async fn blocking<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let read = tokio::task::spawn_blocking(read).await;
    read.unwrap_or_else(|error| Err(Problem::line(format!("the input cannot be read: {error}"))))
}

/// Plans and applies changes with a client.
pub(crate) struct Planner {
    client: Client,
    lanes: Arc<Lanes>,
    reader: Reader,
    policy: Policy,
    runs: Runs,
    /// The command line that reads the same runs.
    command: Option<String>,
    minter: Minter,
}

impl Planner {
    /// A planner with the policy of the server. Its plans become runs in `runs`.
    pub(crate) fn new(
        client: Client,
        policy: Policy,
        runs: Runs,
        command: Option<String>,
        minter: Minter,
    ) -> Self {
        let lanes = Arc::new(Lanes::new(LaneSettings::default()));
        let reader = Reader::new(&client, Arc::clone(&lanes));
        Self { client, lanes, reader, policy, runs, command, minter }
    }

    fn time(&self) -> jiff::Timestamp {
        let now_ms = i64::try_from(self.minter.now_ms()).unwrap_or(i64::MAX);
        jiff::Timestamp::from_millisecond(now_ms).unwrap_or_default()
    }

    /// The policy of plans with this purpose. Those that are not made from group files keep the protection of the last
    /// applied file.
    fn policy(&self, purpose: &Purpose) -> Result<Policy, Problem> {
        let mut policy = self.policy.clone();
        if *purpose != Purpose::Files
            && let Some(applied) = self.runs.last_applied()?
        {
            policy.protect.add(&applied.protect);
        }
        Ok(policy)
    }

    fn options(&self, purpose: &Purpose) -> Result<PlanOptions, Problem> {
        Ok(PlanOptions { policy: self.policy(purpose)?, ..PlanOptions::at(self.time()) })
    }

    async fn plan(&self, desired: &Desired) -> Result<Plan, Problem> {
        Ok(planning::plan(&self.reader, desired, &self.options(&desired.purpose)?).await?)
    }

    /// Plans to add the users with the pasted addresses to groups, or to remove them.
    pub(crate) async fn plan_addresses(
        &self,
        groups: &[(GroupId, String)],
        pasted: &str,
        mode: ImportMode,
    ) -> Result<Noted, Problem> {
        let separated = |c: char| matches!(c, '\n' | '\r' | ',' | ';');
        let addresses = pasted.split(separated).map(str::trim).filter(|address| !address.is_empty());
        let table = std::iter::once(EMAIL).chain(addresses).collect::<Vec<_>>().join("\n");
        let mapping = Mapping {
            email: Some(EMAIL.to_owned()),
            group: GroupSource::Named(PASTED.to_owned()),
            ..Mapping::default()
        };
        let mut desired = import::desired(table.as_bytes(), PASTED, &mapping, mode)?;
        let wanted: Vec<DesiredMembers> =
            desired.groups.into_iter().filter_map(|group| group.members).collect();
        let addresses = wanted.first().map_or(0, |members| members.present.len() + members.absent.len());
        if addresses.saturating_mul(groups.len()) > PLAN_OPERATIONS_MAX {
            let groups = groups.len();
            return Err(Problem::line(format!(
                "{addresses} addresses in {groups} groups are more than {PLAN_OPERATIONS_MAX} memberships"
            )));
        }
        desired.groups = groups
            .iter()
            .map(|(id, name)| {
                let members = wanted.first().map(|members| DesiredMembers {
                    mode: members.mode,
                    present: members.present.clone(),
                    absent: members.absent.clone(),
                    expired: Vec::new(),
                });
                DesiredGroup { id: Some(id.clone()), members, ..DesiredGroup::existing(name.clone()) }
            })
            .collect();
        Ok(self.plan(&desired).await?.into())
    }

    /// Plans the memberships of a table.
    pub(crate) async fn plan_table(
        &self,
        table: Table,
        turn: OwnedSemaphorePermit,
    ) -> Result<Noted, Problem> {
        let read = move || -> Result<Desired, Problem> {
            // Reading continues if the browser disconnects, and so does the turn.
            let _turn = turn;
            let mut desired = import::desired(&table.bytes, &table.name, &table.mapping, table.mode)?;
            if table.creates_groups {
                import::create_missing_groups(&mut desired)?;
            }
            Ok(desired)
        };
        let desired = blocking(read).await?;
        let notes = notes(&desired);
        Ok(Noted { plan: self.plan(&desired).await?, notes })
    }

    /// Plans the groups of group files. The other files are the tables that they name. `accepted` holds the number of
    /// entries of sources that may have shrunk.
    pub(crate) async fn plan_group_files(
        &self,
        files: Vec<(String, Vec<u8>)>,
        accepted: &BTreeMap<String, usize>,
        today: jiff::civil::Date,
        turn: OwnedSemaphorePermit,
    ) -> Result<Noted, Problem> {
        let read = move || {
            let _turn = turn;
            expand(files, today)
        };
        let desired = blocking(read).await?;
        let last = self.runs.last_applied()?;
        let mut notes = notes(&desired);
        notes
            .extend(desired::uncompared(&desired.sources, last.as_ref().map(|last| last.sources.as_slice())));
        let last = last.unwrap_or_default();
        desired::check_sources(&desired.sources, &last.sources, accepted)?;
        let options = PlanOptions { known_groups: last.groups, ..self.options(&desired.purpose)? };
        Ok(Noted { plan: planning::plan(&self.reader, &desired, &options).await?, notes })
    }

    /// Plans to remove users from a group.
    pub(crate) async fn plan_removals(
        &self,
        group: &GroupResponse,
        users: Vec<UserId>,
    ) -> Result<Plan, Problem> {
        let absent = users.into_iter().map(|id| DesiredMember {
            who: openai_admin_sync::input::member::UserRef::Id(id),
            origin: Default::default(),
        });
        let members = DesiredMembers {
            mode: openai_admin_sync::file::Mode::AddOnly,
            absent: absent.collect(),
            ..DesiredMembers::default()
        };
        let wanted = DesiredGroup {
            id: Some(group.id.clone()),
            members: Some(members),
            ..DesiredGroup::existing(group.name.clone())
        };
        let desired = Desired { groups: vec![wanted], purpose: Purpose::Import, ..Desired::default() };
        self.plan(&desired).await
    }

    /// Plans to remove a user from all groups and to end the user's rights, except the key of the caller.
    pub(crate) async fn plan_offboarding(
        &self,
        user: &UserId,
        caller: Option<&str>,
    ) -> Result<Plan, Problem> {
        let own_key = caller.and_then(|key| key.parse().ok()).map_or(OwnKey::Unknown, OwnKey::Id);
        let (users, options) = (vec![user.clone()], self.options(&Purpose::Import)?);
        let reading = holdings::begin(&self.reader, &users, own_key, options.concurrency).await?;
        let holdings = reading.finish().await?;
        Ok(offboard::plan_offboarding(&self.reader, users, holdings, &options).await?)
    }

    /// Plans the undo of a run.
    pub(crate) async fn plan_undo(&self, saved: &SavedRun) -> Result<Plan, Problem> {
        let name = &saved.run.name;
        if !saved.may_have_changed() {
            return Err(Problem::line(format!("run {name} changed nothing")));
        }
        let (results, options) = (journal::results(&saved.lines), self.options(&Purpose::Import)?);
        Ok(undo::plan_undo(&self.reader, name, &saved.plan, &results, &options).await?)
    }

    /// The plan under the policy of this server, with an approval that matches it. Limits may block more than when the
    /// plan was made.
    pub(crate) fn approved(&self, plan: Plan, approval: Approval) -> Result<(Plan, Approval), Problem> {
        let policy = self.policy(&plan.purpose)?;
        let mut limited = plan.clone();
        guard::apply_policy(&mut limited, &policy);
        let refused = |_| match guard::blocked_removals(&limited) {
            0 => Problem::line("no limit blocks a removal of this plan: leave the number empty"),
            blocked => {
                Problem::line(format!("the limits block {blocked} removals: type {blocked} to allow them"))
            }
        };
        let (plan, approval) = guard::under_policy(plan, &policy, approval).map_err(refused)?;
        match guard::undo_problem(&plan, &approval) {
            Some(_) => Err(Problem::line(INCOMPLETE_UNDO)),
            None => Ok((plan, approval)),
        }
    }

    /// Applies a reviewed plan, and returns its run.
    pub(crate) async fn apply(self, plan: Plan, approval: Approval) -> Result<Run, Problem> {
        let lock = self.runs.lock(&format!("the web console, process {}", std::process::id()))?;
        let (plan, approval) = self.approved(plan, approval)?;
        let job = Job { plan, runs: self.runs.clone(), approval, begin: Begin::Confirmed, lock };
        let clock = || self.time();
        let means = Means {
            client: &self.client,
            lanes: &self.lanes,
            reader: &self.reader,
            clock: &clock,
            chance: u32::try_from(self.minter.random() & 0xff_ffff).unwrap_or_default(),
            by: None,
            concurrency: executor::CONCURRENCY,
        };
        match apply::apply(&job, means, &()).await.map_err(Problem::from) {
            Ok(applied) => Ok(applied.run),
            Err(Problem::Stopped { run, message, .. }) => {
                Err(Problem::Stopped { run, message, command: self.command })
            }
            Err(problem) => Err(problem),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds)
    }

    /// A plan without changes, with an unmatched address of about this size.
    fn unmatched(digest: &str, bytes: usize) -> Noted {
        let unresolved = serde_json::json!({ "who": "x".repeat(bytes), "origin": {}, "problem": "" });
        let group = serde_json::json!({
            "id": "group_1", "name": "G", "member_count": 0, "keep": [], "adds": true, "removes": "listed",
            "max_remove": {}, "allow_empty": false, "operations": [], "unresolved": [unresolved],
            "frozen_removals": 0, "blocks": [],
        });
        let plan = serde_json::json!({
            "version": 1, "digest": format!("sha256:{digest}"), "created_at": "", "organization": null,
            "revoke_first": false, "unknown": "error", "max_remove": {}, "sources": [], "groups": [group],
            "blocks": [],
        });
        serde_json::from_value::<Plan>(plan).unwrap().into()
    }

    fn plans(max: KeptMax) -> Plans {
        Plans { max, kept: Mutex::default() }
    }

    fn keep(plans: &Plans, digest: &str, bytes: usize, seconds: i64) -> Result<String, Problem> {
        plans.keep("owner".to_owned(), unmatched(digest, bytes), at(seconds))
    }

    fn kept(plans: &Plans, digests: &[&str], seconds: i64) -> Vec<bool> {
        digests.iter().map(|digest| plans.find("owner", digest, at(seconds)).is_some()).collect()
    }

    #[test]
    fn rows_without_a_change_count_and_the_oldest_plans_are_dropped_for_them() {
        let plans = plans(KeptMax { plans: 10, plan_bytes: 5_000, bytes: 7_000 });
        for (number, digest) in ["a", "b", "c"].into_iter().enumerate() {
            keep(&plans, digest, 2_500, number as i64).unwrap();
        }
        assert_eq!(kept(&plans, &["a", "b", "c"], 3), [false, true, true]);
        // The same plan again does not count twice.
        keep(&plans, "c", 2_500, 4).unwrap();
        assert_eq!(kept(&plans, &["b", "c"], 4), [true, true]);
        let refused = keep(&plans, "d", 5_000, 5).unwrap_err();
        assert!(format!("{refused:?}").contains("use the command line for it"), "{refused:?}");
        assert_eq!(kept(&plans, &["b", "c", "d"], 5), [true, true, false]);
    }

    #[test]
    fn a_number_of_plans_is_kept_for_an_hour() {
        let plans = plans(KeptMax { plans: 2, plan_bytes: 5_000, bytes: 50_000 });
        for (number, digest) in ["a", "b", "c"].into_iter().enumerate() {
            keep(&plans, digest, 10, number as i64).unwrap();
        }
        assert_eq!(kept(&plans, &["a", "b", "c"], PLAN_SECONDS), [false, true, true]);
        assert_eq!(kept(&plans, &["b", "c"], PLAN_SECONDS + 1), [false, true]);
    }
}
