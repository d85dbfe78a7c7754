//! The client against a scripted service: every failure, and its error.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::disallowed_methods, reason = "the clock is tokio's, paused")]

mod additions;
mod answers;
mod errors;
mod finding;
mod pages;
mod raw;
mod requests;
mod retries;
mod timeouts;

use std::time::Duration;

use openai_admin::{
    Client, Error, ErrorKind, GroupId,
    models::{CreateGroupBody, CreateGroupUserBody},
    operations::RetrieveGroup,
    testing::Script,
};

const GROUP: &str =
    r#"{"id":"group_1","name":"Support","created_at":0,"is_scim_managed":false,"group_type":"group"}"#;
const ADDED: &str = r#"{"object":"group.user","user_id":"u","group_id":"g"}"#;
const REMOVED: &str = r#"{"object":"group.user.deleted","deleted":true}"#;

fn client(script: &Script) -> Client {
    Client::builder()
        .key("sk-admin-secret")
        .base_url("http://localhost/v1")
        .service(script.clone())
        .build()
        .unwrap()
}

async fn retrieve(script: &Script) -> Result<(), Error> {
    client(script).groups().retrieve_group("group_1").await.map(|_| ())
}

fn support() -> CreateGroupBody {
    CreateGroupBody::new("Support".try_into().unwrap())
}

fn page(ids: &[&str], has_more: bool, next: Option<&str>) -> String {
    let data: Vec<_> =
        ids.iter().map(|id| serde_json::json!({ "id": id, "name": "n", "email": null })).collect();
    serde_json::json!({ "object": "list", "data": data, "has_more": has_more, "next": next }).to_string()
}

#[test]
fn a_blocking_client_waits_and_iterates() {
    let script = Script::new().then_ok(GROUP).then_ok(page(&["a"], true, Some("a"))).then_ok(page(
        &["b"],
        false,
        None,
    ));
    let client = openai_admin::blocking::Client::new(client(&script)).unwrap();
    let group = client.send(&RetrieveGroup::new(GroupId::new("group_1").unwrap())).unwrap();
    let users: Result<Vec<_>, _> = client.items(client.group_users().list_group_users(&group.id)).collect();
    assert_eq!(users.unwrap().len(), 2);
}

#[tokio::test]
async fn a_blocking_client_may_be_dropped_anywhere() {
    drop(openai_admin::blocking::Client::new(client(&Script::new())).unwrap());
}

#[test]
fn futures_of_the_client_can_be_sent_between_threads() {
    fn check<T: Send>(_: T) {}
    let client = client(&Script::new());
    check(client.groups().retrieve_group("g"));
    check(client.group_users().list_group_users("g").items());
    check(client.clone());
}
