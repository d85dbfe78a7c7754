//! An organization to test on: the server of `openai-admin` in memory, with what a test wants of it besides.
//!
//! It answers as the server does, since it is the server: real rules, real pages, real errors. Beside the API it has
//! controls, by these functions and by HTTP below `/_emulator`: go back to the fixtures, snapshots, a clock that can be
//! set, faults that happen on purpose, and a journal of what was asked. Each test can have an organization of its own, by
//! its key or by `/_ns/NAME/v1`.

mod answers;
mod bodies;
pub mod clock;
mod connections;
mod controls;
mod document;
mod emulator;
mod error;
pub mod faults;
pub mod journal;
mod keys;
mod loose;
mod memory;
mod namespace;
mod operations;
mod paths;
mod randomness;
mod service;
mod shared;
mod stale_reads;

pub use emulator::{Emulator, EmulatorBuilder, EmulatorService};
pub use error::{Error, Result};
pub use namespace::{NAMESPACES_BYTES_MAX, Namespace, SNAPSHOTS_BYTES_MAX, SNAPSHOTS_MAX};
pub use service::Reset as ConnectionReset;
pub use shared::NAMESPACES_MAX;
