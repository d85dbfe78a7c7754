//! Requests without a declared operation. The answer is a JSON tree.

use bytes::Bytes;
use http::{HeaderValue, Uri, header};
use serde_json::Value;

use super::{Client, Response, Shared, call::idempotency_key};
use crate::{Error, Method};

/// An untyped request, for operations that this version does not declare.
///
/// Prefer typed operations if they exist: they check requests and answers, and are retried if that is safe.
/// [`Client::send_raw`] sends a request only once.
#[derive(Clone)]
#[must_use]
pub struct RawRequest {
    method: Method,
    path: String,
    query: Vec<(String, String)>,
    body: Option<Bytes>,
}

// A path, a query and a body may contain personal data.
impl std::fmt::Debug for RawRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RawRequest").field("method", &self.method).finish_non_exhaustive()
    }
}

impl RawRequest {
    /// A request of this path, relative to the base URL: `/organization/projects`. The path of the base URL (such as
    /// `/v1`) or the whole base URL may precede it.
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        Self { method, path: path.into(), query: Vec::new(), body: None }
    }

    /// Adds a query parameter, which is escaped. May be repeated.
    pub fn query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.query.push((name.into(), value.into()));
        self
    }

    /// The body, as JSON. Only POST and PUT requests have a body.
    pub fn body(mut self, json: impl Into<Bytes>) -> Self {
        self.body = Some(json.into());
        self
    }

    /// The path and the query, as sent.
    fn target(&self, shared: &Shared) -> Result<String, Error> {
        let refuse = |problem: &str| Error::invalid_request(format!("the path {problem}"));
        // Such characters would silently change the request.
        if !self.path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#') {
            return Err(refuse("has characters that must be escaped, such as a space as %20"));
        }
        let mut target = if self.path.contains("://") && !self.path.starts_with('/') {
            // The key must only be sent to its own service.
            let uri: Uri = self.path.parse().map_err(|_| refuse("is not a valid URL"))?;
            if uri.scheme() != Some(&shared.scheme) || uri.authority() != Some(&shared.authority) {
                return Err(refuse("is a URL of another service than the base URL"));
            }
            uri.path_and_query().map(ToString::to_string).unwrap_or_default()
        } else {
            let path = self.path.trim_start_matches('/');
            let below = below(path, shared.base_path.trim_start_matches('/'));
            format!("{}/{below}", shared.base_path)
        };
        if !self.query.is_empty() {
            target.push(if target.contains('?') { '&' } else { '?' });
            let mut query = form_urlencoded::Serializer::new(String::new());
            target += &query.extend_pairs(&self.query).finish();
        }
        Ok(target)
    }
}

/// A path without the prefix that the base URL already contains.
fn below<'a>(path: &'a str, base_path: &str) -> &'a str {
    let version = base_path.rsplit('/').next().unwrap_or_default();
    let without = |prefix: &str| path.strip_prefix(prefix)?.strip_prefix('/');
    let said = [base_path, version].into_iter().filter(|prefix| !prefix.is_empty());
    said.into_iter().find_map(without).unwrap_or(path)
}

impl Client {
    /// Sends an untyped request once. The answer is a JSON tree, or null if it has no body.
    ///
    /// ```
    /// # openai_admin_server::testing::example(async |client| {
    /// use openai_admin::{Method, client::RawRequest};
    /// let request = RawRequest::new(Method::Get, "/organization/groups").query("limit", "1");
    /// let answer = client.send_raw(&request).await?;
    /// assert_eq!(answer["data"][0]["name"], "Support");
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    ///
    /// See [`Error`]. Nothing is sent if the path is invalid or a URL of another service, or if a GET or
    /// DELETE request has a body. Also fails if the status is not a success, or if the answer is not JSON.
    pub async fn send_raw(&self, request: &RawRequest) -> Result<Response<Value>, Error> {
        if request.body.is_some() && !matches!(request.method, Method::Post | Method::Put) {
            return Err(Error::invalid_request(format!("a {} request cannot have a body", request.method)));
        }
        let key = (request.method == Method::Post).then(idempotency_key);
        let body = request.body.clone().unwrap_or_default();
        let uri = self.uri(request.target(&self.shared)?)?;
        let mut encoded = self.request_of(request.method, uri, body, key.as_ref());
        if request.method == Method::Put {
            let json = HeaderValue::from_static("application/json");
            encoded.headers_mut().insert(header::CONTENT_TYPE, json);
        }
        let timeout = self.options.attempt_timeout.min(self.options.timeout);
        let answered = self.exchange(encoded, timeout).await;
        let (parts, body) = answered.map_err(Error::after_one_attempt)?;
        let tree = if body.is_empty() { Ok(Value::Null) } else { serde_json::from_slice(&body) };
        match tree {
            Ok(tree) => Ok(Response::new(tree, parts.status, parts.headers, body)),
            Err(_) => {
                let problem = "it is not JSON".to_owned();
                Err(Error::unreadable(parts.status, parts.headers, body, problem).after_one_attempt())
            }
        }
    }
}
