//! Keys over time: expiry, revocation, last use.

use axum::http::header;
use openai_admin::Timestamp;
use openai_admin_server::api_keys;

use crate::support::{TestServer, bearer};

async fn status_with(server: &TestServer, key: &str) -> u16 {
    let mut request = server.request("GET", "/v1/organization/groups", "");
    request.headers_mut().insert(header::AUTHORIZATION, bearer(key).parse().unwrap());
    server.send(request).await.status.as_u16()
}

#[tokio::test]
async fn a_key_stops_working_when_it_expires() {
    let server = TestServer::new().await;
    let expires_at = Timestamp::from_unix_seconds(server.minter.now().unix_seconds() + 60);
    let (key, new) = api_keys::mint(&server.minter, "short", api_keys::all_scopes(), Some(expires_at));
    server.store.create_api_key(server.organization.org, server.minter.stamp("test"), new).await.unwrap();
    assert_eq!(status_with(&server, &key).await, 200);
    server.advance_clock_ms(59_999);
    assert_eq!(status_with(&server, &key).await, 200);
    server.advance_clock_ms(1);
    assert_eq!(status_with(&server, &key).await, 401);
}

#[tokio::test]
async fn a_key_that_another_process_revokes_works_at_most_five_seconds_longer() {
    let server = TestServer::new().await;
    let key = server.key_with(&["api.groups.read"]).await;
    assert_eq!(status_with(&server, &key).await, 200);
    let keys = server.store.list_api_keys(server.organization.org).await.unwrap();
    let id = keys.iter().find(|key| key.name == "restricted").unwrap().id.clone();
    server.store.revoke_api_key(server.organization.org, server.minter.stamp("test"), id).await.unwrap();
    server.advance_clock_ms(5_000);
    assert_eq!(status_with(&server, &key).await, 401);
}

#[tokio::test]
async fn a_key_reaches_its_own_organization_only() {
    let server = TestServer::new().await;
    server.group("first").await;
    let other = serde_json::json!({
        "organization": { "id": "org-other" },
        "groups": [{ "id": "group_other", "name": "Other" }],
    });
    let loaded =
        server.store.load(server.minter.stamp("test"), serde_json::from_value(other).unwrap()).await.unwrap();
    let (key, new) = api_keys::mint(&server.minter, "other", api_keys::all_scopes(), None);
    server.store.create_api_key(loaded.organization.org, server.minter.stamp("test"), new).await.unwrap();

    let mut request = server.request("GET", "/v1/organization/groups/group_other", "");
    server.get("/v1/organization/groups/group_other").await.assert_error(
        404,
        Some("group_not_found"),
        Some("group_id"),
    );
    request.headers_mut().insert(header::AUTHORIZATION, bearer(&key).parse().unwrap());
    let answer = server.send(request).await;
    assert_eq!((answer.status.as_u16(), answer.header("openai-organization")), (200, Some("org-other")));
}
