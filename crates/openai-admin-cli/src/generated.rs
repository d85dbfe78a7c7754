//! Generated commands: each comes from the declaration of its operation.
//!
//! The path gives the nouns, the method and the path's form give the verb (`words.rs`), the fields of the request give
//! options (`form.rs`), and the fields of the response give columns (`columns.rs`). A hand-written command replaces the
//! generated one ([`HAND_WRITTEN`]).

mod argument;
mod call;
mod columns;
mod form;
mod operation;
mod request_fields;
mod table;
mod tree;
mod words;

pub(crate) use call::{Call, call};
pub(crate) use columns::{chosen_columns, item, layout};
pub(crate) use operation::{Dispatch, Listing, Operation};
pub(crate) use request_fields::RequestFields;
pub(crate) use tree::{Extent, add_commands};
pub(crate) use words::{past, phrase};

use openai_admin::Method;
use words::{is_noun, words};

/// The operations with a hand-written command, and its words.
const HAND_WRITTEN: &[(&str, &str)] = &[
    ("list-groups", "groups list"),
    ("create-group", "groups create"),
    ("retrieve-group", "groups get"),
    ("update-group", "groups rename"),
    ("delete-group", "groups delete"),
    ("list-group-users", "groups users list"),
    ("add-group-user", "groups users add"),
    ("retrieve-group-user", "groups users get"),
    ("remove-group-user", "groups users remove"),
    ("list-users", "users list"),
    ("retrieve-user", "users get"),
    ("modify-user", "users update"),
    ("delete-user", "users remove"),
    ("x-create-user", "users create"),
    ("x-list-user-groups", "users groups"),
    ("create-project-user", "projects users add"),
    ("inviteUser", "invites create"),
    ("list-audit-logs", "audit-logs list"),
    ("usage-costs", "costs"),
    ("x-search-users", "users search"),
    ("x-retrieve-user-access", "access of"),
    ("x-list-permission-users", "access who"),
    ("x-check-access", "access explain"),
];

/// The operations with a generated command, limited to the extent.
pub(crate) fn operations(extent: Extent<'_>) -> Vec<&'static Operation> {
    let is_in_extent = |operation: &Operation| match extent {
        Extent::Typed(typed) => typed.first().is_some_and(|word| is_noun(operation, word)),
        Extent::Named(_) | Extent::Whole => true,
    };
    table::all().filter(|operation| is_in_extent(operation) && !is_hand_written(operation)).collect()
}

/// The operation that reads the thing that an operation removes or archives.
pub(crate) fn retrieval(operation: &Operation) -> Option<&'static Operation> {
    let path = operation.path.trim_end_matches("/archive");
    table::all().find(|other| other.method == Method::Get && other.path == path)
}

/// A message of the service with commands in place of operations, which it names in backquotes.
pub(crate) fn with_commands(message: &str) -> String {
    let is_quoted = |position: usize| position % 2 == 1;
    let parts = message.split('`').enumerate().map(|(position, part)| match command_of(part) {
        Some(words) if is_quoted(position) => format!("openai-admin {words}"),
        _ => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join("`")
}

/// The words of an operation's command.
fn command_of(id: &str) -> Option<String> {
    let operations: Vec<&Operation> = table::all().collect();
    let operation = operations.iter().find(|operation| operation.id == id)?;
    let hand_written = HAND_WRITTEN.iter().find(|(other, _)| *other == id);
    Some(
        hand_written
            .map_or_else(|| words(operation, &operations).join(" "), |(_, words)| (*words).to_owned()),
    )
}

/// Whether a generated command starts with this word.
pub(crate) fn has_noun(word: &str) -> bool {
    table::all().any(|operation| is_noun(operation, word))
}

fn is_hand_written(operation: &Operation) -> bool {
    HAND_WRITTEN.iter().any(|(id, _)| *id == operation.id)
}

#[cfg(test)]
pub(crate) mod tests;
