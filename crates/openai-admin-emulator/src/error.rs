use std::fmt;

use openai_admin_store::Error as StoreError;

/// An error of the emulator.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The request is invalid. Contains the reason.
    Invalid(String),
    /// Something does not exist. Contains its name.
    NotFound(String),
    /// An expectation was not met. Contains the difference.
    NotVerified(String),
    /// The database failed, or refused the data to load.
    Store(StoreError),
    /// The listener or a connection failed.
    Io(std::io::Error),
}

/// The result of the emulator's functions.
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
