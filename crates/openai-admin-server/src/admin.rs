//! The endpoints for operators: liveness, readiness and metrics. They have a separate listener, since they need no key
//! and are not for clients of the API.

use std::{io, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use openai_admin_store::Error as StoreError;
use tokio::{net::TcpListener, sync::Semaphore};

use crate::{
    answer::{host_header, shared::Shared},
    connect::{
        browser::AllowedHosts,
        limits::{HEAD_BYTES_MAX, HEADERS_MAX},
    },
    operate::metrics,
};

/// How long the database may take to answer a ping.
const PING_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a connection may be idle, or take to send the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long to wait if the system has no resources for another connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Answers on `listener` until the future is dropped, with at most `connections_max` concurrent connections. More wait
/// until one ends.
pub(crate) async fn run(listener: TcpListener, router: Router, connections_max: usize) -> io::Result<()> {
    let permits = Arc::new(Semaphore::new(connections_max));
    loop {
        let permit = Arc::clone(&permits).acquire_owned().await.map_err(io::Error::other)?;
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
        builder.max_header_size(HEAD_BYTES_MAX).max_headers(HEADERS_MAX);
        let service = TowerToHyperService::new(router.clone());
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        tokio::spawn(async move {
            let _permit = permit;
            // A client that disconnected can retry.
            let _ = connection.await;
        });
    }
}

/// Refuses requests from web pages of other sites and requests for other hosts: this listener needs no key.
pub(crate) fn without_web_pages(router: Router, hosts: AllowedHosts) -> Router {
    let hosts = Arc::new(hosts);
    router.layer(middleware::from_fn(move |request: Request, next: Next| {
        let hosts = Arc::clone(&hosts);
        async move {
            if host_header::check(&request).is_err() {
                return (StatusCode::BAD_REQUEST, "invalid or missing Host header\n").into_response();
            }
            match hosts.check(request.uri(), request.headers()) {
                Ok(()) => next.run(request).await,
                Err(refused) => {
                    let hint = if refused.header() == "Host" {
                        "; --admin-allow-host NAME allows a name"
                    } else {
                        ""
                    };
                    (StatusCode::FORBIDDEN, format!("{refused}{hint}\n")).into_response()
                }
            }
        }
    }))
}

pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/live", get(async || "live\n"))
        .route("/ready", get(ready))
        .route("/metrics", get(metrics))
        .with_state(shared)
}

/// One word: `ready`, or the reason. The log has the cause.
async fn ready(State(shared): State<Arc<Shared>>) -> Response {
    match not_ready(&shared).await {
        None => "ready\n".into_response(),
        Some(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")).into_response(),
    }
}

async fn not_ready(shared: &Shared) -> Option<&'static str> {
    if shared.drain.has_begun() {
        return Some("draining");
    }
    match tokio::time::timeout(PING_TIMEOUT, shared.store.ping()).await {
        Ok(Ok(())) => None,
        Ok(Err(StoreError::Overloaded)) => Some("overloaded"),
        Ok(Err(_)) | Err(_) => Some("database"),
    }
}

async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    let backed_up_at = match &shared.backups {
        Some(backups) => backups.newest().await,
        None => None,
    };
    match shared.metrics.text(shared.requests.count(), shared.drain.has_begun(), backed_up_at) {
        Ok(text) => ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
