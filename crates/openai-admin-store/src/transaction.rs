//! The handle that an operation's body is written over: the SQL and the values that both engines share.

use rusqlite::{StatementStatus, types::ToSqlOutput};
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use crate::{
    error::{Error, Result},
    postgres::{self, Patience},
};

/// A transaction of one of the engines. It is begun and ended by the engine, never by a body.
pub(crate) enum Transaction<'a> {
    Sqlite(&'a rusqlite::Connection),
    Postgres(&'a mut postgres::Connection),
}

/// A parameter. `$1` is the first, and the parameters of a statement appear in it in order for the first time,
/// since SQLite numbers them by appearance.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Value<'a> {
    Integer(i64),
    Text(&'a str),
    Null,
}

/// A row of a result; columns are counted from 0.
pub(crate) enum Row<'a> {
    Sqlite(&'a rusqlite::Row<'a>),
    Postgres(&'a tokio_postgres::Row),
}

impl Transaction<'_> {
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

    /// Runs a query and maps its rows up to the first that maps to none.
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

    /// Runs a query whose result is one row or none.
    pub(crate) fn query_one<T>(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
        map: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        Ok(self.query(sql, values, map)?.pop())
    }

    /// Runs statements that return nothing and take no values, such as a migration.
    pub(crate) fn batch(&mut self, sql: &str) -> Result<()> {
        match self {
            Self::Sqlite(connection) => Ok(connection.execute_batch(sql)?),
            Self::Postgres(connection) => connection.batch(sql),
        }
    }

    /// For an operation that is given more time than others.
    pub(crate) fn allow_long_statements(&mut self, patience: Patience) -> Result<()> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(_) => self.batch(patience.statement_timeout()),
        }
    }

    /// The text for this engine, where one text does not do for both.
    pub(crate) fn choose(&self, sqlite: &'static str, postgres: &'static str) -> &'static str {
        match self {
            Self::Sqlite(_) => sqlite,
            Self::Postgres(_) => postgres,
        }
    }
}

fn prepare<'a>(
    connection: &'a rusqlite::Connection,
    sql: &'static str,
) -> rusqlite::Result<rusqlite::CachedStatement<'a>> {
    let statement = connection.prepare_cached(sql)?;
    // A statement that is planned anew at each use would cost more than what it reads.
    tracing::trace!(
        sql,
        replanned = statement.get_status(StatementStatus::RePrepare),
        "a statement is prepared"
    );
    debug_assert!(
        (1..=statement.parameter_count())
            .all(|number| statement.parameter_name(number) == Some(format!("${number}").as_str())),
        "the parameters of a statement must appear in order: {sql}"
    );
    Ok(statement)
}

pub(crate) fn as_parameters<'a>(values: &'a [Value<'a>]) -> Vec<&'a (dyn ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

impl Row<'_> {
    pub(crate) fn integer(&self, column: usize) -> Result<i64> {
        self.optional_integer(column)?.ok_or_else(|| unexpected_null(column))
    }

    pub(crate) fn optional_integer(&self, column: usize) -> Result<Option<i64>> {
        match self {
            Self::Sqlite(row) => row.get_ref(column)?.as_i64_or_null().map_err(Error::internal),
            Self::Postgres(row) => Ok(row.try_get(column)?),
        }
    }

    pub(crate) fn flag(&self, column: usize) -> Result<bool> {
        Ok(self.integer(column)? != 0)
    }

    pub(crate) fn text(&self, column: usize) -> Result<&str> {
        self.optional_text(column)?.ok_or_else(|| unexpected_null(column))
    }

    pub(crate) fn optional_text(&self, column: usize) -> Result<Option<&str>> {
        match self {
            Self::Sqlite(row) => {
                let value = row.get_ref(column)?;
                value.as_str_or_null().map_err(Error::internal)
            }
            Self::Postgres(row) => Ok(row.try_get(column)?),
        }
    }

    /// A text of ours in its own type: an id, an enum.
    pub(crate) fn parsed<T>(&self, column: usize) -> Result<T>
    where
        T: for<'t> TryFrom<&'t str>,
        for<'t> <T as TryFrom<&'t str>>::Error: std::fmt::Display,
    {
        T::try_from(self.text(column)?).map_err(|error| Error::internal(error.to_string()))
    }
}

fn unexpected_null(column: usize) -> Error {
    Error::internal(format!("column {column} is null"))
}

impl From<i64> for Value<'_> {
    fn from(integer: i64) -> Self {
        Self::Integer(integer)
    }
}

impl From<bool> for Value<'_> {
    fn from(flag: bool) -> Self {
        Self::Integer(i64::from(flag))
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// The values of a statement, each converted.
macro_rules! values {
    ($($value:expr),* $(,)?) => {
        &[$($crate::transaction::Value::from($value)),*]
    };
}
pub(crate) use values;

impl rusqlite::ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match *self {
            Self::Integer(integer) => ToSqlOutput::from(integer),
            Self::Text(text) => ToSqlOutput::from(text),
            Self::Null => ToSqlOutput::from(rusqlite::types::Null),
        })
    }
}

impl ToSql for Value<'_> {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut tokio_postgres::types::private::BytesMut,
    ) -> std::result::Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Integer(integer) if *ty == Type::INT8 => integer.to_sql(ty, out),
            Self::Text(text) if *ty == Type::TEXT => text.to_sql(ty, out),
            Self::Null => Ok(IsNull::Yes),
            _ => Err(format!("{self:?} does not fit a parameter of type {ty}").into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}
