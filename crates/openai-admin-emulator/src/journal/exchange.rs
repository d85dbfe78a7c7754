//! An exchange: a request and its answer, as much of them as is kept.

use std::collections::BTreeMap;

use bytes::Bytes;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// How much is kept of a body, in bytes.
pub const BODY_KEPT_BYTES_MAX: usize = 64 * 1024;
/// How much is kept of any other text of a request, in bytes: of its path, its query, or an id in the path.
pub const TEXT_KEPT_BYTES_MAX: usize = 8 * 1024;
/// How many warnings an exchange has at most; one more says how many there would have been.
pub const WARNINGS_MAX: usize = 12;
/// How long a message about a request may be that repeats a part of it, in bytes.
const MESSAGE_BYTES_MAX: usize = 200;
/// What an exchange takes beside its texts and bodies: itself, a node of its path's map, its place in the list, and what
/// the allocator adds to each part.
pub(super) const EXCHANGE_OVERHEAD_BYTES: usize = size_of::<Recorded>() + 1024;

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

/// The first of the warnings, none of them long, and how many more there are.
pub(crate) fn few(mut warnings: impl Iterator<Item = String>) -> Vec<String> {
    let mut few: Vec<String> = warnings.by_ref().take(WARNINGS_MAX).collect();
    few.iter_mut().for_each(cut_message);
    match warnings.count() {
        0 => {}
        more => few.push(format!("{more} more warnings are left out")),
    }
    few
}

/// Cuts a message about a request, which is sent as a header or in an answer.
pub(crate) fn cut_message(message: &mut String) {
    cut(message, MESSAGE_BYTES_MAX);
}

/// Keeps the beginning of a text, and says how long it was.
pub(crate) fn cut(text: &mut String, bytes_max: usize) {
    let length = text.len();
    if length > bytes_max {
        text.truncate(text.floor_char_boundary(bytes_max));
        text.push_str(&format!("… ({length} bytes)"));
    }
    text.shrink_to_fit();
}

/// An exchange as it is kept: its bodies are read when a page shows them, since most are never shown.
#[derive(Debug)]
pub(super) struct Recorded {
    pub(super) exchange: Exchange,
    pub(super) body: KeptBody,
    pub(super) answer: KeptBody,
}

impl Recorded {
    /// As much of an exchange as is kept.
    pub(super) fn of(mut exchange: Exchange, body: &Bytes, answer: &Bytes) -> Self {
        let Exchange { method, url_path, query, path, near_miss, .. } = &mut exchange;
        let texts = [method, url_path, query].into_iter().chain(path.values_mut()).chain(near_miss);
        texts.for_each(|text| cut(text, TEXT_KEPT_BYTES_MAX));
        Self { exchange, body: KeptBody::of(body), answer: KeptBody::of(answer) }
    }

    /// What it takes in memory, about.
    pub(super) fn bytes(&self) -> usize {
        let Exchange { at, method, url_path, query, operation, path, fault, warnings, near_miss, .. } =
            &self.exchange;
        let path = path.iter().flat_map(|(name, value)| [name, value]);
        let texts = [at, method, url_path, query].into_iter().chain(path).chain(warnings);
        let texts = texts.chain([operation, fault, near_miss].into_iter().flatten());
        let texts: usize = texts.map(String::capacity).sum();
        let warnings = warnings.capacity() * size_of::<String>();
        EXCHANGE_OVERHEAD_BYTES + texts + warnings + self.body.start.len() + self.answer.start.len()
    }

    pub(super) fn read(&self) -> Exchange {
        Exchange { body: self.body.read(), answer: self.answer.read(), ..self.exchange.clone() }
    }
}

/// As much of a body as is kept.
#[derive(Debug)]
pub(super) struct KeptBody {
    start: Bytes,
    length: usize,
}

impl KeptBody {
    /// A copy, since a slice would hold on to the whole buffer that it arrived in, with the head of the request.
    pub(super) fn of(body: &Bytes) -> Self {
        let start = body.get(..BODY_KEPT_BYTES_MAX).unwrap_or(body);
        Self { start: Bytes::copy_from_slice(start), length: body.len() }
    }

    /// JSON, or else its text; none when there is none.
    pub(super) fn read(&self) -> Option<Value> {
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn long_bodies_are_cut_and_others_kept_as_what_they_are() {
        let kept = |body: &[u8]| KeptBody::of(&Bytes::copy_from_slice(body)).read();
        assert_eq!(kept(b""), None);
        assert_eq!(kept(b"{\"a\":1}"), Some(json!({ "a": 1 })));
        assert_eq!(kept(b"<html>"), Some(json!("<html>")));
        let cut = kept(&vec![b'x'; BODY_KEPT_BYTES_MAX + 1]).expect("a text");
        assert!(cut.as_str().is_some_and(|text| text.ends_with("… (65537 bytes)")));
    }

    #[test]
    fn a_kept_body_lets_go_of_the_buffer_it_arrived_in() {
        let buffer = Bytes::from(vec![b'x'; 1024 * 1024]);
        let body = buffer.slice(1_000_000..1_000_010);
        let kept = KeptBody::of(&body);
        drop(body);
        assert!(buffer.is_unique(), "the buffer is held");
        assert_eq!(kept.start.len(), 10);
    }

    #[test]
    fn every_text_of_an_exchange_is_cut_and_counted() {
        let long = || "é".repeat(TEXT_KEPT_BYTES_MAX);
        let exchange = Exchange {
            method: long(),
            url_path: long(),
            query: long(),
            path: BTreeMap::from([("group_id".to_owned(), long()), ("user_id".to_owned(), long())]),
            near_miss: Some(long()),
            warnings: few((0..15_000).map(|_| long())),
            ..Exchange::default()
        };
        let recorded = Recorded::of(exchange, &Bytes::new(), &Bytes::new());
        assert!(recorded.exchange.query.ends_with("… (16384 bytes)"), "{}", recorded.exchange.query);
        let warnings = &recorded.exchange.warnings;
        assert_eq!(warnings.len(), WARNINGS_MAX + 1);
        assert_eq!(warnings[WARNINGS_MAX], "14988 more warnings are left out");
        let texts = 6 * TEXT_KEPT_BYTES_MAX + WARNINGS_MAX * MESSAGE_BYTES_MAX;
        let (least, most) = (EXCHANGE_OVERHEAD_BYTES + texts, EXCHANGE_OVERHEAD_BYTES + texts + 2048);
        assert!((least..most).contains(&recorded.bytes()), "{} bytes", recorded.bytes());
    }

    #[test]
    fn a_text_is_cut_between_two_characters() {
        let mut text = "aéé".to_owned();
        cut(&mut text, 4);
        assert_eq!(text, "aé… (5 bytes)");
        cut(&mut text, 100);
        assert_eq!(text, "aé… (5 bytes)");
    }
}
