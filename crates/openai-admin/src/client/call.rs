//! One call: its attempts, the pauses between them, and its spans.
//!
//! Nothing here is generic: all operations share one copy of this code.

use std::{
    hash::{BuildHasher, Hasher},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderValue, StatusCode, Uri, response::Parts};
use tokio::time::Instant;
use tracing::{Instrument, field};

use super::{
    ANSWER_BYTES_MAX, Client, IDEMPOTENCY_KEY, RequestBody,
    retry::{Situation, pause_before_retry, unix_seconds},
};
use crate::{Error, Method, endpoint::Operation, hexadecimal::two_digits};

/// The target of the spans and events, which users of the library filter by.
const TARGET: &str = "openai_admin::client";

/// Encodes the request of an attempt. It carries the idempotency key of the call, if that has one.
pub(super) type Encode<'a> =
    &'a (dyn Fn(Option<&HeaderValue>) -> Result<http::Request<RequestBody>, Error> + Sync);
/// Decodes a success and keeps it.
pub(super) type Accept<'a> = &'a mut (dyn FnMut(Parts, Bytes) -> Result<(), Error> + Send);

impl Client {
    /// Sends a request until it succeeds or no retry is left.
    pub(super) async fn call(
        &self,
        operation: Operation,
        encode: Encode<'_>,
        accept: Accept<'_>,
    ) -> Result<StatusCode, Error> {
        let span = tracing::debug_span!(
            target: TARGET,
            "call",
            otel.name = operation.id,
            otel.kind = "client",
            http.request.method = operation.method.as_str(),
            url.template = operation.path,
            server.address = self.shared.authority.host(),
            server.port = self.shared.authority.port_u16(),
            http.response.status_code = field::Empty,
            error.r#type = field::Empty,
        );
        if span.is_disabled() {
            return self.call_with_retries(operation, encode, accept).await;
        }
        async {
            let result = self.call_with_retries(operation, encode, accept).await;
            let span = tracing::Span::current();
            match &result {
                Ok(status) => {
                    span.record("http.response.status_code", status.as_u16());
                }
                Err(error) => {
                    span.record("http.response.status_code", error.status().map(|status| status.as_u16()));
                    span.record("error.type", error.kind().as_str());
                }
            }
            result
        }
        .instrument(span)
        .await
    }

    #[expect(clippy::disallowed_methods, reason = "tokio's clock, which tests set")]
    async fn call_with_retries(
        &self,
        operation: Operation,
        encode: Encode<'_>,
        accept: Accept<'_>,
    ) -> Result<StatusCode, Error> {
        let begun = Instant::now();
        // All attempts carry one key, so that a service that supports keys performs a repeated POST once.
        let idempotency_key = match operation.method {
            Method::Post => Some(idempotency_key()),
            Method::Get | Method::Put | Method::Delete => None,
        };
        let mut retries_made = 0;
        let mut may_have_happened = false;
        loop {
            let left = self.options.timeout.saturating_sub(begun.elapsed());
            let span =
                tracing::debug_span!(target: TARGET, "attempt", http.request.resend_count = retries_made);
            let request = encode(idempotency_key.as_ref());
            let attempt = self.attempt(request, accept, left).instrument(span);
            let mut error = match attempt.await {
                Ok(status) => {
                    self.shared.budget.give_back();
                    return Ok(status);
                }
                Err(error) => error,
            };
            error.describe(operation, retries_made + 1, begun.elapsed(), may_have_happened);
            let is_retry_left = retries_made < self.options.retries_max;
            let policy = &self.shared.retry_policy;
            let situation = Situation {
                decided: is_retry_left.then(|| policy.decide(&error, operation.idempotent)).flatten(),
                pauses: policy.pauses_of_call(),
                idempotent: operation.idempotent,
                retries_made,
                retries_max: self.options.retries_max,
                unix_seconds: unix_seconds(),
                random: random_u64() as f64 / u64::MAX as f64,
            };
            let pause = error.outcome().and_then(|outcome| pause_before_retry(outcome, situation));
            // A pause longer than the time left would only delay the failure.
            let pause = pause.filter(|pause| begun.elapsed().saturating_add(*pause) < self.options.timeout);
            match pause {
                Some(pause) if self.shared.budget.take() => {
                    may_have_happened |= error.may_have_happened();
                    retries_made += 1;
                    tracing::debug!(target: TARGET, { http.request.resend_count = retries_made, ?pause }, "retrying the call");
                    tokio::time::sleep(pause).await;
                }
                _ => return Err(error),
            }
        }
    }

    async fn attempt(
        &self,
        request: Result<http::Request<RequestBody>, Error>,
        accept: Accept<'_>,
        left: Duration,
    ) -> Result<StatusCode, Error> {
        let (parts, body) = self.exchange(request?, self.options.attempt_timeout.min(left)).await?;
        let status = parts.status;
        accept(parts, body).map(|()| status)
    }

    /// Sends a request once and reads the body of a success.
    pub(super) async fn exchange(
        &self,
        request: http::Request<RequestBody>,
        timeout: Duration,
    ) -> Result<(Parts, Bytes), Error> {
        let exchange = self.shared.transport.exchange(request, ANSWER_BYTES_MAX);
        let (parts, body) = match tokio::time::timeout(timeout, exchange).await {
            Ok(answer) => answer?,
            Err(_) => return Err(Error::timeout(timeout)),
        };
        if !parts.status.is_success() {
            return Err(Error::refused(parts.status, parts.headers, body));
        }
        Ok((parts, body))
    }

    /// A request with the headers that every request carries.
    pub(super) fn request_of(
        &self,
        method: Method,
        uri: Uri,
        body: Bytes,
        idempotency_key: Option<&HeaderValue>,
    ) -> http::Request<RequestBody> {
        let mut headers = match method {
            Method::Post => self.shared.headers_of_post.clone(),
            Method::Get | Method::Put | Method::Delete => self.shared.headers.clone(),
        };
        // The builder reserves an empty value for the key. A key that the user set is kept.
        if let (Some(key), Some(place)) = (idempotency_key, headers.get_mut(&IDEMPOTENCY_KEY))
            && place.is_empty()
        {
            *place = key.clone();
        }
        let mut request = http::Request::new(RequestBody::new(body));
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        *request.method_mut() = match method {
            Method::Get => http::Method::GET,
            Method::Post => http::Method::POST,
            Method::Put => http::Method::PUT,
            Method::Delete => http::Method::DELETE,
        };
        request
    }
}

/// `openai-admin-` and 32 hexadecimal digits.
pub(super) fn idempotency_key() -> HeaderValue {
    let mut key = *b"openai-admin-00000000000000000000000000000000";
    let (_, digits) = key.split_at_mut("openai-admin-".len());
    let random = (u128::from(random_u64()) << 64) | u128::from(random_u64());
    let (pairs, _) = digits.as_chunks_mut();
    for (pair, byte) in pairs.iter_mut().zip(random.to_be_bytes()) {
        *pair = two_digits(byte);
    }
    HeaderValue::from_bytes(&key).unwrap_or_else(|_| HeaderValue::from_static("openai-admin"))
}

/// A random number from the standard library, whose hash keys the operating system seeds: enough to tell calls apart
/// and to spread retries, without another dependency.
fn random_u64() -> u64 {
    std::hash::RandomState::new().build_hasher().finish()
}
