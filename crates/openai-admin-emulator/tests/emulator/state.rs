//! The organization: fixtures, reset, snapshots, import and export.

use openai_admin_emulator::{Emulator, Error};
use openai_admin_store::DatabaseUrl;
use serde_json::json;

use crate::support::{ADA, ADD, add, ask, ask_as, builder, emulator, members};

#[tokio::test]
async fn the_organization_starts_with_the_fixtures_and_their_ids() {
    let emulator = emulator().await;
    let client = emulator.client().unwrap();
    assert_eq!(members(&client, "group_sales").await, ["user_eve"]);
    let exported = serde_json::to_value(emulator.namespace().export().await.unwrap()).unwrap();
    assert_eq!(exported["groups"][1]["members"], json!(["user_eve"]));
}

#[tokio::test]
async fn without_fixtures_the_organization_is_empty() {
    let emulator = Emulator::start().await.unwrap();
    let groups = emulator.client().unwrap().groups().list_groups().await.unwrap();
    assert!(groups.data.is_empty());
}

#[tokio::test]
async fn a_reset_restores_the_fixtures() {
    let emulator = emulator().await;
    let client = emulator.client().unwrap();
    add(&client, "user_ada").await.unwrap();
    client.groups().delete_group("group_sales").await.unwrap();
    assert_eq!(ask(&emulator, "POST", "/_emulator/reset", "").await.json(), json!({ "done": true }));
    assert!(members(&client, "group_support").await.is_empty());
    assert_eq!(members(&client, "group_sales").await, ["user_eve"]);
}

#[tokio::test]
async fn a_snapshot_is_restored_by_its_name() {
    let emulator = emulator().await;
    let client = emulator.client().unwrap();
    add(&client, "user_ada").await.unwrap();
    assert_eq!(ask(&emulator, "PUT", "/_emulator/snapshots/one", "").await.status, 200);
    add(&client, "user_bob").await.unwrap();
    assert_eq!(ask(&emulator, "GET", "/_emulator/snapshots", "").await.json(), json!({ "data": ["one"] }));
    assert_eq!(ask(&emulator, "POST", "/_emulator/snapshots/one/restore", "").await.status, 200);
    assert_eq!(members(&client, "group_support").await, ["user_ada"]);

    let unknown = ask(&emulator, "POST", "/_emulator/snapshots/two/restore", "").await;
    assert_eq!(
        (unknown.status, unknown.json()["error"]["message"].as_str()),
        (404, Some("no snapshot 'two': one"))
    );
    assert_eq!(ask(&emulator, "DELETE", "/_emulator/snapshots/one", "").await.status, 200);
    assert_eq!(ask(&emulator, "DELETE", "/_emulator/snapshots/one", "").await.status, 404);
}

#[tokio::test]
async fn an_export_can_be_imported_into_another_emulator() {
    let (one, other) = (emulator().await, Emulator::start().await.unwrap());
    add(&one.client().unwrap(), "user_ada").await.unwrap();
    let exported = ask(&one, "GET", "/_emulator/export", "").await.body;
    assert_eq!(ask(&other, "POST", "/_emulator/import", &exported).await.json(), json!({ "done": true }));
    let (mut one, other) = (
        serde_json::to_value(one.namespace().export().await.unwrap()).unwrap(),
        serde_json::to_value(other.namespace().export().await.unwrap()).unwrap(),
    );
    // The import keeps the organization that it is loaded into.
    one["organization"] = other["organization"].clone();
    assert_eq!(one, other);
}

#[tokio::test]
async fn an_invalid_import_names_the_position_and_changes_nothing() {
    let emulator = emulator().await;
    let before = ask(&emulator, "GET", "/_emulator/export", "").await.body;
    let wrong =
        json!({ "groups": [{ "name": "New" }, { "name": "Wrong", "members": ["nobody@example.com"] }] });
    let refused = ask(&emulator, "POST", "/_emulator/import", &wrong.to_string()).await;
    let message = refused.json()["error"]["message"].to_string();
    assert!(refused.status == 400 && message.contains("groups[1]"), "{refused:?}");
    assert_eq!(ask(&emulator, "GET", "/_emulator/export", "").await.body, before);
    let refused = builder().fixtures(serde_json::from_value(wrong).unwrap()).start().await.unwrap_err();
    assert!(matches!(refused, Error::Store(_)), "{refused:?}");
}

#[tokio::test]
async fn an_organization_in_a_file_persists() {
    let folder = tempfile::tempdir().unwrap();
    let url = DatabaseUrl::Sqlite(folder.path().join("kept.db"));
    let first = builder().database(url.clone()).start().await.unwrap();
    add(&first.client().unwrap(), "user_ada").await.unwrap();
    drop(first);
    let second = Emulator::builder().database(url).start().await.unwrap();
    let client = second.client().unwrap();
    assert_eq!(members(&client, "group_support").await, ["user_ada"]);
    client.group_users().remove_group_user("group_support", "user_ada").await.unwrap();
    second.namespace().reset().await.unwrap();
    assert_eq!(members(&client, "group_support").await, ["user_ada"], "a reset restores the initial state");
}

/// Creates two groups and a user with this name, and returns their ids.
async fn create(emulator: &Emulator, name: &str) -> Vec<String> {
    let mut ids = Vec::new();
    for (path, body) in [
        ("/v1/organization/groups", json!({ "name": "X" })),
        ("/v1/organization/groups", json!({ "name": "Y" })),
        ("/v1/x/users", json!({ "name": name, "email": format!("{name}@example.com") })),
    ] {
        let answer = ask(emulator, "POST", path, &body.to_string()).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        ids.push(answer.json()["id"].as_str().unwrap().to_owned());
    }
    ids
}

#[tokio::test]
async fn generated_ids_differ_from_ids_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let start = async |file: &str| {
        let url = DatabaseUrl::Sqlite(folder.path().join(file));
        builder().seed(7).database(url).start().await.unwrap()
    };
    let mut seen = create(&start("kept.db").await, "new").await;
    let in_memory = create(&builder().seed(7).start().await.unwrap(), "new").await;
    assert_eq!(seen, in_memory, "a new file is like memory");
    for name in ["one", "two", "three"] {
        let emulator = start("kept.db").await;
        let ids = create(&emulator, name).await;
        assert!(ids.iter().all(|id| !seen.contains(id)), "{ids:?} of {seen:?}");
        emulator.namespace().reset().await.unwrap();
        assert_eq!(create(&emulator, name).await, ids, "a reset restarts the run");
        seen.extend(ids);
    }
}

#[tokio::test]
async fn generated_ids_differ_from_ids_of_a_snapshot_or_an_import() {
    let emulator = builder().seed(7).start().await.unwrap();
    let namespace = emulator.namespace();
    let first = create(&emulator, "first").await;
    namespace.take_snapshot("one").await.unwrap();
    let exported = namespace.export().await.unwrap();

    namespace.reset().await.unwrap();
    namespace.restore_snapshot("one").await.unwrap();
    let second = create(&emulator, "second").await;
    assert!(second.iter().all(|id| !first.contains(id)), "{second:?} of {first:?}");
    namespace.restore_snapshot("one").await.unwrap();
    assert_eq!(create(&emulator, "second").await, second, "the same after each restore");

    namespace.reset().await.unwrap();
    namespace.import(exported).await.unwrap();
    let third = create(&emulator, "third").await;
    assert!(third.iter().all(|id| !first.contains(id)), "{third:?} of {first:?}");
}

#[tokio::test]
async fn any_key_is_accepted_unless_keys_are_configured() {
    let any = emulator().await;
    assert_eq!(ask_as(&any, "whatever", "POST", ADD, ADA).await.status, 200);
    assert_eq!(ask_as(&any, "", "POST", ADD, ADA).await.status, 401);

    let given = builder().key("sk-one").key("sk-two").start().await.unwrap();
    for (key, status) in [("sk-one", 200), ("sk-two", 200), ("whatever", 401)] {
        assert_eq!(ask_as(&given, key, "POST", ADD, ADA).await.status, status, "{key}");
    }
    assert_eq!(ask_as(&given, "sk-two", "POST", &format!("/_ns/a{ADD}"), ADA).await.status, 200);
}

#[tokio::test]
async fn each_key_is_a_separate_actor_in_the_audit_log() {
    let emulator = emulator().await;
    for key in ["sk-one", "sk-two", "sk-one"] {
        let group = ask_as(&emulator, key, "POST", "/v1/organization/groups", r#"{"name":"X"}"#).await;
        assert_eq!(group.status, 200);
    }
    let logs = ask(&emulator, "GET", "/v1/organization/audit_logs?limit=3", "").await.json();
    let actors: Vec<String> = (0..3).map(|place| logs["data"][place]["actor"].to_string()).collect();
    assert!(actors[0] == actors[2] && actors[0] != actors[1], "{actors:?}");
    assert!(!actors[0].contains("sk-one"));
}

#[tokio::test]
async fn the_emulator_works_in_process_without_a_port() {
    let emulator = builder().open().await.unwrap();
    let client = emulator.client().unwrap();
    add(&client, "user_ada").await.unwrap();
    assert_eq!(members(&client, "group_support").await, ["user_ada"]);
}
