//! What the store refuses though the request is well formed: one row for each rule.

/// Declares [`Refusal`]: for each rule its code, the parameter that it is about, what it says of that parameter's value,
/// what to do next, and which operations it holds for.
macro_rules! refusals {
    ($($(#[$doc:meta])* $refusal:ident = $code:literal, $param:literal, $says:literal, $next:literal, $operations:literal;)*) => {
        /// A rule of the API that a well-formed request breaks.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Refusal {
            $($(#[$doc])* $refusal,)*
        }

        impl Refusal {
            /// Every rule.
            pub const ALL: &'static [Self] = &[$(Self::$refusal),*];

            /// The code, such as `project_archived`.
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$refusal => $code,)*
                }
            }

            /// The parameter whose value breaks the rule.
            pub const fn param(self) -> &'static str {
                match self {
                    $(Self::$refusal => $param,)*
                }
            }

            /// What holds of the value, after its name: `project 'proj_1' `…
            pub const fn says(self) -> &'static str {
                match self {
                    $(Self::$refusal => $says,)*
                }
            }

            /// What to do: a sentence.
            pub const fn next(self) -> &'static str {
                match self {
                    $(Self::$refusal => $next,)*
                }
            }

            /// Which operations the rule holds for, in the middle of a sentence.
            pub const fn operations(self) -> &'static str {
                match self {
                    $(Self::$refusal => $operations,)*
                }
            }
        }
    };
}

refusals! {
    /// The project is archived.
    ProjectArchived = "project_archived", "project_id",
        "project '{}' is archived; archived projects cannot be used or updated",
        "Use another project; archiving cannot be taken back.",
        "operations that change a project or what is in it";
    /// The project is the organization's default project.
    DefaultProject = "default_project", "project_id",
        "project '{}' is the default project, which cannot be modified or archived and takes no service accounts",
        "Create a project for it with `create-project`.",
        "`modify-project`, `archive-project` and `create-project-service-account`";
    /// The certificate is in use.
    CertificateActive = "certificate_active", "certificate_id",
        "certificate '{}' is active in the organization or in a project",
        "Deactivate it in the organization and in its projects first.",
        "`deleteCertificate`";
    /// The organization has as many certificates as it can have.
    CertificateLimit = "certificate_limit", "certificate",
        "certificate is one more than the 50 that an organization can have",
        "Delete a certificate that is not in use.",
        "`uploadCertificate`";
    /// The text is not exactly one certificate, is too large, or has expired.
    InvalidCertificate = "invalid_certificate", "certificate",
        "certificate cannot be used: {}",
        "Upload one X.509 certificate in PEM format that is valid, without a key or a chain.",
        "`uploadCertificate`";
    /// The invited address is that of a user of the organization.
    AlreadyAMember = "already_a_member", "email",
        "address '{}' belongs to a user of the organization",
        "Change the user's role with `modify-user`.",
        "`inviteUser`";
    /// The invited address has an invite that can still be accepted.
    AlreadyInvited = "already_invited", "email",
        "address '{}' has a pending invite",
        "Delete that invite with `delete-invite` to send another.",
        "`inviteUser`";
    /// The invite was accepted.
    InviteAccepted = "invite_accepted", "invite_id",
        "invite '{}' was already accepted and cannot be deleted",
        "Delete the user with `delete-user`, which deletes the invite.",
        "`delete-invite`";
    /// The user is a service account, which belongs to its project.
    ServiceAccountUser = "service_account_user", "user_id",
        "user '{}' is a service account of a project and cannot be deleted as a user",
        "Delete it with `delete-project-service-account`.",
        "`delete-user`";
    /// The API key belongs to a service account.
    ServiceAccountKey = "service_account_key", "api_key_id",
        "API key '{}' belongs to a service account and cannot be deleted without it",
        "Delete the service account with `delete-project-service-account`.",
        "`delete-project-api-key`";
    /// The user is in the project.
    AlreadyInProject = "already_in_project", "user_id",
        "user '{}' already exists in project",
        "Change the user's role with `modify-project-user`.",
        "`create-project-user`";
    /// The group is in the project.
    GroupAlreadyInProject = "group_already_in_project", "group_id",
        "group '{}' already exists in project",
        "Assign another role with `assign-project-group-role`.",
        "`add-project-group`";
}
