//! The connections of an emulator on a port. Only their number is limited. Unlike a server's, they can be reset on
//! purpose.

use std::{
    future::poll_fn,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    http::{Request, StatusCode, Version, header},
    response::Response,
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinSet,
};
use tower_service::Service as _;

use crate::{
    answers,
    service::{self, Recording, Reset},
    shared::Shared,
};

/// The maximum number of open connections. More wait.
const CONNECTIONS_MAX: usize = 10_000;
/// How long to wait if the system has no resources for another connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The path of pages that are served beside the API, and of all below it.
const PAGES: &str = "/console";

/// Answers on `listener` until the future is dropped, which also closes all connections. `pages` answers requests below
/// [`PAGES`].
pub(crate) async fn run(listener: TcpListener, shared: Arc<Shared>, pages: Option<Router>) {
    let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        let permit = Arc::clone(&permits).acquire_owned().await;
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let (shared, pages) = (Arc::clone(&shared), pages.clone());
        connections.spawn(async move {
            let _permit = permit;
            if let Err(error) = serve(stream, shared, pages).await {
                tracing::debug!(error = &error as &dyn std::error::Error, "a connection failed");
            }
        });
        // Removes the tasks of closed connections.
        while connections.try_join_next().is_some() {}
    }
}

fn is_page(path: &str) -> bool {
    path.strip_prefix(PAGES).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

async fn answer(
    shared: &Arc<Shared>,
    pages: Option<Router>,
    request: Request<Incoming>,
) -> Result<Response, Reset> {
    if request.version() == Version::HTTP_11 && !request.headers().contains_key(header::HOST) {
        let message = "The request has no Host header, which HTTP/1.1 needs.";
        return Ok(answers::api_error(StatusCode::BAD_REQUEST, message, None, None));
    }
    match pages {
        Some(mut pages) if is_page(request.uri().path()) => {
            let Ok(response) = pages.call(request).await;
            Ok(response)
        }
        _ => service::route(shared, request, Recording::On).await,
    }
}

async fn serve(stream: TcpStream, shared: Arc<Shared>, pages: Option<Router>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let is_reset = Arc::new(AtomicBool::new(false));
    let resets = Arc::clone(&is_reset);
    let service = service_fn(move |request: Request<Incoming>| {
        let (shared, pages, resets) = (Arc::clone(&shared), pages.clone(), Arc::clone(&resets));
        // Boxed, so that the connection can be moved to take its stream out.
        Box::pin(async move {
            let answer = answer(&shared, pages, request).await;
            resets.store(answer.is_err(), Ordering::Relaxed);
            answer
        })
    });
    let mut connection =
        http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
    let ended = poll_fn(|context| connection.poll_without_shutdown(context)).await;
    if is_reset.load(Ordering::Relaxed) {
        // Closing with zero linger sends a reset.
        return connection.into_parts().io.into_inner().set_zero_linger();
    }
    ended.map_err(io::Error::other)
}
