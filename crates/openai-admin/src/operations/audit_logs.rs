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
    /// Only events of this time.
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
    /// Only events about these things, such as the ID of a group or of a user.
    #[serde(default, rename = "resource_ids[]")]
    pub resource_ids: Vec<String>,
    /// Only events of the tenant. Every type that is asked for must be one of the tenant's then.
    pub tenant_only: Option<bool>,
    /// How many events to return.
    pub limit: Option<Limit<1, 100, 20>>,
    /// Return events that are older than this one: the `last_id` of the page before.
    pub after: Option<Cursor>,
    /// Return the events that came next after this one, as a page of their own: the `first_id` of what was read last.
    pub before: Option<Cursor>,
}

impl ListAuditLogs {
    /// The newest events, with everything at its default.
    pub fn new() -> Self {
        Self::default()
    }
}

endpoint!(ListAuditLogs, "list-audit-logs", GET "/organization/audit_logs", AUDIT_LOGS_READ -> ListAuditLogsResponse);

/// A list that is read before a place goes on before its pages, towards the newest event.
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

/// A range of time; a bound that is absent does not bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(inline))]
#[non_exhaustive]
pub struct TimeRange {
    /// After this moment, in unix seconds.
    #[serde(default, deserialize_with = "seconds")]
    pub gt: Option<Timestamp>,
    /// At this moment or after it, in unix seconds.
    #[serde(default, deserialize_with = "seconds")]
    pub gte: Option<Timestamp>,
    /// Before this moment, in unix seconds.
    #[serde(default, deserialize_with = "seconds")]
    pub lt: Option<Timestamp>,
    /// At this moment or before it, in unix seconds.
    #[serde(default, deserialize_with = "seconds")]
    pub lte: Option<Timestamp>,
}

/// A number, so that it can be read from a query, where everything is text.
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
    /// What happened.
    pub r#type: AuditLogEventType,
    /// When it happened.
    pub effective_at: Timestamp,
    /// The project that it happened in, where it happened in one.
    pub project: Option<AuditLogProject>,
    /// Who did it.
    pub actor: Option<AuditLogActor>,
    /// What happened in detail. It travels under the name of the type.
    pub detail: Option<AuditLogDetail>,
    /// Fields that this version does not know.
    pub other: OtherFields,
}

impl AuditLog {
    /// An event of which nothing else is known.
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

/// An event as it travels.
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
        // A detail of another form is kept as it is, with what else is not known.
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

/// What happened in detail: which of the fields there are depends on the type.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct AuditLogDetail {
    /// The ID of what was created, updated or deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What it was created with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<AuditLogPayload>,
    /// What was asked to change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes_requested: Option<AuditLogPayload>,
    /// The name of a role that was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_name: Option<String>,
    /// What a role that was created grants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Vec<String>>,
    /// The name of a certificate that was uploaded, modified or deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The certificates that were activated or deactivated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificates: Option<Vec<AuditLogCertificate>>,
    /// The ID of the group or the user whose role was assigned or unassigned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal_id: Option<String>,
    /// `group` or `user`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal_type: Option<String>,
    /// The resource that a role or its assignment is scoped to.
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

/// What something was created with, or what was asked to change of it.
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
    /// What an API key may do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
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
    /// What a role grants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Vec<String>>,
    /// What a role grants now, and did not before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions_added: Option<Vec<String>>,
    /// What a role granted before, and does not now.
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

    /// The role of a user, where it is said.
    pub fn role(role: Option<UserRole>) -> Self {
        Self { role, ..Self::default() }
    }

    /// A role that is created.
    pub fn role_created(role_name: impl Into<String>, permissions: Vec<String>) -> Self {
        Self { role_name: Some(role_name.into()), permissions: Some(permissions), ..Self::default() }
    }

    /// What an update of a role changes.
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

    /// What an API key may do.
    pub fn scopes(scopes: Vec<String>) -> Self {
        Self { scopes: Some(scopes), ..Self::default() }
    }

    /// The name of a certificate, if it has one.
    pub fn name(name: Option<String>) -> Self {
        Self { name, ..Self::default() }
    }

    /// A project that is created.
    pub fn project_created(name: impl Into<String>) -> Self {
        let name = name.into();
        Self { name: Some(name.clone()), ..Self::title(name) }
    }

    /// The title of the organization or of a project.
    pub fn title(title: impl Into<String>) -> Self {
        Self { title: Some(title.into()), ..Self::default() }
    }
}

/// The project that something happened in.
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
    /// The session in which it was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<AuditLogActorSession>,
    /// The API key that was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<AuditLogActorApiKey>,
}

impl AuditLogActor {
    /// Somebody with the API key `id`.
    pub fn api_key(id: impl Into<String>) -> Self {
        let api_key = AuditLogActorApiKey { id: Some(id.into()), ..AuditLogActorApiKey::default() };
        Self { r#type: AuditLogActorType::ApiKey, session: None, api_key: Some(api_key) }
    }

    /// The user `id`, in a session of theirs.
    pub fn session(id: impl Into<String>) -> Self {
        let user = AuditLogActorUser { id: Some(id.into()), email: None };
        let session = AuditLogActorSession { user: Some(user), ip_address: None };
        Self { r#type: AuditLogActorType::Session, session: Some(session), api_key: None }
    }

    /// The id of the actor: of the API key, or of the user.
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
    /// Whose session it was.
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
    /// The type of API key: `user` or `service_account`. A key of our own server belongs to neither.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r#type: Option<String>,
    /// Whose key it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<AuditLogActorUser>,
    /// The service account whose key it is.
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

/// Fields that this version does not know, as they came. They may be about people, so `Debug` shows only their names.
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

    /// One field for each type that our server records, since that is where the detail travels.
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
