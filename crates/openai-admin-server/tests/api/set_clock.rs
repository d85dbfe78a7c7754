//! Changes of the wall clock while the server runs do not affect durations.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    body::{Body, to_bytes},
    http::{Request, header},
};
use openai_admin_server::{Config, Minter, Server};
use tower::ServiceExt as _;

use crate::{
    running::{Running, exchange, get},
    support::{KEY, TestServer, bearer},
};

const GROUPS: &str = "/v1/organization/groups";
/// 2024-03-26, the start of the test server's clock.
const BEGIN_SECONDS: u64 = 1_711_471_533;
const HOUR_SECONDS: u64 = 3_600;

#[tokio::test]
async fn setting_the_clock_does_not_change_the_rate_limit_of_keys() {
    for seconds in [0, BEGIN_SECONDS - HOUR_SECONDS, BEGIN_SECONDS + HOUR_SECONDS] {
        let server = TestServer::with(Config::default().with_requests_per_minute(2.try_into().ok())).await;
        assert_eq!(server.get(GROUPS).await.status, 200);
        server.set_clock_seconds(seconds);
        assert_eq!(server.get(GROUPS).await.status, 200, "the second of two, at {seconds}");
        let refused = server.get(GROUPS).await;
        assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (429, Some("30")), "{seconds}");
        server.advance_clock_ms(30_000);
        assert_eq!(server.get(GROUPS).await.status, 200, "{seconds}");
    }
}

#[tokio::test]
async fn setting_the_clock_does_not_change_the_limit_of_unknown_keys() {
    for seconds in [BEGIN_SECONDS - HOUR_SECONDS, BEGIN_SECONDS + HOUR_SECONDS] {
        let running = Running::start().await;
        let guess = async |number: u32| {
            let request = get("").replace(KEY, &format!("no-such-key-{number}"));
            exchange(&mut running.connect().await, &request).await
        };
        for number in 0..60 {
            assert!(guess(number).await.starts_with("HTTP/1.1 401"));
        }
        running.server.set_clock_seconds(seconds);
        let refused = guess(60).await;
        assert!(refused.starts_with("HTTP/1.1 429") && refused.contains("retry-after: 1\r\n"), "{refused}");
        running.server.advance_clock_ms(1_000);
        assert!(guess(61).await.starts_with("HTTP/1.1 401"), "{seconds}");
    }
}

#[tokio::test]
async fn setting_the_clock_back_does_not_extend_a_revoked_key() {
    let server = TestServer::new().await;
    let key = server.key_with(&["api.groups.read"]).await;
    assert_eq!(server.call_with(&key, "GET", GROUPS).await, 200);
    let keys = server.store.list_api_keys(server.organization.org).await.unwrap();
    let id = keys.iter().find(|key| key.name == "restricted").unwrap().id.clone();
    let other = server.another_store().await;
    other.revoke_api_key(server.organization.org, server.minter.stamp("test"), id).await.unwrap();
    server.set_clock_seconds(BEGIN_SECONDS - HOUR_SECONDS);
    server.advance_clock_ms(4_999);
    assert_eq!(server.call_with(&key, "GET", GROUPS).await, 200);
    server.advance_clock_ms(1);
    assert_eq!(server.call_with(&key, "GET", GROUPS).await, 401);
}

#[tokio::test]
async fn the_duration_of_a_request_does_not_depend_on_the_wall_clock() {
    const READING_TAKES: Duration = Duration::from_millis(7);
    let server = TestServer::new().await;
    // The wall clock goes back by an hour at each reading.
    let wall = AtomicU64::new(BEGIN_SECONDS * 1000);
    let steady = Arc::new(AtomicU64::new(0));
    let read = Arc::clone(&steady);
    let minter = Minter::new(move || wall.fetch_sub(HOUR_SECONDS * 1000, Ordering::SeqCst), || 1)
        .with_steady_clock(move || {
            READING_TAKES * u32::try_from(read.fetch_add(1, Ordering::SeqCst)).unwrap()
        });
    let measured = Server::new(server.store.clone(), minter, Config::default());
    let request =
        Request::get("/docs").header(header::AUTHORIZATION, bearer(KEY)).body(Body::empty()).unwrap();
    let answer = measured.router().oneshot(request).await.unwrap();
    assert_eq!(answer.headers()["openai-processing-ms"], "7");
    assert_eq!(steady.load(Ordering::SeqCst), 2, "one reading before the answer, one after it");
    let request = Request::get("/metrics").body(Body::empty()).unwrap();
    let metrics = measured.admin_router().oneshot(request).await.unwrap().into_body();
    let metrics = String::from_utf8(to_bytes(metrics, usize::MAX).await.unwrap().into()).unwrap();
    let line = "request_duration_seconds_sum{operation=\"none\",status=\"200\"} 0.007\n";
    assert!(metrics.contains(line), "{metrics}");
}
