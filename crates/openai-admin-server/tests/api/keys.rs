//! Keys over time: expiry, revocation, last use.

use axum::http::{Extensions, header};
use openai_admin::Timestamp;
use openai_admin_server::{Config, Server, api_keys};
use serde_json::json;
use tower::ServiceExt as _;

use crate::{
    running::{Running, exchange, get},
    support::{KEY, TestServer, bearer},
};

async fn status_with(server: &TestServer, key: &str) -> u16 {
    let mut request = server.request("GET", "/v1/organization/groups", "");
    request.headers_mut().insert(header::AUTHORIZATION, bearer(key).parse().unwrap());
    server.send(request).await.status.as_u16()
}

#[tokio::test]
async fn a_key_is_refused_after_its_expiry() {
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
async fn a_key_that_another_process_revokes_is_refused_after_five_seconds() {
    let server = TestServer::new().await;
    let key = server.key_with(&["api.groups.read"]).await;
    assert_eq!(status_with(&server, &key).await, 200);
    let keys = server.store.list_api_keys(server.organization.org).await.unwrap();
    let id = keys.iter().find(|key| key.name == "restricted").unwrap().id.clone();
    // A second store acts as another process.
    let other = server.another_store().await;
    other.revoke_api_key(server.organization.org, server.minter.stamp("test"), id).await.unwrap();
    server.advance_clock_ms(4_999);
    assert_eq!(status_with(&server, &key).await, 200);
    server.advance_clock_ms(1);
    assert_eq!(status_with(&server, &key).await, 401);
}

#[tokio::test]
async fn a_key_that_is_revoked_through_the_same_store_is_refused_at_once() {
    let server = TestServer::new().await;
    let key = server.key_with(&["api.groups.read"]).await;
    assert_eq!(status_with(&server, &key).await, 200);
    let keys = server.store.list_api_keys(server.organization.org).await.unwrap();
    let id = keys.iter().find(|key| key.name == "restricted").unwrap().id.clone();
    server.store.revoke_api_key(server.organization.org, server.minter.stamp("test"), id).await.unwrap();
    assert_eq!(status_with(&server, &key).await, 401);
    assert_eq!(status_with(&server, KEY).await, 200, "other keys are still valid");
}

#[tokio::test]
async fn a_look_up_of_names_shows_what_the_key_may_list() {
    let server = TestServer::new().await;
    let ids = [server.group("Support").await, server.user("ada").await];
    let body = json!({ "ids": ids }).to_string();
    let found = async |scopes: &[&str]| {
        let mut request = server.request("POST", "/v1/x/names/look-up", &body);
        let key = server.key_with(scopes).await;
        request.headers_mut().insert(header::AUTHORIZATION, bearer(&key).parse().unwrap());
        let names = server.send(request).await.body;
        ids.iter().map(|id| names["data"].to_string().contains(id)).collect::<Vec<_>>()
    };
    assert_eq!(found(&["api.audit_logs.read"]).await, [false, false]);
    assert_eq!(found(&["api.audit_logs.read", "api.groups.read"]).await, [true, false]);
    assert_eq!(found(&["api.audit_logs.read", "api.groups.read", "api.management.read"]).await, [true, true]);
}

#[tokio::test]
async fn counts_and_access_show_what_the_key_may_read() {
    let server = TestServer::new().await;
    server.group("Support").await;
    let user = server.user("ada").await;
    let read = async |path: &str, scopes: &[&str]| {
        let mut request = server.request("GET", path, "");
        let key = server.key_with(scopes).await;
        request.headers_mut().insert(header::AUTHORIZATION, bearer(&key).parse().unwrap());
        let answer = server.send(request).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.body
    };
    let counts = read("/v1/x/counts", &["api.management.read"]).await;
    assert_eq!((&counts["users"]["number"], &counts["groups"]), (&json!(1), &json!(null)));
    let counts = read("/v1/x/counts", &["api.management.read", "api.groups.read"]).await;
    assert_eq!(counts["groups"]["number"], 1);
    let path = format!("/v1/x/users/{user}/access");
    let access = read(&path, &["api.roles.read"]).await;
    assert_eq!((&access["user_id"], &access["user"]), (&json!(user), &json!(null)));
    let access = read(&path, &["api.roles.read", "api.management.read"]).await;
    assert_eq!(access["user"]["id"], json!(user));
}

#[tokio::test]
async fn a_rotated_key_works_until_the_overlap_ends_and_the_new_one_at_once() {
    let server = TestServer::new().await;
    let old = server.key_with(&["api.groups.read"]).await;
    assert_eq!(status_with(&server, &old).await, 200);
    let org = server.organization.org;
    let keys = server.store.list_api_keys(org).await.unwrap();
    let id = keys.iter().find(|key| key.name == "restricted").unwrap().id.clone();
    let (new, kept) = api_keys::mint(&server.minter, "", Vec::new(), None);
    let ends = Timestamp::from_unix_seconds(server.minter.now().unix_seconds() + 60);
    server.store.rotate_api_key(org, server.minter.stamp("test"), id, kept, ends).await.unwrap();
    assert_eq!((status_with(&server, &old).await, status_with(&server, &new).await), (200, 200));
    server.advance_clock_ms(60_000);
    assert_eq!((status_with(&server, &old).await, status_with(&server, &new).await), (401, 200));
    assert_eq!(server.call_with(&new, "POST", "/v1/organization/groups").await, 403, "the same scopes");
}

const ADMIN_API_KEYS: &str = "/v1/organization/admin_api_keys";

/// Creates a key with the API. Returns its value and its id.
async fn created(server: &TestServer, by: &str, body: &str) -> (String, String) {
    let mut request = server.request("POST", ADMIN_API_KEYS, body);
    request.headers_mut().insert(header::AUTHORIZATION, bearer(by).parse().unwrap());
    let answer = server.send(request).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let text = |field: &str| answer.body[field].as_str().unwrap().to_owned();
    (text("value"), text("id"))
}

#[tokio::test]
async fn a_key_that_the_api_creates_works_until_the_api_deletes_it() {
    let server = TestServer::new().await;
    let (key, id) = created(&server, KEY, r#"{"name":"Nightly"}"#).await;
    assert!(key.starts_with("sk-admin-oadm-"), "{key}");
    assert_eq!(status_with(&server, &key).await, 200);
    let path = format!("{ADMIN_API_KEYS}/{id}");
    let retrieved = server.get(&path).await;
    assert_eq!((retrieved.body["name"].as_str(), retrieved.text.contains(&key)), (Some("Nightly"), false));
    let deleted = server.delete(&path).await;
    let expected =
        serde_json::json!({ "object": "organization.admin_api_key.deleted", "id": id, "deleted": true });
    assert_eq!(deleted.body, expected);
    assert_eq!(status_with(&server, &key).await, 401);
    server.get(&path).await.assert_error(404, Some("api_key_not_found"), Some("key_id"));
}

#[tokio::test]
async fn a_key_that_the_api_creates_expires_and_stays_listed() {
    let server = TestServer::new().await;
    let (key, id) = created(&server, KEY, r#"{"name":"Short","expires_in_seconds":60}"#).await;
    server.advance_clock_ms(59_000);
    assert_eq!(status_with(&server, &key).await, 200);
    server.advance_clock_ms(1_000);
    assert_eq!(status_with(&server, &key).await, 401);
    let listed = server.get(ADMIN_API_KEYS).await.body;
    assert!(listed["data"].as_array().unwrap().iter().any(|key| key["id"] == id), "{listed}");
}

#[tokio::test]
async fn a_key_never_creates_a_key_with_more_scopes() {
    let server = TestServer::new().await;
    let restricted = server.key_with(&["api.management.write"]).await;
    let (key, _) = created(&server, &restricted, r#"{"name":"Restricted"}"#).await;
    assert_eq!(server.call_with(&key, "GET", "/v1/organization/groups").await, 403);
    assert_eq!(server.call_with(&key, "GET", ADMIN_API_KEYS).await, 403);
    created(&server, &key, r#"{"name":"Restricted, too"}"#).await;
}

#[tokio::test]
async fn a_key_may_delete_itself_and_its_next_request_is_refused() {
    let server = TestServer::new().await;
    let (key, id) = created(&server, KEY, r#"{"name":"Nightly"}"#).await;
    let path = format!("{ADMIN_API_KEYS}/{id}");
    assert_eq!(server.call_with(&key, "DELETE", &path).await, 200);
    assert_eq!(status_with(&server, &key).await, 401);
}

/// Unknown keys in a valid form.
fn guesses(server: &TestServer, count: usize) -> Vec<String> {
    (0..count).map(|_| api_keys::mint(&server.minter, "guess", Vec::new(), None).0).collect()
}

async fn guess(running: &Running, key: &str, more: &str) -> String {
    let request = get(more).replace(KEY, key);
    exchange(&mut running.connect().await, &request).await
}

#[tokio::test]
async fn sixty_unknown_keys_a_minute_are_looked_up_for_a_peer_and_no_more() {
    let running = Running::start().await;
    for key in guesses(&running.server, 60) {
        assert!(guess(&running, &key, "").await.starts_with("HTTP/1.1 401"));
    }
    let next = &guesses(&running.server, 1)[0];
    // Headers do not change the peer.
    for more in
        ["", "x-forwarded-for: 192.0.2.1\r\n", "forwarded: for=192.0.2.2\r\n", "x-real-ip: 192.0.2.3\r\n"]
    {
        let answer = guess(&running, next, more).await;
        assert!(answer.starts_with("HTTP/1.1 429") && answer.contains("retry-after: 1\r\n"), "{answer}");
    }
    assert!(
        guess(&running, KEY, "").await.starts_with("HTTP/1.1 429"),
        "a new key cannot be told from a guess"
    );
    running.server.advance_clock_ms(1_000);
    assert!(guess(&running, KEY, "").await.starts_with("HTTP/1.1 200"), "and is free once it is cached");
    assert!(guess(&running, next, "").await.starts_with("HTTP/1.1 401"));
    assert!(guess(&running, next, "").await.starts_with("HTTP/1.1 429"));
    // The guesses of a peer do not prevent a second look-up of a known key.
    running.server.advance_clock_ms(10);
    assert!(guess(&running, KEY, "").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn behind_a_proxy_the_guesses_of_one_client_do_not_lock_out_others() {
    let running = Running::start_with(Config::default().with_behind_proxy(true), None).await;
    for key in guesses(&running.server, 100) {
        assert!(guess(&running, &key, "").await.starts_with("HTTP/1.1 401"));
    }
    assert!(guess(&running, KEY, "").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_request_for_another_organization_is_refused_without_effect() {
    let server = TestServer::new().await;
    let (path, own) = ("/v1/organization/groups", server.organization.id.to_string());
    let naming = async |method: &str, organizations: &[&str]| {
        let mut request = server.request(method, path, r#"{"name":"x"}"#);
        for organization in organizations {
            request.headers_mut().append("openai-organization", organization.parse().unwrap());
        }
        server.send(request).await
    };
    for organizations in [&["org-other"][..], &["ORG"], &[&own, "org-other"], &["null"]] {
        let answer = naming("POST", organizations).await;
        let message = answer.assert_error(401, Some("mismatched_organization"), None);
        assert_eq!(message, "OpenAI-Organization header should match organization for API key.");
    }
    assert_eq!(server.get(path).await.body["data"], serde_json::json!([]));
    for organizations in [&[&own[..]][..], &[""], &[]] {
        assert_eq!(naming("GET", organizations).await.status, 200, "{organizations:?}");
    }
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

#[tokio::test]
async fn a_change_of_roles_by_another_process_is_seen_by_the_next_request() {
    let server = TestServer::new().await;
    let user = server.user("ada").await;
    let role = server
        .post("/v1/organization/roles", r#"{"role_name":"Readers","permissions":["api.groups.read"]}"#)
        .await
        .body["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let has_permission = async || {
        let access = server.get(&format!("/v1/x/users/{user}/access")).await;
        assert_eq!(access.status, 200, "{}", access.body);
        access.body.to_string().contains("Readers")
    };
    // The key is cached from here on.
    assert!(!has_permission().await);
    let other = Server::new(server.another_store().await, server.minter.clone(), Config::default());
    let path = format!("/v1/organization/users/{user}/roles");
    let request = server.request("POST", &path, format!(r#"{{"role_id":"{role}"}}"#));
    assert_eq!(other.router().oneshot(request).await.unwrap().status(), 200);
    assert!(has_permission().await);
    let request = server.request("DELETE", &format!("{path}/{role}"), "");
    assert_eq!(other.router().oneshot(request).await.unwrap().status(), 200);
    assert!(!has_permission().await);
}

#[tokio::test]
async fn a_key_signs_in_to_the_console_and_unlocks_sessions_60_times_a_minute() {
    let server = TestServer::new().await;
    let (sessions, none) = (server.server.console_sessions(), Extensions::new());
    for _ in 0..60 {
        sessions.sign_in(KEY, &none).await.unwrap();
    }
    let refused = sessions.sign_in(KEY, &none).await.unwrap_err();
    assert_eq!((refused.status, refused.message.contains("too often")), (429, true), "{refused:?}");
    server.advance_clock_ms(1_000);
    let secret = sessions.sign_in(KEY, &none).await.unwrap();
    let session = sessions.find(&secret, true).await.unwrap().unwrap();
    let refused = sessions.unlock(&secret, &session, "sk-admin-wrong", &none).await.unwrap_err();
    assert_eq!(refused.status, 429, "{refused:?}");
    server.advance_clock_ms(1_000);
    let refused = sessions.unlock(&secret, &session, "sk-admin-wrong", &none).await.unwrap_err();
    assert_eq!(refused.status, 401, "{refused:?}");
}

#[tokio::test]
async fn a_session_from_before_the_clock_was_set_back_has_ended() {
    let server = TestServer::new().await;
    let sessions = server.server.console_sessions();
    let secret = sessions.sign_in(KEY, &Extensions::new()).await.unwrap();
    let signed_in = server.minter.now().unix_seconds().cast_unsigned();
    for (seconds_back, is_open) in [(0, true), (60, true), (61, false)] {
        server.set_clock_seconds(signed_in - seconds_back);
        assert_eq!(sessions.find(&secret, false).await.unwrap().is_some(), is_open, "{seconds_back} s back");
    }
}
