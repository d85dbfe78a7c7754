//! The models, under the names of the published schemas.

pub use crate::operations::{
    access::{
        AccessCheck, AccessCheckListResource, AccessCheckResult, AccessPath, CheckAccessBody,
        PermissionAccess, PermissionUser, PermissionUserListResource, UserAccess,
    },
    admin_api_keys::{
        AdminApiKey, AdminApiKeyCreateResponse, AdminApiKeyDeleteResponse, AdminApiKeyListResponse,
        AdminApiKeyOwner, CreateAdminApiKeyBody,
    },
    audit_logs::{
        AuditLog, AuditLogActor, AuditLogActorApiKey, AuditLogActorServiceAccount, AuditLogActorSession,
        AuditLogActorUser, AuditLogCertificate, AuditLogDetail, AuditLogPayload, AuditLogProject,
        ListAuditLogsResponse, OtherFields, TimeRange,
    },
    certificates::{
        Certificate, CertificateDetails, CertificateValidity, DeleteCertificateResponse,
        ListCertificatesResponse, ModifyCertificateRequest, OrganizationCertificate,
        OrganizationCertificateActivationResponse, OrganizationCertificateDeactivationResponse,
        ToggleCertificatesRequest, UploadCertificateRequest,
    },
    counts::{Count, Counts},
    data_retention::{
        OrganizationDataRetention, ProjectDataRetention, UpdateOrganizationDataRetentionBody,
        UpdateProjectDataRetentionBody,
    },
    external_keys::{
        CreateExternalKeyBody, ExternalKey, ExternalKeyListResource, ExternalKeyValidateResponse,
    },
    external_storage::{
        CreateExternalStorageBody, ExternalStorage, ExternalStorageDeletedResource,
        ExternalStorageListResource, ExternalStorageProvider, ExternalStorageProviderParams,
    },
    federation_rules::{
        AttributeMatchers, AttributeValue, CreateFederationRuleBody, FederationRule,
        FederationRuleDeletedResource, FederationRuleListResource, FederationRulePermissions,
        UpdateFederationRuleBody,
    },
    group_roles::{Group, GroupRoleAssignment},
    group_users::{
        CreateGroupUserBody, GroupMemberUser, GroupUser, GroupUserAssignment, GroupUserDeletedResource,
        UserListResource,
    },
    groups::{
        CreateGroupBody, GroupDeletedResource, GroupListResource, GroupResourceWithSuccess, GroupResponse,
        UpdateGroupBody,
    },
    hosted_tools::{
        HostedToolPermission, ProjectHostedToolPermissions, ProjectHostedToolPermissionsUpdateRequest,
    },
    invites::{
        AcceptInviteBody, Invite, InviteDeleteResponse, InviteListResponse, InviteProject, InviteRequest,
    },
    model_permissions::{
        ProjectModelPermissions, ProjectModelPermissionsDeleteResponse, ProjectModelPermissionsUpdateRequest,
    },
    names::{LookUpNamesBody, NameListResource, NamedResource},
    project_api_keys::{
        ProjectApiKey, ProjectApiKeyDeleteResponse, ProjectApiKeyListResponse, ProjectApiKeyOwner,
        ProjectApiKeyOwnerServiceAccount, ProjectApiKeyOwnerUser, UpdateProjectApiKeyBody,
    },
    project_certificates::{
        ListProjectCertificatesResponse, OrganizationProjectCertificate,
        OrganizationProjectCertificateActivationResponse, OrganizationProjectCertificateDeactivationResponse,
    },
    project_groups::{
        InviteProjectGroupBody, ProjectGroup, ProjectGroupDeletedResource, ProjectGroupListResource,
    },
    project_users::{
        ProjectUser, ProjectUserCreateRequest, ProjectUserDeleteResponse, ProjectUserListResponse,
        ProjectUserUpdateRequest,
    },
    projects::{Project, ProjectCreateRequest, ProjectListResponse, ProjectUpdateRequest},
    rate_limits::{ProjectRateLimit, ProjectRateLimitListResponse, ProjectRateLimitUpdateRequest},
    role_assignments::{
        AssignedRoleDetails, AssignmentSource, DeletedRoleAssignmentResource,
        PublicAssignOrganizationGroupRoleBody, RoleListResource,
    },
    roles::{
        PublicCreateOrganizationRoleBody, PublicRoleListResource, PublicUpdateOrganizationRoleBody, Role,
        RoleDeletedResource,
    },
    search::UserSearchResource,
    service_accounts::{
        CreateProjectServiceAccountApiKeyBody, ProjectServiceAccount, ProjectServiceAccountApiKey,
        ProjectServiceAccountCreateRequest, ProjectServiceAccountCreateResponse,
        ProjectServiceAccountDeleteResponse, ProjectServiceAccountListResponse, ServiceAccountApiKeyBody,
        UpdateProjectServiceAccountBody,
    },
    service_tiers::{EnabledServiceTiers, ProjectServiceTierSettings, UpdateProjectServiceTierSettingsBody},
    spend_alerts::{
        CreateSpendAlertBody, OrganizationSpendAlert, OrganizationSpendAlertDeletedResource,
        OrganizationSpendAlertListResource, ProjectSpendAlert, ProjectSpendAlertDeletedResource,
        ProjectSpendAlertListResource, SpendAlertNotificationChannel,
    },
    spend_limits::{
        OrganizationSpendLimitDeletedResource, OrganizationSpendLimitResource,
        ProjectSpendLimitDeletedResource, ProjectSpendLimitResource, SpendLimitEnforcement,
        UpdateOrganizationSpendLimitBody, UpdateProjectSpendLimitBody,
    },
    usage::{
        AudioSpeechesUsageRecord, AudioTranscriptionsUsageRecord, BucketWidth,
        CodeInterpreterSessionsUsageRecord, CompletionsUsageRecord, Cost, CostsBucketWidth, CostsGroupBy,
        CostsResult, CostsUsageRecord, CreateUsageBatchBody, DecisionsUsageRecord, EmbeddingsUsageRecord,
        FileSearchCallsUsageRecord, ImageSize, ImageSource, ImagesUsageRecord, ModerationsUsageRecord,
        SearchContextLevel, UsageAudioSpeechesGroupBy, UsageAudioSpeechesResult,
        UsageAudioTranscriptionsGroupBy, UsageAudioTranscriptionsResult, UsageBatch, UsageBucket,
        UsageCodeInterpreterSessionsGroupBy, UsageCodeInterpreterSessionsResult, UsageCompletionsGroupBy,
        UsageCompletionsResult, UsageDecisionsGroupBy, UsageDecisionsResult, UsageEmbeddingsGroupBy,
        UsageEmbeddingsResult, UsageFileSearchCallsGroupBy, UsageFileSearchCallsResult, UsageImagesGroupBy,
        UsageImagesResult, UsageLine, UsageModerationsGroupBy, UsageModerationsResult, UsagePage,
        UsageVectorStoresGroupBy, UsageVectorStoresResult, UsageWebSearchCallsGroupBy,
        UsageWebSearchCallsResult, VectorStoresUsageRecord, WebSearchCallsUsageRecord,
    },
    user_roles::UserRoleAssignment,
    users::{CreateUserBody, User, UserDeleteResponse, UserListResponse, UserRoleUpdateRequest},
    workload_identity_providers::{
        CreateWorkloadIdentityProviderBody, UpdateWorkloadIdentityProviderBody,
        WorkloadIdentityAttributeTransformation, WorkloadIdentityProvider,
        WorkloadIdentityProviderDeletedResource, WorkloadIdentityProviderListResource,
        WorkloadIdentityVerification,
    },
};
