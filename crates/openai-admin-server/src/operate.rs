//! What the server counts and reports, and how it stops.

pub(crate) mod drain;
pub(crate) mod metrics;
#[cfg(feature = "otel")]
pub(crate) mod traces;
