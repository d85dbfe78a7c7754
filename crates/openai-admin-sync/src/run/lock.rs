//! One run at a time for each organization.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read as _, Seek as _, Write as _},
    path::Path,
};

use crate::run::private;

/// The lock of an organization, until it is dropped. The operating system gives it back when the process ends, however
/// it ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Why there is no lock.
#[derive(Debug)]
pub enum LockError {
    /// Another run has it: what that run wrote about itself.
    Held(String),
    /// The file cannot be used.
    Io(io::Error),
}

impl Lock {
    /// Takes the lock. `holder` says who has it, for others who want it.
    ///
    /// # Errors
    ///
    /// When another run has it, or the file cannot be used.
    pub fn take(path: &Path, holder: &str) -> Result<Self, LockError> {
        let open =
            private::open(path, OpenOptions::new().create(true).truncate(false).read(true).write(true));
        let mut file = open.map_err(LockError::Io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut other = String::new();
                // Who it is would be good to know, and is not needed.
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
    fn the_second_is_told_who_is_the_first() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lock");
        let first = Lock::take(&path, "run 1").expect("free");
        assert!(matches!(Lock::take(&path, "run 2"), Err(LockError::Held(who)) if who == "run 1"));
        drop(first);
        Lock::take(&path, "run 3").expect("free again");
    }
}
