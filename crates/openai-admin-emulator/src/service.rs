//! The way of a request: which namespace, what is odd about it, which fault it gets, the answer, the journal.

use std::{
    sync::Arc,
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
    faults::{Fault, Moment},
    journal::{self, Exchange},
    loose,
    namespace::Namespace,
    operations::{self, Found},
    paths,
    shared::Shared,
};

/// What is odd about a request, one header for each thing.
const WARNING: HeaderName = HeaderName::from_static("openai-emulator-warning");
/// What was probably meant by a request that is no operation.
const NEAR_MISS: HeaderName = HeaderName::from_static("openai-emulator-near-miss");
/// The rule whose fault an answer is.
const FAULT: HeaderName = HeaderName::from_static("openai-emulator-fault");
/// How long a request's body may be, in bytes: one more than the server takes, so that it is the server who refuses it.
const BODY_BYTES_MAX: usize = openai_admin_server::limits::BODY_BYTES_MAX + 1;

/// The connection is to be reset instead of an answer.
#[derive(Clone, Copy, Debug)]
pub struct Reset;

impl std::fmt::Display for Reset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the emulator reset the connection on purpose")
    }
}

impl std::error::Error for Reset {}

/// Answers a request of the API in a namespace.
pub(crate) async fn answer<B>(
    shared: &Shared,
    namespace: &Namespace,
    mut parts: Parts,
    body: B,
) -> Result<Response, Reset>
where
    B: HttpBody<Data = Bytes, Error: Into<axum::BoxError>> + Send + 'static,
{
    let inner = &*namespace.0;
    let mut exchange = arrival(namespace, &parts);
    let (mut body, _room) = match bodies::read(body, BODY_BYTES_MAX, &shared.bodies).await {
        Ok((body, room)) => (body, Some(room)),
        // As long as the server refuses it.
        Err(Unread::TooLong) => (Bytes::from(vec![b' '; BODY_BYTES_MAX]), None),
        Err(unread) => {
            let refusal = Some(refused_body(unread));
            return finish(namespace, exchange, &Bytes::new(), refusal, None).await;
        }
    };
    let sent = body.clone();
    let refusal = look(shared, &mut exchange, &mut parts, &mut body);

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
        Some(fault @ (Fault::Truncated { .. } | Fault::Reset { when: Moment::After })) => (None, Some(fault)),
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
        _ => Some(done(namespace, parts, body).await),
    };
    finish(namespace, exchange, &sent, response, after).await
}

/// Finds the operation of a request, and what is odd about it: named, made good, or refused.
fn look(shared: &Shared, exchange: &mut Exchange, parts: &mut Parts, body: &mut Bytes) -> Option<Response> {
    let Some(Found { operation, path }) = operations::find(&parts.method, parts.uri.path()) else {
        match operations::not_served(&parts.method, parts.uri.path()) {
            Some((id, path)) => {
                exchange.operation = Some(id.to_owned());
                exchange.path = path;
            }
            None => exchange.near_miss = operations::near_miss(&parts.method, parts.uri.path()),
        }
        // It may repeat the path or the method, and is sent as a header.
        exchange.near_miss.iter_mut().for_each(journal::cut_message);
        return None;
    };
    exchange.operation = Some(operation.id().to_owned());
    exchange.path = path;
    let tree: Option<Value> = serde_json::from_slice(body).ok();
    let unknown = operations::unknown(operation, parts.uri.query().unwrap_or_default(), tree.as_ref());
    let mut replaced = Vec::new();
    if let (true, Some(mut tree)) = (shared.is_loose, tree) {
        replaced = loose::replace_placeholders(&mut tree);
        if !replaced.is_empty() {
            *body = serde_json::to_vec(&tree).unwrap_or_default().into();
            parts.headers.remove(header::CONTENT_LENGTH);
        }
    }
    let named = unknown.iter().map(|name| format!("'{name}' is no parameter of {}", operation.id()));
    exchange.warnings = journal::few(replaced.into_iter().chain(named));
    unknown.first().filter(|_| shared.is_strict).map(|name| unknown_parameter(name))
}

/// What is known of a request when it arrives.
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
        // As the server answers it.
        Unread::Broken | Unread::TooLong => (StatusCode::BAD_REQUEST, "The body of your request broke off."),
        Unread::NoRoom => (
            StatusCode::SERVICE_UNAVAILABLE,
            "The emulator holds as many bodies of other requests as it can: try again later.",
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

/// The server's own answer.
async fn done(namespace: &Namespace, parts: Parts, body: Bytes) -> Response {
    let inner = &*namespace.0;
    let stale_ms = inner.faults.stale_reads_ms();
    let is_read = matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS);
    let request = Request::from_parts(parts, Body::from(body));
    let answered: Result<Response> = async {
        let mut router = inner.router.clone();
        if stale_ms > 0 && is_read {
            router = inner.stale_reads.router(inner.clock.now_ms()).await?.unwrap_or(router);
        } else if stale_ms > 0 {
            // One after the other, so that a snapshot before a write holds nothing of another.
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
            "The emulator cannot show stale reads.",
            None,
            None,
        )
    })
}

async fn called(mut router: axum::Router, request: Request<Body>) -> Response {
    let Ok(response) = router.call(request).await;
    response
}

/// Writes the journal, and gives the answer what it says of the emulator.
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
    // The server's answers are whole in memory already.
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
    // Otherwise it would be the machine's time, which differs from run to run.
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

/// A header holds visible ASCII; a question mark stands for anything else.
fn append(headers: &mut axum::http::HeaderMap, name: HeaderName, value: &str) {
    let visible = |c: char| if c == ' ' || c.is_ascii_graphic() { c } else { '?' };
    let value: String = value.replace('…', "...").chars().map(visible).collect();
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.append(name, value);
    }
}

/// What a request is for.
pub(crate) async fn route<B>(shared: &Arc<Shared>, request: Request<B>) -> Result<Response, Reset>
where
    B: HttpBody<Data = Bytes, Error: Into<axum::BoxError>> + Send + 'static,
{
    let (mut parts, body) = request.into_parts();
    if let Err(refused) = shared.hosts.check(&parts.uri, &parts.headers) {
        let message =
            format!("{refused}: use 127.0.0.1 or localhost, or start the emulator with --allow-host NAME");
        return Ok(answers::api_error(StatusCode::FORBIDDEN, &message, None, Some("refused_site")));
    }
    let place = match shared.place(&mut parts) {
        Ok(place) => place,
        Err(error) => return Ok(controls::refused(&error)),
    };
    if parts.uri.path().starts_with(paths::CONTROLS_PREFIX) {
        let request = Request::from_parts(parts, Body::new(body));
        return Ok(controls::answer(shared, place, request).await);
    }
    let namespace = match shared.namespace(&place, shared.makes(&parts.headers)).await {
        Ok(namespace) => namespace,
        Err(error) => return Ok(controls::refused(&error)),
    };
    // A task of its own goes on when the client does not wait, as a service's does, and the journal tells of it.
    // What goes on without a client counts as well.
    let Ok(turn) = Arc::clone(&shared.running).acquire_owned().await else { return Err(Reset) };
    let shared = Arc::clone(shared);
    let answered = tokio::spawn(async move {
        let _turn = turn;
        answer(&shared, &namespace, parts, body).await
    });
    answered.await.unwrap_or(Err(Reset))
}
