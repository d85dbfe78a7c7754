//! A server on a real port, and functions for raw requests to it.

use std::{io, net::SocketAddr};

use openai_admin_server::{Config, Tls, limits::Limits};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
};

use crate::support::{KEY, TestServer};

/// A server on a port, with a handle to stop it.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) stop: oneshot::Sender<()>,
    pub(crate) done: JoinHandle<io::Result<()>>,
    pub(crate) server: TestServer,
}

impl Running {
    pub(crate) async fn start() -> Self {
        Self::start_with(Config::default(), None).await
    }

    pub(crate) async fn with_limits(change: impl FnOnce(&mut Limits)) -> Self {
        Self::start_with(Config::default().with_limits(limits(change)), None).await
    }

    pub(crate) async fn start_with(config: Config, tls: Option<Tls>) -> Self {
        let server = TestServer::with(config).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let running = server.server.clone();
        let done =
            tokio::spawn(async move { running.run(listener, tls, async { drop(stopped.await) }).await });
        Self { address, stop, done, server }
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }
}

pub(crate) fn limits(change: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits::default();
    change(&mut limits);
    limits
}

/// A request with the key and more headers.
pub(crate) fn get(more: &str) -> String {
    format!("GET /v1/organization/groups HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\n{more}\r\n")
}

/// Sends bytes and reads one response: the head, and the body of the declared length.
pub(crate) async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, request: &str) -> String {
    stream.write_all(request.as_bytes()).await.unwrap();
    read_answer(stream).await.expect("an answer")
}

/// Reads one response. `None` if the connection ends first.
pub(crate) async fn read_answer<S: AsyncRead + Unpin>(stream: &mut S) -> Option<String> {
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(answer).unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).await.ok()?;
    Some(head + &String::from_utf8(body).unwrap())
}

/// Reads until the connection ends.
pub(crate) async fn read_to_end<S: AsyncRead + Unpin>(stream: &mut S) -> Vec<u8> {
    let mut all = Vec::new();
    // A reset also ends the connection.
    let _ = stream.read_to_end(&mut all).await;
    all
}
