//! How connections are accepted, encrypted and bounded.

pub mod browser;
pub(crate) mod config;
pub(crate) mod connections;
pub mod limits;
pub(crate) mod tls;
