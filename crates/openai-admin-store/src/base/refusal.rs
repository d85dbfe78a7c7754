//! The rules that well-formed requests can break: one row for each rule.

/// Declares [`Refusal`]: for each rule its code, the parameter it is about, the message about that parameter's value,
/// the next step, and the operations it applies to.
macro_rules! refusals {
    ($($(#[$doc:meta])* $refusal:ident = $code:literal, $param:literal, $message:literal, $next:literal, $operations:literal;)*) => {
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

            /// The parameter whose value breaks the rule; empty if there is none.
            pub const fn param(self) -> &'static str {
                match self {
                    $(Self::$refusal => $param,)*
                }
            }

            /// The message, with `{}` for the value.
            pub const fn message(self) -> &'static str {
                match self {
                    $(Self::$refusal => $message,)*
                }
            }

            /// What to do next, as a sentence.
            pub const fn next(self) -> &'static str {
                match self {
                    $(Self::$refusal => $next,)*
                }
            }

            /// The operations that the rule applies to, in the middle of a sentence.
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
        "Use another project; archiving cannot be undone.",
        "operations that change a project or its contents";
    /// The project is the organization's default project.
    DefaultProject = "default_project", "project_id",
        "project '{}' is the default project, which cannot be modified or archived and takes no service accounts",
        "Create another project with `create-project`.",
        "`modify-project`, `archive-project` and `create-project-service-account`";
    /// The certificate is in use.
    CertificateActive = "certificate_active", "certificate_id",
        "certificate '{}' is active in the organization or in a project",
        "Deactivate it in the organization and in its projects first.",
        "`deleteCertificate`";
    /// The organization has the maximum number of certificates.
    CertificateLimit = "certificate_limit", "certificate",
        "organization already has 50 certificates, the maximum",
        "Delete an inactive certificate.",
        "`uploadCertificate`";
    /// The text is not exactly one certificate, is too large, or has expired.
    InvalidCertificate = "invalid_certificate", "certificate",
        "certificate cannot be used: {}",
        "Upload one X.509 certificate in PEM format that is valid, without a key or a chain.",
        "`uploadCertificate`";
    /// The invited address belongs to a user of the organization.
    AlreadyAMember = "already_a_member", "email",
        "address '{}' belongs to a user of the organization",
        "Change the user's role with `modify-user`.",
        "`inviteUser` and `x-accept-invite`";
    /// The invited address has a pending invite.
    AlreadyInvited = "already_invited", "email",
        "address '{}' has a pending invite",
        "Delete that invite with `delete-invite` to send another.",
        "`inviteUser`";
    /// The invite was accepted.
    InviteAccepted = "invite_accepted", "invite_id",
        "invite '{}' was already accepted and cannot be deleted",
        "Delete the user with `delete-user`, which deletes the invite.",
        "`delete-invite` and `x-accept-invite`";
    /// The invite has expired.
    InviteExpired = "invite_expired", "invite_id",
        "invite '{}' has expired",
        "Invite the person again with `inviteUser`.",
        "`x-accept-invite`";
    /// The API key of a project has expired.
    ApiKeyExpired = "api_key_expired", "api_key_id",
        "API key '{}' has expired and cannot be changed",
        "Create another API key for its service account.",
        "`update-project-api-key`";
    /// The user is a service account, which belongs to its project.
    ServiceAccountUser = "service_account_user", "user_id",
        "user '{}' is a service account of a project and cannot be deleted as a user",
        "Delete it with `delete-project-service-account`.",
        "`delete-user`";
    /// The organization would have no owner.
    LastOwner = "last_owner", "user_id",
        "user '{}' is the last owner of the organization",
        "Make another user an owner with `modify-user` first.",
        "operations that delete a user or a service account, archive a project, or change the role of a user";
    /// The API key that sent the request was revoked or has expired.
    RevokedApiKey = "revoked_api_key", "",
        "API key '{}' was revoked or has expired and cannot create another",
        "Send the request with a valid API key.",
        "`admin-api-keys-create`";
    /// The organization or the project has no spend limit.
    SpendLimitNotSet = "spend_limit_not_set", "",
        "spend limit is not set",
        "Set one with `Updateorganizationspendlimit` or `Updateprojectspendlimit`.",
        "operations that get or delete a spend limit";
    /// The project has no model permissions.
    ModelPermissionsNotSet = "model_permissions_not_set", "",
        "project has no model permissions policy",
        "Set one with `update-project-model-permissions`.",
        "`retrieve-project-model-permissions` and `delete-project-model-permissions`";
    /// The user is in the project.
    AlreadyInProject = "already_in_project", "user_id",
        "user '{}' is already in the project",
        "Change the user's role with `modify-project-user`.",
        "`create-project-user`";
    /// The group is in the project.
    GroupAlreadyInProject = "group_already_in_project", "group_id",
        "group '{}' is already in the project",
        "Assign another role with `assign-project-group-role`.",
        "`add-project-group`";
    /// The organization has no rate limit for the model.
    RateLimitNotSet = "rate_limit_does_not_exist_for_org_and_model", "",
        "the rate limit for model {} is not set for your organization",
        "List the rate limits with `list-project-rate-limits`.",
        "`update-project-rate-limits`";
    /// The rate limit is that of a fine-tuned model, or is shared.
    RateLimitNotUpdatable = "rate_limit_not_updatable", "",
        "the rate limit for model {} cannot be updated",
        "Leave it out: limits of fine-tuned models and shared limits are fixed.",
        "`update-project-rate-limits`";
    /// The model does not have the limit.
    InvalidRateLimitType = "invalid_rate_limit_type", "",
        "model does not have the limit: {}",
        "Send only fields that `list-project-rate-limits` shows for the model.",
        "`update-project-rate-limits`";
    /// The limit is higher than that of the organization.
    OrganizationRateLimitExceeded = "organization_rate_limit_exceeded", "",
        "limit is too high: {}",
        "Send at most that value.",
        "`update-project-rate-limits`";
    /// A project uses the external key.
    ExternalKeyInUse = "external_key_in_use", "external_key_id",
        "external key '{}' is used by a project",
        "Set another key for the project with `modify-project`.",
        "`delete-external-key`";
    /// The workload identity provider has federation rules.
    WorkloadIdentityProviderInUse = "workload_identity_provider_in_use", "workload_identity_provider_id",
        "workload identity provider '{}' has federation rules",
        "Delete its rules with `delete-federation-rule`.",
        "`delete-workload-identity-provider`";
    /// The key service of another cloud would have to answer.
    KeyServiceUnreachable = "key_service_unreachable", "external_key_id",
        "external key '{}' cannot be validated: this server cannot reach key services",
        "Validate the key in its cloud; the emulator can switch the rule `key_service_unreachable` off.",
        "`validate-external-key`";
    /// Another cloud would have to answer.
    StorageUnreachable = "storage_unreachable", "external_storage_id",
        "external storage '{}' cannot be validated: this server cannot reach other clouds",
        "Check the storage in its cloud; the emulator can switch the rule `storage_unreachable` off.",
        "`validate-external-storage`";
}

impl Refusal {
    /// Whether another cloud, which this server never connects to, would have to answer.
    pub const fn is_unreachable_cloud(self) -> bool {
        matches!(self, Self::KeyServiceUnreachable | Self::StorageUnreachable)
    }

    /// Whether a value that the request needs is missing, as a thing that does not exist.
    pub const fn is_absence(self) -> bool {
        matches!(self, Self::SpendLimitNotSet | Self::ModelPermissionsNotSet | Self::RateLimitNotSet)
    }
}
