//! Opening a database: its schema is migrated to the version of this program, or required to have it.

use crate::{
    base::error::Result,
    engines::{
        database_url::DatabaseUrl,
        job::on_a_thread,
        postgres::{self, Postgres},
        sqlite::{Sqlite, snapshot::Snapshot},
    },
    keeping::migrations::{migrate, require_newest},
    store::{Engine, Store},
};

impl Store {
    /// Opens a database and migrates its schema. A file that does not exist is created.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`](crate::Error::Unavailable) if the database cannot be opened or reached;
    /// [`Error::InvalidValue`](crate::Error::InvalidValue) if a newer version of this program migrated its schema.
    pub async fn open(url: &DatabaseUrl) -> Result<Self> {
        let url = url.clone();
        let open = move || match url {
            DatabaseUrl::Sqlite(file) => Sqlite::open(&file, migrate).map(Engine::Sqlite),
            DatabaseUrl::Postgres(url) => Postgres::open(&url, migrate).map(Box::new).map(Engine::Postgres),
        };
        Ok(Self::of(on_a_thread(open).await?))
    }

    /// Opens an existing database only for reading. Its schema is not migrated, and it may be read-only, such as a
    /// backup on a read-only disk. Writes are rejected. PostgreSQL is opened as by [`open`](Self::open), after a check
    /// of its schema.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`](crate::Error::Unavailable) if the database cannot be opened or reached;
    /// [`Error::InvalidValue`](crate::Error::InvalidValue) if its schema version is not that of this program.
    pub async fn open_to_read(url: &DatabaseUrl) -> Result<Self> {
        let url = url.clone();
        let open = move || match url {
            DatabaseUrl::Sqlite(file) => Sqlite::open_to_read(&file, require_newest).map(Engine::Sqlite),
            DatabaseUrl::Postgres(url) => {
                postgres::once(&url, false, &mut require_newest)?;
                Postgres::open(&url, migrate).map(Box::new).map(Engine::Postgres)
            }
        };
        Ok(Self::of(on_a_thread(open).await?))
    }

    /// Opens a SQLite database in memory, which is deleted with the last clone of the store. It starts as a copy of
    /// `begun`, or empty.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// use openai_admin_store::Store;
    /// let store = Store::open_in_memory(None).await?;
    /// assert!(store.organizations().await?.is_empty());
    /// # Ok::<(), openai_admin_store::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`](crate::Error::Unavailable) if there is not enough memory or no thread.
    pub async fn open_in_memory(begun: Option<Snapshot>) -> Result<Self> {
        let open = move || Sqlite::open_in_memory(begun.as_ref(), migrate).map(Engine::Sqlite);
        Ok(Self::of(on_a_thread(open).await?))
    }
}
