//! The names of groups and users in a table of events.

use std::collections::{BTreeSet, HashMap};

use openai_admin::{AuditLogActorType, Client, GroupId, ListItem, UserId, models::AuditLog};
use serde::Serialize;
use serde_json::Value;

use crate::{
    failure::Result,
    output::{Output, Record, unprintable},
    progress,
};

/// How many groups and users are looked up for one table. Further ones are shown by id.
const LOOKED_UP_MAX: usize = 200;

/// The fields that hold ids.
const ID_FIELDS: [&str; 3] = ["actor_id", "resource_id", "user_id"];

/// The actors of changes to a database without a server. The name of the user follows after a colon, if it was known.
const OWN_ACTORS: [&str; 2] = ["local", "load"];

/// Whether an actor is a command on the machine of the database, such as `local` or `local:ada`.
pub(super) fn is_own_actor(actor: &str) -> bool {
    OWN_ACTORS.contains(&actor.split(':').next().unwrap_or_default())
}

/// A group or a user in an event.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Mentioned {
    Group(String),
    User(String),
}

/// An event as a row of a table, with names of groups and addresses of users instead of their ids.
#[derive(Debug, Serialize)]
pub(super) struct NamedEvent {
    event: AuditLog,
    row: Value,
}

impl Record for NamedEvent {
    const FIELDS: &'static [&'static str] = AuditLog::FIELDS;
    const COLUMNS: &'static [(&'static str, &'static str)] = AuditLog::COLUMNS;

    fn fields(&self) -> serde_json::Result<Value> {
        Ok(self.row.clone())
    }
}

impl ListItem for NamedEvent {
    const LIST_SCHEMA: &'static str = AuditLog::LIST_SCHEMA;

    fn id(&self) -> &str {
        self.event.id()
    }
}

/// Adds names to the events. An id stays if the key may not read what it refers to, or if that was deleted.
pub(super) async fn with_names(
    client: &Client,
    events: Vec<AuditLog>,
    output: &Output,
) -> Result<Vec<NamedEvent>> {
    let mentioned: BTreeSet<Mentioned> = events.iter().flat_map(mentioned).collect();
    let names = names(client, mentioned.into_iter().take(LOOKED_UP_MAX).collect(), output).await;
    let mut named = Vec::with_capacity(events.len());
    for event in events {
        let mut row = event.fields().map_err(unprintable)?;
        for field in ID_FIELDS {
            if let Some(name) = row[field].as_str().and_then(|id| names.get(id)) {
                row[field] = Value::String(name.clone());
            }
        }
        named.push(NamedEvent { event, row });
    }
    Ok(named)
}

/// The groups and users that an event names.
fn mentioned(event: &AuditLog) -> Vec<Mentioned> {
    let mut mentioned = Vec::new();
    if let Some(actor) = event.actor.as_ref().filter(|actor| actor.r#type == AuditLogActorType::Session) {
        let id = actor.id().filter(|id| !is_own_actor(id));
        mentioned.extend(id.map(|id| Mentioned::User(id.to_owned())));
    }
    if let Some(detail) = &event.detail {
        let id = detail.id.clone();
        match event.r#type.as_str().split('.').next() {
            Some("group") => mentioned.extend(id.map(Mentioned::Group)),
            Some("user") => mentioned.extend(id.map(Mentioned::User)),
            _ => {}
        }
        mentioned.extend(detail.group_id.as_ref().map(|id| Mentioned::Group(id.to_string())));
        mentioned.extend(detail.user_id.as_ref().map(|id| Mentioned::User(id.to_string())));
    }
    mentioned
}

/// The names by id. Empty if a lookup fails: the table then shows ids.
async fn names(client: &Client, mentioned: Vec<Mentioned>, output: &Output) -> HashMap<String, String> {
    let found = progress::run_concurrently(output, mentioned, |one| name(client, one)).await;
    found.unwrap_or_default().into_iter().flatten().collect()
}

/// The id and the name of one; none if it was deleted.
async fn name(
    client: &Client,
    mentioned: Mentioned,
) -> Result<Option<(String, String)>, openai_admin::Error> {
    let (id, name) = match mentioned {
        Mentioned::Group(id) => {
            let Ok(group_id) = GroupId::new(&*id) else { return Ok(None) };
            (id, client.groups().retrieve_group(group_id).await.map(|group| Some(group.name.to_string())))
        }
        Mentioned::User(id) => {
            let Ok(user_id) = UserId::new(&*id) else { return Ok(None) };
            let user = client.users().retrieve_user(user_id).await;
            let shown = user.map(|user| {
                let shown = user.email.as_deref().or(user.name.as_deref());
                shown.map(str::to_owned)
            });
            (id, shown)
        }
    };
    match name {
        Ok(name) => Ok(name.map(|name| (id, name))),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}
