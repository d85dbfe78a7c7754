//! The current state of an organization, read by a client that cannot write, at the pace that each route allows.

pub mod current;
pub mod estimator;
pub mod lanes;
pub mod pacer;
pub mod read_error;
pub mod reader;
