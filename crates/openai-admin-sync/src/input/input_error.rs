//! Errors in input files: the position, the message and a hint.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A position in an input file.
#[derive(
    Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct Position {
    /// The file, as named by the user.
    pub file: String,
    /// The line, from 1; in a CSV file, the line on which the row starts.
    pub line: u64,
    /// The column, from 1; absent if only the line is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u64>,
}

impl Position {
    /// A position without a column.
    pub fn line(file: impl Into<String>, line: u64) -> Self {
        Self { file: file.into(), line, column: None }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)?;
        self.column.map_or(Ok(()), |column| write!(f, ":{column}"))
    }
}

/// An error in an input file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputError {
    /// The position, if it has one.
    pub position: Option<Position>,
    /// The message.
    pub message: String,
    /// What to do next, if known.
    pub hint: Option<String>,
}

impl InputError {
    /// An error at a position.
    pub fn at(position: Position, message: impl Into<String>) -> Self {
        Self { position: Some(position), message: message.into(), hint: None }
    }

    /// An error of a whole file. The message continues after the name of the file.
    pub fn of_file(file: &str, message: impl Into<String>) -> Self {
        Self { position: None, message: format!("{file} {}", message.into()), hint: None }
    }

    /// Sets the hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(position) = &self.position {
            write!(f, "{position}: ")?;
        }
        f.write_str(&self.message)
    }
}

/// All errors of the input. Nothing is read from or written to the service until all are fixed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InputErrors(pub Vec<InputError>);

impl InputErrors {
    /// A single error.
    pub fn one(error: InputError) -> Self {
        Self(vec![error])
    }

    /// Returns `value` if there is no error.
    ///
    /// # Errors
    ///
    /// The errors, if there are any.
    pub fn or<T>(self, value: T) -> Result<T, Self> {
        if self.0.is_empty() { Ok(value) } else { Err(self) }
    }
}

impl From<InputError> for InputErrors {
    fn from(error: InputError) -> Self {
        Self::one(error)
    }
}

impl fmt::Display for InputErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            let end = if index == 0 { "" } else { "\n" };
            write!(f, "{end}{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for InputErrors {}
