//! Email addresses as keys.

use openai_admin::identity;
use serde::{Deserialize, Serialize};

/// An email address, normalized with [`identity::email_key`] for comparison.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EmailKey(Box<str>);

impl EmailKey {
    /// The key of an address.
    pub fn new(address: &str) -> Self {
        Self(identity::email_key(address).into())
    }

    /// The address in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

// Debug output hides the address, because it is personal data.
impl std::fmt::Debug for EmailKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EmailKey(…)")
    }
}
