//! The path of a request through the server: authentication, decoding, the handler, and the response headers.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, HttpBody},
    extract::{RawPathParams, Request, State, rejection::RawPathParamsRejection},
    http::{
        HeaderMap, HeaderName, HeaderValue, Method as HttpMethod, StatusCode, Version, header, request::Parts,
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::FutureExt;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use openai_admin::{
    Method, Scope, hexadecimal,
    wire::{self, Strictness},
};

use crate::{
    answer::{
        auth::{Caller, ORGANIZATION},
        error::{ApiError, FailureCause},
        handlers::Context,
        host_header,
        published::PublishedOperation,
        routes::{Received, Route},
        shared::Shared,
    },
    connect::{
        connections::Peer,
        limits::{BODY_BYTES_MAX, LINES_BYTES_MAX},
    },
    operate::metrics::OperationIndex,
};

/// The base paths of the API. The routes are also served without `/v1`, since the official clients' own tests use such
/// a base.
pub(crate) const PREFIXES: [&str; 2] = ["/v1", ""];

/// How many bytes of an unused body are read to keep the connection, and for how long.
const DRAINED_BYTES_MAX: usize = 64 * 1024;
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const PROCESSING_MS: HeaderName = HeaderName::from_static("openai-processing-ms");
const VERSION: HeaderName = HeaderName::from_static("openai-version");

/// The operations at one path, by method.
#[derive(Default)]
pub(crate) struct Resource {
    pub(crate) routes: Vec<(Route, Option<OperationIndex>)>,
    pub(crate) not_served: Vec<PublishedOperation>,
}

/// The operation for a method at a path.
enum Target<'a> {
    Served(&'a Route, Option<OperationIndex>),
    NotServed(PublishedOperation),
    /// Neither: the response (405 or OPTIONS) is already known.
    Response(Response),
}

impl Resource {
    fn find(&self, method: &HttpMethod) -> Target<'_> {
        // HEAD is GET without the response body.
        let published = match *method {
            HttpMethod::GET | HttpMethod::HEAD => Some(Method::Get),
            HttpMethod::POST => Some(Method::Post),
            HttpMethod::DELETE => Some(Method::Delete),
            _ => None,
        };
        if let Some((route, index)) =
            self.routes.iter().find(|(route, _)| Some(route.facts.method) == published)
        {
            return Target::Served(route, *index);
        }
        if let Some(operation) = self.not_served.iter().find(|operation| Some(operation.method) == published)
        {
            return Target::NotServed(*operation);
        }
        let allow = self.allow();
        Target::Response(match *method {
            HttpMethod::OPTIONS => (StatusCode::NO_CONTENT, [(header::ALLOW, allow)]).into_response(),
            _ => ApiError::method_not_allowed(method.as_str(), allow),
        })
    }

    fn allow(&self) -> HeaderValue {
        let served = self.routes.iter().map(|(route, _)| route.facts.method.as_str());
        let not_served = self.not_served.iter().map(|operation| operation.method.as_str());
        let mut methods: Vec<&str> = served.chain(not_served).collect();
        if methods.contains(&"GET") {
            methods.push("HEAD");
        }
        methods.push("OPTIONS");
        HeaderValue::from_str(&methods.join(", ")).unwrap_or_else(|_| HeaderValue::from_static("OPTIONS"))
    }
}

/// The source of a request's caller: its key, any key, a fixed caller, or the extension of an in-process request.
#[derive(Clone)]
pub(crate) enum CallerSource {
    Bearer,
    AnyKey(Arc<Caller>),
    Fixed(Arc<Caller>),
    Extension,
}

/// Answers a request at one path.
pub(crate) async fn answer(
    State((shared, source)): State<(Arc<Shared>, CallerSource)>,
    resource: Arc<Resource>,
    path: Result<RawPathParams, RawPathParamsRejection>,
    request: Request,
) -> Response {
    let (route, index) = match resource.find(request.method()) {
        Target::Served(route, index) => (route, index),
        Target::NotServed(operation) => return refuse(&shared, &source, operation, request).await,
        Target::Response(answer) => return answer,
    };
    // A path that is not UTF-8 is unknown.
    let Ok(path) = path else { return unknown_url(request) };
    let mut caller = None;
    let handled = run(&shared, &source, route, path, request, &mut caller);
    let mut response = match tokio::time::timeout(shared.config.limits.request_timeout, handled).await {
        Ok(Ok(response)) => response,
        Ok(Err(refusal)) => refusal.into_response(),
        Err(_) => {
            let error = ApiError::took_too_long(route.facts.changes());
            Refusal { error, body_was_read: false }.into_response()
        }
    };
    response.extensions_mut().insert(Answered { operation: route.facts.id, index, caller });
    response
}

/// Answers a request whose path has no route.
pub(crate) async fn answer_unrouted(
    State((shared, source)): State<(Arc<Shared>, CallerSource)>,
    request: Request,
) -> Response {
    let path = request.uri().path();
    let below_base = PREFIXES.iter().find_map(|prefix| path.strip_prefix(prefix));
    let not_served = PublishedOperation::at(below_base.unwrap_or(path));
    if not_served.is_empty() {
        return unknown_url(request);
    }
    match (Resource { routes: Vec::new(), not_served }).find(request.method()) {
        Target::NotServed(operation) => refuse(&shared, &source, operation, request).await,
        Target::Response(answer) => answer,
        Target::Served(..) => unknown_url(request),
    }
}

/// Refuses an operation that is not served. A caller without access gets the usual error instead.
async fn refuse(
    shared: &Shared,
    source: &CallerSource,
    operation: PublishedOperation,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let refused = async {
        let admitted = admit(shared, source, None, &parts, &mut None).await;
        let error = admitted.map_or_else(|error| error, |_| ApiError::not_served(operation));
        Refusal { error, body_was_read: discard(body).await }
    };
    let refusal = tokio::time::timeout(shared.config.limits.request_timeout, refused).await;
    let too_long = || Refusal { error: ApiError::took_too_long(false), body_was_read: false };
    let mut response = refusal.unwrap_or_else(|_| too_long()).into_response();
    response.extensions_mut().insert(Answered { operation: operation.id, index: None, caller: None });
    response
}

/// The operation and the caller of a response, for the log.
#[derive(Clone)]
struct Answered {
    operation: &'static str,
    /// Where the operation is counted. `None` if it is not served.
    index: Option<OperationIndex>,
    /// `None` if the request has no valid key.
    caller: Option<Arc<Caller>>,
}

async fn run(
    shared: &Shared,
    source: &CallerSource,
    route: &Route,
    path: RawPathParams,
    request: Request,
    authenticated: &mut Option<Arc<Caller>>,
) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let caller = match admit(shared, source, Some(route.facts.scope), &parts, authenticated).await {
        Ok(caller) => caller,
        Err(error) => return Err(Refusal { error, body_was_read: discard(body).await }),
    };
    // Official clients send a content type with every request, even if the operation has no body.
    let (body, is_lines) = if route.facts.has_body() {
        read_body(&parts.headers, body, route.facts.takes_lines, shared.config.limits.body_timeout).await?
    } else {
        discard(body).await;
        (Bytes::new(), false)
    };
    let strictness = if shared.config.strict { Strictness::Strict } else { Strictness::Lenient };
    let organization = HeaderValue::from_str(caller.organization_id.as_str());
    let context =
        Context { store: shared.store.clone(), caller, minter: shared.minter.clone(), idempotency_key: None };
    let received = Received { path, uri: parts.uri, headers: parts.headers, body, is_lines, strictness };
    let body = (route.answer)(context, received).await?;

    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    // Omitted if the id contains characters that a header cannot.
    if let Ok(organization) = organization {
        headers.insert(ORGANIZATION, organization);
    }
    Ok(response)
}

/// Authenticates the caller, and checks the rate limit and `scope`. The caller of a valid key is in `authenticated` even
/// if the request is refused afterwards.
async fn admit(
    shared: &Shared,
    source: &CallerSource,
    scope: Option<Scope>,
    parts: &Parts,
    authenticated: &mut Option<Arc<Caller>>,
) -> Result<Arc<Caller>, ApiError> {
    let headers = &parts.headers;
    let caller = match source {
        CallerSource::Bearer => {
            shared.authenticator.authenticate(headers, parts.extensions.get().copied()).await?
        }
        // An emulator that accepts any key accepts any organization's name.
        CallerSource::AnyKey(caller) => Arc::new(caller.with_any_key(headers)?),
        CallerSource::Fixed(caller) => Arc::clone(caller),
        CallerSource::Extension => {
            let caller: Arc<Caller> = parts.extensions.get().cloned().ok_or_else(ApiError::no_key)?;
            shared.authenticator.recheck(&caller).await?;
            caller
        }
    };
    *authenticated = Some(Arc::clone(&caller));
    if !matches!(source, CallerSource::AnyKey(_)) {
        caller.check_organization(headers)?;
    }
    if let Some(rate_limit) = &shared.rate_limit {
        let taken = rate_limit.take((caller.org, caller.actor.clone()), shared.minter.steady());
        taken.map_err(ApiError::rate_limited)?;
    }
    match scope {
        Some(scope) => caller.require(scope).map(|()| caller),
        None => Ok(caller),
    }
}

/// An error, and whether the connection can be reused.
struct Refusal {
    error: ApiError,
    body_was_read: bool,
}

impl<E: Into<ApiError>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self { error: error.into(), body_was_read: true }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = self.error.into_response();
        if !self.body_was_read {
            // The rest of the body would be read as the next request, so the client must open a new connection.
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

/// The body, and whether it is JSON lines.
async fn read_body(
    headers: &HeaderMap,
    body: Body,
    takes_lines: bool,
    timeout: Duration,
) -> Result<(Bytes, bool), Refusal> {
    let content_type = headers.get(header::CONTENT_TYPE);
    let content_type = content_type.map(|value| String::from_utf8_lossy(value.as_bytes()));
    let media_type = content_type.as_deref().and_then(|value| value.split(';').next()).unwrap_or_default();
    let is = |known: &str| media_type.trim().eq_ignore_ascii_case(known);
    let is_lines = takes_lines && wire::JSON_LINES.into_iter().any(is);
    if !is_lines && !is("application/json") {
        let error = ApiError::unsupported_content_type(content_type.as_deref(), takes_lines);
        return Err(Refusal { error, body_was_read: discard(body).await });
    }
    let bytes_max = if is_lines { LINES_BYTES_MAX } else { BODY_BYTES_MAX };
    let too_large = Refusal { error: ApiError::body_too_large(bytes_max), body_was_read: false };
    // Refused by its declared size, before any of it is read.
    if body.size_hint().lower() > bytes_max as u64 {
        return Err(too_large);
    }
    match tokio::time::timeout(timeout, Limited::new(body, bytes_max).collect()).await {
        Ok(Ok(body)) => Ok((body.to_bytes(), is_lines)),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large),
        Ok(Err(_)) => Err(Refusal { error: ApiError::broken_body(), body_was_read: false }),
        Err(_) => Err(Refusal { error: ApiError::body_too_slow(timeout.as_secs()), body_was_read: false }),
    }
}

/// Reads and discards a small body, so that the connection can be reused. Returns whether all of it was read.
async fn discard(body: Body) -> bool {
    if body.is_end_stream() {
        return true;
    }
    let reading = Limited::new(body, DRAINED_BYTES_MAX).collect();
    matches!(tokio::time::timeout(DRAIN_TIMEOUT, reading).await, Ok(Ok(_)))
}

/// Answers a request that matches no route.
fn unknown_url(request: Request) -> Response {
    ApiError::unknown_url(request.method().as_str(), request.uri().path()).into_response()
}

/// Refuses plain HTTP requests to a TLS port, and closes the connection.
pub(crate) fn needs_tls() -> Router {
    Router::new()
        .fallback(async || Refusal { error: ApiError::needs_tls(), body_was_read: false }.into_response())
}

/// Adds the headers of every response and writes the access log, which contains no names or bodies, and of ids only that
/// of the key.
pub(crate) async fn log_and_add_headers(
    State(shared): State<Arc<Shared>>,
    request: Request,
    next: Next,
) -> Response {
    let _in_flight = shared.requests.begin();
    let begun = shared.minter.steady();
    #[cfg(feature = "otel")]
    let span = shared.config.traces.as_ref().map(|traces| traces.begin(request.headers()));
    let request_id = RequestId::new(shared.minter.random());
    let method = request.method().clone();
    // HTTP/2 has no such header; it announces the end of a connection with a frame.
    let is_http1 = request.version() < Version::HTTP_2;
    // An in-process request has no `Host`.
    let host =
        if request.extensions().get::<Peer>().is_some() { host_header::check(&request) } else { Ok(()) };
    let mut response = match host {
        Ok(()) => next_or_internal_error(request, next, &request_id).await,
        Err(error) => Refusal { error, body_was_read: false }.into_response(),
    };

    let elapsed = shared.minter.steady().saturating_sub(begun);
    let elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    let answered: Option<Answered> = response.extensions_mut().remove();
    let operation = answered.as_ref().map(|answered| answered.operation);
    let status = response.status().as_u16();
    let index = answered.as_ref().and_then(|answered| answered.index);
    shared.metrics.answered(index, status, elapsed);
    let operation = operation.unwrap_or("-");
    #[cfg(feature = "otel")]
    if let Some(span) = span {
        span.end(shown(&method), operation, status);
    }
    if let Some(FailureCause(error)) = response.extensions_mut().remove() {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            request_id = request_id.as_str(),
            "the store failed"
        );
    }
    let request_id = request_id.as_str();
    let key = answered.as_ref().and_then(|answered| answered.caller.as_deref()).map_or("-", Caller::actor);
    tracing::info!(method = shown(&method), operation, status, elapsed_ms, request_id, key, "answered");

    let headers = response.headers_mut();
    headers.insert(PROCESSING_MS, HeaderValue::from(elapsed_ms));
    if shared.drain.has_begun() && is_http1 {
        // The client opens its next connection to a server that keeps running.
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    headers.insert(VERSION, HeaderValue::from_static("2020-10-01"));
    if let Ok(request_id) = HeaderValue::from_str(request_id) {
        headers.insert(REQUEST_ID, request_id);
    }
    if method == HttpMethod::HEAD { without_body(response) } else { response }
}

/// A panic is a bug of the server. It fails its own request; other requests on the connection continue.
async fn next_or_internal_error(request: Request, next: Next, request_id: &RequestId) -> Response {
    AssertUnwindSafe(next.run(request)).catch_unwind().await.unwrap_or_else(|_| {
        tracing::error!(request_id = request_id.as_str(), "a handler panicked");
        Refusal { error: ApiError::internal(), body_was_read: false }.into_response()
    })
}

/// A method for the log and traces. An unknown one is a client's text, and could contain a secret.
fn shown(method: &HttpMethod) -> &'static str {
    match *method {
        HttpMethod::GET => "GET",
        HttpMethod::HEAD => "HEAD",
        HttpMethod::POST => "POST",
        HttpMethod::PUT => "PUT",
        HttpMethod::PATCH => "PATCH",
        HttpMethod::DELETE => "DELETE",
        HttpMethod::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// The id of a request, for the client and the log.
struct RequestId([u8; 36]);

impl RequestId {
    fn new(random: u128) -> Self {
        let mut id = *b"req_00000000000000000000000000000000";
        for (place, digit) in id[4..].iter_mut().zip(hexadecimal(&random.to_be_bytes())) {
            *place = digit;
        }
        Self(id)
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

fn without_body(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    if let Some(length) = body.size_hint().exact() {
        parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    Response::from_parts(parts, Body::empty())
}
