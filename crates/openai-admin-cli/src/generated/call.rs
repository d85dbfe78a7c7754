//! A generated command with its arguments.

use std::path::PathBuf;

use clap::{ArgMatches, FromArgMatches as _};
use openai_admin::wire::FieldPosition;
use serde_json::{Map, Value};

use super::{
    argument::{BODY, json, texts},
    form::{Form, form},
    operation::Operation,
    request_fields::RequestFields,
    words::{is_destructive, with_words},
};
use crate::arguments::{ListArguments, RemovalArguments};

/// A generated command with its arguments.
pub(crate) struct Call {
    pub(crate) operation: &'static Operation,
    /// The nouns, and the verb last.
    pub(crate) words: Vec<String>,
    pub(crate) form: Form,
    /// The part of a list.
    pub(crate) part: Option<ListArguments>,
    /// The consent or preview of a destructive command; none for other commands.
    pub(crate) removal: Option<RemovalArguments>,
    /// The file with the body.
    pub(crate) body: Option<PathBuf>,
    pub(crate) given: RequestFields,
}

/// The operation and its arguments; none for a hand-written command.
pub(crate) fn call(
    matches: &ArgMatches,
    operations: &[&'static Operation],
) -> Result<Option<Call>, clap::Error> {
    let (mut typed, mut leaf): (Vec<&str>, _) = (Vec::new(), matches);
    while let Some((name, below)) = leaf.subcommand() {
        typed.push(name);
        leaf = below;
    }
    let Some((words, operation)) = with_words(operations).into_iter().find(|(words, _)| *words == typed)
    else {
        return Ok(None);
    };
    let form = form(operation);
    let part = form.page_size.is_some().then(|| ListArguments::from_arg_matches(leaf)).transpose()?;
    let is_destructive = is_destructive(operation, words.last().map_or("", String::as_str));
    let removal = is_destructive.then(|| RemovalArguments::from_arg_matches(leaf)).transpose()?;
    let body = if form.takes_body { leaf.get_one(BODY).cloned() } else { None };
    let given = given(&form, leaf);
    Ok(Some(Call { operation, words, form, part, removal, body, given }))
}

/// The arguments by their position in the request. An operation with a body always sends one.
fn given(form: &Form, matches: &ArgMatches) -> RequestFields {
    let has_body = form.takes_body || form.fields.iter().any(|field| field.position == FieldPosition::Body);
    let mut given =
        RequestFields { body: has_body.then(|| Value::Object(Map::new())), ..RequestFields::default() };
    for field in &form.fields {
        let texts = texts(field, matches);
        match (field.position, &mut given.body) {
            (FieldPosition::Path, _) => {
                given.path.extend(texts.into_iter().map(|text| (field.name.clone(), text)))
            }
            (FieldPosition::Body, Some(body)) if !texts.is_empty() => {
                let mut values: Vec<Value> = texts.into_iter().map(|text| json(&field.kind, text)).collect();
                body[&field.name] = if field.is_list { values.into() } else { values.remove(0) };
            }
            (FieldPosition::Body, _) => {}
            _ => given.query.extend(texts.into_iter().map(|text| (field.name.clone(), text))),
        }
    }
    given
}
