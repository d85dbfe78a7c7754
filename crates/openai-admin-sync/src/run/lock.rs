//! One run at a time for each organization.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read as _, Seek as _, Write as _},
    path::Path,
};

use crate::run::private;

/// The lock of an organization. It is released when dropped, and by the operating system when the process ends in any
/// way.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Why the lock could not be taken.
#[derive(Debug)]
pub enum LockError {
    /// Another run holds the lock; the text describes that run.
    Held(String),
    /// The lock file could not be opened, locked or written.
    Io(io::Error),
}

impl Lock {
    /// Takes the lock. `holder` describes this run to other runs.
    ///
    /// # Errors
    ///
    /// See [`LockError`].
    pub fn take(path: &Path, holder: &str) -> Result<Self, LockError> {
        let open =
            private::open(path, OpenOptions::new().create(true).truncate(false).read(true).write(true));
        let mut file = open.map_err(LockError::Io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut other = String::new();
                // The description is optional: ignore errors.
                let _ = file.read_to_string(&mut other);
                return Err(LockError::Held(other.trim().to_owned()));
            }
            Err(TryLockError::Error(error)) => return Err(LockError::Io(error)),
        }
        file.set_len(0).and_then(|()| file.rewind()).map_err(LockError::Io)?;
        file.write_all(holder.as_bytes()).map_err(LockError::Io)?;
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_held_lock_names_its_holder() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lock");
        let first = Lock::take(&path, "run 1").expect("free");
        assert!(matches!(Lock::take(&path, "run 2"), Err(LockError::Held(who)) if who == "run 1"));
        drop(first);
        Lock::take(&path, "run 3").expect("free again");
    }
}
