//! The permissions that exist.

use std::collections::BTreeSet;

use openai_admin::access::predefined_permissions;

use crate::{
    base::error::{Error, Result},
    nouns::roles,
    operation::tx::Tx,
};

/// The permissions that a role of the organization or of any of its projects grants.
///
/// A permission that no role grants is refused: it is almost always a typing error, and the answer "not allowed" would
/// hide it. OpenAI publishes no complete list of permissions, so a permission that only a custom role names is valid. The
/// roles of other projects, also of archived ones, count too: their permissions exist, although they grant nothing in the
/// project of the request.
#[derive(Default)]
pub(crate) struct KnownPermissions {
    /// The permissions of custom roles, once they were read.
    custom: Option<BTreeSet<String>>,
}

impl KnownPermissions {
    /// Refuses a permission that no role grants. `field` is the field that holds it.
    pub(crate) fn check(
        &mut self,
        tx: &mut Tx<'_>,
        permission: &str,
        field: impl FnOnce() -> String,
    ) -> Result<()> {
        if predefined_permissions().any(|known| known == permission) {
            return Ok(());
        }
        let custom = match &mut self.custom {
            Some(custom) => custom,
            none => none.insert(roles::custom_permissions(tx)?),
        };
        match custom.contains(permission) {
            true => Ok(()),
            false => Err(Error::invalid_value(
                field(),
                format!(
                    "a permission that a role grants, but got '{permission}'; `openai-admin access permissions` lists them"
                ),
            )),
        }
    }
}
