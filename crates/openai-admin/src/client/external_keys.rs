use super::api::api;
use crate::{ExternalKeyId, models::CreateExternalKeyBody};

api! {
    /// Encryption keys in other clouds: list, register, retrieve, delete, validate.
    ExternalKeysApi = external_keys;
    /// Lists the external keys of the organization.
    list list_external_keys() -> ListExternalKeys {
        /// let keys = client.external_keys().list_external_keys().await?;
        /// assert!(keys.data.is_empty());
    }
    /// Registers an external key.
    call create_external_key(; body: CreateExternalKeyBody) -> CreateExternalKey {
        /// use openai_admin::models::CreateExternalKeyBody;
        /// let body: CreateExternalKeyBody = serde_json::from_value(serde_json::json!({
        ///     "type": "azure", "name": "Vault", "tenant_id": "00000000-0000-0000-0000-000000000000",
        ///     "vault_uri": "https://acme.vault.azure.net", "key_name": "master",
        /// }))?;
        /// let key = client.external_keys().create_external_key(body).await?;
        /// assert_eq!(key.key_name.as_deref(), Some("master"));
    }
    /// Retrieves an external key.
    call retrieve_external_key(external_key_id: ExternalKeyId) -> RetrieveExternalKey {
        /// let error = client.external_keys().retrieve_external_key("extkey_x").await.unwrap_err();
        /// assert!(error.is_not_found());
    }
    /// Deletes an external key that no project uses, and returns it.
    call delete_external_key(external_key_id: ExternalKeyId) -> DeleteExternalKey {
        /// let error = client.external_keys().delete_external_key("extkey_x").await.unwrap_err();
        /// assert!(error.is_not_found());
    }
    /// Checks whether an external key can be used. Our server cannot reach key services and answers 503.
    call validate_external_key(external_key_id: ExternalKeyId) -> ValidateExternalKey {
        /// let error = client.external_keys().validate_external_key("extkey_x").await.unwrap_err();
        /// assert!(error.is_not_found());
    }
}
