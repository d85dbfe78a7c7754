//! A client for programs without an async runtime: the same client, and a way to wait for it.
//!
//! There is no second API to learn. [`Client`] dereferences to the async client, and [`Client::wait`] runs any of its
//! futures to the end; lists become iterators.
//!
//! ```no_run
//! # #[cfg(feature = "rustls")]
//! # fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use openai_admin::{blocking, models::CreateGroupBody};
//!
//! let client = blocking::Client::new(openai_admin::Client::from_env()?)?;
//! let group = client.wait(client.groups().create_group(CreateGroupBody::new("Support Team".try_into()?)))?;
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

/// A client with a runtime of its own, on the thread that calls it.
pub struct Client {
    client: crate::Client,
    /// There until the client is dropped.
    runtime: Option<Runtime>,
}

impl Drop for Client {
    fn drop(&mut self) {
        // Dropped inside an async function, a runtime that waits for its end panics.
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
    /// Gives a client a runtime.
    ///
    /// # Errors
    ///
    /// When the operating system has no resources for one.
    pub fn new(client: crate::Client) -> Result<Self, Error> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Error::invalid_request(format!("no runtime: {error}")))?;
        Ok(Self { client, runtime: Some(runtime) })
    }

    fn runtime(&self) -> &Runtime {
        self.runtime.as_ref().expect("the runtime is there until the client is dropped")
    }

    /// Waits for a call.
    ///
    /// # Panics
    ///
    /// Inside an async function, where waiting would block the runtime: use the async client there.
    pub fn wait<T>(&self, call: impl IntoFuture<Output = Result<T, Error>>) -> Result<T, Error> {
        self.runtime().block_on(call.into_future())
    }

    /// Sends a request of any operation and waits for its answer.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub fn send<E: Endpoint>(&self, request: &E) -> Result<Response<E::Response>, Error> {
        self.wait(self.client.send(request))
    }

    /// All items of a list; each page is read when it is needed. After an error there are no more.
    pub fn items<'a, E: ListEndpoint>(
        &'a self,
        list: ListCall<'_, E>,
    ) -> impl Iterator<Item = Result<<E::Response as Page>::Item, Error>> + use<'a, E> {
        let mut items: Items<E> = list.items();
        std::iter::from_fn(move || self.runtime().block_on(items.next()))
    }
}
