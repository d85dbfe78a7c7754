//! The endpoints for operators.

use std::time::Duration;

use axum::{
    Router,
    body::{Body, to_bytes},
    http::Request,
};
use openai_admin_server::Config;
use tokio::{io::AsyncWriteExt as _, net::TcpListener};
use tower::ServiceExt as _;

use crate::{
    running::{Running, exchange, get},
    support::TestServer,
};

pub(crate) async fn ask(admin: &Router, path: &str) -> (u16, String) {
    let answer = admin.clone().oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
    let status = answer.status().as_u16();
    let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    (status, String::from_utf8(body.into()).unwrap())
}

fn answered(status: u16, text: &str) -> (u16, String) {
    (status, format!("{text}\n"))
}

/// The value of the line that begins with `name`.
pub(crate) fn value(text: &str, name: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {name} in:\n{text}")).parse().unwrap()
}

#[tokio::test]
async fn a_server_without_its_database_is_live_but_not_ready() {
    let server = TestServer::new().await;
    let admin = server.server.admin_router();
    assert_eq!(ask(&admin, "/live").await, answered(200, "live"));
    assert_eq!(ask(&admin, "/ready").await, answered(200, "ready"));
    server.store.close().await;
    assert_eq!(ask(&admin, "/live").await, answered(200, "live"));
    assert_eq!(ask(&admin, "/ready").await, answered(503, "database"));
    assert_eq!(ask(&admin, "/").await.0, 404);
}

#[tokio::test]
async fn endpoints_for_operators_are_not_part_of_the_api() {
    let server = TestServer::new().await;
    for path in ["/live", "/ready", "/metrics"] {
        assert_eq!(server.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn requests_are_counted_by_operation_and_status() {
    let server = TestServer::new().await;
    let admin = server.server.admin_router();
    let group = server.group("Support").await;
    for _ in 0..3 {
        server.get(&format!("/v1/organization/groups/{group}")).await;
    }
    server.get("/v1/organization/groups/group_unknown").await;
    server.get_with("sk-admin-wrong", "/v1/organization/groups").await;
    server.get("/nowhere").await;
    let (status, text) = ask(&admin, "/metrics").await;
    assert_eq!(status, 200);
    for (operation, status, times) in [
        ("create-group", "200", 1.0),
        ("retrieve-group", "200", 3.0),
        ("retrieve-group", "404", 1.0),
        ("list-groups", "401", 1.0),
        ("none", "404", 1.0),
    ] {
        let labels = format!("{{operation=\"{operation}\",status=\"{status}\"}}");
        assert_eq!(value(&text, &format!("openai_admin_request_duration_seconds_count{labels}")), times);
    }
    assert!(!text.contains(&group) && !text.contains("Support"), "{text}");
    assert!(text.ends_with("# EOF\n") && text.matches("# EOF").count() == 1);
}

#[tokio::test]
async fn the_store_and_the_process_are_measured() {
    let server = TestServer::new().await;
    let admin = server.server.admin_router();
    let before = value(&ask(&admin, "/metrics").await.1, "openai_admin_commit_operations_count");
    server.group("Support").await;
    let text = ask(&admin, "/metrics").await.1;
    // The last use of the key is written in the commit of the group, or in a separate one.
    let commits = value(&text, "openai_admin_commit_operations_count");
    assert!((before + 1.0..=before + 2.0).contains(&commits), "{before} commits before, {commits} after");
    assert_eq!(value(&text, "openai_admin_commit_operations_bucket{le=\"+Inf\"}"), commits);
    assert!(value(&text, "openai_admin_database_connections") >= 2.0);
    assert!(value(&text, "openai_admin_database_writes_waiting") <= 1.0);
    assert_eq!(value(&text, "openai_admin_replicas_resting"), 0.0);
    for source in ["replica", "primary"] {
        assert_eq!(value(&text, &format!("openai_admin_replicated_pages_total{{source=\"{source}\"}}")), 0.0);
    }
    assert_eq!(value(&text, "openai_admin_draining"), 0.0);
    assert_eq!(value(&text, "process_start_time_seconds"), 1_711_471_533.0);
    if cfg!(target_os = "linux") {
        assert!(value(&text, "process_resident_memory_bytes") > 1e6);
        assert!(value(&text, "process_open_fds") > 3.0);
    }
}

#[tokio::test]
async fn a_draining_server_is_not_ready_and_serves_for_its_grace_period() {
    let grace = Duration::from_millis(500);
    let server = TestServer::with(Config::default().with_drain_grace(grace)).await;
    let admin = server.server.admin_router();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (running, (stop, stopped)) = (server.server.clone(), tokio::sync::oneshot::channel::<()>());
    let done = tokio::spawn(async move { running.run(listener, None, async { drop(stopped.await) }).await });
    assert_eq!(server.get("/v1/organization/groups").await.header("connection"), None);

    stop.send(()).unwrap();
    while ask(&admin, "/ready").await.0 == 200 {
        tokio::task::yield_now().await;
    }
    assert_eq!(ask(&admin, "/ready").await, answered(503, "draining"));
    assert_eq!(value(&ask(&admin, "/metrics").await.1, "openai_admin_draining"), 1.0);
    // The server still answers, and asks the client to reconnect.
    assert!(tokio::net::TcpStream::connect(address).await.is_ok());
    let answer = server.get("/v1/organization/groups").await;
    assert_eq!((answer.status.as_u16(), answer.header("connection")), (200, Some("close")));
    tokio::time::timeout(Duration::from_secs(10), done).await.expect("it ends").unwrap().unwrap();
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

/// Sends a request of these headers to a listener for operators, and returns its answer.
async fn ask_listener(address: std::net::SocketAddr, headers: &str) -> String {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    exchange(&mut stream, &format!("GET /live HTTP/1.1\r\n{headers}\r\n")).await
}

#[tokio::test]
async fn web_pages_cannot_reach_the_endpoints_for_operators() {
    let config = Config::default().with_admin_hosts(vec!["Metrics.internal".to_owned()]);
    let server = TestServer::with(config).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let running = server.server.clone();
    let running = tokio::spawn(async move { running.run_admin(listener).await });
    for headers in ["host: localhost\r\n", "host: 127.0.0.1:1\r\n", "host: METRICS.internal.\r\n"] {
        let answer = ask_listener(address, headers).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{headers}: {answer}");
    }
    for (headers, status, words) in [
        ("", 400, "missing Host header"),
        ("host: localhost\r\nhost: localhost\r\n", 400, "missing Host header"),
        ("host: rebound.example\r\n", 403, "--admin-allow-host"),
        ("host: localhost\r\norigin: https://evil.example\r\n", 403, "Origin 'https://evil.example'"),
        ("host: localhost\r\nsec-fetch-site: cross-site\r\n", 403, "Sec-Fetch-Site"),
    ] {
        let answer = ask_listener(address, headers).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")) && answer.contains(words),
            "{headers}: {answer}"
        );
    }
    running.abort();
}

#[tokio::test]
async fn a_server_without_free_connections_still_answers_operators() {
    let running = Running::with_limits(|limits| limits.connections = 1).await;
    let mut only = running.connect().await;
    exchange(&mut only, &get("")).await;
    let mut waiting = running.connect().await;
    waiting.write_all(get("").as_bytes()).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = running.server.server.clone();
    let admin = tokio::spawn(async move { server.run_admin(listener).await });
    assert!(ask_listener(address, "host: localhost\r\n").await.starts_with("HTTP/1.1 200"));
    admin.abort();
}

#[tokio::test]
async fn the_last_backup_is_measured_if_its_folder_is_configured() {
    const NAME: &str = "openai_admin_last_backup_timestamp_seconds";
    let folder = tempfile::tempdir().unwrap();
    let server = TestServer::with(Config::default().with_backups(Some(folder.path().to_owned()))).await;
    let admin = server.server.admin_router();
    assert!(!ask(&admin, "/metrics").await.1.contains(NAME), "there is no backup yet");
    let backup = std::fs::File::create(folder.path().join("1.backup")).unwrap();
    backup.set_modified(std::time::UNIX_EPOCH + Duration::from_secs(1_700_000_000)).unwrap();
    let text = ask(&admin, "/metrics").await.1;
    assert_eq!(value(&text, NAME), 1_700_000_000.0);
    assert!(text.ends_with("# EOF\n") && text.matches("# EOF").count() == 1);
    let without = TestServer::new().await;
    assert!(!ask(&without.server.admin_router(), "/metrics").await.1.contains(NAME));
}
