//! Why an organization could not be read.

use std::fmt;

use openai_admin::{Error, ErrorKind};

use crate::input::fault::Faults;

/// Why there is no plan.
#[derive(Debug)]
pub enum ReadError {
    /// The service could not be asked, or refused.
    Api(Error),
    /// What the service says of a list contradicts itself: nothing that it says can be relied on.
    Integrity(String),
    /// The input does not fit the service.
    Input(Faults),
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Api(_) => f.write_str("the organization could not be read"),
            Self::Integrity(message) => f.write_str(message),
            Self::Input(faults) => faults.fmt(f),
        }
    }
}

impl std::error::Error for ReadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Api(error) => Some(error),
            Self::Integrity(_) | Self::Input(_) => None,
        }
    }
}

impl From<Error> for ReadError {
    fn from(error: Error) -> Self {
        match error.kind() {
            // The library says so of cursors that run in a circle, of ends that are none, and of what is no page.
            ErrorKind::UnreadableAnswer => Self::Integrity(format!("a list cannot be relied on: {error}")),
            _ => Self::Api(error),
        }
    }
}

impl From<Faults> for ReadError {
    fn from(faults: Faults) -> Self {
        Self::Input(faults)
    }
}
