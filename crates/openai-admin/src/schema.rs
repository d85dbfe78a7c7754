//! JSON Schemas of requests and answers, for the server's OpenAPI document and for programs that generate forms or
//! command lines.

use schemars::{
    JsonSchema,
    generate::{Contract, SchemaSettings},
};
use serde_json::Value;

/// The schema of a `T` in requests. Nested types are inlined: it contains no references.
///
/// ```
/// use openai_admin::{operations::ListGroups, schema};
/// let limit = &schema::of_request::<ListGroups>()["properties"]["limit"];
/// assert_eq!((&limit["maximum"], &limit["description"]), (&1000.into(), &"How many groups to return.".into()));
/// ```
pub fn of_request<T: JsonSchema>() -> Value {
    of::<T>(Contract::Deserialize)
}

/// The schema of a `T` in answers, in the same form.
pub fn of_answer<T: JsonSchema>() -> Value {
    of::<T>(Contract::Serialize)
}

fn of<T: JsonSchema>(contract: Contract) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
        settings.contract = contract;
    });
    settings.into_generator().into_root_schema_for::<T>().into()
}
