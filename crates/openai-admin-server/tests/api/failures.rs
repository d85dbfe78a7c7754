//! Failures of the server and its database, as clients see them.

use std::{
    fs,
    sync::atomic::{AtomicU64, Ordering},
};

use axum::{body::to_bytes, http::StatusCode};
use openai_admin::{Method, wire};
use openai_admin_server::{Config, Minter, Server, operations};
use tower::ServiceExt;

use crate::support::{Answer, TestServer, adapted, every_field};

/// Internal names that no answer may contain, in lower case.
const INTERNALS: [&str; 14] = [
    "sqlite",
    "postgres",
    "rusqlite",
    "sql",
    "select ",
    "insert ",
    "pragma",
    "malformed",
    "disk",
    "panick",
    ".rs",
    ".db",
    "/tmp",
    "backtrace",
];

#[track_caller]
fn assert_shows_nothing(answer: &Answer) {
    let text = format!("{:?} {}", answer.headers, answer.text).to_lowercase();
    for internal in INTERNALS {
        assert!(!text.contains(internal), "'{internal}' in {text}");
    }
}

/// Sends a well-formed request for each operation.
async fn ask_everything(server: &TestServer) -> Vec<Answer> {
    let mut answers = Vec::new();
    for operation in operations() {
        let path = format!("/v1{}?start_time=0", operation.path);
        let path = wire::placeholders(operation.path)
            .fold(path, |path, name| path.replace(&format!("{{{name}}}"), "some-id"));
        let body = adapted(every_field(), operation.id);
        let body = if operation.method == Method::Post { body.to_string() } else { String::new() };
        answers.push(server.call(operation.method.as_str(), &path, body).await);
    }
    answers
}

#[tokio::test]
async fn answers_do_not_reveal_a_broken_database() {
    let server = TestServer::new().await;
    server.get("/v1/organization/groups").await;
    for name in ["test.db", "test.db-wal"] {
        fs::write(server.folder().join(name), "not a database any more ".repeat(10_000)).unwrap();
    }
    let mut failed = 0;
    for answer in ask_everything(&server).await {
        assert_shows_nothing(&answer);
        failed += usize::from(answer.status.is_server_error());
    }
    assert!(
        failed >= 5,
        "only {failed} operations met the broken database: the others were answered from memory"
    );
}

#[tokio::test]
async fn answers_do_not_reveal_a_closed_database() {
    let server = TestServer::new().await;
    server.get("/v1/organization/groups").await;
    server.store.close().await;
    for answer in ask_everything(&server).await {
        assert_eq!(answer.status, 503, "{answer:?}");
        assert_shows_nothing(&answer);
    }
}

#[tokio::test]
async fn a_panic_fails_only_its_request_and_reveals_nothing() {
    let server = TestServer::new().await;
    // The first request draws a number for its id; the second draws another, and a third in its handler.
    let numbers = AtomicU64::new(0);
    let random = move || {
        let number = numbers.fetch_add(1, Ordering::SeqCst);
        assert_ne!(number, 2, "at /tmp/secret.rs");
        u128::from(number)
    };
    let now_ms = server.minter.now().unix_seconds().unsigned_abs() * 1000;
    let router =
        Server::new(server.store.clone(), Minter::new(move || now_ms, random), Config::default()).router();
    let request = server.request("GET", "/v1/organization/groups", "");
    assert_eq!(router.clone().oneshot(request).await.unwrap().status(), StatusCode::OK);
    let request = server.request("POST", "/v1/organization/groups", r#"{"name":"A"}"#);
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let text = String::from_utf8(to_bytes(body, 10_000).await.unwrap().into()).unwrap();
    let body = serde_json::from_str(&text).unwrap();
    let answer = Answer { status: parts.status, headers: parts.headers, body, text };
    answer.assert_error(500, Some("internal_error"), None);
    assert_shows_nothing(&answer);
    let request = server.request("GET", "/v1/organization/groups", "");
    assert_eq!(router.oneshot(request).await.unwrap().status(), StatusCode::OK, "the next one is answered");
}
