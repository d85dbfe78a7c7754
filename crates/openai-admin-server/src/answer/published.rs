//! The operations of the published description, by tag: method, path and id.

use openai_admin::{
    Method::{self, Delete, Get, Post},
    wire::match_path,
};

/// An operation of the published description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PublishedOperation {
    /// The operation id.
    pub id: &'static str,
    /// The HTTP method.
    pub method: Method,
    /// The path, relative to the base URL.
    pub path: &'static str,
    /// The tag. Eleven operations are published without one; theirs is assigned here.
    pub tag: &'static str,
}

impl PublishedOperation {
    /// All 143 operations, by tag. Those about groups come first.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().flat_map(|(tag, operations)| {
            operations.iter().map(|(method, path, id)| Self { id, method: *method, path, tag })
        })
    }

    /// The operations at a URL's path, relative to the base. Literal segments take precedence over placeholders, as in
    /// every router.
    pub fn at(path: &str) -> Vec<Self> {
        let named = || Self::all().filter(|operation| match_path(operation.path, path).is_some());
        let nearest = named().min_by_key(|operation| operation.path.matches('{').count());
        named().filter(|operation| nearest.is_some_and(|nearest| nearest.path == operation.path)).collect()
    }
}

type Operations = &'static [(Method, &'static str, &'static str)];

#[rustfmt::skip] // One line for each operation.
const TABLE: &[(&str, Operations)] = &[
    ("Groups", &[
        (Get, "/organization/groups", "list-groups"),
        (Post, "/organization/groups", "create-group"),
        (Get, "/organization/groups/{group_id}", "retrieve-group"),
        (Post, "/organization/groups/{group_id}", "update-group"),
        (Delete, "/organization/groups/{group_id}", "delete-group"),
    ]),
    ("Group users", &[
        (Get, "/organization/groups/{group_id}/users", "list-group-users"),
        (Post, "/organization/groups/{group_id}/users", "add-group-user"),
        (Get, "/organization/groups/{group_id}/users/{user_id}", "retrieve-group-user"),
        (Delete, "/organization/groups/{group_id}/users/{user_id}", "remove-group-user"),
    ]),
    ("Users", &[
        (Get, "/organization/users", "list-users"),
        (Get, "/organization/users/{user_id}", "retrieve-user"),
        (Post, "/organization/users/{user_id}", "modify-user"),
        (Delete, "/organization/users/{user_id}", "delete-user"),
    ]),
    ("Audit Logs", &[
        (Get, "/organization/audit_logs", "list-audit-logs"),
    ]),
    ("Group organization role assignments", &[
        (Get, "/organization/groups/{group_id}/roles", "list-group-role-assignments"),
        (Post, "/organization/groups/{group_id}/roles", "assign-group-role"),
        (Get, "/organization/groups/{group_id}/roles/{role_id}", "retrieve-group-role"),
        (Delete, "/organization/groups/{group_id}/roles/{role_id}", "unassign-group-role"),
    ]),
    ("User organization role assignments", &[
        (Get, "/organization/users/{user_id}/roles", "list-user-role-assignments"),
        (Post, "/organization/users/{user_id}/roles", "assign-user-role"),
        (Get, "/organization/users/{user_id}/roles/{role_id}", "retrieve-user-role"),
        (Delete, "/organization/users/{user_id}/roles/{role_id}", "unassign-user-role"),
    ]),
    ("Roles", &[
        (Get, "/organization/roles", "list-roles"),
        (Post, "/organization/roles", "create-role"),
        (Get, "/organization/roles/{role_id}", "retrieve-role"),
        (Post, "/organization/roles/{role_id}", "update-role"),
        (Delete, "/organization/roles/{role_id}", "delete-role"),
        (Get, "/projects/{project_id}/roles", "list-project-roles"),
        (Post, "/projects/{project_id}/roles", "create-project-role"),
        (Get, "/projects/{project_id}/roles/{role_id}", "retrieve-project-role"),
        (Post, "/projects/{project_id}/roles/{role_id}", "update-project-role"),
        (Delete, "/projects/{project_id}/roles/{role_id}", "delete-project-role"),
    ]),
    ("Invites", &[
        (Get, "/organization/invites", "list-invites"),
        (Post, "/organization/invites", "inviteUser"),
        (Get, "/organization/invites/{invite_id}", "retrieve-invite"),
        (Delete, "/organization/invites/{invite_id}", "delete-invite"),
    ]),
    ("Admin API keys", &[
        (Get, "/organization/admin_api_keys", "admin-api-keys-list"),
        (Post, "/organization/admin_api_keys", "admin-api-keys-create"),
        (Get, "/organization/admin_api_keys/{key_id}", "admin-api-keys-get"),
        (Delete, "/organization/admin_api_keys/{key_id}", "admin-api-keys-delete"),
    ]),
    ("Projects", &[
        (Get, "/organization/projects", "list-projects"),
        (Post, "/organization/projects", "create-project"),
        (Get, "/organization/projects/{project_id}", "retrieve-project"),
        (Post, "/organization/projects/{project_id}", "modify-project"),
        (Get, "/organization/projects/{project_id}/api_keys", "list-project-api-keys"),
        (Get, "/organization/projects/{project_id}/api_keys/{api_key_id}", "retrieve-project-api-key"),
        (Delete, "/organization/projects/{project_id}/api_keys/{api_key_id}", "delete-project-api-key"),
        (Post, "/organization/projects/{project_id}/api_keys/{api_key_id}", "update-project-api-key"),
        (Post, "/organization/projects/{project_id}/archive", "archive-project"),
        (Get, "/organization/projects/{project_id}/model_permissions", "retrieve-project-model-permissions"),
        (Post, "/organization/projects/{project_id}/model_permissions", "update-project-model-permissions"),
        (Delete, "/organization/projects/{project_id}/model_permissions", "delete-project-model-permissions"),
        (Get, "/organization/projects/{project_id}/rate_limits", "list-project-rate-limits"),
        (Post, "/organization/projects/{project_id}/rate_limits/{rate_limit_id}", "update-project-rate-limits"),
        (Get, "/organization/projects/{project_id}/service_accounts", "list-project-service-accounts"),
        (Post, "/organization/projects/{project_id}/service_accounts", "create-project-service-account"),
        (Get, "/organization/projects/{project_id}/service_accounts/{service_account_id}", "retrieve-project-service-account"),
        (Post, "/organization/projects/{project_id}/service_accounts/{service_account_id}", "update-project-service-account"),
        (Delete, "/organization/projects/{project_id}/service_accounts/{service_account_id}", "delete-project-service-account"),
        (Get, "/organization/projects/{project_id}/users", "list-project-users"),
        (Post, "/organization/projects/{project_id}/users", "create-project-user"),
        (Get, "/organization/projects/{project_id}/users/{user_id}", "retrieve-project-user"),
        (Post, "/organization/projects/{project_id}/users/{user_id}", "modify-project-user"),
        (Delete, "/organization/projects/{project_id}/users/{user_id}", "delete-project-user"),
        (Post, "/organization/projects/{project_id}/service_accounts/{service_account_id}/api_keys", "CreateanAPIkeyforaserviceaccount"),
    ]),
    ("Project groups", &[
        (Get, "/organization/projects/{project_id}/groups", "list-project-groups"),
        (Post, "/organization/projects/{project_id}/groups", "add-project-group"),
        (Get, "/organization/projects/{project_id}/groups/{group_id}", "retrieve-project-group"),
        (Delete, "/organization/projects/{project_id}/groups/{group_id}", "remove-project-group"),
    ]),
    ("Project group role assignments", &[
        (Get, "/projects/{project_id}/groups/{group_id}/roles", "list-project-group-role-assignments"),
        (Post, "/projects/{project_id}/groups/{group_id}/roles", "assign-project-group-role"),
        (Get, "/projects/{project_id}/groups/{group_id}/roles/{role_id}", "retrieve-project-group-role"),
        (Delete, "/projects/{project_id}/groups/{group_id}/roles/{role_id}", "unassign-project-group-role"),
    ]),
    ("Project user role assignments", &[
        (Get, "/projects/{project_id}/users/{user_id}/roles", "list-project-user-role-assignments"),
        (Post, "/projects/{project_id}/users/{user_id}/roles", "assign-project-user-role"),
        (Get, "/projects/{project_id}/users/{user_id}/roles/{role_id}", "retrieve-project-user-role"),
        (Delete, "/projects/{project_id}/users/{user_id}/roles/{role_id}", "unassign-project-user-role"),
    ]),
    ("Certificates", &[
        (Get, "/organization/certificates", "listOrganizationCertificates"),
        (Post, "/organization/certificates", "uploadCertificate"),
        (Post, "/organization/certificates/activate", "activateOrganizationCertificates"),
        (Post, "/organization/certificates/deactivate", "deactivateOrganizationCertificates"),
        (Get, "/organization/certificates/{certificate_id}", "getCertificate"),
        (Post, "/organization/certificates/{certificate_id}", "modifyCertificate"),
        (Delete, "/organization/certificates/{certificate_id}", "deleteCertificate"),
        (Get, "/organization/projects/{project_id}/certificates", "listProjectCertificates"),
        (Post, "/organization/projects/{project_id}/certificates/activate", "activateProjectCertificates"),
        (Post, "/organization/projects/{project_id}/certificates/deactivate", "deactivateProjectCertificates"),
    ]),
    ("Data retention", &[
        (Get, "/organization/data_retention", "retrieve-organization-data-retention"),
        (Post, "/organization/data_retention", "update-organization-data-retention"),
        (Get, "/organization/projects/{project_id}/data_retention", "retrieve-project-data-retention"),
        (Post, "/organization/projects/{project_id}/data_retention", "update-project-data-retention"),
    ]),
    ("Hosted tools", &[
        (Get, "/organization/projects/{project_id}/hosted_tool_permissions", "retrieve-project-hosted-tool-permissions"),
        (Post, "/organization/projects/{project_id}/hosted_tool_permissions", "update-project-hosted-tool-permissions"),
    ]),
    ("Spend alerts", &[
        (Get, "/organization/projects/{project_id}/spend_alerts", "list-project-spend-alerts"),
        (Post, "/organization/projects/{project_id}/spend_alerts", "create-project-spend-alert"),
        (Get, "/organization/projects/{project_id}/spend_alerts/{alert_id}", "retrieve-project-spend-alert"),
        (Post, "/organization/projects/{project_id}/spend_alerts/{alert_id}", "update-project-spend-alert"),
        (Delete, "/organization/projects/{project_id}/spend_alerts/{alert_id}", "delete-project-spend-alert"),
        (Get, "/organization/spend_alerts", "list-organization-spend-alerts"),
        (Post, "/organization/spend_alerts", "create-organization-spend-alert"),
        (Get, "/organization/spend_alerts/{alert_id}", "retrieve-organization-spend-alert"),
        (Post, "/organization/spend_alerts/{alert_id}", "update-organization-spend-alert"),
        (Delete, "/organization/spend_alerts/{alert_id}", "delete-organization-spend-alert"),
    ]),
    ("Spend limits", &[
        (Get, "/organization/spend_limit", "Getorganizationspendlimit"),
        (Post, "/organization/spend_limit", "Updateorganizationspendlimit"),
        (Delete, "/organization/spend_limit", "Deleteorganizationspendlimit"),
        (Get, "/organization/projects/{project_id}/spend_limit", "Getprojectspendlimit"),
        (Delete, "/organization/projects/{project_id}/spend_limit", "Deleteprojectspendlimit"),
        (Post, "/organization/projects/{project_id}/spend_limit", "Updateprojectspendlimit"),
    ]),
    ("External keys", &[
        (Get, "/organization/external_keys", "list-external-keys"),
        (Post, "/organization/external_keys", "create-external-key"),
        (Get, "/organization/external_keys/{external_key_id}", "retrieve-external-key"),
        (Delete, "/organization/external_keys/{external_key_id}", "delete-external-key"),
        (Post, "/organization/external_keys/{external_key_id}/validate", "validate-external-key"),
    ]),
    ("External storage", &[
        (Get, "/organization/external_storage", "list-external-storage"),
        (Post, "/organization/external_storage", "create-external-storage"),
        (Get, "/organization/external_storage/{external_storage_id}", "retrieve-external-storage"),
        (Delete, "/organization/external_storage/{external_storage_id}", "delete-external-storage"),
        (Post, "/organization/external_storage/{external_storage_id}/validate", "validate-external-storage"),
    ]),
    ("Workload identity", &[
        (Get, "/organization/workload_identity_providers", "list-workload-identity-providers"),
        (Post, "/organization/workload_identity_providers", "create-workload-identity-provider"),
        (Get, "/organization/workload_identity_providers/{workload_identity_provider_id}", "retrieve-workload-identity-provider"),
        (Post, "/organization/workload_identity_providers/{workload_identity_provider_id}", "update-workload-identity-provider"),
        (Delete, "/organization/workload_identity_providers/{workload_identity_provider_id}", "delete-workload-identity-provider"),
        (Get, "/organization/workload_identity_providers/{workload_identity_provider_id}/federation_rules", "list-federation-rules"),
        (Post, "/organization/workload_identity_providers/{workload_identity_provider_id}/federation_rules", "create-federation-rule"),
        (Get, "/organization/workload_identity_providers/{workload_identity_provider_id}/federation_rules/{workload_identity_federation_rule_id}", "retrieve-federation-rule"),
        (Post, "/organization/workload_identity_providers/{workload_identity_provider_id}/federation_rules/{workload_identity_federation_rule_id}", "update-federation-rule"),
        (Delete, "/organization/workload_identity_providers/{workload_identity_provider_id}/federation_rules/{workload_identity_federation_rule_id}", "delete-federation-rule"),
    ]),
    ("Service tiers", &[
        (Get, "/organization/projects/{project_id}/service_tier_settings", "retrieve-project-service-tier-settings"),
        (Post, "/organization/projects/{project_id}/service_tier_settings", "update-project-service-tier-settings"),
    ]),
    ("Usage", &[
        (Get, "/organization/costs", "usage-costs"),
        (Get, "/organization/usage/audio_speeches", "usage-audio-speeches"),
        (Get, "/organization/usage/audio_transcriptions", "usage-audio-transcriptions"),
        (Get, "/organization/usage/code_interpreter_sessions", "usage-code-interpreter-sessions"),
        (Get, "/organization/usage/completions", "usage-completions"),
        (Get, "/organization/usage/decisions", "usage-decisions"),
        (Get, "/organization/usage/embeddings", "usage-embeddings"),
        (Get, "/organization/usage/file_search_calls", "usage-file-search-calls"),
        (Get, "/organization/usage/images", "usage-images"),
        (Get, "/organization/usage/moderations", "usage-moderations"),
        (Get, "/organization/usage/vector_stores", "usage-vector-stores"),
        (Get, "/organization/usage/web_search_calls", "usage-web-search-calls"),
    ]),
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_published_operation_is_in_the_table_once() {
        let ids: HashSet<&str> = PublishedOperation::all().map(|operation| operation.id).collect();
        let routes: HashSet<_> =
            PublishedOperation::all().map(|operation| (operation.method, operation.path)).collect();
        assert_eq!((PublishedOperation::all().count(), ids.len(), routes.len()), (143, 143, 143));
    }

    #[test]
    fn literal_segments_take_precedence_over_placeholders() {
        let ids =
            |path| PublishedOperation::at(path).iter().map(|operation| operation.id).collect::<Vec<_>>();
        assert_eq!(ids("/organization/roles"), ["list-roles", "create-role"]);
        assert_eq!(ids("/organization/certificates/activate"), ["activateOrganizationCertificates"]);
        assert_eq!(ids("/organization/certificates/cert_1").len(), 3);
        for nothing in
            ["", "/", "/organization/roles/", "/organization//roles", "/organization/roles/a/b", "/projects"]
        {
            assert!(ids(nothing).is_empty(), "{nothing}");
        }
    }
}
