use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    body::Body,
    http::{HeaderValue, Request, Response, StatusCode},
    middleware::{self, Next},
};
use openai_admin::{Client, models::CreateGroupBody};
use openai_admin_server::Caller;

use crate::support::{Answer, TestServer};

const GROUPS: &str = "/v1/organization/groups";
const SUPPORT: &str = r#"{"name":"Support"}"#;

async fn post(server: &TestServer, path: &str, keys: &[&str], body: &str) -> Answer {
    let mut request = server.request("POST", path, body);
    for key in keys {
        request.headers_mut().append("idempotency-key", HeaderValue::from_bytes(key.as_bytes()).unwrap());
    }
    server.send(request).await
}

async fn names(server: &TestServer) -> Vec<String> {
    let groups = server.get(GROUPS).await.body;
    let groups = groups["data"].as_array().unwrap().iter();
    groups.map(|group| group["name"].as_str().unwrap().to_owned()).collect()
}

/// How the gateway interferes with the answers of creations.
#[derive(Clone, Copy)]
enum Gateway {
    /// It drops the first answer and reports that the service is unavailable.
    Unavailable,
    /// It closes the connection in the middle of the first answer.
    BreaksOff,
}

/// The client and the router with a gateway in between, and the number of creations that passed it.
fn client_behind(server: &TestServer, gateway: Gateway, key: Option<&str>) -> (Client, Arc<AtomicUsize>) {
    let passed = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&passed);
    let lose_first = move |request: Request<Body>, next: Next| {
        let counted = Arc::clone(&counted);
        async move {
            let creates = request.method() == "POST";
            let answer = next.run(request).await;
            assert_eq!(answer.status(), 200);
            if !creates || counted.fetch_add(1, Ordering::SeqCst) > 0 {
                return answer;
            }
            match gateway {
                Gateway::Unavailable => {
                    let away = Response::builder().status(StatusCode::SERVICE_UNAVAILABLE);
                    away.header("retry-after", "0").body(Body::empty()).unwrap()
                }
                Gateway::BreaksOff => {
                    let broken = std::io::Error::other("closed by the gateway");
                    Response::new(Body::new(BrokenBody(Some(broken))))
                }
            }
        }
    };
    let router = server.server.router_as(Caller::local(&server.organization));
    let router = router.layer(middleware::from_fn(lose_first));
    let builder = Client::builder().base_url("http://localhost/v1").service(router);
    let builder = match key {
        Some(key) => builder.header("Idempotency-Key", key),
        None => builder,
    };
    (builder.build().unwrap(), passed)
}

struct BrokenBody(Option<std::io::Error>);

impl axum::body::HttpBody for BrokenBody {
    type Data = bytes::Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<bytes::Bytes>, std::io::Error>>> {
        std::task::Poll::Ready(self.0.take().map(Err))
    }
}

fn support() -> CreateGroupBody {
    CreateGroupBody::new("Support".try_into().unwrap())
}

#[tokio::test]
async fn a_retry_after_a_lost_answer_creates_one_group() {
    let server = TestServer::new().await;
    let (client, passed) = client_behind(&server, Gateway::Unavailable, None);
    let created = client.groups().create_group(support()).await.unwrap();
    assert_eq!(passed.load(Ordering::SeqCst), 2, "the client has sent it twice");
    assert_eq!(names(&server).await, ["Support"]);
    assert_eq!(client.groups().retrieve_group(created.id.as_str()).await.unwrap().name, "Support");
}

#[tokio::test]
async fn a_manual_retry_after_an_incomplete_answer_creates_one_group() {
    let server = TestServer::new().await;
    // The client does not retry a creation that may have happened. A program that chose the key can.
    let (client, passed) = client_behind(&server, Gateway::BreaksOff, Some("import-7-line-12"));
    let lost = client.groups().create_group(support()).await.unwrap_err();
    assert!(lost.was_sent() && lost.attempts() == 1, "{lost}");
    let created = client.groups().create_group(support()).await.unwrap();
    assert_eq!(passed.load(Ordering::SeqCst), 2);
    assert_eq!(names(&server).await, ["Support"]);
    assert_eq!(client.groups().retrieve_group(created.id.as_str()).await.unwrap().name, "Support");
}

#[tokio::test]
async fn the_same_request_under_the_same_key_gets_the_same_answer() {
    let server = TestServer::new().await;
    let first = post(&server, GROUPS, &["key"], SUPPORT).await;
    server.advance_clock_ms(3_600_000);
    // The formatting of the body does not matter.
    for body in [SUPPORT, "{ \"name\" : \"Support\" }", r#"{"name":"Support","colour":"blue"}"#] {
        let again = post(&server, GROUPS, &["key"], body).await;
        assert_eq!((again.status, &again.text), (first.status, &first.text));
    }
    // Without /v1 it is the same resource.
    assert_eq!(post(&server, "/organization/groups", &["key"], SUPPORT).await.text, first.text);
    assert_eq!(names(&server).await, ["Support"]);

    let ada = r#"{"name":"Ada","email":"ada@example.com"}"#;
    let user = post(&server, "/v1/x/users", &["other"], ada).await;
    assert_eq!(post(&server, "/v1/x/users", &["other"], ada).await.text, user.text);
    post(&server, "/v1/x/users", &["third"], ada).await.assert_error(
        409,
        Some("already_exists"),
        Some("email"),
    );
}

#[tokio::test]
async fn another_request_under_the_same_key_is_refused() {
    let server = TestServer::new().await;
    post(&server, GROUPS, &["key"], SUPPORT).await;
    let other = post(&server, GROUPS, &["key"], r#"{"name":"Sales"}"#).await;
    let message = other.assert_error(422, Some("idempotency_key_reused"), Some("Idempotency-Key"));
    assert!(message.contains("use a new key for each"), "{message}");
    assert_eq!(other.header("x-should-retry"), Some("false"));
    let other = post(&server, "/v1/x/users", &["key"], r#"{"name":"Support"}"#).await;
    other.assert_error(422, Some("idempotency_key_reused"), Some("Idempotency-Key"));
    assert_eq!(names(&server).await, ["Support"]);
}

#[tokio::test]
async fn a_creation_whose_group_was_deleted_is_not_repeated() {
    let server = TestServer::new().await;
    let group = post(&server, GROUPS, &["key"], SUPPORT).await.body["id"].as_str().unwrap().to_owned();
    server.delete(&format!("{GROUPS}/{group}")).await;
    let again = post(&server, GROUPS, &["key"], SUPPORT).await;
    again.assert_error(409, Some("idempotent_answer_deleted"), Some("Idempotency-Key"));
    assert_eq!(again.header("x-should-retry"), Some("false"));
}

#[tokio::test]
async fn a_creation_whose_answer_showed_a_secret_is_not_repeated() {
    let server = TestServer::new().await;
    let projects = "/v1/organization/projects";
    let project = server.post(projects, r#"{"name":"Search"}"#).await.body["id"].as_str().unwrap().to_owned();
    let accounts = format!("{projects}/{project}/service_accounts");
    let nightly = r#"{"name":"Nightly"}"#;
    let created = post(&server, &accounts, &["key"], nightly).await;
    let value = created.body["api_key"]["value"].as_str().unwrap();
    assert!(value.starts_with("sk-svcacct-oadm-"), "{value}");
    let again = post(&server, &accounts, &["key"], nightly).await;
    let message = again.assert_error(409, Some("idempotent_answer_secret"), Some("Idempotency-Key"));
    assert!(message.contains("create it under a new key") && !again.text.contains(value), "{message}");
    assert_eq!(again.header("x-should-retry"), Some("false"));
    assert_eq!(server.get(&accounts).await.body["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_invalid_key_is_refused() {
    let server = TestServer::new().await;
    let longest = "k".repeat(255);
    let too_long = "k".repeat(256);
    for (keys, said) in [
        (&[""][..], "it is empty"),
        (&[&*too_long], "expected at most 255 bytes, but got 256"),
        (&["one", "two"], "more than one"),
    ] {
        let refused = post(&server, GROUPS, keys, SUPPORT).await;
        let message = refused.assert_error(400, Some("invalid_value"), Some("Idempotency-Key"));
        assert!(message.contains(said), "{message}");
    }
    assert_eq!(names(&server).await, [""; 0]);
    for key in [&*longest, "schlüssel", "a b"] {
        assert_eq!(post(&server, GROUPS, &[key], SUPPORT).await.status, 200);
    }
}

#[tokio::test]
async fn idempotent_operations_ignore_the_key() {
    let server = TestServer::new().await;
    let (group, ada, bob) = (server.group("g").await, server.user("ada").await, server.user("bob").await);
    let path = format!("{GROUPS}/{group}/users");
    for user in [&ada, &ada, &bob] {
        let body = serde_json::json!({ "user_id": user }).to_string();
        let added = post(&server, &path, &["key"], &body).await;
        assert_eq!((added.status, &added.body["user_id"]), (StatusCode::OK, &serde_json::json!(user)));
    }
    let rename = format!("{GROUPS}/{group}");
    assert_eq!(post(&server, &rename, &["key"], r#"{"name":"h"}"#).await.body["name"], "h");
    assert_eq!(post(&server, GROUPS, &["key"], SUPPORT).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_creations_with_one_key_create_once() {
    let server = Arc::new(TestServer::new().await);
    let mut posts = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let server = Arc::clone(&server);
        posts.spawn(async move { post(&server, GROUPS, &["key"], SUPPORT).await });
    }
    let answers = posts.join_all().await;
    assert!(answers.iter().all(|answer| answer.status == 200 && answer.text == answers[0].text));
    assert_eq!(names(&server).await, ["Support"]);
}
