//! Untyped requests.

use super::*;
use openai_admin::{Method, client::RawRequest};

#[tokio::test(start_paused = true)]
async fn a_path_may_repeat_the_base_url() {
    let script = Script::new().then_ok("{}").times(4);
    for path in ["/x?a=1", "x?a=1", "/v1/x?a=1", "http://localhost/v1/x?a=1"] {
        let request = RawRequest::new(Method::Get, path).query("b", "c d");
        client(&script).send_raw(&request).await.unwrap();
    }
    for request in script.requests() {
        assert_eq!(request.target, "/v1/x?a=1&b=c+d");
        assert_eq!(request.headers["authorization"], "Bearer sk-admin-secret");
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_is_not_sent_to_another_service() {
    let script = Script::new();
    for path in [
        "https://localhost/v1/x",
        "http://localhost:81/v1/x",
        "http://example.com/v1/x",
        "http://localhost@example.com/v1/x",
        "a b",
        "x#y",
        "ü",
    ] {
        let error = client(&script).send_raw(&RawRequest::new(Method::Get, path)).await.unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::InvalidRequest, 0), "{path}");
    }
    let with_body = RawRequest::new(Method::Delete, "x").body("{}");
    assert_eq!(
        client(&script).send_raw(&with_body).await.unwrap_err().message(),
        "a DELETE request cannot have a body"
    );
    assert!(script.requests().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_body_is_sent_once_and_unchanged() {
    let script = Script::new().status(503).body(r#"{"error":{"message":"later"}}"#);
    let request = RawRequest::new(Method::Post, "/x").body(r#"{"b": 1, "a":2}"#);
    let error = client(&script).send_raw(&request).await.unwrap_err();
    assert_eq!((error.message(), error.attempts(), error.was_sent()), ("later", 1, true));
    let sent = &script.requests()[0];
    assert_eq!((script.requests().len(), &*sent.body), (1, &br#"{"b": 1, "a":2}"#[..]));
    assert_eq!(sent.headers["content-type"], "application/json");
    assert!(!sent.headers["idempotency-key"].is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_put_has_a_body_and_no_idempotency_key() {
    let script = Script::new().then_ok("{}");
    let request = RawRequest::new(Method::Put, "/x").body(r#"{"a":1}"#);
    client(&script).send_raw(&request).await.unwrap();
    let sent = &script.requests()[0];
    assert_eq!((sent.method.as_str(), &*sent.body), ("PUT", &br#"{"a":1}"#[..]));
    assert_eq!(sent.headers["content-type"], "application/json");
    assert!(!sent.headers.contains_key("idempotency-key"));
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_a_tree_or_null_or_an_error() {
    let script = Script::new().then_ok(r#"[1]"#).then_ok("").then_ok("<html>");
    let request = RawRequest::new(Method::Delete, "x");
    let client = client(&script);
    assert_eq!(client.send_raw(&request).await.unwrap().into_inner(), serde_json::json!([1]));
    assert!(client.send_raw(&request).await.unwrap().is_null());
    assert_eq!(client.send_raw(&request).await.unwrap_err().kind(), ErrorKind::UnreadableAnswer);
}
