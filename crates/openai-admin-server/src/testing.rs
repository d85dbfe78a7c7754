//! An in-process server for tests of programs that use the library: no port, no key, no shared state.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! use openai_admin_server::testing;
//!
//! let directory = serde_json::json!({
//!     "users": [{ "id": "user_ada", "email": "ada@example.com" }],
//!     "groups": [{ "id": "group_support", "name": "Support", "members": ["user_ada"] }],
//! });
//! let client = testing::client_with(serde_json::from_value(directory)?).await?;
//! let users = client.group_users().list_group_users("group_support").await?;
//! assert_eq!(users.data[0].id, "user_ada");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```

use std::{error, fmt, pin::Pin};

use openai_admin::Client;
use openai_admin_store::{Directory, Store};
use tokio::runtime::Runtime;

use crate::{Caller, Config, Minter, Server};

/// A certificate in PEM format, valid for a hundred years.
#[doc(hidden)]
pub const CERTIFICATE: &str = include_str!("testing/certificate.pem");

type BoxError = Box<dyn error::Error + Send + Sync>;

/// Why the server did not start. `?` turns it into any `Box<dyn Error>`, with or without `Send + Sync`.
#[derive(Debug)]
pub struct StartError(BoxError);

impl StartError {
    fn new(cause: impl Into<BoxError>) -> Self {
        Self(cause.into())
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl error::Error for StartError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.0.source()
    }
}

/// A client of a new, empty organization. Its server and in-memory database live as long as the client.
///
/// # Errors
///
/// If there is not enough memory, or a thread cannot start.
pub async fn client() -> Result<Client, StartError> {
    client_with(Directory::default()).await
}

/// A client of a new organization with these users and groups.
///
/// # Errors
///
/// If the directory cannot be loaded (the error names the position in it), if there is not enough memory, or if a
/// thread cannot start.
pub async fn client_with(directory: Directory) -> Result<Client, StartError> {
    let store = Store::open_in_memory(None).await.map_err(StartError::new)?;
    let minter = Minter::system();
    let loaded = store.load(minter.stamp("test"), directory).await.map_err(StartError::new)?;
    let server = Server::new(store, minter, Config::default());
    let router = server.router_as(Caller::local(&loaded.organization));
    Client::builder().base_url("http://localhost/v1").service(router).build().map_err(StartError::new)
}

/// Runs an example of the documentation with a client of a small organization: Ada; Bob, who is in the group `group_1`,
/// "Support"; a custom role `role_1`, "Reviewers", assigned to the group and to Bob; and a project `proj_1`, "Search".
///
/// # Panics
///
/// If the example fails.
#[doc(hidden)]
#[expect(clippy::panic, reason = "an example that fails is a failed test")]
pub fn example(run: impl AsyncFnOnce(Client) -> Result<(), BoxError>) {
    // The compiler repeats this generic function for each example, so the work is in the functions below.
    let done = small_organization().and_then(|(runtime, client)| block_on(&runtime, Box::pin(run(client))));
    if let Err(error) = done {
        panic!("{error}");
    }
}

fn small_organization() -> Result<(Runtime, Client), BoxError> {
    let directory = serde_json::json!({
        "users": [
            { "id": "user_ada", "name": "Ada", "email": "ada@example.com" },
            { "id": "user_bob", "email": "bob@example.com", "roles": ["Reviewers"] },
        ],
        "groups": [{ "id": "group_1", "name": "Support", "members": ["user_bob"], "roles": ["Reviewers"] }],
        "roles": [{ "id": "role_1", "name": "Reviewers", "permissions": ["api.groups.read"] }],
        "projects": [{ "id": "proj_1", "name": "Search", "users": [{ "user": "user_bob" }],
                       "roles": [{ "id": "role_2", "name": "Annotators" }] }],
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let client = runtime.block_on(client_with(serde_json::from_value(directory)?))?;
    Ok((runtime, client))
}

fn block_on(
    runtime: &Runtime,
    example: Pin<Box<dyn Future<Output = Result<(), BoxError>> + '_>>,
) -> Result<(), BoxError> {
    runtime.block_on(example)
}
