//! Commands that nobody wrote: each is read from the declaration of its operation.
//!
//! The path gives the nouns, the method and the path's form give the verb (`words.rs`), the fields of the request give
//! options (`form.rs`), and the fields of the answer give columns (`columns.rs`). A hand-written command replaces the
//! generated one ([`WRITTEN`]).

mod argument;
mod call;
mod columns;
mod form;
mod given;
mod operation;
mod table;
mod tree;
mod words;

pub(crate) use call::{Call, call};
pub(crate) use columns::{chosen, item, layout};
pub(crate) use given::Given;
pub(crate) use operation::{Listing, Operation, Sent};
pub(crate) use tree::{Extent, grow};
pub(crate) use words::{past, phrase};

use words::is_noun;

/// The operations that have a hand-written command, and its words.
const WRITTEN: &[(&str, &str)] = &[
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
    ("list-audit-logs", "audit-logs list"),
];

/// The operations whose commands are generated, as many as may be meant.
pub(crate) fn operations(extent: Extent<'_>) -> Vec<&'static Operation> {
    let may_be_meant = |operation: &Operation| match extent {
        Extent::Typed(typed) => typed.first().is_some_and(|word| is_noun(operation, word)),
        Extent::Named(_) | Extent::Whole => true,
    };
    table::all().filter(|operation| may_be_meant(operation) && !is_written(operation)).collect()
}

/// Whether a generated command begins with this word.
pub(crate) fn has_noun(word: &str) -> bool {
    table::all().any(|operation| is_noun(operation, word))
}

fn is_written(operation: &Operation) -> bool {
    WRITTEN.iter().any(|(id, _)| *id == operation.id)
}

#[cfg(test)]
pub(crate) mod tests;
