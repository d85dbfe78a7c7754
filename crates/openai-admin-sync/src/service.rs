//! What is: an organization, read without a way to change it, at the pace of each of its routes.

pub mod current;
pub mod estimator;
pub mod lanes;
pub mod pacer;
pub mod read_error;
pub mod reader;
