//! Names of resources by their ids (an extension), read by one statement.

use std::collections::HashSet;

use openai_admin::{
    NamedKind,
    models::{NameListResource, NamedResource},
    operations::{LookUpNames, names::NAMES_MAX},
};

use crate::{
    base::{
        error::{Error, Result},
        value::values,
    },
    operation::{Reads, reading::Reading},
};

/// The names of deleted groups, users and roles are erased. A revoked key keeps its name.
macro_rules! select_names {
    ($ids:literal) => {
        concat!(
            "select 'group', g.id, g.name from groups g where g.org = $1 and g.removed_at is null and g.id in (select value from ",
            $ids,
            ") union all
             select 'user', u.id, case u.name when '' then u.email else u.name end from users u
             where u.org = $1 and u.removed_at is null and u.id in (select value from ",
            $ids,
            ") union all
             select 'role', r.id, r.name from roles r
             where r.org = $1 and r.project_seq = 0 and r.removed_at is null and r.id in (select value from ",
            $ids,
            ") union all
             select 'admin_api_key', k.id, k.name from api_keys k
             where k.org = $1 and k.project_seq is null and k.id in (select value from ",
            $ids,
            ")"
        )
    };
}

const IN_SQLITE: &str = select_names!("json_each($2)");
const IN_POSTGRES: &str =
    select_names!("jsonb_array_elements_text(cast(cast($2 as text) as jsonb)) listed(value)");

impl Reads for LookUpNames {
    fn read(&self, tx: &mut Reading<'_>) -> Result<NameListResource> {
        let ids = &self.body.ids;
        if ids.is_empty() || ids.len() > NAMES_MAX {
            let expected = format!("1 to {NAMES_MAX} ids, but got {}", ids.len());
            return Err(Error::invalid_value("ids", expected));
        }
        // No id contains a NUL, and PostgreSQL refuses a text with one.
        let ids: HashSet<&str> = ids.iter().map(String::as_str).filter(|id| !id.contains('\0')).collect();
        let ids = serde_json::to_string(&ids).map_err(Error::internal)?;
        let (org, sql) = (tx.org(), tx.choose(IN_SQLITE, IN_POSTGRES));
        let names = tx.query(sql, values![org, ids.as_str()], |row| {
            let (kind, id) = (NamedKind::from(row.text(0)?), row.text(1)?.to_owned());
            Ok(row.optional_text(2)?.map(|name| NamedResource::new(id, kind, name.to_owned())))
        })?;
        Ok(NameListResource::new(names.into_iter().flatten().collect()))
    }
}
