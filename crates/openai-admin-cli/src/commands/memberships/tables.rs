//! Reads files: those on the command line, which the user trusts, and tables that a group file names. The tables are
//! data, often from others, so they must be in the folder of the group file.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use crate::failure::{Doing as _, ExitStatus, Failure, Result};

/// The largest file from the command line, in bytes.
const TYPED_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// The largest table that a group file names, in bytes: about five million rows.
const NAMED_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Reads a file from the command line, or standard input.
pub(super) fn read_input(path: &Path, name: &str) -> Result<Vec<u8>> {
    read_bytes(path)
        .map_err(|error| Failure { status: ExitStatus::BadInput, ..error.into() })
        .doing(|| format!("read {name}"))
}

pub(super) fn read_bytes(path: &Path) -> io::Result<Vec<u8>> {
    if path == Path::new("-") {
        return read_all(io::stdin().lock(), TYPED_BYTES_MAX);
    }
    read_all(File::open(path)?, TYPED_BYTES_MAX)
}

/// Reads a table that the group file `file` names: a regular file in or below that file's folder, links resolved.
pub(super) fn read_table(file: &Path, table: &str) -> Result<Vec<u8>, String> {
    let (folder, table) = resolve_links(file, table)?;
    if !table.starts_with(&folder) {
        return Err("it is outside the folder of the group file".to_owned());
    }
    // Check before opening, because opening a pipe waits for a writer, and after, because it may have been replaced.
    let is_regular = |metadata: fs::Metadata| {
        let is_regular = metadata.is_file();
        is_regular.then_some(()).ok_or_else(|| "it is not a regular file".to_owned())
    };
    is_regular(fs::metadata(&table).map_err(message_of)?)?;
    let opened = nonblocking().open(&table).map_err(message_of)?;
    is_regular(opened.metadata().map_err(message_of)?)?;
    read_all(opened, NAMED_BYTES_MAX).map_err(message_of)
}

/// The folder of a file, and the table that it names, with links resolved.
fn resolve_links(file: &Path, table: &str) -> Result<(PathBuf, PathBuf), String> {
    let file = if file == Path::new("-") { Path::new("") } else { file };
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = fs::canonicalize(folder).map_err(message_of)?;
    let table = fs::canonicalize(folder.join(table)).map_err(message_of)?;
    Ok((folder, table))
}

/// Opens for reading, without following a link or waiting for the writer of a pipe.
fn nonblocking() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOFOLLOW;
        options.custom_flags(flags.bits().cast_signed());
    }
    options
}

fn read_all(from: impl io::Read, bytes_max: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(bytes_max + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > bytes_max {
        let message = format!("it is larger than {} MiB", bytes_max / (1024 * 1024));
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    Ok(bytes)
}

fn message_of(error: io::Error) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new() -> Self {
            let folder = Self(tempfile::tempdir().expect("a folder"));
            fs::create_dir_all(folder.path("repository/tables")).expect("folders");
            fs::write(folder.path("repository/groups.yaml"), "").expect("a file");
            fs::write(folder.path("repository/tables/people.csv"), "email\n").expect("a table");
            fs::write(folder.path("secret"), "sk-admin-secret").expect("a secret");
            folder
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        fn read(&self, table: &str) -> Result<Vec<u8>, String> {
            read_table(&self.path("repository/groups.yaml"), table)
        }
    }

    #[test]
    fn a_table_below_the_folder_of_its_file_is_read() {
        let folder = Folder::new();
        let whole = folder.path("repository/tables/people.csv");
        for table in ["tables/people.csv", "./tables/../tables/people.csv", &whole.display().to_string()] {
            assert_eq!(folder.read(table), Ok(b"email\n".to_vec()), "{table}");
        }
    }

    #[test]
    fn a_table_elsewhere_is_refused() {
        let folder = Folder::new();
        let outside = "it is outside the folder of the group file";
        let secret = folder.path("secret").display().to_string();
        for table in ["../secret", "tables/../../secret", &secret] {
            assert_eq!(folder.read(table), Err(outside.to_owned()), "{table}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_out_of_the_folder_is_refused() {
        let folder = Folder::new();
        let link = |from: &str, to: &str| {
            std::os::unix::fs::symlink(folder.path(from), folder.path(to)).expect("a link");
        };
        link("secret", "repository/people.csv");
        link("", "repository/up");
        link("repository/tables", "repository/inside");
        for table in ["people.csv", "up/secret"] {
            assert!(folder.read(table).is_err_and(|message| message.contains("outside")), "{table}");
        }
        assert!(folder.read("inside/people.csv").is_ok(), "a link that stays inside");
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_or_folder_is_refused_without_waiting() {
        let folder = Folder::new();
        let pipe = folder.path("repository/pipe.csv");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo");
        assert!(made.success());
        for table in ["pipe.csv", "tables"] {
            assert_eq!(folder.read(table), Err("it is not a regular file".to_owned()), "{table}");
        }
    }

    #[test]
    fn a_file_over_the_limit_is_refused_and_not_truncated() {
        assert_eq!(read_all(&b"four"[..], 4).expect("four bytes"), b"four");
        assert!(read_all(&b"fives"[..], 4).is_err());
    }
}
