//! Backups: a copy of a whole database as it was at one moment, made while others read and write.
//!
//! A backup is a SQLite file with the schema of every database, whichever engine it was made from. So it restores into either,
//! can be verified by itself, and can be looked at and served like any other file. It is written under another name, verified,
//! brought to the disk and only then renamed: whoever finds a backup finds a whole one.

pub(crate) mod copy;
mod pages;
mod replacement;
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

/// Where a SQLite file says whether it has a write-ahead log, and the value that says yes: a backup has none.
const FORMAT_AT: usize = 18;
const WAL_FORMAT: u8 = 2;
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

impl Store {
    /// Copies the database at `url` to `file`, which it replaces when it is a backup.
    ///
    /// The copy is the database as it was at one moment; servers may read and write meanwhile. `file` is replaced in one step
    /// after the copy was verified, so that it holds a whole backup at any time, the old one or the new.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidValue`] when `file` exists and is no backup, when another backup to it is under way, when the database
    /// has not the schema of this program, or when it is not sound: then nothing has changed.
    pub async fn back_up(
        url: &DatabaseUrl,
        file: &Path,
        mut report: impl FnMut(BackupProgress) + Send + 'static,
    ) -> Result<Census> {
        let (url, file) = (url.clone(), file.to_owned());
        on_a_thread(move || back_up(&url, &file, &mut report)).await
    }

    /// Puts the backup in `file` in the place of the database at `url`. No server may use that database meanwhile.
    ///
    /// The backup is verified first; the database changes in one step, or not at all.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidValue`] when `file` is no sound backup of a schema that this program knows, when the database holds
    /// something and `overwrite` does not allow its loss, or when it is in use.
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
    // Again, since it may have changed until the lock was taken.
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
            // The backup itself stays as it is, and it may lie where nothing can be written.
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
        return Err(Error::invalid_value("database", "another file than the backup itself"));
    }
    let new = Replacement::begin(target)?;
    let counted = current_copy(file, new.file(), report)?;
    // Locked until it is replaced, so that no server begins to use it meanwhile.
    let released = if new.target().exists() { Some(release(new.target(), overwrite)?) } else { None };
    new.finish()?;
    drop(released);
    Ok(counted)
}

/// A sound copy of a backup with the schema of this program: a backup of an earlier version is brought up to date.
fn current_copy(backup: &Path, copy: &Path, report: Report<'_>) -> Result<Census> {
    if !header(backup).map_err(Error::unavailable)?.starts_with(MAGIC) || kind(backup)? != Kind::Ours {
        return Err(Error::invalid_value("file", "a backup, which this file is not"));
    }
    pages::copy(backup, copy, report)?;
    let connection = open_copy(copy)?;
    connection.execute_batch("begin")?;
    migrations::migrate(&mut Transaction::Sqlite(&connection))?;
    connection.execute_batch("commit")?;
    connection.close().map_err(|(_, error)| error)?;
    verified(copy)
}

/// Makes sure that a database may go, that nobody uses it, and that no log of it is left beside its place. Nobody else
/// can use it as long as the connection lasts.
fn release(target: &Path, overwrite: bool) -> Result<Connection> {
    if kind(target)? == Kind::Foreign {
        return Err(Error::invalid_value("database", "a database of openai-admin, which this is not"));
    }
    let connection = Connection::open_with_flags(target, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let holds_something = !migrations::is_empty(&mut Transaction::Sqlite(&connection))?;
    if holds_something && !overwrite {
        return Err(not_empty());
    }
    // A log that stays would be played into the new file. Only who is alone can remove it.
    connection.execute_batch("pragma locking_mode = exclusive")?;
    let mode: rusqlite::Result<String> =
        connection.query_row("pragma journal_mode = delete", [], |row| row.get(0));
    let is_alone =
        mode.is_ok_and(|mode| mode == "delete") && connection.execute_batch("begin exclusive").is_ok();
    match is_alone {
        true => Ok(connection),
        false => {
            Err(Error::invalid_value("database", "a database that no server uses: stop the server first"))
        }
    }
}

/// A backup replaces a backup, and nothing else.
fn check_replaceable(file: &Path, url: &DatabaseUrl) -> Result<()> {
    let expected = match url {
        DatabaseUrl::Sqlite(source) if is_same_file(source, file) => "another file than the database itself",
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

/// What a backup holds, when it is sound.
fn verified(file: &Path) -> Result<Census> {
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let transaction = &mut Transaction::Sqlite(&connection);
    migrations::require_newest(transaction)?;
    let problems = verify(transaction)?;
    if let Some(first) = problems.first() {
        let expected = format!("a sound database; of {} problems the first: {first}", problems.len());
        return Err(Error::invalid_value("file", expected));
    }
    census(transaction)
}
