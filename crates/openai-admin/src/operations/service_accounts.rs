//! Service accounts of a project: `/organization/projects/{project_id}/service_accounts`.

use super::{project_api_keys::ProjectApiKeyLife, record::record};
use crate::{
    ApiKeyId, BoundedText, Cursor, IdPage, Limit, ListItem, PersonalText, ProjectId, ServiceAccountId,
    ServiceAccountRole, Timestamp, deleted::deleted, endpoint::endpoint, one_field::one_field,
    page::list_endpoint,
};

const TAG: &str = "Projects";

/// The name of a service account: 1 to 255 characters, not blank (assumed).
pub type ServiceAccountName = BoundedText<1, 255>;

record! {
    /// Lists the service accounts in a project.
    ListServiceAccounts {
        /// The ID of the project.
        project_id: ProjectId,
    }
    query {
        /// How many service accounts to return.
        limit: Limit<1, 100, 20>,
        /// Return service accounts after this one: the `last_id` of the previous page.
        after: Cursor,
    }
}

endpoint!(ListServiceAccounts, "list-project-service-accounts", GET "/organization/projects/{project_id}/service_accounts", MANAGEMENT_READ -> ProjectServiceAccountListResponse);

list_endpoint!(ListServiceAccounts);

record! {
    /// Creates a service account in a project, by default with an API key. The value of the key is shown only once, in this answer.
    CreateServiceAccount {
        /// The ID of the project.
        project_id: ProjectId,
        /// The service account to create.
        body: ProjectServiceAccountCreateRequest,
    }
}

endpoint!(CreateServiceAccount, "create-project-service-account", POST ListServiceAccounts::PATH, MANAGEMENT_WRITE -> ProjectServiceAccountCreateResponse);

record! {
    /// Retrieves a service account in a project.
    RetrieveServiceAccount {
        /// The ID of the project.
        project_id: ProjectId,
        /// The ID of the service account.
        service_account_id: ServiceAccountId,
    }
}

endpoint!(RetrieveServiceAccount, "retrieve-project-service-account", GET "/organization/projects/{project_id}/service_accounts/{service_account_id}", MANAGEMENT_READ -> ProjectServiceAccount);

record! {
    /// Updates a service account in a project. An absent or null field keeps its value (assumed).
    UpdateServiceAccount {
        /// The ID of the project.
        project_id: ProjectId,
        /// The ID of the service account.
        service_account_id: ServiceAccountId,
        /// The changes.
        body: UpdateProjectServiceAccountBody,
    }
}

endpoint!(UpdateServiceAccount, "update-project-service-account", POST RetrieveServiceAccount::PATH, MANAGEMENT_WRITE -> ProjectServiceAccount, idempotent);

record! {
    /// Deletes a service account from a project, with its API keys, group memberships and roles.
    DeleteServiceAccount {
        /// The ID of the project.
        project_id: ProjectId,
        /// The ID of the service account.
        service_account_id: ServiceAccountId,
    }
}

endpoint!(DeleteServiceAccount, "delete-project-service-account", DELETE RetrieveServiceAccount::PATH, MANAGEMENT_WRITE -> ProjectServiceAccountDeleteResponse);

record! {
    /// Creates another API key for a service account. Its value is shown only once, in this answer.
    CreateServiceAccountApiKey {
        /// The ID of the project.
        project_id: ProjectId,
        /// The ID of the service account.
        service_account_id: ServiceAccountId,
        /// The API key to create. It may be omitted.
        #[serde(default)]
        body: CreateProjectServiceAccountApiKeyBody,
    }
}

endpoint!(CreateServiceAccountApiKey, "CreateanAPIkeyforaserviceaccount", POST "/organization/projects/{project_id}/service_accounts/{service_account_id}/api_keys", MANAGEMENT_WRITE -> ServiceAccountApiKeyBody);

record! {
    /// The service account API key create request payload.
    #[derive(Default)]
    CreateProjectServiceAccountApiKeyBody {}
    optional {
        /// The name of the API key; `Secret Key` by default (assumed).
        name: ServiceAccountName,
        /// The scopes of the API key. No scopes mean no restriction.
        scopes: Vec<String>,
        /// The number of seconds until the API key expires. Omit this field for a key that does not expire.
        expires_in_seconds: ProjectApiKeyLife,
    }
}

/// An API key that was created for a service account, with its value.
pub type ServiceAccountApiKeyBody = ProjectServiceAccountApiKey;

record! {
    /// Request payload for creating a service account.
    ProjectServiceAccountCreateRequest {
        /// The name of the service account.
        name: ServiceAccountName,
    }
    optional {
        /// Creates the service account without a role in the project and without an API key.
        create_service_account_only: bool,
        /// The number of seconds until the API key expires. Omit this field for a key that does not expire.
        expires_in_seconds: ProjectApiKeyLife,
    }
}

one_field!(ProjectServiceAccountCreateRequest { name: ServiceAccountName });

record! {
    /// Parameters for updating a project service account.
    #[derive(Default)]
    UpdateProjectServiceAccountBody {}
    optional {
        /// The updated name of the service account.
        name: ServiceAccountName,
        /// The updated role: `member` or `owner`.
        role: ServiceAccountRole,
    }
}

/// Paginated list of the service accounts of a project.
pub type ProjectServiceAccountListResponse = IdPage<ProjectServiceAccount>;

record! {
    /// Represents an individual service account in a project.
    ProjectServiceAccount object ProjectServiceAccountObject = "organization.project.service_account" {
        /// The identifier, which can be referenced in API endpoints.
        id: ServiceAccountId,
        /// The name of the service account.
        name: String,
        /// `owner`, `member`, or `none`.
        role: ServiceAccountRole,
        /// The Unix timestamp (in seconds) of when the service account was created.
        created_at: Timestamp,
    }
}

impl ListItem for ProjectServiceAccount {
    const LIST_SCHEMA: &'static str = "ProjectServiceAccountListResponse";
    fn id(&self) -> &str {
        self.id.as_str()
    }
}

record! {
    /// A service account that was created, with its API key.
    ProjectServiceAccountCreateResponse object ProjectServiceAccountCreatedObject = "organization.project.service_account" {
        /// The identifier, which can be referenced in API endpoints.
        id: ServiceAccountId,
        /// The name of the service account.
        name: String,
        /// `member`, or `none` without a role in the project.
        role: ServiceAccountRole,
        /// The Unix timestamp (in seconds) of when the service account was created.
        created_at: Timestamp,
    }
    nullable {
        /// The API key of the service account, or null if none was created.
        api_key: ProjectServiceAccountApiKey,
    }
}

record! {
    /// An API key of a service account, with its value.
    ProjectServiceAccountApiKey object ProjectServiceAccountApiKeyObject = "organization.project.service_account.api_key" {
        /// The value of the key. No other answer contains it.
        value: PersonalText,
        /// The name of the key.
        name: String,
        /// The Unix timestamp (in seconds) of when the key was created.
        created_at: Timestamp,
        /// The identifier, which can be referenced in API endpoints.
        id: ApiKeyId,
    }
    optional {
        /// The Unix timestamp (in seconds) of when the key expires.
        expires_at: Timestamp,
    }
}

deleted!(
    ProjectServiceAccountDeleteResponse,
    ProjectServiceAccountDeletedObject,
    "organization.project.service_account.deleted",
    "service account",
    ServiceAccountId
);
