//! `openai-admin audit-logs`: the changes in the organization, with time and actor.

use openai_admin::{
    Client, Timestamp,
    identity::name_key_in_any_case,
    models::{TimeRange, User},
};

use super::memberships::now;
use crate::{
    arguments::{AuditLogsCommand, ListAuditLogsArguments},
    failure::{Doing as _, ExitStatus, Failure, Result},
    lists::{ListPart, PAGE_SIZE, print_list, read_list},
    output::Layout,
    resolve,
    session::Session,
};

mod names;

/// Prefixes of ids.
const ID_PREFIXES: [&str; 8] = ["group_", "group-", "user_", "user-", "key_", "key-", "org_", "org-"];

pub(super) async fn run(command: AuditLogsCommand, session: &Session<'_>) -> Result<()> {
    match command {
        AuditLogsCommand::List(arguments) => list(session, arguments).await,
    }
}

async fn list(session: &Session<'_>, arguments: ListAuditLogsArguments) -> Result<()> {
    let ListAuditLogsArguments { since, until, types, actors, resources, list: part } = arguments;
    let is_in_range = since.is_some() || until.is_some();
    let is_filtered = is_in_range || !types.is_empty() || !actors.is_empty() || !resources.is_empty();
    let mut effective_at = TimeRange::default();
    effective_at.gte = since.map(|point| Timestamp::from_unix_seconds(point.start(now())));
    effective_at.lt = until.map(|point| Timestamp::from_unix_seconds(point.start(now())));
    let client = &session.client;
    let call = client.audit_logs().list_audit_logs().effective_at(effective_at);
    let mut actors = ids(client, actors, FilterTarget::Actor).await?;
    // `--actor local` finds the changes of this user too, which have the name.
    let own = actors.iter().filter(|actor| names::is_own_actor(actor) && !actor.contains(':'));
    let named = own.filter_map(|actor| Some(format!("{actor}:{}", session.user_name.as_ref()?)));
    actors.extend(named.collect::<Vec<_>>());
    let resources = ids(client, resources, FilterTarget::Resource).await?;
    let call = call.event_types(types).actor_ids(actors).resource_ids(resources);
    let none = if is_filtered { "no matching events" } else { "no events" };
    let doing = || "list the audit log".to_owned();
    let output = session.output;
    if !output.is_for_people() {
        return print_list(call, &part, PAGE_SIZE, &Layout::of_record(), none, doing, output).await;
    }
    let ListPart { items, after, is_truncated } = read_list(call, &part, PAGE_SIZE).await.doing(doing)?;
    let items = names::with_names(client, items, output).await?;
    ListPart { items, after, is_truncated }.print(&Layout::of_record(), none, output)
}

/// What a filter refers to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum FilterTarget {
    Actor,
    Resource,
}

impl FilterTarget {
    fn as_str(self) -> &'static str {
        match self {
            Self::Actor => "user or key",
            Self::Resource => "group, user or key",
        }
    }
}

/// The ids of the given actors or resources. The log filters by id only, and finds no event for a name.
async fn ids(client: &Client, texts: Vec<String>, target: FilterTarget) -> Result<Vec<String>> {
    let mut ids = Vec::with_capacity(texts.len());
    for text in texts {
        ids.push(if is_known_as_id(&text) { text } else { id(client, &text, target).await? });
    }
    Ok(ids)
}

/// Whether a text has the form of an id. Removed users and groups exist only in the log, so it needs no lookup.
fn is_known_as_id(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    names::is_own_actor(text)
        || (ID_PREFIXES.iter().any(|prefix| text.starts_with(prefix)) && text.chars().all(is_plain))
}

async fn id(client: &Client, text: &str, target: FilterTarget) -> Result<String> {
    // Ids may have any form: a text with events in the log is one.
    let events = client.audit_logs().list_audit_logs().limit(1);
    let events = match target {
        FilterTarget::Actor => events.actor_ids([text.to_owned()]),
        FilterTarget::Resource => events.resource_ids([text.to_owned()]),
    };
    if !events.await.doing(|| "list the audit log".to_owned())?.data.is_empty() {
        return Ok(text.to_owned());
    }
    if text.contains('@') {
        return Ok(resolve::user(client, text).await?.id.to_string());
    }
    if target == FilterTarget::Resource {
        match resolve::group(client, text).await {
            Ok(group) => return Ok(group.id.to_string()),
            Err(failure) if failure.status == ExitStatus::NotFound => {}
            Err(failure) => return Err(failure),
        }
    }
    user_named(client, text, target).await
}

/// The user with this name, or a failure with suggestions.
async fn user_named(client: &Client, text: &str, target: FilterTarget) -> Result<String> {
    let users = resolve::known_users(client).await;
    let key = name_key_in_any_case(text);
    let named_users: Vec<&User> = users
        .iter()
        .filter(|user| user.name.as_deref().is_some_and(|name| name_key_in_any_case(name) == key))
        .collect();
    match named_users.as_slice() {
        [user] => Ok(user.id.to_string()),
        [] => {
            let what = target.as_str();
            let message = format!("no {what} has the id, address or name '{text}', and no event mentions it");
            let mut failure = Failure::not_found(message);
            resolve::suggest(text, &users, &mut failure);
            Err(failure)
        }
        several => {
            let message = format!("{} users have the name '{text}'", several.len());
            Err(resolve::ambiguous(message, several.iter().map(|user| user.id.to_string())))
        }
    }
}
