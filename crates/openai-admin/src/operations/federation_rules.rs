//! Rules that bind the tokens of a provider to a service account:
//! `/organization/workload_identity_providers/{workload_identity_provider_id}/federation_rules`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    record::record,
    workload_identity_providers::{WorkloadIdentityDescription, WorkloadIdentityName},
};
use crate::{
    Cursor, FederationRuleId, FederationRulePermissionsType, IdPage, Limit, ListItem, Order, ProjectId,
    ServiceAccountId, Timestamp, WorkloadIdentityProviderId, deleted::deleted, endpoint::endpoint,
    page::list_endpoint,
};

const TAG: &str = "Workload identity";

/// The attributes of a token, and the value that each must have.
pub type AttributeMatchers = BTreeMap<String, AttributeValue>;

/// The value that an attribute of a token must have. Values of different types differ.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum AttributeValue {
    /// A text.
    Text(String),
    /// True or false.
    Flag(bool),
    /// A number.
    Number(serde_json::Number),
}

record! {
    /// Lists the federation rules of a workload identity provider.
    ListFederationRules {
        /// The ID of the provider.
        workload_identity_provider_id: WorkloadIdentityProviderId,
    }
    query {
        /// How many rules to return (the default is assumed).
        limit: Limit<1, 100, 20>,
        /// The order of the rules; `asc` by default (assumed).
        order: Order,
        /// Return rules after this one: the `last_id` of the previous page.
        after: Cursor,
        /// Return only rules for this service account.
        service_account_id: ServiceAccountId,
    }
}

endpoint!(ListFederationRules, "list-federation-rules", GET "/organization/workload_identity_providers/{workload_identity_provider_id}/federation_rules", MANAGEMENT_READ -> FederationRuleListResource);

list_endpoint!(ListFederationRules, ordered);

record! {
    /// Binds tokens of a workload identity provider to a service account of a project.
    CreateFederationRule {
        /// The ID of the provider.
        workload_identity_provider_id: WorkloadIdentityProviderId,
        /// The rule to create.
        body: CreateFederationRuleBody,
    }
}

endpoint!(CreateFederationRule, "create-federation-rule", POST ListFederationRules::PATH, MANAGEMENT_WRITE -> FederationRule);

record! {
    /// Retrieves a federation rule.
    RetrieveFederationRule {
        /// The ID of the provider.
        workload_identity_provider_id: WorkloadIdentityProviderId,
        /// The ID of the rule.
        workload_identity_federation_rule_id: FederationRuleId,
    }
}

endpoint!(RetrieveFederationRule, "retrieve-federation-rule", GET "/organization/workload_identity_providers/{workload_identity_provider_id}/federation_rules/{workload_identity_federation_rule_id}", MANAGEMENT_READ -> FederationRule);

record! {
    /// Changes a federation rule.
    UpdateFederationRule {
        /// The ID of the provider.
        workload_identity_provider_id: WorkloadIdentityProviderId,
        /// The ID of the rule.
        workload_identity_federation_rule_id: FederationRuleId,
        /// The changes. An absent field keeps its value.
        body: UpdateFederationRuleBody,
    }
}

endpoint!(UpdateFederationRule, "update-federation-rule", POST RetrieveFederationRule::PATH, MANAGEMENT_WRITE -> FederationRule, idempotent);

record! {
    /// Deletes a federation rule.
    DeleteFederationRule {
        /// The ID of the provider.
        workload_identity_provider_id: WorkloadIdentityProviderId,
        /// The ID of the rule.
        workload_identity_federation_rule_id: FederationRuleId,
    }
}

endpoint!(DeleteFederationRule, "delete-federation-rule", DELETE RetrieveFederationRule::PATH, MANAGEMENT_WRITE -> FederationRuleDeletedResource);

record! {
    /// Which tokens act as which service account.
    CreateFederationRuleBody {
        /// The project of the service account.
        project_id: ProjectId,
        /// The service account, which must exist in the project.
        service_account_id: ServiceAccountId,
        /// The attributes of a token, and the value that each must have.
        attribute_matchers: AttributeMatchers,
    }
    never_null {
        /// The name of the rule.
        name: WorkloadIdentityName,
        /// The description of the rule.
        description: WorkloadIdentityDescription,
        /// Whether the rule applies; true by default (assumed).
        enabled: bool,
        /// The permissions of an exchanged token; by default those of the service account (assumed).
        permissions: FederationRulePermissions,
    }
}

record! {
    /// The changes of a federation rule. An absent field keeps its value. The service account cannot change.
    #[derive(Default)]
    UpdateFederationRuleBody {}
    never_null {
        /// All attributes of a token that the rule compares, and the value that each must have.
        attribute_matchers: AttributeMatchers,
        /// Whether the rule applies.
        enabled: bool,
        /// The permissions of an exchanged token.
        permissions: FederationRulePermissions,
    }
    clearable {
        /// The name of the rule; null clears it.
        name: WorkloadIdentityName,
        /// The description of the rule; null clears it.
        description: WorkloadIdentityDescription,
    }
}

record! {
    /// The permissions of a token that was exchanged under a rule.
    FederationRulePermissions {
        /// `service_account_default` for those of the service account, or `restricted`.
        r#type: FederationRulePermissionsType,
    }
    optional {
        /// `restricted`: the scopes, at least one.
        scopes: Vec<String>,
    }
}

record! {
    /// A rule that binds the tokens of a provider to a service account.
    FederationRule object FederationRuleObject = "organization.workload_identity_federation_rule" {
        /// The identifier, which can be referenced in API endpoints.
        id: FederationRuleId,
        /// The provider of the tokens.
        workload_identity_provider_id: WorkloadIdentityProviderId,
        /// The project of the service account.
        project_id: ProjectId,
        /// The service account.
        service_account_id: ServiceAccountId,
        /// Whether the rule applies.
        enabled: bool,
        /// The attributes of a token, and the value that each must have.
        attribute_matchers: AttributeMatchers,
        /// The permissions of an exchanged token.
        permissions: FederationRulePermissions,
        /// The Unix timestamp (in seconds) of when the rule was created.
        created_at: Timestamp,
        /// The Unix timestamp (in seconds) of the last change.
        updated_at: Timestamp,
    }
    nullable {
        /// The name of the rule.
        name: String,
        /// The description of the rule.
        description: String,
    }
}

impl ListItem for FederationRule {
    const LIST_SCHEMA: &'static str = "FederationRuleListResource";
    fn id(&self) -> &str {
        self.id.as_str()
    }
}

/// Paginated list of the federation rules of a provider.
pub type FederationRuleListResource = IdPage<FederationRule>;

deleted!(
    FederationRuleDeletedResource,
    FederationRuleKind,
    "organization.workload_identity_federation_rule.deleted",
    "federation rule",
    FederationRuleId
);
