//! The transaction that bodies use: the SQL and the values that both engines share.

use rusqlite::StatementStatus;

use crate::{
    base::{
        error::Result,
        time_limit::TimeLimit,
        value::{Row, Value},
    },
    engines::postgres::connection::Connection,
};

/// A transaction of one of the engines. The engine begins and ends it, never a body.
pub(crate) enum Transaction<'a> {
    Sqlite(&'a rusqlite::Connection),
    Postgres(&'a mut Connection),
}

impl Transaction<'_> {
    /// Borrows the transaction for a shorter lifetime.
    pub(crate) fn reborrow(&mut self) -> Transaction<'_> {
        match self {
            Self::Sqlite(connection) => Transaction::Sqlite(connection),
            Self::Postgres(connection) => Transaction::Postgres(connection),
        }
    }

    /// Runs a statement and returns how many rows it changed.
    pub(crate) fn execute(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<u64> {
        match self {
            Self::Sqlite(connection) => {
                let changed = prepare(connection, sql)?.execute(rusqlite::params_from_iter(values))?;
                Ok(changed as u64)
            }
            Self::Postgres(connection) => connection.execute(sql, values),
        }
    }

    /// Runs a query and maps each row.
    pub(crate) fn query<T>(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
        mut map: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        self.query_while(sql, values, |row| map(row).map(Some))
    }

    /// Runs a query and maps its rows, up to the first that maps to `None`.
    pub(crate) fn query_while<T>(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
        mut map: impl FnMut(&Row<'_>) -> Result<Option<T>>,
    ) -> Result<Vec<T>> {
        match self {
            Self::Sqlite(connection) => {
                let mut statement = prepare(connection, sql)?;
                let mut rows = statement.query(rusqlite::params_from_iter(values))?;
                let mut mapped = Vec::new();
                while let Some(row) = rows.next()? {
                    let Some(value) = map(&Row::Sqlite(row))? else { break };
                    mapped.push(value);
                }
                Ok(mapped)
            }
            Self::Postgres(connection) => {
                let rows = connection.query(sql, values)?;
                rows.iter().map_while(|row| map(&Row::Postgres(row)).transpose()).collect()
            }
        }
    }

    /// Runs a query whose result is one row or none, and maps that row.
    pub(crate) fn query_one<T>(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
        map: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        match self {
            Self::Sqlite(connection) => {
                let mut statement = prepare(connection, sql)?;
                let mut rows = statement.query(rusqlite::params_from_iter(values))?;
                // No second row is asked for. A statement that changes rows is complete with its first.
                rows.next()?.map(|row| map(&Row::Sqlite(row))).transpose()
            }
            Self::Postgres(connection) => {
                connection.query(sql, values)?.first().map(|row| map(&Row::Postgres(row))).transpose()
            }
        }
    }

    /// Runs statements that return nothing and take no values, such as a migration.
    pub(crate) fn batch(&mut self, sql: &str) -> Result<()> {
        match self {
            Self::Sqlite(connection) => Ok(connection.execute_batch(sql)?),
            Self::Postgres(connection) => connection.batch(sql),
        }
    }

    /// Extends the statement timeout for an operation with a longer time limit.
    pub(crate) fn allow_long_statements(&mut self, time_limit: TimeLimit) -> Result<()> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(_) => self.batch(time_limit.statement_timeout()),
        }
    }

    /// The SQL text for this engine.
    pub(crate) fn choose(&self, sqlite: &'static str, postgres: &'static str) -> &'static str {
        match self {
            Self::Sqlite(_) => sqlite,
            Self::Postgres(_) => postgres,
        }
    }
}

/// Prepares an opened database: migrates its schema to a version, or checks it.
pub(crate) type Prepare = fn(&mut Transaction<'_>) -> Result<()>;

fn prepare<'a>(
    connection: &'a rusqlite::Connection,
    sql: &'static str,
) -> rusqlite::Result<rusqlite::CachedStatement<'a>> {
    let statement = connection.prepare_cached(sql)?;
    // Logged, because a statement that is planned again at each use costs more than the rows it reads.
    tracing::trace!(
        sql,
        replanned = statement.get_status(StatementStatus::RePrepare),
        "prepared a statement"
    );
    debug_assert!(
        (1..=statement.parameter_count())
            .all(|number| statement.parameter_name(number) == Some(format!("${number}").as_str())),
        "the parameters of a statement must appear in order: {sql}"
    );
    Ok(statement)
}
