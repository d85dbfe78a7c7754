//! The client: an operation in, its answer out.

mod api;
mod audit_logs;
mod builder;
mod certificates;
mod config;
mod group_roles;
mod group_users;
mod groups;
mod invites;
mod pages;
mod project_api_keys;
mod project_certificates;
mod project_groups;
mod project_roles;
mod project_users;
mod projects;
mod raw;
mod request_body;
mod response;
mod retry;
mod roles;
mod service_accounts;
mod strict;
mod transport;
mod usage;
mod user_roles;
mod users;

use std::{
    fmt,
    hash::{BuildHasher, Hasher},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Uri, header, uri};
use tokio::time::Instant;
use tracing::{Instrument, field};

pub(crate) use self::retry::{Outcome, asked_pause, unix_seconds};
pub use self::{
    audit_logs::AuditLogsApi,
    builder::ClientBuilder,
    certificates::CertificatesApi,
    group_roles::GroupRolesApi,
    group_users::GroupUsersApi,
    groups::GroupsApi,
    invites::InvitesApi,
    pages::{Items, ListCall, Pages},
    project_api_keys::ProjectApiKeysApi,
    project_certificates::ProjectCertificatesApi,
    project_groups::ProjectGroupsApi,
    project_roles::ProjectRolesApi,
    project_users::ProjectUsersApi,
    projects::ProjectsApi,
    raw::RawRequest,
    request_body::RequestBody,
    response::{RateLimit, Response},
    retry::{ASKED_PAUSE_MAX, RETRIES_MAX},
    roles::RolesApi,
    service_accounts::ServiceAccountsApi,
    transport::NotConnected,
    usage::UsageApi,
    user_roles::UserRolesApi,
    users::UsersApi,
};
use self::{
    retry::{Budget, Situation, pause_before_retry},
    transport::Transport,
};
use crate::{Endpoint, Error, Method, hexadecimal::two_digits, json, wire};

/// How long making a connection may take, unless the builder says otherwise.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long one attempt may take, from its start to the last byte of its answer, unless the options say otherwise.
pub const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a call may take with all its attempts and pauses, unless the options say otherwise.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(120);
/// The largest answer that is read, in bytes: far over the largest page, which holds 1000 users.
pub const ANSWER_BYTES_MAX: usize = 32 * 1024 * 1024;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// A client of one organization's administration API.
///
/// Cheap to clone: clones share connections, settings and the budget of retries. [`with_retries`](Self::with_retries)
/// and its like return a clone with another setting, for one call or for many.
///
/// ```
/// # #[cfg(feature = "rustls")] {
/// use openai_admin::Client;
/// let client = Client::builder().key("sk-admin-123").base_url("http://127.0.0.1:8080/v1").build()?;
/// let impatient = client.with_retries(0).with_timeout(std::time::Duration::from_secs(2));
/// # let _ = impatient; }
/// # Ok::<(), openai_admin::Error>(())
/// ```
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
    options: Options,
}

/// What all clones share.
struct Shared {
    transport: Box<dyn Transport>,
    scheme: uri::Scheme,
    authority: uri::Authority,
    /// The path of the base URL, without its last slash.
    base_path: String,
    /// What every request carries.
    headers: HeaderMap,
    /// The same, the type of its body, and a place for its idempotency key, so that no call makes the map grow.
    headers_of_post: HeaderMap,
    strict: bool,
    budget: Budget,
}

/// What may differ from call to call.
#[derive(Clone, Copy, Debug)]
struct Options {
    retries_max: u32,
    attempt_timeout: Duration,
    timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { retries_max: RETRIES_MAX, attempt_timeout: ATTEMPT_TIMEOUT, timeout: CALL_TIMEOUT }
    }
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

    /// The same client with another number of retries: 2 by default, 0 for none.
    #[must_use]
    pub fn with_retries(&self, retries_max: u32) -> Self {
        Self { options: Options { retries_max, ..self.options }, ..self.clone() }
    }

    /// The same client with another limit for a whole call, retries and pauses included: 120 seconds by default.
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        Self { options: Options { timeout, ..self.options }, ..self.clone() }
    }

    /// The same client with another limit for each attempt: 30 seconds by default.
    #[must_use]
    pub fn with_attempt_timeout(&self, attempt_timeout: Duration) -> Self {
        Self { options: Options { attempt_timeout, ..self.options }, ..self.clone() }
    }

    /// Sends a request of any operation and reads its answer, and tries again where that may help and cannot harm.
    ///
    /// # Errors
    ///
    /// See [`Error`]: its kind says whether the service refused, could not be reached, or said something else.
    pub async fn send<E: Endpoint>(&self, request: &E) -> Result<Response<E::Response>, Error> {
        let span = tracing::debug_span!(
            "call",
            otel.name = E::ID,
            otel.kind = "client",
            http.request.method = E::METHOD.as_str(),
            url.template = E::PATH,
            server.address = self.shared.authority.host(),
            server.port = self.shared.authority.port_u16(),
            http.response.status_code = field::Empty,
            error.r#type = field::Empty,
        );
        if span.is_disabled() {
            return self.send_with_retries(request).await;
        }
        async {
            let result = self.send_with_retries(request).await;
            let span = tracing::Span::current();
            match &result {
                Ok(answer) => {
                    span.record("http.response.status_code", answer.status().as_u16());
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
    async fn send_with_retries<E: Endpoint>(&self, request: &E) -> Result<Response<E::Response>, Error> {
        let begun = Instant::now();
        // One key for all attempts: a service that knows it does a repeated POST once.
        let idempotency_key = match E::METHOD {
            Method::Post => Some(idempotency_key()),
            Method::Get | Method::Delete => None,
        };
        let mut retries_made = 0;
        let mut may_have_happened = false;
        loop {
            let left = self.options.timeout.saturating_sub(begun.elapsed());
            let span = tracing::debug_span!("attempt", http.request.resend_count = retries_made);
            let attempt = self.attempt(request, idempotency_key.as_ref(), left).instrument(span);
            let mut error = match attempt.await {
                Ok(answer) => {
                    self.shared.budget.give_back();
                    return Ok(answer);
                }
                Err(error) => error,
            };
            let situation = Situation {
                idempotent: E::IDEMPOTENT,
                retries_made,
                retries_max: self.options.retries_max,
                unix_seconds: unix_seconds(),
                random: random_u64() as f64 / u64::MAX as f64,
            };
            let pause = error.outcome().and_then(|outcome| pause_before_retry(outcome, situation));
            // A pause that outlasts the call would only make its failure later.
            let pause = pause.filter(|pause| begun.elapsed() + *pause < self.options.timeout);
            match pause {
                Some(pause) if self.shared.budget.take() => {
                    may_have_happened |= error.may_have_happened();
                    retries_made += 1;
                    tracing::debug!(
                        http.request.resend_count = retries_made,
                        ?pause,
                        "the call is made again"
                    );
                    tokio::time::sleep(pause).await;
                }
                _ => {
                    error.describe::<E>(retries_made + 1, begun.elapsed(), may_have_happened);
                    return Err(error);
                }
            }
        }
    }

    async fn attempt<E: Endpoint>(
        &self,
        request: &E,
        idempotency_key: Option<&HeaderValue>,
        left: Duration,
    ) -> Result<Response<E::Response>, Error> {
        let request = self.encode(request, idempotency_key)?;
        let (parts, body) = self.exchange(request, self.options.attempt_timeout.min(left)).await?;
        // Derived deserializers take an array for a struct; no answer of the API is one.
        if body.trim_ascii_start().first() == Some(&b'[') {
            let problem = "it is an array".to_owned();
            return Err(Error::unreadable(parts.status, parts.headers, body, problem));
        }
        let checked = match json::from_slice(&body) {
            Ok(model) if !self.shared.strict => Ok(model),
            Ok(model) => strict::check::<E::Response>(&body).map(|()| model),
            // Only an unreadable answer pays for the second reading, which finds the place of the fault.
            Err(_) => Err(unreadable::<E::Response>(&body)),
        };
        match checked {
            Ok(model) => Ok(Response::new(model, parts.status, parts.headers, body)),
            Err(problem) => Err(Error::unreadable(parts.status, parts.headers, body, problem)),
        }
    }

    /// Sends a request and reads the body of an answer that is a success.
    async fn exchange(
        &self,
        request: http::Request<RequestBody>,
        timeout: Duration,
    ) -> Result<(http::response::Parts, Bytes), Error> {
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

    fn encode<E: Endpoint>(
        &self,
        request: &E,
        idempotency_key: Option<&HeaderValue>,
    ) -> Result<http::Request<RequestBody>, Error> {
        let mut target = String::with_capacity(self.shared.base_path.len() + E::PATH.len() + 64);
        target.push_str(&self.shared.base_path);
        let body = wire::encode(request, &mut target)?;
        self.request_of(E::METHOD, target, body.map(Bytes::from).unwrap_or_default(), idempotency_key)
    }

    /// A request with the headers that every request carries; `target` is path and query.
    fn request_of(
        &self,
        method: Method,
        target: String,
        body: Bytes,
        idempotency_key: Option<&HeaderValue>,
    ) -> Result<http::Request<RequestBody>, Error> {
        let target = uri::PathAndQuery::from_maybe_shared(Bytes::from(target))
            .map_err(|_| Error::invalid_request("the request is too long for a URL"))?;
        let mut parts = uri::Parts::default();
        parts.scheme = Some(self.shared.scheme.clone());
        parts.authority = Some(self.shared.authority.clone());
        parts.path_and_query = Some(target);
        let uri = Uri::from_parts(parts).map_err(|error| Error::invalid_request(error.to_string()))?;

        let mut headers = match method {
            Method::Post => self.shared.headers_of_post.clone(),
            Method::Get | Method::Delete => self.shared.headers.clone(),
        };
        // Empty is the place that was kept for it; a key of the user's own stays.
        if let (Some(key), Some(place)) = (idempotency_key, headers.get_mut(&IDEMPOTENCY_KEY))
            && place.is_empty()
        {
            *place = key.clone();
        }
        let mut http_request = http::Request::new(RequestBody::new(body));
        *http_request.uri_mut() = uri;
        *http_request.headers_mut() = headers;
        *http_request.method_mut() = match method {
            Method::Get => http::Method::GET,
            Method::Post => http::Method::POST,
            Method::Delete => http::Method::DELETE,
        };
        Ok(http_request)
    }
}

/// An argument of a call as what it must be. The error names both.
fn argument<E: Endpoint, T, G: TryInto<T, Error: Into<Error>>>(name: &str, argument: G) -> Result<T, Error> {
    argument.try_into().map_err(|error| Error::of_argument::<E>(name, error))
}

/// What is wrong with an answer, and where.
fn unreadable<T: serde::de::DeserializeOwned>(body: &[u8]) -> String {
    let deserializer = &mut serde_json::Deserializer::from_slice(body);
    match serde_path_to_error::deserialize::<_, T>(deserializer) {
        Err(error) => format!("{}: {}", error.path(), without_values(error.inner())),
        Ok(_) => "something follows the JSON document".to_owned(),
    }
}

/// serde_json's messages quote the value that does not fit, which may be somebody's name.
fn without_values(error: &serde_json::Error) -> String {
    let kind = match error.classify() {
        serde_json::error::Category::Eof => "it breaks off",
        serde_json::error::Category::Syntax => "it is not JSON",
        serde_json::error::Category::Data => "a value is missing or of another type",
        serde_json::error::Category::Io => "it cannot be read",
    };
    format!("{kind} (line {}, column {})", error.line(), error.column())
}

/// Our name and 32 hexadecimal digits.
fn idempotency_key() -> HeaderValue {
    let mut key = *b"openai-admin-00000000000000000000000000000000";
    let (_, digits) = key.split_at_mut("openai-admin-".len());
    let random = (u128::from(random_u64()) << 64) | u128::from(random_u64());
    let (pairs, _) = digits.as_chunks_mut();
    for (pair, byte) in pairs.iter_mut().zip(random.to_be_bytes()) {
        *pair = two_digits(byte);
    }
    HeaderValue::from_bytes(&key).unwrap_or_else(|_| HeaderValue::from_static("openai-admin"))
}

/// A random number from the standard library's own source, whose keys the operating system seeds: enough to tell
/// calls apart and to spread retries, and no other dependency.
fn random_u64() -> u64 {
    std::hash::RandomState::new().build_hasher().finish()
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("host", &self.shared.authority.host())
            .field("base_path", &self.shared.base_path)
            .field("has_key", &self.shared.headers.contains_key(header::AUTHORIZATION))
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
