//! Backups: a consistent copy of a whole database, made while other processes read and write.
//!
//! A backup is a SQLite file with the same schema as every database, whichever engine it was made from. So it can be
//! restored into either engine, and verified, read and served like any other database file. It is written under a
//! temporary name, verified and synced to disk before it is renamed, so an incomplete file is never visible under the
//! backup's name.

pub(crate) mod copy;
mod pages;
mod replacement;
#[cfg(feature = "postgres")]
mod rows;
#[cfg(not(feature = "postgres"))]
#[path = "backup/without_rows.rs"]
mod rows;

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, Read as _},
    path::Path,
};

use rusqlite::{Connection, OpenFlags};

use self::{
    copy::{BackupProgress, Report, not_empty, open_copy},
    replacement::{Replacement, private_file, private_folder},
};
use crate::{
    base::error::{Error, Result},
    engines::{
        database_url::DatabaseUrl,
        job::on_a_thread,
        sqlite::files::{Kind, kind, open_to_read},
        transaction::Transaction,
    },
    keeping::{
        census::{Census, census},
        migrations,
        verify::verify,
    },
    store::Store,
};

/// The position of the read and write versions in the header, and their value with a write-ahead log. A backup has
/// none.
const FORMAT_AT: usize = 18;
const WAL_FORMAT: u8 = 2;
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

impl Store {
    /// Copies the database at `url` to `file`. An existing backup is replaced.
    ///
    /// The copy is a consistent snapshot; servers may read and write meanwhile. `file` is replaced in one step after
    /// the copy is verified, so at any time it is a complete backup, the old one or the new one.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidValue`] if `file` exists and is not a backup, if another backup to it is running, if the
    /// database's schema has another version than this program, or if the database is corrupt: then nothing has
    /// changed.
    pub async fn back_up(
        url: &DatabaseUrl,
        file: &Path,
        mut report: impl FnMut(BackupProgress) + Send + 'static,
    ) -> Result<Census> {
        let (url, file) = (url.clone(), file.to_owned());
        on_a_thread(move || back_up(&url, &file, &mut report)).await
    }

    /// Replaces the database at `url` with the backup in `file`. No server may use that database meanwhile.
    ///
    /// The backup is verified first. The database changes in one step, or not at all.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidValue`] if `file` is not a valid backup of a schema that this program knows, if the database is
    /// not empty and `overwrite` is false, or if the database is in use.
    pub async fn restore(
        file: &Path,
        url: &DatabaseUrl,
        overwrite: bool,
        mut report: impl FnMut(BackupProgress) + Send + 'static,
    ) -> Result<Census> {
        let (url, file) = (url.clone(), file.to_owned());
        on_a_thread(move || restore(&file, &url, overwrite, &mut report)).await
    }
}

fn back_up(url: &DatabaseUrl, file: &Path, report: Report<'_>) -> Result<Census> {
    check_replaceable(file, url)?;
    let new = Replacement::begin(file)?;
    // Checked again, because the file may have changed before the lock was acquired.
    check_replaceable(new.target(), url)?;
    match url {
        DatabaseUrl::Sqlite(source) => {
            let connection = open_to_read(source)?;
            migrations::require_newest(&mut Transaction::Sqlite(&connection))?;
            pages::copy(source, new.file(), report)?;
        }
        DatabaseUrl::Postgres(url) => rows::from_postgres(url, new.file(), report)?,
    }
    let counted = verified(new.file())?;
    new.finish()?;
    Ok(counted)
}

fn restore(file: &Path, url: &DatabaseUrl, overwrite: bool, report: Report<'_>) -> Result<Census> {
    match url {
        DatabaseUrl::Sqlite(target) => restore_file(file, target, overwrite, report),
        DatabaseUrl::Postgres(url) => {
            // A copy, because the backup must not change, and may be on a read-only disk.
            let folder = private_folder(&std::env::temp_dir(), &OsString::from("openai-admin-"))?;
            let current = private_file(&folder)?;
            let counted = current_copy(file, &current, &mut |_| {})?;
            rows::into_postgres(&current, url, overwrite, report)?;
            Ok(counted)
        }
    }
}

fn restore_file(file: &Path, target: &Path, overwrite: bool, report: Report<'_>) -> Result<Census> {
    if is_same_file(file, target) {
        return Err(Error::invalid_value("database", "a different file than the backup"));
    }
    let new = Replacement::begin(target)?;
    let counted = current_copy(file, new.file(), report)?;
    // Locked until it is replaced, so that no server starts to use it meanwhile.
    let released = if new.target().exists() { Some(release(new.target(), overwrite)?) } else { None };
    new.finish()?;
    drop(released);
    Ok(counted)
}

/// Makes a verified copy of a backup, and migrates it to the schema of this program.
fn current_copy(backup: &Path, copy: &Path, report: Report<'_>) -> Result<Census> {
    if !header(backup).map_err(Error::unavailable)?.starts_with(MAGIC) || kind(backup)? != Kind::Ours {
        return Err(Error::invalid_value("file", "a backup, but this file is not one"));
    }
    pages::copy(backup, copy, report)?;
    let connection = open_copy(copy)?;
    connection.execute_batch("begin")?;
    migrations::migrate(&mut Transaction::Sqlite(&connection))?;
    connection.execute_batch("commit")?;
    connection.close().map_err(|(_, error)| error)?;
    verified(copy)
}

/// Checks that a database may be overwritten and is not in use, and removes its log. No other process can use the
/// database while the connection is open.
fn release(target: &Path, overwrite: bool) -> Result<Connection> {
    if kind(target)? == Kind::Foreign {
        return Err(Error::invalid_value("database", "a database of openai-admin, but this is not one"));
    }
    let connection = Connection::open_with_flags(target, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let holds_something = !migrations::is_empty(&mut Transaction::Sqlite(&connection))?;
    if holds_something && !overwrite {
        return Err(not_empty());
    }
    // SQLite would apply a remaining log to the new file. Removing it requires exclusive access.
    connection.execute_batch("pragma locking_mode = exclusive")?;
    let mode: rusqlite::Result<String> =
        connection.query_row("pragma journal_mode = delete", [], |row| row.get(0));
    let is_alone =
        mode.is_ok_and(|mode| mode == "delete") && connection.execute_batch("begin exclusive").is_ok();
    match is_alone {
        true => Ok(connection),
        false => {
            Err(Error::invalid_value("database", "a database that is not in use: stop the server first"))
        }
    }
}

/// A backup may only replace a backup.
fn check_replaceable(file: &Path, url: &DatabaseUrl) -> Result<()> {
    let expected = match url {
        DatabaseUrl::Sqlite(source) if is_same_file(source, file) => "a different file than the database",
        _ if !file.exists() => return Ok(()),
        _ if kind(file)? == Kind::Foreign => {
            "a new file or an earlier backup; this is the database of another program"
        }
        _ => match header(file).map_err(Error::unavailable)? {
            header if header.is_empty() => return Ok(()),
            header if !header.starts_with(MAGIC) => "a new file or an earlier backup; this is neither",
            header if header.get(FORMAT_AT) == Some(&WAL_FORMAT) => {
                "a new file or an earlier backup; this is a database in use"
            }
            _ => return Ok(()),
        },
    };
    Err(Error::invalid_value("file", expected))
}

fn header(file: &Path) -> io::Result<Vec<u8>> {
    let mut header = Vec::new();
    File::open(file)?.take(100).read_to_end(&mut header)?;
    Ok(header)
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    match (fs::canonicalize(one), fs::canonicalize(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

/// The contents of a backup, if it passes verification.
fn verified(file: &Path) -> Result<Census> {
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let transaction = &mut Transaction::Sqlite(&connection);
    migrations::require_newest(transaction)?;
    let problems = verify(transaction)?;
    if let Some(first) = problems.first() {
        let expected = format!("a valid database, but {} checks failed; the first: {first}", problems.len());
        return Err(Error::invalid_value("file", expected));
    }
    census(transaction)
}
