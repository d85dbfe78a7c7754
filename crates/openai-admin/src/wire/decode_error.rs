use std::fmt;

use serde::de::{self, Expected, Unexpected};

use crate::violation::{Violation, ViolationCode};

/// Why a request cannot be decoded: the parameter, the rule and the API's message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError {
    line: Option<usize>,
    param: Option<String>,
    problem: Problem,
    in_path: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Problem {
    /// The body is not a JSON object: the only error without a code.
    Malformed(String),
    Violation(Violation),
}

impl DecodeError {
    fn of(problem: Problem) -> Self {
        Self { line: None, param: None, problem, in_path: false }
    }

    pub(super) fn violation(code: ViolationCode, detail: impl Into<String>) -> Self {
        Self::of(Problem::Violation(Violation::new(code, detail)))
    }

    pub(super) fn malformed(detail: impl Into<String>) -> Self {
        Self::of(Problem::Malformed(detail.into()))
    }

    /// Prepends the name of a field to the position of the error.
    pub(super) fn within(mut self, field: &str) -> Self {
        self.param = Some(match self.param {
            Some(inner) if inner.starts_with('[') => format!("{field}{inner}"),
            Some(inner) => format!("{field}.{inner}"),
            None => field.to_owned(),
        });
        self
    }

    /// Marks the error as one in the path.
    pub(super) fn in_the_path(self) -> Self {
        Self { in_path: true, ..self }
    }

    /// Adds the number of the line, from 1, in a body of JSON lines.
    pub(super) fn on_line(self, number: usize) -> Self {
        Self { line: Some(number), ..self }
    }

    /// The violated rule. `None` if the body is not a JSON object.
    pub fn code(&self) -> Option<ViolationCode> {
        match &self.problem {
            Problem::Malformed(_) => None,
            Problem::Violation(violation) => Some(violation.code()),
        }
    }

    /// The path of the parameter in the request, such as `user_id`.
    pub fn param(&self) -> Option<&str> {
        self.param.as_deref()
    }

    /// Whether a path parameter is invalid. Such a URL is unknown.
    pub fn is_in_path(&self) -> bool {
        self.in_path
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "Line {line}: ")?;
        }
        let violation = match &self.problem {
            Problem::Malformed(detail) => return f.write_str(detail),
            Problem::Violation(violation) => violation,
        };
        let param = self.param.as_deref().unwrap_or("request");
        match violation.code() {
            ViolationCode::MissingRequiredParameter => write!(f, "Missing required parameter: '{param}'."),
            ViolationCode::UnknownParameter => write!(f, "Unknown parameter: '{param}'."),
            ViolationCode::InvalidType => write!(f, "Invalid type for '{param}': {violation}"),
            ViolationCode::DuplicateParameter => {
                write!(
                    f,
                    "Duplicate parameter: '{param}'. You provided multiple values for this parameter, whereas only one is allowed."
                )
            }
            _ => write!(f, "Invalid '{param}': {violation}"),
        }
    }
}

impl std::error::Error for DecodeError {}

/// serde reports errors through these functions; each is a rule of the API.
impl de::Error for DecodeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        let text = format!("{message:#}");
        let violation =
            Violation::from_text(&text).unwrap_or_else(|| Violation::new(ViolationCode::InvalidValue, text));
        Self::of(Problem::Violation(violation))
    }

    fn invalid_type(got: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let got = match got {
            Unexpected::Bool(_) => "a boolean",
            Unexpected::Unsigned(_) | Unexpected::Signed(_) => "an integer",
            Unexpected::Float(_) => "a decimal",
            Unexpected::Str("") => "an empty string",
            Unexpected::Str(_) => "a string",
            Unexpected::Unit | Unexpected::Option => "null",
            Unexpected::Seq => "an array",
            Unexpected::Map => "an object",
            _ => "another type",
        };
        Self::violation(ViolationCode::InvalidType, format!("expected {expected}, but got {got} instead."))
    }

    fn invalid_value(got: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::violation(ViolationCode::InvalidValue, format!("expected {expected}, but got {got} instead."))
    }

    fn unknown_variant(got: &str, expected: &'static [&'static str]) -> Self {
        let known: Vec<String> = expected.iter().map(|value| format!("'{value}'")).collect();
        let detail = format!("got '{got}'. Supported values are: {}.", known.join(" and "));
        Self::violation(ViolationCode::InvalidValue, detail)
    }

    fn unknown_field(field: &str, _: &'static [&'static str]) -> Self {
        Self::violation(ViolationCode::UnknownParameter, "").within(field)
    }

    fn missing_field(field: &'static str) -> Self {
        Self::violation(ViolationCode::MissingRequiredParameter, "").within(field)
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::violation(ViolationCode::DuplicateParameter, "").within(field)
    }
}
