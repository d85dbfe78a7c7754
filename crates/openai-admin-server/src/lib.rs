//! A stateful server of the OpenAI organization administration API, for the operations in [`operations`].
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
//! // The router is a tower service, so the client can call it without a socket.
//! let server = Server::new(store, minter, Config::default());
//! let router = server.router_as(Caller::local(&organization));
//! let client = Client::builder().base_url("http://localhost/v1").service(router).build()?;
//! let group = client.groups().create_group(CreateGroupBody::new("Support Team".try_into()?)).await?;
//! assert_eq!(group.name, "Support Team");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```

mod admin;
mod answer;
pub mod api_keys;
mod connect;
mod describe;
mod minter;
mod operate;
mod server;
#[cfg(feature = "testing")]
pub mod testing;

pub use answer::{
    auth::Caller,
    console_sessions::{ConsoleSessions, OpenSession, RefusedKey},
    facts::{Field, OperationFacts, OperationFields},
    published::PublishedOperation,
    routes::operations,
    rules::Evidence,
};
pub use connect::{
    browser,
    config::Config,
    limits,
    tls::{RenewedTls, Tls, TlsError},
};
pub use describe::{
    coverage::Coverage,
    explanations::{Blame, Example, Explanation},
    openapi::document as openapi_document,
};
pub use minter::Minter;
pub use openai_admin_store::Rule;
#[cfg(feature = "otel")]
pub use operate::traces::Traces;
pub use server::Server;
