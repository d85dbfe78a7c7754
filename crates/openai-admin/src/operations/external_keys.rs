//! A customer's encryption keys in other clouds: `/organization/external_keys`.

use super::record::record;
use crate::{
    BoundedText, Cursor, ExternalKeyId, ExternalKeyObject, ExternalKeyPurpose, ExternalKeyType, IdPage,
    Limit, ListItem, Order, Timestamp, endpoint::endpoint, page::list_endpoint,
};

const TAG: &str = "External keys";

/// An external key's name: 1 to 255 characters, not blank (assumed).
pub type ExternalKeyName = BoundedText<1, 255>;
/// An id or address in another cloud: 1 to 2048 characters, not blank (assumed).
pub type CloudText = BoundedText<1, 2048>;

record! {
    /// Lists the external keys of the organization.
    #[derive(Default)]
    ListExternalKeys {}
    query {
        /// How many keys to return (the default is assumed).
        limit: Limit<0, 100, 20>,
        /// The order of the keys; `asc` by default (assumed).
        order: Order,
        /// Return keys after this one: the `last_id` of the previous page.
        after: Cursor,
        /// Return only keys with this purpose.
        purpose: ExternalKeyPurpose,
    }
}

endpoint!(ListExternalKeys, "list-external-keys", GET "/organization/external_keys", EXTERNAL_KEYS_READ -> ExternalKeyListResource);

list_endpoint!(ListExternalKeys, ordered);

record! {
    /// Registers an external key with the organization.
    CreateExternalKey {
        /// The key to register.
        body: CreateExternalKeyBody,
    }
}

endpoint!(CreateExternalKey, "create-external-key", POST ListExternalKeys::PATH, EXTERNAL_KEYS_WRITE -> ExternalKey);

record! {
    /// Retrieves an external key.
    RetrieveExternalKey {
        /// The ID of the external key.
        external_key_id: ExternalKeyId,
    }
}

endpoint!(RetrieveExternalKey, "retrieve-external-key", GET "/organization/external_keys/{external_key_id}", EXTERNAL_KEYS_READ -> ExternalKey);

record! {
    /// Deletes an external key and returns it.
    DeleteExternalKey {
        /// The ID of the external key.
        external_key_id: ExternalKeyId,
    }
}

endpoint!(DeleteExternalKey, "delete-external-key", DELETE RetrieveExternalKey::PATH, EXTERNAL_KEYS_WRITE -> ExternalKey);

record! {
    /// Checks whether an external key can be used.
    ValidateExternalKey {
        /// The ID of the external key.
        external_key_id: ExternalKeyId,
    }
}

endpoint!(ValidateExternalKey, "validate-external-key", POST "/organization/external_keys/{external_key_id}/validate", EXTERNAL_KEYS_READ -> ExternalKeyValidateResponse, idempotent);

record! {
    /// The location of a key. `type` determines which other fields are required; fields of other types are ignored.
    CreateExternalKeyBody {
        /// The cloud of the key.
        r#type: ExternalKeyType,
        /// The name of the key.
        name: ExternalKeyName,
    }
    optional {
        /// The purpose of the key; `ekm` by default (assumed).
        purpose: ExternalKeyPurpose,
        /// `aws`: the role that is assumed to call the key service.
        role_arn: CloudText,
        /// `aws`: the ARN of the key.
        kms_arn: CloudText,
        /// `aws`: the id of the organization or of one of its projects, sent when the role is assumed.
        external_id: CloudText,
        /// `gcp`: the number of the cloud project with the workload identity.
        workload_identity_project_number: CloudText,
        /// `gcp`: the workload identity pool.
        workload_identity_pool_id: CloudText,
        /// `gcp`: the provider in the pool.
        workload_identity_provider_id: CloudText,
        /// `gcp`: the cloud project of the key.
        kms_project_id: CloudText,
        /// `gcp`: the key ring.
        kms_key_ring_name: CloudText,
        /// `gcp`: the name of the key.
        kms_key_name: CloudText,
        /// `gcp`: the region of the key.
        kms_key_location: CloudText,
        /// `gcp`: the version of the key: required for `psp_decryption`, and refused for `ekm`.
        kms_key_version: CloudText,
        /// `gcp`: the audience of the token: the id of the organization or of one of its projects.
        audience: CloudText,
        /// `azure`: the tenant, a UUID.
        tenant_id: CloudText,
        /// `azure`: the URI of the vault.
        vault_uri: CloudText,
        /// `azure`: the name of the key in the vault.
        key_name: CloudText,
        /// `azure`: the version of the key: required for `psp_decryption`, and refused for `ekm`.
        key_version: CloudText,
        /// `oci`: the region of the vault.
        region: CloudText,
        /// `oci`: the OCID of the vault.
        vault_ocid: CloudText,
        /// `oci`: the OCID of the key.
        key_ocid: CloudText,
        /// `oci`: the OCID of the key's version, for `psp_decryption`.
        key_version_ocid: CloudText,
    }
}

record! {
    /// A key in another cloud. `type` determines which of the optional fields are present.
    ExternalKey {
        /// `organization.external_key`; in the answer to a deletion `organization.external_key.deleted`.
        object: ExternalKeyObject,
        /// The identifier, which can be referenced in API endpoints.
        id: ExternalKeyId,
        /// The cloud of the key.
        r#type: ExternalKeyType,
        /// The name of the key.
        name: String,
        /// The projects that use the key.
        api_project_ids: Vec<String>,
        /// The workspace that uses the key; empty if there is none.
        workspace_id: String,
        /// The time of the registration.
        created_at: Timestamp,
    }
    optional {
        /// The purpose of the key.
        purpose: ExternalKeyPurpose,
        /// `aws`: the role that is assumed to call the key service.
        role_arn: String,
        /// `aws`: the ARN of the key.
        kms_arn: String,
        /// `aws`: the id sent when the role is assumed.
        external_id: String,
        /// `gcp`: the number of the cloud project with the workload identity.
        workload_identity_project_number: String,
        /// `gcp`: the workload identity pool.
        workload_identity_pool_id: String,
        /// `gcp`: the provider in the pool.
        workload_identity_provider_id: String,
        /// `gcp`: the cloud project of the key.
        kms_project_id: String,
        /// `gcp`: the key ring.
        kms_key_ring_name: String,
        /// `gcp`: the name of the key.
        kms_key_name: String,
        /// `gcp`: the region of the key.
        kms_key_location: String,
        /// `gcp`: the version of the key.
        kms_key_version: String,
        /// `gcp`: the audience of the token.
        audience: String,
        /// `azure`: the tenant.
        tenant_id: String,
        /// `azure`: the URI of the vault.
        vault_uri: String,
        /// `azure`: the name of the key in the vault.
        key_name: String,
        /// `azure`: the version of the key.
        key_version: String,
        /// `oci`: the region of the vault.
        region: String,
        /// `oci`: the OCID of the vault.
        vault_ocid: String,
        /// `oci`: the OCID of the key.
        key_ocid: String,
        /// `oci`: the OCID of the key's version.
        key_version_ocid: String,
    }
}

impl ListItem for ExternalKey {
    const LIST_SCHEMA: &'static str = "ExternalKeyListResource";
    fn id(&self) -> &str {
        self.id.as_str()
    }
}

/// Paginated list of external keys.
pub type ExternalKeyListResource = IdPage<ExternalKey>;

record! {
    /// The result of a check of an external key.
    ExternalKeyValidateResponse {
        /// The result. `valid` is the only published value.
        status: String,
    }
}
