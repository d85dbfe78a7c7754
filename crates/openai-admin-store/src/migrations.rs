//! The schema, version by version.
//!
//! All missing versions are applied in one transaction that holds a lock, so any number of processes may open a new
//! database at once, and a migration that fails leaves nothing behind.

use crate::{
    error::{Error, Result},
    transaction::{Transaction, values},
};

/// Each migration once, in order; a migration that was released is never edited.
const MIGRATIONS: [(i64, &str); 2] = [
    (1, include_str!("../migrations/V1__organizations_groups_users.sql")),
    (2, include_str!("../migrations/V2__idempotency_keys.sql")),
];

/// Any number, as long as nothing else in the database locks it: the ASCII codes of "oadm".
const POSTGRES_LOCK: i64 = 0x6f61_646d;

/// Brings the schema to the version of this program. The transaction must be one that writes.
pub(crate) fn migrate(transaction: &mut Transaction<'_>) -> Result<()> {
    transaction.allow_long_statements()?;
    if let Transaction::Postgres { .. } = transaction {
        transaction.query("select pg_advisory_xact_lock($1) is null", values![POSTGRES_LOCK], |_| Ok(()))?;
    }
    transaction.batch(
        "create table if not exists schema_migrations (version bigint not null primary key, applied_by text not null)",
    )?;
    let applied = transaction
        .query_one("select max(version) from schema_migrations", values![], |row| row.optional_integer(0))?
        .flatten()
        .unwrap_or(0);
    let newest = MIGRATIONS.iter().map(|(version, _)| *version).max().unwrap_or(0);
    if applied > newest {
        return Err(Error::invalid_value(
            "database",
            format!(
                "a schema of version {newest} or older, but it has version {applied}: use a newer openai-admin"
            ),
        ));
    }
    let clustered = transaction.choose("without rowid", "");
    for (version, sql) in MIGRATIONS.iter().filter(|(version, _)| *version > applied) {
        transaction.batch(&sql.replace(") /* clustered */", &format!(") {clustered}")))?;
        transaction.execute(
            "insert into schema_migrations (version, applied_by) values ($1, $2)",
            values![*version, env!("CARGO_PKG_VERSION")],
        )?;
    }
    Ok(())
}
