//! The journal: what was asked and what was answered, for tests to look at.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use bytes::Bytes;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serde_json::{Map, Value};

use crate::error::{Error, Result};

/// How many exchanges an organization's journal keeps at most; older ones are dropped, and counted.
pub const EXCHANGES_MAX: usize = 100_000;
/// How many bytes of requests and answers a journal keeps at most.
pub const JOURNAL_BYTES_MAX: usize = 64 * 1024 * 1024;
/// How many bytes of them the journals of all namespaces keep at most, together.
pub const JOURNALS_BYTES_MAX: usize = 512 * 1024 * 1024;
/// How much is kept of a body, in bytes.
pub const BODY_KEPT_BYTES_MAX: usize = 64 * 1024;
/// What an exchange takes beside its bodies, about.
const EXCHANGE_OVERHEAD_BYTES: usize = 1536;
/// How many exchanges a page shows unless it is asked for more.
const PAGE_LENGTH: usize = 1000;
/// How many numbers a message names at most.
const NUMBERS_SHOWN_MAX: usize = 10;

/// A request and its answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Exchange {
    /// Counted from 1, in the order in which requests arrived.
    pub number: u64,
    /// When it arrived, by the clock of the organization.
    pub at: String,
    /// The HTTP method.
    pub method: String,
    /// The path, as it was sent.
    pub url_path: String,
    /// The query, as it was sent.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub query: String,
    /// The id of the operation, such as `add-group-user`; absent when it is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// What the path names, such as `group_id`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub path: BTreeMap<String, String>,
    /// The body: JSON, or else its text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// The status of the answer; absent when the connection was reset instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The body of the answer: JSON, or else its text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<Value>,
    /// The name of the rule whose fault it got.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// The kind of that fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault_kind: Option<&'static str>,
    /// How long the answer was held back on purpose.
    #[serde(skip_serializing_if = "is_zero")]
    pub delayed_ms: u32,
    /// What is odd about the request, though it was answered.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// What was probably meant, when it is no operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub near_miss: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// Which exchanges are meant; what is absent is true of all.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ExchangeFilter {
    /// The id of the operation, such as `add-group-user`; `none` for what is no operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// The HTTP method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// What the path names, such as `{"group_id": "group_support"}`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub path: BTreeMap<String, String>,
    /// What the body holds, at least.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// The status of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The name of a fault's rule, or the kind of a fault; `any` and `none` are all and no faults.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

/// How many exchanges there should have been.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Expectation {
    /// Of which kind.
    #[serde(flatten)]
    pub requests: ExchangeFilter,
    /// So many, and no other number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exactly: Option<u64>,
    /// So many or more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_least: Option<u64>,
    /// So many or fewer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_most: Option<u64>,
}

/// By hand, since a field that is flattened cannot refuse what it does not know, and a misspelt one would match all.
impl<'de> Deserialize<'de> for Expectation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut fields = Map::deserialize(deserializer)?;
        let mut count = |name| -> Result<Option<u64>, D::Error> {
            let count = fields.remove(name).map(u64::deserialize).transpose();
            count.map_err(|error| D::Error::custom(format!("'{name}': {error}")))
        };
        let (exactly, at_least, at_most) = (count("exactly")?, count("at_least")?, count("at_most")?);
        let requests = ExchangeFilter::deserialize(Value::Object(fields)).map_err(D::Error::custom)?;
        Ok(Self { requests, exactly, at_least, at_most })
    }
}

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

/// What was verified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Verified {
    /// How many exchanges there were.
    pub count: u64,
}

/// An exchange as it is kept: its bodies are read when somebody asks for them, since most are never asked for.
#[derive(Debug)]
struct Recorded {
    exchange: Exchange,
    body: KeptBody,
    answer: KeptBody,
}

impl Recorded {
    fn bytes(&self) -> usize {
        EXCHANGE_OVERHEAD_BYTES + self.body.start.len() + self.answer.start.len()
    }

    fn read(&self) -> Exchange {
        Exchange { body: self.body.read(), answer: self.answer.read(), ..self.exchange.clone() }
    }
}

/// As much of a body as is kept.
#[derive(Debug)]
struct KeptBody {
    start: Bytes,
    length: usize,
}

impl KeptBody {
    fn of(body: &Bytes) -> Self {
        let start = match body.get(..BODY_KEPT_BYTES_MAX) {
            // A slice would hold on to all of it.
            Some(start) => Bytes::copy_from_slice(start),
            None => body.clone(),
        };
        Self { start, length: body.len() }
    }

    /// JSON, or else its text; none when there is none.
    fn read(&self) -> Option<Value> {
        if self.length == 0 {
            return None;
        }
        let text = || String::from_utf8_lossy(&self.start).into_owned();
        if self.length > self.start.len() {
            return Some(Value::String(format!("{}… ({} bytes)", text(), self.length)));
        }
        Some(serde_json::from_slice(&self.start).unwrap_or_else(|_| Value::String(text())))
    }
}

/// How many bytes all journals keep. Clones count together.
#[derive(Clone, Debug, Default)]
pub(crate) struct JournalBytes(Arc<AtomicUsize>);

/// What an organization was asked and has answered.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    kept: Mutex<Kept>,
    all: JournalBytes,
}

#[derive(Debug, Default)]
struct Kept {
    /// Arrived, and not answered yet.
    arrived: u64,
    exchanges: VecDeque<Recorded>,
    bytes: usize,
    dropped: u64,
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.clear();
    }
}

impl Journal {
    pub(crate) fn new(all: JournalBytes) -> Self {
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
        let recorded = Recorded { exchange, body: KeptBody::of(body), answer: KeptBody::of(answer) };
        let bytes = recorded.bytes();
        let mut kept = self.lock();
        // One that took longer than a later one has its place before it.
        let number = recorded.exchange.number;
        let place = kept.exchanges.partition_point(|other| other.exchange.number < number);
        kept.exchanges.insert(place, recorded);
        kept.bytes += bytes;
        let all = &self.all.0;
        all.fetch_add(bytes, Relaxed);
        while kept.exchanges.len() > EXCHANGES_MAX
            || kept.bytes > JOURNAL_BYTES_MAX
            || all.load(Relaxed) > JOURNALS_BYTES_MAX
        {
            let Some(oldest) = kept.exchanges.pop_front() else { break };
            kept.bytes -= oldest.bytes();
            all.fetch_sub(oldest.bytes(), Relaxed);
            kept.dropped += 1;
        }
    }

    pub(crate) fn clear(&self) {
        let kept = std::mem::take(&mut *self.lock());
        self.all.0.fetch_sub(kept.bytes, Relaxed);
    }

    /// The exchanges that are meant, after a number.
    pub(crate) fn page(&self, filter: &ExchangeFilter, after: u64, limit: Option<usize>) -> JournalPage {
        let kept = self.lock();
        let limit = limit.unwrap_or(PAGE_LENGTH).min(EXCHANGES_MAX);
        let later = kept.exchanges.iter().filter(|recorded| recorded.exchange.number > after);
        let mut meant = later.filter(|recorded| filter.matches(recorded));
        let data: Vec<Exchange> = meant.by_ref().take(limit).map(Recorded::read).collect();
        JournalPage { data, has_more: meant.next().is_some(), dropped: kept.dropped }
    }

    /// Whether there were as many exchanges as expected.
    ///
    /// # Errors
    ///
    /// What there was instead, in words.
    pub(crate) fn verify(&self, expectation: &Expectation) -> Result<Verified> {
        let filter = &expectation.requests;
        let kept = self.lock();
        let meant = kept.exchanges.iter().filter(|recorded| filter.matches(recorded));
        let numbers: Vec<u64> = meant.map(|recorded| recorded.exchange.number).collect();
        let count = numbers.len() as u64;
        let wanted = expectation.wanted()?;
        if wanted.iter().all(|(_, holds)| holds(count)) {
            return Ok(Verified { count });
        }
        let wanted: Vec<&str> = wanted.iter().map(|(words, _)| words.as_str()).collect();
        let mut message =
            format!("expected {} requests with {filter}, but there were {count}", wanted.join(" and "));
        if !numbers.is_empty() {
            let shown: Vec<String> = numbers.iter().take(NUMBERS_SHOWN_MAX).map(u64::to_string).collect();
            let more = if numbers.len() > NUMBERS_SHOWN_MAX { ", …" } else { "" };
            message.push_str(&format!(" (number {}{more})", shown.join(", ")));
        }
        let others = ExchangeFilter { operation: filter.operation.clone(), ..ExchangeFilter::default() };
        let others = kept.exchanges.iter().filter(|recorded| others.matches(recorded)).count() as u64;
        if others > count {
            message.push_str(&format!("; {others} with the same operation"));
        }
        if kept.dropped > 0 {
            message.push_str(&format!("; {} older ones were dropped", kept.dropped));
        }
        Err(Error::NotVerified(message))
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Wanted = (String, Box<dyn Fn(u64) -> bool>);

impl Expectation {
    fn wanted(&self) -> Result<Vec<Wanted>> {
        let mut wanted: Vec<Wanted> = Vec::new();
        if let Some(number) = self.exactly {
            wanted.push((format!("exactly {number}"), Box::new(move |count| count == number)));
        }
        if let Some(number) = self.at_least {
            wanted.push((format!("at least {number}"), Box::new(move |count| count >= number)));
        }
        if let Some(number) = self.at_most {
            wanted.push((format!("at most {number}"), Box::new(move |count| count <= number)));
        }
        if wanted.is_empty() {
            return Err(Error::invalid("say how many: 'exactly', 'at_least' or 'at_most'"));
        }
        Ok(wanted)
    }
}

impl std::fmt::Display for ExchangeFilter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = serde_json::to_string(self).unwrap_or_default();
        f.write_str(&text)
    }
}

impl ExchangeFilter {
    /// A filter as a query writes it: `operation=add-group-user&path.group_id=group_support&status=200`.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in words.
    pub fn from_pairs<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Self> {
        let mut filter = Self::default();
        for (name, value) in pairs {
            match name {
                "operation" => filter.operation = Some(value.to_owned()),
                "method" => filter.method = Some(value.to_owned()),
                "fault" => filter.fault = Some(value.to_owned()),
                "status" => {
                    let status = value
                        .parse()
                        .map_err(|_| Error::invalid(format!("'status' is '{value}', and no number")))?;
                    filter.status = Some(status);
                }
                _ => match name.strip_prefix("path.") {
                    Some(name) => drop(filter.path.insert(name.to_owned(), value.to_owned())),
                    None => {
                        return Err(Error::invalid(format!(
                            "there is no filter '{name}': use operation, method, status, fault, path.group_id, \
                             path.user_id, after or limit"
                        )));
                    }
                },
            }
        }
        Ok(filter)
    }

    fn matches(&self, recorded: &Recorded) -> bool {
        let exchange = &recorded.exchange;
        let is_operation = self.operation.as_deref().is_none_or(|wanted| match &exchange.operation {
            Some(operation) => operation == wanted,
            None => wanted == "none",
        });
        let is_fault = self.fault.as_deref().is_none_or(|wanted| match &exchange.fault {
            Some(name) => wanted == "any" || wanted == name || exchange.fault_kind == Some(wanted),
            None => wanted == "none",
        });
        is_operation
            && is_fault
            && self.method.as_ref().is_none_or(|method| method.eq_ignore_ascii_case(&exchange.method))
            && self.status.is_none_or(|status| exchange.status == Some(status))
            && self.path.iter().all(|(name, value)| exchange.path.get(name) == Some(value))
            && self
                .body
                .as_ref()
                .is_none_or(|body| recorded.body.read().is_some_and(|whole| is_part(body, &whole)))
    }
}

/// Whether all that is in `part` is in `whole`.
fn is_part(part: &Value, whole: &Value) -> bool {
    match (part, whole) {
        (Value::Object(part), Value::Object(whole)) => {
            part.iter().all(|(name, value)| whole.get(name).is_some_and(|whole| is_part(value, whole)))
        }
        _ => part == whole,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn exchange(journal: &Journal, operation: &str, group: &str, status: u16) {
        let exchange = Exchange {
            number: journal.arrive(),
            operation: Some(operation.to_owned()),
            path: BTreeMap::from([("group_id".to_owned(), group.to_owned())]),
            status: Some(status),
            ..Exchange::default()
        };
        let body = json!({ "user_id": "u1", "more": { "a": 1, "b": 2 } }).to_string();
        journal.keep(exchange, &body.into(), &Bytes::new());
    }

    fn journal() -> Journal {
        let journal = Journal::default();
        for (operation, group, status) in [
            ("add-group-user", "x", 200),
            ("add-group-user", "y", 200),
            ("list-groups", "", 200),
            ("add-group-user", "x", 404),
        ] {
            exchange(&journal, operation, group, status);
        }
        journal
    }

    fn verify(expectation: Value) -> Result<u64, String> {
        let expectation = serde_json::from_value(expectation).expect("an expectation");
        journal().verify(&expectation).map(|verified| verified.count).map_err(|error| error.to_string())
    }

    #[test]
    fn an_expectation_counts_what_it_is_about() {
        assert_eq!(
            verify(json!({ "operation": "add-group-user", "path": { "group_id": "x" }, "exactly": 2 })),
            Ok(2)
        );
        assert_eq!(verify(json!({ "operation": "add-group-user", "at_least": 1, "at_most": 3 })), Ok(3));
        assert_eq!(verify(json!({ "status": 404, "exactly": 1 })), Ok(1));
        assert_eq!(verify(json!({ "body": { "more": { "b": 2 } }, "exactly": 4 })), Ok(4));
        assert_eq!(verify(json!({ "body": { "more": { "b": 3 } }, "exactly": 0 })), Ok(0));
        assert_eq!(verify(json!({ "fault": "none", "exactly": 4 })), Ok(4));
        assert_eq!(verify(json!({ "fault": "any", "exactly": 0 })), Ok(0));
    }

    #[test]
    fn an_expectation_that_is_not_met_says_what_there_was() {
        assert_eq!(
            verify(json!({ "operation": "add-group-user", "path": { "group_id": "x" }, "exactly": 3 })),
            Err("expected exactly 3 requests with {\"operation\":\"add-group-user\",\"path\":{\"group_id\":\"x\"}}, \
                 but there were 2 (number 1, 4); 3 with the same operation"
                .to_owned())
        );
        for misspelt in
            [json!({ "exacly": 1 }), json!({ "operatoin": "x", "exactly": 1 }), json!({ "exactly": -1 })]
        {
            serde_json::from_value::<Expectation>(misspelt).expect_err("it is refused");
        }
        assert_eq!(
            verify(json!({ "status": 404 })),
            Err("say how many: 'exactly', 'at_least' or 'at_most'".to_owned())
        );
    }

    #[test]
    fn exchanges_are_listed_in_the_order_of_their_arrival() {
        let journal = Journal::default();
        let (slow, quick) = (journal.arrive(), journal.arrive());
        for number in [quick, slow] {
            journal.keep(Exchange { number, ..Exchange::default() }, &Bytes::new(), &Bytes::new());
        }
        let numbers = |after, limit| {
            let page = journal.page(&ExchangeFilter::default(), after, limit);
            (page.data.iter().map(|exchange| exchange.number).collect::<Vec<_>>(), page.has_more)
        };
        assert_eq!(numbers(0, None), (vec![1, 2], false));
        assert_eq!(numbers(0, Some(1)), (vec![1], true));
        assert_eq!(numbers(1, Some(1)), (vec![2], false));
    }

    #[test]
    fn a_journal_that_is_full_drops_the_oldest_and_says_so() {
        let journal = Journal::default();
        let whole = 2 * BODY_KEPT_BYTES_MAX;
        let fitting = JOURNAL_BYTES_MAX / (whole + EXCHANGE_OVERHEAD_BYTES);
        let body = Bytes::from(vec![b'x'; BODY_KEPT_BYTES_MAX]);
        for _ in 0..fitting + 2 {
            journal.keep(Exchange { number: journal.arrive(), ..Exchange::default() }, &body, &body);
        }
        let page = journal.page(&ExchangeFilter::default(), 0, Some(1));
        assert_eq!((page.dropped, page.data[0].number), (2, 3));
    }

    #[test]
    fn all_journals_together_have_a_bound_and_one_that_goes_makes_room() {
        let all = JournalBytes::default();
        let whole = 2 * BODY_KEPT_BYTES_MAX + EXCHANGE_OVERHEAD_BYTES;
        let fitting = JOURNAL_BYTES_MAX / whole;
        let body = Bytes::from(vec![b'x'; BODY_KEPT_BYTES_MAX]);
        let keep = |journal: &Journal, count: usize| {
            for _ in 0..count {
                journal.keep(Exchange { number: journal.arrive(), ..Exchange::default() }, &body, &body);
            }
            let page = journal.page(&ExchangeFilter::default(), 0, None);
            (page.data.len(), page.dropped as usize)
        };
        let full: Vec<Journal> = (0..JOURNALS_BYTES_MAX / JOURNAL_BYTES_MAX)
            .map(|_| Journal::new(all.clone()))
            .inspect(|journal| assert_eq!(keep(journal, fitting), (fitting, 0)))
            .collect();
        let late = Journal::new(all.clone());
        let room = JOURNALS_BYTES_MAX / whole - full.len() * fitting;
        assert_eq!(keep(&late, room + 3), (room, 3));
        drop(full);
        assert_eq!(keep(&late, 10), (room + 10, 3));
        drop(late);
        assert_eq!(all.0.load(Relaxed), 0);
    }

    #[test]
    fn a_filter_that_is_none_is_refused() {
        let filter = |name| ExchangeFilter::from_pairs([(name, "x")].into_iter());
        assert!(filter("group").expect_err("no filter").to_string().contains("path.group_id"));
        assert!(filter("status").expect_err("no number").to_string().contains("'status' is 'x'"));
        assert!(filter("path.group_id").is_ok());
    }

    #[test]
    fn long_bodies_are_cut_and_others_kept_as_what_they_are() {
        let kept = |body: &[u8]| KeptBody::of(&Bytes::copy_from_slice(body)).read();
        assert_eq!(kept(b""), None);
        assert_eq!(kept(b"{\"a\":1}"), Some(json!({ "a": 1 })));
        assert_eq!(kept(b"<html>"), Some(json!("<html>")));
        let cut = kept(&vec![b'x'; BODY_KEPT_BYTES_MAX + 1]).expect("a text");
        assert!(cut.as_str().is_some_and(|text| text.ends_with("… (65537 bytes)")));
    }
}
