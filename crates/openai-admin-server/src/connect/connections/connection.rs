//! A connection, from its handshake to its end.

use std::{future::Future, pin::pin, sync::Arc};

use axum::{Router, body::Body, http::Request};
use hyper::{
    body::Incoming,
    rt::Executor,
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::watch,
    time::timeout,
};
use tower_service::Service;

use super::{
    peers::Peer,
    timed::{BetweenRequests, Timed},
};
use crate::connect::{
    limits::{
        CONNECTION_WINDOW_BYTES, HEAD_BYTES_MAX, HEADERS_MAX, Limits, STREAM_SEND_BYTES_MAX,
        STREAM_WINDOW_BYTES, STREAMS_MAX,
    },
    tls::{HTTP_2, Tls},
};

/// The first byte of a TLS handshake.
const TLS_HANDSHAKE: u8 = 0x16;

pub(super) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The stages of a server's shutdown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Serving,
    /// Finish requests in flight, but start no new ones.
    Finishing,
    /// Close the remaining connections.
    Over,
}

/// The shared state of all connections of a server.
pub(super) struct ConnectionSettings {
    pub(super) router: Router,
    /// Answers plain HTTP requests to a TLS port.
    pub(super) unencrypted: Router,
    pub(super) tls: Option<Tls>,
    pub(super) limits: Limits,
}

/// An accepted connection.
pub(super) struct Connection {
    pub(super) settings: Arc<ConnectionSettings>,
    pub(super) peer: Peer,
    pub(super) stage: watch::Receiver<Stage>,
}

impl Connection {
    /// Serves a client until one side closes the connection.
    pub(super) async fn serve(self, stream: TcpStream) -> Result<(), BoxError> {
        // Otherwise a response whose head and body are written separately waits for the client's delayed ACK. It fails
        // only if the connection is already closed.
        let _ = stream.set_nodelay(true);
        let settings = Arc::clone(&self.settings);
        let Some(tls) = &settings.tls else { return self.http1(stream, settings.router.clone()).await };
        let mut stage = self.stage.clone();
        let handshake = async {
            let mut first = [0];
            if stream.peek(&mut first).await? == 1 && first != [TLS_HANDSHAKE] {
                return Ok(Err(stream));
            }
            tls.accept(stream).await.map(Ok)
        };
        let stream = tokio::select! {
            stream = timeout(settings.limits.handshake_timeout, handshake) => stream??,
            () = reaches(&mut stage, Stage::Finishing) => return Ok(()),
        };
        match stream {
            Err(plain) => self.http1(plain, settings.unencrypted.clone()).await,
            Ok(stream) if stream.get_ref().1.alpn_protocol() == Some(HTTP_2) => self.http2(stream).await,
            Ok(stream) => self.http1(stream, settings.router.clone()).await,
        }
    }

    async fn http1<S>(mut self, stream: S, router: Router) -> Result<(), BoxError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let limits = &self.settings.limits;
        let between_requests = BetweenRequests::new();
        let stream =
            Timed::new(stream, Some(between_requests.clone()), limits.head_timeout, limits.receive_timeout);
        let peer = self.peer;
        let service = service_fn(move |request: Request<Incoming>| {
            between_requests.request_begins();
            let answer = call(router.clone(), peer, request);
            let between_requests = between_requests.clone();
            async move {
                let answer = answer.await;
                between_requests.request_ends();
                answer
            }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            // It covers the time from the end of one request to the end of the next one's head.
            .header_read_timeout(limits.idle_timeout)
            .max_buf_size(HEAD_BYTES_MAX)
            // The buffer may exceed its limit before a head is complete.
            .max_header_size(HEAD_BYTES_MAX)
            .max_headers(HEADERS_MAX)
            .serve_connection(TokioIo::new(stream), service);
        let mut connection = pin!(connection);
        loop {
            tokio::select! {
                ended = connection.as_mut() => return Ok(ended?),
                changed = self.stage.changed() => match *self.stage.borrow_and_update() {
                    Stage::Finishing if changed.is_ok() => connection.as_mut().graceful_shutdown(),
                    _ => return Ok(()),
                },
            }
        }
    }

    async fn http2<S>(mut self, stream: S) -> Result<(), BoxError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let limits = &self.settings.limits;
        let stream = Timed::new(stream, None, limits.head_timeout, limits.receive_timeout);
        let (router, peer) = (self.settings.router.clone(), self.peer);
        let service = service_fn(move |request: Request<Incoming>| call(router.clone(), peer, request));
        let (count, mut counted) = watch::channel(0);
        let streams = Streams { count: Arc::new(count), limits: limits.clone() };
        let connection = http2::Builder::new(streams)
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS_MAX)
            .max_header_list_size(u32::try_from(HEAD_BYTES_MAX).unwrap_or(u32::MAX))
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .max_send_buf_size(STREAM_SEND_BYTES_MAX)
            .serve_connection(TokioIo::new(stream), service);
        let mut connection = pin!(connection);
        let mut idle = pin!(tokio::time::sleep(limits.idle_timeout));
        let mut is_leaving = false;
        loop {
            tokio::select! {
                ended = connection.as_mut() => return Ok(ended?),
                changed = self.stage.changed() => match *self.stage.borrow_and_update() {
                    Stage::Finishing if changed.is_ok() => connection.as_mut().graceful_shutdown(),
                    _ => return Ok(()),
                },
                Ok(()) = counted.changed() => idle.set(tokio::time::sleep(limits.idle_timeout)),
                () = idle.as_mut() => {
                    if *counted.borrow() == 0 {
                        // Close the connection if the client ignored the GOAWAY.
                        if is_leaving {
                            return Ok(());
                        }
                        is_leaving = true;
                        connection.as_mut().graceful_shutdown();
                    }
                    idle.set(tokio::time::sleep(limits.idle_timeout));
                }
            }
        }
    }
}

fn call(
    mut router: Router,
    peer: Peer,
    mut request: Request<Incoming>,
) -> impl Future<Output = Result<axum::response::Response<Body>, std::convert::Infallible>> {
    request.extensions_mut().insert(peer);
    router.call(request)
}

/// Waits until a server has reached a stage of its shutdown.
async fn reaches(stage: &mut watch::Receiver<Stage>, least: Stage) {
    // It fails only if the sender is dropped.
    let _ = stage.wait_for(|stage| *stage as u8 >= least as u8).await;
}

/// The requests of one HTTP/2 connection: their number, and a timeout for each with its whole response.
#[derive(Clone)]
struct Streams {
    count: Arc<watch::Sender<usize>>,
    limits: Limits,
}

impl<F> Executor<F> for Streams
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, stream: F) {
        let Limits { body_timeout, request_timeout, receive_timeout, .. } = self.limits;
        let all = body_timeout + request_timeout + receive_timeout;
        self.count.send_modify(|count| *count += 1);
        let ended = Ended(Arc::clone(&self.count));
        tokio::spawn(async move {
            let _ended = ended;
            // Dropping a stream resets it: the client does not read the response.
            if timeout(all, stream).await.is_err() {
                tracing::debug!("an HTTP/2 stream took too long");
            }
        });
    }
}

struct Ended(Arc<watch::Sender<usize>>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}
