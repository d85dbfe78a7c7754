use std::{num::NonZeroU32, path::PathBuf, time::Duration};

use crate::connect::limits::Limits;

/// The configuration of a server. The default is safe and lenient, like the published service.
///
/// ```
/// use openai_admin_server::Config;
/// let config = Config::default().with_strict(true);
/// assert!(config.strict && config.requests_per_minute.is_none());
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Config {
    /// Refuse unknown fields in a body instead of ignoring them.
    pub strict: bool,
    /// The maximum requests per minute for each key. `None`: unlimited.
    pub requests_per_minute: Option<NonZeroU32>,
    /// How long the server keeps serving after it is stopped, so that clients and load balancers notice. Default: 0.
    pub drain_grace: Duration,
    /// Whether all connections come from a proxy or this machine. If so, the peer does not identify a client, and the
    /// limits for each peer are off. Headers of a proxy about the client's address are never trusted.
    pub behind_proxy: bool,
    /// Host names that [`Server::run_admin`](crate::Server::run_admin) accepts, besides the loopback and the address of
    /// its listener.
    pub admin_hosts: Vec<String>,
    /// The backup, or the folder of backups, whose last change is a metric.
    pub backups: Option<PathBuf>,
    /// The limits for clients.
    pub limits: Limits,
    /// The exporter for spans. `None`: no traces.
    #[cfg(feature = "otel")]
    pub traces: Option<crate::Traces>,
}

impl Config {
    /// Sets [`strict`](Self::strict).
    pub fn with_strict(self, strict: bool) -> Self {
        Self { strict, ..self }
    }

    /// Sets [`requests_per_minute`](Self::requests_per_minute).
    pub fn with_requests_per_minute(self, requests_per_minute: Option<NonZeroU32>) -> Self {
        Self { requests_per_minute, ..self }
    }

    /// Sets [`drain_grace`](Self::drain_grace).
    pub fn with_drain_grace(self, drain_grace: Duration) -> Self {
        Self { drain_grace, ..self }
    }

    /// Sets [`behind_proxy`](Self::behind_proxy).
    pub fn with_behind_proxy(self, behind_proxy: bool) -> Self {
        Self { behind_proxy, ..self }
    }

    /// Sets [`admin_hosts`](Self::admin_hosts).
    pub fn with_admin_hosts(self, admin_hosts: Vec<String>) -> Self {
        Self { admin_hosts, ..self }
    }

    /// Sets [`backups`](Self::backups).
    pub fn with_backups(self, backups: Option<PathBuf>) -> Self {
        Self { backups, ..self }
    }

    /// Sets [`limits`](Self::limits).
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Sets [`traces`](Self::traces).
    #[cfg(feature = "otel")]
    pub fn with_traces(self, traces: Option<crate::Traces>) -> Self {
        Self { traces, ..self }
    }
}
