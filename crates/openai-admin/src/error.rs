//! Errors of calls.

mod answer_text;

use std::{convert::Infallible, fmt, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use self::answer_text::{ErrorFields, compression, quote, redirection, shortened};
use crate::{
    Scope, client::Outcome, endpoint::Operation, one_field::InvalidField, violation::Violation,
    wire::EncodeError,
};

/// The start of the service's message about an unknown URL: `Invalid URL (GET /v1/organization/colours)`.
const UNKNOWN_URL_MESSAGE: &str = "Invalid URL";
/// The message of a refusal in `Debug`.
const HIDDEN_MESSAGE: &str =
    "hidden, because it may contain personal data: format the error with {}, or call message()";
/// The maximum length of the service's message, in characters.
const MESSAGE_CHARACTERS_MAX: usize = 2000;

/// A failed call.
///
/// [`kind`](Self::kind) returns the phase of the failure, and [`was_sent`](Self::was_sent) whether the service may have
/// acted on the request. Other methods return the service's answer.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: String,
    was_sent: bool,
    operation: Option<&'static str>,
    scope: Option<Scope>,
    /// The parameter that this library refused.
    param: Option<&'static str>,
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
    /// The request or the client's configuration is invalid. Nothing was sent.
    InvalidRequest,
    /// The client could not connect, or the connection broke.
    Transport,
    /// No complete answer arrived in time.
    Timeout,
    /// The service refused the request: the status is not a success.
    Refused,
    /// The answer does not match the operation.
    UnreadableAnswer,
    /// Several resources match a name.
    Ambiguous,
}

impl ErrorKind {
    /// A name for logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::Transport => "transport",
            Self::Timeout => "timeout",
            Self::Refused => "refused",
            Self::UnreadableAnswer => "unreadable_answer",
            Self::Ambiguous => "ambiguous",
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
            param: None,
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

    /// An argument that no request can have.
    pub(crate) fn of_argument(operation: Operation, name: &'static str, mut problem: Self) -> Self {
        problem.0.message = format!("Invalid '{name}': {}", problem.0.message);
        problem.0.param = Some(name);
        problem.of(operation)
    }

    /// The service's certificate is not accepted. A retry would not help, and nothing was sent.
    pub(crate) fn untrusted(problem: &str, source: BoxError) -> Self {
        let message = format!("the certificate of the service is not accepted: {problem}");
        let mut error = Self::new(ErrorKind::Transport, message);
        error.0.source = Some(source);
        error.0.is_untrusted = true;
        error
    }

    pub(crate) fn transport(was_sent: bool, source: BoxError) -> Self {
        let message = if was_sent { "the connection closed before the answer" } else { "could not connect" };
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
            ErrorFields::default(),
        )
    }

    /// The body of the answer is incomplete.
    pub(crate) fn incomplete_body(status: StatusCode, headers: HeaderMap, source: BoxError) -> Self {
        let message = "the connection closed in the middle of the answer";
        let mut error = Self::new(ErrorKind::Transport, message).with_answer(
            status,
            headers,
            Bytes::new(),
            ErrorFields::default(),
        );
        error.0.source = Some(source);
        error
    }

    /// Several resources match a name, so that only an id can tell which one is meant.
    pub(crate) fn ambiguous(message: String) -> Self {
        let mut error = Self::new(ErrorKind::Ambiguous, message);
        error.0.was_sent = true;
        error
    }

    /// A list that violates the rules of pagination.
    pub(crate) fn broken_list(message: impl Into<String>) -> Self {
        let mut error = Self::new(ErrorKind::UnreadableAnswer, message);
        error.0.was_sent = true;
        error
    }

    pub(crate) fn refused(status: StatusCode, headers: HeaderMap, body: Bytes) -> Self {
        let mut fields = ErrorFields::read(&body);
        let message = match fields.message.take() {
            Some(message) => shortened(&message, MESSAGE_CHARACTERS_MAX),
            None => redirection(status, &headers)
                .or_else(|| compression(&headers))
                .or_else(|| quote(&body))
                .unwrap_or_else(|| "the answer has no body".to_owned()),
        };
        Self::new(ErrorKind::Refused, message).with_answer(status, headers, body, fields)
    }

    pub(crate) fn unreadable(status: StatusCode, headers: HeaderMap, body: Bytes, problem: String) -> Self {
        let problem = compression(&headers).unwrap_or(problem);
        let message = format!("the answer cannot be read: {problem}");
        Self::new(ErrorKind::UnreadableAnswer, message).with_answer(
            status,
            headers,
            body,
            ErrorFields::default(),
        )
    }

    fn with_answer(
        mut self,
        status: StatusCode,
        headers: HeaderMap,
        body: Bytes,
        fields: ErrorFields,
    ) -> Self {
        self.0.was_sent = true;
        let ErrorFields { code, param, error_type, message: _ } = fields;
        self.0.answer = Some(Answer { status, headers, body, code, param, error_type });
        self
    }

    pub(crate) fn of(mut self, operation: Operation) -> Self {
        self.0.operation = Some(operation.id);
        self.0.scope = Some(operation.scope);
        self
    }

    /// Adds the facts that only the whole call knows.
    pub(crate) fn describe(&mut self, operation: Operation, attempts: u32, elapsed: Duration, earlier: bool) {
        self.0.operation = Some(operation.id);
        self.0.scope = Some(operation.scope);
        self.0.elapsed = elapsed;
        self.0.earlier_attempt_may_have_succeeded = earlier;
        // A request that could not be built is not an attempt.
        self.0.attempts = if self.0.kind == ErrorKind::InvalidRequest { 0 } else { attempts };
    }

    /// An error of a request without an operation, after a single attempt.
    pub(crate) fn after_one_attempt(mut self) -> Self {
        self.0.attempts = 1;
        self
    }

    /// The outcome of the attempt, for the decision to retry. `None` if a retry would not help.
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

    /// Whether the service may have acted on the failed attempt.
    pub(crate) fn may_have_happened(&self) -> bool {
        match self.status() {
            Some(status) if self.0.kind == ErrorKind::Refused => status.is_server_error(),
            _ => self.0.was_sent,
        }
    }

    /// The phase of the failure.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The id of the operation, such as `add-group-user`. `None` before its request was built.
    pub fn operation(&self) -> Option<&'static str> {
        self.0.operation
    }

    /// Whether the request was sent, so that the service may have acted on it.
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

    /// The parameter that the service reports as invalid, or that this library refused before anything was sent.
    pub fn param(&self) -> Option<&str> {
        match &self.0.answer {
            Some(answer) => answer.param.as_deref(),
            None => self.0.param,
        }
    }

    /// The service's `type`, such as `invalid_request_error`.
    pub fn error_type(&self) -> Option<&str> {
        self.0.answer.as_ref()?.error_type.as_deref()
    }

    /// The service's message, or this library's.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The id of the request for the service's support and logs.
    pub fn request_id(&self) -> Option<&str> {
        self.0.answer.as_ref()?.headers.get("x-request-id")?.to_str().ok()
    }

    /// The time to wait before a retry, from a header or from the message.
    pub fn retry_after(&self) -> Option<Duration> {
        let answer = self.0.answer.as_ref()?;
        crate::client::asked_pause(&answer.headers, &self.0.message, crate::client::unix_seconds())
    }

    /// The number of attempts. 0 if the request could not be built.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Whether an earlier attempt of this call may have succeeded. If so, a 404 of a removal may mean that it is done.
    pub fn earlier_attempt_may_have_succeeded(&self) -> bool {
        self.0.earlier_attempt_may_have_succeeded
    }

    /// The headers of the answer, if there was one.
    pub fn headers(&self) -> Option<&HeaderMap> {
        self.0.answer.as_ref().map(|answer| &answer.headers)
    }

    /// The raw body of the answer.
    pub fn body(&self) -> Option<&[u8]> {
        Some(&self.0.answer.as_ref()?.body)
    }

    /// Whether the service's certificate was not accepted. Nothing was sent.
    pub fn is_untrusted_certificate(&self) -> bool {
        self.0.is_untrusted
    }

    /// Whether the group, the user or the URL is unknown to the service.
    pub fn is_not_found(&self) -> bool {
        self.status() == Some(StatusCode::NOT_FOUND)
    }

    /// Whether the URL is unknown to the service: the base URL is wrong, or the service does not have the operation.
    ///
    /// The service sends no code with this error, so the message decides.
    pub fn is_unknown_url(&self) -> bool {
        self.is_not_found()
            && (self.code() == Some("unknown_url") || self.0.message.starts_with(UNKNOWN_URL_MESSAGE))
    }

    /// Whether the key is missing or invalid.
    pub fn is_unauthorized(&self) -> bool {
        self.status() == Some(StatusCode::UNAUTHORIZED)
    }

    /// Whether the key lacks permission.
    pub fn is_permission_denied(&self) -> bool {
        self.status() == Some(StatusCode::FORBIDDEN)
    }

    /// Whether the service limits the request rate.
    pub fn is_rate_limited(&self) -> bool {
        self.status() == Some(StatusCode::TOO_MANY_REQUESTS)
    }

    /// Whether the change conflicts with the current state, or with another change.
    pub fn is_conflict(&self) -> bool {
        self.status() == Some(StatusCode::CONFLICT)
    }

    /// Whether the service failed: its status is 500 or more.
    pub fn is_server_error(&self) -> bool {
        self.status().is_some_and(|status| status.is_server_error())
    }

    /// Whether no answer came in time.
    pub fn is_timeout(&self) -> bool {
        self.kind() == ErrorKind::Timeout
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

// Personal data may be in a body, so `Debug` shows only its length, and where the service's message is.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = if self.0.answer.is_none() { &self.0.message } else { HIDDEN_MESSAGE };
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("message", &message)
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

impl From<InvalidField> for Error {
    fn from(invalid: InvalidField) -> Self {
        let mut error = Self::invalid_request(invalid.to_string());
        error.0.param = Some(invalid.field());
        error
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

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, body: &'static str) -> Error {
        let status = StatusCode::from_u16(status).expect("a status");
        Error::refused(status, HeaderMap::new(), Bytes::from_static(body.as_bytes()))
    }

    #[test]
    fn every_form_of_an_error_body_is_read() {
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
    fn an_unknown_url_differs_from_an_unknown_id() {
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
    fn a_redirect_is_reported_with_its_host_only() {
        let error = with_headers(302, &[("location", "https://login.example.com/sso?token=secret")]);
        assert_eq!(
            error.message(),
            "the answer is a redirect to login.example.com; redirects are not followed"
        );
        let error = with_headers(308, &[("location", "/login?token=secret")]);
        assert_eq!(error.message(), "the answer is a redirect; redirects are not followed");
    }

    #[test]
    fn a_compressed_answer_is_reported() {
        let error = with_headers(502, &[("content-encoding", "gzip")]);
        assert_eq!(error.message(), "it is compressed (gzip) without request");
        let headers = [(http::header::CONTENT_ENCODING, http::HeaderValue::from_static("br"))];
        let error = Error::unreadable(
            StatusCode::OK,
            headers.into_iter().collect(),
            Bytes::from_static(b"\x1f\x8b"),
            "it is not JSON".to_owned(),
        );
        let told = "the answer cannot be read: it is compressed (br) without request";
        assert_eq!(error.message(), told);
    }

    #[test]
    fn debug_shows_no_body_and_says_how_to_see_the_message() {
        let shown = format!("{:?}", refused(400, r#"{"error":{"message":"ada@example.com"}}"#));
        assert!(!shown.contains("ada") && shown.contains("format the error with {}"), "{shown}");
        let own = format!("{:?}", Error::invalid_request("the key is empty"));
        assert!(own.contains(r#"message: "the key is empty""#), "{own}");
    }
}
