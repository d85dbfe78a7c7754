use std::{ops::Deref, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde_json::Value;

/// An answer: the model, with status and headers.
///
/// It dereferences to the model, so its fields are directly accessible.
#[derive(Clone)]
pub struct Response<T> {
    model: T,
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl<T: std::fmt::Debug> std::fmt::Debug for Response<T> {
    // The body may contain personal data, which the model redacts.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Response")
            .field("model", &self.model)
            .field("status", &self.status)
            .field("request_id", &self.request_id())
            .finish_non_exhaustive()
    }
}

/// The rate limit in the headers of an answer. The real service rarely sends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateLimit {
    /// The limit of requests in a window.
    pub limit: Option<u64>,
    /// The remaining requests.
    pub remaining: Option<u64>,
    /// The time until the window resets.
    pub resets_in: Option<Duration>,
}

impl<T> Response<T> {
    pub(crate) fn new(model: T, status: StatusCode, headers: HeaderMap, body: Bytes) -> Self {
        Self { model, status, headers, body }
    }

    /// The model, without status and headers.
    pub fn into_inner(self) -> T {
        self.model
    }

    /// The status, which is always a success.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers of the answer.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The raw body of the answer.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The body as a JSON tree, including fields that this version does not know.
    pub fn json(&self) -> Value {
        // It was decoded as the model, so it is JSON.
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The id of the request for the service's support and logs.
    pub fn request_id(&self) -> Option<&str> {
        self.text("x-request-id")
    }

    /// The rate limit in the headers.
    pub fn rate_limit(&self) -> RateLimit {
        let number = |name: &str| self.text(name)?.parse().ok();
        let resets_in = self.text("x-ratelimit-reset-requests").and_then(|text| {
            let text = format!("try again in {text}");
            super::asked_pause(&HeaderMap::new(), &text, 0)
        });
        RateLimit {
            limit: number("x-ratelimit-limit-requests"),
            remaining: number("x-ratelimit-remaining-requests"),
            resets_in,
        }
    }

    fn text(&self, header: &str) -> Option<&str> {
        self.headers.get(header)?.to_str().ok()
    }
}

impl<T> Deref for Response<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.model
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_limit_headers_of_the_service_are_parsed() {
        let mut headers = HeaderMap::new();
        headers.insert("x-ratelimit-limit-requests", "60".parse().expect("a value"));
        headers.insert("x-ratelimit-remaining-requests", "59".parse().expect("a value"));
        headers.insert("x-ratelimit-reset-requests", "1m0s".parse().expect("a value"));
        let response = Response::new((), StatusCode::OK, headers, Bytes::new());
        let expected =
            RateLimit { limit: Some(60), remaining: Some(59), resets_in: Some(Duration::from_secs(60)) };
        assert_eq!(response.rate_limit(), expected);
    }
}
