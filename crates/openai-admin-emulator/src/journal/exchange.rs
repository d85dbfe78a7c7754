//! An exchange: a request and its response, with limits on the size of each part.

use std::collections::BTreeMap;

use bytes::Bytes;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// The maximum recorded size of a body, in bytes.
pub const BODY_KEPT_BYTES_MAX: usize = 64 * 1024;
/// The maximum recorded size of any other text of a request (path, query or an id in the path), in bytes.
pub const TEXT_KEPT_BYTES_MAX: usize = 8 * 1024;
/// The maximum number of warnings of an exchange. One more gives the number of those that were dropped.
pub const WARNINGS_MAX: usize = 12;
/// The maximum length of a message that quotes a part of a request, in bytes.
const MESSAGE_BYTES_MAX: usize = 200;
/// The size of an exchange besides its texts and bodies: the struct, a node of the map of its path, its entry in the
/// list, and the overhead of the allocator.
pub(super) const EXCHANGE_OVERHEAD_BYTES: usize = size_of::<Recorded>() + 1024;

/// A request and its answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Exchange {
    /// The number, counted from 1 in the order of arrival.
    pub number: u64,
    /// The time of arrival, by the clock of the organization.
    pub at: String,
    /// The HTTP method.
    pub method: String,
    /// The path, as sent.
    pub url_path: String,
    /// The query, as sent.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub query: String,
    /// The id of the operation, such as `add-group-user`. Absent if the request matches none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// The path parameters, such as `group_id`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub path: BTreeMap<String, String>,
    /// The body, as JSON if possible, otherwise as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// The status of the response. Absent if the connection was reset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The body of the response, as JSON if possible, otherwise as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<Value>,
    /// The name of the rule whose fault was injected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// The kind of that fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault_kind: Option<&'static str>,
    /// The injected delay in milliseconds.
    #[serde(skip_serializing_if = "is_zero")]
    pub delayed_ms: u32,
    /// Warnings about the request.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// The most similar operation, if the request matches none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub near_miss: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// The first warnings, shortened, and the number of the others.
pub(crate) fn limit_warnings(mut warnings: impl Iterator<Item = String>) -> Vec<String> {
    let mut first: Vec<String> = warnings.by_ref().take(WARNINGS_MAX).collect();
    first.iter_mut().for_each(cut_message);
    match warnings.count() {
        0 => {}
        more => first.push(format!("{more} more warnings")),
    }
    first
}

/// Shortens a message about a request, which is sent as a header or in a response.
pub(crate) fn cut_message(message: &mut String) {
    cut(message, MESSAGE_BYTES_MAX);
}

/// Truncates a text, and appends its length.
pub(crate) fn cut(text: &mut String, bytes_max: usize) {
    let length = text.len();
    if length > bytes_max {
        text.truncate(text.floor_char_boundary(bytes_max));
        text.push_str(&format!("… ({length} bytes)"));
    }
    text.shrink_to_fit();
}

/// A recorded exchange. Its bodies are decoded when a page shows them, since most are never shown.
#[derive(Debug)]
pub(super) struct Recorded {
    pub(super) exchange: Exchange,
    pub(super) body: KeptBody,
    pub(super) answer: KeptBody,
}

impl Recorded {
    /// Truncates the parts of an exchange.
    pub(super) fn of(mut exchange: Exchange, body: &Bytes, answer: &Bytes) -> Self {
        let Exchange { method, url_path, query, path, near_miss, .. } = &mut exchange;
        let texts = [method, url_path, query].into_iter().chain(path.values_mut()).chain(near_miss);
        texts.for_each(|text| cut(text, TEXT_KEPT_BYTES_MAX));
        Self { exchange, body: KeptBody::of(body), answer: KeptBody::of(answer) }
    }

    /// The approximate size in memory, in bytes.
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

/// The start of a body.
#[derive(Debug)]
pub(super) struct KeptBody {
    start: Bytes,
    length: usize,
}

impl KeptBody {
    /// Copies the body, since a slice would keep the whole buffer with the head of the request.
    pub(super) fn of(body: &Bytes) -> Self {
        let start = body.get(..BODY_KEPT_BYTES_MAX).unwrap_or(body);
        Self { start: Bytes::copy_from_slice(start), length: body.len() }
    }

    /// The body as JSON if possible, otherwise as text. `None` if it is empty.
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
    fn long_bodies_are_truncated_and_others_unchanged() {
        let kept = |body: &[u8]| KeptBody::of(&Bytes::copy_from_slice(body)).read();
        assert_eq!(kept(b""), None);
        assert_eq!(kept(b"{\"a\":1}"), Some(json!({ "a": 1 })));
        assert_eq!(kept(b"<html>"), Some(json!("<html>")));
        let cut = kept(&vec![b'x'; BODY_KEPT_BYTES_MAX + 1]).expect("a text");
        assert!(cut.as_str().is_some_and(|text| text.ends_with("… (65537 bytes)")));
    }

    #[test]
    fn a_recorded_body_releases_the_buffer_it_arrived_in() {
        let buffer = Bytes::from(vec![b'x'; 1024 * 1024]);
        let body = buffer.slice(1_000_000..1_000_010);
        let kept = KeptBody::of(&body);
        drop(body);
        assert!(buffer.is_unique(), "the buffer is held");
        assert_eq!(kept.start.len(), 10);
    }

    #[test]
    fn every_text_of_an_exchange_is_truncated_and_counted() {
        let long = || "é".repeat(TEXT_KEPT_BYTES_MAX);
        let exchange = Exchange {
            method: long(),
            url_path: long(),
            query: long(),
            path: BTreeMap::from([("group_id".to_owned(), long()), ("user_id".to_owned(), long())]),
            near_miss: Some(long()),
            warnings: limit_warnings((0..15_000).map(|_| long())),
            ..Exchange::default()
        };
        let recorded = Recorded::of(exchange, &Bytes::new(), &Bytes::new());
        assert!(recorded.exchange.query.ends_with("… (16384 bytes)"), "{}", recorded.exchange.query);
        let warnings = &recorded.exchange.warnings;
        assert_eq!(warnings.len(), WARNINGS_MAX + 1);
        assert_eq!(warnings[WARNINGS_MAX], "14988 more warnings");
        let texts = 6 * TEXT_KEPT_BYTES_MAX + WARNINGS_MAX * MESSAGE_BYTES_MAX;
        let (least, most) = (EXCHANGE_OVERHEAD_BYTES + texts, EXCHANGE_OVERHEAD_BYTES + texts + 2048);
        assert!((least..most).contains(&recorded.bytes()), "{} bytes", recorded.bytes());
    }

    #[test]
    fn a_text_is_truncated_between_characters() {
        let mut text = "aéé".to_owned();
        cut(&mut text, 4);
        assert_eq!(text, "aé… (5 bytes)");
        cut(&mut text, 100);
        assert_eq!(text, "aé… (5 bytes)");
    }
}
