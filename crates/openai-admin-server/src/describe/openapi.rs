//! The OpenAPI document, generated from the types of the operations.

use std::sync::LazyLock;

use axum::{
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use openai_admin::wire::{FieldPosition, field_position};
use schemars::{SchemaGenerator, generate::SchemaSettings};
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
    let mut requests = settings(SchemaSettings::openapi3()).into_generator();
    let mut responses = settings(SchemaSettings::openapi3().for_serialize()).into_generator();
    let error = responses.subschema_for::<ErrorResponse<'_>>();

    let mut paths: Map<String, Value> = Map::new();
    for route in routes() {
        let operation = operation(&route, &mut requests, &mut responses, error.as_value());
        let path = paths.entry(route.facts.path).or_insert_with(|| json!({}));
        path[route.facts.method.as_str().to_lowercase()] = operation;
    }
    let mut schemas = requests.take_definitions(true);
    schemas.extend(responses.take_definitions(true));

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
    if route.facts.is_extension() {
        operation["x-extension"] = json!(true);
    }
    operation
}

fn parameter(name: &str, position: FieldPosition, is_required: bool, mut schema: Value) -> Value {
    let description = schema.as_object_mut().and_then(|schema| schema.remove("description"));
    drop_null(&mut schema);
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

/// A parameter is absent, never null.
fn drop_null(schema: &mut Value) {
    for field in schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        drop_null(field.1);
    }
    if let Some([kind, null]) = schema["type"].as_array().map(Vec::as_slice)
        && null == "null"
    {
        schema["type"] = kind.clone();
    }
    if let Some(values) = schema.get_mut("enum").and_then(Value::as_array_mut) {
        values.retain(|value| !value.is_null());
    }
    if let Some(default) = schema.get("default")
        && default.is_null()
        && let Some(schema) = schema.as_object_mut()
    {
        schema.remove("default");
    }
}
