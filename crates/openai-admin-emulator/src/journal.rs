//! The journal: what was asked and what was answered, for tests to look at.

mod exchange;
mod expectation;
mod filter;
mod moment;
mod search;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use schemars::JsonSchema;
use serde::Serialize;

pub(crate) use self::exchange::{cut, cut_message, few};
use self::moment::Moment;
use self::{exchange::Recorded, search::all};
pub use self::{
    exchange::{BODY_KEPT_BYTES_MAX, Exchange, TEXT_KEPT_BYTES_MAX, WARNINGS_MAX},
    expectation::{Expectation, Verified},
    filter::ExchangeFilter,
};
use crate::{error::Result, memory::Budget};

/// How many exchanges an organization's journal keeps at most; older ones are dropped, and counted.
pub const EXCHANGES_MAX: usize = 100_000;
/// How many bytes of requests and answers a journal keeps at most.
pub const JOURNAL_BYTES_MAX: usize = 64 * 1024 * 1024;
/// How many bytes of them the journals of all namespaces keep at most, together.
pub const JOURNALS_BYTES_MAX: usize = 512 * 1024 * 1024;
/// How many bytes of exchanges a page shows at most; it always has one.
pub const PAGE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// How many exchanges a page shows unless it is asked for more.
const PAGE_LENGTH: usize = 1000;

/// A part of a journal, oldest first.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct JournalPage {
    /// The exchanges.
    pub data: Vec<Exchange>,
    /// Whether there are more: ask again with `after` and the number of the last.
    pub has_more: bool,
    /// How many of the oldest were dropped, for want of room.
    pub dropped: u64,
}

/// What an organization was asked and has answered.
#[derive(Debug)]
pub(crate) struct Journal {
    kept: Mutex<Kept>,
    all: Budget,
}

#[derive(Debug, Default)]
struct Kept {
    /// Arrived, and not answered yet.
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
        Self { kept: Mutex::default(), all }
    }

    /// The number of a request that arrives.
    pub(crate) fn arrive(&self) -> u64 {
        let mut kept = self.lock();
        kept.arrived += 1;
        kept.arrived
    }

    /// Keeps an exchange that is over, with the bodies that were sent and answered.
    pub(crate) fn keep(&self, exchange: Exchange, body: &Bytes, answer: &Bytes) {
        let recorded = Arc::new(Recorded::of(exchange, body, answer));
        let bytes = recorded.bytes();
        let mut kept = self.lock();
        // One that took longer than a later one has its place before it.
        let number = recorded.exchange.number;
        let place = kept.exchanges.partition_point(|other| other.exchange.number < number);
        kept.exchanges.insert(place, recorded);
        kept.bytes += bytes;
        self.all.add(bytes);
        while kept.exchanges.len() > EXCHANGES_MAX || kept.bytes > JOURNAL_BYTES_MAX || self.all.is_exceeded()
        {
            let Some(oldest) = kept.exchanges.pop_front() else { break };
            let bytes = oldest.bytes();
            kept.bytes -= bytes;
            self.all.give_back(bytes);
            kept.dropped += 1;
        }
    }

    pub(crate) fn clear(&self) {
        let kept = std::mem::take(&mut *self.lock());
        self.all.give_back(kept.bytes);
    }

    /// The exchanges that are meant, after a number.
    pub(crate) async fn page(
        &self,
        filter: &ExchangeFilter,
        after: u64,
        limit: Option<usize>,
    ) -> JournalPage {
        let moment = self.since(after);
        let limit = limit.unwrap_or(PAGE_LENGTH).min(EXCHANGES_MAX);
        let (mut page, mut bytes, mut has_more) = (Vec::new(), 0, false);
        all(&moment.exchanges, |recorded| {
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
        JournalPage { data: page, has_more, dropped: moment.dropped }
    }

    /// Whether there were as many exchanges as expected.
    ///
    /// # Errors
    ///
    /// What there was instead, in words.
    pub(crate) async fn verify(&self, expectation: &Expectation) -> Result<Verified> {
        let wanted = expectation.wanted()?;
        let moment = self.since(0);
        expectation::verify(expectation, &wanted, &moment).await
    }

    /// Whether a rule of this name has given a fault to an exchange.
    pub(crate) fn has_fault(&self, name: &str) -> bool {
        let is_it = |recorded: &Arc<Recorded>| recorded.exchange.fault.as_deref() == Some(name);
        self.lock().exchanges.iter().any(is_it)
    }

    fn since(&self, number: u64) -> Moment {
        let kept = self.lock();
        let begin = kept.exchanges.partition_point(|recorded| recorded.exchange.number <= number);
        Moment { exchanges: kept.exchanges.range(begin..).cloned().collect(), dropped: kept.dropped }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
pub(crate) mod tests;
