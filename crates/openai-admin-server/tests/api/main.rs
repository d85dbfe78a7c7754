//! Tests of the server's HTTP interface, in process: the router and a store, without a socket.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod admin;
mod audit_logs;
mod client;
mod connections;
mod coverage;
mod docs;
mod explanations;
mod failures;
mod faults;
mod idempotency_keys;
mod ids;
mod isolation;
mod keys;
mod limits;
mod openapi;
mod published;
mod rate_limit;
mod rules;
mod running;
mod set_clock;
mod support;
mod tls;
mod traces;
mod usage;
