//! A field as an argument of the command line, and its values.

use std::{fs::File, io::Read as _, path::PathBuf};

use clap::{Arg, ArgAction, ArgMatches, builder::PossibleValuesParser, value_parser};
use openai_admin::wire::FieldPosition;
use serde_json::Value;

use super::{
    form::{Field, Kind},
    words::singular,
};
use crate::arguments::unix_seconds;

/// The argument that names a file with the body.
pub(super) const BODY: &str = "body";
/// Names that commands accept in place of an id.
const ALTERNATIVES: [(&str, &str); 2] = [("group_id", "its exact name"), ("user_id", "an email address")];

/// The file with the body.
pub(super) fn body(is_required: bool) -> Arg {
    Arg::new(BODY)
        .long("body")
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .required(is_required)
        .help("Read the body from a JSON or YAML file; `-` reads standard input; options override its fields")
}

/// A field as an argument.
pub(super) fn argument(field: &Field, takes_body: bool) -> Arg {
    let argument = Arg::new(id(field)).help(field.help.clone());
    if field.position == FieldPosition::Path {
        let alternative = ALTERNATIVES.iter().find(|(name, _)| *name == field.name);
        let help =
            alternative.map_or_else(|| field.help.clone(), |(_, by)| format!("{}, or {by}", field.help));
        return argument.help(help).value_name(field.name.to_uppercase()).required(true);
    }
    let option = option(field);
    let value_name = match &field.kind {
        Kind::Integer(..) | Kind::Number => "N".to_owned(),
        Kind::Moment => "TIME".to_owned(),
        Kind::Flag => "BOOL".to_owned(),
        Kind::Text if field.name == "starts_with" => "TEXT".to_owned(),
        _ => option.rsplit('-').next().unwrap_or_default().to_uppercase(),
    };
    let argument = argument.long(option).value_name(value_name);
    let argument = if field.is_list { argument.action(ArgAction::Append) } else { argument };
    let argument = match &field.kind {
        // A certificate in PEM starts with a hyphen.
        Kind::Text if field.name == CERTIFICATE => {
            argument.value_name("PEM|@FILE").allow_hyphen_values(true).value_parser(certificate)
        }
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
        Kind::Choice(words) => argument.value_parser(PossibleValuesParser::new(words.clone())),
    };
    match (field.is_required, takes_body && field.position == FieldPosition::Body) {
        (true, true) => argument.required_unless_present(BODY),
        (is_required, _) => argument.required(is_required),
    }
}

/// The field that takes a certificate in PEM.
const CERTIFICATE: &str = "certificate";
/// The maximum size of a file with a certificate in bytes.
const CERTIFICATE_FILE_BYTES_MAX: u64 = 1024 * 1024;

/// A certificate in PEM, or the content of `@FILE`.
fn certificate(text: &str) -> Result<String, String> {
    if let Some(path) = text.strip_prefix('@') {
        let mut pem = String::new();
        let read =
            File::open(path).and_then(|file| file.take(CERTIFICATE_FILE_BYTES_MAX).read_to_string(&mut pem));
        return read.map(|_| pem).map_err(|error| format!("cannot read {path}: {error}"));
    }
    match text.contains("-----BEGIN") {
        true => Ok(text.to_owned()),
        false => Err(format!("expected PEM text or @FILE; to read {text}, write @{text}")),
    }
}

/// The id of an argument within its command. Ids of other arguments have no dot.
fn id(field: &Field) -> String {
    format!("{:?}.{}", field.position, field.name)
}

/// The option of a field, such as `--include-archived`. A repeatable option is in the singular.
fn option(field: &Field) -> String {
    let name = field.name.trim_end_matches("[]").replace(['_', '['], "-").replace(']', "");
    if field.is_list { singular(&name) } else { name }
}

/// The values of a field on the command line.
pub(super) fn texts(field: &Field, matches: &ArgMatches) -> Vec<String> {
    let id = id(field);
    if field.kind == Kind::Moment {
        return matches.get_many::<i64>(&id).into_iter().flatten().map(i64::to_string).collect();
    }
    if field.kind == Kind::Text && field.name == CERTIFICATE {
        return matches.get_many::<String>(&id).into_iter().flatten().cloned().collect();
    }
    let raw = matches.get_raw(&id).into_iter().flatten();
    raw.map(|text| text.to_string_lossy().into_owned()).collect()
}

/// A text as JSON of its kind. An invalid text stays a string, which the check of the request then refuses.
pub(super) fn json(kind: &Kind, text: String) -> Value {
    let parsed = match kind {
        Kind::Text | Kind::Choice(_) => None,
        _ => serde_json::from_str(&text).ok(),
    };
    parsed.unwrap_or(Value::String(text))
}
