//! The fields of a request as arguments, from the schema of its type.

use openai_admin::wire::{FieldPosition, field_position};
use serde_json::{Map, Value};

use super::operation::{Dispatch, Operation};

/// The arguments of a command.
pub(crate) struct Form {
    /// The description of the operation.
    pub(crate) about: String,
    pub(crate) fields: Vec<Field>,
    /// Whether a part of the body has no option, so that the body may come from a file.
    pub(crate) takes_body: bool,
    /// Whether such a part is required.
    pub(crate) needs_body: bool,
    /// The largest page of a list.
    pub(crate) page_size: Option<u16>,
}

/// A field with an option or argument.
#[derive(Debug, PartialEq)]
pub(crate) struct Field {
    pub(crate) position: FieldPosition,
    /// Its name on the wire: `limit`, `effective_at[gt]`.
    pub(crate) name: String,
    pub(crate) help: String,
    pub(crate) kind: Kind,
    /// Whether it takes several values.
    pub(crate) is_list: bool,
    pub(crate) is_required: bool,
}

/// The type of a value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Text,
    /// A whole number within bounds.
    Integer(i64, i64),
    Number,
    Flag,
    /// A moment in unix seconds.
    Moment,
    /// One of these words.
    Choice(Vec<String>),
}

/// The fields that [`ListArguments`](crate::arguments::ListArguments) has.
const LIST_FIELDS: [&str; 2] = ["limit", "after"];

/// The arguments of an operation's command.
pub(crate) fn form(operation: &Operation) -> Form {
    let request = (operation.request)();
    let is_list = matches!(operation.dispatch, Dispatch::InPages(_));
    let mut form = Form {
        about: text(&request["description"]),
        fields: Vec::new(),
        takes_body: false,
        needs_body: false,
        page_size: is_list.then(|| page_size(&request)),
    };
    for (name, schema) in properties(&request) {
        match field_position(operation.path, name) {
            FieldPosition::Body => body(&mut form, schema),
            FieldPosition::Query if is_list && LIST_FIELDS.contains(&name.as_str()) => {}
            position => {
                parameter(&mut form, position, name, schema, required(&request).any(|known| known == name))
            }
        }
    }
    form
}

/// A field of the path or query. The fields of a struct there become separate fields.
fn parameter(form: &mut Form, position: FieldPosition, name: &str, schema: &Value, is_required: bool) {
    if let Some(field) = field(position, name, schema, is_required) {
        form.fields.push(field);
        return;
    }
    for (inner, schema) in properties(&without_null(schema)) {
        form.fields.extend(field(position, &format!("{name}[{inner}]"), schema, false));
    }
}

/// The fields of a body. Fields without an option come from a file.
fn body(form: &mut Form, schema: &Value) {
    let body = without_null(schema);
    let is_struct = body["properties"].is_object();
    (form.takes_body, form.needs_body) = (!is_struct, !is_struct);
    for (name, schema) in properties(&body) {
        let is_required = required(&body).any(|known| known == name);
        match field(FieldPosition::Body, name, schema, is_required) {
            Some(field) => form.fields.push(field),
            None => {
                form.takes_body = true;
                form.needs_body |= is_required;
            }
        }
    }
}

/// A field, if a command line can express its values.
fn field(position: FieldPosition, name: &str, declared: &Value, is_required: bool) -> Option<Field> {
    let schema = without_null(declared);
    let is_list = schema["type"] == "array";
    let value = if is_list { without_null(&schema["items"]) } else { schema.clone() };
    let kind = kind(&value)?;
    let described =
        [&declared["description"], &schema["description"]].into_iter().find(|text| text.is_string());
    let mut help = described.map(text).unwrap_or_default();
    let default = default(&schema).filter(|_| !help.contains("by default"));
    for bounds in [bounds(&value), default].into_iter().flatten() {
        help += &format!(" [{bounds}]");
    }
    Some(Field { position, name: name.to_owned(), help, kind, is_list, is_required })
}

fn kind(schema: &Value) -> Option<Kind> {
    if let Some(words) = words(schema) {
        return Some(Kind::Choice(words));
    }
    match schema["type"].as_str()? {
        "string" => Some(Kind::Text),
        "integer" if schema["format"] == "unixtime" => Some(Kind::Moment),
        "integer" => {
            let bound = |name: &str, otherwise| schema[name].as_i64().unwrap_or(otherwise);
            Some(Kind::Integer(bound("minimum", i64::MIN), bound("maximum", i64::MAX)))
        }
        "number" => Some(Kind::Number),
        "boolean" => Some(Kind::Flag),
        _ => None,
    }
}

/// The values of an enum, in any form that a schema has for it.
fn words(schema: &Value) -> Option<Vec<String>> {
    if let Some(word) = schema["const"].as_str() {
        return Some(vec![word.to_owned()]);
    }
    if let Some(values) = schema["enum"].as_array() {
        return values.iter().map(|value| value.as_str().map(str::to_owned)).collect();
    }
    let variants: Option<Vec<Vec<String>>> = variants(schema)?.iter().map(words).collect();
    variants.map(|variants| variants.concat())
}

/// The names of the required fields.
fn required(schema: &Value) -> impl Iterator<Item = &str> {
    schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str)
}

fn variants(schema: &Value) -> Option<&Vec<Value>> {
    ["oneOf", "anyOf"].into_iter().find_map(|form| schema[form].as_array())
}

/// The bounds of a value as text.
fn bounds(schema: &Value) -> Option<String> {
    let (unit, least, most) = match schema["type"].as_str()? {
        "string" => (" characters", schema["minLength"].as_i64(), schema["maxLength"].as_i64()),
        "integer" => ("", schema["minimum"].as_i64(), schema["maximum"].as_i64()),
        _ => return None,
    };
    // The bounds of an id do not help people.
    if schema["type"] == "string"
        && schema["pattern"].as_str().is_some_and(|pattern| pattern.contains("u001f"))
    {
        return None;
    }
    match (least, most) {
        (Some(least), Some(most)) => Some(format!("{least} to {most}{unit}")),
        (Some(least), None) => Some(format!("at least {least}{unit}")),
        (None, Some(most)) => Some(format!("at most {most}{unit}")),
        (None, None) => None,
    }
}

fn default(schema: &Value) -> Option<String> {
    match schema.get("default")? {
        Value::String(word) => Some(format!("default: {word}")),
        Value::Number(number) => Some(format!("default: {number}")),
        Value::Bool(flag) => Some(format!("default: {flag}")),
        _ => None,
    }
}

/// The largest page that a list allows.
fn page_size(request: &Value) -> u16 {
    let limit = without_null(&request["properties"]["limit"]);
    limit["maximum"].as_u64().and_then(|most| u16::try_from(most).ok()).unwrap_or(100)
}

/// The schema of a value that is not null.
pub(super) fn without_null(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Some(values) = schema.get_mut("enum").and_then(Value::as_array_mut) {
        values.retain(|value| !value.is_null());
    }
    if let Some([kind, null]) = schema["type"].as_array().map(Vec::as_slice)
        && null == "null"
    {
        schema["type"] = kind.clone();
    }
    let others: Vec<&Value> =
        variants(&schema).into_iter().flatten().filter(|variant| variant["type"] != "null").collect();
    match others.as_slice() {
        [one] => (*one).clone(),
        _ => schema,
    }
}

pub(super) fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema["properties"].as_object().into_iter().flat_map(Map::iter)
}

/// A description as help: its first paragraph, without a full stop at the end.
fn text(description: &Value) -> String {
    let text = description.as_str().unwrap_or_default();
    let paragraph = text.split("\n\n").next().unwrap_or_default().replace('\n', " ");
    paragraph.trim_end_matches('.').to_owned()
}
