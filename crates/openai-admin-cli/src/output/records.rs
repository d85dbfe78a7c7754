//! The fields and columns of everything that is printed.

use openai_admin::{
    AccessPathKind,
    models::{
        AccessCheckResult, AccessPath, AuditLog, GroupDeletedResource, GroupMemberUser, GroupResponse,
        GroupUser, PermissionAccess, PermissionUser, User, UserDeleteResponse,
    },
    wire,
};
use openai_admin_store::ApiKey;
use serde_json::{Value, json};

use super::layout::Record;

impl Record for GroupResponse {
    const COLUMNS: &'static [(&'static str, &'static str)] = &[
        ("NAME", "name"),
        ("ID", "id"),
        ("CREATED (UTC)", "created_at"),
        ("SCIM", "is_scim_managed"),
        ("TYPE", "group_type"),
    ];

    fn names() -> &'static [&'static str] {
        wire::fields::<Self>()
    }
}

impl Record for GroupDeletedResource {
    const COLUMNS: &'static [(&'static str, &'static str)] = &[("ID", "id"), ("DELETED", "deleted")];

    fn names() -> &'static [&'static str] {
        wire::fields::<Self>()
    }
}

impl Record for GroupUser {
    const COLUMNS: &'static [(&'static str, &'static str)] =
        &[("NAME", "name"), ("EMAIL", "email"), ("ID", "id")];

    fn names() -> &'static [&'static str] {
        wire::fields::<Self>()
    }
}

impl Record for GroupMemberUser {
    const COLUMNS: &'static [(&'static str, &'static str)] = &[
        ("NAME", "name"),
        ("EMAIL", "email"),
        ("ID", "id"),
        ("PICTURE", "picture"),
        ("SERVICE ACCOUNT", "is_service_account"),
        ("TYPE", "user_type"),
    ];

    fn names() -> &'static [&'static str] {
        wire::fields::<Self>()
    }
}

impl Record for User {
    const COLUMNS: &'static [(&'static str, &'static str)] =
        &[("NAME", "name"), ("EMAIL", "email"), ("ID", "id"), ("ROLE", "role"), ("ADDED (UTC)", "added_at")];
    const DETAILS: &'static [(&'static str, &'static str)] = &[
        ("SERVICE ACCOUNT", "is_service_account"),
        ("SCIM", "is_scim_managed"),
        ("TECHNICAL LEVEL", "technical_level"),
        ("DEVELOPER PERSONA", "developer_persona"),
    ];
    // In CSV, only the fields that lists of users fill. JSON has the others.
    const FIELDS: &'static [&'static str] =
        &["id", "name", "email", "role", "added_at", "is_service_account", "is_scim_managed"];
}

impl Record for UserDeleteResponse {
    const COLUMNS: &'static [(&'static str, &'static str)] = &[("ID", "id"), ("DELETED", "deleted")];

    fn names() -> &'static [&'static str] {
        wire::fields::<Self>()
    }
}

impl Record for ApiKey {
    const FIELDS: &'static [&'static str] =
        &["id", "name", "redacted_value", "scopes", "created_at", "expires_at", "last_used_at"];
    const COLUMNS: &'static [(&'static str, &'static str)] = &[
        ("NAME", "name"),
        ("ID", "id"),
        ("KEY", "redacted_value"),
        ("EXPIRES (UTC)", "expires_at"),
        ("LAST USED (UTC)", "last_used_at"),
        ("SCOPES", "scopes"),
    ];
}

/// The name of its detail depends on the type, so `fields` gives it one name.
impl Record for AuditLog {
    const FIELDS: &'static [&'static str] =
        &["id", "effective_at", "type", "actor_type", "actor_id", "resource_id", "user_id", "detail"];
    const COLUMNS: &'static [(&'static str, &'static str)] = &[
        ("TIME (UTC)", "effective_at"),
        ("EVENT", "type"),
        ("ACTOR", "actor_id"),
        ("RESOURCE", "resource_id"),
        ("USER", "user_id"),
        ("DETAIL", "detail"),
    ];

    fn fields(&self) -> serde_json::Result<Value> {
        let (actor, detail) = (self.actor.as_ref(), self.detail.as_ref());
        let resource_id = detail.and_then(|detail| match &detail.group_id {
            Some(group_id) => Some(group_id.as_str()),
            None => detail.id.as_deref(),
        });
        let payload = detail.and_then(|detail| detail.data.as_ref().or(detail.changes_requested.as_ref()));
        Ok(json!({
            "id": self.id,
            "effective_at": self.effective_at,
            "type": self.r#type,
            "actor_type": actor.map(|actor| &actor.r#type),
            "actor_id": actor.and_then(|actor| actor.id()),
            "resource_id": resource_id,
            "user_id": detail.and_then(|detail| detail.user_id.as_ref()),
            "detail": values_of(&serde_json::to_value(payload)?),
        }))
    }
}

impl Record for PermissionAccess {
    const COLUMNS: &'static [(&'static str, &'static str)] =
        &[("PERMISSION", "permission"), ("VIA", "paths")];

    fn names() -> &'static [&'static str] {
        wire::fields::<Self>()
    }

    fn fields(&self) -> serde_json::Result<Value> {
        with_paths(serde_json::to_value(self)?, &self.paths)
    }
}

impl Record for PermissionUser {
    const COLUMNS: &'static [(&'static str, &'static str)] =
        &[("NAME", "name"), ("EMAIL", "email"), ("ID", "user_id"), ("VIA", "paths")];

    fn names() -> &'static [&'static str] {
        wire::fields::<Self>()
    }

    fn fields(&self) -> serde_json::Result<Value> {
        with_paths(serde_json::to_value(self)?, &self.paths)
    }
}

impl Record for AccessCheckResult {
    const COLUMNS: &'static [(&'static str, &'static str)] =
        &[("USER", "user_id"), ("PERMISSION", "permission"), ("ALLOWED", "allowed"), ("VIA", "paths")];
    const DETAILS: &'static [(&'static str, &'static str)] = &[("PROJECT", "project_id")];

    fn names() -> &'static [&'static str] {
        wire::fields::<Self>()
    }

    fn fields(&self) -> serde_json::Result<Value> {
        with_paths(serde_json::to_value(self)?, &self.paths)
    }
}

/// The fields with the paths as texts.
fn with_paths(mut fields: Value, paths: &[AccessPath]) -> serde_json::Result<Value> {
    fields["paths"] = match paths {
        [] => Value::Null,
        paths => paths.iter().map(path_text).collect(),
    };
    Ok(fields)
}

/// A path such as `project role member of group Support`.
fn path_text(path: &AccessPath) -> String {
    let mut text = match path.kind {
        AccessPathKind::ProjectMembership | AccessPathKind::ProjectGroup => "project role ".to_owned(),
        AccessPathKind::Implied => "organization ".to_owned(),
        _ => "role ".to_owned(),
    };
    text += &path.role_name;
    if let Some(group) = &path.group_name {
        text = format!("{text} of group {group}");
    }
    if path.assumed { text + " (assumed)" } else { text }
}

/// The values in a payload as one text; null if there are none.
fn values_of(payload: &Value) -> Value {
    let texts: Vec<String> = match payload {
        Value::Object(fields) => {
            fields.values().filter_map(|value| values_of(value).as_str().map(str::to_owned)).collect()
        }
        Value::Array(values) => {
            values.iter().filter_map(|value| values_of(value).as_str().map(str::to_owned)).collect()
        }
        Value::Null => Vec::new(),
        Value::String(text) => vec![text.clone()],
        other => vec![other.to_string()],
    };
    if texts.is_empty() { Value::Null } else { Value::String(texts.join(" ")) }
}
