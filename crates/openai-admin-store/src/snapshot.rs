//! Snapshots: a database as it was at one moment, kept in memory, to go back to within a millisecond.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use rusqlite::{Connection, backup::Backup};
use tokio::sync::oneshot;

use crate::{
    error::{Error, Result},
    store::Store,
};

/// Copies all pages in one step.
const ALL_PAGES: i32 = -1;

/// A whole database as it was when it was taken, in memory. Cheap to clone.
#[derive(Clone)]
pub struct Snapshot(Arc<Mutex<Connection>>);

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot").finish_non_exhaustive()
    }
}

impl Snapshot {
    fn of(database: &Connection) -> Result<Self> {
        let mut copy = Connection::open_in_memory()?;
        copy_pages(database, &mut copy)?;
        Ok(Self(Arc::new(Mutex::new(copy))))
    }

    pub(crate) fn copy_to(&self, database: &mut Connection) -> Result<()> {
        copy_pages(&self.0.lock().unwrap_or_else(PoisonError::into_inner), database)
    }
}

fn copy_pages(from: &Connection, to: &mut Connection) -> Result<()> {
    Backup::new(from, to)?.step(ALL_PAGES)?;
    Ok(())
}

impl Store {
    /// The whole database as it is now. Only of SQLite.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidValue`] when the database is PostgreSQL.
    pub async fn snapshot(&self) -> Result<Snapshot> {
        self.alone(|database| Snapshot::of(database)).await
    }

    /// Makes the whole database what it was: all of it or, after an error, nothing. Changes that were made since are
    /// lost. Only of SQLite.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidValue`] when the database is PostgreSQL.
    pub async fn reset_to(&self, snapshot: &Snapshot) -> Result<()> {
        let snapshot = snapshot.clone();
        let restored = self.alone(move |database| snapshot.copy_to(database)).await;
        // The keys are other ones now.
        self.api_keys_changed();
        restored
    }

    async fn alone<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let sqlite =
            self.sqlite().ok_or_else(|| Error::invalid_value("database", "SQLite, for snapshots"))?;
        let (sender, receiver) = oneshot::channel();
        sqlite.alone(Box::new(move |database| {
            // Nobody may be waiting any more.
            let _ = sender.send(work(database));
        }))?;
        receiver.await.unwrap_or_else(|_| Err(Error::unavailable("the database is closed")))
    }
}
