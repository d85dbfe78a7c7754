//! API keys of a project: `/organization/projects/{project_id}/api_keys`.

use super::record::record;
use crate::{
    ApiKeyId, BoundedInteger, Cursor, IdPage, Limit, ListItem, OwnerProjectAccess, OwnerProjectAccessFilter,
    PersonalText, ProjectId, ServiceAccountId, Timestamp, UserId, deleted::deleted, endpoint::endpoint,
    page::list_endpoint,
};

const TAG: &str = "Projects";

/// How long an API key of a project is valid, in seconds: at most a year.
pub type ProjectApiKeyLife = BoundedInteger<1, 31_536_000>;

record! {
    /// Lists the API keys in a project.
    ListProjectApiKeys {
        /// The ID of the project.
        project_id: ProjectId,
    }
    query {
        /// How many API keys to return.
        limit: Limit<1, 100, 20>,
        /// Return API keys after this one: the `last_id` of the previous page.
        after: Cursor,
        /// Only keys whose owners have this access to the project: `active`, `inactive` or `any`; `active` by default (assumed).
        owner_project_access: OwnerProjectAccessFilter,
    }
}

endpoint!(ListProjectApiKeys, "list-project-api-keys", GET "/organization/projects/{project_id}/api_keys", MANAGEMENT_READ -> ProjectApiKeyListResponse);

list_endpoint!(ListProjectApiKeys);

record! {
    /// Retrieves an API key in a project.
    RetrieveProjectApiKey {
        /// The ID of the project.
        project_id: ProjectId,
        /// The ID of the API key.
        api_key_id: ApiKeyId,
    }
}

endpoint!(RetrieveProjectApiKey, "retrieve-project-api-key", GET "/organization/projects/{project_id}/api_keys/{api_key_id}", MANAGEMENT_READ -> ProjectApiKey);

record! {
    /// Changes the scopes or the expiry of an API key of a project, also of the key of a service account. An expired key cannot
    /// change (assumed).
    UpdateProjectApiKey {
        /// The ID of the project.
        project_id: ProjectId,
        /// The ID of the API key.
        api_key_id: ApiKeyId,
        /// The changes: at least one.
        body: UpdateProjectApiKeyBody,
    }
}

endpoint!(UpdateProjectApiKey, "update-project-api-key", POST RetrieveProjectApiKey::PATH, MANAGEMENT_WRITE -> ProjectApiKey, idempotent);

record! {
    /// The changes of an API key of a project: at least one. An absent field keeps its value.
    #[derive(Default)]
    #[cfg_attr(feature = "schema", schemars(extend("minProperties" = 1)))]
    UpdateProjectApiKeyBody {}
    never_null {
        /// All scopes of the API key. No scopes mean no restriction.
        scopes: Vec<String>,
        /// The number of seconds until the API key expires, counted from this request.
        expires_in_seconds: ProjectApiKeyLife,
    }
}

record! {
    /// Deletes an API key from a project, also the key of a service account. The service account stays.
    DeleteProjectApiKey {
        /// The ID of the project.
        project_id: ProjectId,
        /// The ID of the API key.
        api_key_id: ApiKeyId,
    }
}

endpoint!(DeleteProjectApiKey, "delete-project-api-key", DELETE RetrieveProjectApiKey::PATH, MANAGEMENT_WRITE -> ProjectApiKeyDeleteResponse);

/// Paginated list of the API keys of a project.
pub type ProjectApiKeyListResponse = IdPage<ProjectApiKey>;

record! {
    /// Represents an individual API key in a project.
    ProjectApiKey object ProjectApiKeyObject = "organization.project.api_key" {
        /// The redacted value of the key.
        redacted_value: String,
        /// The name of the key.
        name: String,
        /// The Unix timestamp (in seconds) of when the key was created.
        created_at: Timestamp,
        /// The identifier, which can be referenced in API endpoints.
        id: ApiKeyId,
        /// Whether the key's owner has access to the project: `active` or `inactive`.
        owner_project_access: OwnerProjectAccess,
        /// The owner of the key: a user or a service account.
        owner: ProjectApiKeyOwner,
    }
    optional {
        /// The Unix timestamp (in seconds) of when the key expires.
        expires_at: Timestamp,
    }
    nullable {
        /// The Unix timestamp (in seconds) of when the key was last used.
        last_used_at: Timestamp,
    }
}

impl ListItem for ProjectApiKey {
    const LIST_SCHEMA: &'static str = "ProjectApiKeyListResponse";
    fn id(&self) -> &str {
        self.id.as_str()
    }
}

record! {
    /// The owner of an API key of a project: a user or a service account.
    #[derive(Default)]
    ProjectApiKeyOwner {}
    optional {
        /// `user` or `service_account`.
        r#type: String,
        /// The user.
        user: ProjectApiKeyOwnerUser,
        /// The service account.
        service_account: ProjectApiKeyOwnerServiceAccount,
    }
}

record! {
    /// The user that owns a project API key.
    ProjectApiKeyOwnerUser {
        /// The identifier, which can be referenced in API endpoints.
        id: UserId,
        /// The email address of the user.
        email: PersonalText,
        /// The name of the user.
        name: PersonalText,
        /// The Unix timestamp (in seconds) of when the user was created.
        created_at: Timestamp,
        /// The user's project role.
        role: String,
    }
}

record! {
    /// The service account that owns a project API key.
    ProjectApiKeyOwnerServiceAccount {
        /// The identifier, which can be referenced in API endpoints.
        id: ServiceAccountId,
        /// The name of the service account.
        name: String,
        /// The Unix timestamp (in seconds) of when the service account was created.
        created_at: Timestamp,
        /// The service account's project role.
        role: String,
    }
}

deleted!(
    ProjectApiKeyDeleteResponse,
    ProjectApiKeyDeletedObject,
    "organization.project.api_key.deleted",
    "API key",
    ApiKeyId
);
