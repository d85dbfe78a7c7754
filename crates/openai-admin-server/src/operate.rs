//! Metrics, traces and draining.

pub(crate) mod backups;
pub(crate) mod drain;
pub(crate) mod metrics;
#[cfg(feature = "otel")]
pub(crate) mod traces;
