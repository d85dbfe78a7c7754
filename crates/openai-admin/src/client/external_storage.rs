use super::api::api;
use crate::{ExternalStorageId, models::CreateExternalStorageBody};

api! {
    /// Storage in other clouds: list, register, retrieve, disconnect, validate.
    ExternalStorageApi = external_storage;
    /// Lists the external storage of the organization.
    list list_external_storage() -> ListExternalStorage {
        /// let storage = client.external_storage().list_external_storage().await?;
        /// assert!(storage.data.is_empty());
    }
    /// Registers an external storage for a project.
    call create_external_storage(; body: CreateExternalStorageBody) -> CreateExternalStorage {
        /// use openai_admin::models::CreateExternalStorageBody;
        /// let projects = client.projects().list_projects().await?;
        /// let body: CreateExternalStorageBody = serde_json::from_value(serde_json::json!({
        ///     "project_id": projects.data[0].id,
        ///     "provider": { "type": "aws", "bucket": "acme", "role_arn": "arn:aws:iam::123456789012:role/openai" },
        /// }))?;
        /// let storage = client.external_storage().create_external_storage(body).await?;
        /// assert_eq!(storage.provider.account_id.as_deref(), Some("123456789012"));
    }
    /// Retrieves an external storage.
    call retrieve_external_storage(external_storage_id: ExternalStorageId) -> RetrieveExternalStorage {
        /// let error = client.external_storage().retrieve_external_storage("extstorage_x").await.unwrap_err();
        /// assert!(error.is_not_found());
    }
    /// Disconnects an external storage. Its contents in the cloud do not change. Disconnecting it again succeeds.
    call delete_external_storage(external_storage_id: ExternalStorageId) -> DeleteExternalStorage {
        /// let error = client.external_storage().delete_external_storage("extstorage_x").await.unwrap_err();
        /// assert!(error.is_not_found());
    }
    /// Checks an external storage, and returns it with its new status. Our server cannot reach other clouds and answers 503.
    call validate_external_storage(external_storage_id: ExternalStorageId) -> ValidateExternalStorage {
        /// let error = client.external_storage().validate_external_storage("extstorage_x").await.unwrap_err();
        /// assert!(error.is_not_found());
    }
}
