//! Decimal numbers that are stored as integers, so that sums are exact.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A number with at most `PLACES` decimals, at most 9, as an integer of its smallest unit.
///
/// In JSON it is a number. Numbers of at most 15 digits, and money below 8 million with 9 decimals, are written and read
/// without loss. A text is read too, and always without loss. A number with more decimals is refused, and rounded in answers of
/// the service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal<const PLACES: u32>(i64);

impl<const PLACES: u32> Decimal<PLACES> {
    const ONE: i64 = 10_i64.pow(PLACES);

    /// A number in its smallest unit: with 9 places, 1 is 0.000000001.
    pub const fn from_units(units: i64) -> Self {
        Self(units)
    }

    /// The number in its smallest unit.
    pub const fn units(self) -> i64 {
        self.0
    }
}

/// A text or a number is not a decimal number, or has too many digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidDecimal {
    places: u32,
}

impl fmt::Display for InvalidDecimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected a number with at most {} decimals, of at most 19 digits", self.places)
    }
}

impl std::error::Error for InvalidDecimal {}

impl<const PLACES: u32> FromStr for Decimal<PLACES> {
    type Err = InvalidDecimal;

    fn from_str(text: &str) -> Result<Self, InvalidDecimal> {
        parse(text, PLACES).map(Self).ok_or(InvalidDecimal { places: PLACES })
    }
}

fn parse(text: &str, places: u32) -> Option<i64> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, "0"));
    let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let decimals = if are_digits(decimals) { decimals.trim_end_matches('0') } else { return None };
    let missing = places.checked_sub(u32::try_from(decimals.len()).ok()?)?;
    let decimals = if decimals.is_empty() { 0 } else { decimals.parse::<i64>().ok()? };
    let whole = are_digits(whole).then(|| whole.parse::<i64>().ok()).flatten()?;
    let decimals = decimals.checked_mul(10_i64.checked_pow(missing)?)?;
    whole.checked_mul(10_i64.checked_pow(places)?)?.checked_add(decimals)?.checked_mul(sign)
}

impl<const PLACES: u32> fmt::Display for Decimal<PLACES> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let one = Self::ONE.unsigned_abs();
        let (whole, decimals) = (self.0.unsigned_abs() / one, self.0.unsigned_abs() % one);
        if decimals == 0 {
            return write!(f, "{sign}{whole}");
        }
        let decimals = format!("{decimals:0width$}", width = PLACES as usize);
        write!(f, "{sign}{whole}.{}", decimals.trim_end_matches('0'))
    }
}

impl<const PLACES: u32> Serialize for Decimal<PLACES> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 % Self::ONE == 0 {
            return serializer.serialize_i64(self.0 / Self::ONE);
        }
        serializer.serialize_f64(self.to_string().parse().map_err(serde::ser::Error::custom)?)
    }
}

impl<'de, const PLACES: u32> Deserialize<'de> for Decimal<PLACES> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Visitor)
    }
}

struct Visitor<const PLACES: u32>;

impl<const PLACES: u32> de::Visitor<'_> for Visitor<PLACES> {
    type Value = Decimal<PLACES>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a number")
    }
    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Self::Value, E> {
        self.visit_str(&number.to_string())
    }
    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
        self.visit_str(&number.to_string())
    }
    // The shortest text of the number.
    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Self::Value, E> {
        self.visit_str(&number.to_string())
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        text.parse().map_err(E::custom)
    }
}

/// Reads a number of an answer: the real service may send more decimals than `PLACES`, and they are rounded.
pub(crate) fn rounded<'de, D: Deserializer<'de>, const PLACES: u32>(
    deserializer: D,
) -> Result<Decimal<PLACES>, D::Error> {
    deserializer.deserialize_any(RoundingVisitor)
}

/// Like [`rounded`], for a number that can be null.
pub(crate) fn rounded_or_null<'de, D: Deserializer<'de>, const PLACES: u32>(
    deserializer: D,
) -> Result<Option<Decimal<PLACES>>, D::Error> {
    struct Rounded<const PLACES: u32>(Decimal<PLACES>);

    impl<'de, const PLACES: u32> Deserialize<'de> for Rounded<PLACES> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            rounded(deserializer).map(Self)
        }
    }

    Ok(Option::<Rounded<PLACES>>::deserialize(deserializer)?.map(|Rounded(number)| number))
}

struct RoundingVisitor<const PLACES: u32>;

impl<const PLACES: u32> de::Visitor<'_> for RoundingVisitor<PLACES> {
    type Value = Decimal<PLACES>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a number")
    }
    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Self::Value, E> {
        Visitor.visit_i64(number)
    }
    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
        Visitor.visit_u64(number)
    }
    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Self::Value, E> {
        self.visit_str(&number.to_string())
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        round(text, PLACES).map(Decimal).ok_or_else(|| E::custom(InvalidDecimal { places: PLACES }))
    }
}

/// The nearest number of units. Halves are rounded away from zero.
fn round(text: &str, places: u32) -> Option<i64> {
    let kept = text.find('.').map_or(text.len(), |point| point + 1 + places as usize);
    let Some((kept, dropped)) = text.split_at_checked(kept).filter(|(_, dropped)| !dropped.is_empty()) else {
        return parse(text, places);
    };
    if !dropped.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let units = parse(kept, places)?;
    match (dropped >= "5", text.starts_with('-')) {
        (false, _) => Some(units),
        (true, false) => units.checked_add(1),
        (true, true) => units.checked_sub(1),
    }
}

#[cfg(feature = "schema")]
impl<const PLACES: u32> schemars::JsonSchema for Decimal<PLACES> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Decimal".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "number" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Money = Decimal<9>;

    #[test]
    fn a_number_is_written_as_it_was_read() {
        for (units, text) in [
            (0, "0"),
            (1, "1e-9"),
            (60_000_000, "0.06"),
            (12_500_000_000, "12.5"),
            (-7_000_000_001, "-7.000000001"),
            (8_000_000_000_000_001, "8000000.000000001"),
            (9_000_000_000_000_000_000, "9000000000"),
        ] {
            let money = Money::from_units(units);
            assert_eq!(serde_json::to_string(&money).unwrap(), text);
            assert_eq!(serde_json::from_str::<Money>(text).unwrap(), money);
            assert_eq!(money.to_string().parse::<Money>().unwrap(), money);
        }
        assert_eq!(serde_json::from_str::<Money>(r#""12.50""#).unwrap(), Money::from_units(12_500_000_000));
    }

    #[test]
    fn a_number_of_an_answer_is_rounded() {
        let read =
            |text: &str| rounded::<_, 9>(&mut serde_json::Deserializer::from_str(text)).map(Money::units);
        for (text, units) in [
            ("0.13080438340307526", 130_804_383),
            ("-0.0000000006", -1),
            ("0.0000000004", 0),
            ("1.9999999995", 2_000_000_000),
            ("0.06", 60_000_000),
            ("12", 12_000_000_000),
            (r#""0.13080438340307526""#, 130_804_383),
        ] {
            assert_eq!(read(text).unwrap(), units, "{text}");
        }
        for text in ["1e300", r#""0.1234567891x""#, r#""""#, "true"] {
            assert!(read(text).is_err(), "{text}");
        }
        let read =
            |text: &str| rounded_or_null::<_, 6>(&mut serde_json::Deserializer::from_str(text)).unwrap();
        assert_eq!(read("null"), None);
        assert_eq!(read("1.23456789"), Some(Decimal::from_units(1_234_568)));
    }

    #[test]
    fn a_number_with_too_many_digits_is_refused() {
        for text in ["", "-", ".", ".5", "1.", "1.0000000001", "9223372037", "1e3", "+1", "1.-5", "NaN"] {
            assert!(text.parse::<Money>().is_err(), "{text}");
        }
        assert!(serde_json::from_str::<Money>("0.1234567891").is_err());
    }
}
