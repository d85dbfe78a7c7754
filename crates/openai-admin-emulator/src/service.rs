//! The path of a request: its namespace, warnings, faults, the response and the journal.

use std::{
    sync::{Arc, LazyLock},
    time::{Duration, UNIX_EPOCH},
};

use axum::{
    body::{Body, HttpBody},
    http::{HeaderName, HeaderValue, Method, Request, StatusCode, header, request::Parts},
    response::Response,
};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower_service::Service as _;

use crate::{
    answers,
    bodies::{self, Unread},
    clock, controls,
    error::Result,
    faults::{Fault, ResetTiming},
    journal::{self, Exchange},
    namespace::Namespace,
    operations::{self, MatchedOperation},
    paths,
    shared::Shared,
};

/// A warning about a request. One header for each.
const WARNING: HeaderName = HeaderName::from_static("openai-emulator-warning");
/// A suggestion for a request without an operation.
const NEAR_MISS: HeaderName = HeaderName::from_static("openai-emulator-near-miss");
/// The rule of an injected fault.
const FAULT: HeaderName = HeaderName::from_static("openai-emulator-fault");
/// The maximum size of a request's body, in bytes: one more than the server's limit, so that the server refuses it.
const BODY_BYTES_MAX: usize = openai_admin_server::limits::LINES_BYTES_MAX + 1;
/// The body that stands for one that is too long: all such requests share it.
static TOO_LONG: LazyLock<Bytes> = LazyLock::new(|| vec![b' '; BODY_BYTES_MAX].into());

/// The connection must be reset instead of answered.
#[derive(Clone, Copy, Debug)]
pub struct Reset;

impl std::fmt::Display for Reset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the emulator reset the connection on purpose")
    }
}

impl std::error::Error for Reset {}

/// Whether a request is journaled, and whether faults apply to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recording {
    /// As the request of a test.
    On,
    /// As a request of a person who watches.
    Off,
}

/// Answers a request of the API in a namespace.
pub(crate) async fn answer<B>(
    shared: &Shared,
    namespace: &Namespace,
    parts: Parts,
    body: B,
) -> Result<Response, Reset>
where
    B: HttpBody<Data = Bytes, Error: Into<axum::BoxError>> + Send + 'static,
{
    let inner = &*namespace.0;
    let mut exchange = arrival(namespace, &parts);
    let (body, _room) = match bodies::read(body, BODY_BYTES_MAX, &shared.bodies).await {
        Ok((body, room)) => (body, Some(room)),
        // Too long for the server, which refuses it.
        Err(Unread::TooLong) => (TOO_LONG.clone(), None),
        Err(unread) => {
            let refusal = Some(refused_body(unread));
            return finish(namespace, exchange, &Bytes::new(), refusal, None).await;
        }
    };
    let sent = body.clone();
    let refusal = inspect(shared, &mut exchange, &parts, &body);

    let operation = exchange.operation.clone().unwrap_or_default();
    let injection = inner.faults.next(&operation, inner.clock.now_ms());
    exchange.delayed_ms = injection.delay_ms;
    if injection.delay_ms > 0 {
        tokio::time::sleep(Duration::from_millis(injection.delay_ms.into())).await;
    }
    let fault = injection.fault.map(|(fault, name)| {
        exchange.fault = Some(name);
        exchange.fault_kind = Some(fault.kind());
        fault
    });
    let (before, after) = match fault {
        Some(fault @ (Fault::Truncated { .. } | Fault::Reset { when: ResetTiming::After })) => {
            (None, Some(fault))
        }
        fault => (fault, None),
    };
    let response = match (before, refusal) {
        (Some(Fault::Reset { .. }), _) => None,
        (Some(Fault::RateLimited { wait_seconds, told }), _) => {
            Some(answers::rate_limited(wait_seconds, told))
        }
        (Some(Fault::Status { status, body, retry_after_seconds }), _) => {
            Some(answers::status(status, body, retry_after_seconds))
        }
        (_, Some(refusal)) => Some(refusal),
        _ => Some(server_response(namespace, parts, body).await),
    };
    finish(namespace, exchange, &sent, response, after).await
}

/// Finds the operation of a request, and handles its unknown parameters.
fn inspect(shared: &Shared, exchange: &mut Exchange, parts: &Parts, body: &Bytes) -> Option<Response> {
    let Some(MatchedOperation { operation, path }) = operations::find(&parts.method, parts.uri.path()) else {
        match operations::not_served(&parts.method, parts.uri.path()) {
            Some((id, path)) => {
                exchange.operation = Some(id.to_owned());
                exchange.path = path;
            }
            None => exchange.near_miss = operations::near_miss(&parts.method, parts.uri.path()),
        }
        // Shortened, since it may quote the path or the method and is sent as a header.
        exchange.near_miss.iter_mut().for_each(journal::cut_message);
        return None;
    };
    exchange.operation = Some(operation.id().to_owned());
    exchange.path = path;
    let tree: Option<Value> = serde_json::from_slice(body).ok();
    let unknown = operations::unknown(operation, parts.uri.query().unwrap_or_default(), tree.as_ref());
    let named = unknown.iter().map(|name| format!("'{name}' is not a parameter of {}", operation.id()));
    exchange.warnings = journal::limit_warnings(named);
    unknown.first().filter(|_| shared.is_strict).map(|name| unknown_parameter(name))
}

/// The exchange of a request at its arrival.
fn arrival(namespace: &Namespace, parts: &Parts) -> Exchange {
    let inner = &*namespace.0;
    Exchange {
        number: inner.journal.arrive(),
        at: clock::written(inner.clock.now_ms()),
        method: parts.method.to_string(),
        url_path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        ..Exchange::default()
    }
}

fn refused_body(unread: Unread) -> Response {
    let (status, message) = match unread {
        // The server's own answer.
        Unread::Broken | Unread::TooLong => {
            (StatusCode::BAD_REQUEST, "The body of your request is incomplete.")
        }
        Unread::NoRoom => (
            StatusCode::SERVICE_UNAVAILABLE,
            "Too many bodies of other requests are in the emulator's memory: retry later.",
        ),
    };
    answers::api_error(status, message, None, None)
}

fn unknown_parameter(name: &str) -> Response {
    let mut name = name.to_owned();
    journal::cut_message(&mut name);
    let message = format!("Unknown parameter: '{name}'.");
    answers::api_error(StatusCode::BAD_REQUEST, &message, Some(&name), Some("unknown_parameter"))
}

/// The server's response.
async fn server_response(namespace: &Namespace, parts: Parts, body: Bytes) -> Response {
    let inner = &*namespace.0;
    let stale_ms = inner.faults.stale_reads_ms();
    let is_read = matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS);
    let request = Request::from_parts(parts, Body::from(body));
    let answered: Result<Response> = async {
        let mut router = inner.router.clone();
        if stale_ms > 0 && is_read {
            router = inner.stale_reads.router(inner.clock.now_ms()).await?.unwrap_or(router);
        } else if stale_ms > 0 {
            // One write at a time, so that the snapshot before a write contains no part of another.
            let _turn = inner.stale_reads.turn().await;
            inner.stale_reads.before_write(&inner.store).await?;
            let response = called(router, request).await;
            inner.stale_reads.after_write(&inner.store, inner.clock.now_ms(), stale_ms).await?;
            return Ok(response);
        }
        Ok(called(router, request).await)
    }
    .await;
    answered.unwrap_or_else(|error| {
        tracing::error!(error = &error as &dyn std::error::Error, "a stale read failed");
        answers::api_error(
            StatusCode::INTERNAL_SERVER_ERROR,
            "The emulator failed to serve a stale read.",
            None,
            None,
        )
    })
}

async fn called(mut router: axum::Router, request: Request<Body>) -> Response {
    let Ok(response) = router.call(request).await;
    response
}

/// Records the exchange, and adds the emulator's headers to the response.
async fn finish(
    namespace: &Namespace,
    mut exchange: Exchange,
    sent: &Bytes,
    response: Option<Response>,
    after: Option<Fault>,
) -> Result<Response, Reset> {
    let inner = &*namespace.0;
    let Some(response) = response else {
        inner.journal.keep(exchange, sent, &Bytes::new());
        return Err(Reset);
    };
    let (parts, body) = response.into_parts();
    // The server's responses are already in memory.
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let mut response = Response::from_parts(parts, Body::from(body.clone()));
    let headers = response.headers_mut();
    for warning in &exchange.warnings {
        append(headers, WARNING, warning);
    }
    if let Some(near_miss) = &exchange.near_miss {
        append(headers, NEAR_MISS, near_miss);
    }
    if let Some(fault) = &exchange.fault {
        append(headers, FAULT, fault);
    }
    // Hyper would set the machine's time, which differs between runs.
    let date = UNIX_EPOCH + Duration::from_millis(inner.clock.now_ms());
    append(headers, header::DATE, &httpdate::fmt_http_date(date));

    let is_reset = matches!(after, Some(Fault::Reset { .. }));
    exchange.status = (!is_reset).then(|| response.status().as_u16());
    inner.journal.keep(exchange, sent, &body);
    match after {
        Some(Fault::Reset { .. }) => Err(Reset),
        Some(Fault::Truncated { bytes }) => Ok(answers::truncated(response, body, bytes)),
        _ => Ok(response),
    }
}

/// Appends a header. Replaces characters outside visible ASCII by question marks.
fn append(headers: &mut axum::http::HeaderMap, name: HeaderName, value: &str) {
    let visible = |c: char| if c == ' ' || c.is_ascii_graphic() { c } else { '?' };
    let value: String = value.replace('…', "...").chars().map(visible).collect();
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.append(name, value);
    }
}

/// Routes a request to the controls or to the API of its namespace.
pub(crate) async fn route<B>(
    shared: &Arc<Shared>,
    request: Request<B>,
    recording: Recording,
) -> Result<Response, Reset>
where
    B: HttpBody<Data = Bytes, Error: Into<axum::BoxError>> + Send + 'static,
{
    let (mut parts, body) = request.into_parts();
    if let Err(refused) = shared.hosts.check(&parts.uri, &parts.headers) {
        let message =
            format!("{refused}: use 127.0.0.1 or localhost, or start the emulator with --allow-host NAME");
        return Ok(answers::api_error(StatusCode::FORBIDDEN, &message, None, Some("refused_site")));
    }
    let namespace_name = match shared.take_namespace_name(&mut parts) {
        Ok(namespace_name) => namespace_name,
        Err(error) => return Ok(controls::refused(&error)),
    };
    if parts.uri.path().starts_with(paths::CONTROLS_PREFIX) {
        let request = Request::from_parts(parts, Body::new(body));
        return Ok(controls::answer(shared, namespace_name, request).await);
    }
    let namespace = match shared.namespace(&namespace_name, shared.on_missing(&parts.headers)).await {
        Ok(namespace) => namespace,
        Err(error) => return Ok(controls::refused(&error)),
    };
    if recording == Recording::Off {
        let request = Request::from_parts(parts, Body::new(body));
        return Ok(called(namespace.0.router.clone(), request).await);
    }
    // In a separate task: like a real service, it finishes and records the request even if the client disconnects. Such
    // requests also count towards the limit.
    let Ok(turn) = Arc::clone(&shared.running).acquire_owned().await else { return Err(Reset) };
    let shared = Arc::clone(shared);
    let answered = tokio::spawn(async move {
        let _turn = turn;
        answer(&shared, &namespace, parts, body).await
    });
    answered.await.unwrap_or(Err(Reset))
}
