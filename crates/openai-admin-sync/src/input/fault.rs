//! Errors in input files: the position, the message and a hint.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A position in an input file.
#[derive(
    Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct Place {
    /// The file, as named by the user.
    pub file: String,
    /// The line, from 1; in a CSV file, the line on which the row starts.
    pub line: u64,
    /// The column, from 1; absent if only the line is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u64>,
}

impl Place {
    /// A position without a column.
    pub fn line(file: impl Into<String>, line: u64) -> Self {
        Self { file: file.into(), line, column: None }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)?;
        self.column.map_or(Ok(()), |column| write!(f, ":{column}"))
    }
}

/// An error in an input file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The position, if it has one.
    pub place: Option<Place>,
    /// The message.
    pub message: String,
    /// What to do next, if known.
    pub hint: Option<String>,
}

impl Fault {
    /// An error at a position.
    pub fn at(place: Place, message: impl Into<String>) -> Self {
        Self { place: Some(place), message: message.into(), hint: None }
    }

    /// An error of a whole file. The message continues after the name of the file.
    pub fn of_file(file: &str, message: impl Into<String>) -> Self {
        Self { place: None, message: format!("{file} {}", message.into()), hint: None }
    }

    /// Sets the hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.message)
    }
}

/// All errors of the input. Nothing is read from or written to the service until all are fixed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults(pub Vec<Fault>);

impl Faults {
    /// A single error.
    pub fn one(fault: Fault) -> Self {
        Self(vec![fault])
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

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        Self::one(fault)
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            let end = if index == 0 { "" } else { "\n" };
            write!(f, "{end}{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}
