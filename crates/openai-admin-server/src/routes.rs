//! The operations that this server answers: one line each.

use std::{future::Future, pin::Pin};

use axum::{
    extract::RawPathParams,
    http::{HeaderMap, Uri},
};
use bytes::Bytes;
use openai_admin::{
    Endpoint, Method, Scope,
    wire::{self, Incoming, Place, Strictness, place},
};
use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;

use crate::{
    error::ApiError,
    handlers::{Context, Written, audit_logs, group_users, groups, users},
    idempotency_keys,
};

pub(crate) fn routes() -> Vec<Route> {
    vec![
        // Groups
        route(groups::list),
        route(groups::create),
        route(groups::retrieve),
        route(groups::update),
        route(groups::delete),
        // Group users
        route(group_users::list),
        route(group_users::add),
        route(group_users::retrieve),
        route(group_users::remove),
        // Users
        route(users::list),
        route(users::retrieve),
        route(users::modify),
        route(users::delete),
        // Users, extensions
        route(users::create),
        route(users::list_groups),
        // Audit logs
        route(audit_logs::list),
    ]
}

/// An operation and what answers it. Path, method and scope are known from the type of its request.
pub(crate) struct Route {
    pub(crate) facts: OperationFacts,
    pub(crate) answer: Box<Answer>,
    pub(crate) describe: fn(&mut SchemaGenerator, &mut SchemaGenerator) -> Description,
}

type Answer = dyn Fn(Context, Received) -> Answered + Send + Sync;
type Answered = Pin<Box<dyn Future<Output = Result<Bytes, ApiError>> + Send>>;

/// What an operation says of itself.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct OperationFacts {
    /// The operation id of the published description.
    pub id: &'static str,
    /// The HTTP method.
    pub method: Method,
    /// The path below the base URL.
    pub path: &'static str,
    /// What a key must be allowed to do.
    pub scope: Scope,
    /// The tag of the published description.
    pub tag: &'static str,
    /// Whether doing it twice does what doing it once does; others take an `Idempotency-Key`.
    pub is_idempotent: bool,
    /// Whether a request has a body.
    pub has_body: bool,
}

impl OperationFacts {
    /// Whether the operation is ours and not the published API's.
    pub fn is_extension(&self) -> bool {
        self.path.starts_with("/x/")
    }
}

/// The operations that this server answers.
pub fn operations() -> Vec<OperationFacts> {
    routes().into_iter().map(|route| route.facts).collect()
}

/// The parts of a request that an operation reads.
pub(crate) struct Received {
    pub(crate) path: RawPathParams,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) strictness: Strictness,
}

/// The schemas of an operation: its request and its answer.
pub(crate) struct Description {
    pub(crate) request: schemars::Schema,
    pub(crate) response: schemars::Schema,
}

/// What a handler gives for an operation that answers a `T`.
pub(crate) trait Answers<T> {
    fn into_json(self) -> serde_json::Result<Bytes>;
}

impl<T: Serialize> Answers<T> for T {
    fn into_json(self) -> serde_json::Result<Bytes> {
        serde_json::to_vec(&self).map(Bytes::from)
    }
}

impl<T> Answers<T> for Written<T> {
    fn into_json(self) -> serde_json::Result<Bytes> {
        Ok(self.json)
    }
}

pub(crate) fn route<E, H, F, A>(handler: H) -> Route
where
    E: Endpoint<Response: JsonSchema> + JsonSchema,
    H: Fn(Context, E) -> F + Copy + Send + Sync + 'static,
    F: Future<Output = openai_admin_store::Result<A>> + Send + 'static,
    A: Answers<E::Response> + Send + 'static,
{
    Route {
        facts: OperationFacts {
            id: E::ID,
            method: E::METHOD,
            path: E::PATH,
            scope: E::SCOPE,
            tag: E::TAG,
            is_idempotent: E::IDEMPOTENT,
            has_body: wire::fields::<E>().iter().any(|field| place(E::PATH, field) == Place::Body),
        },
        answer: Box::new(move |context, received| Box::pin(answer(handler, context, received))),
        describe: |requests, responses| Description {
            request: requests.root_schema_for::<E>(),
            response: responses.subschema_for::<E::Response>(),
        },
    }
}

async fn answer<E, H, F, A>(handler: H, mut context: Context, received: Received) -> Result<Bytes, ApiError>
where
    E: Endpoint,
    H: Fn(Context, E) -> F,
    F: Future<Output = openai_admin_store::Result<A>>,
    A: Answers<E::Response>,
{
    let request = {
        let path: Vec<(&str, &str)> = received.path.iter().collect();
        let incoming =
            Incoming { path: &path, query: received.uri.query().unwrap_or_default(), body: &received.body };
        wire::decode(&incoming, received.strictness)
    };
    let request: E = match request {
        Ok(request) => request,
        // No id that exists looks like this, so the URL names nothing.
        Err(error) if error.is_in_path() => {
            return Err(ApiError::unknown_url(E::METHOD.as_str(), received.uri.path()));
        }
        Err(error) => return Err(error.into()),
    };
    context.idempotency_key = idempotency_keys::read(&received.headers, &request)?;
    handler(context, request).await?.into_json().map_err(|error| {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            operation = E::ID,
            "an answer was not written"
        );
        ApiError::internal()
    })
}
