//! SQLite and PostgreSQL: connections, queues and transactions.

pub(crate) mod database_url;
pub(crate) mod figures;
pub(crate) mod job;
pub(crate) mod lanes;
pub(crate) mod postgres;
pub(crate) mod sqlite;
pub(crate) mod transaction;
