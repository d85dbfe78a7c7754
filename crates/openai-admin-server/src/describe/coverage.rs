//! Coverage of the published description.
//!
//! The routes define the served operations. The unsupported parts of a served operation are sentences, since no table
//! lists them.

use std::collections::HashSet;

use crate::answer::{published::PublishedOperation, routes::operations};

/// How much of an operation this server supports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coverage {
    /// All of it.
    Served,
    /// All of it, except for the parts in these sentences.
    Partly(&'static [&'static str]),
    /// None of it: the server answers 501.
    NotYet,
}

impl Coverage {
    /// Every published operation, with its coverage.
    pub fn of_all() -> Vec<(PublishedOperation, Self)> {
        let served: HashSet<&str> = operations().iter().map(|operation| operation.id).collect();
        let coverage = |id: &str| match MISSING.iter().find(|(ids, _)| ids.contains(&id)) {
            _ if !served.contains(id) => Self::NotYet,
            Some((_, missing)) => Self::Partly(missing),
            None => Self::Served,
        };
        PublishedOperation::all().map(|operation| (operation, coverage(operation.id))).collect()
    }

    /// `served`, `partly` or `not yet`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Served => "served",
            Self::Partly(_) => "partly",
            Self::NotYet => "not yet",
        }
    }

    /// The unsupported parts, in sentences. Empty if everything or nothing is supported.
    pub fn missing(self) -> &'static [&'static str] {
        match self {
            Self::Partly(missing) => missing,
            Self::Served | Self::NotYet => &[],
        }
    }
}

const USER_FIELDS: &str = "The optional fields `api_key_last_used_at`, `created`, `is_default`, \
    `is_scale_tier_authorized_purchaser`, `is_scim_managed`, `projects` and `user` are always absent.";

/// The unsupported parts of served operations.
const MISSING: &[(&[&str], &[&str])] = &[
    (&["list-users", "retrieve-user", "modify-user"], &[USER_FIELDS]),
    (
        &["usage-completions"],
        &[
            "All usage comes from the extension `x-create-usage-batch`. Scale Tier is not reported separately.",
        ],
    ),
    (
        &[
            "usage-decisions",
            "usage-embeddings",
            "usage-moderations",
            "usage-audio-speeches",
            "usage-audio-transcriptions",
            "usage-images",
            "usage-code-interpreter-sessions",
            "usage-vector-stores",
            "usage-file-search-calls",
            "usage-web-search-calls",
        ],
        &["All usage comes from the extension `x-create-usage-batch`, since this server serves no models."],
    ),
    (
        &["usage-costs"],
        &[
            "All costs come from the extension `x-create-usage-batch`, in US dollars. Results that are grouped by \
             line item have one result for each unit of quantities.",
        ],
    ),
    (
        &[
            "Getorganizationspendlimit",
            "Updateorganizationspendlimit",
            "Getprojectspendlimit",
            "Updateprojectspendlimit",
        ],
        &["`enforcement.status` is always `inactive`: recorded costs are not compared with limits."],
    ),
    (
        &[
            "create-organization-spend-alert",
            "update-organization-spend-alert",
            "create-project-spend-alert",
            "update-project-spend-alert",
        ],
        &["No alert is sent: recorded costs are not compared with thresholds."],
    ),
    (&["create-external-key"], &["The key is stored and never used. `workspace_id` is always empty."]),
    (
        &["validate-external-key"],
        &["This server cannot reach key services and answers 503, except in an emulator without that rule."],
    ),
    (
        &["create-workload-identity-provider", "update-workload-identity-provider"],
        &["The provider is stored and never used: this server exchanges no tokens."],
    ),
    (
        &["update-project-service-tier-settings"],
        &[
            "No request uses a tier, since this server serves no models. The policy of the organization is not known.",
        ],
    ),
    (
        &["create-external-storage"],
        &[
            "The storage is recorded and never used. `region` and `geography` are empty unless the type is `oci`, \
             since only the cloud knows them.",
        ],
    ),
    (&["delete-external-storage"], &["The data retention of the project does not change."]),
    (
        &["validate-external-storage"],
        &["This server cannot reach other clouds and answers 503, except in an emulator without that rule."],
    ),
    (
        &["create-federation-rule", "update-federation-rule"],
        &["The rule is stored and never used: this server exchanges no tokens."],
    ),
    (
        &["list-audit-logs"],
        &[
            "Event types that this server does not record are valid filters, but match nothing.",
            "`actor_emails[]` and `tenant_only` match nothing: no event has an actor with an address, or a tenant.",
            "An actor is an API key or a session, identified by its id. The owner of a key and the address of a \
             session are not recorded.",
        ],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn served_operations_match_the_published_ones() {
        let published: Vec<PublishedOperation> = PublishedOperation::all().collect();
        for facts in operations().into_iter().filter(|facts| !facts.is_extension()) {
            let found = published.iter().find(|operation| operation.id == facts.id).expect(facts.id);
            assert_eq!(
                (found.method, found.path, found.tag),
                (facts.method, facts.path, facts.tag),
                "{}",
                facts.id
            );
        }
    }

    #[test]
    fn only_served_operations_have_unsupported_parts() {
        let served: Vec<&str> = operations().iter().map(|facts| facts.id).collect();
        let mut seen = HashSet::new();
        for (ids, missing) in MISSING {
            assert!(!missing.is_empty() && missing.iter().all(|sentence| sentence.ends_with('.')), "{ids:?}");
            for id in *ids {
                assert!(served.contains(id), "{id} is not served");
                assert!(seen.insert(id), "{id} is in two rows");
            }
        }
    }
}
