//! A client for programs without an async runtime: the async client, and a method that waits for it.
//!
//! [`Client`] dereferences to the async client, and [`Client::wait`] runs any of its futures. Lists become iterators.
//!
//! ```no_run
//! # #[cfg(feature = "rustls")]
//! # fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use openai_admin::blocking;
//!
//! let client = blocking::Client::new(openai_admin::Client::from_env()?)?;
//! let group = client.wait(client.groups().create_group("Support Team"))?;
//! for user in client.items(client.group_users().list_group_users(&group.id)) {
//!     println!("{}", user?.name);
//! }
//! # Ok(())
//! # }
//! ```

use std::{fmt, future::IntoFuture, ops::Deref};

use tokio::runtime::{Builder, Runtime};

use crate::{
    Endpoint, Error, ListEndpoint, Page,
    client::{Items, ListCall, Response},
};

/// A client with a separate runtime on the calling thread.
pub struct Client {
    client: crate::Client,
    /// `Some` until the client is dropped.
    runtime: Option<Runtime>,
}

impl Drop for Client {
    fn drop(&mut self) {
        // Dropping a runtime inside an async function panics, unless it shuts down in the background.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("blocking::Client").field(&self.client).finish()
    }
}

impl Deref for Client {
    type Target = crate::Client;
    fn deref(&self) -> &crate::Client {
        &self.client
    }
}

impl Client {
    /// Adds a runtime to a client.
    ///
    /// # Errors
    ///
    /// If the operating system has not enough resources.
    pub fn new(client: crate::Client) -> Result<Self, Error> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime =
            runtime.map_err(|error| Error::invalid_request(format!("cannot start a runtime: {error}")))?;
        Ok(Self { client, runtime: Some(runtime) })
    }

    fn runtime(&self) -> &Runtime {
        self.runtime.as_ref().expect("the runtime exists until the client is dropped")
    }

    /// Waits for a call.
    ///
    /// # Panics
    ///
    /// Inside an async function, since waiting would block the runtime. Use the async client there.
    pub fn wait<T>(&self, call: impl IntoFuture<Output = Result<T, Error>>) -> Result<T, Error> {
        self.runtime().block_on(call.into_future())
    }

    /// Sends a request of any operation and waits for the answer.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub fn send<E: Endpoint>(&self, request: &E) -> Result<Response<E::Response>, Error> {
        self.wait(self.client.send(request))
    }

    /// All items of a list. Pages are read on demand. Iteration ends after an error.
    pub fn items<'a, E: ListEndpoint>(
        &'a self,
        list: ListCall<'_, E>,
    ) -> impl Iterator<Item = Result<<E::Response as Page>::Item, Error>> + use<'a, E> {
        let mut items: Items<E> = list.items();
        std::iter::from_fn(move || self.runtime().block_on(items.next()))
    }
}
