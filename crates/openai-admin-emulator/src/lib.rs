//! An organization for tests: the server of `openai-admin` in memory, plus the controls that a test needs.
//!
//! It behaves like the server, because it is the server: the same rules, pages and errors. In addition it has controls,
//! as functions and as HTTP endpoints below `/_emulator`: reset to the fixtures, snapshots, a settable clock, injected
//! faults, and a journal of requests and answers. Each test can have a separate organization, selected by its key or by
//! `/_ns/NAME/v1`.

mod answers;
mod bodies;
pub mod clock;
mod connections;
mod controls;
mod document;
mod emulator;
mod error;
pub mod faults;
mod fixtures;
pub mod journal;
mod keys;
mod memory;
mod namespace;
mod operations;
mod paths;
mod randomness;
pub mod rules;
mod service;
mod shared;
mod stale_reads;
mod usage;

pub use emulator::{Emulator, EmulatorBuilder, EmulatorService};
pub use error::{Error, Result};
pub use fixtures::{FixtureRequest, Fixtures};
pub use namespace::{NAMESPACES_BYTES_MAX, Namespace, SNAPSHOTS_BYTES_MAX, SNAPSHOTS_MAX};
pub use service::Reset as ConnectionReset;
pub use shared::NAMESPACES_MAX;
