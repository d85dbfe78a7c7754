//! Taking and restoring snapshots of a SQLite database.

use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::{
    base::error::{Error, Result},
    engines::sqlite::snapshot::Snapshot,
    store::Store,
};

impl Store {
    /// Takes a snapshot of the whole database. SQLite only.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidValue`] if the database is PostgreSQL.
    pub async fn snapshot(&self) -> Result<Snapshot> {
        self.with_connection(Snapshot::of).await
    }

    /// Restores the whole database to a snapshot. Later changes are lost. After an error, nothing has changed. SQLite
    /// only.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidValue`] if the database is PostgreSQL.
    pub async fn reset_to(&self, snapshot: &Snapshot) -> Result<()> {
        let snapshot = snapshot.clone();
        let restored = self.with_connection(move |database| {
            let is_in_memory = database.path().is_none_or(str::is_empty);
            if is_in_memory { snapshot.put_into(database) } else { snapshot.copy_to(database) }
        });
        let restored = restored.await;
        // The snapshot holds other keys.
        self.api_keys_changed();
        restored
    }

    /// The size of the database's pages in bytes. SQLite only.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidValue`] if the database is PostgreSQL.
    pub async fn size_bytes(&self) -> Result<u64> {
        self.with_connection(|database| {
            let number = |pragma| database.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
            let bytes = number("page_count")?.saturating_mul(number("page_size")?);
            Ok(u64::try_from(bytes).unwrap_or_default())
        })
        .await
    }

    async fn with_connection<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let sqlite =
            self.sqlite().ok_or_else(|| Error::invalid_value("database", "SQLite, for snapshots"))?;
        let (sender, receiver) = oneshot::channel();
        sqlite.with_connection(Box::new(move |database| {
            // Sending fails if the caller was cancelled.
            let _ = sender.send(work(database));
        }))?;
        receiver.await.unwrap_or_else(|_| Err(Error::unavailable("the database is closed")))
    }
}
