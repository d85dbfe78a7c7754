//! Small value types of requests and models: bounded numbers and texts, fixed `object` tags, and personal text that is
//! redacted in logs.

use std::{fmt, marker::PhantomData, ops::Deref};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error as _, IgnoredAny, Unexpected, Visitor},
};

use crate::{
    identity::is_blank,
    text::Text,
    violation::{Violation, ViolationCode},
};

/// The number of items on a page: from `MIN` to `MAX`, by default `DEFAULT`.
///
/// The bounds are part of the type, so client, server and documentation always agree.
///
/// ```
/// use openai_admin::Limit;
/// assert_eq!(Limit::<0, 1000, 100>::new(1000).unwrap().get(), 1000);
/// assert!(Limit::<0, 1000, 100>::new(1001).is_err());
/// assert_eq!(Limit::<0, 1000, 100>::default().get(), 100);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Limit<const MIN: u16, const MAX: u16, const DEFAULT: u16>(u16);

impl<const MIN: u16, const MAX: u16, const DEFAULT: u16> Limit<MIN, MAX, DEFAULT> {
    /// The maximum.
    pub const MAX: Self = Self(MAX);

    /// Checks a limit.
    ///
    /// # Errors
    ///
    /// If `limit` is out of range. The error contains the bound.
    pub fn new(limit: impl Into<i64>) -> Result<Self, Violation> {
        let limit = limit.into();
        let (code, passes, sign, bound) = match u16::try_from(limit) {
            Ok(limit) if (MIN..=MAX).contains(&limit) => return Ok(Self(limit)),
            _ if limit > i64::from(MAX) => (ViolationCode::IntegerAboveMaxValue, "above maximum", "<=", MAX),
            _ => (ViolationCode::IntegerBelowMinValue, "below minimum", ">=", MIN),
        };
        Err(Violation::new(
            code,
            format!("integer {passes} value. Expected a value {sign} {bound}, but got {limit} instead."),
        ))
    }

    /// The limit as a number.
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl<const MIN: u16, const MAX: u16, const DEFAULT: u16> Default for Limit<MIN, MAX, DEFAULT> {
    fn default() -> Self {
        Self(DEFAULT)
    }
}

impl<'de, const MIN: u16, const MAX: u16, const DEFAULT: u16> Deserialize<'de> for Limit<MIN, MAX, DEFAULT> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(i64::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(feature = "schema")]
impl<const MIN: u16, const MAX: u16, const DEFAULT: u16> schemars::JsonSchema for Limit<MIN, MAX, DEFAULT> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Limit".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "integer", "minimum": MIN, "maximum": MAX, "default": DEFAULT })
    }
}

/// An integer from `MIN` to `MAX`.
///
/// ```
/// use openai_admin::BoundedInteger;
/// assert_eq!(BoundedInteger::<1, 100>::new(100).unwrap().get(), 100);
/// assert!(BoundedInteger::<1, 100>::new(0).is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct BoundedInteger<const MIN: i64, const MAX: i64>(i64);

impl<const MIN: i64, const MAX: i64> BoundedInteger<MIN, MAX> {
    /// Checks an integer.
    ///
    /// # Errors
    ///
    /// Says which bound `integer` passes.
    pub fn new(integer: i64) -> Result<Self, Violation> {
        let (code, passes, sign, bound) = match integer {
            _ if (MIN..=MAX).contains(&integer) => return Ok(Self(integer)),
            _ if integer > MAX => (ViolationCode::IntegerAboveMaxValue, "above maximum", "<=", MAX),
            _ => (ViolationCode::IntegerBelowMinValue, "below minimum", ">=", MIN),
        };
        Err(Violation::new(
            code,
            format!("integer {passes} value. Expected a value {sign} {bound}, but got {integer} instead."),
        ))
    }

    /// The integer.
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl<const MIN: i64, const MAX: i64> TryFrom<i64> for BoundedInteger<MIN, MAX> {
    type Error = Violation;
    fn try_from(integer: i64) -> Result<Self, Violation> {
        Self::new(integer)
    }
}

impl<'de, const MIN: i64, const MAX: i64> Deserialize<'de> for BoundedInteger<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(i64::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(feature = "schema")]
impl<const MIN: i64, const MAX: i64> schemars::JsonSchema for BoundedInteger<MIN, MAX> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Integer".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "integer", "minimum": MIN, "maximum": MAX })
    }
}

/// A text of `MIN` to `MAX` characters (Unicode scalar values), stored unchanged. Some of these texts are personal, so
/// `Debug` shows only the length.
///
/// ```
/// use openai_admin::BoundedText;
/// assert!(BoundedText::<1, 255>::new("Support Team").is_ok());
/// assert!(BoundedText::<1, 255>::new("  ").is_err(), "a blank name is not visible");
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct BoundedText<const MIN: usize, const MAX: usize>(Text);

impl<const MIN: usize, const MAX: usize> BoundedText<MIN, MAX> {
    /// Checks and wraps a text.
    ///
    /// # Errors
    ///
    /// If the text is too long, too short, or blank although it must not be empty. The error contains the length.
    pub fn new(text: impl AsRef<str>) -> Result<Self, Violation> {
        let text = text.as_ref();
        let length = text.chars().count();
        if length > MAX {
            return Err(Violation::new(
                ViolationCode::StringAboveMaxLength,
                format!(
                    "string too long. Expected a string with maximum length {MAX}, but got a string with length \
                     {length} instead."
                ),
            ));
        }
        // A blank name would be invisible in every list.
        if length < MIN || (MIN > 0 && is_blank(text)) {
            let got = if length == 0 { "an empty string" } else { "a blank string" };
            return Err(Violation::new(
                ViolationCode::StringBelowMinLength,
                format!(
                    "string too short. Expected a string with minimum length {MIN}, but got {got} instead."
                ),
            ));
        }
        Ok(Self(text.into()))
    }
}

impl<const MIN: usize, const MAX: usize> Deref for BoundedText<MIN, MAX> {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl<const MIN: usize, const MAX: usize> fmt::Debug for BoundedText<MIN, MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{} bytes>", self.0.len())
    }
}

impl<const MIN: usize, const MAX: usize> fmt::Display for BoundedText<MIN, MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl<const MIN: usize, const MAX: usize> TryFrom<&str> for BoundedText<MIN, MAX> {
    type Error = Violation;
    fn try_from(text: &str) -> Result<Self, Violation> {
        Self::new(text)
    }
}

impl<const MIN: usize, const MAX: usize> TryFrom<String> for BoundedText<MIN, MAX> {
    type Error = Violation;
    fn try_from(text: String) -> Result<Self, Violation> {
        Self::new(text)
    }
}

impl<'de, const MIN: usize, const MAX: usize> Deserialize<'de> for BoundedText<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(&*Text::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(feature = "schema")]
impl<const MIN: usize, const MAX: usize> schemars::JsonSchema for BoundedText<MIN, MAX> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Text".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        // Not blank if a text is required, and no NUL, which PostgreSQL cannot store.
        let pattern = if MIN > 0 { r"^[^\u0000]*[^\s\u0000][^\u0000]*$" } else { r"^[^\u0000]*$" };
        schemars::json_schema!({ "type": "string", "minLength": MIN, "maxLength": MAX, "pattern": pattern })
    }
}

/// A name, email address or picture of a person, or the value of an API key. `Debug` shows only its length, which keeps
/// it out of logs. `Display`, `Deref` and serde show the text.
///
/// ```
/// use openai_admin::PersonalText;
/// let name = PersonalText::from("Ada Lovelace");
/// assert_eq!(&*name, "Ada Lovelace");
/// assert_eq!(format!("{name:?}"), "<12 bytes>");
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PersonalText(Text);

impl PersonalText {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for PersonalText {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for PersonalText {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PersonalText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{} bytes>", self.0.len())
    }
}

impl fmt::Display for PersonalText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for PersonalText {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for PersonalText {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl PartialEq<&str> for PersonalText {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for PersonalText {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "PersonalText".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string" })
    }
}

/// The direction of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// Oldest first.
    Asc,
    /// Newest first.
    Desc,
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Order {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Order".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "enum": [Self::Asc, Self::Desc] })
    }
}

/// The constant value of an `object` field.
pub trait ObjectName {
    /// The value, as sent, such as `list`.
    const NAME: &'static str;
}

/// An `object` field. It is written as its constant value; any value is accepted when reading, since no code depends on
/// it.
pub struct Object<N>(PhantomData<fn() -> N>);

impl<N> Object<N> {
    /// The one value.
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<N> Clone for Object<N> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<N> Copy for Object<N> {}

impl<N> Default for Object<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<N> PartialEq for Object<N> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<N> Eq for Object<N> {}

impl<N: ObjectName> fmt::Debug for Object<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(N::NAME)
    }
}

impl<N: ObjectName> Serialize for Object<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(N::NAME)
    }
}

impl<'de, N: ObjectName> Deserialize<'de> for Object<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_ignored_any(IgnoredAny).map(|_| Self::new())
    }
}

#[cfg(feature = "schema")]
impl<N: ObjectName> schemars::JsonSchema for Object<N> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        N::NAME.into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "const": N::NAME })
    }
}

/// A time in Unix seconds. A float is also accepted, since some gateways send one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// A time, in seconds since 1970-01-01T00:00:00Z.
    pub const fn from_unix_seconds(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    pub const fn unix_seconds(self) -> i64 {
        self.0
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Seconds;
        impl Visitor<'_> for Seconds {
            type Value = Timestamp;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("unix seconds")
            }
            fn visit_i64<E: serde::de::Error>(self, seconds: i64) -> Result<Timestamp, E> {
                Ok(Timestamp(seconds))
            }
            fn visit_u64<E: serde::de::Error>(self, seconds: u64) -> Result<Timestamp, E> {
                let invalid = || E::invalid_value(Unexpected::Unsigned(seconds), &self);
                i64::try_from(seconds).map(Timestamp).map_err(|_| invalid())
            }
            fn visit_f64<E: serde::de::Error>(self, seconds: f64) -> Result<Timestamp, E> {
                Ok(Timestamp(seconds as i64))
            }
        }
        deserializer.deserialize_any(Seconds)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Timestamp {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Timestamp".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "integer", "format": "unixtime" })
    }
}

/// Reads null as a given value, which differs from an absent field.
pub(crate) fn null_as_given<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

/// Refuses null, for an optional field that may only be absent.
pub(crate) fn never_null<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// Reads null as the default value, for fields that are null in older answers.
pub(crate) fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}
