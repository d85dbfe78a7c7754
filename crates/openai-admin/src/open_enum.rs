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
            $(
                $(#[$variant_doc])*
                #[doc = concat!("Travels as `", $text, "`.")]
                $variant,
            )*
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
        /// A user that a tenant shares with the organization.
        TenantUser = "tenant_user",
    }

    /// Where the data of a project is stored, and processed where the name says so.
    pub enum ProjectResidency {
        Global = "GLOBAL",
        UsStorageProcessing = "US_STORAGE_PROCESSING",
        EuStorageProcessing = "EU_STORAGE_PROCESSING",
        JpStorage = "JP_STORAGE",
        JpStorageProcessing = "JP_STORAGE_PROCESSING",
        KrStorage = "KR_STORAGE",
        CaStorage = "CA_STORAGE",
        SgStorage = "SG_STORAGE",
        InStorage = "IN_STORAGE",
        InStorageProcessing = "IN_STORAGE_PROCESSING",
        AuStorage = "AU_STORAGE",
        AuStorageProcessing = "AU_STORAGE_PROCESSING",
        GbStorage = "GB_STORAGE",
        AeStorage = "AE_STORAGE",
        AeStorageProcessing = "AE_STORAGE_PROCESSING",
    }

    /// The source of a request whose usage is counted.
    pub enum ApiSource {
        /// The Agents API.
        AgentsApi = "agents_api",
        /// Everything else.
        Unlabeled = "unlabeled",
    }

    /// Whether a project is in use.
    pub enum ProjectStatus {
        /// In use.
        Active = "active",
        /// Archived: it cannot be used or updated.
        Archived = "archived",
    }

    /// What the answer about a certificate holds besides.
    pub enum CertificateInclude {
        /// The certificate itself, in PEM.
        Content = "content",
    }

    /// Whether an external key is registered.
    pub enum ExternalKeyObject {
        /// It is registered.
        ExternalKey = "organization.external_key",
        /// It was just deleted.
        Deleted = "organization.external_key.deleted",
    }

    /// The cloud of an external key.
    pub enum ExternalKeyType {
        /// Amazon Web Services.
        Aws = "aws",
        /// Google Cloud.
        Gcp = "gcp",
        /// Microsoft Azure.
        Azure = "azure",
        /// Oracle Cloud Infrastructure.
        Oci = "oci",
    }

    /// The purpose of an external key.
    pub enum ExternalKeyPurpose {
        /// Enterprise key management.
        Ekm = "ekm",
        /// Decryption of PSP data.
        PspDecryption = "psp_decryption",
    }

    /// The protocol of a workload identity provider.
    pub enum WorkloadIdentityProviderType {
        /// OpenID Connect.
        Oidc = "oidc",
    }

    /// How the signatures of a provider's tokens are verified.
    pub enum WorkloadIdentityVerificationType {
        /// With the keys that OpenID Connect discovery finds.
        Discovery = "discovery",
        /// With the keys of an uploaded key set.
        UploadedJwks = "uploaded_jwks",
    }

    /// The cloud of an external storage.
    pub enum ExternalStorageProviderType {
        /// Amazon S3.
        Aws = "aws",
        /// Azure Blob Storage.
        Azure = "azure",
        /// Google Cloud Storage.
        Gcp = "gcp",
        /// OCI Object Storage.
        Oci = "oci",
    }

    /// The result of the last check of an external storage.
    pub enum ExternalStorageStatus {
        /// It is not yet checked.
        Pending = "pending",
        /// It can be used.
        Validated = "validated",
        /// It can be used in part.
        Degraded = "degraded",
        /// It cannot be used.
        Unhealthy = "unhealthy",
    }

    /// The permissions of a token that was exchanged under a federation rule.
    pub enum FederationRulePermissionsType {
        /// Those of the service account.
        ServiceAccountDefault = "service_account_default",
        /// The scopes of the rule.
        Restricted = "restricted",
    }

    /// The role that a person has in the organization after accepting an invite.
    pub enum InviteRole {
        /// May administer the organization.
        Owner = "owner",
        /// May read the organization.
        Reader = "reader",
    }

    /// The role that a person has in a project after accepting an invite.
    pub enum InviteProjectRole {
        /// May use the project.
        Member = "member",
        /// May administer the project.
        Owner = "owner",
    }

    /// The status of an invite.
    pub enum InviteStatus {
        /// It can be accepted.
        Pending = "pending",
        /// It was accepted.
        Accepted = "accepted",
        /// It was not accepted in time.
        Expired = "expired",
    }

    /// How a user has a role that grants a permission.
    pub enum AccessPathKind {
        /// A role in the organization, assigned to the user.
        OrganizationRole = "organization_role",
        /// A role in the organization, assigned to a group of the user.
        Group = "group",
        /// A role in the project, assigned to the user.
        ProjectMembership = "project_membership",
        /// A role in the project, assigned to a group of the user.
        ProjectGroup = "project_group",
        /// Not assigned: an owner of the organization has the role `owner` in every project.
        Implied = "implied",
    }

    /// The kind of a named resource.
    pub enum NamedKind {
        /// A group.
        Group = "group",
        /// A user.
        User = "user",
        /// A role of the organization.
        Role = "role",
        /// An admin key.
        AdminApiKey = "admin_api_key",
    }

    /// A service account's role in its project.
    pub enum ServiceAccountRole {
        /// May administer the project.
        Owner = "owner",
        /// May use the project.
        Member = "member",
        /// Has no role in the project.
        None = "none",
    }

    /// Whether the owner of an API key has access to the key's project.
    pub enum OwnerProjectAccess {
        /// The owner has access.
        Active = "active",
        /// The owner has no access.
        Inactive = "inactive",
    }

    /// Which API keys of a project are listed, by the access of their owners.
    pub enum OwnerProjectAccessFilter {
        /// Those whose owner has access.
        Active = "active",
        /// Those whose owner has no access.
        Inactive = "inactive",
        /// All.
        Any = "any",
    }

    /// How the recipients of a spend alert are notified.
    pub enum SpendAlertChannelType {
        /// By email.
        Email = "email",
    }

    /// The currency of a spend limit or a spend alert.
    pub enum SpendLimitCurrency {
        /// US dollars, counted in cents.
        Usd = "USD",
    }

    /// The time in which spend counts against a spend limit or a spend alert.
    pub enum SpendLimitInterval {
        /// A calendar month in UTC.
        Month = "month",
    }

    /// Whether a spend limit stops requests.
    pub enum SpendLimitEnforcementStatus {
        /// The spend of the interval is below the limit.
        Inactive = "inactive",
        /// The spend of the interval has reached the limit.
        Enforcing = "enforcing",
    }

    /// How long the organization's data is retained, and who may look at it.
    pub enum OrganizationDataRetentionType {
        ZeroDataRetention = "zero_data_retention",
        ModifiedAbuseMonitoring = "modified_abuse_monitoring",
        EnhancedZeroDataRetention = "enhanced_zero_data_retention",
        EnhancedModifiedAbuseMonitoring = "enhanced_modified_abuse_monitoring",
    }

    /// How long a project's data is retained, and who may look at it.
    pub enum ProjectDataRetentionType {
        /// As the organization's.
        OrganizationDefault = "organization_default",
        None = "none",
        ZeroDataRetention = "zero_data_retention",
        ModifiedAbuseMonitoring = "modified_abuse_monitoring",
        EnhancedZeroDataRetention = "enhanced_zero_data_retention",
        EnhancedModifiedAbuseMonitoring = "enhanced_modified_abuse_monitoring",
    }

    /// The tier of requests without a tier.
    pub enum DefaultServiceTier {
        Standard = "standard",
        Fast = "fast",
        Scale = "scale",
    }

    /// A tier that a project can have besides the standard one.
    pub enum ProjectOptionalServiceTier {
        Flex = "flex",
        Fast = "fast",
        Ultrafast = "ultrafast",
    }

    /// What the list of a project's model permissions means.
    pub enum ModelPermissionsMode {
        /// The project may use only these models.
        AllowList = "allow_list",
        /// The project may use all models but these.
        DenyList = "deny_list",
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

    /// Who does something that the audit log records.
    pub enum AuditLogActorType {
        /// A user, in a session of theirs.
        Session = "session",
        /// The owner of an API key.
        ApiKey = "api_key",
    }

    /// What the audit log records. The published types of tenants, which begin with `tenant.`, are kept like those
    /// that this version does not know.
    pub enum AuditLogEventType {
        ApiKeyCreated = "api_key.created",
        ApiKeyUpdated = "api_key.updated",
        ApiKeyDeleted = "api_key.deleted",
        CertificateCreated = "certificate.created",
        CertificateUpdated = "certificate.updated",
        CertificateDeleted = "certificate.deleted",
        CertificatesActivated = "certificates.activated",
        CertificatesDeactivated = "certificates.deactivated",
        CheckpointPermissionCreated = "checkpoint.permission.created",
        CheckpointPermissionDeleted = "checkpoint.permission.deleted",
        ExternalKeyRegistered = "external_key.registered",
        ExternalKeyRemoved = "external_key.removed",
        ExternalStorageRegistered = "external_storage.registered",
        ExternalStorageRemoved = "external_storage.removed",
        GroupCreated = "group.created",
        GroupUpdated = "group.updated",
        GroupDeleted = "group.deleted",
        InviteSent = "invite.sent",
        InviteAccepted = "invite.accepted",
        InviteDeleted = "invite.deleted",
        IpAllowlistCreated = "ip_allowlist.created",
        IpAllowlistUpdated = "ip_allowlist.updated",
        IpAllowlistDeleted = "ip_allowlist.deleted",
        IpAllowlistConfigActivated = "ip_allowlist.config.activated",
        IpAllowlistConfigDeactivated = "ip_allowlist.config.deactivated",
        LoginSucceeded = "login.succeeded",
        LoginFailed = "login.failed",
        LogoutSucceeded = "logout.succeeded",
        LogoutFailed = "logout.failed",
        OrganizationUpdated = "organization.updated",
        ProjectCreated = "project.created",
        ProjectUpdated = "project.updated",
        ProjectArchived = "project.archived",
        ProjectDeleted = "project.deleted",
        RateLimitUpdated = "rate_limit.updated",
        RateLimitDeleted = "rate_limit.deleted",
        ResourceDeleted = "resource.deleted",
        TunnelCreated = "tunnel.created",
        TunnelUpdated = "tunnel.updated",
        TunnelDeleted = "tunnel.deleted",
        WorkloadIdentityProviderCreated = "workload_identity_provider.created",
        WorkloadIdentityProviderUpdated = "workload_identity_provider.updated",
        WorkloadIdentityProviderDeleted = "workload_identity_provider.deleted",
        WorkloadIdentityProviderMappingCreated = "workload_identity_provider_mapping.created",
        WorkloadIdentityProviderMappingUpdated = "workload_identity_provider_mapping.updated",
        WorkloadIdentityProviderMappingDeleted = "workload_identity_provider_mapping.deleted",
        RoleCreated = "role.created",
        RoleUpdated = "role.updated",
        RoleDeleted = "role.deleted",
        RoleAssignmentCreated = "role.assignment.created",
        RoleAssignmentDeleted = "role.assignment.deleted",
        RoleBoundToResource = "role.bound_to_resource",
        RoleUnboundFromResource = "role.unbound_from_resource",
        ScimEnabled = "scim.enabled",
        ScimDisabled = "scim.disabled",
        ServiceAccountCreated = "service_account.created",
        ServiceAccountUpdated = "service_account.updated",
        ServiceAccountDeleted = "service_account.deleted",
        UserAdded = "user.added",
        UserUpdated = "user.updated",
        UserDeleted = "user.deleted",
        // Extensions: the published list has no event for these.
        OrganizationCreated = "organization.created",
        GroupUserAdded = "group.user.added",
        GroupUserRemoved = "group.user.removed",
        SpendAlertCreated = "spend_alert.created",
        SpendAlertUpdated = "spend_alert.updated",
        SpendAlertDeleted = "spend_alert.deleted",
        SpendLimitUpdated = "spend_limit.updated",
        SpendLimitDeleted = "spend_limit.deleted",
        DataRetentionUpdated = "data_retention.updated",
        ModelPermissionsUpdated = "model_permissions.updated",
        ModelPermissionsDeleted = "model_permissions.deleted",
        HostedToolPermissionsUpdated = "hosted_tool_permissions.updated",
        ServiceTierSettingsUpdated = "service_tier_settings.updated",
        ProjectUserAdded = "project.user.added",
        ProjectUserRemoved = "project.user.removed",
        ProjectGroupAdded = "project.group.added",
        ProjectGroupRemoved = "project.group.removed",
    }
}

impl AuditLogEventType {
    /// What our server records.
    pub const RECORDED: &'static [Self] = &[
        Self::OrganizationCreated,
        Self::OrganizationUpdated,
        Self::LoginSucceeded,
        Self::LoginFailed,
        Self::LogoutSucceeded,
        Self::GroupCreated,
        Self::GroupUpdated,
        Self::GroupDeleted,
        Self::GroupUserAdded,
        Self::GroupUserRemoved,
        Self::UserAdded,
        Self::UserUpdated,
        Self::UserDeleted,
        Self::ApiKeyCreated,
        Self::ApiKeyUpdated,
        Self::ApiKeyDeleted,
        Self::RoleCreated,
        Self::RoleUpdated,
        Self::RoleDeleted,
        Self::RoleAssignmentCreated,
        Self::RoleAssignmentDeleted,
        Self::ProjectCreated,
        Self::ProjectUpdated,
        Self::ProjectArchived,
        Self::CertificateCreated,
        Self::CertificateUpdated,
        Self::CertificateDeleted,
        Self::CertificatesActivated,
        Self::CertificatesDeactivated,
        Self::ExternalKeyRegistered,
        Self::ExternalKeyRemoved,
        Self::ExternalStorageRegistered,
        Self::ExternalStorageRemoved,
        Self::WorkloadIdentityProviderCreated,
        Self::WorkloadIdentityProviderDeleted,
        Self::WorkloadIdentityProviderUpdated,
        Self::WorkloadIdentityProviderMappingCreated,
        Self::WorkloadIdentityProviderMappingUpdated,
        Self::WorkloadIdentityProviderMappingDeleted,
        Self::InviteSent,
        Self::InviteAccepted,
        Self::InviteDeleted,
        Self::ServiceAccountCreated,
        Self::ServiceAccountUpdated,
        Self::ServiceAccountDeleted,
        Self::SpendLimitUpdated,
        Self::SpendLimitDeleted,
        Self::DataRetentionUpdated,
        Self::ModelPermissionsUpdated,
        Self::ModelPermissionsDeleted,
        Self::HostedToolPermissionsUpdated,
        Self::ServiceTierSettingsUpdated,
        Self::ProjectUserAdded,
        Self::ProjectUserRemoved,
        Self::ProjectGroupAdded,
        Self::ProjectGroupRemoved,
        Self::RateLimitUpdated,
        Self::SpendAlertCreated,
        Self::SpendAlertUpdated,
        Self::SpendAlertDeleted,
    ];

    /// Whether it is an event of a tenant, which `tenant_only` asks for.
    pub fn is_of_tenant(&self) -> bool {
        matches!(self, Self::RoleBoundToResource | Self::RoleUnboundFromResource)
            || self.as_str().starts_with("tenant.")
    }

    /// Whether only our server has it: the published list has no event for the users of an organization's group, none
    /// for an organization that is created, and none for most settings.
    pub fn is_extension(&self) -> bool {
        matches!(
            self,
            Self::OrganizationCreated
                | Self::GroupUserAdded
                | Self::GroupUserRemoved
                | Self::SpendAlertCreated
                | Self::SpendAlertUpdated
                | Self::SpendAlertDeleted
                | Self::SpendLimitUpdated
                | Self::SpendLimitDeleted
                | Self::DataRetentionUpdated
                | Self::ModelPermissionsUpdated
                | Self::ModelPermissionsDeleted
                | Self::HostedToolPermissionsUpdated
                | Self::ServiceTierSettingsUpdated
                | Self::ProjectUserAdded
                | Self::ProjectUserRemoved
                | Self::ProjectGroupAdded
                | Self::ProjectGroupRemoved
        )
    }
}
