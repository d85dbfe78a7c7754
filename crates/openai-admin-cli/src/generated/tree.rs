//! The commands themselves, of which only as many are built as a command line needs.

use clap::{Arg, ArgAction, ArgMatches, Args as _, Command, FromArgMatches as _, value_parser};
use openai_admin::{Method, wire::Place};
use serde_json::{Map, Value};

use super::{
    form::{Field, Form, Kind, form},
    given::Given,
    operation::Operation,
    words::{aliases, singular, words},
};
use crate::arguments::{ConsentArguments, ListArguments, unix_seconds};

/// Where generated nouns stand among the others: behind those of the hand-written nouns of the API.
const DISPLAY_ORDER: usize = 2;
/// The same within a noun: behind everything else.
const DISPLAY_ORDER_BELOW: usize = 100;
/// The argument that names a file with the body.
const BODY: &str = "body";

/// What may stand for an id: commands look it up.
const FOUND_BY: [(&str, &str); 2] = [("group_id", "its exact name"), ("user_id", "an email address")];

/// How much of the tree is built.
#[derive(Clone, Copy)]
pub(crate) enum Extent<'a> {
    /// The commands that these words may name, and nothing else.
    Typed(&'a [&'a str]),
    /// The same, and the names of all others: for help and for suggestions.
    Named(&'a [&'a str]),
    /// Everything.
    Whole,
}

impl Extent<'_> {
    /// Whether a command with such a name is built with all that it takes.
    pub(crate) fn has(self, is_word: impl Fn(&str) -> bool) -> bool {
        match self {
            Self::Typed(typed) | Self::Named(typed) => typed.iter().any(|word| is_word(word)),
            Self::Whole => true,
        }
    }
}

/// Whether a word is a name of this command.
fn is_called(name: &str) -> impl Fn(&str) -> bool {
    move |word| word == name || aliases(name).contains(&word)
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
    branch(command, &named(operations), 0, extent)
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
        let is_built = extent.has(is_called(name));
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
        return leaf(command, name, operation, extent.has(is_called(name)));
    }
    let own = below.iter().find(|(words, _)| words.len() == depth + 1).or(below.first());
    let command = command.about(own.map(|(_, operation)| operation.tag).unwrap_or_default());
    let command = command.display_order(if depth == 1 { DISPLAY_ORDER } else { DISPLAY_ORDER_BELOW });
    let command = command.subcommand_required(true).arg_required_else_help(true);
    if extent.has(is_called(name)) { branch(command, below, depth, extent) } else { command }
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
        let found_by = FOUND_BY.iter().find(|(name, _)| *name == field.name);
        let help = found_by.map_or_else(|| field.help.clone(), |(_, by)| format!("{}, or {by}", field.help));
        return argument.help(help).value_name(field.name.to_uppercase()).required(true);
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
    let Some((words, operation)) = named(operations).into_iter().find(|(words, _)| *words == typed) else {
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
