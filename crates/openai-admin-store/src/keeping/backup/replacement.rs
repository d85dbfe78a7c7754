//! Replaces a file with a new one once the new one is complete.
//!
//! The new file is written in a folder beside the target that only its owner can enter, under an unpredictable name. A
//! separate lock file, which is never renamed, excludes other writers of the same target.

use std::{
    ffi::OsString,
    fs::{self, File, Metadata, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use crate::base::error::{Error, Result};

/// The suffixes of the folder of an incomplete file, and of its lock.
const PARTIAL_SUFFIX: &str = ".partial";
const LOCK_SUFFIX: &str = ".lock";
/// The name of the file in that folder.
const PARTIAL_FILE: &str = "database";
/// How often acquiring a lock is retried after its previous holder removed the file.
const LOCK_ATTEMPTS_MAX: u32 = 100;

/// A folder with a random name that only this user can enter. Dropping the value deletes it.
pub(super) fn private_folder(within: &Path, prefix: &OsString) -> Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix).suffix(PARTIAL_SUFFIX);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder.tempdir_in(within).map_err(|error| cannot("make a folder in", within, &error))
}

/// A new file in such a folder that only its owner can read.
pub(super) fn private_file(folder: &TempDir) -> Result<PathBuf> {
    let file = folder.path().join(PARTIAL_FILE);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(&file).map_err(|error| cannot("make", &file, &error))?;
    Ok(file)
}

/// A new file that replaces `target` once it is complete.
pub(super) struct Replacement {
    target: PathBuf,
    folder: TempDir,
    file: PathBuf,
    /// Held until the end.
    _lock: Lock,
}

impl Replacement {
    /// Starts the replacement of the file that `target` resolves to. Only one replacement of a target can run at a
    /// time.
    pub(super) fn begin(target: &Path) -> Result<Self> {
        let target = resolved(target)?;
        let lock = Lock::take(&target)?;
        let (within, prefix) = (folder_of(&target), prefix_of(&target));
        // The lock excludes running writers, so a folder found here is left over from a killed process.
        remove_left_over(within, &prefix);
        let folder = private_folder(within, &prefix)?;
        let file = private_file(&folder)?;
        Ok(Self { target, folder, file, _lock: lock })
    }

    /// The path of the new file until it is complete.
    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    /// The path of the replaced file, with all links resolved.
    pub(super) fn target(&self) -> &Path {
        &self.target
    }

    /// Moves the file to its target, with the owner and the mode of the replaced file. The new name is synced to disk
    /// when this returns.
    pub(super) fn finish(self) -> Result<()> {
        if let Ok(replaced) = fs::metadata(&self.target) {
            keep_owner_and_mode(&self.file, &replaced, &self.target)?;
        }
        let finish = || -> io::Result<()> {
            File::open(&self.file)?.sync_all()?;
            fs::rename(&self.file, &self.target)?;
            // Windows cannot open a folder; there, syncing the name is left to the system.
            #[cfg(unix)]
            File::open(folder_of(&self.target))?.sync_all()?;
            Ok(())
        };
        finish().map_err(|error| cannot("replace", &self.target, &error))?;
        // If deleting the empty folder fails, the next replacement deletes it.
        let _ = self.folder.close();
        Ok(())
    }
}

/// Resolves a path to a file. Rejects a dangling link, because its target may appear in the meantime.
fn resolved(path: &Path) -> Result<PathBuf> {
    if path.exists() {
        return fs::canonicalize(path).map_err(|error| cannot("find", path, &error));
    }
    if path.is_symlink() {
        let expected = format!("a file or a new name, but {} is a dangling link", path.display());
        return Err(Error::invalid_value("file", expected));
    }
    let name = path.file_name().ok_or_else(|| Error::invalid_value("file", "the name of a file"))?;
    let folder = folder_of(path);
    let folder = fs::canonicalize(folder).map_err(|error| cannot("find the folder", folder, &error))?;
    Ok(folder.join(name))
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn prefix_of(target: &Path) -> OsString {
    let mut prefix = OsString::from(".");
    prefix.push(target.file_name().unwrap_or_default());
    prefix.push(".");
    prefix
}

fn remove_left_over(within: &Path, prefix: &OsString) {
    let Some(prefix) = prefix.to_str() else { return };
    for entry in fs::read_dir(within).into_iter().flatten().flatten() {
        let is_ours = entry
            .file_name()
            .to_str()
            .is_some_and(|name| name.starts_with(prefix) && name.ends_with(PARTIAL_SUFFIX));
        if is_ours && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(unix)]
fn keep_owner_and_mode(file: &Path, replaced: &Metadata, target: &Path) -> Result<()> {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    let mode = fs::Permissions::from_mode(replaced.permissions().mode() & 0o777);
    let keep = || -> io::Result<()> {
        let ours = fs::metadata(file)?;
        if (ours.uid(), ours.gid()) != (replaced.uid(), replaced.gid()) {
            std::os::unix::fs::chown(file, Some(replaced.uid()), Some(replaced.gid()))?;
        }
        fs::set_permissions(file, mode)
    };
    keep().map_err(|error| {
        let owner = format!("{}:{}", replaced.uid(), replaced.gid());
        cannot(&format!("keep the owner {owner} (run it as that user or as root) of"), target, &error)
    })
}

#[cfg(not(unix))]
fn keep_owner_and_mode(_: &Path, _: &Metadata, _: &Path) -> Result<()> {
    Ok(())
}

/// The lock of a target: a file beside it that exists while the lock is held.
struct Lock {
    path: PathBuf,
    _file: File,
}

impl Lock {
    fn take(target: &Path) -> Result<Self> {
        let mut path = prefix_of(target);
        path.push(LOCK_SUFFIX.trim_start_matches('.'));
        let path = folder_of(target).join(path);
        for _ in 0..LOCK_ATTEMPTS_MAX {
            if let Some(file) = Self::try_take(&path)? {
                return Ok(Self { path, _file: file });
            }
        }
        Err(in_use())
    }

    /// `None` if the locked file is no longer the one with this name, because its previous holder removed it.
    fn try_take(path: &Path) -> Result<Option<File>> {
        if path.is_symlink() {
            let expected = format!("a lock file, but {} is a link", path.display());
            return Err(Error::invalid_value("file", expected));
        }
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(|error| cannot("lock", path, &error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(in_use()),
            Err(TryLockError::Error(error)) => return Err(cannot("lock", path, &error)),
        }
        let locked = file.metadata().map_err(|error| cannot("lock", path, &error))?;
        Ok(fs::symlink_metadata(path).is_ok_and(|found| is_same(&locked, &found)).then_some(file))
    }
}

/// Removes the file before the lock is released, so that no other process can have locked it.
impl Drop for Lock {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

fn in_use() -> Error {
    Error::invalid_value("file", "a file that no other backup or restore is writing")
}

#[cfg(unix)]
fn is_same(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// On these systems, an open file cannot be removed.
#[cfg(not(unix))]
fn is_same(_: &Metadata, _: &Metadata) -> bool {
    true
}

fn cannot(what: &str, path: &Path, error: &io::Error) -> Error {
    Error::unavailable(format!("cannot {what} {}: {error}", path.display()))
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

    use super::*;

    fn folder() -> TempDir {
        tempfile::tempdir().expect("a folder")
    }

    fn names(folder: &TempDir) -> Vec<String> {
        let names = fs::read_dir(folder.path()).expect("a folder").flatten();
        names.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn a_lock_on_a_removed_file_does_not_count() {
        let folder = folder();
        let target = folder.path().join("a.backup");
        let first = Lock::take(&target).expect("the lock");
        assert!(Lock::take(&target).is_err(), "it is held");
        // A file that was opened before the holder removed it no longer counts as the lock.
        let opened = File::options().write(true).open(&first.path).expect("the lock's file");
        let path = first.path.clone();
        drop(first);
        opened.try_lock().expect("not locked");
        let second = Lock::take(&target).expect("a separate lock");
        let (old, new) = (opened.metadata().expect("old"), fs::metadata(&path).expect("new"));
        assert_ne!(old.ino(), new.ino());
        drop(second);
        assert_eq!(names(&folder), Vec::<String>::new());
    }

    #[test]
    fn an_incomplete_file_is_private_and_has_a_random_name() {
        let folder = folder();
        let target = folder.path().join("a.backup");
        let one = Replacement::begin(&target).expect("a file");
        let mode = |path: &Path| fs::metadata(path).expect("a file").permissions().mode() & 0o777;
        assert_eq!((mode(one.file()), mode(one.folder.path())), (0o600, 0o700));
        let before = one.file().to_owned();
        drop(one);
        let next = Replacement::begin(&target).expect("another");
        assert_ne!(next.file(), before);
        drop(next);
        assert_eq!(names(&folder), Vec::<String>::new());
    }

    #[test]
    fn a_link_is_kept_and_its_target_replaced_and_a_dangling_link_is_refused() {
        let folder = folder();
        let (real, link) = (folder.path().join("real.db"), folder.path().join("link.db"));
        fs::write(&real, "before").expect("a file");
        symlink("real.db", &link).expect("a link");
        let new = Replacement::begin(&link).expect("a file");
        fs::write(new.file(), "after").expect("written");
        new.finish().expect("in its place");
        assert!(link.is_symlink());
        assert_eq!(fs::read_to_string(&real).expect("a file"), "after");

        let nowhere = folder.path().join("nowhere.db");
        symlink("missing.db", &nowhere).expect("a link");
        assert!(Replacement::begin(&nowhere).is_err());
        let planted = folder.path().join(".other.db.lock");
        symlink("real.db", &planted).expect("a link");
        assert!(Replacement::begin(&folder.path().join("other.db")).is_err());
        assert_eq!(fs::read_to_string(&real).expect("a file"), "after");
    }

    #[test]
    fn the_new_file_keeps_the_owner_and_the_mode() {
        let folder = folder();
        let target = folder.path().join("a.db");
        fs::write(&target, "before").expect("a file");
        fs::set_permissions(&target, fs::Permissions::from_mode(0o640)).expect("a mode");
        // Only root can change the owner of a file.
        let is_root = std::os::unix::fs::chown(&target, Some(12_345), Some(12_345)).is_ok();
        let before = fs::metadata(&target).expect("a file");
        Replacement::begin(&target).expect("a file").finish().expect("in its place");
        let after = fs::metadata(&target).expect("a file");
        assert_eq!((after.uid(), after.gid(), after.mode()), (before.uid(), before.gid(), before.mode()));
        assert_eq!(is_root, after.uid() == 12_345);
    }

    #[test]
    fn files_of_a_killed_process_are_removed_by_the_next_replacement() {
        let folder = folder();
        let target = folder.path().join("a.db");
        let killed = Replacement::begin(&target).expect("a file");
        let left = killed.folder.path().to_owned();
        std::mem::forget(killed);
        fs::remove_file(folder.path().join(".a.db.lock")).expect("the lock's file");
        assert!(left.exists());
        drop(Replacement::begin(&target).expect("the next"));
        assert!(!left.exists());
    }
}
