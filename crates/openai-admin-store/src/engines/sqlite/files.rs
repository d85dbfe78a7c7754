//! The files of a SQLite database: which program owns them, and whether the open files are still the ones at their
//! paths.
//!
//! A database may be moved or deleted while it is open. SQLite does not check this, and would keep writing to deleted
//! files: every change would be acknowledged, and all would be lost at the end of the process.

use std::{
    fs::{self, File, Metadata},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use rusqlite::{Connection, OpenFlags};

use crate::base::error::{Error, Result};

/// The file of a database and its log, as they were when it was opened.
pub(crate) struct OpenFiles(Vec<(PathBuf, Identity)>);

impl OpenFiles {
    /// For a database in memory.
    pub(crate) fn none() -> Self {
        Self(Vec::new())
    }

    /// Notes only the file, before it is opened.
    pub(crate) fn note_file(file: &Path) -> Self {
        let absolute = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
        let identity = fs::metadata(&absolute).ok().and_then(|found| identity(&found));
        Self(identity.map(|identity| (absolute, identity)).into_iter().collect())
    }

    /// Notes the files. The database must be open, so that its log exists.
    pub(crate) fn note(file: &Path) -> Self {
        // A file whose identity cannot be read is not checked later.
        let note = |file: PathBuf| fs::metadata(&file).ok().and_then(|found| Some((file, identity(&found)?)));
        let absolute = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
        Self([absolute, log_of(file)].into_iter().filter_map(note).collect())
    }

    /// Returns an error if one of the files was moved, deleted or replaced.
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

/// Which program a SQLite file belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The file does not exist or is empty.
    Empty,
    Ours,
    /// The file belongs to another program.
    Foreign,
    /// Not a SQLite file. SQLite reports the error when it opens the file.
    NotSqlite,
}

/// The application id in the header of our files: the ASCII codes of "oadm".
pub(crate) const APPLICATION_ID: i32 = 0x6f61_646d;
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// The size of a header in bytes, and the position of the application id in it.
const HEADER_BYTES: u64 = 100;
const APPLICATION_ID_AT: std::ops::Range<usize> = 68..72;

/// Determines the kind of a file without changing it.
pub(crate) fn kind(file: &Path) -> Result<Kind> {
    let mut header = Vec::new();
    match File::open(file).and_then(|file| file.take(HEADER_BYTES).read_to_end(&mut header)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Kind::Empty),
        // SQLite gets the same error, and reports more detail.
        Err(_) => return Ok(Kind::Ours),
        Ok(0) => return Ok(Kind::Empty),
        Ok(_) => {}
    }
    if header.get(APPLICATION_ID_AT) == Some(&APPLICATION_ID.to_be_bytes()) {
        return Ok(Kind::Ours);
    }
    if !header.starts_with(MAGIC) {
        return Ok(Kind::NotSqlite);
    }
    // Files of earlier versions have no application id, and that of a new file may still be in its log.
    let connection = open_to_read(file)?;
    let count = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let id = count("pragma application_id")?;
    let versions = count(
        "select count(*) from pragma_table_info('schema_migrations') where name in ('version', 'applied_by')",
    )?;
    Ok(match (id, versions, count("select count(*) from sqlite_master")?) {
        (_, 2, _) => Kind::Ours,
        (0, _, 0) => Kind::Empty,
        _ => Kind::Foreign,
    })
}

/// Rejects the file of another program and leaves it unchanged.
pub(crate) fn refuse_foreign(file: &Path) -> Result<()> {
    match kind(file)? {
        Kind::Foreign => {
            let expected = "a database of openai-admin or a new file, but this file is another program's";
            Err(Error::invalid_value("database", expected))
        }
        Kind::Empty | Kind::Ours | Kind::NotSqlite => Ok(()),
    }
}

/// Opens a database for reading, even on a read-only disk, where SQLite cannot create the files that it needs beside a
/// database with a log.
pub(crate) fn open_to_read(file: &Path) -> Result<Connection> {
    // Opened for writing if possible: otherwise a log from a crash could not be read.
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE).and_then(readable);
    let connection = match connection {
        Err(error) if is_unwritable(&error, file) && length(&log_of(file)) == 0 => {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
            let opened = Connection::open_with_flags(immutable(file), flags).and_then(readable);
            opened.map_err(|error| Error::from(error).of_file(file))?
        }
        opened => opened.map_err(|error| Error::from(error).of_file(file))?,
    };
    connection.execute_batch("pragma query_only = on")?;
    Ok(connection)
}

fn readable(connection: Connection) -> rusqlite::Result<Connection> {
    connection.query_row("select count(*) from sqlite_master", [], |_| Ok(()))?;
    Ok(connection)
}

/// Whether SQLite failed because the file or its folder is not writable. It fails in the same way without file
/// descriptors, for example, while other processes may be writing.
fn is_unwritable(error: &rusqlite::Error, file: &Path) -> bool {
    use rusqlite::ErrorCode::{CannotOpen, ReadOnly};
    let is_refused = |error: io::Error| {
        matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
    };
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    matches!(error.sqlite_error_code(), Some(CannotOpen | ReadOnly))
        && (File::options().append(true).open(file).is_err_and(is_refused)
            || tempfile::tempfile_in(folder).is_err_and(is_refused))
}

/// The URI of a file that no process changes.
fn immutable(file: &Path) -> String {
    let path = file.to_string_lossy();
    let escaped = percent_encoding::utf8_percent_encode(&path, URI_ESCAPED);
    format!("file:{escaped}?immutable=1")
}

/// The characters with a meaning in the path of a URI.
const URI_ESCAPED: &percent_encoding::AsciiSet = &percent_encoding::CONTROLS.add(b'%').add(b'?').add(b'#');

fn length(file: &Path) -> u64 {
    fs::metadata(file).map_or(0, |found| found.len())
}

/// Rejects an empty file beside a nonempty log: SQLite would treat it as a new database and delete the log.
pub(crate) fn refuse_emptied(file: &Path) -> Result<()> {
    let log = log_of(file);
    if file.exists() && length(file) == 0 && length(&log) > 0 {
        return Err(Error::internal(format!(
            "it is empty, but {} holds changes to it, so it was truncated or replaced: put the right file back, or \
             move the log away to start with an empty database",
            log.display()
        )));
    }
    Ok(())
}

/// The log is beside the file itself, not beside a link to it.
fn log_of(file: &Path) -> PathBuf {
    let mut log = fs::canonicalize(file).unwrap_or_else(|_| file.to_owned()).into_os_string();
    log.push("-wal");
    log.into()
}

/// Unique among the files that exist at the same time.
type Identity = (u64, u64);

#[cfg(unix)]
fn identity(found: &Metadata) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt as _;
    Some((found.dev(), found.ino()))
}

/// On systems where an open file cannot be moved or deleted.
#[cfg(not(unix))]
fn identity(_: &Metadata) -> Option<Identity> {
    None
}
