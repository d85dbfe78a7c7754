//! Reads the current state of an organization with a client that cannot write, at the rate that each route allows.

pub mod current;
pub mod estimator;
pub mod lanes;
pub mod pacer;
pub mod read_error;
pub mod reader;
pub mod rights_reader;
