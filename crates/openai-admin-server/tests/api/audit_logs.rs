//! The audit log over the API, with the published names of events.

use openai_admin::AuditLogEventType;
use serde_json::{Value, json};

use crate::support::{KEY, TestServer};

const PATH: &str = "/v1/organization/audit_logs";

#[tokio::test]
async fn an_event_has_the_key_and_the_change() {
    let server = TestServer::new().await;
    let (group, user) = (server.group("Support").await, server.user("ada").await);
    server.add(&group, &user).await;
    let answer = server.get(&format!("{PATH}?limit=3")).await;
    assert_eq!(answer.status, 200);
    let id = |index: usize| answer.body["data"][index]["id"].clone();
    let event = |index: usize, name: &str, detail: Value| {
        json!({
            "id": id(index),
            "type": name,
            "effective_at": 1_711_471_533,
            "actor": { "type": "api_key", "api_key": { "id": "key_bootstrap" } },
            (name): detail,
        })
    };
    let page = json!({
        "object": "list",
        "data": [
            event(0, "group.user.added", json!({ "group_id": group, "user_id": user })),
            event(1, "user.added", json!({ "id": user, "data": { "role": "reader" } })),
            event(2, "group.created", json!({ "id": group, "data": { "group_name": "Support" } })),
        ],
        "first_id": id(0),
        "last_id": id(2),
        "has_more": true,
    });
    assert_eq!(answer.body, page);
    assert!(!answer.text.contains(KEY) && !answer.text.contains('@'));
}

#[tokio::test]
async fn changes_from_the_command_line_have_a_session_as_actor() {
    let server = TestServer::new().await;
    let client = server.client();
    let body = openai_admin::models::CreateGroupBody::new("Local".try_into().unwrap());
    client.groups().create_group(body).await.unwrap();
    let answer = server.get(&format!("{PATH}?actor_ids[]=local")).await;
    assert_eq!(
        answer.body["data"][0]["actor"],
        json!({ "type": "session", "session": { "user": { "id": "local" } } })
    );
}

#[tokio::test]
async fn filters_with_and_without_brackets_are_checked() {
    let server = TestServer::new().await;
    let (group, _) = (server.group("Support").await, server.user("ada").await);
    for (query, count) in [
        (format!("resource_ids[]={group}"), 1),
        (format!("resource_ids={group}&event_types=group.created&event_types%5B%5D=user.added"), 1),
        ("event_types[]=group.created&event_types[]=user.added".to_owned(), 2),
        ("effective_at[gte]=1711471534".to_owned(), 0),
        ("effective_at[lt]=1711471534&limit=100".to_owned(), 4),
    ] {
        let answer = server.get(&format!("{PATH}?{query}")).await;
        assert_eq!(answer.body["data"].as_array().map(Vec::len), Some(count), "{query}: {answer:?}");
    }
    for (query, code, param) in [
        ("limit=0", "integer_below_min_value", "limit"),
        ("limit=101", "integer_above_max_value", "limit"),
        ("effective_at[gte]=yesterday", "invalid_type", "effective_at[gte]"),
        ("effective_at=1", "invalid_type", "effective_at"),
        ("event_types[]=group.exploded", "invalid_value", "event_types[]"),
        ("tenant_only=true&event_types[]=group.created", "invalid_value", "event_types[]"),
        ("after=audit_log-never", "invalid_value", "after"),
        ("before=audit_log-never", "invalid_value", "before"),
    ] {
        server.get(&format!("{PATH}?{query}")).await.assert_error(400, Some(code), Some(param));
    }
}

#[tokio::test]
async fn a_key_with_only_the_groups_scope_cannot_read_the_log() {
    let server = TestServer::new().await;
    let key = server.key_with(&["api.groups.read", "api.management.read"]).await;
    let answer = server.get_with(&key, PATH).await;
    assert_eq!(answer.status, 403);
    assert!(answer.text.contains("api.audit_logs.read"));
    let key = server.key_with(&["api.audit_logs.read"]).await;
    assert_eq!(server.get_with(&key, PATH).await.status, 200);
}

#[tokio::test]
async fn the_client_walks_to_the_oldest_event_and_to_the_newest() {
    let server = TestServer::new().await;
    let client = server.client();
    let oldest = client.audit_logs().list_audit_logs().items().try_collect().await.unwrap().pop().unwrap();
    for number in 0..7 {
        server.group(&format!("Group {number}")).await;
    }
    let created =
        || client.audit_logs().list_audit_logs().event_types([AuditLogEventType::GroupCreated]).limit(3);
    let down = created().items().try_collect().await.unwrap();
    let mut pages = created().before(&oldest.id).pages();
    let mut up = Vec::new();
    while let Some(page) = pages.next().await {
        up.extend(page.unwrap().into_inner().data.into_iter().rev());
    }
    up.reverse();
    assert_eq!((down.len(), up), (7, down));
}
