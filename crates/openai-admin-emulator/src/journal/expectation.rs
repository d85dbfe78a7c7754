//! Expectations of a test: the number or the order of requests, and how the journal differs.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serde_json::{Map, Value};

use super::{exchange::Recorded, filter::ExchangeFilter, search::all, snapshot::JournalSnapshot};
use crate::error::{Error, Result};

/// The maximum number of request numbers in a message.
const NUMBERS_SHOWN_MAX: usize = 10;
/// The maximum number of similar requests in a message.
const NEAREST_SHOWN_MAX: usize = 3;

/// An expected number or order of exchanges.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Expectation {
    /// The filter for the requests.
    #[serde(flatten)]
    pub requests: ExchangeFilter,
    /// The exact number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exactly: Option<u64>,
    /// The minimum number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_least: Option<u64>,
    /// The maximum number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_most: Option<u64>,
    /// Instead of a number: requests that arrived in this order, possibly with others before, between or after them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub in_order: Vec<ExchangeFilter>,
}

/// Written by hand, since serde cannot refuse unknown fields of a flattened struct, and a misspelt filter would match
/// everything.
impl<'de> Deserialize<'de> for Expectation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut fields = Map::deserialize(deserializer)?;
        let mut count = |name| -> Result<Option<u64>, D::Error> {
            let count = fields.remove(name).map(u64::deserialize).transpose();
            count.map_err(|error| D::Error::custom(format!("'{name}': {error}")))
        };
        let (exactly, at_least, at_most) = (count("exactly")?, count("at_least")?, count("at_most")?);
        let in_order = fields.remove("in_order").map(Vec::deserialize).transpose();
        let in_order = in_order.map_err(|error| D::Error::custom(format!("'in_order': {error}")))?;
        let requests = ExchangeFilter::deserialize(Value::Object(fields)).map_err(D::Error::custom)?;
        Ok(Self { requests, exactly, at_least, at_most, in_order: in_order.unwrap_or_default() })
    }
}

/// The result of a successful check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Verified {
    /// The number of matching exchanges.
    pub count: u64,
}

/// A valid expectation.
pub(super) enum CheckedExpectation {
    Count { least: u64, most: u64, words: String },
    Order,
}

impl Expectation {
    /// All filters of the expectation.
    pub(crate) fn filters(&self) -> impl Iterator<Item = &ExchangeFilter> {
        std::iter::once(&self.requests).chain(&self.in_order)
    }

    /// # Errors
    ///
    /// If nothing is expected, or if it can never be met.
    pub(super) fn check(&self) -> Result<CheckedExpectation> {
        let bounds = [("exactly", self.exactly), ("at least", self.at_least), ("at most", self.at_most)];
        let words = bounds.into_iter().filter_map(|(words, number)| Some(format!("{words} {}", number?)));
        let words = words.collect::<Vec<_>>().join(" and ");
        match (words.is_empty(), self.in_order.is_empty()) {
            (true, true) => Err(Error::invalid(
                "missing expectation: give 'exactly', 'at_least', 'at_most' or 'in_order'",
            )),
            (true, false) => Ok(CheckedExpectation::Order),
            (false, false) => {
                Err(Error::invalid("'in_order' cannot be combined with 'exactly', 'at_least' or 'at_most'"))
            }
            (false, true) => {
                let least = self.exactly.max(self.at_least).unwrap_or(0);
                let most = self.exactly.into_iter().chain(self.at_most).min().unwrap_or(u64::MAX);
                if least > most {
                    return Err(Error::invalid(format!("impossible expectation: {words}")));
                }
                Ok(CheckedExpectation::Count { least, most, words })
            }
        }
    }
}

pub(super) async fn verify(
    expected: &Expectation,
    check: &CheckedExpectation,
    snapshot: &JournalSnapshot,
) -> Result<Verified> {
    match check {
        CheckedExpectation::Count { least, most, words } => {
            count(expected, (*least, *most), words, snapshot).await
        }
        CheckedExpectation::Order => order(expected, snapshot).await,
    }
}

async fn count(
    expected: &Expectation,
    (least, most): (u64, u64),
    words: &str,
    snapshot: &JournalSnapshot,
) -> Result<Verified> {
    let filter = &expected.requests;
    let mut numbers = Vec::new();
    all(&snapshot.exchanges, |recorded| {
        if filter.matches(recorded) {
            numbers.push(recorded.exchange.number);
        }
        true
    })
    .await;
    let count = numbers.len() as u64;
    if (least..=most).contains(&count) {
        return Ok(Verified { count });
    }
    let requests = if words.ends_with(" 1") { "request" } else { "requests" };
    let were = if count == 1 { "was" } else { "were" };
    let mut message = format!("expected {words} {requests}{}, but there {were} {count}", with(filter));
    if count > 0 {
        message.push_str(&format!(" ({})", shown(&numbers)));
    }
    if count < least {
        message.push_str(&nearest(filter, snapshot).await);
    }
    Err(Error::NotVerified(message + &dropped(snapshot)))
}

async fn order(expected: &Expectation, snapshot: &JournalSnapshot) -> Result<Verified> {
    let mut found: Vec<u64> = Vec::new();
    all(&snapshot.exchanges, |recorded| {
        let next = expected.in_order.get(found.len());
        if next.is_some_and(|next| expected.requests.matches(recorded) && next.matches(recorded)) {
            found.push(recorded.exchange.number);
        }
        found.len() < expected.in_order.len()
    })
    .await;
    let Some(missing) = expected.in_order.get(found.len()) else {
        return Ok(Verified { count: found.len() as u64 });
    };
    let place = found.len();
    let mut message =
        format!("expected requests in order, but in_order[{place}] is missing: no request{}", with(missing));
    if let Some(last) = found.last() {
        message.push_str(&format!(" after number {last}, which is in_order[{}]", place - 1));
    }
    if expected.requests != ExchangeFilter::default() {
        message.push_str(&format!(" among those{}", with(&expected.requests)));
    }
    message.push_str(&early(expected, missing, &found, snapshot).await);
    message.push_str(&nearest(missing, snapshot).await);
    Err(Error::NotVerified(message + &dropped(snapshot)))
}

/// The requests that match a missing one, but arrived before the last that was found.
async fn early(
    expected: &Expectation,
    missing: &ExchangeFilter,
    found: &[u64],
    snapshot: &JournalSnapshot,
) -> String {
    let mut numbers = Vec::new();
    all(&snapshot.exchanges, |recorded| {
        let number = recorded.exchange.number;
        let is_early = found.last().is_some_and(|last| number < *last);
        if is_early
            && !found.contains(&number)
            && expected.requests.matches(recorded)
            && missing.matches(recorded)
        {
            numbers.push(number);
        }
        is_early && numbers.len() <= NUMBERS_SHOWN_MAX
    })
    .await;
    if numbers.is_empty() { String::new() } else { format!("; too early: {}", shown(&numbers)) }
}

fn with(filter: &ExchangeFilter) -> String {
    if *filter == ExchangeFilter::default() { String::new() } else { format!(" with {filter}") }
}

fn shown(numbers: &[u64]) -> String {
    let shown: Vec<String> = numbers.iter().take(NUMBERS_SHOWN_MAX).map(u64::to_string).collect();
    let more = if numbers.len() > NUMBERS_SHOWN_MAX { ", …" } else { "" };
    let word = if numbers.len() == 1 { "number" } else { "numbers" };
    format!("{word} {}{more}", shown.join(", "))
}

/// The requests with the fewest differences from the filter, and their differences.
async fn nearest(filter: &ExchangeFilter, snapshot: &JournalSnapshot) -> String {
    if snapshot.exchanges.is_empty() {
        return "; there were no requests at all".to_owned();
    }
    let mut nearest: Vec<(Vec<String>, Arc<Recorded>)> = Vec::new();
    all(&snapshot.exchanges, |recorded| {
        let differences = filter.differences(recorded);
        let place = nearest.partition_point(|(other, _)| other.len() <= differences.len());
        if !differences.is_empty() && place < NEAREST_SHOWN_MAX {
            nearest.insert(place, (differences, Arc::clone(recorded)));
            nearest.truncate(NEAREST_SHOWN_MAX);
        }
        true
    })
    .await;
    let shown = nearest.iter().map(|(differences, recorded)| {
        format!("number {} ({})", recorded.exchange.number, differences.join(", "))
    });
    match shown.collect::<Vec<_>>() {
        shown if shown.is_empty() => String::new(),
        shown => format!("; nearest: {}", shown.join("; ")),
    }
}

fn dropped(snapshot: &JournalSnapshot) -> String {
    match snapshot.dropped {
        0 => String::new(),
        1 => "; 1 older request was dropped".to_owned(),
        dropped => format!("; {dropped} older requests were dropped"),
    }
}
