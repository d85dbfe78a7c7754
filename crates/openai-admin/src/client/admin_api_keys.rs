use super::api::api;
use crate::{ApiKeyId, models::CreateAdminApiKeyBody};

api! {
    /// Admin API keys of the organization: list, create, retrieve, delete.
    AdminApiKeysApi = admin_api_keys;
    /// Lists the admin API keys, also expired ones. A page has 20 by default.
    list list_admin_api_keys() -> ListAdminApiKeys {
        /// let keys = client.admin_api_keys().list_admin_api_keys().items().try_collect().await?;
        /// # let _ = keys;
    }
    /// Creates an admin API key with the scopes of this client's key. Its value is only in this answer.
    call create_admin_api_key(; body: any CreateAdminApiKeyBody) -> CreateAdminApiKey {
        /// let mut body = openai_admin::models::CreateAdminApiKeyBody::new("Nightly".try_into()?);
        /// body.expires_in_seconds = Some(86_400.try_into()?);
        /// let key = client.admin_api_keys().create_admin_api_key(body).await?;
        /// assert!(key.value.starts_with("sk-admin-"));
    }
    /// Retrieves an admin API key.
    call retrieve_admin_api_key(key_id: ApiKeyId) -> RetrieveAdminApiKey {
        /// # let body = openai_admin::models::CreateAdminApiKeyBody::new("Nightly".try_into()?);
        /// # let id = client.admin_api_keys().create_admin_api_key(body).await?.id.clone();
        /// let key = client.admin_api_keys().retrieve_admin_api_key(&id).await?;
        /// assert_eq!((key.name.as_deref(), key.last_used_at), (Some("Nightly"), None));
    }
    /// Deletes an admin API key, which is invalid at once. The key of this client is refused.
    call delete_admin_api_key(key_id: ApiKeyId) -> DeleteAdminApiKey {
        /// # let body = openai_admin::models::CreateAdminApiKeyBody::new("Nightly".try_into()?);
        /// # let id = client.admin_api_keys().create_admin_api_key(body).await?.id.clone();
        /// assert!(client.admin_api_keys().delete_admin_api_key(&id).await?.deleted);
    }
}
