//! The context of the commands about memberships: a reader, the runs of the organization, and failures.

use std::{
    cell::Cell,
    collections::{BTreeMap, HashMap},
    future,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use jiff::{Timestamp, tz::TimeZone};
use openai_admin_sync::{
    Approval, InputErrors, LaneSettings, Lanes, Plan, PlanOptions, Policy, Reader, Runs,
    current::{ReadError, Snapshot},
    desired::{self, Desired},
    file::{self, MembershipFile},
    lock::{Lock, LockError},
    plan::{GroupPlan, Purpose, UnknownPolicy, no_user},
    render::shell_word,
    render::{self, Summary},
    run::Applied,
    summary::{self, Verdict},
    text,
};

use super::tables::{read_input, read_table};
use crate::{
    arguments::{ExecutionArguments, GlobalArguments, GroupFileArguments, UnknownChoice},
    config::{self, Environment},
    failure::{Doing as _, ExitStatus, Failure, Result},
    output::{Output, count, file_name},
    prompt::Consent,
    session::{Access, Session},
    target,
};

/// The file extensions of tables.
pub(super) const TABLES: [&str; 2] = ["csv", "tsv"];
/// How often long work prints its progress.
pub(super) const PROGRESS_INTERVAL: Duration = Duration::from_secs(10);

/// The context of these commands.
pub(super) struct SyncContext<'a> {
    pub(super) session: Session<'a>,
    pub(super) output: &'a Output,
    pub(super) environment: &'a Environment,
    pub(super) lanes: Arc<Lanes>,
    pub(super) reader: Reader,
    /// The folder with the runs of this service.
    pub(super) service: PathBuf,
    pub(super) max_wait: Duration,
    pub(super) policy: Policy,
    /// Whether plans are shown with one line for each group.
    pub(super) is_summary: bool,
    /// The age of the paces that earlier runs learned.
    pub(super) learned_age: Cell<Option<Duration>>,
    pub(super) phase: Cell<Phase>,
}

/// The current groups of an organization, and its runs.
pub(super) struct OrganizationState {
    pub(super) snapshot: Snapshot,
    pub(super) runs: Runs,
    /// The exclusive lock of the runs, if it is held.
    pub(super) lock: Option<Lock>,
}

/// The phase of a command. Ctrl-C and progress depend on it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// It reads the organization.
    Reading,
    /// It waits at a prompt.
    Asking,
    /// A run has begun: it handles Ctrl-C and progress itself.
    Writing,
}

impl<'a> SyncContext<'a> {
    pub(super) async fn open(
        command: &str,
        execution: Option<&ExecutionArguments>,
        global: &GlobalArguments,
        environment: &'a Environment,
        output: &'a Output,
    ) -> Result<SyncContext<'a>> {
        let service = target::state_of_service(global, environment)?;
        let policy = config::policy(global, environment)?;
        let session = Session::open(Access::Changes, command, global, environment, output).await?;
        let seconds = execution.and_then(|execution| u64::try_from(execution.max_wait).ok());
        let max_wait = seconds.map_or(openai_admin_sync::lanes::MAX_WAIT, Duration::from_secs);
        let rpm_max = execution.and_then(|execution| execution.max_rpm).map(|rpm| rpm as f64);
        let lanes = Arc::new(Lanes::new(LaneSettings { rpm_max, max_wait }));
        let reader = Reader::new(&session.client, Arc::clone(&lanes));
        Ok(Self {
            session,
            output,
            environment,
            lanes,
            reader,
            service,
            max_wait,
            policy,
            is_summary: execution.is_some_and(|execution| execution.summary),
            learned_age: Cell::new(None),
            phase: Cell::new(Phase::Reading),
        })
    }

    /// Runs a command until it is done or Ctrl-C stops it before it writes, and closes the session.
    pub(super) async fn run(self, work: impl AsyncFnOnce(&Self) -> Result<()>) -> Result<()> {
        let done = tokio::select! {
            // Poll Ctrl-C first, so that it works before the first request.
            biased;
            () = self.stopped_before_writing() => {
                // The terminal has echoed `^C`: start a new line.
                if self.output.is_interactive() {
                    self.output.line("");
                }
                Err(Failure::new(ExitStatus::Stopped, "stopped before anything was written")
                    .hint("nothing changed; run the command again to start over"))
            }
            done = Box::pin(work(&self)) => done,
            () = self.print_progress_while_reading() => Ok(()),
        };
        self.session.close().await;
        done
    }

    pub(super) async fn stopped_before_writing(&self) {
        interrupted().await;
        if self.phase.get() == Phase::Writing {
            future::pending::<()>().await;
        }
    }

    /// Prints regularly that it is reading, and whether the service throttles it. Never ends.
    pub(super) async fn print_progress_while_reading(&self) {
        let mut ticks = tokio::time::interval(PROGRESS_INTERVAL);
        ticks.reset();
        loop {
            ticks.tick().await;
            if self.phase.get() == Phase::Reading {
                self.output.note(&still_reading(self.lanes.requests(), self.lanes.refused()));
            }
        }
    }

    /// Reads the list of groups and finds the runs of the organization.
    pub(super) async fn read_state(&self) -> Result<OrganizationState> {
        let snapshot = openai_admin_sync::current::read_groups(&self.reader)
            .await
            .map_err(|error| self.read_failure(error))?;
        let organization = snapshot.organization.as_ref().map_or("unknown", |id| id.as_str());
        let runs = Runs::of_organization(&self.service, organization);
        self.recall(&runs);
        Ok(OrganizationState { snapshot, runs, lock: None })
    }

    /// The same under the lock, so that a plan from this list stays valid until it is applied.
    pub(super) async fn read_state_locked(&self) -> Result<OrganizationState> {
        let OrganizationState { runs, .. } = self.read_state().await?;
        let lock = Some(lock(&runs, "")?);
        Ok(OrganizationState { lock, ..self.read_state().await? })
    }

    /// Takes the lock if there is no prompt. Otherwise the plan is compared under the lock after the prompt.
    pub(super) async fn read_state_for(&self, consent: Consent, dry_run: bool) -> Result<OrganizationState> {
        match consent {
            Consent::Given if !dry_run => self.read_state_locked().await,
            _ => self.read_state().await,
        }
    }

    pub(super) fn recall(&self, runs: &Runs) {
        self.lanes.recall(runs.learned(now()));
        self.learned_age.set(runs.learned_age(now()));
    }

    pub(super) fn options(&self, unknown: UnknownChoice) -> PlanOptions {
        let unknown = match unknown {
            UnknownChoice::Error => UnknownPolicy::Error,
            UnknownChoice::Skip => UnknownPolicy::Skip,
            UnknownChoice::Invite => UnknownPolicy::Invite,
        };
        PlanOptions { unknown, policy: self.policy.clone(), ..PlanOptions::at(now()) }
    }

    /// The options of plans that are not made from files. They keep the protection of the last applied file.
    pub(super) fn options_without_files(&self, unknown: UnknownChoice, runs: &Runs) -> Result<PlanOptions> {
        let mut options = self.options(unknown);
        if let Some(last) = last_applied(runs)? {
            options.policy.protect.add(&last.protect);
        }
        Ok(options)
    }

    /// Makes a plan from group files.
    pub(super) async fn plan_files(
        &self,
        state: OrganizationState,
        desired: &mut Desired,
        unknown: UnknownChoice,
        accepted: &BTreeMap<String, usize>,
    ) -> Result<(Plan, OrganizationState)> {
        let last = last_applied(&state.runs)?;
        for source in &mut desired.sources {
            source.settle(canonical);
        }
        let before = last.as_ref().map(|last| last.sources.as_slice());
        if let Some(line) = desired::uncompared(&desired.sources, before) {
            self.output.note(&line);
        }
        let last = last.unwrap_or_default();
        desired::check_sources(&desired.sources, &last.sources, accepted)
            .map_err(|errors| self.input_failure(&errors))?;
        let options = PlanOptions { known_groups: last.groups, ..self.options(unknown) };
        self.plan_from(state, desired, &options).await
    }

    pub(super) async fn plan_from(
        &self,
        state: OrganizationState,
        desired: &Desired,
        options: &PlanOptions,
    ) -> Result<(Plan, OrganizationState)> {
        let OrganizationState { snapshot, runs, lock } = state;
        let plan = openai_admin_sync::planning::plan_from(&self.reader, snapshot, desired, options).await;
        let plan = plan.map_err(|error| self.read_failure(error))?;
        Ok((plan, OrganizationState { snapshot: Snapshot::default(), runs, lock }))
    }

    /// The last error in the input, after printing the others; in GitHub Actions as annotations too.
    pub(super) fn input_failure(&self, errors: &InputErrors) -> Failure {
        input_failure(errors, self.environment, self.output)
    }

    pub(super) fn read_failure(&self, error: ReadError) -> Failure {
        match error {
            ReadError::Api(error) => {
                let is_rate_limited = error.is_rate_limited();
                let failure = Failure::from(error);
                if is_rate_limited {
                    let wait = self.max_wait.as_secs();
                    return failure
                        .hint(format!("the service refused for {wait} s; to wait longer, pass --max-wait"));
                }
                failure
            }
            ReadError::Integrity(message) => Failure::new(ExitStatus::Failed, message).hint(
                "nothing changed; retry, and report it to the operator of the service if it happens again",
            ),
            ReadError::Input(errors) => self.input_failure(&errors),
        }
    }
}

pub(super) fn input_failure(errors: &InputErrors, environment: &Environment, output: &Output) -> Failure {
    if environment.is_github {
        // If standard output is closed, there is no place to report it.
        let _ = output.raw(&render::error_annotations(errors));
    }
    let failures = errors.0.iter().enumerate().map(|(index, error)| {
        let failure = Failure::bad_input(error.to_string());
        // A hint that several consecutive errors share is printed once, after the last.
        let next = errors.0.get(index + 1).and_then(|next| next.hint.as_ref());
        match &error.hint {
            Some(hint) if next != Some(hint) => failure.hint(hint.clone()),
            _ => failure,
        }
    });
    let mut failures: Vec<Failure> = failures.collect();
    let last = failures.pop();
    for failure in failures {
        output.failure(&failure);
    }
    last.unwrap_or_else(|| Failure::bad_input("invalid input"))
}

/// Reads group files and the tables that they name.
pub(super) fn read_group_files(
    arguments: &GroupFileArguments,
    environment: &Environment,
    output: &Output,
) -> Result<Desired> {
    let mut files: Vec<(String, MembershipFile)> = Vec::new();
    let mut paths: HashMap<String, &Path> = HashMap::new();
    let mut errors = InputErrors::default();
    for path in &arguments.files {
        let name = file_name(path);
        let is_table = path
            .extension()
            .is_some_and(|extension| TABLES.iter().any(|table| extension.eq_ignore_ascii_case(table)));
        if is_table {
            return Err(Failure::bad_input(format!("{name} is a table; a group file is YAML or JSON"))
                .suggest(
                    format!("import memberships {} --dry-run", shell_word(&name)),
                    "shows the changes of its rows",
                )
                .hint("a group file can name a table: `members_from: { csv: FILE }`"));
        }
        match file::parse(text::read(&read_input(path, &name)?, &name)?, &name) {
            Ok(file) => {
                paths.insert(name.clone(), path);
                files.push((name, file));
            }
            Err(error) => errors.0.push(error),
        }
    }
    let mut read_table =
        |file: &str, table: &str| read_table(paths.get(file).copied().unwrap_or(Path::new("-")), table);
    let expanded = errors.or(()).and_then(|()| desired::expand(&files, today(), &mut read_table));
    let desired = expanded.map_err(|errors| input_failure(&errors, environment, output))?;
    print_skipped_rows(&desired, output);
    Ok(desired)
}

/// Prints the skipped rows of tables, even if notes are off: in an exact group their people are removed.
pub(super) fn print_skipped_rows(desired: &Desired, output: &Output) {
    for message in &desired.left_out {
        output.line(message);
    }
}

/// The hint for a plan with addresses that match no user.
const UNKNOWN_USERS: &str = "correct these addresses, or pass --unknown skip to leave them out, or --unknown invite to invite \
    people who are not in the organization yet";

#[expect(clippy::disallowed_methods, reason = "the command line is where the clock is read, and passed on")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// The current day in UTC, so that `until` means the same everywhere.
pub(super) fn today() -> jiff::civil::Date {
    now().to_zoned(TimeZone::UTC).date()
}

/// The progress line of a long read.
pub(super) fn still_reading(requests: u64, refused: u64) -> String {
    let answered = count(usize::try_from(requests.saturating_sub(refused)).unwrap_or(usize::MAX), "request");
    match refused {
        0 => format!("reading: {answered} so far"),
        _ => format!("reading: {answered} so far; throttled by the service: {refused} requests were retried"),
    }
}

/// Waits for Ctrl-C. Without a handler, Ctrl-C ends the process.
pub(crate) async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        future::pending::<()>().await;
    }
}

pub(super) fn last_applied(runs: &Runs) -> Result<Option<Applied>> {
    runs.last_applied().doing(|| "read the last run".to_owned())
}

/// A canonical name of a file: its path within the repository that contains it, or else the absolute path.
pub(super) fn canonical(path: &str) -> Option<String> {
    let path = std::fs::canonicalize(path).ok()?;
    let repository = path.ancestors().find(|folder| folder.join(".git").exists());
    let name = repository.and_then(|folder| path.strip_prefix(folder).ok()).unwrap_or(&path);
    Some(name.display().to_string())
}

/// Takes the lock of an organization. `what` describes the work, for other processes.
pub(super) fn lock(runs: &Runs, what: &str) -> Result<Lock> {
    let since = now().strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
    let holder = format!("{what}process {}, since {since}", std::process::id());
    runs.lock(&holder).map_err(|error| match error {
        LockError::Held(who) => {
            let message = format!("another run is using this organization: {who}");
            Failure::new(ExitStatus::Locked, message).hint("nothing changed; retry when it ends")
        }
        LockError::Io(error) => {
            let failed: Result<()> = Err(error).doing(|| "lock the folder of runs".to_owned());
            failed.err().unwrap_or_else(|| Failure::new(ExitStatus::Failed, "cannot lock the folder of runs"))
        }
    })
}

/// The exit code of a plan that was not applied.
pub(super) fn verdict(summary: &Summary) -> Option<ExitStatus> {
    match summary.verdict() {
        Verdict::Incomplete => Some(ExitStatus::Partial),
        Verdict::Blocked => Some(ExitStatus::Guard),
        Verdict::NotFound => Some(ExitStatus::NotFound),
        Verdict::Clean => None,
    }
}

/// The failure of a plan that was shown and not applied: its exit code, and the changes that cannot be applied.
pub(super) fn conclude_plan(plan: &Plan, approval: &Approval) -> Result<()> {
    let Some(status) = verdict(&Summary::of(plan, approval)) else { return Ok(()) };
    let not_done = summary::not_done_line(plan, approval).unwrap_or_default();
    let label = if status == ExitStatus::Guard { "blocked" } else { "cannot apply everything" };
    let mut failure = Failure::new(status, format!("{label}: {not_done}"));
    let mut unresolved = plan.groups.iter().flat_map(|group| &group.unresolved);
    let is_unknown =
        unresolved.any(|one| !one.invited && one.problem.starts_with(no_user::NO_USER_WITH_ADDRESS));
    if is_unknown && plan.unknown == UnknownPolicy::Error {
        failure = failure.hint(UNKNOWN_USERS);
    }
    // Unless the message already names the option that finds the group.
    let is_missing = |group: &&GroupPlan| {
        let has_option = group.blocks.iter().any(|block| block.message.contains("pass --"));
        group.is_unknown() && group.id.is_none() && !has_option
    };
    let missing = plan.groups.iter().find(is_missing);
    Err(match missing.filter(|group| plan.purpose == Purpose::Import && !group.name.contains('\n')) {
        Some(group) => {
            failure.suggest(format!("groups create {}", shell_word(&group.name)), "creates a missing group")
        }
        None => failure,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    pub(super) fn progress_reports_the_requests_and_the_throttling() {
        assert_eq!(still_reading(1, 0), "reading: 1 request so far");
        let slow = "reading: 40 requests so far; throttled by the service: 2 requests were retried";
        assert_eq!(still_reading(42, 2), slow);
    }
}
