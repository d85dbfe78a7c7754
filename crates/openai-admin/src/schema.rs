//! JSON Schemas of requests and answers, for the server's OpenAPI document and for programs that generate forms or
//! command lines.

use schemars::{
    JsonSchema, Schema,
    generate::{Contract, SchemaSettings},
};
use serde_json::Value;

/// Marks the schema of an optional field whose null differs from its absence.
pub const NULL_IS_A_VALUE: &str = "x-null";

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

/// Removes null from the values that a schema allows.
pub fn without_null(schema: &mut Schema) {
    let Some(fields) = schema.as_object_mut() else { return };
    if let Some(Value::Array(types)) = fields.get_mut("type") {
        types.retain(|it| it != "null");
        if let [one] = types.as_slice() {
            let one = one.clone();
            fields.insert("type".to_owned(), one);
        }
    }
    if let Some(Value::Array(values)) = fields.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    if fields.get("default").is_some_and(Value::is_null) {
        fields.remove("default");
    }
    if let Some(Value::Array(variants)) = fields.get_mut("anyOf") {
        variants.retain(|variant| variant["type"] != "null");
        // An optional type with a name: its own fields come before those of the type.
        if let [Value::Object(one)] = variants.as_slice() {
            let one = one.clone();
            fields.remove("anyOf");
            for (name, value) in one {
                fields.entry(name).or_insert(value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_is_removed_from_types_values_alternatives_and_defaults() {
        for (with, without) in [
            (r#"{"type":["string","null"]}"#, r#"{"type":"string"}"#),
            (r#"{"type":["string","integer","null"],"default":null}"#, r#"{"type":["string","integer"]}"#),
            (r#"{"type":["string","null"],"enum":["a",null]}"#, r#"{"type":"string","enum":["a"]}"#),
            (
                r##"{"anyOf":[{"$ref":"#/A"},{"type":"null"}],"default":1}"##,
                r##"{"default":1,"$ref":"#/A"}"##,
            ),
            (
                r#"{"anyOf":[{"type":"string"},{"type":"integer"},{"type":"null"}]}"#,
                r#"{"anyOf":[{"type":"string"},{"type":"integer"}]}"#,
            ),
            ("true", "true"),
        ] {
            let parsed = |text| Schema::try_from(serde_json::from_str::<Value>(text).unwrap()).unwrap();
            let mut schema = parsed(with);
            without_null(&mut schema);
            assert_eq!(schema, parsed(without));
        }
    }
}
