//! The values and rows of both engines.

use rusqlite::types::ToSqlOutput;

use crate::base::error::{Error, Result};

#[cfg(feature = "postgres")]
pub(crate) type PostgresRow = tokio_postgres::Row;

/// No row of PostgreSQL exists in a build without it.
#[cfg(not(feature = "postgres"))]
pub(crate) enum PostgresRow {}

#[cfg(not(feature = "postgres"))]
impl PostgresRow {
    fn try_get<T>(&self, _: usize) -> Result<T> {
        match *self {}
    }
}

/// A parameter. `$1` is the first. The first uses of the parameters in a statement must be in order, because SQLite
/// numbers them by appearance.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Value<'a> {
    Integer(i64),
    Text(&'a str),
    Null,
}

/// A row of a result. Columns are counted from 0.
pub(crate) enum Row<'a> {
    Sqlite(&'a rusqlite::Row<'a>),
    Postgres(&'a PostgresRow),
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

    /// A text that the store wrote, parsed into its type: an id or an enum.
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

/// Converts the parameters of a statement.
macro_rules! values {
    ($($value:expr),* $(,)?) => {
        &[$($crate::base::value::Value::from($value)),*]
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
