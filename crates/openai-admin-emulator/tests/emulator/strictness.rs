//! Invalid parameters: a warning, an error in strict mode, or accepted by rules that are off.

use openai_admin_emulator::Fixtures;
use openai_admin_store::Rules;
use serde_json::json;

use crate::support::{ADD, ask, builder, emulator};

#[tokio::test]
async fn unknown_parameters_are_named_in_a_header() {
    let emulator = emulator().await;
    let odd =
        ask(&emulator, "POST", &format!("{ADD}?dry_run=1"), r#"{"user_id":"user_ada","role":"owner"}"#).await;
    assert_eq!(odd.status, 200);
    assert_eq!(odd.header("openai-emulator-warning"), Some("'dry_run' is not a parameter of add-group-user"));
    assert!(odd_warnings(&emulator).await.contains("'role' is not a parameter of add-group-user"));
}

async fn odd_warnings(emulator: &openai_admin_emulator::Emulator) -> String {
    ask(emulator, "GET", "/_emulator/requests", "").await.json()["data"][0]["warnings"].to_string()
}

#[tokio::test]
async fn strict_mode_refuses_unknown_parameters() {
    let emulator = builder().strict(true).start().await.unwrap();
    for (path, body, name) in [
        (ADD.to_owned(), r#"{"user_id":"user_ada","role":"owner"}"#, "role"),
        (format!("{ADD}?dry_run=1"), r#"{"user_id":"user_ada"}"#, "dry_run"),
    ] {
        let refused = ask(&emulator, "POST", &path, body).await;
        assert_eq!(refused.status, 400);
        let error = &refused.json()["error"];
        assert_eq!(
            (error["code"].as_str(), error["param"].as_str()),
            (Some("unknown_parameter"), Some(name))
        );
    }
    let members = ask(&emulator, "GET", ADD, "").await.json();
    assert!(members["data"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn only_loose_mode_accepts_an_unknown_role() {
    let path = "/v1/organization/users/user_ada";
    let body = r#"{"role":"role"}"#;
    assert_eq!(ask(&emulator().await, "POST", path, body).await.status, 400);
    let loose = builder().rules(Rules::loose()).start().await.unwrap();
    let answer = ask(&loose, "POST", path, body).await;
    assert_eq!((answer.status, answer.json()["role"].as_str()), (200, Some("reader")));
}

#[tokio::test]
async fn rules_are_switched_for_one_namespace_until_a_reset() {
    let emulator = emulator().await;
    let path = "/v1/organization/users/user_ada";
    let body = r#"{"role":"role"}"#;
    let unknown = ask(&emulator, "PUT", "/_emulator/rules", r#"{"unknown_rule":"off"}"#).await;
    assert_eq!(unknown.status, 400);
    assert!(unknown.message().contains("did you mean 'unknown_role'?"), "{}", unknown.message());
    let switched = ask(&emulator, "PUT", "/_emulator/rules", r#"{"unknown_role":"off"}"#).await;
    assert_eq!(switched.json()["unknown_role"], "off");
    assert_eq!(switched.json()["not_a_member"], "on");
    assert_eq!(ask(&emulator, "POST", path, body).await.status, 200);
    assert_eq!(ask(&emulator, "POST", &format!("/_ns/other{path}"), body).await.status, 400);
    ask(&emulator, "POST", "/_emulator/reset", "").await;
    assert_eq!(ask(&emulator, "POST", path, body).await.status, 400);
}

#[tokio::test]
async fn a_dissimilar_request_has_no_near_miss() {
    let emulator = emulator().await;
    for path in ["/", "/v1/models", "/v1/chat/completions"] {
        let answer = ask(&emulator, "GET", path, "").await;
        assert_eq!((answer.status, answer.header("openai-emulator-near-miss")), (404, None), "{path}");
    }
    let doubled = ask(&emulator, "GET", "/v1/v1/organization/groups", "").await;
    let near = doubled.header("openai-emulator-near-miss").unwrap();
    assert!(near.contains("starts with /v1 twice"), "{near}");
}

#[tokio::test]
async fn a_near_miss_has_a_suggestion() {
    let emulator = emulator().await;
    let missed = ask(&emulator, "POST", "/v1/organization/group/group_support/users", "{}").await;
    assert_eq!(missed.status, 404);
    assert_eq!(
        missed.header("openai-emulator-near-miss"),
        Some("did you mean POST /v1/organization/groups/{group_id}/users (add-group-user)?")
    );
    let kept = ask(&emulator, "GET", "/_emulator/requests?operation=none", "").await.json();
    assert!(kept["data"][0]["near_miss"].as_str().unwrap().contains("add-group-user"));
}

#[tokio::test]
async fn requests_of_the_fixtures_create_resources_with_given_ids() {
    let request = json!({
        "operation": "inviteUser", "ids": ["invite_1"], "body": { "email": "di@example.com", "role": "reader" },
    });
    let fixtures: Fixtures = serde_json::from_value(json!({ "requests": [request] })).unwrap();
    let (_, requests) = fixtures.into_parts();
    let emulator = builder().requests(requests).start().await.unwrap();
    let path = "/v1/organization/invites/invite_1";
    assert_eq!(ask(&emulator, "DELETE", path, "").await.status, 200);
    assert_eq!(ask(&emulator, "GET", path, "").await.status, 404);
    ask(&emulator, "POST", "/_emulator/reset", "").await;
    assert_eq!(ask(&emulator, "GET", path, "").await.json()["email"], "di@example.com");
}

#[tokio::test]
async fn accepting_an_invite_of_a_malformed_address_is_refused() {
    let emulator = builder().rules(Rules::loose()).start().await.unwrap();
    let body = r#"{"email":"email","role":"reader"}"#;
    let invited = ask(&emulator, "POST", "/v1/organization/invites", body).await;
    assert_eq!(invited.status, 200);
    let path = format!("/v1/x/invites/{}/accept", invited.json()["id"].as_str().unwrap());
    let refused = ask(&emulator, "POST", &path, "{}").await;
    assert_eq!((refused.status, &refused.json()["error"]["param"]), (400, &json!("email")));
}
