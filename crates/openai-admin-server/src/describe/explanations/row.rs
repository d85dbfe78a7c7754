use serde::Serialize;

use crate::answer::{
    error::ApiError,
    facts::{OperationFacts, OperationFields},
    rules::NotFound,
};

/// Who is wrong, and so who can do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Fault {
    /// Whoever sent the request.
    Client,
    /// Whoever runs the server: it, its database or its machine is not as it should be.
    Operator,
    /// The program itself, by a fault or by something that it does not do yet.
    Server,
}

impl Fault {
    /// `client`, `operator` or `server`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Operator => "operator",
            Self::Server => "server",
        }
    }

    /// Who that is.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Client => "whoever sent the request",
            Self::Operator => "whoever runs the server, its database and its machine",
            Self::Server => "this program",
        }
    }
}

/// A refusal, as it is written down.
pub(super) struct Row {
    /// The refusal itself, as the example is answered.
    pub(super) error: ApiError,
    pub(super) fault: Fault,
    pub(super) meaning: &'static str,
    pub(super) next: &'static str,
    pub(super) answered_by: AnsweredBy,
    pub(super) request: Option<Request>,
}

/// Which operations answer so.
pub(super) enum AnsweredBy {
    Every,
    NotServed,
    /// Those that a property of their own makes do so.
    Those(&'static str, fn(&Described) -> bool),
    /// Those that take the id of a thing of a kind.
    Identifying(&'static NotFound),
    /// It is decided before there is an operation.
    NoOperation(&'static str),
}

/// The request of an example.
pub(super) struct Request {
    pub(super) method: &'static str,
    pub(super) path: String,
    pub(super) body: Option<&'static str>,
    pub(super) given: Option<&'static str>,
}

pub(super) fn request(method: &'static str, path: &str) -> Request {
    Request { method, path: path.to_owned(), body: None, given: None }
}

impl Request {
    pub(super) fn body(self, body: &'static str) -> Self {
        Self { body: Some(body), ..self }
    }

    pub(super) fn given(self, given: &'static str) -> Self {
        Self { given: Some(given), ..self }
    }
}

/// An operation with its fields.
pub(super) struct Described {
    pub(super) facts: OperationFacts,
    pub(super) fields: OperationFields,
}

impl Described {
    pub(super) fn names_in_path(&self, name: &str) -> bool {
        self.fields.path.contains(&name)
    }

    pub(super) fn names_in_query(&self, name: &str) -> bool {
        self.fields.query.iter().any(|field| field.name == name)
    }

    pub(super) fn names_in_body(&self, name: &str) -> bool {
        self.fields.body.iter().any(|field| field.name == name)
    }

    pub(super) fn needs_field(&self) -> bool {
        self.fields.body.iter().chain(&self.fields.query).any(|field| field.is_required)
    }

    /// Whether the schema of a parameter of the query has this keyword.
    pub(super) fn bounds_query(&self, keyword: &str) -> bool {
        self.fields.query.iter().any(|field| field.has(keyword))
    }

    /// Whether the length of a text of the body has this bound.
    pub(super) fn bounds_text(&self, keyword: &str) -> bool {
        self.fields.body.iter().any(|field| field.bounds_text(keyword))
    }

    pub(super) fn has_query_without_text(&self) -> bool {
        self.fields.query.iter().any(|field| !field.is_text() && !field.has("items"))
    }
}
