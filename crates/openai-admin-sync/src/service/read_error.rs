//! The error of reading an organization.

use std::fmt;

use openai_admin::{Error, ErrorKind};

use crate::input::input_error::InputErrors;

/// Why an organization could not be read or planned.
#[derive(Debug)]
pub enum ReadError {
    /// The service could not be reached, or returned an error.
    Api(Error),
    /// A list of the service is inconsistent, so it cannot be trusted.
    Integrity(String),
    /// The input does not match the organization.
    Input(InputErrors),
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Api(_) => f.write_str("could not read the organization"),
            Self::Integrity(message) => f.write_str(message),
            Self::Input(errors) => errors.fmt(f),
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
            // The client reports this for cursors that repeat, for lists that end too early, and for malformed pages.
            ErrorKind::UnreadableAnswer => Self::Integrity(format!("inconsistent list: {error}")),
            _ => Self::Api(error),
        }
    }
}

impl From<InputErrors> for ReadError {
    fn from(errors: InputErrors) -> Self {
        Self::Input(errors)
    }
}
