//! Snapshots: a database as it was at one moment, kept in memory, to go back to within a millisecond.

use std::{fmt, ops::Range, sync::Arc};

use rusqlite::{Connection, MAIN_DB, backup::Backup};
use tokio::sync::oneshot;

use crate::{
    error::{Error, Result},
    store::Store,
};

/// Copies all pages in one step.
const ALL_PAGES: i32 = -1;
/// Where a file says how it is written to and read: 1 without a write-ahead log, 2 with one, which memory has not.
const FORMAT_VERSIONS: Range<usize> = 18..20;
const WITHOUT_LOG: u8 = 1;

/// A whole database as it was when it was taken, in memory. Cheap to clone.
#[derive(Clone)]
pub struct Snapshot(Arc<[u8]>);

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot").finish_non_exhaustive()
    }
}

impl Snapshot {
    /// How many bytes it takes in memory.
    pub fn size_bytes(&self) -> usize {
        self.0.len()
    }

    /// The pages of the database: two databases with the same bytes are the same.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    fn of(database: &mut Connection) -> Result<Self> {
        let mut pages = database.serialize(MAIN_DB)?.to_vec();
        if let Some(versions) = pages.get_mut(FORMAT_VERSIONS) {
            versions.fill(WITHOUT_LOG);
        }
        Ok(Self(pages.into()))
    }

    /// Makes a database in memory what it was: one copy of all bytes.
    pub(crate) fn put_into(&self, memory: &mut Connection) -> Result<()> {
        // What is prepared for the database of before would hold it open.
        memory.flush_prepared_statement_cache();
        Ok(memory.deserialize_read_exact(MAIN_DB, &*self.0, self.0.len(), false)?)
    }

    /// Makes the database of a file what it was, in one transaction.
    fn copy_to(&self, database: &mut Connection) -> Result<()> {
        let mut memory = Connection::open_in_memory()?;
        self.put_into(&mut memory)?;
        Backup::new(&memory, database)?.step(ALL_PAGES)?;
        Ok(())
    }
}

impl Store {
    /// The whole database as it is now. Only of SQLite.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidValue`] when the database is PostgreSQL.
    pub async fn snapshot(&self) -> Result<Snapshot> {
        self.alone(Snapshot::of).await
    }

    /// Makes the whole database what it was: all of it or, after an error, nothing. Changes that were made since are
    /// lost. Only of SQLite.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidValue`] when the database is PostgreSQL.
    pub async fn reset_to(&self, snapshot: &Snapshot) -> Result<()> {
        let snapshot = snapshot.clone();
        let restored = self.alone(move |database| {
            let is_in_memory = database.path().is_none_or(str::is_empty);
            if is_in_memory { snapshot.put_into(database) } else { snapshot.copy_to(database) }
        });
        let restored = restored.await;
        // The keys are other ones now.
        self.api_keys_changed();
        restored
    }

    /// How many bytes its pages take. Only of SQLite.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidValue`] when the database is PostgreSQL.
    pub async fn size_bytes(&self) -> Result<u64> {
        self.alone(|database| {
            let number = |pragma| database.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
            let bytes = number("page_count")?.saturating_mul(number("page_size")?);
            Ok(u64::try_from(bytes).unwrap_or_default())
        })
        .await
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
