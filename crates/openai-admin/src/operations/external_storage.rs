//! A customer's buckets in other clouds: `/organization/external_storage`.

use super::{external_keys::CloudText, record::record};
use crate::{
    Cursor, ExternalStorageId, ExternalStorageProviderType, ExternalStorageStatus, IdPage, Limit, ListItem,
    Order, ProjectId, Timestamp, deleted::deleted, endpoint::endpoint, page::list_endpoint,
};

const TAG: &str = "External storage";

record! {
    /// Lists the external storage of the organization.
    #[derive(Default)]
    ListExternalStorage {}
    query {
        /// How many storages to return (the default is assumed).
        limit: Limit<1, 100, 20>,
        /// The order of the storages; `asc` by default (assumed).
        order: Order,
        /// Return storages after this one: the `last_id` of the previous page.
        after: Cursor,
        /// Return only the storages of this project.
        project_id: ProjectId,
    }
}

endpoint!(ListExternalStorage, "list-external-storage", GET "/organization/external_storage", EXTERNAL_STORAGE_READ -> ExternalStorageListResource);

list_endpoint!(ListExternalStorage, ordered);

record! {
    /// Registers an external storage for a project.
    CreateExternalStorage {
        /// The storage to register.
        body: CreateExternalStorageBody,
    }
}

endpoint!(CreateExternalStorage, "create-external-storage", POST ListExternalStorage::PATH, EXTERNAL_STORAGE_WRITE -> ExternalStorage);

record! {
    /// Retrieves an external storage.
    RetrieveExternalStorage {
        /// The ID of the external storage.
        external_storage_id: ExternalStorageId,
    }
}

endpoint!(RetrieveExternalStorage, "retrieve-external-storage", GET "/organization/external_storage/{external_storage_id}", EXTERNAL_STORAGE_READ -> ExternalStorage);

record! {
    /// Disconnects an external storage. Its contents in the cloud do not change, and a deletion can be repeated.
    DeleteExternalStorage {
        /// The ID of the external storage.
        external_storage_id: ExternalStorageId,
    }
}

endpoint!(DeleteExternalStorage, "delete-external-storage", DELETE RetrieveExternalStorage::PATH, EXTERNAL_STORAGE_WRITE -> ExternalStorageDeletedResource);

record! {
    /// Checks an external storage, and returns it with its new status.
    ValidateExternalStorage {
        /// The ID of the external storage.
        external_storage_id: ExternalStorageId,
    }
}

endpoint!(ValidateExternalStorage, "validate-external-storage", POST "/organization/external_storage/{external_storage_id}/validate", EXTERNAL_STORAGE_WRITE -> ExternalStorage, idempotent);

record! {
    /// A storage to register for a project.
    CreateExternalStorageBody {
        /// The ID of the project that uses the storage.
        project_id: ProjectId,
        /// The location of the storage.
        provider: ExternalStorageProviderParams,
    }
}

record! {
    /// The location of a storage. `type` determines which other fields are required; fields of other types are ignored.
    ExternalStorageProviderParams {
        /// The cloud of the storage.
        r#type: ExternalStorageProviderType,
    }
    optional {
        /// `aws`, `gcp`, `oci`: the name of the bucket.
        bucket: CloudText,
        /// `aws`: the role that is assumed to use the bucket.
        role_arn: CloudText,
        /// `azure`: the tenant, a UUID.
        tenant_id: CloudText,
        /// `azure`: the subscription, a UUID.
        subscription_id: CloudText,
        /// `azure`: the resource group.
        resource_group: CloudText,
        /// `azure`: the storage account.
        account_name: CloudText,
        /// `azure`: the container.
        container: CloudText,
        /// `gcp`: the number of the cloud project with the workload identity.
        workload_identity_project_number: CloudText,
        /// `gcp`: the workload identity pool.
        workload_identity_pool_id: CloudText,
        /// `gcp`: the provider in the pool.
        workload_identity_provider_id: CloudText,
        /// `oci`: the OCID of the tenancy.
        tenancy_ocid: CloudText,
        /// `oci`: the region of the bucket.
        region: CloudText,
    }
}

record! {
    /// The location of a storage. `type` determines which of the optional fields are present.
    ExternalStorageProvider {
        /// The cloud of the storage.
        r#type: ExternalStorageProviderType,
    }
    optional {
        /// `aws`, `gcp`, `oci`: the name of the bucket.
        bucket: String,
        /// `aws`: the account of the bucket.
        account_id: String,
        /// `aws`: the role that is assumed to use the bucket.
        role_arn: String,
        /// `aws`: the id sent when the role is assumed.
        external_id: String,
        /// `azure`: the tenant.
        tenant_id: String,
        /// `azure`: the subscription.
        subscription_id: String,
        /// `azure`: the resource group.
        resource_group: String,
        /// `azure`: the storage account.
        account_name: String,
        /// `azure`: the container.
        container: String,
        /// `gcp`: the number of the cloud project with the workload identity.
        workload_identity_project_number: String,
        /// `gcp`: the workload identity pool.
        workload_identity_pool_id: String,
        /// `gcp`: the provider in the pool.
        workload_identity_provider_id: String,
        /// `gcp`: the audience of the token.
        audience: String,
        /// `oci`: the OCID of the tenancy.
        tenancy_ocid: String,
        /// The region of the storage.
        region: String,
    }
}

record! {
    /// A storage in another cloud.
    ExternalStorage object ExternalStorageObject = "organization.external_storage" {
        /// The identifier, which can be referenced in API endpoints.
        id: ExternalStorageId,
        /// The ID of the project that uses the storage.
        project_id: ProjectId,
        /// The location of the storage.
        provider: ExternalStorageProvider,
        /// The geography of the region, such as `US`.
        geography: String,
        /// The result of the last check.
        status: ExternalStorageStatus,
        /// The time of the registration.
        created_at: Timestamp,
    }
}

impl ListItem for ExternalStorage {
    const LIST_SCHEMA: &'static str = "ExternalStorageListResource";
    fn id(&self) -> &str {
        self.id.as_str()
    }
}

/// Paginated list of external storages.
pub type ExternalStorageListResource = IdPage<ExternalStorage>;

deleted!(
    ExternalStorageDeletedResource,
    ExternalStorageDeletedObject,
    "organization.external_storage.deleted",
    "external storage",
    ExternalStorageId
);
