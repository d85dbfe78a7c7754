//! Settings: values that the organization and each project have at most one of.
//!
//! All settings share one table and four statements. A setting is data, so a new one needs no migration. Its value is
//! stored as the payload of the event that set it, so that `verify` compares two texts.

use openai_admin::models::{AuditLogPayload, OtherFields};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value as Json;

use crate::{
    base::{
        error::{Error, Result},
        value::values,
    },
    operation::{audit_events::Places, change::Change, tx::Tx},
    shapes::assignment::Resource,
};

/// A setting as data, for everything that walks all settings.
#[derive(Debug)]
pub(crate) struct Setting {
    /// The name in the database and in documents of `load` and `dump`.
    pub(crate) name: &'static str,
    /// The event of a value that is set.
    pub(crate) set: &'static str,
    /// The event of a value that is removed, if it can be.
    pub(crate) cleared: Option<&'static str>,
    /// Checks a value of a document, and returns it as the payload of an event.
    pub(crate) read: fn(Json, Resource) -> Result<AuditLogPayload>,
}

/// The value of a setting: an object in JSON.
pub(crate) trait SettingValue: Serialize + DeserializeOwned {
    /// Its setting.
    const SETTING: &'static Setting;

    /// The value as it is stored, or an error that names the field that cannot be.
    fn checked(self) -> Result<Self>;
}

/// The value of a resource, if one is set.
pub(crate) fn get<V: SettingValue>(tx: &mut Tx<'_>, resource: Resource) -> Result<Option<V>> {
    let value = stored(tx, V::SETTING, resource)?;
    value.map(|value| serde_json::from_str(&value)).transpose().map_err(Error::internal)
}

/// Sets the value of a resource, and returns it as it is stored.
pub(crate) fn set<V: SettingValue>(change: &mut Change<'_>, resource: Resource, value: V) -> Result<V> {
    let value = value.checked()?;
    write(change, V::SETTING, resource, &payload(&value)?)?;
    Ok(value)
}

/// Reads a value of a document that only a project can have.
pub(crate) fn of_project<V: SettingValue>(value: Json, resource: Resource) -> Result<AuditLogPayload> {
    match resource {
        Resource::Organization => {
            Err(Error::invalid_value("project", "a project, since the organization has no such setting"))
        }
        Resource::Project(_) => read::<V>(value),
    }
}

/// Reads a value of a document.
pub(crate) fn read<V: SettingValue>(value: Json) -> Result<AuditLogPayload> {
    let value: V = serde_json::from_value(value)
        .map_err(|error| Error::invalid_value("value", format!("a value as a dump holds it: {error}")))?;
    payload(&value.checked()?)
}

fn payload(value: &impl Serialize) -> Result<AuditLogPayload> {
    let Json::Object(fields) = serde_json::to_value(value).map_err(Error::internal)? else {
        return Err(Error::internal("the value of a setting is an object"));
    };
    let mut payload = AuditLogPayload::default();
    payload.other = OtherFields(fields);
    Ok(payload)
}

/// Writes a value that was checked, and says whether it changed.
pub(crate) fn write(
    change: &mut Change<'_>,
    setting: &Setting,
    resource: Resource,
    payload: &AuditLogPayload,
) -> Result<bool> {
    let (org, project_seq) = (change.org(), resource.project_seq());
    let value = serde_json::to_string(payload).map_err(Error::internal)?;
    if stored(change, setting, resource)?.is_some_and(|stored| stored == value) {
        return Ok(false);
    }
    change.execute(
        "insert into settings (org, project_seq, setting, value) values ($1, $2, $3, $4)
         on conflict (org, project_seq, setting) do update set value = excluded.value",
        values![org, project_seq, setting.name, value.as_str()],
    )?;
    change.record(setting.set, places(resource).with(Some(payload)))?;
    Ok(true)
}

/// Removes the value of a resource, and says whether one was set.
pub(crate) fn clear<V: SettingValue>(change: &mut Change<'_>, resource: Resource) -> Result<bool> {
    let (org, project_seq) = (change.org(), resource.project_seq());
    let removed = change.execute(
        "delete from settings where org = $1 and project_seq = $2 and setting = $3",
        values![org, project_seq, V::SETTING.name],
    )?;
    if removed == 0 {
        return Ok(false);
    }
    let event = V::SETTING.cleared.ok_or_else(|| Error::internal("the setting cannot be removed"))?;
    change.record(event, places(resource))?;
    Ok(true)
}

/// Each value of the organization and its projects: the number of the project, the name of the setting and the value.
pub(crate) fn all(tx: &mut Tx<'_>) -> Result<Vec<(i64, String, String)>> {
    let org = tx.org();
    tx.query(
        "select project_seq, setting, value from settings where org = $1 order by project_seq, setting",
        values![org],
        |row| Ok((row.integer(0)?, row.text(1)?.to_owned(), row.text(2)?.to_owned())),
    )
}

fn stored(tx: &mut Tx<'_>, setting: &Setting, resource: Resource) -> Result<Option<String>> {
    let (org, project_seq) = (tx.org(), resource.project_seq());
    tx.query_one(
        "select value from settings where org = $1 and project_seq = $2 and setting = $3",
        values![org, project_seq, setting.name],
        |row| Ok(row.text(0)?.to_owned()),
    )
}

/// An event of a setting is about the project, or about nothing but the organization.
fn places(resource: Resource) -> Places<'static> {
    let project_seq = resource.project_seq();
    Places { project_seq: (project_seq != 0).then_some(project_seq), ..Places::default() }
}
