//! Shared by copies in either direction: their progress, and the file that they write.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::base::error::{Error, Result};

/// The progress of a backup or a restore.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BackupProgress {
    /// Copied pages or rows.
    pub done: u64,
    /// All pages or rows.
    pub total: u64,
}

/// The callback that receives the progress.
pub(super) type Report<'a> = &'a mut dyn FnMut(BackupProgress);

pub(super) fn not_empty() -> Error {
    Error::invalid_value("database", "an empty database, but this one holds data")
}

/// Opens the file of a copy without syncing each write. The complete file is synced once.
pub(super) fn open_copy(file: &Path) -> Result<Connection> {
    let connection = Connection::open_with_flags(
        file,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.execute_batch("pragma synchronous = off")?;
    Ok(connection)
}
