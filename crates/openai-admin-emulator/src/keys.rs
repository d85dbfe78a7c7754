//! Which keys a namespace accepts, and the service that accepts them.

use axum::Router;
use openai_admin_server::{Config, Minter, Server};
use openai_admin_store::{Organization, Store};

/// How requests show who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keys {
    /// By any key.
    Any,
    /// By a key that the store has.
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
