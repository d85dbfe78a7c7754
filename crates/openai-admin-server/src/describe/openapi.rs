//! The OpenAPI document, generated from the types of the operations.

use std::{collections::BTreeSet, sync::LazyLock};

use axum::{
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use openai_admin::{
    schema,
    wire::{FieldPosition, JSON_LINES, field_position},
};
use schemars::{Schema, SchemaGenerator, generate::SchemaSettings, transform::RecursiveTransform};
use serde_json::{Map, Value, json};

use crate::answer::{
    error::{ApiError, ErrorResponse},
    facts::OperationFacts,
    idempotency_keys,
    routes::{Description, Route, routes},
};

/// Rendered once, at the first request.
static DOCUMENT: LazyLock<String> = LazyLock::new(|| document().to_string());

pub(crate) async fn serve(method: Method) -> Response {
    let allow = HeaderValue::from_static("GET, HEAD, OPTIONS");
    match method {
        Method::GET | Method::HEAD => {
            ([(header::CONTENT_TYPE, "application/json")], DOCUMENT.as_str()).into_response()
        }
        Method::OPTIONS => (StatusCode::NO_CONTENT, [(header::ALLOW, allow)]).into_response(),
        other => ApiError::method_not_allowed(other.as_str(), allow),
    }
}

/// The OpenAPI document of the operations, as `/openapi.json` serves it.
pub fn document() -> Value {
    // The same type has a schema as a request (required fields) and one as a response (fields that are always present).
    let mut requests = settings(SchemaSettings::openapi3())
        .with_transform(RecursiveTransform(without_mark as fn(&mut Schema)))
        .into_generator();
    let mut responses = settings(SchemaSettings::openapi3().for_serialize())
        .with_transform(RecursiveTransform(absent_instead_of_null as fn(&mut Schema)))
        .into_generator();
    let error = responses.subschema_for::<ErrorResponse<'_>>();

    let mut paths: Map<String, Value> = Map::new();
    for route in routes() {
        let operation = operation(&route, &mut requests, &mut responses, error.as_value());
        let path = paths.entry(route.facts.path).or_insert_with(|| json!({}));
        path[route.facts.method.as_str().to_lowercase()] = operation;
    }
    let (mut schemas, answers) = (requests.take_definitions(true), responses.take_definitions(true));
    separate(&mut paths, &mut schemas, &answers);
    schemas.extend(answers);

    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "openai-admin",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "An unofficial server of the OpenAI organization administration API. Operations marked \
                            `x-extension` are not part of the published API.",
            "license": { "name": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/v1" }],
        "security": [{ "AdminApiKeyAuth": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": { "AdminApiKeyAuth": { "type": "http", "scheme": "bearer" } },
        },
    })
}

fn settings(settings: SchemaSettings) -> SchemaSettings {
    // OpenAPI 3.1 uses plain JSON Schema: null is a type, not a flag.
    settings.with(|settings| {
        settings.transforms.clear();
        settings.meta_schema = None;
    })
}

fn operation(
    route: &Route,
    requests: &mut SchemaGenerator,
    responses: &mut SchemaGenerator,
    error: &Value,
) -> Value {
    let OperationFacts { id, path, scope, tag, .. } = route.facts;
    let Description { request, response } = (route.describe)(requests, responses);
    let request = request.as_value();
    let no_fields = Map::new();
    let fields = request["properties"].as_object().unwrap_or(&no_fields);

    let required = request["required"].as_array();
    let is_required = |name: &str| required.is_some_and(|required| required.iter().any(|it| it == name));
    let mut parameters: Vec<Value> = fields
        .iter()
        .filter(|(name, _)| field_position(path, name) != FieldPosition::Body)
        .map(|(name, schema)| parameter(name, field_position(path, name), is_required(name), schema.clone()))
        .collect();
    if !route.facts.is_idempotent {
        parameters.push(idempotency_keys::parameter());
    }
    let answer = |description: &str, schema: &Value| json!({ "description": description, "content": { "application/json": { "schema": schema } } });
    // Like the real service, the server reports a missing scope as a bare string.
    let bare =
        json!({ "type": "object", "properties": { "error": { "type": "string" } }, "required": ["error"] });
    let forbidden = json!({ "anyOf": [error, bare] });
    let mut operation = json!({
        "operationId": id,
        "tags": [tag],
        "summary": request["description"],
        "description": format!("Needs a key with the scope `{scope}`."),
        "parameters": parameters,
        "responses": {
            "200": answer("Success.", response.as_value()),
            "403": answer("A key without the scope, or a group that is managed elsewhere.", &forbidden),
            "default": answer("An error.", error),
        },
    });
    if let Some(body) = fields.get("body") {
        let schema = json!({ "$ref": body["$ref"] });
        operation["requestBody"] = json!({ "required": is_required("body"), "content": { "application/json": { "schema": schema } } });
    }
    if let Some(describe_line) = route.describe_line {
        let line = describe_line(requests);
        let lines = json!({
            "schema": {
                "type": "string",
                "description": "JSON lines: an object with the ID of the batch, then one record a line.",
            },
            "x-line-schema": line,
        });
        for media_type in JSON_LINES {
            operation["requestBody"]["content"][media_type] = lines.clone();
        }
    }
    if route.facts.is_extension() {
        operation["x-extension"] = json!(true);
    }
    operation
}

fn parameter(name: &str, position: FieldPosition, is_required: bool, mut schema: Value) -> Value {
    let description = schema.as_object_mut().and_then(|schema| schema.remove("description"));
    if let Ok(schema) = <&mut Schema>::try_from(&mut schema) {
        without_null_or_empty(schema);
    }
    let mut parameter = json!({
        "name": name,
        "in": if position == FieldPosition::Path { "path" } else { "query" },
        "required": is_required,
        "description": description,
        "schema": schema,
    });
    // `name[field]=value`, as most clients encode it, but not the default of OpenAPI.
    if parameter["schema"]["type"] == "object" {
        // All of its fields are optional, and an empty object is not sent.
        if let Some(schema) = parameter["schema"].as_object_mut() {
            schema.remove("default");
        }
        parameter["style"] = json!("deepObject");
        parameter["explode"] = json!(true);
    }
    parameter
}

/// A parameter is absent, never null, and an absent list is empty.
fn without_null_or_empty(schema: &mut Schema) {
    for (_, field) in schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        if let Ok(field) = <&mut Schema>::try_from(field) {
            without_null_or_empty(field);
        }
    }
    schema::without_null(schema);
    if schema.get("default") == Some(&json!([])) {
        schema.remove("default");
    }
}

fn without_mark(schema: &mut Schema) {
    schema.remove(schema::NULL_IS_A_VALUE);
}

/// An optional field of an answer is absent, never null, unless null is a value.
fn absent_instead_of_null(answer: &mut Schema) {
    let required = answer.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    for (name, field) in answer.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        let Ok(field) = <&mut Schema>::try_from(field) else { continue };
        if field.remove(schema::NULL_IS_A_VALUE).is_none() && !required.iter().any(|it| it == name) {
            schema::without_null(field);
        }
    }
}

/// The suffix of a schema's name in requests, if answers have another schema of that name.
const IN_REQUESTS: &str = "Input";
const SCHEMAS: &str = "#/components/schemas/";

/// Separates the schemas of requests from those of answers with the same name and other contents.
fn separate(paths: &mut Map<String, Value>, requests: &mut Map<String, Value>, answers: &Map<String, Value>) {
    let is_shared = |name: &String| answers.contains_key(name);
    let mut differing: BTreeSet<String> =
        requests.iter().filter(|(name, it)| is_shared(name) && answers[*name] != **it).map(first).collect();
    loop {
        // A schema also differs if one differs that it refers to.
        let refers = |it: &Value| references(it).iter().any(|name| differing.contains(*name));
        let further: Vec<String> = requests
            .iter()
            .filter(|(name, it)| is_shared(name) && !differing.contains(*name) && refers(it))
            .map(first)
            .collect();
        if further.is_empty() {
            break;
        }
        differing.extend(further);
    }
    for operation in
        paths.values_mut().flat_map(|path| path.as_object_mut().into_iter().flat_map(Map::values_mut))
    {
        rename(&mut operation["parameters"], &differing);
        if let Some(body) = operation.get_mut("requestBody") {
            rename(body, &differing);
        }
    }
    let renamed = std::mem::take(requests).into_iter().map(|(name, mut schema)| {
        rename(&mut schema, &differing);
        (if differing.contains(&name) { name + IN_REQUESTS } else { name }, schema)
    });
    *requests = renamed.collect();
}

fn first((name, _): (&String, &Value)) -> String {
    name.clone()
}

/// The names of the schemas that a value refers to directly.
fn references(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(items) => items.iter().flat_map(references).collect(),
        Value::Object(fields) => {
            let own = fields.get("$ref").and_then(Value::as_str).and_then(|it| it.strip_prefix(SCHEMAS));
            fields.values().flat_map(references).chain(own).collect()
        }
        _ => Vec::new(),
    }
}

fn rename(value: &mut Value, names: &BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, names)),
        Value::Object(fields) => {
            if let Some(Value::String(reference)) = fields.get_mut("$ref")
                && reference.strip_prefix(SCHEMAS).is_some_and(|name| names.contains(name))
            {
                reference.push_str(IN_REQUESTS);
            }
            fields.values_mut().for_each(|field| rename(field, names));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_two_schemas_gets_a_suffix_in_requests() {
        let schemas = |inner: Value| {
            let outer = json!({ "properties": { "inner": { "$ref": "#/components/schemas/Inner" } } });
            let map = json!({ "Outer": outer, "Inner": inner, "Same": { "type": "string" } });
            map.as_object().cloned().unwrap()
        };
        let mut requests = schemas(json!({ "type": "integer" }));
        let answers = schemas(json!({ "type": "string" }));
        let body = json!([{ "$ref": "#/components/schemas/Outer" }, { "$ref": "#/components/schemas/Same" }]);
        let operation = json!({ "parameters": [], "requestBody": body, "responses": body });
        let mut paths = json!({ "/a": { "post": operation } }).as_object().cloned().unwrap();
        separate(&mut paths, &mut requests, &answers);
        assert_eq!(requests.keys().collect::<Vec<_>>(), ["OuterInput", "InnerInput", "Same"]);
        let inner = &requests["OuterInput"]["properties"]["inner"]["$ref"];
        assert_eq!(inner, "#/components/schemas/InnerInput");
        let operation = &paths["/a"]["post"];
        assert_eq!(operation["requestBody"][0]["$ref"], "#/components/schemas/OuterInput");
        assert_eq!(operation["requestBody"][1]["$ref"], "#/components/schemas/Same");
        assert_eq!(operation["responses"], body);
    }
}
