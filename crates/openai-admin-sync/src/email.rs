//! Email addresses as keys.

use serde::{Deserialize, Serialize};

/// An email address as people are told apart by it: trimmed and in lower case, and nothing cleverer. A dot or a `+`
/// is part of an address, whatever some providers make of it.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EmailKey(Box<str>);

impl EmailKey {
    /// The key of an address.
    pub fn new(address: &str) -> Self {
        Self(address.trim().to_lowercase().into())
    }

    /// The address in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

// It is personal data: whoever may see it asks for it.
impl std::fmt::Debug for EmailKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EmailKey(…)")
    }
}

/// What is wrong with an address, if it cannot be one: it needs something on both sides of one `@`, and no space.
pub fn problem(address: &str) -> Option<&'static str> {
    let address = address.trim();
    if address.is_empty() {
        return Some("it is empty");
    }
    if address.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Some("it holds a space");
    }
    if address.contains([',', ';', '<', '>', '"']) {
        return Some("it holds more than an address");
    }
    match address.split_once('@') {
        None => Some("it has no @"),
        Some((name, host)) if name.is_empty() || host.is_empty() || host.contains('@') => {
            Some("it is not NAME@HOST")
        }
        Some(_) if address.len() > 320 => Some("it is longer than 320 bytes"),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_equal_in_any_letter_case_and_nothing_cleverer() {
        assert_eq!(EmailKey::new(" Ada@Example.COM "), EmailKey::new("ada@example.com"));
        assert_ne!(EmailKey::new("a.da@example.com"), EmailKey::new("ada@example.com"));
        assert_ne!(EmailKey::new("ada+x@example.com"), EmailKey::new("ada@example.com"));
    }

    #[test]
    fn what_cannot_be_an_address_says_why() {
        for good in ["ada@example.com", "ada+x@localhost", "o'connor@例え.jp"] {
            assert_eq!(problem(good), None, "{good}");
        }
        for (bad, why) in [
            ("", "it is empty"),
            ("ada", "it has no @"),
            ("@example.com", "it is not NAME@HOST"),
            ("a@b@c", "it is not NAME@HOST"),
            ("ada @example.com", "it holds a space"),
            ("Ada <ada@example.com>", "it holds a space"),
            ("<ada@example.com>", "it holds more than an address"),
        ] {
            assert_eq!(problem(bad), Some(why), "{bad}");
        }
    }
}
