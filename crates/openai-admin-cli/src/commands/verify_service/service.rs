//! Sends requests, at the rate that the service allows.

use openai_admin::{Client, Endpoint, Error, ListEndpoint, Page as _, Response};
use openai_admin_sync::{
    LaneSettings, Lanes,
    lanes::{Lane, MAX_WAIT},
};

/// A service under test. Requests are sent one at a time.
pub(super) struct Service {
    client: Client,
    lanes: Lanes,
}

impl Service {
    /// `rpm_max` is the most requests per minute on each route.
    pub(super) fn new(client: &Client, rpm_max: Option<u64>) -> Self {
        let settings = LaneSettings { rpm_max: rpm_max.map(|rpm| rpm as f64), max_wait: MAX_WAIT };
        Self { client: client.with_retries(0), lanes: Lanes::new(settings) }
    }

    /// The number of requests sent.
    pub(super) fn requests(&self) -> usize {
        self.lanes.requests().try_into().unwrap_or(usize::MAX)
    }

    pub(super) async fn send<E: Endpoint>(&self, request: &E) -> Result<Response<E::Response>, Error> {
        self.lanes.send(Lane::of::<E>(), E::IDEMPOTENT, || self.client.send(request)).await
    }

    /// The first item of a list for which `found` returns a value.
    pub(super) async fn find<L: ListEndpoint, T>(
        &self,
        mut list: L,
        found: impl Fn(&<L::Response as openai_admin::Page>::Item) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        loop {
            let page = self.send(&list).await?.into_inner();
            if let Some(item) = page.items().iter().find_map(&found) {
                return Ok(Some(item));
            }
            match list.next_cursor(&page) {
                Some(cursor) if list.after() != Some(&cursor) => list.set_after(cursor),
                _ => return Ok(None),
            }
        }
    }
}
