//! One connection, from its handshake to its end.

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

/// The first byte of everybody who wants to speak TLS.
const TLS_HANDSHAKE: u8 = 0x16;

pub(super) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// How far a server is on its way to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Serving,
    /// What has begun is finished, and nothing else is begun.
    Finishing,
    /// Whatever is left is cut.
    Over,
}

/// What all connections of a server have in common.
pub(super) struct Terms {
    pub(super) router: Router,
    /// Answers plain HTTP where TLS is spoken.
    pub(super) unencrypted: Router,
    pub(super) tls: Option<Tls>,
    pub(super) limits: Limits,
}

/// A connection on its way.
pub(super) struct Connection {
    pub(super) terms: Arc<Terms>,
    pub(super) peer: Peer,
    pub(super) stage: watch::Receiver<Stage>,
}

impl Connection {
    /// Serves a client until one of both ends it.
    pub(super) async fn serve(self, stream: TcpStream) -> Result<(), BoxError> {
        // Without it, an answer whose head and body are written apart waits for the client's delayed ACK. It fails only
        // where the connection is gone already.
        let _ = stream.set_nodelay(true);
        let terms = Arc::clone(&self.terms);
        let Some(tls) = &terms.tls else { return self.http1(stream, terms.router.clone()).await };
        let mut stage = self.stage.clone();
        let handshake = async {
            let mut first = [0];
            if stream.peek(&mut first).await? == 1 && first != [TLS_HANDSHAKE] {
                return Ok(Err(stream));
            }
            tls.accept(stream).await.map(Ok)
        };
        let stream = tokio::select! {
            stream = timeout(terms.limits.handshake_timeout, handshake) => stream??,
            () = reaches(&mut stage, Stage::Finishing) => return Ok(()),
        };
        match stream {
            Err(plain) => self.http1(plain, terms.unencrypted.clone()).await,
            Ok(stream) if stream.get_ref().1.alpn_protocol() == Some(HTTP_2) => self.http2(stream).await,
            Ok(stream) => self.http1(stream, terms.router.clone()).await,
        }
    }

    async fn http1<S>(mut self, stream: S, router: Router) -> Result<(), BoxError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let limits = &self.terms.limits;
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
            // It runs from the end of one request to the end of the next one's head.
            .header_read_timeout(limits.idle_timeout)
            .max_buf_size(HEAD_BYTES_MAX)
            // The buffer alone may hold more than its bound by the time that a head is whole.
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
        let limits = &self.terms.limits;
        let stream = Timed::new(stream, None, limits.head_timeout, limits.receive_timeout);
        let (router, peer) = (self.terms.router.clone(), self.peer);
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
                        // Told to leave, a client that does not is cut.
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

/// Returns when a server is as far on its way to its end.
async fn reaches(stage: &mut watch::Receiver<Stage>, least: Stage) {
    // An error means that nobody is left who would say so.
    let _ = stage.wait_for(|stage| *stage as u8 >= least as u8).await;
}

/// The requests of one HTTP/2 connection: how many there are, and how long each may take with all of its answer.
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
            // A stream that is dropped is reset: its client does not take the answer.
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
