//! A value that is shown once. The store keeps only a hash and a redacted form of it.

use std::fmt;

use openai_admin::PersonalText;

/// A secret that a change returns. The caller generates it, because the store uses no randomness.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    /// The value. Only the answer of the change contains it.
    pub value: PersonalText,
    /// The SHA-256 of the value, in hexadecimal.
    pub hash: String,
    /// The first and last characters of the value, to recognize it by.
    pub redacted: String,
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").field("redacted", &self.redacted).finish_non_exhaustive()
    }
}
