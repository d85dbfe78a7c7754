//! The stored runs: a folder for each, with its plan and its journal.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, BufWriter, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;
use openai_admin::GroupId;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{
    input::policy::Protected,
    plan::{
        document::{Plan, Purpose, hex},
        source::Source,
    },
    run::{
        journal::{self, Entry, Line},
        lock::{Lock, LockError},
        private,
    },
};

const PLAN: &str = "plan.json";
const JOURNAL: &str = "journal.jsonl";
const LEARNED: &str = "pace.json";

/// How long a learned rate is kept.
const LEARNED_FOR: Duration = Duration::from_secs(24 * 60 * 60);

impl Plan {
    /// Streams [`to_json`](Self::to_json) to a file, so that a large plan is in memory only once.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn write_json(&self, file: &Path) -> io::Result<()> {
        let mut out = BufWriter::new(private::create(file)?);
        serde_json::to_writer_pretty(&mut out, self)?;
        out.write_all(b"\n")?;
        out.flush()
    }
}

/// The runs of one organization.
#[derive(Clone, Debug)]
pub struct Runs {
    folder: PathBuf,
}

/// A stored run.
#[derive(Clone, Debug)]
pub struct Run {
    /// The name, which starts with the time.
    pub name: String,
    folder: PathBuf,
}

impl Runs {
    /// The runs in a folder that may not exist yet.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The runs of an organization, in the folder of its service.
    pub fn of_organization(service: &Path, organization: &str) -> Self {
        let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
        let name: String = organization.chars().map(plain).collect();
        Self::new(service.join(if name.trim_matches('.').is_empty() { "unknown" } else { &name }))
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Takes the organization's exclusive lock. `holder` describes the work, for other processes.
    ///
    /// # Errors
    ///
    /// See [`LockError`].
    pub fn lock(&self, holder: &str) -> Result<Lock, LockError> {
        private::create_folder(&self.folder).map_err(LockError::Io)?;
        Lock::take(&self.folder.join("lock"), holder)
    }

    /// Stores a new run. Its name starts with the time, so that names sort by time; `chance`, a random number,
    /// distinguishes runs of the same millisecond.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn begin(&self, plan: &Plan, now: Timestamp, chance: u32) -> io::Result<Run> {
        let name = format!("{}-{:06x}", now.strftime("%Y%m%dT%H%M%S%3fZ"), chance & 0xff_ffff);
        let folder = self.folder.join("runs").join(&name);
        private::create_folder(&folder)?;
        let run = Run { name, folder };
        // A run that is killed here has no plan, and `list` ignores it.
        let part = run.folder.join("plan.json.part");
        plan.write_json(&part)?;
        fs::rename(part, run.folder.join(PLAN))?;
        Ok(run)
    }

    /// All runs, oldest first.
    ///
    /// # Errors
    ///
    /// If the folder cannot be read.
    pub fn list(&self) -> io::Result<Vec<Run>> {
        let entries = match fs::read_dir(self.folder.join("runs")) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut runs = Vec::new();
        for entry in entries {
            let entry = entry?;
            if let Ok(name) = entry.file_name().into_string()
                && has_plan(&entry.path())
            {
                runs.push(Run { name, folder: entry.path() });
            }
        }
        runs.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(runs)
    }

    /// The sources, groups and protection of the last applied run of group files. Imports, undos and offboardings do
    /// not count.
    ///
    /// # Errors
    ///
    /// If a run cannot be read.
    pub fn last_applied(&self) -> io::Result<Option<Applied>> {
        for run in self.list()?.iter().rev() {
            let lines = run.lines()?;
            let is_applied = lines.iter().any(|line| matches!(line.entry, Entry::End { complete: true, .. }));
            let plan = run.plan()?;
            if !is_applied || plan.purpose != Purpose::Files || plan.sources.is_empty() {
                continue;
            }
            let created = journal::results(&lines);
            let mut groups = BTreeMap::new();
            let mut number = 0;
            for group in &plan.groups {
                let created = (number..number + group.operations.len())
                    .find_map(|number| created.get(&number)?.group_id.clone());
                number += group.operations.len();
                if let Some(id) = group.id.clone().or(created) {
                    groups.insert(group.name.clone(), id);
                }
            }
            return Ok(Some(Applied { sources: plan.sources, groups, protect: plan.protect }));
        }
        Ok(None)
    }

    /// The learned rates, by lane, in requests per minute. A rate doubles with each hour and expires after a day,
    /// because the service may have become faster.
    pub fn learned(&self, now: Timestamp) -> BTreeMap<String, f64> {
        let aged = |learned: Learned| {
            let hours = learned.age(now)?.as_secs_f64() / 3600.0;
            Some(learned.rpm * hours.exp2())
        };
        self.kept_paces().into_iter().filter_map(|(lane, learned)| Some((lane, aged(learned)?))).collect()
    }

    /// The age of the oldest learned rate.
    pub fn learned_age(&self, now: Timestamp) -> Option<Duration> {
        self.kept_paces().into_values().filter_map(|learned| learned.age(now)).max()
    }

    fn kept_paces(&self) -> BTreeMap<String, Learned> {
        // If the file is missing or unreadable, rates are learned again.
        let text = fs::read(self.folder.join(LEARNED)).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    /// Stores learned rates.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn remember(&self, learned: &BTreeMap<String, f64>, now: Timestamp) -> io::Result<()> {
        if learned.is_empty() {
            return Ok(());
        }
        let mut paces = self.kept_paces();
        paces.retain(|_, learned| learned.age(now).is_some());
        paces.extend(learned.iter().map(|(lane, rpm)| (lane.clone(), Learned { rpm: *rpm, at: now })));
        private::create_folder(&self.folder)?;
        private::replace(&self.folder.join(LEARNED), &serde_json::to_vec_pretty(&paces)?)
    }
}

/// Whether a run has a plan. A crash of the machine may leave an empty file of a plan that was not synced to disk.
fn has_plan(run: &Path) -> bool {
    fs::metadata(run.join(PLAN)).is_ok_and(|file| file.len() > 0)
}

/// The learned rate of a lane.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Learned {
    /// Requests per minute.
    rpm: f64,
    at: Timestamp,
}

impl Learned {
    /// The age; `None` if the rate has expired or its time is in the future.
    fn age(self, now: Timestamp) -> Option<Duration> {
        let age = Duration::try_from(now.duration_since(self.at)).ok()?;
        (age < LEARNED_FOR).then_some(age)
    }
}

/// The last applied run of group files.
#[derive(Clone, Debug, Default)]
pub struct Applied {
    /// Its sources.
    pub sources: Vec<Source>,
    /// The ids of its groups, by name.
    pub groups: BTreeMap<String, GroupId>,
    /// The users and groups that it protects.
    pub protect: Protected,
}

impl Run {
    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The journal file.
    pub fn journal(&self) -> PathBuf {
        self.folder.join(JOURNAL)
    }

    /// The plan.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or was modified.
    pub fn plan(&self) -> io::Result<Plan> {
        let json = fs::read(self.folder.join(PLAN))?;
        Plan::from_json(&json).map_err(|problem| {
            let message = format!("{}: {problem}", self.folder.join(PLAN).display());
            io::Error::new(io::ErrorKind::InvalidData, message)
        })
    }

    /// The lines of the journal; empty if the run has not started.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or was modified.
    pub fn lines(&self) -> io::Result<Vec<Line>> {
        match journal::read(&self.journal()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            lines => lines,
        }
    }
}

/// The most characters of a service's name in the name of its folder.
const FOLDER_SHOWN: usize = 60;
/// The number of hash digits in the name of a folder.
const FOLDER_HASH_DIGITS: usize = 12;

/// The name of a service's folder: readable, and unique because of its hash.
pub fn folder_name(service: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-.".contains(c) { c } else { '_' };
    let shown = service.trim_start_matches("https://").chars().map(plain).take(FOLDER_SHOWN);
    let hash = hex(&Sha256::digest(service));
    format!("{}-{}", shown.collect::<String>(), &hash[..FOLDER_HASH_DIGITS])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similar_names_have_different_folders() {
        assert_ne!(folder_name("local/a/b.db"), folder_name("local/a_b.db"));
        assert_ne!(folder_name("https://h/t/a"), folder_name("https://h/t_a"));
        assert_eq!(folder_name("https://h/t/a"), folder_name("https://h/t/a"));
    }

    #[test]
    fn a_run_without_a_plan_is_ignored() {
        let home = tempfile::tempdir().expect("a folder");
        let run = home.path().join("runs").join("20260131T120000000Z-000001");
        fs::create_dir_all(&run).expect("made");
        fs::write(run.join(PLAN), "").expect("written");
        let runs = Runs::new(home.path().to_owned());
        assert_eq!(runs.list().expect("runs").len(), 0);
        fs::write(run.join(PLAN), "{}").expect("written");
        assert_eq!(runs.list().expect("runs").len(), 1);
    }

    #[test]
    fn a_learned_rate_doubles_each_hour_and_expires_after_a_day() {
        let home = tempfile::tempdir().expect("a folder");
        let runs = Runs::new(home.path().to_owned());
        let at = |hours: i64| Timestamp::from_second(hours * 3600).expect("a time");
        runs.remember(&BTreeMap::from([("add".to_owned(), 9.0)]), at(0)).expect("kept");
        let rpm = |hours| runs.learned(at(hours)).get("add").copied();
        assert_eq!((rpm(0), rpm(2), rpm(24)), (Some(9.0), Some(36.0), None));
        assert_eq!(runs.learned_age(at(2)), Some(Duration::from_secs(7200)));
        // Storing the rate of another lane does not renew this one.
        runs.remember(&BTreeMap::from([("remove".to_owned(), 7.0)]), at(1)).expect("kept");
        assert_eq!(rpm(2), Some(36.0));
    }

    #[test]
    fn a_rate_of_an_earlier_version_is_ignored() {
        let home = tempfile::tempdir().expect("a folder");
        fs::write(home.path().join(LEARNED), r#"{"add": 9.31}"#).expect("written");
        assert_eq!(Runs::new(home.path().to_owned()).learned(Timestamp::UNIX_EPOCH), BTreeMap::new());
    }
}
