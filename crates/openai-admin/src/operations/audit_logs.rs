//! The audit log of the organization: `/organization/audit_logs`.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::record::record;
use crate::{
    AuditLogActorType, AuditLogEventType, AuditLogId, Cursor, GroupId, IdPage, Limit, ListEndpoint, ListItem,
    Page, PersonalText, Timestamp, UserId, UserRole, Violation, endpoint::endpoint, operations::roles::Role,
};

const TAG: &str = "Audit Logs";

/// Lists user actions and configuration changes within the organization, newest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ListAuditLogs {
    /// Only events in this range of time.
    #[serde(default)]
    pub effective_at: TimeRange,
    /// Only events of these projects.
    #[serde(default, rename = "project_ids[]")]
    pub project_ids: Vec<String>,
    /// Only events of these types.
    #[serde(default, rename = "event_types[]")]
    pub event_types: Vec<AuditLogEventType>,
    /// Only events by these actors: IDs of users, of service accounts or of API keys.
    #[serde(default, rename = "actor_ids[]")]
    pub actor_ids: Vec<String>,
    /// Only events by users with these email addresses.
    #[serde(default, rename = "actor_emails[]")]
    pub actor_emails: Vec<PersonalText>,
    /// Only events about these resources, such as the ID of a group or of a user.
    #[serde(default, rename = "resource_ids[]")]
    pub resource_ids: Vec<String>,
    /// Only events of the tenant. All given types must be types of the tenant.
    pub tenant_only: Option<bool>,
    /// How many events to return.
    pub limit: Option<Limit<1, 100, 20>>,
    /// Return events older than this one: the `last_id` of the previous page.
    pub after: Option<Cursor>,
    /// Return the next newer events after this one, in a separate page: the `first_id` of the last page.
    pub before: Option<Cursor>,
}

impl ListAuditLogs {
    /// The newest events, with default parameters.
    pub fn new() -> Self {
        Self::default()
    }
}

endpoint!(ListAuditLogs, "list-audit-logs", GET "/organization/audit_logs", AUDIT_LOGS_READ -> ListAuditLogsResponse);

/// With `before`, the next page is the one with newer events, so the list reads towards the newest event.
impl ListEndpoint for ListAuditLogs {
    fn set_after(&mut self, after: Cursor) {
        match self.before.is_some() {
            true => self.before = Some(after),
            false => self.after = Some(after),
        }
    }
    fn after(&self) -> Option<&Cursor> {
        self.before.as_ref().or(self.after.as_ref())
    }
    fn next_cursor(&self, page: &ListAuditLogsResponse) -> Option<Cursor> {
        match self.before.is_some() {
            true => page.first_id.clone().filter(|_| page.has_more),
            false => page.next_cursor(),
        }
    }
    fn set_limit(&mut self, limit: i64) -> Result<(), Violation> {
        self.limit = Some(Limit::new(limit)?);
        Ok(())
    }
    fn limit(&self) -> u16 {
        self.limit.unwrap_or_default().get()
    }
}

/// A range of time. An absent bound does not limit it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(inline))]
#[non_exhaustive]
pub struct TimeRange {
    /// After this time, in unix seconds.
    #[serde(default, deserialize_with = "seconds")]
    pub gt: Option<Timestamp>,
    /// At or after this time, in unix seconds.
    #[serde(default, deserialize_with = "seconds")]
    pub gte: Option<Timestamp>,
    /// Before this time, in unix seconds.
    #[serde(default, deserialize_with = "seconds")]
    pub lt: Option<Timestamp>,
    /// At or before this time, in unix seconds.
    #[serde(default, deserialize_with = "seconds")]
    pub lte: Option<Timestamp>,
}

/// A number that can be decoded from a query, where all values are text.
pub(super) fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    Ok(Option::<i64>::deserialize(deserializer)?.map(Timestamp::from_unix_seconds))
}

/// A page of the audit log.
pub type ListAuditLogsResponse = IdPage<AuditLog>;

/// A log of a user action or configuration change within this organization.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "AuditLogFields", into = "AuditLogFields")]
#[non_exhaustive]
pub struct AuditLog {
    /// The ID of this log.
    pub id: AuditLogId,
    /// The type of the event.
    pub r#type: AuditLogEventType,
    /// The time of the event.
    pub effective_at: Timestamp,
    /// The project of the event, if it has one.
    pub project: Option<AuditLogProject>,
    /// The actor.
    pub actor: Option<AuditLogActor>,
    /// The details, in a field with the name of the type.
    pub detail: Option<AuditLogDetail>,
    /// Fields that this version does not know.
    pub other: OtherFields,
}

impl AuditLog {
    /// An event without details.
    pub fn new(id: AuditLogId, r#type: AuditLogEventType, effective_at: Timestamp) -> Self {
        Self {
            id,
            r#type,
            effective_at,
            project: None,
            actor: None,
            detail: None,
            other: OtherFields::default(),
        }
    }
}

impl ListItem for AuditLog {
    const LIST_SCHEMA: &'static str = "ListAuditLogsResponse";
    fn id(&self) -> &str {
        self.id.as_str()
    }
}

/// An event, as in JSON.
#[derive(Clone, Serialize, Deserialize)]
struct AuditLogFields {
    id: AuditLogId,
    r#type: AuditLogEventType,
    effective_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    project: Option<AuditLogProject>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    actor: Option<AuditLogActor>,
    #[serde(flatten)]
    other: Map<String, Value>,
}

impl From<AuditLogFields> for AuditLog {
    fn from(fields: AuditLogFields) -> Self {
        let AuditLogFields { id, r#type, effective_at, project, actor, mut other } = fields;
        // Unknown details are kept as unknown fields.
        let detail = other.get(r#type.as_str()).and_then(|detail| AuditLogDetail::deserialize(detail).ok());
        if detail.is_some() {
            other.remove(r#type.as_str());
        }
        Self { id, r#type, effective_at, project, actor, detail, other: OtherFields(other) }
    }
}

impl From<AuditLog> for AuditLogFields {
    fn from(log: AuditLog) -> Self {
        let AuditLog { id, r#type, effective_at, project, actor, detail, other: OtherFields(mut other) } =
            log;
        if let Some(Ok(detail)) = detail.map(serde_json::to_value) {
            other.insert(r#type.as_str().to_owned(), detail);
        }
        Self { id, r#type, effective_at, project, actor, other }
    }
}

/// The details of an event. The fields depend on the type.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct AuditLogDetail {
    /// The ID of the resource that was created, updated or deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The attributes of a created resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<AuditLogPayload>,
    /// The requested changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes_requested: Option<AuditLogPayload>,
    /// The name of the created role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_name: Option<String>,
    /// The permissions of the created role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Vec<String>>,
    /// The name of the certificate that was uploaded, modified or deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The certificates that were activated or deactivated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificates: Option<Vec<AuditLogCertificate>>,
    /// The ID of the group or the user to which a role was assigned, or from which it was unassigned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal_id: Option<String>,
    /// `group` or `user`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal_type: Option<String>,
    /// The resource to which a role or its assignment applies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_id: Option<String>,
    /// The type of that resource, such as `api.organization`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<String>,
    /// Extension: the ID of the group that a user was added to or removed from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_id: Option<GroupId>,
    /// Extension: the ID of the user who was added to a group or removed from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// Fields that this version does not know.
    #[serde(flatten)]
    pub other: OtherFields,
}

record! {
    /// A certificate that was activated or deactivated.
    #[derive(Default)]
    AuditLogCertificate {}
    optional {
        /// The certificate ID.
        id: String,
        /// The name of the certificate.
        name: String,
    }
}

/// The attributes of a created resource, or the requested changes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct AuditLogPayload {
    /// The name of a group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_name: Option<String>,
    /// The role of a user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<UserRole>,
    /// The scopes of an API key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
    /// The number of seconds until an API key expires, counted from the change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in_seconds: Option<i64>,
    /// The name of a project or of a certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The title of the organization or of a project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The name of a role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_name: Option<String>,
    /// The description of a role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The permissions of a role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Vec<String>>,
    /// The permissions added to a role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions_added: Option<Vec<String>>,
    /// The permissions removed from a role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions_removed: Option<Vec<String>>,
    /// Fields that this version does not know.
    #[serde(flatten)]
    pub other: OtherFields,
}

impl AuditLogPayload {
    /// The name of a group.
    pub fn group_name(group_name: impl Into<String>) -> Self {
        Self { group_name: Some(group_name.into()), ..Self::default() }
    }

    /// The role of a user, if present.
    pub fn role(role: Option<UserRole>) -> Self {
        Self { role, ..Self::default() }
    }

    /// The attributes of a created role.
    pub fn role_created(role_name: impl Into<String>, permissions: Vec<String>) -> Self {
        Self { role_name: Some(role_name.into()), permissions: Some(permissions), ..Self::default() }
    }

    /// The changes of an updated role.
    pub fn role_updated(before: &Role, now: &Role) -> Self {
        let beyond = |one: &Role, other: &Role| -> Option<Vec<String>> {
            let difference =
                one.permissions.iter().filter(|permission| !other.permissions.contains(permission));
            Some(difference.cloned().collect::<Vec<_>>()).filter(|permissions| !permissions.is_empty())
        };
        Self {
            role_name: Some(now.name.clone()).filter(|name| *name != before.name),
            description: now.description.clone().filter(|_| now.description != before.description),
            permissions_added: beyond(now, before),
            permissions_removed: beyond(before, now),
            ..Self::default()
        }
    }

    /// The scopes of an API key.
    pub fn scopes(scopes: Vec<String>) -> Self {
        Self { scopes: Some(scopes), ..Self::default() }
    }

    /// The changes of an API key.
    pub fn api_key_updated(scopes: Option<Vec<String>>, expires_in_seconds: Option<i64>) -> Self {
        Self { scopes, expires_in_seconds, ..Self::default() }
    }

    /// The name of a certificate, if it has one.
    pub fn name(name: Option<String>) -> Self {
        Self { name, ..Self::default() }
    }

    /// The attributes of a created project.
    pub fn project_created(name: impl Into<String>) -> Self {
        let name = name.into();
        Self { name: Some(name.clone()), ..Self::title(name) }
    }

    /// The error of a failed sign-in.
    pub fn error(code: &str, message: &str) -> Self {
        let fields = [("error_code", code), ("error_message", message)];
        let fields = fields.map(|(name, text)| (name.to_owned(), Value::from(text)));
        Self { other: OtherFields(Map::from_iter(fields)), ..Self::default() }
    }

    /// The title of the organization or of a project.
    pub fn title(title: impl Into<String>) -> Self {
        Self { title: Some(title.into()), ..Self::default() }
    }
}

/// The project of an event.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct AuditLogProject {
    /// The project ID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The project title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// The actor who performed the audit logged action.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct AuditLogActor {
    /// The type of actor.
    pub r#type: AuditLogActorType,
    /// The session of the actor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<AuditLogActorSession>,
    /// The API key of the actor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<AuditLogActorApiKey>,
}

impl AuditLogActor {
    /// The holder of the API key `id`.
    pub fn api_key(id: impl Into<String>) -> Self {
        let api_key = AuditLogActorApiKey { id: Some(id.into()), ..AuditLogActorApiKey::default() };
        Self { r#type: AuditLogActorType::ApiKey, session: None, api_key: Some(api_key) }
    }

    /// The user `id` in a session.
    pub fn session(id: impl Into<String>) -> Self {
        let user = AuditLogActorUser { id: Some(id.into()), email: None };
        let session = AuditLogActorSession { user: Some(user), ip_address: None };
        Self { r#type: AuditLogActorType::Session, session: Some(session), api_key: None }
    }

    /// The id of the actor: of the API key or the user.
    pub fn id(&self) -> Option<&str> {
        let key = self.api_key.as_ref();
        let session = self.session.as_ref();
        let user = key.and_then(|key| key.user.as_ref()).or_else(|| session?.user.as_ref());
        key.and_then(|key| key.id.as_deref())
            .or_else(|| key?.service_account.as_ref()?.id.as_deref())
            .or_else(|| user?.id.as_deref())
    }
}

/// The session in which the audit logged action was performed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct AuditLogActorSession {
    /// The user of the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<AuditLogActorUser>,
    /// The IP address from which the action was performed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<PersonalText>,
}

/// The API Key used to perform the audit logged action.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct AuditLogActorApiKey {
    /// The tracking id of the API key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The type of API key: `user` or `service_account`. Keys of our server have neither.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r#type: Option<String>,
    /// The owner of the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<AuditLogActorUser>,
    /// The service account that owns the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account: Option<AuditLogActorServiceAccount>,
}

/// The user who performed the audit logged action.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct AuditLogActorUser {
    /// The user id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The user email.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<PersonalText>,
}

/// The service account that performed the audit logged action.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct AuditLogActorServiceAccount {
    /// The service account id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// Unknown fields, unchanged. They may be personal data, so `Debug` shows only their names.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OtherFields(pub Map<String, Value>);

impl fmt::Debug for OtherFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(feature = "schema")]
mod schema {
    use std::borrow::Cow;

    use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
    use serde_json::{Map, Value, json};

    use super::{AuditLog, AuditLogActor, AuditLogDetail, AuditLogProject, OtherFields};
    use crate::{AuditLogEventType, AuditLogId, Timestamp};

    impl JsonSchema for OtherFields {
        fn inline_schema() -> bool {
            true
        }
        fn schema_name() -> Cow<'static, str> {
            "OtherFields".into()
        }
        fn json_schema(_: &mut SchemaGenerator) -> Schema {
            json_schema!({ "type": "object" })
        }
    }

    /// A field for each event type of our server, since the field of the detail has the name of the type.
    impl JsonSchema for AuditLog {
        fn schema_name() -> Cow<'static, str> {
            "AuditLog".into()
        }
        fn json_schema(generator: &mut SchemaGenerator) -> Schema {
            let detail = generator.subschema_for::<AuditLogDetail>();
            let details = AuditLogEventType::RECORDED.iter().map(|r#type| {
                let mut field = json!({
                    "description": "The details for events with this `type`.",
                    "allOf": [detail],
                });
                if r#type.is_extension() {
                    field["x-extension"] = json!(true);
                }
                (r#type.as_str().to_owned(), field)
            });
            let own = [
                ("id".to_owned(), generator.subschema_for::<AuditLogId>().into()),
                ("type".to_owned(), generator.subschema_for::<AuditLogEventType>().into()),
                ("effective_at".to_owned(), generator.subschema_for::<Timestamp>().into()),
                ("project".to_owned(), generator.subschema_for::<AuditLogProject>().into()),
                ("actor".to_owned(), generator.subschema_for::<AuditLogActor>().into()),
            ];
            json_schema!({
                "type": "object",
                "description": "A log of a user action or configuration change within this organization.",
                "properties": own.into_iter().chain(details).collect::<Map<String, Value>>(),
                "required": ["id", "type", "effective_at"],
            })
        }
    }
}
