//! Admin API keys of the organization: `/organization/admin_api_keys`.

use super::record::record;
use crate::{
    ApiKeyId, BoundedInteger, BoundedText, Cursor, IdPage, Limit, ListItem, Order, PersonalText, Timestamp,
    UserId, UserRole, deleted::deleted, endpoint::endpoint, one_field::one_field, page::list_endpoint,
};

const TAG: &str = "Admin API keys";

/// The name of an admin API key: 1 to 255 characters, not blank (assumed).
pub type AdminApiKeyName = BoundedText<1, 255>;

/// How long an admin API key is valid, in seconds: at most a year.
pub type AdminApiKeyLife = BoundedInteger<1, 31_536_000>;

record! {
    /// Lists the admin API keys of the organization, also expired ones.
    #[derive(Default)]
    ListAdminApiKeys {}
    query {
        /// How many API keys to return.
        limit: Limit<1, 100, 20>,
        /// Return API keys after this one: the `last_id` of the previous page.
        after: Cursor,
        /// The order of the API keys by their creation; `asc` by default.
        order: Order,
    }
}

endpoint!(ListAdminApiKeys, "admin-api-keys-list", GET "/organization/admin_api_keys", MANAGEMENT_READ -> AdminApiKeyListResponse);

list_endpoint!(ListAdminApiKeys, ordered);

record! {
    /// Creates an admin API key with the scopes of the key that creates it (assumed). Its value is shown only once, in this answer.
    CreateAdminApiKey {
        /// The API key to create.
        body: CreateAdminApiKeyBody,
    }
}

endpoint!(CreateAdminApiKey, "admin-api-keys-create", POST ListAdminApiKeys::PATH, MANAGEMENT_WRITE -> AdminApiKeyCreateResponse);

record! {
    /// Retrieves an admin API key.
    RetrieveAdminApiKey {
        /// The ID of the API key.
        key_id: ApiKeyId,
    }
}

endpoint!(RetrieveAdminApiKey, "admin-api-keys-get", GET "/organization/admin_api_keys/{key_id}", MANAGEMENT_READ -> AdminApiKey);

record! {
    /// Deletes an admin API key. A key may delete itself: its next request is refused (assumed).
    DeleteAdminApiKey {
        /// The ID of the API key.
        key_id: ApiKeyId,
    }
}

endpoint!(DeleteAdminApiKey, "admin-api-keys-delete", DELETE RetrieveAdminApiKey::PATH, MANAGEMENT_WRITE -> AdminApiKeyDeleteResponse);

record! {
    /// Request payload for creating an admin API key.
    CreateAdminApiKeyBody {
        /// The name of the API key.
        name: AdminApiKeyName,
    }
    optional {
        /// The number of seconds until the API key expires. Omit this field for a key that does not expire.
        expires_in_seconds: AdminApiKeyLife,
    }
}

one_field!(CreateAdminApiKeyBody { name: AdminApiKeyName });

/// Paginated list of the admin API keys of the organization.
pub type AdminApiKeyListResponse = IdPage<AdminApiKey>;

record! {
    /// Represents an individual admin API key of the organization.
    AdminApiKey object AdminApiKeyObject = "organization.admin_api_key" {
        /// The identifier, which can be referenced in API endpoints.
        id: ApiKeyId,
        /// The redacted value of the API key.
        redacted_value: String,
        /// The Unix timestamp (in seconds) of when the API key was created.
        created_at: Timestamp,
        /// The owner of the API key: the oldest owner of the organization (assumed).
        owner: AdminApiKeyOwner,
    }
    nullable {
        /// The name of the API key.
        name: String,
        /// The Unix timestamp (in seconds) of when the API key expires.
        expires_at: Timestamp,
        /// The Unix timestamp (in seconds) of when the API key was last used.
        last_used_at: Timestamp,
    }
}

impl ListItem for AdminApiKey {
    const LIST_SCHEMA: &'static str = "ApiKeyList";
    fn id(&self) -> &str {
        self.id.as_str()
    }
}

record! {
    /// An admin API key that was created, with its value.
    AdminApiKeyCreateResponse object AdminApiKeyCreatedObject = "organization.admin_api_key" {
        /// The identifier, which can be referenced in API endpoints.
        id: ApiKeyId,
        /// The redacted value of the API key.
        redacted_value: String,
        /// The Unix timestamp (in seconds) of when the API key was created.
        created_at: Timestamp,
        /// The owner of the API key: the oldest owner of the organization (assumed).
        owner: AdminApiKeyOwner,
        /// The value of the API key. No other answer contains it.
        value: PersonalText,
    }
    nullable {
        /// The name of the API key.
        name: String,
        /// The Unix timestamp (in seconds) of when the API key expires.
        expires_at: Timestamp,
        /// The Unix timestamp (in seconds) of when the API key was last used: always null, since it is new.
        last_used_at: Timestamp,
    }
}

record! {
    /// The owner of an admin API key. It has no fields if the organization has no owner.
    #[derive(Default)]
    AdminApiKeyOwner {}
    optional {
        /// Always `user`.
        r#type: String,
        /// Always `organization.user`.
        object: String,
        /// The identifier, which can be referenced in API endpoints.
        id: UserId,
        /// The name of the user.
        name: PersonalText,
        /// The Unix timestamp (in seconds) of when the user was added.
        created_at: Timestamp,
        /// Always `owner`.
        role: UserRole,
    }
}

deleted!(
    AdminApiKeyDeleteResponse,
    AdminApiKeyDeletedObject,
    "organization.admin_api_key.deleted",
    "API key",
    ApiKeyId
);
