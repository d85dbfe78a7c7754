//! The operations: one file for each resource, with its requests and its models.
//!
//! A file here declares a whole resource. The files with the same name elsewhere store it, serve it and add it to the
//! command line.

pub mod access;
pub mod admin_api_keys;
pub mod audit_logs;
pub mod certificates;
pub mod counts;
pub mod data_retention;
pub mod external_keys;
pub mod external_storage;
pub mod federation_rules;
pub mod group_roles;
pub mod group_users;
pub mod groups;
pub mod hosted_tools;
pub mod invites;
pub mod model_permissions;
pub mod names;
pub mod project_api_keys;
pub mod project_certificates;
pub mod project_group_roles;
pub mod project_groups;
pub mod project_roles;
pub mod project_user_roles;
pub mod project_users;
pub mod projects;
pub mod rate_limits;
mod record;
pub mod role_assignments;
pub mod roles;
pub mod search;
pub mod service_accounts;
pub mod service_tiers;
pub mod spend_alerts;
pub mod spend_limits;
pub mod usage;
pub mod user_roles;
pub mod users;
pub mod workload_identity_providers;

pub use access::{CheckAccess, ListPermissionUsers, RetrieveUserAccess};
pub use admin_api_keys::{CreateAdminApiKey, DeleteAdminApiKey, ListAdminApiKeys, RetrieveAdminApiKey};
pub use audit_logs::ListAuditLogs;
pub use certificates::{
    ActivateOrganizationCertificates, DeactivateOrganizationCertificates, DeleteCertificate, GetCertificate,
    ListOrganizationCertificates, ModifyCertificate, UploadCertificate,
};
pub use counts::RetrieveCounts;
pub use data_retention::{
    RetrieveOrganizationDataRetention, RetrieveProjectDataRetention, UpdateOrganizationDataRetention,
    UpdateProjectDataRetention,
};
pub use external_keys::{
    CreateExternalKey, DeleteExternalKey, ListExternalKeys, RetrieveExternalKey, ValidateExternalKey,
};
pub use external_storage::{
    CreateExternalStorage, DeleteExternalStorage, ListExternalStorage, RetrieveExternalStorage,
    ValidateExternalStorage,
};
pub use federation_rules::{
    CreateFederationRule, DeleteFederationRule, ListFederationRules, RetrieveFederationRule,
    UpdateFederationRule,
};
pub use group_roles::{AssignGroupRole, ListGroupRoleAssignments, RetrieveGroupRole, UnassignGroupRole};
pub use group_users::{AddGroupUser, ListGroupUsers, RemoveGroupUser, RetrieveGroupUser};
pub use groups::{CreateGroup, DeleteGroup, ListGroups, RetrieveGroup, UpdateGroup};
pub use hosted_tools::{RetrieveProjectHostedToolPermissions, UpdateProjectHostedToolPermissions};
pub use invites::{AcceptInvite, DeleteInvite, InviteUser, ListInvites, RetrieveInvite};
pub use model_permissions::{
    DeleteProjectModelPermissions, RetrieveProjectModelPermissions, UpdateProjectModelPermissions,
};
pub use names::LookUpNames;
pub use project_api_keys::{
    DeleteProjectApiKey, ListProjectApiKeys, RetrieveProjectApiKey, UpdateProjectApiKey,
};
pub use project_certificates::{
    ActivateProjectCertificates, DeactivateProjectCertificates, ListProjectCertificates,
};
pub use project_group_roles::{
    AssignProjectGroupRole, ListProjectGroupRoleAssignments, RetrieveProjectGroupRole,
    UnassignProjectGroupRole,
};
pub use project_groups::{AddProjectGroup, ListProjectGroups, RemoveProjectGroup, RetrieveProjectGroup};
pub use project_roles::{
    CreateProjectRole, DeleteProjectRole, ListProjectRoles, RetrieveProjectRole, UpdateProjectRole,
};
pub use project_user_roles::{
    AssignProjectUserRole, ListProjectUserRoleAssignments, RetrieveProjectUserRole, UnassignProjectUserRole,
};
pub use project_users::{
    CreateProjectUser, DeleteProjectUser, ListProjectUsers, ModifyProjectUser, RetrieveProjectUser,
};
pub use projects::{ArchiveProject, CreateProject, ListProjects, ModifyProject, RetrieveProject};
pub use rate_limits::{ListProjectRateLimits, UpdateProjectRateLimit};
pub use roles::{CreateRole, DeleteRole, ListRoles, RetrieveRole, UpdateRole};
pub use search::{SearchGroupUsers, SearchGroups, SearchUsers};
pub use service_accounts::{
    CreateServiceAccount, CreateServiceAccountApiKey, DeleteServiceAccount, ListServiceAccounts,
    RetrieveServiceAccount, UpdateServiceAccount,
};
pub use service_tiers::{RetrieveProjectServiceTierSettings, UpdateProjectServiceTierSettings};
pub use spend_alerts::{
    CreateOrganizationSpendAlert, CreateProjectSpendAlert, DeleteOrganizationSpendAlert,
    DeleteProjectSpendAlert, ListOrganizationSpendAlerts, ListProjectSpendAlerts,
    RetrieveOrganizationSpendAlert, RetrieveProjectSpendAlert, UpdateOrganizationSpendAlert,
    UpdateProjectSpendAlert,
};
pub use spend_limits::{
    DeleteOrganizationSpendLimit, DeleteProjectSpendLimit, GetOrganizationSpendLimit, GetProjectSpendLimit,
    UpdateOrganizationSpendLimit, UpdateProjectSpendLimit,
};
pub use usage::{
    CreateUsageBatch, UsageAudioSpeeches, UsageAudioTranscriptions, UsageCodeInterpreterSessions,
    UsageCompletions, UsageCosts, UsageDecisions, UsageEmbeddings, UsageFileSearchCalls, UsageImages,
    UsageModerations, UsageVectorStores, UsageWebSearchCalls,
};
pub use user_roles::{AssignUserRole, ListUserRoleAssignments, RetrieveUserRole, UnassignUserRole};
pub use users::{CreateUser, DeleteUser, ListUserGroups, ListUsers, ModifyUser, RetrieveUser};
pub use workload_identity_providers::{
    CreateWorkloadIdentityProvider, DeleteWorkloadIdentityProvider, ListWorkloadIdentityProviders,
    RetrieveWorkloadIdentityProvider, UpdateWorkloadIdentityProvider,
};

/// Calls `$visit!` with the names of all served operations. Tests and tables use this list. Move a name here from
/// [`for_each_declared_operation!`](crate::for_each_declared_operation) when its handler exists.
#[macro_export]
macro_rules! for_each_operation {
    ($visit:ident) => {
        $visit! {
            ListGroups CreateGroup RetrieveGroup UpdateGroup DeleteGroup
            ListGroupUsers AddGroupUser RetrieveGroupUser RemoveGroupUser
            ListUsers RetrieveUser ModifyUser DeleteUser
            CreateUser ListUserGroups
            RetrieveUserAccess ListPermissionUsers CheckAccess
            ListAuditLogs LookUpNames RetrieveCounts
            SearchUsers SearchGroups SearchGroupUsers
            ListRoles CreateRole RetrieveRole UpdateRole DeleteRole
            ListGroupRoleAssignments AssignGroupRole RetrieveGroupRole UnassignGroupRole
            ListUserRoleAssignments AssignUserRole RetrieveUserRole UnassignUserRole
            ListProjects CreateProject RetrieveProject ModifyProject ArchiveProject
            UsageCompletions CreateUsageBatch
            UsageAudioSpeeches UsageAudioTranscriptions UsageCodeInterpreterSessions UsageCosts UsageDecisions UsageEmbeddings
            UsageFileSearchCalls UsageImages UsageModerations UsageVectorStores UsageWebSearchCalls
            ListOrganizationCertificates UploadCertificate GetCertificate ModifyCertificate DeleteCertificate
            ActivateOrganizationCertificates DeactivateOrganizationCertificates
            ListProjectCertificates ActivateProjectCertificates DeactivateProjectCertificates
            ListAdminApiKeys CreateAdminApiKey RetrieveAdminApiKey DeleteAdminApiKey
            ListInvites InviteUser RetrieveInvite DeleteInvite AcceptInvite
            ListServiceAccounts CreateServiceAccount RetrieveServiceAccount UpdateServiceAccount DeleteServiceAccount
            ListProjectApiKeys RetrieveProjectApiKey DeleteProjectApiKey
            CreateServiceAccountApiKey UpdateProjectApiKey
            GetOrganizationSpendLimit UpdateOrganizationSpendLimit DeleteOrganizationSpendLimit
            GetProjectSpendLimit UpdateProjectSpendLimit DeleteProjectSpendLimit
            RetrieveOrganizationDataRetention UpdateOrganizationDataRetention
            RetrieveProjectDataRetention UpdateProjectDataRetention
            RetrieveProjectModelPermissions UpdateProjectModelPermissions DeleteProjectModelPermissions
            RetrieveProjectHostedToolPermissions UpdateProjectHostedToolPermissions
            RetrieveProjectServiceTierSettings UpdateProjectServiceTierSettings
            ListProjectRateLimits UpdateProjectRateLimit
            ListOrganizationSpendAlerts CreateOrganizationSpendAlert RetrieveOrganizationSpendAlert
            UpdateOrganizationSpendAlert DeleteOrganizationSpendAlert
            ListProjectSpendAlerts CreateProjectSpendAlert RetrieveProjectSpendAlert UpdateProjectSpendAlert
            DeleteProjectSpendAlert
            ListExternalKeys CreateExternalKey RetrieveExternalKey DeleteExternalKey ValidateExternalKey
            ListWorkloadIdentityProviders CreateWorkloadIdentityProvider RetrieveWorkloadIdentityProvider
            UpdateWorkloadIdentityProvider DeleteWorkloadIdentityProvider
            ListExternalStorage CreateExternalStorage RetrieveExternalStorage DeleteExternalStorage
            ValidateExternalStorage
            ListFederationRules CreateFederationRule RetrieveFederationRule UpdateFederationRule
            DeleteFederationRule
            ListProjectUsers CreateProjectUser RetrieveProjectUser ModifyProjectUser DeleteProjectUser
            ListProjectGroups AddProjectGroup RetrieveProjectGroup RemoveProjectGroup
            ListProjectRoles CreateProjectRole RetrieveProjectRole UpdateProjectRole DeleteProjectRole
            ListProjectGroupRoleAssignments AssignProjectGroupRole RetrieveProjectGroupRole UnassignProjectGroupRole
            ListProjectUserRoleAssignments AssignProjectUserRole RetrieveProjectUserRole UnassignProjectUserRole
        }
    };
}

/// Calls `$visit!` with the names of operations that are declared but not served yet.
#[macro_export]
macro_rules! for_each_declared_operation {
    ($visit:ident) => {
        $visit! {}
    };
}
