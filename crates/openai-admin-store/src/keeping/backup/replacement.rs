//! A file that takes the place of another one when it is whole.
//!
//! It is written in a folder beside its place that only its owner can enter, under a name that nobody can foresee. The
//! lock against others who write to the same place is a file of its own, which is never renamed.

use std::{
    ffi::OsString,
    fs::{self, File, Metadata, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use crate::base::error::{Error, Result};

/// What the folder of a file that is not whole yet ends in, and what its lock is called.
const PARTIAL_SUFFIX: &str = ".partial";
const LOCK_SUFFIX: &str = ".lock";
/// The file in that folder.
const PARTIAL_FILE: &str = "database";
/// How often a lock is tried whose file was removed meanwhile by its holder before.
const LOCK_ATTEMPTS_MAX: u32 = 100;

/// A folder that only this user can enter, under a random name; it goes with this value.
pub(super) fn private_folder(within: &Path, prefix: &OsString) -> Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix).suffix(PARTIAL_SUFFIX);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder.tempdir_in(within).map_err(|error| cannot("make a folder in", within, &error))
}

/// A new file in such a folder, which only its owner reads.
pub(super) fn private_file(folder: &TempDir) -> Result<PathBuf> {
    let file = folder.path().join(PARTIAL_FILE);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(&file).map_err(|error| cannot("make", &file, &error))?;
    Ok(file)
}

/// What becomes `target` when it is whole.
pub(super) struct Replacement {
    target: PathBuf,
    folder: TempDir,
    file: PathBuf,
    /// Held until the end.
    _lock: Lock,
}

impl Replacement {
    /// Begins to replace what `target` leads to. Only one of them at a time.
    pub(super) fn begin(target: &Path) -> Result<Self> {
        let target = resolved(target)?;
        let lock = Lock::take(&target)?;
        let (within, prefix) = (folder_of(&target), prefix_of(&target));
        // Whoever holds the lock is alone: what is there was left by one that was killed.
        remove_left_over(within, &prefix);
        let folder = private_folder(within, &prefix)?;
        let file = private_file(&folder)?;
        Ok(Self { target, folder, file, _lock: lock })
    }

    /// Where the file is until it is whole.
    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    /// What it will replace, with every link followed.
    pub(super) fn target(&self) -> &Path {
        &self.target
    }

    /// Puts the file in its place, with the owner and the mode of what was there. The new name is on the disk when this
    /// returns.
    pub(super) fn finish(self) -> Result<()> {
        if let Ok(replaced) = fs::metadata(&self.target) {
            keep_owner_and_mode(&self.file, &replaced, &self.target)?;
        }
        let finish = || -> io::Result<()> {
            File::open(&self.file)?.sync_all()?;
            fs::rename(&self.file, &self.target)?;
            // Windows cannot open a folder; there the name is left to the system.
            #[cfg(unix)]
            File::open(folder_of(&self.target))?.sync_all()?;
            Ok(())
        };
        finish().map_err(|error| cannot("replace", &self.target, &error))?;
        // A folder that stays is empty, and removed by the next one.
        let _ = self.folder.close();
        Ok(())
    }
}

/// The file that a path leads to. A link that leads nowhere is refused: what it names may appear meanwhile.
fn resolved(path: &Path) -> Result<PathBuf> {
    if path.exists() {
        return fs::canonicalize(path).map_err(|error| cannot("find", path, &error));
    }
    if path.is_symlink() {
        let expected = format!("a file or a new name, but {} is a link that leads nowhere", path.display());
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

/// The lock of a place, which is a file beside it while it is held.
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

    /// None when the file that is locked is not the one of this name any more: its holder before has removed it.
    fn try_take(path: &Path) -> Result<Option<File>> {
        if path.is_symlink() {
            let expected = format!("no link in the place of the lock {}", path.display());
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

/// While it is still locked, so that nobody can have locked it since.
impl Drop for Lock {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

fn in_use() -> Error {
    Error::invalid_value("file", "no other backup or restoration of the same name under way")
}

#[cfg(unix)]
fn is_same(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// A file that is open cannot be removed there.
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
    fn a_lock_whose_file_was_removed_meanwhile_is_not_taken() {
        let folder = folder();
        let target = folder.path().join("a.backup");
        let first = Lock::take(&target).expect("the lock");
        assert!(Lock::take(&target).is_err(), "it is held");
        // What somebody opens before the holder removes it is no lock any more.
        let opened = File::options().write(true).open(&first.path).expect("the lock's file");
        let path = first.path.clone();
        drop(first);
        opened.try_lock().expect("nobody holds it");
        let second = Lock::take(&target).expect("a lock of its own");
        let (old, new) = (opened.metadata().expect("old"), fs::metadata(&path).expect("new"));
        assert_ne!(old.ino(), new.ino());
        drop(second);
        assert_eq!(names(&folder), Vec::<String>::new());
    }

    #[test]
    fn what_is_not_whole_yet_is_private_and_its_name_cannot_be_foreseen() {
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
    fn a_link_is_followed_and_stays_and_one_that_leads_nowhere_is_refused() {
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
    fn what_is_replaced_hands_on_its_owner_and_its_mode() {
        let folder = folder();
        let target = folder.path().join("a.db");
        fs::write(&target, "before").expect("a file");
        fs::set_permissions(&target, fs::Permissions::from_mode(0o640)).expect("a mode");
        // Only root can give a file away.
        let is_root = std::os::unix::fs::chown(&target, Some(12_345), Some(12_345)).is_ok();
        let before = fs::metadata(&target).expect("a file");
        Replacement::begin(&target).expect("a file").finish().expect("in its place");
        let after = fs::metadata(&target).expect("a file");
        assert_eq!((after.uid(), after.gid(), after.mode()), (before.uid(), before.gid(), before.mode()));
        assert_eq!(is_root, after.uid() == 12_345);
    }

    #[test]
    fn what_one_that_was_killed_has_left_is_removed_by_the_next() {
        let folder = folder();
        let target = folder.path().join("a.db");
        let killed = Replacement::begin(&target).expect("a file");
        let left = killed.folder.path().to_owned();
        std::mem::forget(killed);
        fs::remove_file(folder.path().join(".a.db.lock")).expect("as if nobody held it");
        assert!(left.exists());
        drop(Replacement::begin(&target).expect("the next"));
        assert!(!left.exists());
    }
}
