//! The emulator over real connections, with the client and with plain HTTP.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that panics is doing its job")]

mod bounds;
mod browser;
mod clock;
mod controls;
mod determinism;
mod faults;
mod journal;
mod namespaces;
mod rules;
mod state;
mod strictness;
mod support;
