//! What a copy in either direction needs: its progress, and the file that is written.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::base::error::{Error, Result};

/// How far a backup or its restoration is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BackupProgress {
    /// Pages or rows that are copied.
    pub done: u64,
    /// How many there are.
    pub total: u64,
}

/// Whom to tell how far it is.
pub(super) type Report<'a> = &'a mut dyn FnMut(BackupProgress);

pub(super) fn not_empty() -> Error {
    Error::invalid_value("database", "an empty database, or leave to overwrite what this one holds")
}

/// What is not needed for a copy is the copy's own durability: it is brought to the disk when it is whole.
pub(super) fn open_copy(file: &Path) -> Result<Connection> {
    let connection = Connection::open_with_flags(
        file,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.execute_batch("pragma synchronous = off")?;
    Ok(connection)
}
