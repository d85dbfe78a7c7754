//! How much of the published description this server answers.
//!
//! The routes say what is served. What a served operation leaves out is in words here, since no table knows it.

use std::collections::HashSet;

use crate::answer::{published::PublishedOperation, routes::operations};

/// How much of an operation this server answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coverage {
    /// All of it.
    Served,
    /// What is published, except for what these sentences name.
    Partly(&'static [&'static str]),
    /// Nothing: it answers 501 and says so.
    NotYet,
}

impl Coverage {
    /// Every published operation, and how much of it this server answers.
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

    /// What a client that relies on the published description would miss, in sentences. Empty where that is nothing, and
    /// where it is everything.
    pub fn missing(self) -> &'static [&'static str] {
        match self {
            Self::Partly(missing) => missing,
            Self::Served | Self::NotYet => &[],
        }
    }
}

const USER_FIELDS: &str = "The optional fields `api_key_last_used_at`, `created`, `is_default`, \
    `is_scale_tier_authorized_purchaser`, `is_scim_managed`, `projects` and `user` are never written.";

/// What operations that are served leave out.
const MISSING: &[(&[&str], &[&str])] = &[
    (&["list-users", "retrieve-user", "modify-user"], &[USER_FIELDS]),
    (
        &["usage-completions"],
        &[
            "What is counted comes from the extension `x-create-usage-batch` alone: this server serves no models. Scale Tier is \
           not told apart.",
        ],
    ),
    (
        &[
            "Getorganizationspendlimit",
            "Updateorganizationspendlimit",
            "Getprojectspendlimit",
            "Updateprojectspendlimit",
        ],
        &["`enforcement.status` is always `inactive`: costs are not counted, so no spend reaches a limit."],
    ),
    (
        &["list-audit-logs"],
        &[
            "Types of events of operations that are not served are known as filters and find nothing.",
            "`actor_emails[]` and `tenant_only` find nothing: no event is of an actor with an address, or of a tenant.",
            "An actor is an API key or a session, by its id. Whose key it is, and the address that a session came from, \
             are not written.",
        ],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_served_is_what_is_published() {
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
    fn only_what_is_served_is_said_to_lack_something() {
        let served: Vec<&str> = operations().iter().map(|facts| facts.id).collect();
        let mut seen = HashSet::new();
        for (ids, missing) in MISSING {
            assert!(!missing.is_empty() && missing.iter().all(|sentence| sentence.ends_with('.')), "{ids:?}");
            for id in *ids {
                assert!(served.contains(id), "{id} is not served");
                assert!(seen.insert(id), "{id} stands in two rows");
            }
        }
    }
}
