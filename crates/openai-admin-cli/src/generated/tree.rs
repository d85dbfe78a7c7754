//! The commands themselves, of which only as many are built as a command line needs.

use std::ffi::OsString;

use clap::{Arg, ArgAction, ArgMatches, Args as _, Command, FromArgMatches as _, value_parser};
use openai_admin::{Method, wire::Place};
use serde_json::{Map, Value};

use super::{
    form::{Field, Form, Kind, form},
    given::Given,
    operation::Operation,
    words::{aliases, noun, singular, words},
};
use crate::arguments::{ConsentArguments, ListArguments, unix_seconds};

/// Where generated nouns stand among the others: behind those of the hand-written nouns of the API.
const DISPLAY_ORDER: usize = 2;
/// The argument that names a file with the body.
const BODY: &str = "body";

/// How much of the tree is built.
#[derive(Clone, Copy)]
pub(crate) enum Extent<'a> {
    /// The commands that these words may name, and nothing else.
    Typed(&'a [OsString]),
    /// The same, and the names of all others: for help and for suggestions.
    Named(&'a [OsString]),
    /// Everything.
    Whole,
}

impl Extent<'_> {
    /// Whether a command is built with all that it takes.
    fn has(self, name: &str) -> bool {
        match self {
            Self::Typed(typed) | Self::Named(typed) => {
                let is_named =
                    |word: &OsString| word == name || aliases(name).iter().any(|alias| word == alias);
                typed.iter().any(is_named)
            }
            Self::Whole => true,
        }
    }
}

/// A command that was typed.
pub(crate) struct Call {
    pub(crate) operation: &'static Operation,
    /// The nouns, and the verb last.
    pub(crate) words: Vec<String>,
    pub(crate) form: Form,
    /// Which part of a list.
    pub(crate) part: Option<ListArguments>,
    /// Whether a question may be left out; none for what destroys nothing.
    pub(crate) consent: Option<ConsentArguments>,
    /// The file with the body.
    pub(crate) body: Option<std::path::PathBuf>,
    pub(crate) given: Given,
}

/// Adds the commands of operations to a command line.
pub(crate) fn grow(command: Command, operations: &[&'static Operation], extent: Extent<'_>) -> Command {
    let built: Vec<&'static Operation> = match extent {
        Extent::Typed(_) => {
            operations.iter().copied().filter(|operation| extent.has(&noun(operation))).collect()
        }
        _ => operations.to_vec(),
    };
    branch(command, &named(&built), 0, extent)
}

type Named = (Vec<String>, &'static Operation);

fn named(operations: &[&'static Operation]) -> Vec<Named> {
    operations.iter().map(|operation| (words(operation, operations), *operation)).collect()
}

/// Adds what follows the first `depth` words.
fn branch(mut command: Command, named: &[Named], depth: usize, extent: Extent<'_>) -> Command {
    let mut names: Vec<&str> = Vec::new();
    for (words, _) in named {
        if let Some(name) = words.get(depth).filter(|name| !names.contains(&name.as_str())) {
            names.push(name);
        }
    }
    for name in names {
        let is_built = extent.has(name);
        if !is_built && matches!(extent, Extent::Typed(_)) {
            continue;
        }
        let below: Vec<Named> = named
            .iter()
            .filter(|(words, _)| words.get(depth).is_some_and(|word| word == name))
            .cloned()
            .collect();
        command = if command.find_subcommand(name).is_some() {
            command.mut_subcommand(name, |known| branch(known, &below, depth + 1, extent))
        } else {
            command.subcommand(subcommand(name, &below, depth + 1, extent))
        };
    }
    command
}

/// A new command: a noun with what follows it, or an operation.
fn subcommand(name: &str, below: &[Named], depth: usize, extent: Extent<'_>) -> Command {
    let command = Command::new(name.to_owned());
    if let [(words, operation)] = below
        && words.len() == depth
    {
        return leaf(command, name, operation, extent.has(name));
    }
    let own = below.iter().find(|(words, _)| words.len() == depth + 1).or(below.first());
    let command = command.about(own.map(|(_, operation)| operation.tag).unwrap_or_default());
    let command = if depth == 1 { command.display_order(DISPLAY_ORDER) } else { command };
    let command = command.subcommand_required(true).arg_required_else_help(true);
    if extent.has(name) { branch(command, below, depth, extent) } else { command }
}

/// The command of an operation; `is_built` says whether with its arguments.
fn leaf(command: Command, verb: &str, operation: &'static Operation, is_built: bool) -> Command {
    let form = form(operation);
    let command = command.about(form.about.clone()).aliases(aliases(verb));
    if !is_built {
        return command;
    }
    let mut command = command.args(form.fields.iter().map(|field| argument(field, form.takes_body)));
    if form.takes_body {
        command = command.arg(
            Arg::new(BODY)
                .long("body")
                .value_name("FILE")
                .value_parser(value_parser!(std::path::PathBuf))
                .required(form.needs_body)
                .help(
                    "Read the body from a JSON or YAML file, `-` reads standard input; options go before it",
                ),
        );
    }
    if form.page_size.is_some() {
        command = ListArguments::augment_args(command);
    }
    if is_destructive(operation, verb) { ConsentArguments::augment_args(command) } else { command }
}

fn is_destructive(operation: &Operation, verb: &str) -> bool {
    operation.method == Method::Delete || verb == "archive"
}

/// A field as an argument.
fn argument(field: &Field, takes_body: bool) -> Arg {
    let argument = Arg::new(id(field)).help(field.help.clone());
    if field.place == Place::Path {
        return argument.value_name(field.name.to_uppercase()).required(true);
    }
    let option = option(field);
    let value_name = match &field.kind {
        Kind::Integer(..) | Kind::Number => "N".to_owned(),
        Kind::Moment => "TIME".to_owned(),
        Kind::Flag => "BOOL".to_owned(),
        _ => option.rsplit('-').next().unwrap_or_default().to_uppercase(),
    };
    let argument = argument.long(option).value_name(value_name);
    let argument = if field.is_list { argument.action(ArgAction::Append) } else { argument };
    let argument = match &field.kind {
        Kind::Text | Kind::Number => argument,
        Kind::Integer(least, most) => {
            argument.allow_negative_numbers(*least < 0).value_parser(value_parser!(i64).range(*least..=*most))
        }
        Kind::Flag => argument
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
            .value_parser(value_parser!(bool))
            .hide_possible_values(true),
        Kind::Moment => argument.value_parser(unix_seconds),
        Kind::Choice(words) => argument.value_parser(clap::builder::PossibleValuesParser::new(words.clone())),
    };
    match (field.is_required, takes_body) {
        (true, true) => argument.required_unless_present(BODY),
        (is_required, _) => argument.required(is_required),
    }
}

/// The name of an argument within its command. Other arguments have no dot in theirs.
fn id(field: &Field) -> String {
    format!("{:?}.{}", field.place, field.name)
}

/// The option for a field: `--include-archived`. One that may be repeated names one value.
fn option(field: &Field) -> String {
    let name = field.name.trim_end_matches("[]").replace(['_', '['], "-").replace(']', "");
    if field.is_list { singular(&name) } else { name }
}

/// The operation that was typed, and what for; none where the command is a hand-written one.
pub(crate) fn call(
    matches: &ArgMatches,
    operations: &[&'static Operation],
) -> Result<Option<Call>, clap::Error> {
    let (mut typed, mut leaf): (Vec<&str>, _) = (Vec::new(), matches);
    while let Some((name, below)) = leaf.subcommand() {
        typed.push(name);
        leaf = below;
    }
    let of_noun: Vec<&'static Operation> = operations
        .iter()
        .copied()
        .filter(|operation| typed.first().is_some_and(|first| noun(operation) == *first))
        .collect();
    let Some((words, operation)) = named(&of_noun).into_iter().find(|(words, _)| *words == typed) else {
        return Ok(None);
    };
    let form = form(operation);
    let part = form.page_size.is_some().then(|| ListArguments::from_arg_matches(leaf)).transpose()?;
    let is_destructive = is_destructive(operation, words.last().map_or("", String::as_str));
    let consent = is_destructive.then(|| ConsentArguments::from_arg_matches(leaf)).transpose()?;
    let body = if form.takes_body { leaf.get_one(BODY).cloned() } else { None };
    let given = given(&form, leaf);
    Ok(Some(Call { operation, words, form, part, consent, body, given }))
}

/// What was typed, each field in its place. An operation with a body always sends one.
fn given(form: &Form, matches: &ArgMatches) -> Given {
    let has_body = form.takes_body || form.fields.iter().any(|field| field.place == Place::Body);
    let mut given = Given { body: has_body.then(|| Value::Object(Map::new())), ..Given::default() };
    for field in &form.fields {
        let texts = texts(field, matches);
        match (field.place, &mut given.body) {
            (Place::Path, _) => given.path.extend(texts.into_iter().map(|text| (field.name.clone(), text))),
            (Place::Body, Some(body)) if !texts.is_empty() => {
                let mut values: Vec<Value> = texts.into_iter().map(|text| json(&field.kind, text)).collect();
                body[&field.name] = if field.is_list { values.into() } else { values.remove(0) };
            }
            (Place::Body, _) => {}
            _ => given.query.extend(texts.into_iter().map(|text| (field.name.clone(), text))),
        }
    }
    given
}

fn texts(field: &Field, matches: &ArgMatches) -> Vec<String> {
    let id = id(field);
    if field.kind == Kind::Moment {
        return matches.get_many::<i64>(&id).into_iter().flatten().map(i64::to_string).collect();
    }
    let raw = matches.get_raw(&id).into_iter().flatten();
    raw.map(|text| text.to_string_lossy().into_owned()).collect()
}

/// A text as the JSON of its kind. What is none stays a text, which the declaration then refuses in its own words.
fn json(kind: &Kind, text: String) -> Value {
    let parsed = match kind {
        Kind::Text | Kind::Choice(_) => None,
        _ => serde_json::from_str(&text).ok(),
    };
    parsed.unwrap_or(Value::String(text))
}
