//! Enums that keep values they do not know, since the API adds values without notice.

use std::{fmt, ops::Deref};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::text::Text;

/// A value of an open enum that this version does not know. Only the enum's own `From<&str>` makes one, so that no
/// known value is ever unknown.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UnknownValue(Text);

impl Deref for UnknownValue {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

thread_local! {
    /// The last unknown value that this thread read, for a strict client.
    static UNKNOWN: std::cell::RefCell<Option<String>> = const { std::cell::RefCell::new(None) };
}

fn note_unknown(value: &str) {
    UNKNOWN.with_borrow_mut(|unknown| *unknown = Some(value.to_owned()));
}

/// Takes the last unknown value that this thread read since the last call.
#[cfg(feature = "client")]
pub(crate) fn take_unknown() -> Option<String> {
    UNKNOWN.take()
}

/// Declares an enum that keeps values it does not know and writes them back unchanged.
macro_rules! open_enum {
    ($($(#[$doc:meta])* pub enum $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
            /// A value that this version does not know; kept, and written back unchanged.
            Other(UnknownValue),
        }

        impl $name {
            /// The values that this version knows, as they travel.
            pub const KNOWN: &'static [&'static str] = &[$($text),*];

            /// The value as it travels.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Other(text) => text,
                }
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                match text {
                    $($text => Self::$variant,)*
                    other => Self::Other(UnknownValue(other.into())),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let value = Self::from(&*Text::deserialize(deserializer)?);
                if let Self::Other(unknown) = &value {
                    note_unknown(unknown);
                }
                Ok(value)
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
                schemars::json_schema!({ "type": "string", "enum": Self::KNOWN })
            }
        }
    )*};
}

open_enum! {
    /// What kind of group it is.
    pub enum GroupType {
        /// A group of the organization.
        Group = "group",
        /// A group that a tenant shares with the organization.
        TenantGroup = "tenant_group",
    }

    /// What kind of user it is.
    pub enum UserType {
        /// A user of the organization.
        User = "user",
        /// A user whom a tenant shares with the organization.
        TenantUser = "tenant_user",
    }

    /// A user's role in the organization.
    pub enum UserRole {
        /// May administer the organization.
        Owner = "owner",
        /// May read the organization: what the schema calls an ordinary user.
        Reader = "reader",
        /// The same, as the description of the modify operation calls it.
        Member = "member",
    }
}
