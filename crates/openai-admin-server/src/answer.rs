//! From a request to its response.

pub(crate) mod auth;
pub(crate) mod console_sessions;
pub(crate) mod error;
pub(crate) mod facts;
pub(crate) mod handlers;
pub(crate) mod host_header;
pub(crate) mod idempotency_keys;
pub(crate) mod published;
pub(crate) mod rate_limit;
pub(crate) mod routes;
pub(crate) mod rules;
pub(crate) mod serve;
pub(crate) mod shared;
