use openai_admin::{
    Endpoint as _,
    operations::{CreateExternalKey, CreateUsageBatch, ListFederationRules},
};
use serde::Serialize;

use crate::answer::{
    error::ApiError,
    facts::{OperationFacts, OperationFields},
    rules::NotFound,
};

/// The party that can fix an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Blame {
    /// The client that sent the request.
    Client,
    /// The operator of the server: the server, its database or its machine needs attention.
    Operator,
    /// The program itself: a bug, or a missing feature.
    Server,
}

impl Blame {
    /// `client`, `operator` or `server`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Operator => "operator",
            Self::Server => "server",
        }
    }

    /// The party, in words.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Client => "the program that sent the request",
            Self::Operator => "the operator of the server, its database and its machine",
            Self::Server => "this program",
        }
    }
}

/// Parameters with an id that is not looked up: the provider of an external key is in another cloud, and no rules are found
/// for an unknown service account.
const NOT_LOOKED_UP: [(&str, &str); 2] = [
    (CreateExternalKey::ID, "workload_identity_provider_id"),
    (ListFederationRules::ID, "service_account_id"),
];

/// A refusal and its explanation.
pub(super) struct Row {
    /// The refusal, as in the example.
    pub(super) error: ApiError,
    pub(super) blame: Blame,
    pub(super) meaning: &'static str,
    pub(super) next: &'static str,
    pub(super) answered_by: AnsweredBy,
    pub(super) request: Option<Request>,
}

/// The operations that can return the refusal.
pub(super) enum AnsweredBy {
    Every,
    NotServed,
    /// Operations that match a predicate.
    Matching(&'static str, fn(&Described) -> bool),
    /// Operations that take the id of a kind of resource.
    Identifying(&'static NotFound),
    /// The server refuses before it selects an operation.
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

    /// Whether the body has this field, or a list of objects with it.
    pub(super) fn names_in_body(&self, name: &str) -> bool {
        self.fields.body.iter().any(|field| field.name == name || field.has_items_with(name))
    }

    /// Whether it looks up an id in this parameter of the path, the query or the body.
    pub(super) fn looks_up(&self, param: &str) -> bool {
        // Usage is stored under any ids.
        self.facts.id != CreateUsageBatch::ID
            && !NOT_LOOKED_UP.contains(&(self.facts.id, param))
            && (self.names_in_path(param) || self.names_in_query(param) || self.names_in_body(param))
    }

    pub(super) fn needs_field(&self) -> bool {
        self.fields.body.iter().chain(&self.fields.query).any(|field| field.is_required)
    }

    /// Whether the schema of a query parameter has this keyword.
    pub(super) fn bounds_query(&self, keyword: &str) -> bool {
        self.fields.query.iter().any(|field| field.has(keyword))
    }

    /// Whether a string has this bound on its length. An optional string of a query is a cursor, which another rule refuses.
    pub(super) fn bounds_text(&self, keyword: &str) -> bool {
        let in_query = self.fields.query.iter().filter(|field| field.is_required);
        self.fields.body.iter().chain(in_query).any(|field| field.bounds_text(keyword))
    }

    pub(super) fn has_query_without_text(&self) -> bool {
        self.fields.query.iter().any(|field| !field.is_text() && !field.has("items"))
    }
}
