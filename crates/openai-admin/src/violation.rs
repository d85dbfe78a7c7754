//! A value that violates a rule of the API: the API's code for it, and a message.

use std::fmt;

/// The kind of a violation, as the `code` of an API error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ViolationCode {
    /// A required parameter is absent.
    MissingRequiredParameter,
    /// A value of the wrong type.
    InvalidType,
    /// A value of the right type that the parameter does not accept.
    InvalidValue,
    /// An integer below the parameter's minimum.
    IntegerBelowMinValue,
    /// An integer above the parameter's maximum.
    IntegerAboveMaxValue,
    /// A string with too few characters.
    StringBelowMinLength,
    /// A string with too many characters.
    StringAboveMaxLength,
    /// A repeated query parameter that takes one value.
    DuplicateParameter,
    /// A parameter that the operation does not have.
    UnknownParameter,
}

impl ViolationCode {
    /// All codes.
    pub const ALL: [Self; 9] = [
        Self::MissingRequiredParameter,
        Self::InvalidType,
        Self::InvalidValue,
        Self::IntegerBelowMinValue,
        Self::IntegerAboveMaxValue,
        Self::StringBelowMinLength,
        Self::StringAboveMaxLength,
        Self::DuplicateParameter,
        Self::UnknownParameter,
    ];

    /// The code, as in an error body.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MissingRequiredParameter => "missing_required_parameter",
            Self::InvalidType => "invalid_type",
            Self::InvalidValue => "invalid_value",
            Self::IntegerBelowMinValue => "integer_below_min_value",
            Self::IntegerAboveMaxValue => "integer_above_max_value",
            Self::StringBelowMinLength => "string_below_min_length",
            Self::StringAboveMaxLength => "string_above_max_length",
            Self::DuplicateParameter => "duplicate_parameter",
            Self::UnknownParameter => "unknown_parameter",
        }
    }
}

/// A violation of a rule of the API.
///
/// `{}` prints the message. `{:#}` adds the code before it, so that `Violation::from_text` can restore a violation that
/// passed through serde, whose errors are only text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    code: ViolationCode,
    detail: String,
}

/// Separates code and detail in `{:#}`. A control character, so that no other error text contains it.
const MARK: char = '\u{1f}';

impl Violation {
    pub(crate) fn new(code: ViolationCode, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }

    /// The code of the rule.
    pub fn code(&self) -> ViolationCode {
        self.code
    }

    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let (code, detail) = text.split_once(MARK)?;
        let code = ViolationCode::ALL.into_iter().find(|known| known.as_str() == code)?;
        Some(Self::new(code, detail))
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            write!(f, "{}{MARK}", self.code.as_str())?;
        }
        f.write_str(&self.detail)
    }
}

impl std::error::Error for Violation {}
