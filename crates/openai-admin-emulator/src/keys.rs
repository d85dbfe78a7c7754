//! The keys that a namespace accepts.

use axum::Router;
use openai_admin_server::{Config, Minter, Server};
use openai_admin_store::{Organization, Store};

/// The keys that a namespace accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keys {
    /// Any key.
    Any,
    /// Keys in the store.
    Stored,
}

/// The service that answers the API from a store.
pub(crate) fn router(store: &Store, minter: &Minter, organization: &Organization, keys: Keys) -> Router {
    let server = Server::new(store.clone(), minter.clone(), Config::default());
    match keys {
        Keys::Any => server.router_for_any_key(organization),
        Keys::Stored => server.router(),
    }
}
