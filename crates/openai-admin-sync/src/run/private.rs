//! Files and folders that only their owner reads: plans, journals and reports name people.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write as _},
    path::Path,
};

/// The mode of a folder that only its owner enters.
#[cfg(unix)]
const FOLDER_MODE: u32 = 0o700;
/// The mode of a file that only its owner reads.
#[cfg(unix)]
const FILE_MODE: u32 = 0o600;

/// Makes a folder, and those above it, unless it is there.
///
/// # Errors
///
/// When it cannot be made.
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

/// Opens a file with `options`; a new one, and one that is there, is private from then on.
///
/// # Errors
///
/// When it cannot be opened.
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
        // A device or a pipe keeps its mode, and so does a file of somebody else.
        if file.metadata()?.is_file() {
            let _ = file.set_permissions(fs::Permissions::from_mode(FILE_MODE));
        }
    }
    Ok(file)
}

/// Makes a file, or empties the one that is there.
///
/// # Errors
///
/// When it cannot be made.
pub fn create(path: &Path) -> io::Result<File> {
    open(path, OpenOptions::new().create(true).truncate(true).write(true))
}

/// Writes a whole file.
///
/// # Errors
///
/// When it cannot be written.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    create(path)?.write_all(bytes)
}

/// Writes a file that is either the old one or the new one, whole, whenever the machine stops.
///
/// # Errors
///
/// When it cannot be written.
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
    fn what_names_people_is_read_by_its_owner_alone() {
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
