//! A value that is shown once, and of which only a hash and a redacted form are kept.

use std::fmt;

use openai_admin::PersonalText;

/// A secret that a change hands out: whoever makes the change has made it, since the store knows no randomness.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    /// The value. Only the answer of the change shows it.
    pub value: PersonalText,
    /// The SHA-256 of the value, in hexadecimal.
    pub hash: String,
    /// The value's ends, to recognise it by.
    pub redacted: String,
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").field("redacted", &self.redacted).finish_non_exhaustive()
    }
}
