//! Events of the audit log as sentences: who did what to which resource.

use std::collections::{BTreeSet, HashMap};

use futures_util::future::join_all;
use openai_admin::{
    Client,
    models::{AdminApiKey, AuditLog, AuditLogDetail},
};

use crate::{
    base::{
        fields::{escaped, link},
        moment::Moment,
    },
    nouns::{groups, people::Person, users},
};

/// How many names of a page are looked up. The others are shown as ids.
const NAMES_MAX: usize = 40;
/// How many admin keys are named.
const KEYS_MAX: i64 = 100;
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

async fn names(client: &Client, events: &[AuditLog]) -> Names {
    let (mut group_ids, mut user_ids) = (BTreeSet::new(), BTreeSet::new());
    for event in events {
        let Some(detail) = &event.detail else { continue };
        group_ids.extend(detail.group_id.as_ref().map(ToString::to_string));
        user_ids.extend(detail.user_id.as_ref().map(ToString::to_string));
        let subject = detail.id.clone().or_else(|| detail.principal_id.clone());
        let is_user = detail.principal_type.as_deref() == Some("user");
        match event.r#type.as_str().split('.').next() {
            Some("group") => group_ids.extend(subject),
            Some("user") => user_ids.extend(subject),
            Some("role") if is_user => user_ids.extend(detail.principal_id.clone()),
            Some("role") => group_ids.extend(detail.principal_id.clone()),
            _ => {}
        }
    }
    let groups = group_ids.into_iter().take(NAMES_MAX).map(|id| async move {
        let group = client.groups().retrieve_group(id.clone()).await.ok()?;
        Some((id, group.name.clone()))
    });
    let users = user_ids.into_iter().take(NAMES_MAX).map(|id| async move {
        let user: Person = client.users().retrieve_user(id.clone()).await.ok()?.into_inner().into();
        Some((id, user.shown().to_owned()))
    });
    let (groups, users) = (join_all(groups).await, join_all(users).await);
    let mut names: HashMap<String, String> = groups.into_iter().chain(users).flatten().collect();
    // A visitor may lack the scopes of these lists.
    if let Ok(roles) = client.roles().list_roles().await {
        names.extend(roles.into_inner().data.into_iter().map(|role| (role.id.to_string(), role.name)));
    }
    if let Ok(keys) = client.admin_api_keys().list_admin_api_keys().limit(KEYS_MAX).await {
        let named = |key: AdminApiKey| Some((key.id.to_string(), key.name?));
        names.extend(keys.into_inner().data.into_iter().filter_map(named));
    }
    Names(names)
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
    let role = detail.id.as_deref().and_then(|id| id.strip_prefix(ASSIGNMENT)?.strip_suffix(principal_id));
    let role = role.map(|role| names.role(role.trim_end_matches('_'))).map(without_page_of_project);
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
