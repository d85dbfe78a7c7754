use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Uri, header, uri};

use super::{
    CONNECT_TIMEOUT, Client, IDEMPOTENCY_KEY, Options, RequestBody, Shared,
    retry::Budget,
    retry_policy::RetryPolicy,
    transport::{self, Connections, TowerTransport, Transport},
};
use crate::{DEFAULT_BASE_URL, Error, OrganizationId, error::BoxError};

const USER_AGENT: &str = concat!("openai-admin/", env!("CARGO_PKG_VERSION"));
const ORGANIZATION: HeaderName = HeaderName::from_static("openai-organization");
const PROJECT: HeaderName = HeaderName::from_static("openai-project");

/// Builds a [`Client`].
#[must_use]
pub struct ClientBuilder {
    key: Option<String>,
    base_url: String,
    headers: Vec<(String, String)>,
    options: Options,
    retry_policy: RetryPolicy,
    strict: bool,
    connections: Connections,
    transport: Option<Box<dyn Transport>>,
}

impl Default for ClientBuilder {
    fn default() -> Self {
        Self {
            key: None,
            base_url: DEFAULT_BASE_URL.to_owned(),
            headers: Vec::new(),
            options: Options::default(),
            retry_policy: RetryPolicy::default(),
            strict: false,
            connections: Connections { connect_timeout: CONNECT_TIMEOUT, ..Connections::default() },
            transport: None,
        }
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("base_url", &without_user(&self.base_url))
            .field("has_key", &self.key.is_some())
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl ClientBuilder {
    /// The admin key.
    pub fn key(mut self, key: impl AsRef<str>) -> Self {
        self.key = Some(key.as_ref().to_owned());
        self
    }

    /// The base URL of the API. Default: `https://api.openai.com/v1`.
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = base_url.into();
        self
    }

    /// The organization, for keys with access to several.
    pub fn organization(self, organization: &OrganizationId) -> Self {
        self.header(ORGANIZATION.as_str(), organization.as_str())
    }

    /// The project, for keys with access to several.
    pub fn project(self, project: impl Into<String>) -> Self {
        self.header(PROJECT.as_str(), project)
    }

    /// A header of every request. Replaces a default header of the same name.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The `User-Agent`. Default: `openai-admin/VERSION`.
    pub fn user_agent(self, user_agent: impl Into<String>) -> Self {
        self.header(header::USER_AGENT.as_str(), user_agent)
    }

    /// The timeout of a call with all its attempts and pauses. Default: 120 s.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = timeout;
        self
    }

    /// The timeout of an attempt, to the last byte of the answer. Default: 30 s.
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.options.attempt_timeout = timeout;
        self
    }

    /// The timeout of connecting. Default: 5 s.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connections.connect_timeout = timeout;
        self
    }

    /// The maximum number of retries of a call. Default: 2.
    pub fn retries(mut self, retries_max: u32) -> Self {
        self.options.retries_max = retries_max;
        self
    }

    /// How failed calls are retried. Sets [`retries`](Self::retries) to the policy's attempts, less one.
    pub fn retry_policy(mut self, policy: RetryPolicy) -> Self {
        self.options.retries_max = policy.retries_max();
        self.retry_policy = policy;
        self
    }

    /// Refuses answers with a field or an enum value that this version does not know, for tests that should find
    /// changes of the API. A null field counts as absent.
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// The maximum number of idle connections. Default: unlimited.
    pub fn idle_connections(mut self, connections_max: usize) -> Self {
        self.connections.idle_max = Some(connections_max);
        self
    }

    /// Uses HTTP/2 if the service supports it.
    #[cfg(feature = "http2")]
    pub fn http2(mut self) -> Self {
        self.connections.http2 = true;
        self
    }

    /// Connects through an HTTP proxy, such as `http://user:password@proxy.example:3128`.
    #[cfg(feature = "rustls")]
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.connections.proxy = Some(url.into());
        self
    }

    /// Hosts to connect to without the proxy, in the format of `NO_PROXY`: `localhost,.example.com`.
    #[cfg(feature = "rustls")]
    pub fn no_proxy(mut self, hosts: impl Into<String>) -> Self {
        self.connections.no_proxy = hosts.into();
        self
    }

    /// Trusts only these certificates, in PEM format, for a gateway with a private certificate authority.
    #[cfg(feature = "rustls")]
    pub fn root_certificates_pem(mut self, pem: impl AsRef<[u8]>) -> Self {
        self.connections.roots_pem = Some(pem.as_ref().to_vec());
        self
    }

    /// Sends a client certificate (mutual TLS): its chain and its key, in PEM format.
    #[cfg(feature = "rustls")]
    pub fn identity_pem(mut self, chain: impl AsRef<[u8]>, key: impl AsRef<[u8]>) -> Self {
        self.connections.identity_pem = Some((chain.as_ref().to_vec(), key.as_ref().to_vec()));
        self
    }

    /// Sends requests through a custom service: a stack of layers, a test double, or a server's router.
    ///
    /// Settings of connections have no effect then. The service receives the key with every request, so it is
    /// responsible for a secure transport.
    pub fn service<S, B>(mut self, service: S) -> Self
    where
        S: tower_service::Service<http::Request<RequestBody>, Response = http::Response<B>>
            + Clone
            + Send
            + Sync
            + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send,
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        self.transport = Some(Box::new(TowerTransport(service)));
        self
    }

    /// Builds the client. Does not connect yet.
    ///
    /// # Errors
    ///
    /// If the base URL is invalid, if the key or a header has invalid characters, if a key would be sent over plain
    /// HTTP to another machine, if a certificate is invalid, or if there is no transport (without `rustls`).
    pub fn build(self) -> Result<Client, Error> {
        let (scheme, authority, base_path) = parse_base_url(&self.base_url)?;
        let encrypted = scheme == uri::Scheme::HTTPS;
        let mut headers = headers(self.key.as_deref(), &self.headers)?;
        let unsafe_way = !encrypted && self.transport.is_none() && !is_loopback(authority.host());
        // Custom headers may also be credentials.
        if unsafe_way && (headers.contains_key(header::AUTHORIZATION) || !self.headers.is_empty()) {
            let host = authority.host();
            let problem = format!("the key or other headers would be sent unencrypted to {host}: use https");
            return Err(Error::invalid_request(problem));
        }
        // Every HTTP/1 request has a Host header. Set here, so that hyper does not format it for each request.
        if self.transport.is_none() && !self.connections.may_speak_http2() {
            let is_default_port = authority.port_u16() == Some(if encrypted { 443 } else { 80 });
            let host = if is_default_port { authority.host() } else { authority.as_str() };
            let host = HeaderValue::try_from(host)
                .map_err(|_| Error::invalid_request("the host of the base URL is not valid in a header"))?;
            headers.entry(header::HOST).or_insert(host);
        }
        let mut headers_of_post = headers.clone();
        let json = HeaderValue::from_static("application/json");
        headers_of_post.entry(header::CONTENT_TYPE).or_insert(json);
        headers_of_post.entry(IDEMPOTENCY_KEY).or_insert(HeaderValue::from_static(""));
        let transport = match self.transport {
            Some(transport) => transport,
            None => transport::connect(encrypted, authority.host(), self.connections)?,
        };
        let shared = Shared {
            transport,
            scheme,
            authority,
            base_path,
            headers,
            headers_of_post,
            strict: self.strict,
            budget: Budget::new(self.retry_policy.budget_retries()),
            retry_policy: self.retry_policy,
        };
        Ok(Client { shared: Arc::new(shared), options: self.options })
    }
}

fn parse_base_url(base_url: &str) -> Result<(uri::Scheme, uri::Authority, String), Error> {
    let refuse = |problem: String| {
        Error::invalid_request(format!("the base URL {:?} {problem}", without_user(base_url)))
    };
    let base_url = base_url.trim();
    if !base_url.contains("://") && base_url.contains(['.', ':']) {
        // A host and a port without a scheme.
        let is_local = ["localhost", "127.", "[::1]"].iter().any(|host| base_url.starts_with(host));
        let scheme = if is_local { "http" } else { "https" };
        let path = if base_url.contains('/') { "" } else { "/v1" };
        return Err(refuse(format!("has no scheme: use {scheme}://{}{path}", without_user(base_url))));
    }
    let uri: Uri = base_url.parse().map_err(|error| refuse(format!("is not a URL: {error}")))?;
    if uri.query().is_some() {
        return Err(refuse("has a query: use a URL without one, such as https://host/v1".to_owned()));
    }
    let base_path = uri.path().trim_end_matches('/').to_owned();
    let parts = uri.into_parts();
    let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else {
        return Err(refuse("has no scheme or host: use a URL such as https://host/v1".to_owned()));
    };
    if scheme != uri::Scheme::HTTPS && scheme != uri::Scheme::HTTP {
        return Err(refuse("must start with http:// or https://".to_owned()));
    }
    if authority.as_str().contains('@') {
        return Err(refuse("has a user name: the key is sent in a header instead".to_owned()));
    }
    Ok((scheme, authority, base_path))
}

/// The URL without its user and password, for messages.
fn without_user(url: &str) -> String {
    match (url.find("://"), url.rfind('@')) {
        (Some(scheme), Some(at)) if scheme < at => format!("{}…{}", &url[..scheme + 3], &url[at..]),
        _ => url.to_owned(),
    }
}

fn headers(key: Option<&str>, own: &[(String, String)]) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
    if let Some(key) = key {
        headers.insert(header::AUTHORIZATION, authorization(key)?);
    }
    for (name, value) in own {
        let name = HeaderName::try_from(name.as_str())
            .map_err(|_| Error::invalid_request(format!("invalid header name {name:?}")))?;
        let mut value = HeaderValue::try_from(value.as_str())
            .map_err(|_| Error::invalid_request(format!("the header {name} has an invalid value")))?;
        // Custom headers may contain secrets.
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}

fn authorization(key: &str) -> Result<HeaderValue, Error> {
    let key = key.trim();
    match HeaderValue::try_from(format!("Bearer {key}")) {
        Ok(mut value) if !key.is_empty() && value.to_str().is_ok() => {
            value.set_sensitive(true);
            Ok(value)
        }
        _ => Err(Error::invalid_request("the key is empty or has characters that are not valid in a header")),
    }
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(all(test, feature = "rustls"))]
mod tests {
    use super::*;

    fn build(url: &str) -> Result<Client, Error> {
        Client::builder().key("sk-admin-secret").base_url(url).build()
    }

    #[test]
    fn a_key_is_never_sent_unencrypted_to_another_machine() {
        for good in
            ["http://127.0.0.1:8080/v1", "http://[::1]:8080/v1", "http://localhost/v1", "https://example.com"]
        {
            assert!(build(good).is_ok(), "{good}");
        }
        let error = build("http://example.com/v1").expect_err("plain http");
        assert_eq!(
            error.to_string(),
            "the key or other headers would be sent unencrypted to example.com: use https"
        );
        assert!(build("http://127.0.0.1.example.com/v1").is_err());
        let by_header = Client::builder().header("authorization", "Bearer sk").base_url("http://example.com");
        assert!(by_header.build().is_err());
    }

    #[test]
    fn an_invalid_base_url_is_refused() {
        for bad in
            ["", "example.com/v1", "ftp://example.com", "https://", "https://h/v1?x=1", "https://ada:pw@h/v1"]
        {
            let error = build(bad).expect_err(bad);
            assert!(!error.was_sent() && !error.to_string().contains("pw"), "{error}");
        }
    }

    #[test]
    fn invalid_header_values_are_refused() {
        for bad in ["", "  ", "sk\nadmin", "sk-ключ"] {
            assert!(Client::builder().key(bad).build().is_err(), "{bad:?}");
        }
        assert!(Client::builder().header("a b", "c").build().is_err());
        assert!(Client::builder().header("a", "c\r\nd: e").build().is_err());
    }

    #[test]
    fn debug_never_shows_the_key() {
        let builder = Client::builder().key("sk-admin-secret").header("x-gateway", "secret");
        assert!(!format!("{builder:?}").contains("secret"));
        assert!(!format!("{:?}", builder.build().expect("a client")).contains("secret"));
    }

    #[test]
    fn a_base_url_without_a_scheme_is_refused_with_a_suggestion() {
        for (given, told) in [
            ("127.0.0.1:22002/v1", "use http://127.0.0.1:22002/v1"),
            ("localhost:8080/v1", "use http://localhost:8080/v1"),
            ("[::1]:8080/v1", "use http://[::1]:8080/v1"),
            ("gateway.example.com/v1", "use https://gateway.example.com/v1"),
            ("example.com", "use https://example.com/v1"),
            ("/v1", "use a URL such as https://host/v1"),
        ] {
            let error = parse_base_url(given).expect_err(given);
            assert!(error.message().ends_with(told), "{error}");
        }
        assert!(parse_base_url("http://[::1]:8080/v1").is_ok());
    }
}
