//! The storage of ids and personal texts. Short texts need no heap allocation.

use std::{fmt, ops::Deref};

use arrayvec::ArrayString;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Visitor};

/// Ids have about 30 bytes and addresses are rarely longer, so a page of a hundred users needs only a few allocations.
/// Strings that share the page's buffer would need none, but keeping one id would keep the whole page. Larger inline
/// strings would make a user too large to move without a call of `memcpy`.
const SHORT_BYTES_MAX: usize = 32;

#[derive(Clone)]
pub(crate) enum Text {
    Short(ArrayString<SHORT_BYTES_MAX>),
    Long(Box<str>),
}

impl Default for Text {
    fn default() -> Self {
        Self::Short(ArrayString::new_const())
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        ArrayString::from(text).map_or_else(|_| Self::Long(text.into()), Self::Short)
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        match ArrayString::from(&text) {
            Ok(short) => Self::Short(short),
            Err(_) => Self::Long(text.into()),
        }
    }
}

impl Deref for Text {
    type Target = str;
    fn deref(&self) -> &str {
        match self {
            Self::Short(text) => text,
            Self::Long(text) => text,
        }
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Text {}

impl PartialOrd for Text {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Text {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (**self).cmp(other)
    }
}

impl std::hash::Hash for Text {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        // Must equal the hash of the str, since ids implement `Borrow<str>`.
        (**self).hash(state);
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl Visitor<'_> for TextVisitor {
            type Value = Text;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_str<E>(self, text: &str) -> Result<Text, E> {
                Ok(text.into())
            }
            fn visit_string<E>(self, text: String) -> Result<Text, E> {
                Ok(text.into())
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_equals_its_source() {
        for length in [0, 1, SHORT_BYTES_MAX - 1, SHORT_BYTES_MAX, SHORT_BYTES_MAX + 1, 500] {
            let text = "x".repeat(length);
            assert_eq!(&*Text::from(text.as_str()), text);
            assert!(Text::from(text.as_str()) == Text::from(text.clone()));
            assert_eq!(matches!(Text::from(text.clone()), Text::Short(_)), length <= SHORT_BYTES_MAX);
            let json = serde_json::to_string(&text).expect("a string");
            assert_eq!(&*serde_json::from_str::<Text>(&json).expect("a string"), text);
        }
        // A character is never split.
        let text = format!("{}é", "x".repeat(SHORT_BYTES_MAX - 1));
        assert_eq!(&*Text::from(text.as_str()), text);
    }

    #[test]
    fn a_text_has_the_intended_size() {
        assert_eq!(size_of::<Text>(), 40);
        assert_eq!(size_of::<Option<Text>>(), 40);
    }
}
