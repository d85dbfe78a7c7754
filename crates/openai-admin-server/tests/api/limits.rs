//! The limits for clients over real sockets: at each limit, and one beyond.

use std::time::Duration;

use openai_admin_server::{
    Config,
    limits::{CONNECTIONS_MAX, CONNECTIONS_PER_PEER_MAX, Limits},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpSocket,
};

use crate::{
    running::{Running, exchange, get, limits, read_answer, read_to_end},
    support::{Answer, KEY},
};

const SHORT: Duration = Duration::from_millis(100);
/// A timeout that no passing test reaches.
const LONG: Duration = Duration::from_secs(60);
const HEAD_BYTES_MAX: usize = 64 * 1024;

#[test]
fn the_default_limits_are_the_constants() {
    let limits = Limits::default();
    assert_eq!(
        (limits.connections, limits.connections_per_peer),
        (CONNECTIONS_MAX, CONNECTIONS_PER_PEER_MAX)
    );
    assert!(limits.head_timeout < limits.idle_timeout, "an idle connection costs less");
}

#[tokio::test]
async fn a_connection_with_an_incomplete_head_is_closed() {
    let running = Running::with_limits(|limits| limits.head_timeout = SHORT).await;
    let mut slow = running.connect().await;
    slow.write_all(b"GET /v1/organization/groups HTTP/1.1\r\nhost:").await.unwrap();
    assert_eq!(read_to_end(&mut slow).await, b"");
    // Also on a connection that has already served a request.
    let mut slow = running.connect().await;
    exchange(&mut slow, &get("")).await;
    slow.write_all(b"G").await.unwrap();
    assert_eq!(read_to_end(&mut slow).await, b"");
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let running = Running::with_limits(|limits| {
        limits.idle_timeout = SHORT;
        limits.head_timeout = LONG;
    })
    .await;
    let mut unused = running.connect().await;
    let mut used = running.connect().await;
    exchange(&mut used, &get("")).await;
    assert_eq!(read_to_end(&mut unused).await, b"");
    assert_eq!(read_to_end(&mut used).await, b"");
}

#[tokio::test]
async fn an_idle_connection_outlives_the_head_timeout() {
    let running = Running::with_limits(|limits| limits.head_timeout = Duration::ZERO).await;
    let mut stream = running.connect().await;
    for _ in 0..3 {
        let answer = exchange(&mut stream, &get("")).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "a head that arrives whole is never too slow");
    }
}

#[tokio::test]
async fn a_hundred_headers_are_read_and_one_more_is_refused() {
    let running = Running::start().await;
    let headers =
        |count: usize| (0..count).fold(String::new(), |all, number| all + &format!("x{number}: 1\r\n"));
    // `get` has two.
    let answer = exchange(&mut running.connect().await, &get(&headers(98))).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let answer = exchange(&mut running.connect().await, &get(&headers(99))).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[tokio::test]
async fn a_head_is_read_up_to_its_limit_and_refused_beyond() {
    let running = Running::start().await;
    let fill = |bytes: usize| get(&format!("x: {}\r\n", "a".repeat(bytes - get("x: \r\n").len())));
    assert_eq!(fill(HEAD_BYTES_MAX).len(), HEAD_BYTES_MAX);
    let answer = exchange(&mut running.connect().await, &fill(HEAD_BYTES_MAX)).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    for too_large in [HEAD_BYTES_MAX + 1, 100_000, 3 * HEAD_BYTES_MAX] {
        let mut stream = running.connect().await;
        let (mut read, mut write) = stream.split();
        let head = fill(too_large);
        let (answer, _) = tokio::join!(read_answer(&mut read), write.write_all(head.as_bytes()));
        assert!(answer.unwrap().starts_with("HTTP/1.1 431"), "{too_large} bytes");
    }
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_refused() {
    let running = Running::with_limits(|limits| limits.body_timeout = SHORT).await;
    let request = format!(
        "POST /v1/organization/groups HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\n\
         content-type: application/json\r\ncontent-length: 20\r\n\r\n{{\"name\":"
    );
    let answer = exchange(&mut running.connect().await, &request).await;
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("connection: close"), "{answer}");
}

#[tokio::test]
async fn a_request_times_out() {
    let config = Config::default().with_limits(limits(|limits| limits.request_timeout = Duration::ZERO));
    let server = crate::support::TestServer::with(config).await;
    // A fast store answers before the timeout is first polled.
    let is_late = |answer: &Answer| answer.status != 200;
    let answer = until(is_late, async || server.get("/v1/organization/groups").await).await;
    answer.assert_error(503, Some("service_unavailable"), None);
    assert_eq!(answer.header("retry-after"), Some("1"));
    let answer =
        until(is_late, async || server.post("/v1/organization/groups", r#"{"name":"A"}"#).await).await;
    let message = answer.assert_error(500, Some("outcome_unknown"), None);
    assert!(message.contains("check the state before you retry"), "{message}");
    assert_eq!(answer.header("x-should-retry"), Some("false"));
}

/// Repeats a request until its answer is the wanted one.
async fn until(is_wanted: impl Fn(&Answer) -> bool, ask: impl AsyncFn() -> Answer) -> Answer {
    for _ in 0..1000 {
        let answer = ask().await;
        if is_wanted(&answer) {
            return answer;
        }
    }
    panic!("no such answer in a thousand");
}

#[tokio::test]
async fn a_client_that_does_not_read_its_answers_is_disconnected() {
    const REQUESTS: usize = 200;
    let running = Running::with_limits(|limits| limits.receive_timeout = SHORT).await;
    for number in 0..20 {
        running.server.group(&format!("{number}{}", "x".repeat(250))).await;
    }
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(running.address).await.unwrap();
    // Request more data than all buffers can hold, and read none of it.
    let (mut read, mut write) = stream.split();
    let asked = async {
        for _ in 0..REQUESTS {
            if write.write_all(get("").as_bytes()).await.is_err() {
                break;
            }
        }
        // Writes fail after the server has closed the connection, so no read is necessary.
        while write.write_all(get("").as_bytes()).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(LONG, asked).await.expect("the server cuts it");
    let mut answers = 0;
    let mut all = Vec::new();
    let _ = read.read_to_end(&mut all).await;
    for part in all.windows(12) {
        answers += usize::from(part == b"HTTP/1.1 200");
    }
    assert!(answers < REQUESTS, "{answers} answers were kept for a client that takes none");
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let running = Running::start().await;
    let mut stream = running.connect().await;
    let ahead: String =
        (0..100).map(|number| get("").replace("/groups", &format!("/groups/unknown_{number}"))).collect();
    stream.write_all(ahead.as_bytes()).await.unwrap();
    for number in 0..100 {
        let answer = read_answer(&mut stream).await.unwrap();
        assert!(
            answer.starts_with("HTTP/1.1 404") && answer.contains(&format!("'unknown_{number}'")),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_until_one_ends() {
    let running = Running::with_limits(|limits| limits.connections = 2).await;
    let mut first = running.connect().await;
    let mut second = running.connect().await;
    exchange(&mut first, &get("")).await;
    exchange(&mut second, &get("")).await;
    let mut third = running.connect().await;
    third.write_all(get("").as_bytes()).await.unwrap();
    let request = get("");
    tokio::select! {
        _ = read_answer(&mut third) => panic!("answered beyond the limit"),
        _ = exchange(&mut second, &request) => {}
    }
    drop(first);
    assert!(read_answer(&mut third).await.unwrap().starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_connection_beyond_the_limit_of_its_peer_is_closed() {
    let running = Running::with_limits(|limits| limits.connections_per_peer = 2).await;
    let mut first = running.connect().await;
    let mut second = running.connect().await;
    exchange(&mut first, &get("")).await;
    exchange(&mut second, &get("")).await;
    let mut third = running.connect().await;
    assert_eq!(third.read(&mut [0; 16]).await.unwrap_or(0), 0, "closed without a response");
    exchange(&mut first, &get("")).await;
}

#[tokio::test]
async fn behind_a_proxy_peers_have_no_limit() {
    let limits = limits(|limits| limits.connections_per_peer = 1);
    let running =
        Running::start_with(Config::default().with_limits(limits).with_behind_proxy(true), None).await;
    let (mut first, mut second) = (running.connect().await, running.connect().await);
    exchange(&mut first, &get("")).await;
    exchange(&mut second, &get("")).await;
}
