//! What the commands about memberships share: a reader, the runs of the organization, and how faults are told.

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
    Approval, Faults, LaneSettings, Lanes, Plan, PlanOptions, Policy, Reader, Runs,
    current::{ReadError, Snapshot},
    desired::{self, Desired},
    file::{self, MembershipFile},
    lock::{Lock, LockError},
    plan::{Purpose, UnknownPolicy},
    render::{self, Summary},
    run::Applied,
    summary::{self, Verdict},
    text,
};

use super::tables::{bytes_of, named_by};
use crate::{
    arguments::{ExecutionArguments, GlobalArguments, UnknownChoice, WishArguments},
    config::{self, Environment, shell_word},
    failure::{ExitStatus, Failure, Result, While as _},
    output::{Output, count, file_name},
    prompt::Consent,
    session::{Access, Session},
};

/// What the names of tables end in.
pub(super) const TABLES: [&str; 2] = ["csv", "tsv"];
/// How often a command that reads for long says so.
pub(super) const TELL_EVERY: Duration = Duration::from_secs(10);

/// What these commands work with.
pub(super) struct Bench<'a> {
    pub(super) session: Session<'a>,
    pub(super) output: &'a Output,
    pub(super) environment: &'a Environment,
    pub(super) lanes: Arc<Lanes>,
    pub(super) reader: Reader,
    /// Where the runs of this service are kept.
    pub(super) service: PathBuf,
    pub(super) max_wait: Duration,
    pub(super) policy: Policy,
    /// How old the paces are that earlier runs have learned.
    pub(super) learned_age: Cell<Option<Duration>>,
    pub(super) phase: Cell<Phase>,
}

/// The organization that answered, its groups, and its runs.
pub(super) struct Look {
    pub(super) snapshot: Snapshot,
    pub(super) runs: Runs,
    /// Nobody else writes while it is held.
    pub(super) lock: Option<Lock>,
}

/// What a command is at: what Ctrl-C does, and what there is to tell, depends on it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// It reads: a large organization takes a while, and a slow service longer.
    Reading,
    /// It waits for the user to answer a prompt.
    Asking,
    /// A run has begun: it stops, and tells how far it is, in its own way.
    Writing,
}

impl<'a> Bench<'a> {
    pub(super) async fn open(
        command: &str,
        execution: Option<&ExecutionArguments>,
        global: &GlobalArguments,
        environment: &'a Environment,
        output: &'a Output,
    ) -> Result<Bench<'a>> {
        let service = config::state_of_service(global, environment)?;
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
            learned_age: Cell::new(None),
            phase: Cell::new(Phase::Reading),
        })
    }

    /// Does the work of a command, unless somebody stops it before it writes, and puts everything away.
    pub(super) async fn run(self, work: impl AsyncFnOnce(&Self) -> Result<()>) -> Result<()> {
        let done = tokio::select! {
            // Heard of from before the first request on.
            biased;
            () = self.stopped_before_writing() => {
                // After the `^C` of a terminal.
                if self.output.is_interactive() {
                    self.output.line("");
                }
                Err(Failure::new(ExitStatus::Stopped, "stopped before anything was written")
                    .hint("nothing has been changed; the same command begins anew"))
            }
            done = Box::pin(work(&self)) => done,
            () = self.tell_while_reading() => Ok(()),
        };
        self.session.close().await;
        done
    }

    pub(super) async fn stopped_before_writing(&self) {
        stop_is_asked().await;
        if self.phase.get() == Phase::Writing {
            future::pending::<()>().await;
        }
    }

    /// Says every now and then that it reads, and whether the service asks it to slow down. It does not end.
    pub(super) async fn tell_while_reading(&self) {
        let mut ticks = tokio::time::interval(TELL_EVERY);
        ticks.reset();
        loop {
            ticks.tick().await;
            if self.phase.get() == Phase::Reading {
                self.output.note(&still_reading(self.lanes.requests(), self.lanes.refused()));
            }
        }
    }

    /// The list of groups, and the runs of the organization that answered.
    pub(super) async fn look(&self) -> Result<Look> {
        let snapshot = openai_admin_sync::current::read_groups(&self.reader)
            .await
            .map_err(|error| self.unread(error))?;
        let organization = snapshot.organization.as_ref().map_or("unknown", |id| id.as_str());
        let runs = Runs::new(self.service.join(folder_name(organization)));
        self.recall(&runs);
        Ok(Look { snapshot, runs, lock: None })
    }

    /// The same, and from the list of groups on nobody else writes: what is planned from it is planned under the lock.
    pub(super) async fn look_locked(&self) -> Result<Look> {
        let Look { runs, .. } = self.look().await?;
        let lock = Some(lock(&runs, "")?);
        Ok(Look { lock, ..self.look().await? })
    }

    /// Under the lock where nobody is asked any more; otherwise the plan is compared under it after the question.
    pub(super) async fn look_for(&self, consent: Consent, dry_run: bool) -> Result<Look> {
        match consent {
            Consent::Given if !dry_run => self.look_locked().await,
            Consent::Given | Consent::Ask => self.look().await,
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
        };
        PlanOptions { unknown, policy: self.policy.clone(), ..PlanOptions::at(now()) }
    }

    /// The options of plans that are not made from files. They keep the protection of the last applied file.
    pub(super) fn options_beside_files(&self, unknown: UnknownChoice, runs: &Runs) -> Result<PlanOptions> {
        let mut options = self.options(unknown);
        if let Some(last) = last_applied(runs)? {
            options.policy.protect.add(&last.protect);
        }
        Ok(options)
    }

    /// Plans from the files that say who should be in which group.
    pub(super) async fn plan_files(
        &self,
        look: Look,
        desired: &mut Desired,
        unknown: UnknownChoice,
        accepted: &BTreeMap<String, usize>,
    ) -> Result<(Plan, Look)> {
        let last = last_applied(&look.runs)?;
        for source in &mut desired.sources {
            source.settle(canonical);
        }
        let before = last.as_ref().map(|last| last.sources.as_slice());
        if let Some(line) = desired::uncompared(&desired.sources, before) {
            self.output.note(&line);
        }
        let last = last.unwrap_or_default();
        desired::check_sources(&desired.sources, &last.sources, accepted)
            .map_err(|faults| self.faulty(&faults))?;
        let options = PlanOptions { known_groups: last.groups, ..self.options(unknown) };
        self.plan_from(look, desired, &options).await
    }

    pub(super) async fn plan_from(
        &self,
        look: Look,
        desired: &Desired,
        options: &PlanOptions,
    ) -> Result<(Plan, Look)> {
        let Look { snapshot, runs, lock } = look;
        let plan = openai_admin_sync::planning::plan_from(&self.reader, snapshot, desired, options).await;
        let plan = plan.map_err(|error| self.unread(error))?;
        Ok((plan, Look { snapshot: Snapshot::default(), runs, lock }))
    }

    /// What is wrong with the input: all of it, and in GitHub Actions at its lines.
    pub(super) fn faulty(&self, faults: &Faults) -> Failure {
        faulty(faults, self.environment, self.output)
    }

    pub(super) fn unread(&self, error: ReadError) -> Failure {
        match error {
            ReadError::Api(error) => {
                let is_rate_limited = error.is_rate_limited();
                let failure = Failure::from(error);
                if is_rate_limited {
                    let wait = self.max_wait.as_secs();
                    return failure.hint(format!(
                        "it would be waited for at most {wait} s: --max-wait says another time"
                    ));
                }
                failure
            }
            ReadError::Integrity(message) => Failure::new(ExitStatus::Failed, message).hint(
                "nothing was changed: try again, and report it to the operator of the service if it happens again",
            ),
            ReadError::Input(faults) => self.faulty(&faults),
        }
    }
}

pub(super) fn faulty(faults: &Faults, environment: &Environment, output: &Output) -> Failure {
    if environment.is_github {
        // Nobody can be told that standard output is gone.
        let _ = output.raw(&render::fault_annotations(faults));
    }
    let failures = faults.0.iter().enumerate().map(|(place, fault)| {
        let failure = Failure::bad_input(fault.to_string());
        // What helps several in a row is said once, after them.
        let next = faults.0.get(place + 1).and_then(|next| next.hint.as_ref());
        match &fault.hint {
            Some(hint) if next != Some(hint) => failure.hint(hint.clone()),
            _ => failure,
        }
    });
    let mut failures: Vec<Failure> = failures.collect();
    let last = failures.pop();
    for failure in failures {
        output.failure(&failure);
    }
    last.unwrap_or_else(|| Failure::bad_input("the input is wrong"))
}

/// Reads files of wishes, and the tables that they name.
pub(super) fn wished(
    arguments: &WishArguments,
    environment: &Environment,
    output: &Output,
) -> Result<Desired> {
    let mut files: Vec<(String, MembershipFile)> = Vec::new();
    let mut paths: HashMap<String, &Path> = HashMap::new();
    let mut faults = Faults::default();
    for path in &arguments.files {
        let name = file_name(path);
        let is_table = path
            .extension()
            .is_some_and(|extension| TABLES.iter().any(|table| extension.eq_ignore_ascii_case(table)));
        if is_table {
            return Err(Failure::bad_input(format!(
                "{name} is a table, and a file of wishes is YAML or JSON"
            ))
            .propose(
                format!("import memberships {} --dry-run", shell_word(&name)),
                "shows what its rows would do",
            )
            .hint("a file of wishes may name a table as `members_from: { csv: FILE }` of a group"));
        }
        match file::parse(text::read(&bytes_of(path, &name)?, &name)?, &name) {
            Ok(file) => {
                paths.insert(name.clone(), path);
                files.push((name, file));
            }
            Err(fault) => faults.0.push(fault),
        }
    }
    let mut read_table =
        |file: &str, table: &str| named_by(paths.get(file).copied().unwrap_or(Path::new("-")), table);
    let expanded = faults.or(()).and_then(|()| desired::expand(&files, today(), &mut read_table));
    let desired = expanded.map_err(|faults| faulty(&faults, environment, output))?;
    tell_left_out(&desired, output);
    Ok(desired)
}

/// Says which rows of tables do not count, also when silence is wanted: in an exact group their people are removed.
pub(super) fn tell_left_out(desired: &Desired, output: &Output) {
    for told in &desired.left_out {
        output.line(told);
    }
}

#[expect(clippy::disallowed_methods, reason = "the command line is where the clock is read, and passed on")]
pub(super) fn now() -> Timestamp {
    Timestamp::now()
}

/// The day in UTC: `until` means the same everywhere.
pub(super) fn today() -> jiff::civil::Date {
    now().to_zoned(TimeZone::UTC).date()
}

/// An id as the name of a folder, whatever it holds.
pub(super) fn folder_name(id: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    let name: String = id.chars().map(plain).collect();
    if name.trim_matches('.').is_empty() { "unknown".to_owned() } else { name }
}

/// The progress line of a long read.
pub(super) fn still_reading(requests: u64, refused: u64) -> String {
    let answered = count(usize::try_from(requests.saturating_sub(refused)).unwrap_or(usize::MAX), "request");
    match refused {
        0 => format!("reading: {answered} so far"),
        _ => format!(
            "reading: {answered} so far, at the pace that the service allows: {refused} came too soon and were sent again"
        ),
    }
}

/// Waits for Ctrl-C. Without a handler it ends the process by itself.
pub(super) async fn stop_is_asked() {
    if tokio::signal::ctrl_c().await.is_err() {
        future::pending::<()>().await;
    }
}

pub(super) fn last_applied(runs: &Runs) -> Result<Option<Applied>> {
    runs.last_applied().doing(|| "read the last run".to_owned())
}

/// The one name of a file, however its path was typed: below the repository that holds it, else from the root on.
pub(super) fn canonical(path: &str) -> Option<String> {
    let path = std::fs::canonicalize(path).ok()?;
    let repository = path.ancestors().find(|folder| folder.join(".git").exists());
    let name = repository.and_then(|folder| path.strip_prefix(folder).ok()).unwrap_or(&path);
    Some(name.display().to_string())
}

/// Takes the lock of an organization. `what` says what is done under it.
pub(super) fn lock(runs: &Runs, what: &str) -> Result<Lock> {
    let file = runs.lock_file().doing(|| "keep the runs".to_owned())?;
    let since = now().strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
    let holder = format!("{what}process {}, since {since}", std::process::id());
    Lock::take(&file, &holder).map_err(|error| match error {
        LockError::Held(who) => {
            let message = format!("another run works on this organization: {who}");
            Failure::new(ExitStatus::Locked, message).hint("wait for it; nothing has been changed")
        }
        LockError::Io(error) => error.into(),
    })
}

/// What a plan means for the exit code, before anything is done.
pub(super) fn verdict(summary: &Summary) -> Option<ExitStatus> {
    match summary.verdict() {
        Verdict::Incomplete => Some(ExitStatus::Partial),
        Verdict::Blocked => Some(ExitStatus::Guard),
        Verdict::NotFound => Some(ExitStatus::NotFound),
        Verdict::Clean => None,
    }
}

/// What it means that a plan is shown and not done: its exit code, and what of it could not be done.
pub(super) fn conclude_plan(plan: &Plan, approval: &Approval) -> Result<()> {
    let Some(status) = verdict(&Summary::of(plan, approval)) else { return Ok(()) };
    let not_done = summary::not_done_line(plan, approval).unwrap_or_default();
    let failure = Failure::new(status, format!("not all of it can be done: {not_done}"));
    let missing = plan.groups.iter().find(|group| group.is_unknown() && group.id.is_none());
    Err(match missing.filter(|group| plan.purpose == Purpose::Import && !group.name.contains('\n')) {
        Some(group) => failure
            .propose(format!("groups create {}", shell_word(&group.name)), "makes a group that is missing"),
        None => failure,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    pub(super) fn who_waits_hears_how_far_it_is_and_why_it_is_slow() {
        assert_eq!(still_reading(1, 0), "reading: 1 request so far");
        let slow = "reading: 40 requests so far, at the pace that the service allows: 2 came too soon and were sent again";
        assert_eq!(still_reading(42, 2), slow);
    }
}
