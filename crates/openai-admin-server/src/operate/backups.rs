//! The time of the last backup, for its metric. Backups are files that another process writes.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, UNIX_EPOCH},
};

use openai_admin::Timestamp;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

/// How long a folder may take to respond.
const READ_TIMEOUT: Duration = Duration::from_secs(2);
/// The maximum number of files of a folder that are considered.
const FILES_MAX: usize = 10_000;

/// A backup, or a folder of backups.
#[derive(Debug)]
pub(crate) struct Backups {
    path: PathBuf,
    /// The result of the last complete reading.
    known: Mutex<Option<Timestamp>>,
    /// One thread at a time: a disk that does not respond must not occupy more of them at each request.
    turn: Arc<Semaphore>,
}

impl Backups {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, known: Mutex::default(), turn: Arc::new(Semaphore::new(1)) }
    }

    /// When the newest backup was last changed. `None` if there is none, or if its disk does not respond. While another
    /// request reads the folder, the result of the reading before.
    pub(crate) async fn newest(&self) -> Option<Timestamp> {
        let Ok(turn) = Arc::clone(&self.turn).try_acquire_owned() else { return *self.known() };
        let newest = self.read(turn).await;
        *self.known() = newest;
        newest
    }

    fn known(&self) -> MutexGuard<'_, Option<Timestamp>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn read(&self, turn: OwnedSemaphorePermit) -> Option<Timestamp> {
        let path = self.path.clone();
        let reading = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            newest(&path)
        });
        match timeout(READ_TIMEOUT, reading).await.ok()?.ok()? {
            Ok(newest) => newest,
            // The first backup creates the folder.
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "cannot read the folder of backups");
                None
            }
        }
    }
}

fn newest(path: &Path) -> io::Result<Option<Timestamp>> {
    if !path.is_dir() {
        return changed_at(&fs::metadata(path)?).map(Some);
    }
    let mut newest = None;
    for entry in fs::read_dir(path)?.take(FILES_MAX) {
        let entry = entry?;
        // Such as the lock of a backup, which stays if the backup is killed.
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        // A file that is replaced meanwhile is one that the next request finds.
        let Ok(file) = fs::metadata(entry.path()) else { continue };
        if file.is_file() {
            newest = newest.max(Some(changed_at(&file)?));
        }
    }
    Ok(newest)
}

fn changed_at(file: &fs::Metadata) -> io::Result<Timestamp> {
    let since = file.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(Timestamp::from_unix_seconds(i64::try_from(since.as_secs()).unwrap_or(i64::MAX)))
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    fn write(file: &Path, seconds: u64) {
        let at: SystemTime = UNIX_EPOCH + Duration::from_secs(seconds);
        fs::File::create(file).expect("a file").set_modified(at).expect("its time");
    }

    async fn seconds(path: &Path) -> Option<i64> {
        Backups::new(path.to_owned()).newest().await.map(Timestamp::unix_seconds)
    }

    #[tokio::test]
    async fn the_newest_file_of_a_folder_is_the_last_backup() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(seconds(folder.path()).await, None);
        for (name, at) in [("1.backup", 100), ("2.backup", 300), ("3.backup", 200)] {
            write(&folder.path().join(name), at);
        }
        write(&folder.path().join(".4.backup.lock"), 400);
        fs::create_dir(folder.path().join("nested")).expect("a folder");
        assert_eq!(seconds(folder.path()).await, Some(300));
        assert_eq!(seconds(&folder.path().join("1.backup")).await, Some(100));
        assert_eq!(seconds(&folder.path().join("none")).await, None);
    }

    #[tokio::test]
    async fn a_second_request_does_not_wait_for_a_disk() {
        let folder = tempfile::tempdir().expect("a folder");
        write(&folder.path().join("1.backup"), 100);
        let backups = Backups::new(folder.path().to_owned());
        let turn = Arc::clone(&backups.turn).try_acquire_owned().expect("the turn");
        assert_eq!(backups.newest().await, None);
        drop(turn);
        let read = backups.newest().await;
        assert_eq!(read.map(Timestamp::unix_seconds), Some(100));
        let _turn = Arc::clone(&backups.turn).try_acquire_owned().expect("the turn");
        assert_eq!(backups.newest().await, read);
    }
}
