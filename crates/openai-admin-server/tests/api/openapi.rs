//! The OpenAPI document as users see it: one snapshot for each tag, so that a change of one noun changes one file.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use insta::Settings;
use serde_json::{Map, Value, json};

use crate::support::TestServer;

/// The snapshot of everything that no tag has for itself.
const SHARED: &str = "shared";

#[tokio::test]
async fn the_document_has_its_methods_like_every_path() {
    let server = TestServer::new().await;
    server.call("POST", "/openapi.json", "").await.assert_error(405, None, None);
    assert_eq!(server.call("OPTIONS", "/openapi.json", "").await.status, 204);
    assert_eq!(server.call("HEAD", "/openapi.json", "").await.text, "");
}

#[tokio::test]
async fn the_document_matches_its_snapshots() {
    let server = TestServer::new().await;
    let parts = by_tag(server.get("/openapi.json").await.body);
    let mut settings = Settings::clone_current();
    settings.set_snapshot_path("snapshots/openapi");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for (tag, part) in &parts {
        settings.bind(|| insta::assert_json_snapshot!(tag.as_str(), part));
    }

    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/api/snapshots/openapi");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let snapshots = files.filter(|file| file.extension().is_some_and(|extension| extension == "snap"));
    let names: BTreeSet<String> =
        snapshots.map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    assert_eq!(names, parts.into_keys().collect(), "a snapshot without a tag: delete the file");
}

/// The document in parts: for each tag its operations and the schemas that only they use, and the rest.
fn by_tag(mut document: Value) -> BTreeMap<String, Value> {
    let schemas = document["components"]["schemas"].take();
    let paths = document["paths"].take();
    let mut parts: BTreeMap<String, Value> = BTreeMap::new();
    let mut users: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (path, methods) in paths.as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let tag = operation["tags"][0].as_str().unwrap().to_lowercase().replace(' ', "_");
            let mut used = BTreeSet::new();
            add_references(operation, &schemas, &mut used);
            for schema in used {
                users.entry(schema).or_default().insert(tag.clone());
            }
            parts.entry(tag).or_insert_with(empty)["paths"][path][method] = operation.clone();
        }
    }
    let mut shared = empty();
    for (name, schema) in schemas.as_object().unwrap() {
        let mut tags = users.get(name.as_str()).into_iter().flatten();
        let part = match (tags.next(), tags.next()) {
            (Some(tag), None) => parts.get_mut(tag).unwrap(),
            _ => &mut shared,
        };
        part["schemas"][name] = schema.clone();
    }
    shared["document"] = document;
    assert!(parts.insert(SHARED.to_owned(), shared).is_none(), "a tag has the name of the shared part");
    parts
}

fn empty() -> Value {
    json!({ "paths": Map::new(), "schemas": Map::new() })
}

/// Adds the names of all schemas that a value refers to, directly or not.
fn add_references<'a>(value: &'a Value, schemas: &'a Value, names: &mut BTreeSet<&'a str>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| add_references(item, schemas, names)),
        Value::Object(fields) => {
            for (name, field) in fields {
                match field.as_str().and_then(|it| it.strip_prefix("#/components/schemas/")) {
                    Some(schema) if name == "$ref" => {
                        if names.insert(schema) {
                            add_references(&schemas[schema], schemas, names);
                        }
                    }
                    _ => add_references(field, schemas, names),
                }
            }
        }
        _ => {}
    }
}
