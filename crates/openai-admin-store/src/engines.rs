//! SQLite and PostgreSQL: connections, queues and transactions.

pub(crate) mod database_url;
pub(crate) mod figures;
pub(crate) mod job;
pub(crate) mod lanes;
#[cfg(feature = "postgres")]
pub(crate) mod postgres;
#[cfg(not(feature = "postgres"))]
#[path = "engines/without_postgres.rs"]
pub(crate) mod postgres;
pub(crate) mod sqlite;
pub(crate) mod transaction;
