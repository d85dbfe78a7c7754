//! Desired-state membership of OpenAI organizations: a file says who should be in which group; this makes it so,
//! safely, and can prove what it did.
//!
//! # A map
//!
//! Data goes one way, and everything before the executor is a pure function over values:
//!
//! - [`mod@file`] and [`mod@csv`]: what people write; [`desired`]: what it means, with the origin of every wish.
//! - [`reader`]: a client that cannot write; [`current`]: what is; [`resolve`]: who is meant.
//! - [`policy`]: what the caller's side allows. [`diff`]: what differs; [`guard`]: what of it may not be done unasked; [`mod@plan`]: the result; [`render`]: for people.
//! - [`schedule`]: in which order; [`estimator`] and [`pacer`]: how fast; [`lanes`]: both of them over requests.
//! - [`executor`]: does it, and writes the [`journal`] of its [`run`] under a [`lock`]; [`verify`]: looks again.
//! - [`report`]: what came of every row; [`summary`]: the closing line and the exit code; [`undo`] and [`offboard`]: other ways to a plan; [`export`]: the way back.
//!
//! The clock, the day and randomness are passed in.

pub mod csv;
pub mod current;
pub mod desired;
pub mod diff;
pub mod email;
pub mod estimator;
pub mod executor;
pub mod expand;
pub mod export;
pub mod fault;
pub mod file;
pub mod fresh;
pub mod guard;
pub mod import;
pub mod journal;
pub mod lanes;
pub mod located;
pub mod lock;
pub mod max_remove;
pub mod member;
pub mod offboard;
pub mod pacer;
pub mod plan;
pub mod planning;
pub mod policy;
pub mod private;
pub mod read_error;
pub mod reader;
pub mod render;
pub mod report;
pub mod resolve;
pub mod run;
pub mod schedule;
pub mod source;
pub mod suggestion;
pub mod summary;
pub mod text;
pub mod undo;
pub mod verify;
pub mod visible;
pub mod yaml;

pub use executor::Executor;
pub use fault::{Fault, Faults, Place};
pub use fresh::Start;
pub use guard::{Approval, Standing};
pub use journal::Journal;
pub use lanes::{LaneSettings, Lanes};
pub use plan::Plan;
pub use planning::{PlanOptions, plan};
pub use policy::Policy;
pub use reader::Reader;
pub use run::{Run, Runs};
