//! The values and errors of PostgreSQL.

use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use crate::base::{error::Error, value::Value};

pub(crate) fn as_parameters<'a>(values: &'a [Value<'a>]) -> Vec<&'a (dyn ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
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

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Self {
        use tokio_postgres::error::SqlState;
        match error.code() {
            Some(
                &SqlState::T_R_SERIALIZATION_FAILURE
                | &SqlState::T_R_DEADLOCK_DETECTED
                | &SqlState::LOCK_NOT_AVAILABLE,
            ) => Self::Conflict,
            // An error without a code is about the connection; classes 08, 53, 57 and 58 are about the server's state.
            None => Self::unavailable(error),
            Some(code) if ["08", "53", "57", "58"].contains(&&code.code()[..2]) => Self::unavailable(error),
            // Two transactions created the same unique row. On a retry, the loser sees the winner's row.
            Some(&SqlState::UNIQUE_VIOLATION) => Self::Conflict,
            Some(code) => Self::internal(match error.as_db_error() {
                // This goes to the log, which must hold no personal data: the details of an error may repeat a whole
                // row.
                Some(error) => format!("{} (SQLSTATE {})", error.message(), code.code()),
                None => format!("SQLSTATE {}", code.code()),
            }),
        }
    }
}
