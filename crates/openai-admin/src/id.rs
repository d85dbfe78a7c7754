//! Ids, cursors and other short values in paths and queries.
//!
//! An id is opaque: its prefix is not checked. An id that would change the route of a request is refused, so every
//! valid id is safe in any path. `/` is refused instead of encoded, because some gateways decode `%2F`.

use std::{borrow::Borrow, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use crate::{
    eight_bytes::{HIGHEST_BITS, lowest_below, lowest_equal, lowest_from},
    text::Text,
    violation::{Violation, ViolationCode},
};

/// The maximum length of an id, in bytes.
pub const ID_BYTES_MAX: usize = 255;
/// The maximum length of a cursor, in bytes.
pub const CURSOR_BYTES_MAX: usize = 512;

/// The rule of [`check_token`] as a JSON Schema pattern: no control character, and not blank.
#[cfg(feature = "schema")]
const TOKEN_PATTERN: &str =
    r"^[^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$";
/// The rule of [`check_id`]: also no slash, and not a relative path segment.
#[cfg(feature = "schema")]
const ID_PATTERN: &str = r"^(?!(\.|%2[eE]){1,2}$)[^/\u0000-\u001f\u007f-\u009f]*[^/\s\u0000-\u001f\u007f-\u009f][^/\u0000-\u001f\u007f-\u009f]*$";

fn check_id(id: &str) -> Result<(), Violation> {
    // Fast path for nearly all ids. A relative path segment starts with a dot, plain or encoded.
    if is_plain(id) && id.len() <= ID_BYTES_MAX && !id.starts_with(['.', '%']) {
        return Ok(());
    }
    check_token(id, ID_BYTES_MAX)?;
    let problem = if id.contains('/') {
        "it contains a slash"
    } else if is_dot_segment(id) {
        "it is a relative path segment"
    } else {
        return Ok(());
    };
    Err(Violation::new(ViolationCode::InvalidValue, format!("expected an id, but {problem}.")))
}

/// Whether all characters are visible ASCII except the slash. Returns false for texts of less than eight bytes.
fn is_plain(text: &str) -> bool {
    let is_plain = |eight: &[u8; 8]| {
        let word = u64::from_le_bytes(*eight);
        let found = lowest_below(word, b'!') | lowest_equal(word, b'/') | lowest_from(word, 0x7f) | word;
        found & HIGHEST_BITS == 0
    };
    let (eights, _) = text.as_bytes().as_chunks();
    // The last eight bytes may overlap the previous ones.
    text.as_bytes().last_chunk().is_some_and(is_plain) && eights.iter().all(is_plain)
}

/// The common rules of ids and cursors: a visible text of limited length.
fn check_token(token: &str, bytes_max: usize) -> Result<(), Violation> {
    if is_plain(token) && token.len() <= bytes_max {
        return Ok(());
    }
    let problem = if token.trim().is_empty() {
        "it is empty".to_owned()
    } else if token.len() > bytes_max {
        format!("it is longer than {bytes_max} bytes")
    } else if token.chars().any(char::is_control) {
        "it contains a control character".to_owned()
    } else {
        return Ok(());
    };
    Err(Violation::new(ViolationCode::InvalidValue, format!("expected an id, but {problem}.")))
}

/// `.` and `..`, also with encoded dots: some URL parsers normalize all of these.
fn is_dot_segment(id: &str) -> bool {
    let plain = id.replace("%2e", ".").replace("%2E", ".");
    plain == "." || plain == ".."
}

macro_rules! tokens {
    ($($(#[$doc:meta])* $name:ident checked by $check:expr, $bytes_max:ident and $pattern:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
        #[serde(transparent)]
        pub struct $name(Text);

        impl $name {
            #[doc = concat!("Checks and wraps a `", stringify!($name), "`.")]
            ///
            /// # Errors
            ///
            /// If the text is empty or blank, too long, or would change the route.
            pub fn new(text: impl AsRef<str>) -> Result<Self, Violation> {
                let text = text.as_ref();
                $check(text)?;
                Ok(Self(text.into()))
            }

            /// The text, as sent.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(self.as_str(), f)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                self.as_str()
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                self.as_str() == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                self.as_str() == *other
            }
        }

        impl FromStr for $name {
            type Err = Violation;
            fn from_str(text: &str) -> Result<Self, Violation> {
                Self::new(text)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = Violation;
            fn try_from(text: &str) -> Result<Self, Violation> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = Violation;
            fn try_from(text: String) -> Result<Self, Violation> {
                Self::new(text)
            }
        }

        impl TryFrom<&String> for $name {
            type Error = Violation;
            fn try_from(text: &String) -> Result<Self, Violation> {
                Self::new(text)
            }
        }

        impl From<&$name> for $name {
            fn from(id: &$name) -> Self {
                id.clone()
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = Text::deserialize(deserializer)?;
                $check(&text).map_err(D::Error::custom)?;
                Ok(Self(text))
            }
        }

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "string", "minLength": 1, "maxLength": $bytes_max, "pattern": $pattern
                })
            }
        }
    )*};
}

tokens! {
    /// The id of a group, such as `group_01J1F8ABCDXYZ`.
    ///
    /// ```
    /// use openai_admin::GroupId;
    /// assert!(GroupId::new("group_01J1F8ABCDXYZ").is_ok());
    /// assert!(GroupId::new("..").is_err(), "it would change the route");
    /// ```
    GroupId checked by check_id, ID_BYTES_MAX and ID_PATTERN;
    /// The id of a user, such as `user-abc123`.
    UserId checked by check_id, ID_BYTES_MAX and ID_PATTERN;
    /// The id of an organization, such as `org-abc123`.
    OrganizationId checked by check_id, ID_BYTES_MAX and ID_PATTERN;
    /// The id of an event of the audit log.
    AuditLogId checked by check_id, ID_BYTES_MAX and ID_PATTERN;
    /// The id of a project, such as `proj_abc`.
    ProjectId checked by check_id, ID_BYTES_MAX and ID_PATTERN;
    /// The id of an invite, such as `invite-abc`.
    InviteId checked by check_id, ID_BYTES_MAX and ID_PATTERN;
    /// The id of a role, such as `role_01J1F8ROLE01`.
    RoleId checked by check_id, ID_BYTES_MAX and ID_PATTERN;
    /// The name of a permission, such as `api.groups.read`.
    PermissionName checked by check_id, ID_BYTES_MAX and ID_PATTERN;
    /// The id of a certificate, such as `cert_abc`.
    CertificateId checked by check_id, ID_BYTES_MAX and ID_PATTERN;
    /// The id of a service account of a project, such as `svc_acct_abc`. It is valid as the id of a user.
    ServiceAccountId checked by check_id, ID_BYTES_MAX and ID_PATTERN;
    /// The id of the rate limits of a model, such as `rl-gpt-4o`.
    RateLimitId checked by check_id, ID_BYTES_MAX and ID_PATTERN;
    /// The id of a spend alert, such as `alert_abc123`.
    SpendAlertId checked by check_id, ID_BYTES_MAX and ID_PATTERN;
    /// The id of an external key, such as `extkey_abc`.
    ExternalKeyId checked by check_id, ID_BYTES_MAX and ID_PATTERN;
    /// The id of an API key, such as `key_abc`.
    ApiKeyId checked by check_id, ID_BYTES_MAX and ID_PATTERN;
    /// A position in a list: the `next` of a page, or the id of its last item.
    Cursor checked by |text: &str| check_token(text, CURSOR_BYTES_MAX), CURSOR_BYTES_MAX and TOKEN_PATTERN;
}

macro_rules! cursor_from {
    ($($id:ident),*) => {$(
        impl From<&$id> for Cursor {
            fn from(id: &$id) -> Self {
                Self(id.0.clone())
            }
        }
    )*};
}

cursor_from!(
    ApiKeyId,
    AuditLogId,
    CertificateId,
    ExternalKeyId,
    GroupId,
    InviteId,
    ProjectId,
    RateLimitId,
    RoleId,
    ServiceAccountId,
    SpendAlertId,
    UserId
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_would_change_the_route_is_refused() {
        for bad in [
            "",
            " ",
            ".",
            "..",
            "%2e",
            "%2E%2e",
            ".%2E",
            "a/b",
            "../x",
            "a\nb",
            "a\0",
            "\u{7f}",
            &"x".repeat(256),
        ] {
            assert!(GroupId::new(bad).is_err(), "{bad:?} was accepted");
        }
        for good in
            ["group_1", "a b", "a%2fb", "a?b#c", "a\\b", "...", "пользователь", "🦀", &"x".repeat(255)]
        {
            assert_eq!(GroupId::new(good).expect(good), *good);
        }
    }

    #[test]
    fn a_refused_id_has_a_reason() {
        let error = UserId::new("a/b").expect_err("a slash");
        assert_eq!(error.to_string(), "expected an id, but it contains a slash.");
        assert_eq!(error.code(), ViolationCode::InvalidValue);
    }
}
