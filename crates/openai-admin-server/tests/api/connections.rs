//! The server over real sockets: how connections are kept, and how they end.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
};

use crate::support::{KEY, TestServer};

/// A server on a port, and how to stop it.
struct Running {
    address: std::net::SocketAddr,
    stop: oneshot::Sender<()>,
    done: tokio::task::JoinHandle<std::io::Result<()>>,
    _server: TestServer,
}

async fn start() -> Running {
    let server = TestServer::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let running = server.server.clone();
    let done = tokio::spawn(async move { running.run(listener, async { drop(stopped.await) }).await });
    Running { address, stop, done, _server: server }
}

/// Sends bytes and reads one answer: its head and as much of its body as it says.
async fn exchange(stream: &mut TcpStream, request: &str) -> String {
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&answer).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return text;
            }
        }
        let mut buffer = [0; 4096];
        let read = stream.read(&mut buffer).await.unwrap();
        assert!(read > 0, "closed after: {text}");
        answer.extend_from_slice(&buffer[..read]);
    }
}

fn get(more: &str) -> String {
    format!("GET /v1/organization/groups HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\n{more}\r\n")
}

#[tokio::test]
async fn a_stop_ends_idle_and_half_open_connections_soon() {
    let running = start().await;
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
    let running = start().await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let head = "POST /v1/organization/groups HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    tokio::task::yield_now().await;
    assert!(exchange(&mut stream, "{   }").await.starts_with("HTTP/1.1 401"));
    assert!(exchange(&mut stream, &get("")).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_body_that_says_that_it_is_too_large_is_refused_at_once_and_the_connection_closed() {
    let running = start().await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let request = format!(
        "POST /v1/organization/groups HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\n\
         content-type: application/json\r\ncontent-length: 99999999999\r\n\r\n"
    );
    let answer = exchange(&mut stream, &request).await;
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("connection: close"), "{answer}");
}
