//! What was typed for an operation, as a request.

use openai_admin::{
    Endpoint,
    wire::{self, Incoming, Strictness},
};
use serde_json::Value;

use crate::failure::{Failure, Result};

/// The fields of a request, each by its name on the wire.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Given {
    pub(crate) path: Vec<(String, String)>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) body: Option<Value>,
}

impl Given {
    /// The request, read as a server reads it: with the same bounds, and the same words for what is wrong.
    pub(super) fn request<E: Endpoint>(&self) -> Result<E> {
        let path: Vec<(&str, &str)> = self.path.iter().map(|(name, value)| (&**name, &**value)).collect();
        let query = wire::query(self.query.iter().map(|(name, value)| (&**name, &**value)));
        let body = self.body.as_ref().map(Value::to_string).unwrap_or_default();
        let incoming = Incoming { path: &path, query: &query, body: body.as_bytes() };
        wire::decode(&incoming, Strictness::Strict).map_err(|error| Failure::usage(error.to_string()))
    }

    /// Takes a body from elsewhere; what was typed goes before its fields.
    pub(crate) fn put_over(&mut self, mut body: Value) {
        if let (Some(fields), Some(Value::Object(typed))) = (body.as_object_mut(), self.body.take()) {
            fields.extend(typed);
        }
        self.body = Some(body);
    }

    /// The ids of the path, the last one last.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> {
        self.path.iter().map(|(_, id)| id.as_str())
    }
}
