//! Whether the files that are open are still the ones that are there.
//!
//! Somebody may move or delete a database while it is open. SQLite does not look, and would go on writing into files
//! that have no name any more: every change would be acknowledged, and all would be gone with the process.

use std::{
    fs::{self, Metadata},
    path::{Path, PathBuf},
};

use crate::error::{Error, Result};

/// The file of a database and its log, as they were when it was opened.
pub(crate) struct OpenFiles(Vec<(PathBuf, Identity)>);

impl OpenFiles {
    /// Those of a database in memory.
    pub(crate) fn none() -> Self {
        Self(Vec::new())
    }

    /// Notes what is there. The database must be open, so that its log exists.
    pub(crate) fn note(file: &Path) -> Self {
        // What cannot be looked at now is not missed later.
        let note = |file: PathBuf| fs::metadata(&file).ok().and_then(|found| Some((file, identity(&found)?)));
        let absolute = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
        Self([absolute, log_of(file)].into_iter().filter_map(note).collect())
    }

    /// Fails when one of them was moved, deleted or replaced.
    pub(crate) fn check(&self) -> Result<()> {
        let is_there = |file: &Path, noted: &Identity| {
            fs::metadata(file).is_ok_and(|found| identity(&found).as_ref() == Some(noted))
        };
        match self.0.iter().find(|(file, noted)| !is_there(file, noted)) {
            None => Ok(()),
            Some((file, _)) => Err(Error::unavailable(format!(
                "{} was moved, deleted or replaced while the database was open, so a change could be lost: put it \
                 back, or stop the server and start it on the file that it should use",
                file.display()
            ))),
        }
    }
}

/// Refuses an empty file beside a log that is not: SQLite would take it for a new database and delete the log.
pub(crate) fn refuse_emptied(file: &Path) -> Result<()> {
    let length = |file: &Path| fs::metadata(file).map_or(0, |found| found.len());
    let log = log_of(file);
    if file.exists() && length(file) == 0 && length(&log) > 0 {
        return Err(Error::internal(format!(
            "it is empty, but {} holds changes to it, so it was cut off or replaced: put the right file back, or \
             move the log away to begin with an empty database",
            log.display()
        )));
    }
    Ok(())
}

/// The log lies beside the file itself, not beside a link to it.
fn log_of(file: &Path) -> PathBuf {
    let mut log = fs::canonicalize(file).unwrap_or_else(|_| file.to_owned()).into_os_string();
    log.push("-wal");
    log.into()
}

/// What no two files have in common at the same time.
type Identity = (u64, u64);

#[cfg(unix)]
fn identity(found: &Metadata) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt as _;
    Some((found.dev(), found.ino()))
}

/// Where an open file cannot be moved or deleted anyway.
#[cfg(not(unix))]
fn identity(_: &Metadata) -> Option<Identity> {
    None
}
