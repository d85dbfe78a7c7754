//! The schema, version by version.
//!
//! All missing versions are applied in one transaction that holds a lock. So any number of processes may open a new
//! database at once, and a failed migration changes nothing.

use crate::{
    base::{
        error::{Error, Result},
        time_limit::TimeLimit,
        value::values,
    },
    engines::{
        database_url::DatabaseUrl,
        job::on_a_thread,
        postgres,
        sqlite::files::{APPLICATION_ID, open_to_read},
        transaction::Transaction,
    },
    nouns::users,
    store::Store,
};

/// The schema version of a database, and that of this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SchemaVersion {
    /// The version of the database. 0 if it is empty.
    pub applied: i64,
    /// The version that this program migrates to.
    pub newest: i64,
}

/// The migration that also rewrites the lookup keys of email addresses.
const EMAIL_KEYS: i64 = 4;

/// All migrations in order. A released migration is never edited.
const MIGRATIONS: &[(i64, &str)] = &[
    (1, include_str!("../../migrations/V1__organizations_groups_users.sql")),
    (2, include_str!("../../migrations/V2__idempotency_keys.sql")),
    (3, include_str!("../../migrations/V3__audit_logs.sql")),
    (EMAIL_KEYS, include_str!("../../migrations/V4__email_keys.sql")),
    (5, include_str!("../../migrations/V5__kinds.sql")),
    (6, include_str!("../../migrations/V6__projects.sql")),
    (7, include_str!("../../migrations/V7__service_accounts.sql")),
    (8, include_str!("../../migrations/V8__invites.sql")),
    (9, include_str!("../../migrations/V9__certificates.sql")),
    (10, include_str!("../../migrations/V10__usage.sql")),
    (11, include_str!("../../migrations/V11__settings.sql")),
    (13, include_str!("../../migrations/V13__project_users.sql")),
    (14, include_str!("../../migrations/V14__project_groups.sql")),
    (15, include_str!("../../migrations/V15__access.sql")),
    (16, include_str!("../../migrations/V16__admin_api_keys.sql")),
    (17, include_str!("../../migrations/V17__rate_limits.sql")),
    (18, include_str!("../../migrations/V18__spend_alerts.sql")),
    (19, include_str!("../../migrations/V19__spend_alert_ids.sql")),
    (20, include_str!("../../migrations/V20__external_keys.sql")),
    (21, include_str!("../../migrations/V21__external_storage.sql")),
    (23, include_str!("../../migrations/V23__workload_identity.sql")),
    (24, include_str!("../../migrations/V24__console_sessions.sql")),
];

/// An arbitrary number that nothing else in the database locks: the ASCII codes of "oadm".
const POSTGRES_LOCK: i64 = 0x6f61_646d;

/// A migration locks tables in another order than running servers do. PostgreSQL takes a second to detect such a
/// deadlock. With this timeout, the migration releases its locks earlier and is retried, so it also blocks no server
/// for longer than that.
const LOCK_TIMEOUT: &str = "set local lock_timeout = '500ms'";

/// Migrates the schema to the version of this program. Needs a transaction that writes.
pub(crate) fn migrate(transaction: &mut Transaction<'_>) -> Result<()> {
    transaction.allow_long_statements(TimeLimit::Everything)?;
    if let Transaction::Postgres(_) = transaction {
        transaction.query("select pg_advisory_xact_lock($1) is null", values![POSTGRES_LOCK], |_| Ok(()))?;
        transaction.batch(LOCK_TIMEOUT)?;
    }
    transaction.batch(
        "create table if not exists schema_migrations (version bigint not null primary key, applied_by text not null)",
    )?;
    let applied = newest_applied(transaction)?;
    let newest = newest();
    if applied > newest {
        return Err(Error::invalid_value(
            "database",
            format!(
                "a schema of version {newest} or older, but it has version {applied}: use a newer openai-admin"
            ),
        ));
    }
    let clustered = transaction.choose(") without rowid", ")");
    let transaction_number = transaction.choose("", "default (pg_current_xact_id()::text::bigint)");
    for (version, sql) in MIGRATIONS.iter().filter(|(version, _)| *version > applied) {
        let sql = sql.replace(") /* clustered */", clustered);
        transaction.batch(&sql.replace("/* transaction */", transaction_number))?;
        transaction.execute(
            "insert into schema_migrations (version, applied_by) values ($1, $2)",
            values![*version, env!("CARGO_PKG_VERSION")],
        )?;
        if *version == EMAIL_KEYS {
            users::write_email_keys(transaction)?;
        }
    }
    note_application(transaction)?;
    keep_audit_order(transaction)
}

/// Marks a SQLite file as ours, to distinguish it from those of other programs.
fn note_application(transaction: &mut Transaction<'_>) -> Result<()> {
    let Transaction::Sqlite(connection) = transaction else { return Ok(()) };
    let noted: i32 = connection.query_row("pragma application_id", [], |row| row.get(0))?;
    if noted == APPLICATION_ID {
        return Ok(());
    }
    Ok(connection.execute_batch(&format!("pragma application_id = {APPLICATION_ID}"))?)
}

/// PostgreSQL orders audit events by transaction number. In a database that was moved to another server, those numbers
/// may restart lower, but new events must still sort after the existing ones. So `audit_clock` holds an offset that is
/// added to them. It is not part of the schema that both engines share, nor of a backup, because it is about the
/// server.
fn keep_audit_order(transaction: &mut Transaction<'_>) -> Result<()> {
    if let Transaction::Sqlite(_) = transaction {
        return Ok(());
    }
    transaction.batch(
        "create table if not exists audit_clock (added bigint not null);
         insert into audit_clock select 0 where not exists (select 1 from audit_clock)",
    )?;
    let newest = "select coalesce(max(newest.place), 0) from organizations o cross join lateral (
                      select place from audit_events where org = o.org order by place desc limit 1) newest";
    let newest = transaction.query_one(newest, values![], |row| row.integer(0))?.unwrap_or(0);
    let next = "select pg_snapshot_xmax(pg_current_snapshot())::text::bigint, added from audit_clock";
    let next = transaction.query_one(next, values![], |row| Ok((row.integer(0)?, row.integer(1)?)))?;
    let Some((next, _)) = next.filter(|(next, added)| newest >= next + added) else { return Ok(()) };
    let added = newest - next + 1;
    transaction.execute("update audit_clock set added = $1", values![added])?;
    transaction.batch(&format!(
        "alter table audit_events alter column place set default (pg_current_xact_id()::text::bigint + {added})"
    ))
}

fn newest() -> i64 {
    MIGRATIONS.iter().map(|(version, _)| *version).max().unwrap_or(0)
}

fn newest_applied(transaction: &mut Transaction<'_>) -> Result<i64> {
    let applied = transaction
        .query_one("select max(version) from schema_migrations", values![], |row| row.optional_integer(0))?;
    Ok(applied.flatten().unwrap_or(0))
}

/// The schema version, or 0 if there is no schema. Changes nothing.
pub(crate) fn applied(transaction: &mut Transaction<'_>) -> Result<i64> {
    let exists = transaction.choose(
        "select count(*) from sqlite_master where name = 'schema_migrations'",
        "select case when to_regclass('schema_migrations') is null then 0 else 1 end::bigint",
    );
    match transaction.query_one(exists, values![], |row| row.integer(0))? {
        Some(1) => newest_applied(transaction),
        _ => Ok(0),
    }
}

/// Rejects a database whose schema version is not that of this program.
pub(crate) fn require_newest(transaction: &mut Transaction<'_>) -> Result<()> {
    let (applied, newest) = (applied(transaction)?, newest());
    if applied == newest {
        return Ok(());
    }
    let expected = match applied {
        0 => "a database of openai-admin, but this is not one".to_owned(),
        _ if applied < newest => {
            format!(
                "a schema of version {newest}, but it has version {applied}: run `openai-admin admin migrate`"
            )
        }
        _ => format!("a schema of version {newest}, but it has version {applied}: use a newer openai-admin"),
    };
    Err(Error::invalid_value("database", expected))
}

/// Whether the database holds no data.
pub(crate) fn is_empty(transaction: &mut Transaction<'_>) -> Result<bool> {
    if applied(transaction)? == 0 {
        return Ok(true);
    }
    let organizations =
        transaction.query_one("select count(*) from organizations", values![], |row| row.integer(0))?;
    Ok(organizations.unwrap_or(0) == 0)
}

impl Store {
    /// Reads the schema version at `url` without changing the database.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if there is no such database.
    pub async fn schema_version(url: &DatabaseUrl) -> Result<SchemaVersion> {
        let url = url.clone();
        on_a_thread(move || {
            let applied = match url {
                DatabaseUrl::Sqlite(file) => {
                    let connection = open_to_read(&file)?;
                    applied(&mut Transaction::Sqlite(&connection))?
                }
                DatabaseUrl::Postgres(url) => {
                    let mut found = 0;
                    postgres::once(&url, false, &mut |transaction| {
                        found = applied(transaction)?;
                        Ok(())
                    })?;
                    found
                }
            };
            Ok(SchemaVersion { applied, newest: newest() })
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COPIED: &str = "copies the audit log to a new table; no release had the old one";
    const NEW_COLUMN: &str = "a partial index on a column that is null in every old row: it starts empty";
    const NOT_UNIQUE: &str = "cannot fail on old rows; no release had its table without it";
    const WIDER_KEY: &str =
        "unique with one more column than the index that it replaces, so old rows are unique";

    /// The statements that change what exists, by their version and start, each with its reason.
    const EXEMPTIONS: [(i64, &str, &str); 15] = [
        (3, "alter table audit_events rename to audit_events_before", COPIED),
        (3, "insert into audit_events (", COPIED),
        (3, "drop table audit_events_before", COPIED),
        (4, "create index if not exists idempotency_keys_by_time on idempotency_keys (", NOT_UNIQUE),
        (5, "create index audit_events_by_subject on audit_events (", NEW_COLUMN),
        (5, "create index idempotency_keys_by_created on idempotency_keys (", NEW_COLUMN),
        (6, "create index role_assignments_by_project on role_assignments (", NOT_UNIQUE),
        (7, "create index api_keys_by_project on api_keys (", NEW_COLUMN),
        (7, "create index api_keys_by_user on api_keys (", NEW_COLUMN),
        (15, "create index users_by_owner on users (", NOT_UNIQUE),
        (15, "create index service_accounts_by_project_user on service_accounts (", NOT_UNIQUE),
        (16, "create index api_keys_of_organization on api_keys (", NOT_UNIQUE),
        (19, "drop index spend_alerts_by_id", WIDER_KEY),
        (19, "create unique index spend_alerts_by_id on spend_alerts (org, project_seq, id)", WIDER_KEY),
        (20, "create index projects_by_external_key on projects (", NOT_UNIQUE),
    ];

    /// The statements of a migration, without comments.
    fn statements(sql: &str) -> Vec<String> {
        let lines = sql.lines().map(|line| line.split_once("--").map_or(line, |(code, _)| code));
        let code = lines.collect::<Vec<_>>().join("\n").to_lowercase();
        let statements =
            code.split(';').map(|statement| statement.split_whitespace().collect::<Vec<_>>().join(" "));
        statements.filter(|statement| !statement.is_empty()).collect()
    }

    /// The statements that do more than add. An index of an older table blocks its writers while it is built, and a
    /// unique one fails on old rows that are equal. A new column may not constrain old rows.
    fn changes(statements: &[String]) -> Vec<&str> {
        let created: Vec<&str> = statements
            .iter()
            .filter_map(|statement| statement.strip_prefix("create table "))
            .filter_map(|rest| rest.split([' ', '(']).next())
            .collect();
        let is_addition = |statement: &str| {
            if statement.starts_with("create table ") {
                return true;
            }
            if statement.starts_with("create index ") || statement.starts_with("create unique index ") {
                let indexed =
                    statement.split_once(" on ").and_then(|(_, rest)| rest.split([' ', '(']).next());
                return indexed.is_some_and(|table| created.contains(&table));
            }
            let column =
                statement.strip_prefix("alter table ").and_then(|rest| rest.split_once(" add column "));
            let constraints = ["not null", "unique", "primary key", "check", "references"];
            column.is_some_and(|(_, column)| !constraints.iter().any(|it| column.contains(it)))
        };
        statements.iter().map(String::as_str).filter(|statement| !is_addition(statement)).collect()
    }

    #[test]
    fn every_migration_only_adds_to_the_schema() {
        for (version, sql) in MIGRATIONS {
            let statements = statements(sql);
            let changes = changes(&statements);
            let allowed: Vec<_> = EXEMPTIONS.iter().filter(|(it, ..)| it == version).collect();
            let is_allowed = changes.len() == allowed.len()
                && changes.iter().zip(&allowed).all(|(change, (_, start, _))| change.starts_with(start));
            assert!(
                is_allowed,
                "V{version} changes what exists: {changes:#?}, and these changes have a reason: {allowed:#?}. Older \
                 servers run during a migration, and an operator does not expect to lose data: add instead, or make \
                 `admin migrate` require a backup first"
            );
        }
    }

    #[test]
    fn a_statement_that_old_rows_can_refuse_is_a_change() {
        for (sql, is_change) in [
            ("create table t (a text); create unique index i on t (a)", false),
            ("create index i on t (a)", true),
            ("create unique index i on t (a)", true),
            ("alter table t add column a text", false),
            ("alter table t add column a text not null", true),
            ("alter table t add column a text unique", true),
            ("alter table t drop column a", true),
            ("update t set a = 1", true),
            ("delete from t", true),
            ("drop table t", true),
        ] {
            assert_eq!(!changes(&statements(sql)).is_empty(), is_change, "{sql}");
        }
    }
}
