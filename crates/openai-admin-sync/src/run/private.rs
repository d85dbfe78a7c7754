//! Files and folders that only their owner can read, because plans, journals and reports contain personal data.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write as _},
    path::Path,
};

/// The mode of a private folder.
#[cfg(unix)]
const FOLDER_MODE: u32 = 0o700;
/// The mode of a private file.
#[cfg(unix)]
const FILE_MODE: u32 = 0o600;

/// Creates a folder and its parents, unless it exists.
///
/// # Errors
///
/// If it cannot be created.
pub fn create_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(FOLDER_MODE);
    }
    builder.create(folder)
}

/// Opens a new or existing file with `options`, and makes it private.
///
/// # Errors
///
/// If it cannot be opened.
pub fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(FILE_MODE);
    }
    let file = options.open(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // Devices and pipes keep their mode. So do files of other owners: the error is ignored.
        if file.metadata()?.is_file() {
            let _ = file.set_permissions(fs::Permissions::from_mode(FILE_MODE));
        }
    }
    Ok(file)
}

/// Creates a file, or truncates an existing one.
///
/// # Errors
///
/// If it cannot be created.
pub fn create(path: &Path) -> io::Result<File> {
    open(path, OpenOptions::new().create(true).truncate(true).write(true))
}

/// Writes a file with this content.
///
/// # Errors
///
/// If it cannot be written.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    create(path)?.write_all(bytes)
}

/// Replaces a file atomically: after a crash, it has either the old or the new content.
///
/// # Errors
///
/// If it cannot be written.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let part = path.with_extension("part");
    let mut file = create(&part)?;
    file.write_all(bytes)?;
    file.sync_data()?;
    fs::rename(part, path)
}

#[cfg(test)]
mod tests {
    #[cfg(unix)]
    use std::os::unix::fs::PermissionsExt as _;

    #[cfg(unix)]
    use super::*;

    #[cfg(unix)]
    #[test]
    fn files_and_folders_are_readable_only_by_their_owner() {
        let home = tempfile::tempdir().expect("a folder");
        let folder = home.path().join("a/b");
        create_folder(&folder).expect("made");
        let (new, old) = (folder.join("new"), folder.join("old"));
        fs::write(&old, "before").expect("written");
        fs::set_permissions(&old, fs::Permissions::from_mode(0o644)).expect("set");
        write(&new, b"after").expect("written");
        replace(&old, b"after").expect("written");
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&new), mode(&old)), (0o700, 0o600, 0o600));
        assert_eq!(fs::read_to_string(&old).expect("text"), "after");
    }
}
