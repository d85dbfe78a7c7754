use std::{num::NonZeroU32, time::Duration};

use crate::connect::limits::Limits;

/// How a server behaves. The default is safe and lenient, like the published service.
///
/// ```
/// use openai_admin_server::Config;
/// let config = Config::default().with_strict(true);
/// assert!(config.strict && config.requests_per_minute.is_none());
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Config {
    /// Refuse fields of a body that the operation does not have, instead of ignoring them.
    pub strict: bool,
    /// How many requests a key may make in a minute; none means as many as it likes.
    pub requests_per_minute: Option<NonZeroU32>,
    /// How long the server goes on after it was told to stop, so that whoever sends it requests notices; none by default.
    pub drain_grace: Duration,
    /// All connections are a proxy's, or this machine's: where they come from says nothing about who asks, so nothing
    /// is counted by it. What a proxy says in headers about where a request comes from is not believed either way.
    pub behind_proxy: bool,
    /// Names of hosts by which operators ask [`Server::run_admin`](crate::Server::run_admin), besides the loopback and the
    /// address that it listens on.
    pub admin_hosts: Vec<String>,
    /// What a client may take at most.
    pub limits: Limits,
    /// Where the spans of requests go; nowhere by default.
    #[cfg(feature = "otel")]
    pub traces: Option<crate::Traces>,
}

impl Config {
    /// The same with another [`strict`](Self::strict).
    pub fn with_strict(self, strict: bool) -> Self {
        Self { strict, ..self }
    }

    /// The same with other [`requests_per_minute`](Self::requests_per_minute).
    pub fn with_requests_per_minute(self, requests_per_minute: Option<NonZeroU32>) -> Self {
        Self { requests_per_minute, ..self }
    }

    /// The same with another [`drain_grace`](Self::drain_grace).
    pub fn with_drain_grace(self, drain_grace: Duration) -> Self {
        Self { drain_grace, ..self }
    }

    /// The same with another [`behind_proxy`](Self::behind_proxy).
    pub fn with_behind_proxy(self, behind_proxy: bool) -> Self {
        Self { behind_proxy, ..self }
    }

    /// The same with other [`admin_hosts`](Self::admin_hosts).
    pub fn with_admin_hosts(self, admin_hosts: Vec<String>) -> Self {
        Self { admin_hosts, ..self }
    }

    /// The same with other [`limits`](Self::limits).
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// The same with other [`traces`](Self::traces).
    #[cfg(feature = "otel")]
    pub fn with_traces(self, traces: Option<crate::Traces>) -> Self {
        Self { traces, ..self }
    }
}
