use super::api::api;
use crate::{
    WorkloadIdentityProviderId,
    models::{CreateWorkloadIdentityProviderBody, UpdateWorkloadIdentityProviderBody},
};

api! {
    /// OIDC issuers whose tokens give access without an API key: list, create, retrieve, update, delete.
    WorkloadIdentityProvidersApi = workload_identity_providers;
    /// Lists the workload identity providers of the organization.
    list list_workload_identity_providers() -> ListWorkloadIdentityProviders {
        /// let providers = client.workload_identity_providers().list_workload_identity_providers().await?;
        /// assert!(providers.data.is_empty());
    }
    /// Registers an OIDC issuer whose tokens the organization trusts.
    call create_workload_identity_provider(; body: CreateWorkloadIdentityProviderBody) -> CreateWorkloadIdentityProvider {
        /// use openai_admin::models::CreateWorkloadIdentityProviderBody;
        /// let body: CreateWorkloadIdentityProviderBody = serde_json::from_value(serde_json::json!({
        ///     "type": "oidc", "name": "CI", "issuer": "https://ci.example.com", "audience": "openai",
        /// }))?;
        /// let provider = client.workload_identity_providers().create_workload_identity_provider(body).await?;
        /// assert!(provider.enabled);
    }
    /// Retrieves a workload identity provider.
    call retrieve_workload_identity_provider(workload_identity_provider_id: WorkloadIdentityProviderId) -> RetrieveWorkloadIdentityProvider {
        /// let providers = client.workload_identity_providers();
        /// let error = providers.retrieve_workload_identity_provider("wip_x").await.unwrap_err();
        /// assert!(error.is_not_found());
    }
    /// Changes a workload identity provider.
    call update_workload_identity_provider(workload_identity_provider_id: WorkloadIdentityProviderId; body: UpdateWorkloadIdentityProviderBody) -> UpdateWorkloadIdentityProvider {
        /// use openai_admin::models::UpdateWorkloadIdentityProviderBody;
        /// let mut body = UpdateWorkloadIdentityProviderBody::new();
        /// body.enabled = Some(false);
        /// let providers = client.workload_identity_providers();
        /// let error = providers.update_workload_identity_provider("wip_x", body).await.unwrap_err();
        /// assert!(error.is_not_found());
    }
    /// Deletes a workload identity provider.
    call delete_workload_identity_provider(workload_identity_provider_id: WorkloadIdentityProviderId) -> DeleteWorkloadIdentityProvider {
        /// let providers = client.workload_identity_providers();
        /// let error = providers.delete_workload_identity_provider("wip_x").await.unwrap_err();
        /// assert!(error.is_not_found());
    }
}
