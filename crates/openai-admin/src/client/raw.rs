//! Requests that no declaration describes yet: what the service answers, as a tree.

use bytes::Bytes;
use http::Uri;
use serde_json::Value;

use super::{Client, Response, Shared, call::idempotency_key};
use crate::{Error, Method};

/// A request in the service's own words: for what has no type in this version.
///
/// Prefer the typed operations where there is one: they check what they send and what comes back, and are sent again
/// where that may help. [`Client::send_raw`] sends this once.
#[derive(Clone)]
#[must_use]
pub struct RawRequest {
    method: Method,
    path: String,
    query: Vec<(String, String)>,
    body: Option<Bytes>,
}

// A path, a query and a body may name people.
impl std::fmt::Debug for RawRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RawRequest").field("method", &self.method).finish_non_exhaustive()
    }
}

impl RawRequest {
    /// A request of this path, which is below the base URL: `/organization/projects`. The base URL's own path may
    /// stand before it, `/v1` too where the base URL ends so, and even the whole base URL.
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        Self { method, path: path.into(), query: Vec::new(), body: None }
    }

    /// A parameter of the query, which is escaped; may be repeated.
    pub fn query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.query.push((name.into(), value.into()));
        self
    }

    /// The body: JSON, which is sent as it is. Only a POST has one.
    pub fn body(mut self, json: impl Into<Bytes>) -> Self {
        self.body = Some(json.into());
        self
    }

    /// The path and the query as they stand on the wire.
    fn target(&self, shared: &Shared) -> Result<String, Error> {
        let refuse = |problem: &str| Error::invalid_request(format!("the path {problem}"));
        // What stands for nothing on the wire would change the request unseen.
        if !self.path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#') {
            return Err(refuse("has characters that must be escaped, such as a space as %20"));
        }
        let mut target = if self.path.contains("://") && !self.path.starts_with('/') {
            // A key goes to its own service and to nobody else.
            let uri: Uri = self.path.parse().map_err(|_| refuse("is no URL"))?;
            if uri.scheme() != Some(&shared.scheme) || uri.authority() != Some(&shared.authority) {
                return Err(refuse("is a URL of another service than the base URL's"));
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

/// A path without what the base URL says already.
fn below<'a>(path: &'a str, base_path: &str) -> &'a str {
    let version = base_path.rsplit('/').next().unwrap_or_default();
    let without = |prefix: &str| path.strip_prefix(prefix)?.strip_prefix('/');
    let said = [base_path, version].into_iter().filter(|prefix| !prefix.is_empty());
    said.into_iter().find_map(without).unwrap_or(path)
}

impl Client {
    /// Sends a request that no operation describes, once, and reads its answer as a tree: null when it has no body.
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
    /// See [`Error`]: before anything is sent when the path cannot be sent or is a URL of another service, or when
    /// something other than a POST has a body; when the answer is no success, or no JSON.
    pub async fn send_raw(&self, request: &RawRequest) -> Result<Response<Value>, Error> {
        if request.body.is_some() && request.method != Method::Post {
            return Err(Error::invalid_request(format!("a {} has no body", request.method)));
        }
        let key = (request.method == Method::Post).then(idempotency_key);
        let body = request.body.clone().unwrap_or_default();
        let uri = self.uri(request.target(&self.shared)?)?;
        let encoded = self.request_of(request.method, uri, body, key.as_ref());
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
