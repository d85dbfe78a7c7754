//! A stateful server of groups, group users, users and the audit log of the OpenAI organization administration API.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! use openai_admin::{Client, models::CreateGroupBody};
//! use openai_admin_server::{Caller, Config, Minter, Server};
//! use openai_admin_store::Store;
//!
//! let folder = tempfile::tempdir()?;
//! let store = Store::open(&format!("sqlite:{}", folder.path().join("test.db").display()).parse()?).await?;
//! let minter = Minter::system();
//! let organization = store.open_organization(minter.stamp("example"), None).await?;
//!
//! // The server's router is a service like any other: the real client talks to it without a socket.
//! let server = Server::new(store, minter, Config::default());
//! let router = server.router_as(Caller::local(&organization));
//! let client = Client::builder().base_url("http://localhost/v1").service(router).build()?;
//! let group = client.groups().create_group(CreateGroupBody::new("Support Team".try_into()?)).await?;
//! assert_eq!(group.name, "Support Team");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```

mod admin;
pub mod api_keys;
mod auth;
pub mod browser;
mod config;
mod connections;
mod coverage;
mod docs_page;
mod drain;
mod error;
mod explanations;
mod facts;
mod handlers;
mod host_header;
mod idempotency_keys;
pub mod limits;
mod metrics;
mod minter;
mod openapi;
mod published;
mod rate_limit;
mod routes;
mod rules;
mod serve;
mod server;
mod shared;
#[cfg(feature = "testing")]
pub mod testing;
mod tls;
#[cfg(feature = "otel")]
mod traces;

pub use auth::Caller;
pub use config::Config;
pub use coverage::Coverage;
pub use explanations::{Example, Explanation, Fault};
pub use facts::{Field, OperationFacts, OperationFields};
pub use minter::Minter;
pub use openapi::document as openapi_document;
pub use published::PublishedOperation;
pub use routes::operations;
pub use rules::Evidence;
pub use server::Server;
pub use tls::{RenewedTls, Tls, TlsError};
#[cfg(feature = "otel")]
pub use traces::Traces;
