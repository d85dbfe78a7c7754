//! OIDC issuers whose tokens give access without an API key: `/organization/workload_identity_providers`.

use serde_json::{Map, Value};

use super::record::record;
use crate::{
    BoundedText, Cursor, IdPage, Limit, ListItem, Order, Timestamp, WorkloadIdentityProviderId,
    WorkloadIdentityProviderType, WorkloadIdentityVerificationType, deleted::deleted, endpoint::endpoint,
    page::list_endpoint,
};

const TAG: &str = "Workload identity";

/// The name of a provider or of a federation rule: 1 to 255 characters, not blank (the maximum is assumed).
pub type WorkloadIdentityName = BoundedText<1, 255>;
/// The description of a provider or of a federation rule: at most 2048 characters (assumed).
pub type WorkloadIdentityDescription = BoundedText<0, 2048>;
/// An issuer, audience or URL: 1 to 2048 characters, not blank (the maximum is assumed).
pub type WorkloadIdentityText = BoundedText<1, 2048>;
/// The name of an attribute: 1 to 256 characters.
pub type WorkloadIdentityAttribute = BoundedText<1, 256>;
/// An expression in CEL (assumed): 1 to 4096 characters.
pub type WorkloadIdentityExpression = BoundedText<1, 4096>;

record! {
    /// Lists the workload identity providers of the organization.
    #[derive(Default)]
    ListWorkloadIdentityProviders {}
    query {
        /// How many providers to return (the default is assumed).
        limit: Limit<1, 100, 20>,
        /// The order of the providers; `asc` by default (assumed).
        order: Order,
        /// Return providers after this one: the `last_id` of the previous page.
        after: Cursor,
    }
}

endpoint!(ListWorkloadIdentityProviders, "list-workload-identity-providers", GET "/organization/workload_identity_providers", MANAGEMENT_READ -> WorkloadIdentityProviderListResource);

list_endpoint!(ListWorkloadIdentityProviders, ordered);

record! {
    /// Registers an OIDC issuer whose tokens the organization trusts.
    CreateWorkloadIdentityProvider {
        /// The provider to create.
        body: CreateWorkloadIdentityProviderBody,
    }
}

endpoint!(CreateWorkloadIdentityProvider, "create-workload-identity-provider", POST ListWorkloadIdentityProviders::PATH, MANAGEMENT_WRITE -> WorkloadIdentityProvider);

record! {
    /// Retrieves a workload identity provider.
    RetrieveWorkloadIdentityProvider {
        /// The ID of the provider.
        workload_identity_provider_id: WorkloadIdentityProviderId,
    }
}

endpoint!(RetrieveWorkloadIdentityProvider, "retrieve-workload-identity-provider", GET "/organization/workload_identity_providers/{workload_identity_provider_id}", MANAGEMENT_READ -> WorkloadIdentityProvider);

record! {
    /// Changes a workload identity provider.
    UpdateWorkloadIdentityProvider {
        /// The ID of the provider.
        workload_identity_provider_id: WorkloadIdentityProviderId,
        /// The changes. An absent field keeps its value.
        body: UpdateWorkloadIdentityProviderBody,
    }
}

endpoint!(UpdateWorkloadIdentityProvider, "update-workload-identity-provider", POST RetrieveWorkloadIdentityProvider::PATH, MANAGEMENT_WRITE -> WorkloadIdentityProvider, idempotent);

record! {
    /// Deletes a workload identity provider, which must have no federation rules.
    DeleteWorkloadIdentityProvider {
        /// The ID of the provider.
        workload_identity_provider_id: WorkloadIdentityProviderId,
    }
}

endpoint!(DeleteWorkloadIdentityProvider, "delete-workload-identity-provider", DELETE RetrieveWorkloadIdentityProvider::PATH, MANAGEMENT_WRITE -> WorkloadIdentityProviderDeletedResource);

record! {
    /// An OIDC issuer to trust.
    CreateWorkloadIdentityProviderBody {
        /// The protocol. Currently only `oidc` is supported.
        r#type: WorkloadIdentityProviderType,
        /// The name of the provider.
        name: WorkloadIdentityName,
        /// The `iss` claim of its tokens.
        issuer: WorkloadIdentityText,
        /// The `aud` claim that its tokens must have.
        audience: WorkloadIdentityText,
    }
    never_null {
        /// The description of the provider.
        description: WorkloadIdentityDescription,
        /// Whether its tokens are accepted; true by default (assumed).
        enabled: bool,
        /// Attributes that are computed from the claims of a token: at most 20; none by default (assumed).
        #[cfg_attr(feature = "schema", schemars(length(max = 20)))]
        attribute_transformations: Vec<WorkloadIdentityAttributeTransformation>,
        /// How signatures are verified; by default with discovery from the issuer (assumed).
        verification: WorkloadIdentityVerification,
    }
}

record! {
    /// The changes of a workload identity provider. An absent field keeps its value.
    #[derive(Default)]
    UpdateWorkloadIdentityProviderBody {}
    never_null {
        /// The name of the provider.
        name: WorkloadIdentityName,
        /// The `iss` claim of its tokens.
        issuer: WorkloadIdentityText,
        /// The `aud` claim that its tokens must have.
        audience: WorkloadIdentityText,
        /// Whether its tokens are accepted.
        enabled: bool,
        /// All attributes that are computed from the claims of a token: at most 20.
        #[cfg_attr(feature = "schema", schemars(length(max = 20)))]
        attribute_transformations: Vec<WorkloadIdentityAttributeTransformation>,
        /// How signatures are verified.
        verification: WorkloadIdentityVerification,
    }
    clearable {
        /// The description of the provider; null clears it.
        description: WorkloadIdentityDescription,
    }
}

record! {
    /// An attribute that is computed from the claims of a token.
    WorkloadIdentityAttributeTransformation {
        /// The name of the attribute.
        attribute: WorkloadIdentityAttribute,
        /// The expression for its value.
        expression: WorkloadIdentityExpression,
    }
}

record! {
    /// How the signatures of tokens are verified. `type` determines which other field is present.
    WorkloadIdentityVerification {
        /// `discovery` or `uploaded_jwks`.
        r#type: WorkloadIdentityVerificationType,
    }
    optional {
        /// `uploaded_jwks`: the JSON Web Key Set.
        jwks: Map<String, Value>,
    }
    clearable {
        /// `discovery`: the URL of the discovery document; null if it follows from the issuer.
        discovery_url: WorkloadIdentityText,
    }
}

record! {
    /// An OIDC issuer whose tokens can be exchanged for access as a service account of a project.
    WorkloadIdentityProvider object WorkloadIdentityProviderObject = "organization.workload_identity_provider" {
        /// The identifier, which can be referenced in API endpoints.
        id: WorkloadIdentityProviderId,
        /// The protocol.
        r#type: WorkloadIdentityProviderType,
        /// The name of the provider.
        name: String,
        /// The `iss` claim of its tokens.
        issuer: String,
        /// The `aud` claim that its tokens must have.
        audience: String,
        /// Whether its tokens are accepted.
        enabled: bool,
        /// Attributes that are computed from the claims of a token.
        #[cfg_attr(feature = "schema", schemars(length(max = 20)))]
        attribute_transformations: Vec<WorkloadIdentityAttributeTransformation>,
        /// How signatures are verified.
        verification: WorkloadIdentityVerification,
        /// The Unix timestamp (in seconds) of when the provider was created.
        created_at: Timestamp,
        /// The Unix timestamp (in seconds) of the last change.
        updated_at: Timestamp,
    }
    nullable {
        /// The description of the provider.
        description: String,
    }
}

impl ListItem for WorkloadIdentityProvider {
    const LIST_SCHEMA: &'static str = "WorkloadIdentityProviderListResource";
    fn id(&self) -> &str {
        self.id.as_str()
    }
}

/// Paginated list of workload identity providers.
pub type WorkloadIdentityProviderListResource = IdPage<WorkloadIdentityProvider>;

deleted!(
    WorkloadIdentityProviderDeletedResource,
    WorkloadIdentityProviderKind,
    "organization.workload_identity_provider.deleted",
    "workload identity provider",
    WorkloadIdentityProviderId
);
