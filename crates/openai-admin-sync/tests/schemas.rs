//! The published schemas and the example file.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::{fs, path::PathBuf};

use openai_admin_sync::{desired, file, plan};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// `INSTA_UPDATE=always` updates the files, as it does with snapshots.
#[expect(clippy::disallowed_methods, reason = "the caller of the tests decides whether to update")]
fn check(name: &str, schema: &schemars::Schema) {
    let path = root().join("schemas").join(name);
    let text = serde_json::to_string_pretty(schema).unwrap() + "\n";
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        fs::write(&path, &text).unwrap();
    }
    // Compared as values: the order of keys in serde_json depends on the features of the build.
    let published: serde_json::Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(published, *schema.as_value(), "{name} does not match the types");
}

#[test]
fn the_published_schemas_match_the_types() {
    check("groups.schema.json", &file::json_schema());
    check("plan.schema.json", &plan::json_schema());
}

#[test]
fn the_example_file_is_valid() {
    let folder = root().join("../../examples/acme");
    let file = file::parse(&fs::read_to_string(folder.join("groups.yaml")).unwrap(), "groups.yaml").unwrap();
    let mut read = |_: &str, table: &str| fs::read(folder.join(table)).map_err(|error| error.to_string());
    let day = jiff::civil::date(2026, 11, 23);
    let desired = desired::expand(&[("groups.yaml".to_owned(), file)], day, &mut read).unwrap();
    assert_eq!(desired.groups.len(), 4);
}
