//! The fields and columns of everything that is printed.

use openai_admin::models::{
    GroupDeletedResource, GroupMemberUser, GroupResponse, GroupUser, User, UserDeleteResponse,
};
use openai_admin_store::ApiKey;

use super::Record;

impl Record for GroupResponse {
    const FIELDS: &'static [&'static str] = &["id", "name", "created_at", "is_scim_managed", "group_type"];
    const COLUMNS: &'static [(&'static str, &'static str)] = &[
        ("NAME", "name"),
        ("ID", "id"),
        ("CREATED (UTC)", "created_at"),
        ("SCIM", "is_scim_managed"),
        ("TYPE", "group_type"),
    ];
}

impl Record for GroupDeletedResource {
    const FIELDS: &'static [&'static str] = &["object", "id", "deleted"];
    const COLUMNS: &'static [(&'static str, &'static str)] = &[("ID", "id"), ("DELETED", "deleted")];
}

impl Record for GroupUser {
    const FIELDS: &'static [&'static str] = &["id", "name", "email"];
    const COLUMNS: &'static [(&'static str, &'static str)] =
        &[("NAME", "name"), ("EMAIL", "email"), ("ID", "id")];
}

impl Record for GroupMemberUser {
    const FIELDS: &'static [&'static str] =
        &["id", "name", "email", "picture", "is_service_account", "user_type"];
    const COLUMNS: &'static [(&'static str, &'static str)] = &[
        ("NAME", "name"),
        ("EMAIL", "email"),
        ("ID", "id"),
        ("PICTURE", "picture"),
        ("SERVICE ACCOUNT", "is_service_account"),
        ("TYPE", "user_type"),
    ];
}

impl Record for User {
    const FIELDS: &'static [&'static str] = &[
        "object",
        "id",
        "name",
        "email",
        "role",
        "added_at",
        "is_service_account",
        "is_scim_managed",
        "technical_level",
        "developer_persona",
    ];
    const COLUMNS: &'static [(&'static str, &'static str)] =
        &[("NAME", "name"), ("EMAIL", "email"), ("ID", "id"), ("ROLE", "role"), ("ADDED (UTC)", "added_at")];
    const DETAILS: &'static [(&'static str, &'static str)] = &[
        ("SERVICE ACCOUNT", "is_service_account"),
        ("SCIM", "is_scim_managed"),
        ("TECHNICAL LEVEL", "technical_level"),
        ("DEVELOPER PERSONA", "developer_persona"),
    ];
}

impl Record for UserDeleteResponse {
    const FIELDS: &'static [&'static str] = &["object", "id", "deleted"];
    const COLUMNS: &'static [(&'static str, &'static str)] = &[("ID", "id"), ("DELETED", "deleted")];
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
