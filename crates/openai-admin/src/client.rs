//! The client: an operation in, its answer out.

mod access;
mod additions;
mod admin_api_keys;
mod api;
mod audit_logs;
mod builder;
mod call;
mod certificates;
mod config;
mod counts;
mod data_retention;
mod decode;
mod external_keys;
mod external_storage;
mod federation_rules;
mod group_roles;
mod group_users;
mod groups;
mod hosted_tools;
mod invites;
mod model_permissions;
mod names;
mod pages;
mod project_api_keys;
mod project_certificates;
mod project_group_roles;
mod project_groups;
mod project_roles;
mod project_user_roles;
mod project_users;
mod projects;
mod rate_limits;
mod raw;
mod request_body;
mod response;
mod retry;
mod retry_policy;
mod roles;
mod search;
mod service_accounts;
mod service_tiers;
mod spend_alerts;
mod spend_limits;
mod transport;
mod usage;
mod user_roles;
mod users;
mod workload_identity_providers;

use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Uri, header, response::Parts, uri};

pub(crate) use self::retry::{Outcome, asked_pause, unix_seconds};
pub use self::{
    access::AccessApi,
    additions::{ADDITIONS_AT_ONCE, ADDITIONS_AT_ONCE_MAX, Addition, Additions},
    admin_api_keys::AdminApiKeysApi,
    audit_logs::AuditLogsApi,
    builder::ClientBuilder,
    certificates::CertificatesApi,
    counts::CountsApi,
    data_retention::DataRetentionApi,
    external_keys::ExternalKeysApi,
    external_storage::ExternalStorageApi,
    federation_rules::FederationRulesApi,
    group_roles::GroupRolesApi,
    group_users::GroupUsersApi,
    groups::GroupsApi,
    hosted_tools::HostedToolsApi,
    invites::InvitesApi,
    model_permissions::ModelPermissionsApi,
    names::NamesApi,
    pages::{Items, ListCall, Pages},
    project_api_keys::ProjectApiKeysApi,
    project_certificates::ProjectCertificatesApi,
    project_group_roles::ProjectGroupRolesApi,
    project_groups::ProjectGroupsApi,
    project_roles::ProjectRolesApi,
    project_user_roles::ProjectUserRolesApi,
    project_users::ProjectUsersApi,
    projects::ProjectsApi,
    rate_limits::RateLimitsApi,
    raw::RawRequest,
    request_body::RequestBody,
    response::{RateLimit, Response},
    retry::{ASKED_PAUSE_MAX, RETRIES_MAX, RETRY_BUDGET},
    retry_policy::{FailedAttempt, RetryPolicy},
    roles::RolesApi,
    search::SearchApi,
    service_accounts::ServiceAccountsApi,
    service_tiers::ServiceTiersApi,
    spend_alerts::SpendAlertsApi,
    spend_limits::SpendLimitsApi,
    transport::NotConnected,
    usage::UsageApi,
    user_roles::UserRolesApi,
    users::UsersApi,
    workload_identity_providers::WorkloadIdentityProvidersApi,
};
use self::{decode::decode, retry::Budget, transport::Transport};
use crate::{Endpoint, Error, endpoint::Operation, wire};

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
    retry_policy: RetryPolicy,
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

    /// Sends a request of any operation and decodes its response. Retries if that may help and cannot do harm.
    ///
    /// # Errors
    ///
    /// See [`Error`]: its kind says whether the service refused the request, could not be reached, or sent a response
    /// that cannot be decoded.
    pub async fn send<E: Endpoint>(&self, request: &E) -> Result<Response<E::Response>, Error> {
        let operation = Operation::of::<E>();
        let encode = |idempotency_key: Option<&HeaderValue>| self.encode(request, idempotency_key);
        let mut response = None;
        let mut accept = |parts: Parts, body: Bytes| match decode(&body, self.shared.strict) {
            Ok(model) => {
                response = Some(Response::new(model, parts.status, parts.headers, body));
                Ok(())
            }
            Err(problem) => Err(Error::unreadable(parts.status, parts.headers, body, problem)),
        };
        self.call(operation, &encode, &mut accept).await?;
        response.ok_or_else(|| Error::invalid_request("the call ended without a response").of(operation))
    }

    fn encode<E: Endpoint>(
        &self,
        request: &E,
        idempotency_key: Option<&HeaderValue>,
    ) -> Result<http::Request<RequestBody>, Error> {
        let mut target = String::with_capacity(self.shared.base_path.len() + E::PATH.len() + 64);
        target.push_str(&self.shared.base_path);
        let body = wire::encode(request, &mut target)?;
        let body = body.map(Bytes::from).unwrap_or_default();
        Ok(self.request_of(E::METHOD, self.uri(target)?, body, idempotency_key))
    }

    /// The absolute URI of a path and query.
    fn uri(&self, target: String) -> Result<Uri, Error> {
        let target = uri::PathAndQuery::from_maybe_shared(Bytes::from(target))
            .map_err(|_| Error::invalid_request("the request is too long for a URL"))?;
        let mut parts = uri::Parts::default();
        parts.scheme = Some(self.shared.scheme.clone());
        parts.authority = Some(self.shared.authority.clone());
        parts.path_and_query = Some(target);
        Uri::from_parts(parts).map_err(|error| Error::invalid_request(error.to_string()))
    }
}

/// An argument of a call as what it must be. The error names both.
fn argument<E: Endpoint, T, G: TryInto<T, Error: Into<Error>>>(
    name: &'static str,
    argument: G,
) -> Result<T, Error> {
    argument.try_into().map_err(|error| Error::of_argument(Operation::of::<E>(), name, error.into()))
}

/// The body of a call. The error names its field.
fn body<E: Endpoint, T, G: TryInto<T, Error: Into<Error>>>(body: G) -> Result<T, Error> {
    body.try_into().map_err(|error| error.into().of(Operation::of::<E>()))
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
