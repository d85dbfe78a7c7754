use super::api::api;
use crate::{
    FederationRuleId, WorkloadIdentityProviderId,
    models::{CreateFederationRuleBody, UpdateFederationRuleBody},
};

api! {
    /// Rules that bind the tokens of a provider to a service account: list, create, retrieve, update, delete.
    FederationRulesApi = federation_rules;
    /// Lists the federation rules of a provider.
    list list_federation_rules(workload_identity_provider_id: WorkloadIdentityProviderId) -> ListFederationRules {
        /// let error = client.federation_rules().list_federation_rules("wip_x").await.unwrap_err();
        /// assert!(error.is_not_found());
    }
    /// Binds tokens of a provider to a service account of a project.
    call create_federation_rule(workload_identity_provider_id: WorkloadIdentityProviderId; body: CreateFederationRuleBody) -> CreateFederationRule {
        /// use openai_admin::models::CreateFederationRuleBody;
        /// let body: CreateFederationRuleBody = serde_json::from_value(serde_json::json!({
        ///     "project_id": "proj_1", "service_account_id": "svc_acct_x", "attribute_matchers": { "sub": "main" },
        /// }))?;
        /// let error = client.federation_rules().create_federation_rule("wip_x", body).await.unwrap_err();
        /// assert!(error.is_not_found());
    }
    /// Retrieves a federation rule.
    call retrieve_federation_rule(workload_identity_provider_id: WorkloadIdentityProviderId, workload_identity_federation_rule_id: FederationRuleId) -> RetrieveFederationRule {
        /// let error = client.federation_rules().retrieve_federation_rule("wip_x", "wifr_x").await.unwrap_err();
        /// assert!(error.is_not_found());
    }
    /// Changes a federation rule.
    call update_federation_rule(workload_identity_provider_id: WorkloadIdentityProviderId, workload_identity_federation_rule_id: FederationRuleId; body: UpdateFederationRuleBody) -> UpdateFederationRule {
        /// use openai_admin::models::UpdateFederationRuleBody;
        /// let mut body = UpdateFederationRuleBody::new();
        /// body.enabled = Some(false);
        /// let error = client.federation_rules().update_federation_rule("wip_x", "wifr_x", body).await.unwrap_err();
        /// assert!(error.is_not_found());
    }
    /// Deletes a federation rule.
    call delete_federation_rule(workload_identity_provider_id: WorkloadIdentityProviderId, workload_identity_federation_rule_id: FederationRuleId) -> DeleteFederationRule {
        /// let error = client.federation_rules().delete_federation_rule("wip_x", "wifr_x").await.unwrap_err();
        /// assert!(error.is_not_found());
    }
}
