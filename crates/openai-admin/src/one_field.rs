//! Bodies with one required field. They may be given as the value of that field, as text or as its type.

use std::fmt;

use crate::violation::Violation;

/// A text that the field of a body does not accept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidField {
    field: &'static str,
    violation: Violation,
}

impl InvalidField {
    pub(crate) fn new(field: &'static str, violation: Violation) -> Self {
        Self { field, violation }
    }

    /// The published name of the field.
    pub fn field(&self) -> &'static str {
        self.field
    }

    /// The violated rule.
    pub fn violation(&self) -> &Violation {
        &self.violation
    }
}

impl fmt::Display for InvalidField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Invalid '{}': {}", self.field, self.violation)
    }
}

impl std::error::Error for InvalidField {}

/// Converts the value of a body's only required field to the body. The body has a function `new` of that field.
macro_rules! one_field {
    ($body:ty { $field:ident: $field_type:ty }) => {
        impl From<$field_type> for $body {
            fn from($field: $field_type) -> Self {
                Self::new($field)
            }
        }

        impl From<&$field_type> for $body {
            fn from($field: &$field_type) -> Self {
                Self::new($field.clone())
            }
        }

        $crate::one_field::one_field! { $body { $field: $field_type } from &str, String, &String }
    };
    ($body:ty { $field:ident: $field_type:ty } from $($text:ty),*) => {$(
        impl TryFrom<$text> for $body {
            type Error = $crate::InvalidField;
            fn try_from(text: $text) -> Result<Self, $crate::InvalidField> {
                let $field = <$field_type>::new(text);
                let invalid = |violation| $crate::InvalidField::new(stringify!($field), violation);
                $field.map(Self::new).map_err(invalid)
            }
        }
    )*};
}
pub(crate) use one_field;
