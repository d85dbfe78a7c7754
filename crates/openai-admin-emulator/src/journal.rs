//! The journal: recorded requests and responses, for tests to check.

mod exchange;
mod expectation;
mod filter;
mod search;
mod snapshot;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use schemars::JsonSchema;
use serde::Serialize;

pub(crate) use self::exchange::{cut, cut_message, limit_warnings};
use self::snapshot::JournalSnapshot;
use self::{exchange::Recorded, search::all};
pub use self::{
    exchange::{BODY_KEPT_BYTES_MAX, Exchange, TEXT_KEPT_BYTES_MAX, WARNINGS_MAX},
    expectation::{Expectation, Verified},
    filter::ExchangeFilter,
};
use crate::{error::Result, memory::Budget};

/// The maximum number of exchanges in a journal. Older ones are dropped and counted.
pub const EXCHANGES_MAX: usize = 100_000;
/// The maximum size of a journal's requests and responses, in bytes.
pub const JOURNAL_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The maximum size of all journals together, in bytes.
pub const JOURNALS_BYTES_MAX: usize = 512 * 1024 * 1024;
/// The maximum size of a page's exchanges, in bytes. A page always has at least one exchange.
pub const PAGE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// The default number of exchanges on a page.
const PAGE_LENGTH: usize = 1000;

/// A part of a journal, oldest first.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct JournalPage {
    /// The exchanges.
    pub data: Vec<Exchange>,
    /// Whether there are more exchanges. To get them, pass the number of the last as `after`.
    pub has_more: bool,
    /// The number of old exchanges that were dropped to free memory.
    pub dropped: u64,
}

/// The recorded exchanges of an organization.
#[derive(Debug)]
pub(crate) struct Journal {
    state: Mutex<State>,
    all: Budget,
}

#[derive(Debug, Default)]
struct State {
    /// The number of requests that arrived.
    arrived: u64,
    exchanges: VecDeque<Arc<Recorded>>,
    bytes: usize,
    dropped: u64,
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.clear();
    }
}

impl Journal {
    /// `all` counts the bytes of all journals.
    pub(crate) fn new(all: Budget) -> Self {
        Self { state: Mutex::default(), all }
    }

    /// Returns the number of a request that arrives.
    pub(crate) fn arrive(&self) -> u64 {
        let mut state = self.lock();
        state.arrived += 1;
        state.arrived
    }

    /// Records a finished exchange with the bodies of the request and of the response.
    pub(crate) fn keep(&self, exchange: Exchange, body: &Bytes, answer: &Bytes) {
        let recorded = Arc::new(Recorded::of(exchange, body, answer));
        let bytes = recorded.bytes();
        let mut state = self.lock();
        // Ordered by arrival, even if a later request finished first.
        let number = recorded.exchange.number;
        let place = state.exchanges.partition_point(|other| other.exchange.number < number);
        state.exchanges.insert(place, recorded);
        state.bytes += bytes;
        self.all.add(bytes);
        while state.exchanges.len() > EXCHANGES_MAX
            || state.bytes > JOURNAL_BYTES_MAX
            || self.all.is_exceeded()
        {
            let Some(oldest) = state.exchanges.pop_front() else { break };
            let bytes = oldest.bytes();
            state.bytes -= bytes;
            self.all.release(bytes);
            state.dropped += 1;
        }
    }

    pub(crate) fn clear(&self) {
        let state = std::mem::take(&mut *self.lock());
        self.all.release(state.bytes);
    }

    /// The matching exchanges after a number.
    pub(crate) async fn page(
        &self,
        filter: &ExchangeFilter,
        after: u64,
        limit: Option<usize>,
    ) -> JournalPage {
        let snapshot = self.since(after);
        let limit = limit.unwrap_or(PAGE_LENGTH).min(EXCHANGES_MAX);
        let (mut page, mut bytes, mut has_more) = (Vec::new(), 0, false);
        all(&snapshot.exchanges, |recorded| {
            if !filter.matches(recorded) {
                return true;
            }
            bytes += recorded.bytes();
            has_more = page.len() >= limit || (bytes > PAGE_BYTES_MAX && !page.is_empty());
            if !has_more {
                page.push(recorded.read());
            }
            !has_more
        })
        .await;
        JournalPage { data: page, has_more, dropped: snapshot.dropped }
    }

    /// Checks the recorded exchanges against an expectation.
    ///
    /// # Errors
    ///
    /// A description of the difference.
    pub(crate) async fn verify(&self, expectation: &Expectation) -> Result<Verified> {
        let check = expectation.check()?;
        let snapshot = self.since(0);
        expectation::verify(expectation, &check, &snapshot).await
    }

    /// Whether an exchange has a fault of this rule.
    pub(crate) fn has_fault(&self, name: &str) -> bool {
        let is_it = |recorded: &Arc<Recorded>| recorded.exchange.fault.as_deref() == Some(name);
        self.lock().exchanges.iter().any(is_it)
    }

    fn since(&self, number: u64) -> JournalSnapshot {
        let state = self.lock();
        let begin = state.exchanges.partition_point(|recorded| recorded.exchange.number <= number);
        JournalSnapshot {
            exchanges: state.exchanges.range(begin..).cloned().collect(),
            dropped: state.dropped,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
pub(crate) mod tests;
