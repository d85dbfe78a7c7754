//! The fields of a response as columns, from the schema of its type.

use serde::Serialize;
use serde_json::Value;

use super::{
    form::{properties, without_null},
    operation::Operation,
};
use crate::{
    failure::{ExitStatus, Failure, Result},
    output::{Column, Layout, Name},
};

/// The first columns.
const FIRST: [&str; 2] = ["name", "id"];
/// The columns of tables that would be too wide, by operation. A single item shows its other fields too.
const COLUMNS: &[(&str, &[&str])] = &[
    ("list-group-role-assignments", ASSIGNED_ROLE),
    ("list-user-role-assignments", ASSIGNED_ROLE),
    ("list-project-group-role-assignments", ASSIGNED_ROLE),
    ("list-project-user-role-assignments", ASSIGNED_ROLE),
];
const ASSIGNED_ROLE: &[&str] = &["name", "id", "predefined_role", "description", "permissions"];

/// The columns in the table of a list; empty for all.
pub(crate) fn chosen_columns(operation: &Operation) -> &'static [&'static str] {
    COLUMNS.iter().find(|(id, _)| *id == operation.id).map(|(_, columns)| *columns).unwrap_or_default()
}

/// The layout of items with this schema.
pub(crate) fn layout<T: Serialize>(schema: &Value, chosen: &[&'static str]) -> Layout<T> {
    let schema = without_null(schema);
    let mut fields: Vec<(&String, &Value)> = properties(&schema).collect();
    let names = fields.iter().map(|(name, _)| Name::from((*name).clone())).collect();
    // A constant field carries no information.
    fields.retain(|(_, schema)| schema.get("const").is_none());
    fields.sort_by_key(|(name, _)| FIRST.iter().position(|first| first == name).unwrap_or(FIRST.len()));
    let is_column = |name: &str, schema: &Value| match chosen.is_empty() {
        true => is_plain(schema),
        false => chosen.contains(&name),
    };
    let (columns, details): (Vec<_>, Vec<_>) =
        fields.into_iter().partition(|(name, schema)| is_column(name, schema));
    let column = |(name, schema): (&String, &Value)| column(name, schema);
    let (columns, details): (Vec<Column>, Vec<Column>) =
        (columns.into_iter().map(column).collect(), details.into_iter().map(column).collect());
    // If every field is an object, show their names as columns.
    let (columns, details) = if columns.is_empty() { (details, columns) } else { (columns, details) };
    Layout { names, columns, details, fields: |item| serde_json::to_value(item) }
}

/// Whether a field is a value, or a list of values.
fn is_plain(schema: &Value) -> bool {
    let schema = without_null(schema);
    match schema["type"].as_str() {
        Some("object") => false,
        Some("array") => is_plain(&schema["items"]),
        _ => true,
    }
}

fn column(name: &str, schema: &Value) -> Column {
    let mut heading = name.replace('_', " ").to_uppercase();
    if without_null(schema)["format"] == "unixtime" {
        heading = format!("{} (UTC)", heading.trim_end_matches(" AT"));
    }
    (heading.into(), name.to_owned().into())
}

/// A value as JSON.
pub(super) fn tree(value: &impl Serialize) -> Result<Value> {
    serde_json::to_value(value)
        .map_err(|error| Failure::new(ExitStatus::Failed, format!("cannot write the data: {error}")))
}

/// The schema of the items in a response; none if it is a single object.
pub(crate) fn item(answer: &Value) -> Option<&Value> {
    let data = &answer["properties"]["data"];
    (data["type"] == "array").then(|| &data["items"])
}
