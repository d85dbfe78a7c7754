//! The arguments of an operation, as a request.

use openai_admin::{
    Endpoint,
    wire::{self, Incoming, Strictness},
};
use serde_json::Value;

use crate::failure::{Failure, Result};

/// The fields of a request by their wire names.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct RequestFields {
    pub(crate) path: Vec<(String, String)>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) body: Option<Value>,
}

impl RequestFields {
    /// The request, decoded like on a server: with the same bounds and error messages.
    pub(super) fn request<E: Endpoint>(&self) -> Result<E> {
        let path: Vec<(&str, &str)> = self.path.iter().map(|(name, value)| (&**name, &**value)).collect();
        let query = wire::query(self.query.iter().map(|(name, value)| (&**name, &**value)));
        let body = self.body.as_ref().map(Value::to_string).unwrap_or_default();
        let incoming = Incoming { path: &path, query: &query, body: body.as_bytes() };
        wire::decode(&incoming, Strictness::Strict).map_err(|error| Failure::usage(error.to_string()))
    }

    /// Uses a body from a file. Options override its fields.
    pub(crate) fn merge_body(&mut self, mut body: Value) {
        if let (Some(fields), Some(Value::Object(typed))) = (body.as_object_mut(), self.body.take()) {
            fields.extend(typed);
        }
        self.body = Some(body);
    }

    /// The ids of the path, in order.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> {
        self.path.iter().map(|(_, id)| id.as_str())
    }
}
