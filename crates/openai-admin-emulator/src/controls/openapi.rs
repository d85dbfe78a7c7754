//! The OpenAPI document of the controls, from the same table.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::control::Control;
use crate::paths::CONTROLS_PREFIX;

pub(super) fn document(controls: &[Control]) -> Value {
    let settings = SchemaSettings::openapi3().with(|settings| {
        // OpenAPI 3.1 uses plain JSON Schema: null is a type, not a flag.
        settings.transforms.clear();
        settings.meta_schema = None;
    });
    let mut requests = settings.clone().into_generator();
    let mut responses = settings.for_serialize().into_generator();
    let mut paths: Map<String, Value> = Map::new();
    for control in controls {
        let mut operation = json!({
            "summary": control.summary,
            "parameters": parameters(control),
            "responses": {
                "200": { "description": "Success.", "content": json_of((control.response)(&mut responses).to_value()) },
                "default": { "description": "An error. The message says how to fix it.", "content": json_of(error()) },
            },
        });
        if let Some(body) = (control.body)(&mut requests) {
            operation["requestBody"] = json!({ "required": true, "content": json_of(body.to_value()) });
        }
        let path = paths.entry(format!("{CONTROLS_PREFIX}{}", control.path)).or_insert_with(|| json!({}));
        path[control.method.as_str().to_lowercase()] = operation;
    }
    let mut schemas = requests.take_definitions(true);
    schemas.extend(responses.take_definitions(true));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "openai-admin emulate: the controls",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Controls of the emulator itself. The paths are relative to the host, or to \
                            `/_ns/NAME` for the namespace NAME.",
        },
        "paths": paths,
        "components": { "schemas": schemas },
    })
}

fn json_of(schema: Value) -> Value {
    json!({ "application/json": { "schema": schema } })
}

fn error() -> Value {
    json!({
        "type": "object",
        "properties": { "error": { "type": "object", "properties": { "message": { "type": "string" } } } },
        "required": ["error"],
    })
}

fn parameters(control: &Control) -> Vec<Value> {
    let text = |name: &str, place: &str, description: &str| {
        let schema = json!({ "type": "string" });
        json!({ "name": name, "in": place, "required": place == "path", "description": description, "schema": schema })
    };
    let mut parameters = vec![text("namespace", "query", "The name of the namespace. Default: `default`.")];
    if control.path.contains("{name}") {
        parameters.push(text("name", "path", "The name."));
    }
    if control.path == "/requests" && control.method == "GET" {
        for (name, description) in [
            (
                "operation",
                "The id of an operation, such as `add-group-user`; `none` matches requests without an operation.",
            ),
            ("method", "The HTTP method."),
            ("status", "The status of the answer."),
            (
                "fault",
                "The name of a fault rule, or the kind of a fault; `any` or `none` match requests with or without a \
                 fault.",
            ),
            ("path.group_id", "The id of the group in the path."),
            ("path.user_id", "The id of the user in the path."),
            ("after", "Only requests with a greater number than this."),
            ("limit", "The maximum number of requests."),
        ] {
            parameters.push(text(name, "query", description));
        }
    }
    parameters
}
