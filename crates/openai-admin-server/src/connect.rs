//! Connections: accepting, encryption and limits.

pub mod browser;
pub(crate) mod config;
pub(crate) mod connections;
pub mod limits;
pub(crate) mod tls;
