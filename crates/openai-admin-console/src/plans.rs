//! Changes of several members: a plan is shown first, then applied by `openai-admin-sync` with its guards and its journal.

use std::{
    collections::HashMap,
    io,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use openai_admin::{Client, Timestamp, UserId, models::GroupResponse};
use openai_admin_server::Minter;
use openai_admin_sync::{
    Approval, Executor, Journal, LaneSettings, Lanes, Plan, PlanOptions, Policy, Reader, Run, Runs, Start,
    csv::{GroupSource, Mapping},
    current::ReadError,
    desired::{Desired, DesiredGroup, DesiredMember, DesiredMembers},
    executor,
    fresh::{self, Earlier},
    guard,
    import::{self, ImportMode},
    journal::{self, Entry, Outcome},
    lock::{Lock, LockError},
    offboard,
    plan::Purpose,
    planning, undo, verify,
};

/// How long a plan can be applied, in seconds.
const PLAN_SECONDS: i64 = 60 * 60;
/// How many plans are kept. The oldest is dropped first.
const PLANS_MAX: usize = 200;
/// The heading of the column of pasted addresses.
const EMAIL: &str = "email";
/// The name of pasted addresses in messages.
const PASTED: &str = "pasted addresses";

/// The plans that wait for a decision, each for the session that made it.
#[derive(Debug, Default)]
pub(crate) struct Plans(Mutex<HashMap<(String, String), (Timestamp, Plan)>>);

impl Plans {
    /// Keeps a plan and returns its digest, without the name of the hash.
    pub(crate) fn keep(&self, owner: String, plan: Plan, now: Timestamp) -> String {
        let name = plan.digest.rsplit(':').next().unwrap_or_default().to_owned();
        let mut plans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        plans.retain(|_, (at, _)| now.unix_seconds() - at.unix_seconds() < PLAN_SECONDS);
        let oldest = plans.iter().min_by_key(|(_, (at, _))| *at).map(|(key, _)| key.clone());
        if let Some(oldest) = oldest.filter(|_| plans.len() >= PLANS_MAX) {
            plans.remove(&oldest);
        }
        plans.insert((owner, name.clone()), (now, plan));
        name
    }

    /// The plan of this session with this digest.
    pub(crate) fn find(&self, owner: &str, name: &str, now: Timestamp) -> Option<Plan> {
        let plans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = plans.get(&(owner.to_owned(), name.to_owned()));
        let is_new = |at: Timestamp| now.unix_seconds() - at.unix_seconds() < PLAN_SECONDS;
        found.filter(|(at, _)| is_new(*at)).map(|(_, plan)| plan.clone())
    }

    /// Takes the plan, so that it is applied once.
    pub(crate) fn take(&self, owner: &str, name: &str, now: Timestamp) -> Option<Plan> {
        let found = self.find(owner, name, now)?;
        let mut plans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        plans.remove(&(owner.to_owned(), name.to_owned())).map(|_| found)
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
    Stopped { run: String, message: String },
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
            ReadError::Input(errors) => Self::Lines(errors.0.iter().map(ToString::to_string).collect()),
        }
    }
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Self::line(format!("the folder of runs: {error}"))
    }
}

/// Plans and applies changes with a client.
pub(crate) struct Planner {
    client: Client,
    lanes: Arc<Lanes>,
    reader: Reader,
    policy: Policy,
    minter: Minter,
}

impl Planner {
    pub(crate) fn new(client: Client, policy: Policy, minter: Minter) -> Self {
        let lanes = Arc::new(Lanes::new(LaneSettings::default()));
        let reader = Reader::new(&client, Arc::clone(&lanes));
        Self { client, lanes, reader, policy, minter }
    }

    fn time(&self) -> jiff::Timestamp {
        let now_ms = i64::try_from(self.minter.now_ms()).unwrap_or(i64::MAX);
        jiff::Timestamp::from_millisecond(now_ms).unwrap_or_default()
    }

    fn options(&self) -> PlanOptions {
        PlanOptions { policy: self.policy.clone(), ..PlanOptions::at(self.time()) }
    }

    /// Plans to add the users with the pasted addresses to a group.
    pub(crate) async fn plan_additions(&self, group: &GroupResponse, pasted: &str) -> Result<Plan, Problem> {
        let separated = |c: char| matches!(c, '\n' | '\r' | ',' | ';');
        let addresses = pasted.split(separated).map(str::trim).filter(|address| !address.is_empty());
        let table = std::iter::once(EMAIL).chain(addresses).collect::<Vec<_>>().join("\n");
        let mapping = Mapping {
            email: Some(EMAIL.to_owned()),
            group: GroupSource::Named(group.name.clone()),
            ..Mapping::default()
        };
        let mut desired = import::desired(table.as_bytes(), PASTED, &mapping, ImportMode::Add)
            .map_err(|errors| Problem::Lines(errors.0.iter().map(ToString::to_string).collect()))?;
        for wanted in &mut desired.groups {
            wanted.id = Some(group.id.clone());
        }
        Ok(planning::plan(&self.reader, &desired, &self.options()).await?)
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
        Ok(planning::plan(&self.reader, &desired, &self.options()).await?)
    }

    /// Plans to remove a user from all groups.
    pub(crate) async fn plan_offboarding(&self, user: &UserId) -> Result<Plan, Problem> {
        Ok(offboard::plan_offboarding(&self.reader, vec![user.clone()], &self.options()).await?)
    }

    /// Plans the undo of a run.
    pub(crate) async fn plan_undo(&self, run: &Run) -> Result<Plan, Problem> {
        let (plan, results) = (run.plan()?, journal::results(&run.lines()?));
        if !results.values().any(|result| result.outcome.may_be_change()) {
            return Err(Problem::line(format!("run {} changed nothing", run.name)));
        }
        Ok(undo::plan_undo(&self.reader, &run.name, &plan, &results, &self.options()).await?)
    }

    /// Applies a reviewed plan that [`check`] accepts, and verifies the result. Returns the name of the run.
    pub(crate) async fn apply(
        &self,
        folder: &Path,
        plan: Plan,
        approval: Approval,
    ) -> Result<String, Problem> {
        let runs = runs_of(folder, &plan);
        let _lock = take_lock(&runs)?;
        let protected = runs.last_applied()?.unwrap_or_default().protect;
        let earlier = Earlier { protected, ..Earlier::default() };
        let start = fresh::compare(&self.reader, &plan, &approval, &earlier, executor::CONCURRENCY).await?;
        check_start(&start, &approval)?;
        let chance = u32::try_from(self.minter.random() & 0xff_ffff).unwrap_or_default();
        let run = runs.begin(&plan, self.time(), chance)?;
        let executed = self.execute(&run, &plan, &approval, start).await;
        executed.map_err(|error| Problem::Stopped { run: run.name.clone(), message: error.to_string() })?;
        Ok(run.name)
    }

    /// Sends the operations of a run, and verifies the result.
    async fn execute(&self, run: &Run, plan: &Plan, approval: &Approval, start: Start) -> io::Result<()> {
        let (mut journal, _) = Journal::open(&run.journal())?;
        let accepted = match approval {
            Approval::Removals(number) => Some(format!("{number} removals")),
            _ => None,
        };
        let plan_digest = plan.digest.clone();
        let begin = Entry::Begin { plan: plan_digest, accepted, resumed: false, head: true, by: None };
        journal.write(self.time(), begin)?;
        journal.sync()?;
        let clock = || self.time();
        let mut executor = Executor {
            client: self.client.clone(),
            lanes: &self.lanes,
            journal: &mut journal,
            clock: &clock,
            concurrency: executor::CONCURRENCY,
            progress: &mut |_| {},
        };
        let mut executed = executor.run(plan, start, std::future::pending()).await?;
        let concurrency = executor::CONCURRENCY;
        let verified =
            verify::verify(&self.reader, plan, approval, &executed.group_ids, concurrency).await.ok();
        if let Some(verified) = &verified {
            for result in verified.settle(&executed.results) {
                journal.write(self.time(), Entry::Result(result.clone()))?;
                executed.results.insert(result.operation, result);
            }
            let (converged, differing) = (verified.converged.len(), verified.differing.clone());
            journal.write(self.time(), Entry::Verified { converged, differing })?;
        }
        let is_done = |outcome: Outcome| outcome.is_settled() || outcome == Outcome::Blocked;
        let complete = executed.stopped.is_none()
            && executed.results.values().all(|result| is_done(result.outcome))
            && verified.as_ref().is_some_and(verify::Verification::is_converged);
        let (requests, refused) = (self.lanes.requests(), self.lanes.refused());
        journal.write(self.time(), Entry::End { complete, requests, refused })?;
        journal.sync()
    }
}

/// The runs of the organization of a plan.
pub(crate) fn runs_of(folder: &Path, plan: &Plan) -> Runs {
    let organization = plan.organization.as_ref().map_or("unknown", |id| id.as_str());
    Runs::of_organization(folder, organization)
}

/// Whether a plan may be applied with this approval.
pub(crate) fn check(plan: &Plan, approval: &Approval) -> Result<(), Problem> {
    if guard::check_approval(plan, approval).is_err() {
        return Err(match guard::blocked_removals(plan) {
            0 => Problem::line("no limit blocks a removal of this plan: leave the number empty"),
            blocked => {
                Problem::line(format!("the limits block {blocked} removals: type {blocked} to allow them"))
            }
        });
    }
    match guard::undo_problem(plan, approval) {
        Some(_) => {
            Err(Problem::line("an undo is applied in full or not at all, and limits block a part of it"))
        }
        None => Ok(()),
    }
}

fn check_start(start: &Start, approval: &Approval) -> Result<(), Problem> {
    if !start.differences.is_empty() {
        let intro = "the plan is stale, and nothing was changed: create it again".to_owned();
        let differences = start.differences.iter().map(ToString::to_string);
        return Err(Problem::Lines(std::iter::once(intro).chain(differences).collect()));
    }
    match (&start.needs_digest, approval) {
        (Some(reason), Approval::None) => {
            Err(Problem::line(format!("the plan exceeds the built-in limits: {reason}")))
        }
        _ => Ok(()),
    }
}

fn take_lock(runs: &Runs) -> Result<Lock, Problem> {
    let holder = format!("the web console, process {}", std::process::id());
    Lock::take(&runs.lock_file()?, &holder).map_err(|error| match error {
        LockError::Held(who) => Problem::line(format!("another run is using this organization: {who}")),
        LockError::Io(error) => error.into(),
    })
}
