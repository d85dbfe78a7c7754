//! Limits on the memory and the responses that a client can cause.

use serde_json::json;

use crate::support::{ADD, ask, ask_raw, builder, emulator};

#[tokio::test]
async fn a_dozen_warnings_are_sent_and_recorded_with_the_number_of_the_others() {
    let emulator = emulator().await;
    let query: Vec<String> = (0..10_000).map(|number| format!("p{number}")).collect();
    let head = format!(
        "GET /v1/organization/groups?{} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer k",
        query.join("&")
    );
    let answer = ask_raw(&emulator, &head, "").await;
    assert_eq!((answer.status, answer.headers("openai-emulator-warning").count()), (200, 13));
    assert_eq!(answer.headers("openai-emulator-warning").last(), Some("9988 more warnings"));
    let kept = ask(&emulator, "GET", "/_emulator/requests", "").await.json()["data"][0].clone();
    assert_eq!(kept["warnings"].as_array().unwrap().len(), 13);
    assert!(kept["query"].as_str().unwrap().ends_with("… (58889 bytes)"), "{}", kept["query"]);
}

#[tokio::test]
async fn a_long_name_is_truncated_in_its_warning() {
    let emulator = emulator().await;
    let body = json!({ "user_id": "user_ada", "x".repeat(100_000): 1 }).to_string();
    let answer = ask(&emulator, "POST", ADD, &body).await;
    let warning = answer.header("openai-emulator-warning").unwrap();
    assert!(answer.status == 200 && warning.ends_with("xxx... (100039 bytes)"), "{warning}");
    let kept = ask(&emulator, "GET", "/_emulator/requests", "").await.json()["data"][0].clone();
    assert!(kept["warnings"][0].as_str().unwrap().ends_with("… (100039 bytes)"), "{}", kept["warnings"]);
}

#[tokio::test]
async fn quotes_of_a_request_are_truncated_in_messages() {
    let strict = builder().strict(true).start().await.unwrap();
    let long = "x".repeat(50_000);
    let unknown = ask(&strict, "GET", &format!("/v1/organization/groups?{long}"), "").await;
    let doubled = ask(&strict, "GET", &format!("/v1/v1/{long}"), "").await;
    assert_eq!((unknown.status, doubled.status), (400, 404));
    for text in [
        unknown.header("openai-emulator-warning").unwrap(),
        doubled.header("openai-emulator-near-miss").unwrap(),
        &unknown.message(),
    ] {
        assert!(text.contains("xxx") && text.len() < 300, "{text}");
    }
}

#[tokio::test]
async fn the_body_of_a_control_is_limited() {
    let emulator = emulator().await;
    let long = json!({ "now": "x".repeat(4 * 1024 * 1024) }).to_string();
    let refused = ask(&emulator, "PUT", "/_emulator/clock", &long).await;
    assert_eq!(refused.status, 400);
    assert!(refused.message().contains("longer than 4194304 bytes"), "{}", refused.message());
}
