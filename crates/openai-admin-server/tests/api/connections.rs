//! The server over real sockets: how connections stay open and how they end.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    running::{Running, exchange, get},
    support::KEY,
};

#[tokio::test]
async fn a_stop_ends_idle_and_half_open_connections_soon() {
    let running = Running::start().await;
    let mut idle = TcpStream::connect(running.address).await.unwrap();
    assert!(exchange(&mut idle, &get("")).await.starts_with("HTTP/1.1 200"));
    let mut half = TcpStream::connect(running.address).await.unwrap();
    half.write_all(b"GET /v1/organization/groups HTTP/1.1\r\nhost:").await.unwrap();
    running.stop.send(()).unwrap();
    let stopped = tokio::time::timeout(Duration::from_secs(10), running.done).await;
    stopped.expect("stopped in time").unwrap().unwrap();
    assert_eq!(idle.read(&mut [0; 16]).await.unwrap(), 0);
}

#[tokio::test]
async fn a_refused_request_with_a_small_body_leaves_the_connection_usable() {
    let running = Running::start().await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let head = "POST /v1/organization/groups HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    tokio::task::yield_now().await;
    assert!(exchange(&mut stream, "{   }").await.starts_with("HTTP/1.1 401"));
    assert!(exchange(&mut stream, &get("")).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_body_declared_too_large_is_refused_at_once_and_the_connection_closed() {
    let running = Running::start().await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let request = format!(
        "POST /v1/organization/groups HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\n\
         content-type: application/json\r\ncontent-length: 99999999999\r\n\r\n"
    );
    let answer = exchange(&mut stream, &request).await;
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("connection: close"), "{answer}");
}

#[tokio::test]
async fn a_request_without_one_host_for_all_readers_is_refused_and_the_connection_closed() {
    let running = Running::start().await;
    let send = async |target: &str, version: &str, hosts: &str| {
        let request = format!("GET {target} HTTP/{version}\r\n{hosts}authorization: Bearer {KEY}\r\n\r\n");
        exchange(&mut running.connect().await, &request).await
    };
    let path = "/v1/organization/groups";
    let elsewhere = format!("http://other.example{path}");
    for (target, hosts) in [
        (path, ""),
        (path, "host: x\r\nhost: x\r\n"),
        (path, "host: x\r\nHOST: y\r\n"),
        (path, "host: user@x\r\n"),
        (&elsewhere, "host: x\r\n"),
    ] {
        let answer = send(target, "1.1", hosts).await;
        assert!(
            answer.starts_with("HTTP/1.1 400") && answer.contains("\"invalid_host\""),
            "{hosts}: {answer}"
        );
        assert!(answer.contains("connection: close") && answer.contains("x-request-id"), "{answer}");
    }
    for (target, version, hosts) in
        [(path, "1.1", "host: x\r\n"), (path, "1.0", ""), (&elsewhere, "1.1", "host: Other.Example\r\n")]
    {
        let answer = send(target, version, hosts).await;
        assert!(answer.contains(" 200 "), "{target} {hosts}: {answer}");
    }
}
