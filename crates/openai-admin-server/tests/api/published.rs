//! The served document against the facts of the published description: ids, methods, paths, parameters, fields,
//! bounds, defaults and enums.
//!
//! `published/facts.txt` has the facts, `published/differences.txt` the deliberate differences. Write the facts
//! again from descriptions in OpenAPI, separated by colons:
//! `PUBLISHED_DESCRIPTIONS=a.json:b.json cargo nextest run -p openai-admin-server --run-ignored only write_facts`.

mod compare;
mod deliberate;
mod facts;

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use openai_admin_server::operations;

use self::{
    compare::differences,
    facts::{Operations, of_document, write},
};
use crate::support::TestServer;

/// The operations of the published description.
const OPERATIONS: usize = 143;

/// Read by the test, so that an edit compiles nothing.
fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/api/published").join(name)
}

fn published() -> Operations {
    facts::parse(&fs::read_to_string(file("facts.txt")).unwrap()).unwrap()
}

#[tokio::test]
async fn the_document_agrees_with_the_published_facts() {
    let served = of_document(&TestServer::new().await.get("/openapi.json").await.body);
    let published = published();
    assert_eq!(published.len(), OPERATIONS);
    let mut rows = deliberate::parse(&fs::read_to_string(file("differences.txt")).unwrap()).unwrap();
    let mut unexplained = Vec::new();
    for (id, operation) in &published {
        let Some(other) = served.get(id) else {
            unexplained.push(format!("{id} is not served"));
            continue;
        };
        for difference in differences(operation, other) {
            let key = deliberate::key(id, difference);
            if rows.remove(&key).is_none() {
                unexplained.push(format!("{} | {} | {}", key.0, key.1, key.2));
            }
        }
    }
    assert!(unexplained.is_empty(), "{} differences:\n{}", unexplained.len(), unexplained.join("\n"));
    assert!(rows.is_empty(), "these rows explain no difference: {rows:#?}");
}

#[tokio::test]
async fn the_document_marks_extensions_and_idempotency_keys() {
    let served = of_document(&TestServer::new().await.get("/openapi.json").await.body);
    let published = published();
    assert_eq!(served.len(), operations().len());
    for operation in operations() {
        let described = &served[operation.id];
        assert_eq!(described.is_extension, !published.contains_key(operation.id), "{}", operation.id);
        let takes_key = described.facts.contains_key("header.Idempotency-Key");
        assert_eq!(takes_key, !operation.is_idempotent, "{}", operation.id);
    }
}

#[test]
fn written_facts_are_read_back() {
    let text = fs::read_to_string(file("facts.txt")).unwrap();
    assert!(write(&published()) == text, "write the facts again");
}

#[test]
#[ignore = "writes the facts again; needs the published descriptions"]
#[expect(clippy::disallowed_methods, reason = "a parameter of this program")]
fn write_facts() {
    let files =
        env::var("PUBLISHED_DESCRIPTIONS").expect("set PUBLISHED_DESCRIPTIONS to files, separated by colons");
    let mut operations = facts::Operations::new();
    for file in files.split(':') {
        let document = serde_json::from_slice(&fs::read(file).expect(file)).expect(file);
        operations.extend(of_document(&document));
    }
    assert_eq!(operations.len(), OPERATIONS);
    let text = write(&operations);
    assert_eq!(facts::parse(&text).unwrap(), operations, "a fact has a space in a value");
    fs::write(self::file("facts.txt"), text).unwrap();
}
