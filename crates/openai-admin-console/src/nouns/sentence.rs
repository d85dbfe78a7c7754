//! Events of the audit log as sentences: who did what to which resource.

use std::collections::{BTreeSet, HashMap};

use openai_admin::{
    Client,
    models::{AuditLog, AuditLogDetail, LookUpNamesBody},
    operations::names::NAMES_MAX,
};

use crate::{
    base::{
        fields::{escaped, link},
        moment::Moment,
    },
    nouns::{groups, users},
};

/// The start of the id of a role assignment, before the ids of its role and its principal.
const ASSIGNMENT: &str = "role_assignment_";
/// The middle of the id of a predefined role of a project, and its start.
const PROJECT_ROLE: &str = "__api-project__";
const PREDEFINED_PROJECT_ROLE: &str = "role-api-project-";

/// An event as a sentence.
pub(crate) struct Sentence {
    pub(crate) id: String,
    pub(crate) at: Moment,
    pub(crate) kind: String,
    pub(crate) actor: Part,
    pub(crate) parts: Vec<Part>,
}

/// A part of a sentence: words, or the name of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) text: String,
    /// The page of the resource.
    pub(crate) path: Option<String>,
    /// The id of the resource, for the tooltip.
    pub(crate) id: Option<String>,
}

impl Part {
    fn words(text: impl Into<String>) -> Self {
        Self { text: text.into(), path: None, id: None }
    }
}

/// Names of groups and users by id.
#[derive(Default)]
struct Names(HashMap<String, String>);

impl Names {
    fn user(&self, id: &str) -> Part {
        self.resource(id, users::path_of(id))
    }

    fn group(&self, id: &str) -> Part {
        self.resource(id, groups::path_of(id))
    }

    fn role(&self, id: &str) -> Part {
        self.resource(id, format!("/console/roles/{}", escaped(id)))
    }

    fn key(&self, id: &str) -> Part {
        self.resource(id, "/console/keys".to_owned())
    }

    fn resource(&self, id: &str, path: String) -> Part {
        let text = self.0.get(id).cloned().unwrap_or_else(|| id.to_owned());
        Part { text, path: Some(path), id: Some(id.to_owned()) }
    }
}

/// The sentences of events, with the names of their groups and users.
pub(crate) async fn sentences(client: &Client, events: Vec<AuditLog>) -> Vec<Sentence> {
    let names = names(client, &events).await;
    events.into_iter().map(|event| sentence(&names, event)).collect()
}

/// Looks up the names of all resources that the events mention, by one request.
async fn names(client: &Client, events: &[AuditLog]) -> Names {
    let mut ids = BTreeSet::new();
    for event in events {
        ids.extend(event.actor.as_ref().and_then(|actor| actor.id()).map(str::to_owned));
        let Some(detail) = &event.detail else { continue };
        ids.extend(detail.group_id.as_ref().map(ToString::to_string));
        ids.extend(detail.user_id.as_ref().map(ToString::to_string));
        ids.extend(detail.id.clone());
        ids.extend(detail.principal_id.clone());
        ids.extend(role_of_assignment(detail).map(str::to_owned));
    }
    let ids: Vec<String> = ids.into_iter().take(NAMES_MAX).collect();
    if ids.is_empty() {
        return Names::default();
    }
    // Without names, the ids are shown.
    let Ok(found) = client.names().look_up_names(LookUpNamesBody::new(ids)).await else {
        return Names::default();
    };
    Names(found.into_inner().data.into_iter().map(|named| (named.id, named.name)).collect())
}

/// The id of the role in the id of an assignment.
fn role_of_assignment(detail: &AuditLogDetail) -> Option<&str> {
    let principal_id = detail.principal_id.as_deref()?;
    let role = detail.id.as_deref()?.strip_prefix(ASSIGNMENT)?.strip_suffix(principal_id)?;
    Some(role.trim_end_matches('_'))
}

fn sentence(names: &Names, event: AuditLog) -> Sentence {
    let detail = event.detail.clone().unwrap_or_default();
    let kind = event.r#type.as_str().to_owned();
    let mut parts = parts(names, &kind, &detail);
    let project = event.project.as_ref().and_then(|project| project.id.clone());
    if let Some(id) = project.filter(|id| detail.id.as_ref() != Some(id)) {
        let name = event.project.as_ref().and_then(|project| project.name.clone());
        parts.push(Part::words("in project"));
        parts.push(project_part(&id, name));
    }
    let actor = event.actor.as_ref().and_then(|actor| actor.id()).unwrap_or("unknown").to_owned();
    let path = link("/console/audit", &[("actor", &actor)]);
    let actor = names.resource(&actor, path);
    Sentence { id: event.id.to_string(), at: event.effective_at.into(), kind, actor, parts }
}

fn project_part(id: &str, name: Option<String>) -> Part {
    let path = format!("/console/projects/{}", escaped(id));
    Part { text: name.unwrap_or_else(|| id.to_owned()), path: Some(path), id: Some(id.to_owned()) }
}

/// The words of an event after its actor.
fn parts(names: &Names, kind: &str, detail: &AuditLogDetail) -> Vec<Part> {
    let user = detail.user_id.as_ref().map(|id| names.user(id.as_str()));
    let group = detail.group_id.as_ref().map(|id| names.group(id.as_str()));
    match (kind, user, group) {
        ("group.user.added", Some(user), Some(group)) => {
            return vec![Part::words("added"), user, Part::words("to"), group];
        }
        ("group.user.removed", Some(user), Some(group)) => {
            return vec![Part::words("removed"), user, Part::words("from"), group];
        }
        ("project.user.added", Some(user), _) => return vec![Part::words("gave access to"), user],
        ("project.user.removed", Some(user), _) => return vec![Part::words("ended the access of"), user],
        ("project.group.added", _, Some(group)) => {
            return vec![Part::words("gave access to the group"), group];
        }
        ("project.group.removed", _, Some(group)) => {
            return vec![Part::words("ended the access of the group"), group];
        }
        ("login.succeeded", ..) => return vec![Part::words("signed in to the web console")],
        ("login.failed", ..) => return vec![Part::words("failed to unlock the web console")],
        ("logout.succeeded", ..) => return vec![Part::words("signed out of the web console")],
        _ => {}
    }
    if kind.starts_with("role.assignment.") {
        return assignment(names, kind, detail);
    }
    let (noun, verb) = kind.rsplit_once('.').unwrap_or((kind, "changed"));
    let words = noun.replace(['.', '_'], " ").replace("api key", "API key");
    let mut parts = vec![Part::words(format!("{verb} the {words}"))];
    parts.extend(subject(names, noun, detail));
    parts
}

fn assignment(names: &Names, kind: &str, detail: &AuditLogDetail) -> Vec<Part> {
    let (verb, preposition) = match kind.ends_with("created") {
        true => ("assigned the role", "to"),
        false => ("unassigned the role", "from"),
    };
    let principal_id = detail.principal_id.as_deref().unwrap_or_default();
    let role = role_of_assignment(detail).map(|role| names.role(role)).map(without_page_of_project);
    let principal = match detail.principal_type.as_deref() {
        Some("user") => names.user(principal_id),
        _ => names.group(principal_id),
    };
    let verb = if role.is_some() { verb } else { verb.trim_end_matches("the role") };
    [Some(Part::words(verb)), role, Some(Part::words(preposition)), Some(principal)]
        .into_iter()
        .flatten()
        .collect()
}

/// A role of a project, which has no page: the predefined ones are named after their kind.
fn without_page_of_project(role: Part) -> Part {
    match role.id.as_deref().and_then(|id| id.split_once(PROJECT_ROLE)) {
        Some((kind, _)) => {
            let text = kind.trim_start_matches(PREDEFINED_PROJECT_ROLE).to_owned();
            Part { text, path: None, ..role }
        }
        None => role,
    }
}

/// The resource of an event, by the best name that the event or a look-up has.
fn subject(names: &Names, noun: &str, detail: &AuditLogDetail) -> Option<Part> {
    let payload = detail.data.as_ref().or(detail.changes_requested.as_ref());
    let named = payload.and_then(|payload| payload.group_name.clone().or_else(|| payload.name.clone()));
    let named = named.or_else(|| detail.role_name.clone());
    let id = detail.id.as_deref()?;
    let part = match noun {
        "group" => names.group(id),
        "user" => names.user(id),
        "role" => names.role(id),
        "api_key" => names.key(id),
        "project" => project_part(id, None),
        _ => Part { text: id.to_owned(), path: None, id: Some(id.to_owned()) },
    };
    let is_known = part.text != id;
    Some(match named.or_else(|| detail.name.clone()) {
        Some(name) if !is_known => Part { text: name, ..part },
        _ => part,
    })
}
