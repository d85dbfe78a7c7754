use std::{future::Future, pin::Pin, sync::Arc};

use axum::{http::Method, response::Response};
use bytes::Bytes;
use schemars::{Schema, SchemaGenerator};

use crate::{
    error::Result,
    shared::{OnMissing, Shared},
};

/// A control: its method and path, its handler and its documentation.
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
    dyn Fn(ControlRequest<Bytes>) -> Pin<Box<dyn Future<Output = Result<Response>> + Send>> + Send + Sync;

/// A request to a control.
pub(super) struct ControlRequest<B> {
    pub(super) shared: Arc<Shared>,
    /// The name of the namespace.
    pub(super) namespace_name: String,
    pub(super) on_missing: OnMissing,
    /// The name in the path.
    pub(super) name: String,
    pub(super) query: String,
    pub(super) body: B,
}
