//! Namespaces by path and by key.

use serde_json::json;

use crate::support::{ADA, ADD, ask, ask_as, builder, emulator};

const LIST: &str = "/v1/organization/groups/group_support/users";

async fn count(emulator: &openai_admin_emulator::Emulator, key: &str, prefix: &str) -> usize {
    let page = ask_as(emulator, key, "GET", &format!("{prefix}{LIST}"), "").await.json();
    page["data"].as_array().unwrap().len()
}

#[tokio::test]
async fn each_namespace_in_a_path_is_separate() {
    let emulator = emulator().await;
    assert_eq!(ask(&emulator, "POST", &format!("/_ns/one{ADD}"), ADA).await.status, 200);
    assert_eq!(count(&emulator, "k", "/_ns/one").await, 1);
    assert_eq!(count(&emulator, "k", "/_ns/two").await, 0);
    assert_eq!(count(&emulator, "k", "").await, 0);
    let listed = ask(&emulator, "GET", "/_emulator/namespaces", "").await.json();
    assert_eq!(listed, json!({ "data": ["default", "one", "two"] }));
}

#[tokio::test]
async fn the_controls_of_a_namespace_do_not_affect_others() {
    let emulator = emulator().await;
    for prefix in ["", "/_ns/one", "/_ns/two"] {
        assert_eq!(ask(&emulator, "POST", &format!("{prefix}{ADD}"), ADA).await.status, 200);
    }
    assert_eq!(ask(&emulator, "POST", "/_ns/one/_emulator/reset", "").await.status, 200);
    assert_eq!(ask(&emulator, "POST", "/_emulator/reset?namespace=two", "").await.status, 200);
    assert_eq!(count(&emulator, "k", "").await, 1);
    assert_eq!(count(&emulator, "k", "/_ns/one").await, 0);
    assert_eq!(count(&emulator, "k", "/_ns/two").await, 0);
}

#[tokio::test]
async fn with_isolation_each_key_has_a_separate_organization() {
    let emulator = builder().isolate_by_key(true).start().await.unwrap();
    assert_eq!(ask_as(&emulator, "sk-one", "POST", ADD, ADA).await.status, 200);
    assert_eq!(count(&emulator, "sk-one", "").await, 1);
    assert_eq!(count(&emulator, "sk-two", "").await, 0);
    // The controls also apply to the key's namespace.
    assert_eq!(ask_as(&emulator, "sk-two", "POST", "/_emulator/reset", "").await.status, 200);
    assert_eq!(count(&emulator, "sk-one", "").await, 1);
    let one = emulator.namespace_of_key("sk-one").await.unwrap();
    assert_eq!(one.requests(&Default::default(), 0, None).await.unwrap().data.len(), 3);
    let names = ask_as(&emulator, "sk-two", "GET", "/_emulator/namespaces", "").await.body;
    assert!(!names.contains("sk-one"), "a key is shown: {names}");
}

#[tokio::test]
async fn a_deleted_namespace_is_created_again() {
    let emulator = emulator().await;
    assert_eq!(ask(&emulator, "POST", &format!("/_ns/one{ADD}"), ADA).await.status, 200);
    assert_eq!(ask(&emulator, "DELETE", "/_emulator/namespaces/one", "").await.status, 200);
    assert_eq!(count(&emulator, "k", "/_ns/one").await, 0);
    assert_eq!(ask(&emulator, "DELETE", "/_emulator/namespaces/three", "").await.status, 404);
    let refused = ask(&emulator, "DELETE", "/_emulator/namespaces/default", "").await;
    assert_eq!(refused.status, 400);
}

#[tokio::test]
async fn reads_and_requests_without_a_key_create_no_namespace() {
    let emulator = builder().key("sk-right").start().await.unwrap();
    for (key, path, status) in [
        ("", "/_ns/a/v1/organization/groups", 401),
        ("sk-wrong", "/_ns/b/v1/organization/groups", 401),
        ("", "/_ns/c/_emulator/requests", 200),
        ("", "/_ns/d/_emulator/export", 200),
        ("sk-right", "/_emulator/clock?namespace=e", 200),
    ] {
        assert_eq!(ask_as(&emulator, key, "GET", path, "").await.status, status, "{path}");
    }
    let names = async || ask(&emulator, "GET", "/_emulator/namespaces", "").await.json();
    assert_eq!(names().await, json!({ "data": ["default"] }));
    assert_eq!(ask_as(&emulator, "sk-right", "GET", "/_ns/a/v1/organization/groups", "").await.status, 200);
    assert_eq!(ask_as(&emulator, "", "PUT", "/_ns/b/_emulator/snapshots/x", "").await.status, 200);
    assert_eq!(names().await, json!({ "data": ["default", "a", "b"] }));
}

#[tokio::test]
async fn reading_a_namespace_before_its_first_request_shows_the_fixtures() {
    let emulator = emulator().await;
    let (new, kept) = ("/_ns/new/_emulator/export", "/_emulator/export");
    assert_eq!(ask(&emulator, "GET", new, "").await.body, ask(&emulator, "GET", kept, "").await.body);
    let asked = ask(&emulator, "GET", "/_ns/new/_emulator/requests", "").await.json();
    assert_eq!(asked, json!({ "data": [], "has_more": false, "dropped": 0 }));
}

#[tokio::test]
async fn an_invalid_name_is_refused() {
    let emulator = emulator().await;
    for path in [
        "/_ns//v1/organization/groups",
        "/_ns/a%20b/v1/organization/groups",
        &format!("/_ns/{}/v1", "x".repeat(101)),
    ] {
        let refused = ask(&emulator, "GET", path, "").await;
        assert_eq!(refused.status, 400, "{path}");
        assert!(refused.body.contains("invalid namespace name"), "{}", refused.body);
    }
}

#[tokio::test]
async fn concurrent_namespaces_are_isolated() {
    let emulator = builder().isolate_by_key(true).start().await.unwrap();
    let work = (0..50).map(|number| {
        let emulator = &emulator;
        async move {
            let key = format!("sk-{number}");
            assert_eq!(ask_as(emulator, &key, "POST", ADD, ADA).await.status, 200);
            assert_eq!(count(emulator, &key, "").await, 1);
            let path = format!("{ADD}/user_ada");
            assert_eq!(ask_as(emulator, &key, "DELETE", &path, "").await.status, 200);
            assert_eq!(count(emulator, &key, "").await, 0);
        }
    });
    futures_util::future::join_all(work).await;
}
