use super::api::api;
use crate::{
    ProjectId, ServiceAccountId,
    models::{
        CreateProjectServiceAccountApiKeyBody, ProjectServiceAccountCreateRequest,
        UpdateProjectServiceAccountBody,
    },
};

api! {
    /// Service accounts of a project: list, create, retrieve, update, delete.
    ServiceAccountsApi = service_accounts;
    /// Lists the service accounts in a project. A page has 20 by default.
    list list_service_accounts(project_id: ProjectId) -> ListServiceAccounts {
        /// let accounts = client.service_accounts().list_service_accounts("proj_1").items().try_collect().await?;
        /// assert!(accounts.is_empty());
    }
    /// Creates a service account with an API key. The value of the key is only in this answer.
    call create_service_account(
        project_id: ProjectId;
        body: any ProjectServiceAccountCreateRequest
    ) -> CreateServiceAccount {
        /// use openai_admin::models::ProjectServiceAccountCreateRequest;
        /// let body = ProjectServiceAccountCreateRequest::new("Nightly".try_into()?);
        /// let account = client.service_accounts().create_service_account("proj_1", body).await?;
        /// let value = account.api_key.as_ref().map(|key| key.value.as_str());
        /// assert!(value.is_some_and(|value| value.starts_with("sk-svcacct-")));
    }
    /// Retrieves a service account.
    call retrieve_service_account(
        project_id: ProjectId,
        service_account_id: ServiceAccountId
    ) -> RetrieveServiceAccount {
        /// # let body = openai_admin::models::ProjectServiceAccountCreateRequest::new("Nightly".try_into()?);
        /// # let id = client.service_accounts().create_service_account("proj_1", body).await?.id.clone();
        /// let account = client.service_accounts().retrieve_service_account("proj_1", &id).await?;
        /// assert_eq!(account.name, "Nightly");
    }
    /// Updates the name or the role of a service account.
    call update_service_account(
        project_id: ProjectId,
        service_account_id: ServiceAccountId;
        body: UpdateProjectServiceAccountBody
    ) -> UpdateServiceAccount {
        /// use openai_admin::models::UpdateProjectServiceAccountBody;
        /// # let body = openai_admin::models::ProjectServiceAccountCreateRequest::new("Nightly".try_into()?);
        /// # let id = client.service_accounts().create_service_account("proj_1", body).await?.id.clone();
        /// let mut body = UpdateProjectServiceAccountBody::new();
        /// body.name = Some("Hourly".try_into()?);
        /// let account = client.service_accounts().update_service_account("proj_1", &id, body).await?;
        /// assert_eq!(account.name, "Hourly");
    }
    /// Creates another API key for a service account. Its value is only in this answer.
    call create_service_account_api_key(
        project_id: ProjectId,
        service_account_id: ServiceAccountId;
        body: CreateProjectServiceAccountApiKeyBody
    ) -> CreateServiceAccountApiKey {
        /// use openai_admin::models::CreateProjectServiceAccountApiKeyBody;
        /// # let body = openai_admin::models::ProjectServiceAccountCreateRequest::new("Nightly".try_into()?);
        /// # let id = client.service_accounts().create_service_account("proj_1", body).await?.id.clone();
        /// let body = CreateProjectServiceAccountApiKeyBody::new();
        /// let key = client.service_accounts().create_service_account_api_key("proj_1", &id, body).await?;
        /// assert!(key.value.starts_with("sk-svcacct-"));
    }
    /// Deletes a service account with its API keys, group memberships and roles.
    call delete_service_account(
        project_id: ProjectId,
        service_account_id: ServiceAccountId
    ) -> DeleteServiceAccount {
        /// # let body = openai_admin::models::ProjectServiceAccountCreateRequest::new("Nightly".try_into()?);
        /// # let id = client.service_accounts().create_service_account("proj_1", body).await?.id.clone();
        /// assert!(client.service_accounts().delete_service_account("proj_1", &id).await?.deleted);
    }
}
