//! What can go wrong with a call.

use std::{convert::Infallible, fmt, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde_json::Value;

use crate::{Scope, client::Outcome, endpoint::Operation, violation::Violation, wire::EncodeError};

/// How much of an unreadable body an error message quotes, in characters.
const QUOTED_CHARACTERS_MAX: usize = 200;
/// How the service's message about an unknown URL begins: `Invalid URL (GET /v1/organization/colours)`.
const UNKNOWN_URL_MESSAGE: &str = "Invalid URL";
/// How much of the service's own message is kept, in characters.
const MESSAGE_CHARACTERS_MAX: usize = 2000;

/// A call that did not succeed.
///
/// Ask [`kind`](Self::kind) for the phase in which it failed, [`was_sent`](Self::was_sent) whether the service may
/// have acted on it, and the other methods for what the service said.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: String,
    was_sent: bool,
    operation: Option<&'static str>,
    scope: Option<Scope>,
    answer: Option<Answer>,
    source: Option<BoxError>,
    attempts: u32,
    elapsed: Duration,
    earlier_attempt_may_have_succeeded: bool,
    is_untrusted: bool,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    code: Option<String>,
    param: Option<String>,
    error_type: Option<String>,
}

pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The phase in which a call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request or the client's configuration is wrong; nothing was sent.
    InvalidRequest,
    /// The connection could not be made or broke.
    Transport,
    /// No complete answer came in time.
    Timeout,
    /// The service answered with a status that is not success.
    Refused,
    /// The service's answer is not what the operation answers.
    UnreadableAnswer,
}

impl ErrorKind {
    /// A word for logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::Transport => "transport",
            Self::Timeout => "timeout",
            Self::Refused => "refused",
            Self::UnreadableAnswer => "unreadable_answer",
        }
    }
}

impl Error {
    fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            was_sent: false,
            operation: None,
            scope: None,
            answer: None,
            source: None,
            attempts: 0,
            elapsed: Duration::ZERO,
            earlier_attempt_may_have_succeeded: false,
            is_untrusted: false,
        }))
    }

    pub(crate) fn invalid_request(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidRequest, message)
    }

    /// An argument of a call that no request can have.
    pub(crate) fn of_argument(operation: Operation, name: &str, mut problem: Self) -> Self {
        problem.0.message = format!("Invalid '{name}': {}", problem.0.message);
        problem.of(operation)
    }

    /// The service shows a certificate that is not accepted: no attempt would differ, and nothing was sent.
    pub(crate) fn untrusted(problem: &str, source: BoxError) -> Self {
        let message = format!("the certificate of the service is not accepted: {problem}");
        let mut error = Self::new(ErrorKind::Transport, message);
        error.0.source = Some(source);
        error.0.is_untrusted = true;
        error
    }

    pub(crate) fn transport(was_sent: bool, source: BoxError) -> Self {
        let message = if was_sent { "the connection broke before the answer" } else { "could not connect" };
        let mut error = Self::new(ErrorKind::Transport, message);
        error.0.was_sent = was_sent;
        error.0.source = Some(source);
        error
    }

    pub(crate) fn timeout(after: Duration) -> Self {
        let mut error = Self::new(ErrorKind::Timeout, format!("no answer within {} s", after.as_secs_f64()));
        error.0.was_sent = true;
        error
    }

    pub(crate) fn oversized(status: StatusCode, headers: HeaderMap, bytes_max: usize) -> Self {
        let message = format!("the answer is larger than {bytes_max} bytes");
        Self::new(ErrorKind::UnreadableAnswer, message).with_answer(
            status,
            headers,
            Bytes::new(),
            Said::default(),
        )
    }

    /// The answer began, and its body did not end.
    pub(crate) fn broke_off(status: StatusCode, headers: HeaderMap, source: BoxError) -> Self {
        let message = "the connection broke within the answer";
        let mut error = Self::new(ErrorKind::Transport, message).with_answer(
            status,
            headers,
            Bytes::new(),
            Said::default(),
        );
        error.0.source = Some(source);
        error
    }

    /// A list that does not obey the rules of lists.
    pub(crate) fn broken_list(message: impl Into<String>) -> Self {
        let mut error = Self::new(ErrorKind::UnreadableAnswer, message);
        error.0.was_sent = true;
        error
    }

    pub(crate) fn refused(status: StatusCode, headers: HeaderMap, body: Bytes) -> Self {
        let mut said = Said::read(&body);
        let message = match said.message.take() {
            Some(message) => shortened(&message, MESSAGE_CHARACTERS_MAX),
            None => redirection(status, &headers)
                .or_else(|| compression(&headers))
                .or_else(|| quote(&body))
                .unwrap_or_else(|| "the answer has no body".to_owned()),
        };
        Self::new(ErrorKind::Refused, message).with_answer(status, headers, body, said)
    }

    pub(crate) fn unreadable(status: StatusCode, headers: HeaderMap, body: Bytes, problem: String) -> Self {
        let problem = compression(&headers).unwrap_or(problem);
        let message = format!("the answer cannot be read: {problem}");
        Self::new(ErrorKind::UnreadableAnswer, message).with_answer(status, headers, body, Said::default())
    }

    fn with_answer(mut self, status: StatusCode, headers: HeaderMap, body: Bytes, said: Said) -> Self {
        self.0.was_sent = true;
        let Said { code, param, error_type, message: _ } = said;
        self.0.answer = Some(Answer { status, headers, body, code, param, error_type });
        self
    }

    pub(crate) fn of(mut self, operation: Operation) -> Self {
        self.0.operation = Some(operation.id);
        self.0.scope = Some(operation.scope);
        self
    }

    /// Adds what only the whole call knows.
    pub(crate) fn describe(&mut self, operation: Operation, attempts: u32, elapsed: Duration, earlier: bool) {
        self.0.operation = Some(operation.id);
        self.0.scope = Some(operation.scope);
        self.0.elapsed = elapsed;
        self.0.earlier_attempt_may_have_succeeded = earlier;
        // A request that could not be built was no attempt.
        self.0.attempts = if self.0.kind == ErrorKind::InvalidRequest { 0 } else { attempts };
    }

    /// An error of a request that is of no operation and was tried once.
    pub(crate) fn after_one_attempt(mut self) -> Self {
        self.0.attempts = 1;
        self
    }

    /// What came of the attempt, for the decision whether to try again; none when no attempt would differ.
    pub(crate) fn outcome(&self) -> Option<Outcome<'_>> {
        match (self.0.kind, &self.0.answer) {
            (ErrorKind::InvalidRequest | ErrorKind::UnreadableAnswer, _) => None,
            _ if self.0.is_untrusted => None,
            (ErrorKind::Refused, Some(Answer { status, headers, code, .. })) => Some(Outcome::Refused {
                status: *status,
                headers,
                code: code.as_deref(),
                message: &self.0.message,
            }),
            _ if self.0.was_sent => Some(Outcome::Unknown),
            _ => Some(Outcome::NotSent),
        }
    }

    /// Whether the service may have acted although the attempt failed.
    pub(crate) fn may_have_happened(&self) -> bool {
        match self.status() {
            Some(status) if self.0.kind == ErrorKind::Refused => status.is_server_error(),
            _ => self.0.was_sent,
        }
    }

    /// The phase in which the call failed.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The id of the operation, such as `add-group-user`; none before a request was made of it.
    pub fn operation(&self) -> Option<&'static str> {
        self.0.operation
    }

    /// Whether the request left this machine, so that the service may have acted on it.
    pub fn was_sent(&self) -> bool {
        self.0.was_sent
    }

    /// The status of the answer, if there was one.
    pub fn status(&self) -> Option<StatusCode> {
        self.0.answer.as_ref().map(|answer| answer.status)
    }

    /// The service's `code`, such as `invalid_api_key`.
    pub fn code(&self) -> Option<&str> {
        self.0.answer.as_ref()?.code.as_deref()
    }

    /// The parameter that the service names.
    pub fn param(&self) -> Option<&str> {
        self.0.answer.as_ref()?.param.as_deref()
    }

    /// The service's `type`, such as `invalid_request_error`.
    pub fn error_type(&self) -> Option<&str> {
        self.0.answer.as_ref()?.error_type.as_deref()
    }

    /// What the service says is wrong, or what this library says.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The id that the service gave the request, for its support and its logs.
    pub fn request_id(&self) -> Option<&str> {
        self.0.answer.as_ref()?.headers.get("x-request-id")?.to_str().ok()
    }

    /// How long the service asks to wait, in a header or in its message.
    pub fn retry_after(&self) -> Option<Duration> {
        let answer = self.0.answer.as_ref()?;
        crate::client::asked_pause(&answer.headers, &self.0.message, crate::client::unix_seconds())
    }

    /// How many times the request was tried: 0 when it could not even be built.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Whether an earlier attempt of this call may have succeeded unseen: then a 404 on a removal may mean that the
    /// removal is done.
    pub fn earlier_attempt_may_have_succeeded(&self) -> bool {
        self.0.earlier_attempt_may_have_succeeded
    }

    /// The headers of the answer, if there was one.
    pub fn headers(&self) -> Option<&HeaderMap> {
        self.0.answer.as_ref().map(|answer| &answer.headers)
    }

    /// The body of the answer, as it came.
    pub fn body(&self) -> Option<&[u8]> {
        Some(&self.0.answer.as_ref()?.body)
    }

    /// Whether the service could not prove who it is: its certificate is not accepted, and nothing was sent.
    pub fn is_untrusted_certificate(&self) -> bool {
        self.0.is_untrusted
    }

    /// Whether the service knows no such group, user or route.
    pub fn is_not_found(&self) -> bool {
        self.status() == Some(StatusCode::NOT_FOUND)
    }

    /// Whether the service has no such route: the base URL is wrong, or the service does not have the operation.
    ///
    /// The service gives this answer no code of its own, so its message decides where there is none.
    pub fn is_unknown_url(&self) -> bool {
        self.is_not_found()
            && (self.code() == Some("unknown_url") || self.0.message.starts_with(UNKNOWN_URL_MESSAGE))
    }

    /// Whether the key is missing or wrong.
    pub fn is_unauthorized(&self) -> bool {
        self.status() == Some(StatusCode::UNAUTHORIZED)
    }

    /// Whether the key may not do this.
    pub fn is_permission_denied(&self) -> bool {
        self.status() == Some(StatusCode::FORBIDDEN)
    }

    /// Whether the service asks to slow down.
    pub fn is_rate_limited(&self) -> bool {
        self.status() == Some(StatusCode::TOO_MANY_REQUESTS)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { message, operation, answer, scope, .. } = &*self.0;
        if let Some(operation) = operation {
            write!(f, "{operation}: ")?;
        }
        if let Some(Answer { status, .. }) = answer {
            write!(f, "{status}: ")?;
        }
        f.write_str(message)?;
        if let Some(request_id) = self.request_id() {
            write!(f, " (request {request_id})")?;
        }
        if let retries @ 1.. = self.0.attempts.saturating_sub(1) {
            let retries_noun = if retries == 1 { "retry" } else { "retries" };
            write!(f, ", after {retries} {retries_noun} in {:.1} s", self.0.elapsed.as_secs_f64())?;
        }
        match (self.status(), scope) {
            (Some(StatusCode::UNAUTHORIZED), _) => f.write_str("; this API needs an admin key (sk-admin-…)"),
            (Some(StatusCode::FORBIDDEN), Some(scope)) => write!(f, "; the key needs the scope {scope}"),
            _ => Ok(()),
        }
    }
}

// A body may hold names and addresses of people, so Debug shows only how long it is, and no message that came with it.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let own_message = self.0.answer.is_none().then_some(&self.0.message);
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("message", &own_message)
            .field("operation", &self.0.operation)
            .field("status", &self.status())
            .field("code", &self.code())
            .field("param", &self.param())
            .field("request_id", &self.request_id())
            .field("was_sent", &self.0.was_sent)
            .field("attempts", &self.0.attempts)
            .field("body_bytes", &self.body().map(<[u8]>::len))
            .field("source", &self.0.source)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn std::error::Error + 'static))
    }
}

impl From<Violation> for Error {
    fn from(violation: Violation) -> Self {
        Self::invalid_request(violation.to_string())
    }
}

impl From<EncodeError> for Error {
    fn from(error: EncodeError) -> Self {
        Self::invalid_request(error.to_string())
    }
}

impl From<Infallible> for Error {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// What an error body says, in any of the forms that have been seen: the envelope, `error` as a bare string, a
/// numeric code; anything else says nothing.
#[derive(Default)]
struct Said {
    message: Option<String>,
    code: Option<String>,
    param: Option<String>,
    error_type: Option<String>,
}

impl Said {
    fn read(body: &[u8]) -> Self {
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

/// Where a service sends its callers instead of answering: the host alone, since the rest may hold secrets.
fn redirection(status: StatusCode, headers: &HeaderMap) -> Option<String> {
    let location = headers.get(http::header::LOCATION).filter(|_| status.is_redirection())?;
    let location = location.to_str().ok().and_then(|location| location.parse::<http::Uri>().ok());
    Some(match location.as_ref().and_then(|location| location.host()) {
        Some(host) => format!("the answer is a redirect to {host}, which is not followed"),
        None => "the answer is a redirect, which is not followed".to_owned(),
    })
}

/// What is said of an answer in an encoding that no request asks for.
fn compression(headers: &HeaderMap) -> Option<String> {
    let encoding = headers.get(http::header::CONTENT_ENCODING)?.to_str().ok()?.trim();
    let is_plain = encoding.is_empty() || encoding.eq_ignore_ascii_case("identity");
    (!is_plain).then(|| format!("it is compressed ({}), which was not asked for", shortened(encoding, 40)))
}

fn quote(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    let quoted = shortened(text.trim(), QUOTED_CHARACTERS_MAX);
    if quoted.is_empty() { None } else { Some(format!("the service answered: {quoted}")) }
}

fn shortened(text: &str, characters_max: usize) -> String {
    match text.char_indices().nth(characters_max) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, body: &'static str) -> Error {
        let status = StatusCode::from_u16(status).expect("a status");
        Error::refused(status, HeaderMap::new(), Bytes::from_static(body.as_bytes()))
    }

    #[test]
    fn every_shape_of_an_error_body_is_read() {
        let envelope =
            refused(404, r#"{"error":{"message":"No group","type":"t","param":"group_id","code":"c"}}"#);
        assert_eq!(envelope.message(), "No group");
        assert_eq!(
            (envelope.code(), envelope.param(), envelope.error_type()),
            (Some("c"), Some("group_id"), Some("t"))
        );
        assert_eq!(refused(403, r#"{"error":"Missing scopes"}"#).message(), "Missing scopes");
        assert_eq!(refused(500, r#"{"error":{"message":"x","code":17}}"#).code(), Some("17"));
        assert_eq!(
            refused(502, "<html>Bad gateway</html>").message(),
            "the service answered: <html>Bad gateway</html>"
        );
        assert_eq!(refused(503, "").message(), "the answer has no body");
        assert_eq!(refused(503, "").status(), Some(StatusCode::SERVICE_UNAVAILABLE));
    }

    #[test]
    fn an_unknown_url_is_told_from_an_unknown_thing() {
        let without_code =
            r#"{"error":{"message":"Invalid URL (GET /v1/x)","type":"invalid_request_error"}}"#;
        assert!(refused(404, without_code).is_unknown_url());
        assert!(!refused(400, without_code).is_unknown_url());
        let with_code = r#"{"error":{"message":"Unknown request URL","code":"unknown_url"}}"#;
        assert!(refused(404, with_code).is_unknown_url());
        let unknown_group = r#"{"error":{"message":"No group","code":"group_not_found"}}"#;
        assert!(!refused(404, unknown_group).is_unknown_url());
        assert!(!refused(404, "").is_unknown_url());
    }

    fn with_headers(status: u16, pairs: &[(&'static str, &'static str)]) -> Error {
        let pairs = pairs.iter().map(|(name, value)| {
            (http::HeaderName::from_static(name), http::HeaderValue::from_static(value))
        });
        let status = StatusCode::from_u16(status).expect("a status");
        Error::refused(status, pairs.collect(), Bytes::from_static(b"<html>"))
    }

    #[test]
    fn a_redirect_names_the_host_and_nothing_else_of_the_place() {
        let error = with_headers(302, &[("location", "https://login.example.com/sso?token=secret")]);
        assert_eq!(error.message(), "the answer is a redirect to login.example.com, which is not followed");
        let error = with_headers(308, &[("location", "/login?token=secret")]);
        assert_eq!(error.message(), "the answer is a redirect, which is not followed");
    }

    #[test]
    fn a_compressed_answer_is_named() {
        let error = with_headers(502, &[("content-encoding", "gzip")]);
        assert_eq!(error.message(), "it is compressed (gzip), which was not asked for");
        let headers = [(http::header::CONTENT_ENCODING, http::HeaderValue::from_static("br"))];
        let error = Error::unreadable(
            StatusCode::OK,
            headers.into_iter().collect(),
            Bytes::from_static(b"\x1f\x8b"),
            "it is not JSON".to_owned(),
        );
        let told = "the answer cannot be read: it is compressed (br), which was not asked for";
        assert_eq!(error.message(), told);
    }

    #[test]
    fn debug_shows_no_body() {
        assert!(!format!("{:?}", refused(400, r#"{"error":{"message":"ada@example.com"}}"#)).contains("ada"));
    }
}
