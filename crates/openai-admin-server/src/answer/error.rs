//! Turns errors into a status and a body.

use std::{fmt, time::Duration};

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use openai_admin::{
    Scope,
    wire::{self, DecodeError},
};
use openai_admin_store::Error as StoreError;
use serde::Serialize;

use crate::answer::{
    published::PublishedOperation,
    rules::{self, Rule},
};

pub(crate) const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");

/// The `param` of errors about the header.
const IDEMPOTENCY_KEY: &str = "Idempotency-Key";

/// The `Retry-After` in seconds when the database is overloaded or unavailable.
const UNAVAILABLE_RETRY_SECONDS: u64 = 1;
/// The longest quote of a path or a method in an error message, in characters.
const QUOTED_CHARACTERS_MAX: usize = 200;

/// An error response.
#[derive(Debug)]
pub(crate) struct ApiError {
    rule: Rule,
    message: String,
    param: Option<String>,
    retry_after: Option<u64>,
    /// For the operator's log; the caller must not see it.
    cause: Option<Box<FailureCause>>,
}

/// The cause of a failure, passed to the log in the response's extensions.
#[derive(Clone)]
pub(crate) struct FailureCause(pub(crate) StoreError);

/// Hides the cause, which is for the operator's log only.
impl fmt::Debug for FailureCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FailureCause(…)")
    }
}

/// The error object of an answer. All four fields are always present.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "Error")]
pub(crate) struct ErrorBody<'a> {
    /// The problem and the next step.
    message: &'a str,
    /// The kind of error, such as `invalid_request_error`.
    r#type: &'a str,
    /// The invalid parameter.
    param: Option<&'a str>,
    /// The error code, for programs.
    code: Option<&'a str>,
}

/// The envelope of an error.
#[derive(Serialize, schemars::JsonSchema)]
pub(crate) struct ErrorResponse<'a> {
    error: ErrorBody<'a>,
}

impl ApiError {
    fn new(rule: Rule, message: impl Into<String>) -> Self {
        Self { rule, message: message.into(), param: None, retry_after: None, cause: None }
    }

    fn of_param(self, param: impl Into<String>) -> Self {
        Self { param: Some(param.into()), ..self }
    }

    pub(crate) fn unknown_url(method: &str, path: &str) -> Self {
        Self::new(rules::UNKNOWN_URL, format!("Invalid URL ({} {})", quoted(method), quoted(path)))
    }

    /// A published operation that this server does not support.
    pub(crate) fn not_served(operation: PublishedOperation) -> Self {
        let PublishedOperation { id, method, path, .. } = operation;
        let message = format!(
            "This server does not support '{id}' ({method} {path}) yet. Its page /docs shows the supported operations; \
             `openai-admin coverage` lists every operation of the API."
        );
        Self::new(rules::NOT_SERVED, message)
    }

    pub(crate) fn method_not_allowed(method: &str, allow: HeaderValue) -> Response {
        let mut response = Self::not_allowed(method, &allow).into_response();
        response.headers_mut().insert(header::ALLOW, allow);
        response
    }

    pub(crate) fn not_allowed(method: &str, allow: &HeaderValue) -> Self {
        let (method, allow) = (quoted(method), allow.to_str().unwrap_or_default());
        let message = format!("Not allowed to {method} here. Allowed are: {allow}.");
        Self::new(rules::METHOD_NOT_ALLOWED, message)
    }

    pub(crate) fn no_key() -> Self {
        let message = "You didn't provide an API key. You need to provide your API key in an Authorization header \
                       using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).";
        Self::new(rules::NO_KEY, message)
    }

    /// A key that is not valid. `redacted` are its ends; `is_mistyped` means that its checksum is wrong.
    pub(crate) fn wrong_key(redacted: &str, is_mistyped: bool) -> Self {
        let next_step = if is_mistyped {
            "It looks mistyped: its checksum does not match."
        } else {
            "`openai-admin keys list` shows the keys of this server."
        };
        let message = format!("Incorrect API key provided: {redacted}. {next_step}");
        Self::new(rules::WRONG_KEY, message)
    }

    /// The key of a session of the web console ended while the session was in use.
    pub(crate) fn ended_session_key() -> Self {
        let message = "Incorrect API key provided: the key of this session was revoked or has expired.";
        Self::new(rules::WRONG_KEY, message)
    }

    pub(crate) fn several_keys() -> Self {
        let message = "Incorrect API key provided: your request has more than one Authorization header.";
        Self::new(rules::WRONG_KEY, message)
    }

    pub(crate) fn mismatched_organization() -> Self {
        let message = "OpenAI-Organization header should match organization for API key.";
        Self::new(rules::MISMATCHED_ORGANIZATION, message)
    }

    pub(crate) fn wrong_host(problem: &str) -> Self {
        Self::new(rules::WRONG_HOST, format!("Invalid 'Host': {problem}."))
    }

    pub(crate) fn missing_scope(scope: Scope) -> Self {
        let message = format!(
            "You have insufficient permissions for this operation. Missing scopes: {scope}. Check that you have the \
             correct role in your organization, and if you're using a restricted API key, that it has the necessary \
             scopes."
        );
        Self::new(rules::MISSING_SCOPE, message)
    }

    pub(crate) fn rate_limited(wait: Duration) -> Self {
        let retry_after_seconds = whole_seconds(wait);
        let message =
            format!("Rate limit reached for this key. Please try again after {retry_after_seconds} seconds.");
        Self { retry_after: Some(retry_after_seconds), ..Self::new(rules::RATE_LIMITED, message) }
    }

    pub(crate) fn too_many_wrong_keys(wait: Duration) -> Self {
        let retry_after_seconds = whole_seconds(wait);
        let message = format!(
            "Too many requests with unknown keys came from your address. Please try again after \
             {retry_after_seconds} seconds."
        );
        Self { retry_after: Some(retry_after_seconds), ..Self::new(rules::TOO_MANY_WRONG_KEYS, message) }
    }

    pub(crate) fn too_many_sign_ins(wait: Duration) -> Self {
        let retry_after_seconds = whole_seconds(wait);
        let message = format!(
            "This key signed in or unlocked a session too often. Please try again after {retry_after_seconds} seconds."
        );
        Self { retry_after: Some(retry_after_seconds), ..Self::new(rules::RATE_LIMITED, message) }
    }

    pub(crate) fn needs_tls() -> Self {
        let message = "This server accepts only HTTPS, and your request was not encrypted. Use a URL that starts with \
                       https://, and replace the key that you sent if others may have seen it.";
        Self::new(rules::NEEDS_TLS, message)
    }

    /// A request that timed out. If it `changes` something, the outcome is unknown.
    pub(crate) fn took_too_long(changes: bool) -> Self {
        if changes {
            let message = "The change took too long. It may or may not have happened: check the state before you retry.";
            return Self::new(rules::OUTCOME_UNKNOWN, message);
        }
        Self {
            retry_after: Some(UNAVAILABLE_RETRY_SECONDS),
            ..Self::new(rules::UNAVAILABLE, "The request took too long.")
        }
    }

    pub(crate) fn unsupported_content_type(got: Option<&str>, takes_lines: bool) -> Self {
        let got = got.map_or("no Content-Type".to_owned(), |got| format!("'{got}'"));
        let or_lines = if takes_lines { format!(" or '{}'", wire::JSON_LINES[0]) } else { String::new() };
        let message = format!(
            "Unsupported content type: expected 'application/json'{or_lines}, but got {got} instead."
        );
        Self::new(rules::UNSUPPORTED_CONTENT_TYPE, message)
    }

    pub(crate) fn body_too_large(bytes_max: usize) -> Self {
        Self::new(
            rules::BODY_TOO_LARGE,
            format!("The body of your request is larger than {bytes_max} bytes."),
        )
    }

    pub(crate) fn body_too_slow(seconds: u64) -> Self {
        Self::new(
            rules::BODY_TOO_SLOW,
            format!("The body of your request did not arrive within {seconds} seconds."),
        )
    }

    pub(crate) fn invalid_idempotency_key(problem: &str) -> Self {
        let message = format!("Invalid 'Idempotency-Key': {problem}.");
        Self::new(rules::INVALID_IDEMPOTENCY_KEY, message).of_param(IDEMPOTENCY_KEY)
    }

    pub(crate) fn broken_body() -> Self {
        Self::new(rules::MALFORMED_BODY, "The body of your request is incomplete.")
    }

    pub(crate) fn internal() -> Self {
        let message = "The server had an error while processing your request. Its log has the cause, under the request id.";
        Self::new(rules::INTERNAL, message)
    }

    fn caused_by(self, cause: StoreError) -> Self {
        Self { cause: Some(Box::new(FailureCause(cause))), ..self }
    }

    /// Names the line of a record in a body of JSON lines. `line_of` finds the line of a record of a list.
    pub(crate) fn in_lines(self, line_of: impl Fn(&str, usize) -> Option<usize>) -> Self {
        let record = self.param.as_deref().and_then(|param| {
            let (list, rest) = param.split_once('[')?;
            let (index, field) = rest.split_once(']')?;
            let line = line_of(list, index.parse().ok()?)?;
            Some((line, format!("{list}[{index}]"), list.to_owned(), field.to_owned()))
        });
        let Some((line, record, list, field)) = record else { return self };
        let message = format!("Line {line}: {}", self.message.replace(&record, &list));
        Self { message, ..self.of_param(list + &field) }
    }

    /// Names the parameter as the path of the operation does.
    pub(crate) fn in_path(self, path: &str) -> Self {
        let other = |found: &&rules::NotFound| Some(&*found.param) == self.param.as_deref();
        let other = rules::of_kinds().iter().find(other).and_then(|found| found.other_param);
        match other.filter(|other| path.contains(&format!("{{{other}}}"))) {
            Some(other) => self.of_param(other),
            None => self,
        }
    }

    /// The rule of this error.
    pub(crate) fn rule(&self) -> Rule {
        self.rule
    }

    /// The body of the answer.
    pub(crate) fn body(&self) -> Vec<u8> {
        let error = ErrorBody {
            message: &self.message,
            r#type: self.error_type(),
            param: self.param.as_deref(),
            code: self.rule.code,
        };
        let body = if self.rule.bare_body {
            serde_json::to_vec(&serde_json::json!({ "error": self.message }))
        } else {
            serde_json::to_vec(&ErrorResponse { error })
        };
        body.unwrap_or_default()
    }

    /// The message for the caller.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.rule.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_type(&self) -> &'static str {
        if self.rule.status >= 500 { "server_error" } else { "invalid_request_error" }
    }
}

impl From<DecodeError> for ApiError {
    fn from(error: DecodeError) -> Self {
        let new = Self::new(rules::violation(error.code()), error.to_string());
        match error.param() {
            Some(param) => new.of_param(param),
            None => new,
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        let message = sentence(&error.to_string());
        match error {
            StoreError::NotFound { kind, .. } => {
                let not_found = rules::not_found(kind);
                Self::new(not_found.rule(), message).of_param(&not_found.param)
            }
            StoreError::NotMember { .. } => Self::new(rules::NOT_A_MEMBER, message).of_param("user_id"),
            StoreError::NotInProject { kind, .. } => {
                Self::new(rules::NOT_IN_PROJECT, message).of_param(format!("{}_id", kind.name()))
            }
            StoreError::AlreadyExists { field, .. } => {
                Self::new(rules::ALREADY_EXISTS, message).of_param(field)
            }
            StoreError::UnknownCursor(cursor) => {
                let message = format!(
                    "Invalid 'after': '{cursor}' is not a cursor of this list. Use the cursor of a page of this list, \
                     or the id of one of its items."
                );
                Self::new(rules::UNKNOWN_CURSOR, message).of_param("after")
            }
            StoreError::ManagedGroup(_) => {
                let message = format!("{}; change it there.", message.trim_end_matches('.'));
                Self::new(rules::MANAGED_GROUP, message).of_param("group_id")
            }
            StoreError::Refused { refusal, .. } => {
                let message = format!("{message} {}", refusal.next());
                let refused = Self::new(rules::refused(refusal), message);
                match refusal.param() {
                    "" => refused,
                    param => refused.of_param(param),
                }
            }
            StoreError::InvalidValue { field, expected } => {
                Self::new(rules::INVALID_VALUE, format!("Invalid '{field}': expected {expected}."))
                    .of_param(field)
            }
            StoreError::IdempotencyKeyReused => {
                Self::new(rules::IDEMPOTENCY_KEY_REUSED, message).of_param(IDEMPOTENCY_KEY)
            }
            StoreError::IdempotentAnswerDeleted => {
                Self::new(rules::IDEMPOTENT_ANSWER_DELETED, message).of_param(IDEMPOTENCY_KEY)
            }
            StoreError::IdempotentAnswerSecret => {
                Self::new(rules::IDEMPOTENT_ANSWER_SECRET, message).of_param(IDEMPOTENCY_KEY)
            }
            StoreError::Conflict | StoreError::Overloaded | StoreError::Unavailable(_) => {
                let unavailable = Self::new(rules::UNAVAILABLE, message).caused_by(error);
                Self { retry_after: Some(UNAVAILABLE_RETRY_SECONDS), ..unavailable }
            }
            StoreError::OutcomeUnknown(_) => Self::new(rules::OUTCOME_UNKNOWN, message).caused_by(error),
            _ => Self::internal().caused_by(error),
        }
    }
}

/// The start of a client's text.
fn quoted(text: &str) -> &str {
    text.char_indices().nth(QUOTED_CHARACTERS_MAX).map_or(text, |(end, _)| &text[..end])
}

/// Rounded up, so that the wait is over after this time.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", characters.as_str())
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body()));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if self.rule.status == 401 {
            let challenge = HeaderValue::from_static("Bearer realm=\"OpenAI API\"");
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        if self.rule.is_final {
            headers.insert(SHOULD_RETRY, HeaderValue::from_static("false"));
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(cause) = self.cause {
            response.extensions_mut().insert(*cause);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn no_answer_repeats_a_cause() {
        let cause = || Arc::new(std::io::Error::other("insert into users values ('Ada') at /srv/admin.db"));
        for error in [
            StoreError::Unavailable(cause()),
            StoreError::OutcomeUnknown(cause()),
            StoreError::Internal(cause()),
        ] {
            // The parts of the body that are not constants.
            let ApiError { message, param, .. } = ApiError::from(error);
            let said = format!("{message} {param:?}");
            assert!(!said.contains("insert") && !said.contains("Ada") && !said.contains("/srv"), "{said}");
        }
    }

    #[test]
    fn only_errors_without_effect_can_be_retried() {
        let cause = || Arc::new(std::io::Error::other("gone"));
        for error in [StoreError::Unavailable(cause()), StoreError::Overloaded, StoreError::Conflict] {
            let answer = ApiError::from(error).into_response();
            assert_eq!(answer.status(), 503);
            assert!(answer.headers().contains_key(header::RETRY_AFTER));
            assert!(!answer.headers().contains_key(SHOULD_RETRY));
        }
        let unknown = ApiError::from(StoreError::OutcomeUnknown(cause()));
        assert!(unknown.message.contains("may or may not have happened"), "{}", unknown.message);
        let answer = unknown.into_response();
        assert_eq!(answer.status(), 500);
        assert!(!answer.headers().contains_key(header::RETRY_AFTER));
        assert_eq!(answer.headers()[SHOULD_RETRY], "false");
    }
}
