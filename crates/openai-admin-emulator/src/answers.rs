//! The responses of faults and of the emulator itself.

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};

use crate::faults::{FaultBody, WaitHint};

/// A JSON response.
pub(crate) fn json(status: StatusCode, body: &impl serde::Serialize) -> Response {
    // The emulator's own types always serialize.
    let body = serde_json::to_vec(body).unwrap_or_default();
    with_body(status, "application/json", body)
}

/// An error in the API's format.
pub(crate) fn api_error(
    status: StatusCode,
    message: &str,
    param: Option<&str>,
    code: Option<&str>,
) -> Response {
    let kind = if status.is_server_error() { "server_error" } else { "invalid_request_error" };
    json(status, &error(message, kind, param, code))
}

fn error(message: &str, kind: &str, param: Option<&str>, code: Option<&str>) -> Value {
    json!({ "error": { "message": message, "type": kind, "param": param, "code": code } })
}

/// A 429. `told` says where it gives the time to wait.
pub(crate) fn rate_limited(wait_seconds: f64, told: WaitHint) -> Response {
    let mut message = "Rate limit reached for this endpoint.".to_owned();
    if told == WaitHint::Message {
        // The wording of the real service, as recorded.
        message.push_str(&format!(" Please try again after {wait_seconds:.1} seconds."));
    }
    let mut response = api_error(StatusCode::TOO_MANY_REQUESTS, &message, None, Some("rate_limit_exceeded"));
    if told == WaitHint::Header {
        retry_after(&mut response, wait_seconds.ceil().max(1.0) as u32);
    }
    response
}

/// An error, as a proxy would answer it.
pub(crate) fn status(status: u16, body: FaultBody, retry_after_seconds: Option<u32>) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let reason = status.canonical_reason().unwrap_or("Error");
    let mut response = match body {
        FaultBody::Json => api_error(status, &format!("{reason}: injected by the emulator."), None, None),
        FaultBody::Html => {
            let page = format!(
                "<html>\r\n<head><title>{code} {reason}</title></head>\r\n<body>\r\n<center><h1>{code} {reason}</h1></center>\r\n</body>\r\n</html>\r\n",
                code = status.as_u16()
            );
            with_body(status, "text/html", page)
        }
        FaultBody::Text => with_body(status, "text/plain; charset=utf-8", reason.to_lowercase()),
        FaultBody::Empty => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = status;
            response
        }
    };
    if let Some(seconds) = retry_after_seconds {
        retry_after(&mut response, seconds);
    }
    response
}

/// The same response, cut off after the first bytes of its body.
pub(crate) fn truncated(response: Response, body: Bytes, bytes: Option<u32>) -> Response {
    let sent = bytes.map_or(body.len() / 2, |bytes| bytes as usize).min(body.len().saturating_sub(1));
    let (mut parts, _) = response.into_parts();
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    let broken = async {
        // Lets the first bytes be sent.
        tokio::task::yield_now().await;
        Err(std::io::Error::other("injected by the emulator"))
    };
    let begun = stream::iter([Ok(body.slice(..sent))]);
    Response::from_parts(parts, Body::from_stream(begun.chain(stream::once(broken))))
}

fn retry_after(response: &mut Response, seconds: u32) {
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
}

fn with_body(status: StatusCode, content_type: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
