//! Names of resources by their ids: an extension in `/x`.

use super::record::record;
use crate::{NamedKind, endpoint::endpoint};

const TAG: &str = "Audit Logs";

record! {
    /// Extension: looks up the names of up to 1,000 resources at once, such as those of a page of the audit log. Unknown
    /// ids are left out, as are the kinds that the key may not read.
    LookUpNames {
        /// The resources.
        body: LookUpNamesBody,
    }
}

endpoint!(LookUpNames, "x-look-up-names", POST "/x/names/look-up", AUDIT_LOGS_READ -> NameListResource, idempotent);

/// The maximum number of ids that one request looks up.
pub const NAMES_MAX: usize = 1000;

record! {
    /// The resources whose names are looked up.
    LookUpNamesBody {
        /// The ids of groups, users, roles of the organization and admin keys: 1 to 1,000.
        ids: Vec<String>,
    }
}

record! {
    /// Names of resources, in no particular order.
    NameListResource object NameListObject = "x.names" {
        /// The names.
        data: Vec<NamedResource>,
    }
}

record! {
    /// A resource and its name.
    NamedResource {
        /// The ID of the resource.
        id: String,
        /// The kind of the resource.
        kind: NamedKind,
        /// The name. A user without a name has an email address instead.
        name: String,
    }
}
