use std::fmt;

use openai_admin_store::Error as StoreError;

/// Why the emulator cannot do something.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// It was asked for something that cannot be; says what.
    Invalid(String),
    /// There is no such thing; says what.
    NotFound(String),
    /// What was expected has not happened; says what has.
    NotVerified(String),
    /// The database, or what is loaded into it.
    Store(StoreError),
    /// The address, or the connection.
    Io(std::io::Error),
}

/// What the emulator's own functions return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn invalid(problem: impl Into<String>) -> Self {
        Self::Invalid(problem.into())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(problem) | Self::NotFound(problem) | Self::NotVerified(problem) => {
                f.write_str(problem)
            }
            Self::Store(error) => error.fmt(f),
            Self::Io(_) => f.write_str("the emulator cannot listen"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            Self::Store(error) => error.source(),
            Self::Invalid(_) | Self::NotFound(_) | Self::NotVerified(_) => None,
        }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}
