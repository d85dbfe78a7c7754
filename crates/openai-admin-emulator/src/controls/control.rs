use std::{future::Future, pin::Pin, sync::Arc};

use axum::{http::Method, response::Response};
use bytes::Bytes;
use schemars::{Schema, SchemaGenerator};

use crate::{
    error::Result,
    shared::{Makes, Shared},
};

/// A control: when it is meant, what it does, and what it says of itself.
pub(super) struct Control {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) summary: &'static str,
    pub(super) answer: Box<Answer>,
    pub(super) body_bytes_max: usize,
    /// The schema of the body, if it takes one.
    pub(super) body: fn(&mut SchemaGenerator) -> Option<Schema>,
    pub(super) response: fn(&mut SchemaGenerator) -> Schema,
}

pub(super) type Answer =
    dyn Fn(Asked<Bytes>) -> Pin<Box<dyn Future<Output = Result<Response>> + Send>> + Send + Sync;

/// A request of a control.
pub(super) struct Asked<B> {
    pub(super) shared: Arc<Shared>,
    /// The name of the namespace.
    pub(super) place: String,
    pub(super) makes: Makes,
    /// The name in the path.
    pub(super) name: String,
    pub(super) query: String,
    pub(super) body: B,
}
