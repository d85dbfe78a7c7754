//! A value that breaks a rule of the API: the code the API gives it, and words for people.

use std::fmt;

/// What is wrong with a parameter, as the `code` of an API error says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ViolationCode {
    /// A required parameter is absent.
    MissingRequiredParameter,
    /// A value has another type than the parameter.
    InvalidType,
    /// A value of the right type that the parameter does not take.
    InvalidValue,
    /// An integer under the parameter's least value.
    IntegerBelowMinValue,
    /// An integer over the parameter's greatest value.
    IntegerAboveMaxValue,
    /// A string with too few characters.
    StringBelowMinLength,
    /// A string with too many characters.
    StringAboveMaxLength,
    /// A query parameter that is given twice and takes one value.
    DuplicateParameter,
    /// A parameter that the operation does not have.
    UnknownParameter,
}

impl ViolationCode {
    /// Every code.
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

    /// The code as it stands in an error body.
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

/// A rule of the API that a value breaks.
///
/// `{}` prints words for people. `{:#}` puts the code in front, so that a violation that had to pass through
/// serde (whose errors are only text) can be read back by `Violation::from_text`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    code: ViolationCode,
    detail: String,
}

/// Stands between code and detail in `{:#}`; a control character, so that no other error text has it.
const MARK: char = '\u{1f}';

impl Violation {
    pub(crate) fn new(code: ViolationCode, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }

    /// Which rule it is.
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
