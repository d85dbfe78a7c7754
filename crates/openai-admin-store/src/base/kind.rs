//! The kinds of resources in the store.

/// Declares [`Kind`]: for each kind, its name in the database and in error codes, and its name in messages.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal, $words:literal;)*) => {
        /// A kind of resource in the store.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Kind {
            $($(#[$doc])* $kind,)*
        }

        impl Kind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$kind),*];

            /// The name in codes and parameters, such as `api_key` in `api_key_not_found`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)*
                }
            }

            /// The name in messages, in the middle of a sentence.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$kind => $words,)*
                }
            }
        }
    };
}

kinds! {
    /// An organization.
    Organization = "organization", "organization";
    /// A group.
    Group = "group", "group";
    /// A user.
    User = "user", "user";
    /// A role.
    Role = "role", "role";
    /// A project.
    Project = "project", "project";
    /// A certificate.
    Certificate = "certificate", "certificate";
    /// An invite.
    Invite = "invite", "invite";
    /// A service account of a project.
    ServiceAccount = "service_account", "service account";
    /// A spend alert of the organization or of a project.
    SpendAlert = "alert", "spend alert";
    /// A customer's encryption key in another cloud.
    ExternalKey = "external_key", "external key";
    /// An API key.
    ApiKey = "api_key", "API key";
}
