//! Where runs are kept: one folder for each, with its plan and its journal.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use openai_admin::GroupId;

use crate::{
    desired::Source,
    journal::{self, Entry, Line},
    plan::{Plan, Purpose},
};

const PLAN: &str = "plan.json";
const JOURNAL: &str = "journal.jsonl";
const LEARNED: &str = "pace.json";

/// The runs of one organization.
#[derive(Clone, Debug)]
pub struct Runs {
    folder: PathBuf,
}

/// A run that was kept.
#[derive(Clone, Debug)]
pub struct Run {
    /// Its name, which begins with its time.
    pub name: String,
    folder: PathBuf,
}

impl Runs {
    /// The runs in a folder that may not be there yet.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Where they are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The file of the organization's lock.
    ///
    /// # Errors
    ///
    /// When there is no place for it.
    pub fn lock_file(&self) -> io::Result<PathBuf> {
        create_private(&self.folder)?;
        Ok(self.folder.join("lock"))
    }

    /// Keeps a new run. Its name begins with its time, so that the last one is the last by name; `chance` tells runs of
    /// one millisecond apart.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn begin(&self, plan: &Plan, now: Timestamp, chance: u32) -> io::Result<Run> {
        let name = format!("{}-{:06x}", now.strftime("%Y%m%dT%H%M%S%3fZ"), chance & 0xff_ffff);
        let folder = self.folder.join("runs").join(&name);
        create_private(&folder)?;
        let run = Run { name, folder };
        // A run that is killed here has no plan, and is none.
        let part = run.folder.join("plan.json.part");
        plan.write_json(&part)?;
        fs::rename(part, run.folder.join(PLAN))?;
        Ok(run)
    }

    /// All runs, the oldest first.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read.
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
                && entry.path().join(PLAN).exists()
            {
                runs.push(Run { name, folder: entry.path() });
            }
        }
        runs.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(runs)
    }

    /// What the last applied run of files says of sources and groups. An import, an undo or an offboarding says nothing of
    /// what the files said.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
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
            return Ok(Some(Applied { sources: plan.sources, groups }));
        }
        Ok(None)
    }

    /// What was learned of the service's pace, by lane.
    pub fn learned(&self) -> BTreeMap<String, f64> {
        // What is not there, or not readable, is learned again.
        let text = fs::read(self.folder.join(LEARNED)).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    /// Remembers what was learned.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn remember(&self, learned: &BTreeMap<String, f64>) -> io::Result<()> {
        if learned.is_empty() {
            return Ok(());
        }
        create_private(&self.folder)?;
        fs::write(self.folder.join(LEARNED), serde_json::to_vec_pretty(learned)?)
    }
}

/// What the last applied run says.
#[derive(Clone, Debug, Default)]
pub struct Applied {
    /// What it came from.
    pub sources: Vec<Source>,
    /// The ids of its groups, by name.
    pub groups: BTreeMap<String, GroupId>,
}

impl Run {
    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its journal's file.
    pub fn journal(&self) -> PathBuf {
        self.folder.join(JOURNAL)
    }

    /// Its plan.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or was changed.
    pub fn plan(&self) -> io::Result<Plan> {
        let json = fs::read(self.folder.join(PLAN))?;
        Plan::from_json(&json).map_err(|problem| {
            let message = format!("{}: {problem}", self.folder.join(PLAN).display());
            io::Error::new(io::ErrorKind::InvalidData, message)
        })
    }

    /// Its journal's lines; none before it began.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or was changed.
    pub fn lines(&self) -> io::Result<Vec<Line>> {
        match journal::read(&self.journal()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            lines => lines,
        }
    }
}

/// A folder that nobody else reads: plans and journals name people.
fn create_private(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(folder)
}
