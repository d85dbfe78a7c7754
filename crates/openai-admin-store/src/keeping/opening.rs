//! Opening a database: its schema is brought to the version of this program, or required to have it.

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
    /// Opens a database, creates it if it is a file that does not exist, and brings its schema up to date.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database cannot be opened or reached; [`Error::InvalidValue`](crate::Error::InvalidValue) when a newer
    /// version of this program has changed its schema.
    pub async fn open(url: &DatabaseUrl) -> Result<Self> {
        let url = url.clone();
        let open = move || match url {
            DatabaseUrl::Sqlite(file) => Sqlite::open(&file, migrate).map(Engine::Sqlite),
            DatabaseUrl::Postgres(url) => Postgres::open(&url, migrate).map(Box::new).map(Engine::Postgres),
        };
        Ok(Self::of(on_a_thread(open).await?))
    }

    /// Opens a database that is there only to read it: its schema stays as it is, and it may lie where nothing can be
    /// written, such as a backup on a read-only disk. What would write is refused. PostgreSQL is opened as by
    /// [`open`](Self::open), after a look at its schema.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database cannot be opened or reached; [`Error::InvalidValue`](crate::Error::InvalidValue) when its schema is
    /// not that of this version of the program.
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

    /// Opens a database in memory: SQLite like any other, gone with its last clone. It begins as `begun` was, or empty.
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
    /// [`Error::Unavailable`](crate::Error::Unavailable) when there is no memory or no thread for it.
    pub async fn open_in_memory(begun: Option<Snapshot>) -> Result<Self> {
        let open = move || Sqlite::open_in_memory(begun.as_ref(), migrate).map(Engine::Sqlite);
        Ok(Self::of(on_a_thread(open).await?))
    }
}
