//! The text of an answer that is not a success.

use http::{HeaderMap, StatusCode};
use serde_json::Value;

/// The maximum quote of an unreadable body in an error message, in characters.
const QUOTED_CHARACTERS_MAX: usize = 200;

/// The fields of an error body, in any of the known forms: an error object, `error` as a string, or a numeric code.
/// Other bodies have none.
#[derive(Default)]
pub(super) struct ErrorFields {
    pub(super) message: Option<String>,
    pub(super) code: Option<String>,
    pub(super) param: Option<String>,
    pub(super) error_type: Option<String>,
}

impl ErrorFields {
    pub(super) fn read(body: &[u8]) -> Self {
        let Ok(Value::Object(mut body)) = serde_json::from_slice(body) else { return Self::default() };
        match body.remove("error") {
            Some(Value::String(message)) => Self { message: Some(message), ..Self::default() },
            Some(Value::Object(mut error)) => {
                let mut text = |field: &str| match error.remove(field)? {
                    Value::String(text) => Some(text),
                    Value::Number(number) => Some(number.to_string()),
                    _ => None,
                };
                Self {
                    message: text("message"),
                    code: text("code"),
                    param: text("param"),
                    error_type: text("type"),
                }
            }
            _ => Self::default(),
        }
    }
}

/// The host of a redirect. The rest of the location may contain secrets.
pub(super) fn redirection(status: StatusCode, headers: &HeaderMap) -> Option<String> {
    let location = headers.get(http::header::LOCATION).filter(|_| status.is_redirection())?;
    let location = location.to_str().ok().and_then(|location| location.parse::<http::Uri>().ok());
    Some(match location.as_ref().and_then(|location| location.host()) {
        Some(host) => format!("the answer is a redirect to {host}; redirects are not followed"),
        None => "the answer is a redirect; redirects are not followed".to_owned(),
    })
}

/// A message about an answer with an unrequested encoding.
pub(super) fn compression(headers: &HeaderMap) -> Option<String> {
    let encoding = headers.get(http::header::CONTENT_ENCODING)?.to_str().ok()?.trim();
    let is_plain = encoding.is_empty() || encoding.eq_ignore_ascii_case("identity");
    (!is_plain).then(|| format!("it is compressed ({}) without request", shortened(encoding, 40)))
}

pub(super) fn quote(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    let quoted = shortened(text.trim(), QUOTED_CHARACTERS_MAX);
    if quoted.is_empty() { None } else { Some(format!("the service answered: {quoted}")) }
}

pub(super) fn shortened(text: &str, characters_max: usize) -> String {
    match text.char_indices().nth(characters_max) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
