//! The numbers of resources of the organization: an extension in `/x`.

use super::record::record;
use crate::endpoint::endpoint;

const TAG: &str = "Projects";

record! {
    /// Extension: counts users, groups, projects and admin keys, each up to 1,000.
    #[derive(Default)]
    RetrieveCounts {}
}

endpoint!(RetrieveCounts, "x-retrieve-counts", GET "/x/counts", MANAGEMENT_READ -> Counts);

/// The largest number of resources of a kind that are counted.
pub const COUNTED_MAX: i64 = 1000;

record! {
    /// The numbers of resources of an organization.
    Counts object CountsObject = "x.counts" {
        /// The users, with service accounts.
        users: Count,
        /// The projects that are not archived.
        projects: Count,
        /// The admin keys that are not revoked.
        admin_api_keys: Count,
    }
    nullable {
        /// The groups; null if the key may not list them.
        groups: Count,
    }
}

record! {
    /// The number of resources of a kind.
    Count {
        /// The number: at most 1,000.
        number: i64,
        /// Whether there are more.
        has_more: bool,
    }
}
