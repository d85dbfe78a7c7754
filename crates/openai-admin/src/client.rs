//! The client: an operation in, its answer out.

mod group_users;
mod groups;
mod pages;
mod response;
mod transport;
mod users;

use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, Uri, header};
use http_body_util::Full;

use self::transport::{TowerTransport, Transport};
pub use self::{
    group_users::GroupUsersApi,
    groups::GroupsApi,
    pages::{Items, ListCall, Pages},
    response::Response,
    users::UsersApi,
};
use crate::{DEFAULT_BASE_URL, Endpoint, Error, wire};

/// How long a call may take, unless the builder says otherwise.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(30);
/// The largest answer that is read, in bytes: far over the largest page, which holds 1000 users.
pub const ANSWER_BYTES_MAX: usize = 32 * 1024 * 1024;

/// A client of one organization's administration API.
///
/// Cheap to clone: clones share connections and settings.
///
/// ```
/// # #[cfg(feature = "rustls")] {
/// let client = openai_admin::Client::builder().key("sk-admin-…").base_url("http://127.0.0.1:8080/v1").build()?;
/// # let _ = client; }
/// # Ok::<(), openai_admin::Error>(())
/// ```
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    transport: Box<dyn Transport>,
    /// Scheme, host and port.
    origin: http::uri::Parts,
    /// The path of the base URL, without its last slash.
    base_path: String,
    authorization: Option<HeaderValue>,
    timeout: Duration,
}

impl Client {
    /// A client of the public API with an admin key.
    ///
    /// # Errors
    ///
    /// When the key cannot stand in a header.
    #[cfg(feature = "rustls")]
    pub fn new(key: impl AsRef<str>) -> Result<Self, Error> {
        Self::builder().key(key).build()
    }

    /// Says more than a key: another base URL, another timeout, another transport.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// Sends a request of any operation and reads its answer.
    ///
    /// # Errors
    ///
    /// See [`Error`]: its kind says whether the service refused, could not be reached, or said something else.
    pub async fn send<E: Endpoint>(&self, request: &E) -> Result<Response<E::Response>, Error> {
        self.exchange(request).await.map_err(Error::of::<E>)
    }

    async fn exchange<E: Endpoint>(&self, request: &E) -> Result<Response<E::Response>, Error> {
        let request = self.encode(request)?;
        let timeout = self.0.timeout;
        let exchange = self.0.transport.exchange(request, ANSWER_BYTES_MAX);
        let (parts, body) = match tokio::time::timeout(timeout, exchange).await {
            Ok(answer) => answer?,
            Err(_) => return Err(Error::timeout(timeout)),
        };
        if !parts.status.is_success() {
            return Err(Error::refused(parts.status, parts.headers, body));
        }
        match serde_json::from_slice(&body) {
            Ok(model) => Ok(Response::new(model, parts.status, parts.headers)),
            // Only an unreadable answer pays for the second reading, which finds the place of the fault.
            Err(_) => {
                let deserializer = &mut serde_json::Deserializer::from_slice(&body);
                let problem = match serde_path_to_error::deserialize::<_, E::Response>(deserializer) {
                    Err(error) => error.to_string(),
                    Ok(_) => "something follows the JSON document".to_owned(),
                };
                Err(Error::unreadable(parts.status, parts.headers, body, problem))
            }
        }
    }

    fn encode<E: Endpoint>(&self, request: &E) -> Result<http::Request<Full<Bytes>>, Error> {
        let mut target = String::with_capacity(self.0.base_path.len() + 128);
        target.push_str(&self.0.base_path);
        let body = wire::encode(request, &mut target)?;

        let mut uri = http::uri::Parts::default();
        uri.scheme = self.0.origin.scheme.clone();
        uri.authority = self.0.origin.authority.clone();
        uri.path_and_query = Some(
            http::uri::PathAndQuery::from_maybe_shared(Bytes::from(target))
                .map_err(|_| Error::invalid_request("the request is too long for a URL"))?,
        );
        let uri = Uri::from_parts(uri).map_err(|error| Error::invalid_request(error.to_string()))?;

        let has_body = body.is_some();
        let mut http_request = http::Request::new(Full::new(body.map(Bytes::from).unwrap_or_default()));
        *http_request.uri_mut() = uri;
        *http_request.method_mut() = match E::METHOD {
            crate::Method::Get => http::Method::GET,
            crate::Method::Post => http::Method::POST,
            crate::Method::Delete => http::Method::DELETE,
        };
        let headers = http_request.headers_mut();
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
        if has_body {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        if let Some(authorization) = &self.0.authorization {
            headers.insert(header::AUTHORIZATION, authorization.clone());
        }
        Ok(http_request)
    }
}

const USER_AGENT: &str = concat!("openai-admin/", env!("CARGO_PKG_VERSION"));

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("host", &self.0.origin.authority)
            .field("base_path", &self.0.base_path)
            .field("has_key", &self.0.authorization.is_some())
            .finish_non_exhaustive()
    }
}

/// Builds a [`Client`].
#[must_use]
pub struct ClientBuilder {
    key: Option<String>,
    base_url: String,
    timeout: Duration,
    transport: Option<Box<dyn Transport>>,
}

impl Default for ClientBuilder {
    fn default() -> Self {
        Self { key: None, base_url: DEFAULT_BASE_URL.to_owned(), timeout: CALL_TIMEOUT, transport: None }
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("base_url", &self.base_url)
            .field("has_key", &self.key.is_some())
            .finish_non_exhaustive()
    }
}

impl ClientBuilder {
    /// The admin key.
    pub fn key(mut self, key: impl AsRef<str>) -> Self {
        self.key = Some(key.as_ref().to_owned());
        self
    }

    /// Where the API lives: `https://api.openai.com/v1` by default.
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = base_url.into();
        self
    }

    /// How long a call may take, from its start to the last byte of its answer: 30 seconds by default.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sends requests through a service of your own: a stack with other layers, a test double, a server's router.
    pub fn service<S, B>(mut self, service: S) -> Self
    where
        S: tower::Service<http::Request<Full<Bytes>>, Response = http::Response<B>>
            + Clone
            + Send
            + Sync
            + 'static,
        S::Error: Into<error::BoxError>,
        S::Future: Send,
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<error::BoxError>,
    {
        self.transport = Some(Box::new(TowerTransport(service)));
        self
    }

    /// Builds the client; connects to nothing yet.
    ///
    /// # Errors
    ///
    /// When the base URL is none, when the key cannot stand in a header, when a key would travel over plain http
    /// to another machine, or when there is no transport (without the feature `rustls`).
    pub fn build(self) -> Result<Client, Error> {
        let uri: Uri = self.base_url.parse().map_err(|error| {
            Error::invalid_request(format!("the base URL {:?} is not a URL: {error}", self.base_url))
        })?;
        let base_path = uri.path().trim_end_matches('/').to_owned();
        let origin = uri.into_parts();
        let (Some(scheme), Some(authority)) = (&origin.scheme, &origin.authority) else {
            let problem =
                format!("the base URL {:?} has no scheme or host: write https://host/v1", self.base_url);
            return Err(Error::invalid_request(problem));
        };
        let in_clear = scheme != &http::uri::Scheme::HTTPS && !is_loopback(authority.host());
        if in_clear && self.key.is_some() && self.transport.is_none() {
            return Err(Error::invalid_request(format!(
                "the key would travel unencrypted to {}: use https",
                authority.host()
            )));
        }
        let authorization = self.key.as_deref().map(authorization).transpose()?;
        let transport = match self.transport {
            Some(transport) => transport,
            None => transport::default()?,
        };
        Ok(Client(Arc::new(Inner { transport, origin, base_path, authorization, timeout: self.timeout })))
    }
}

fn authorization(key: &str) -> Result<HeaderValue, Error> {
    let key = key.trim();
    let value = HeaderValue::try_from(format!("Bearer {key}"));
    match value {
        Ok(mut value) if !key.is_empty() => {
            value.set_sensitive(true);
            Ok(value)
        }
        _ => Err(Error::invalid_request("the key is empty or has characters that cannot stand in a header")),
    }
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

use crate::error;

#[cfg(all(test, feature = "rustls"))]
mod tests {
    use super::*;

    #[test]
    fn a_key_never_travels_unencrypted_to_another_machine() {
        let build = |url: &str| Client::builder().key("sk-admin-1").base_url(url).build();
        assert!(build("http://127.0.0.1:8080/v1").is_ok());
        assert!(build("http://[::1]:8080/v1").is_ok());
        assert!(build("http://localhost/v1").is_ok());
        assert!(build("https://example.com").is_ok());
        let error = build("http://example.com/v1").expect_err("plain http");
        assert_eq!(error.to_string(), "the key would travel unencrypted to example.com: use https");
        assert!(build("http://127.0.0.1.example.com/v1").is_err());
        assert!(build("example.com/v1").is_err());
    }

    #[test]
    fn debug_never_shows_the_key() {
        let builder = Client::builder().key("sk-admin-secret");
        assert!(!format!("{builder:?}").contains("secret"));
        assert!(!format!("{:?}", builder.build().expect("a client")).contains("secret"));
    }
}
