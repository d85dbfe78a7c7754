use super::api::api;
use crate::{ApiKeyId, ProjectId, models::UpdateProjectApiKeyBody};

api! {
    /// API keys of a project: list, retrieve, update, delete. A key is created with its service account.
    ProjectApiKeysApi = project_api_keys;
    /// Lists the API keys in a project. A page has 20 by default.
    list list_project_api_keys(project_id: ProjectId) -> ListProjectApiKeys {
        /// # let body = openai_admin::models::ProjectServiceAccountCreateRequest::new("Nightly".try_into()?);
        /// # client.service_accounts().create_service_account("proj_1", body).await?;
        /// let keys = client.project_api_keys().list_project_api_keys("proj_1").items().try_collect().await?;
        /// assert_eq!(keys[0].name, "Secret Key");
    }
    /// Retrieves an API key.
    call retrieve_project_api_key(project_id: ProjectId, api_key_id: ApiKeyId) -> RetrieveProjectApiKey {
        /// # let body = openai_admin::models::ProjectServiceAccountCreateRequest::new("Nightly".try_into()?);
        /// # client.service_accounts().create_service_account("proj_1", body).await?;
        /// # let id = client.project_api_keys().list_project_api_keys("proj_1").await?.data[0].id.clone();
        /// let key = client.project_api_keys().retrieve_project_api_key("proj_1", &id).await?;
        /// assert!(key.redacted_value.starts_with("sk-svcac"));
    }
    /// Changes the scopes or the expiry of an API key.
    call update_project_api_key(
        project_id: ProjectId,
        api_key_id: ApiKeyId;
        body: UpdateProjectApiKeyBody
    ) -> UpdateProjectApiKey {
        /// # let body = openai_admin::models::ProjectServiceAccountCreateRequest::new("Nightly".try_into()?);
        /// # client.service_accounts().create_service_account("proj_1", body).await?;
        /// # let id = client.project_api_keys().list_project_api_keys("proj_1").await?.data[0].id.clone();
        /// let mut body = openai_admin::models::UpdateProjectApiKeyBody::new();
        /// body.expires_in_seconds = Some(3600.try_into()?);
        /// let key = client.project_api_keys().update_project_api_key("proj_1", &id, body).await?;
        /// assert!(key.expires_at.is_some());
    }
    /// Deletes an API key, also the key of a service account. The service account stays.
    call delete_project_api_key(project_id: ProjectId, api_key_id: ApiKeyId) -> DeleteProjectApiKey {
        /// # let body = openai_admin::models::ProjectServiceAccountCreateRequest::new("Nightly".try_into()?);
        /// # client.service_accounts().create_service_account("proj_1", body).await?;
        /// # let id = client.project_api_keys().list_project_api_keys("proj_1").await?.data[0].id.clone();
        /// assert!(client.project_api_keys().delete_project_api_key("proj_1", &id).await?.deleted);
    }
}
