//! Failures of a page: the API's, with its message, code and request id, or the console's.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use openai_admin::Error;

/// The reason of most refusals in a session that may do more.
const READ_ONLY: &str =
    "A session that is not unlocked has no write scopes: unlock it. Otherwise the key lacks the scope.";

/// Why a page cannot be shown.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) status: StatusCode,
    pub(crate) title: &'static str,
    pub(crate) message: Box<str>,
    /// The code of the API's error.
    pub(crate) code: Option<Box<str>>,
    pub(crate) request_id: Option<Box<str>>,
    /// What to do next.
    pub(crate) hint: Option<Box<str>>,
}

impl Failure {
    pub(crate) fn new(status: StatusCode, title: &'static str, message: impl Into<Box<str>>) -> Self {
        Self { status, title, message: message.into(), code: None, request_id: None, hint: None }
    }

    pub(crate) fn hint(self, hint: impl Into<Box<str>>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    pub(crate) fn not_found(message: impl Into<Box<str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "Not found", message)
    }

    pub(crate) fn refused(message: impl Into<Box<str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "Refused", message)
    }

    pub(crate) fn invalid(message: impl Into<Box<str>>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "Check the form", message)
    }

    /// A bug, or a file that cannot be read or written. The message may be shown to administrators.
    pub(crate) fn internal(message: &str) -> Self {
        tracing::error!(message, "a page of the console failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "The page failed", message)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let status = error.status().and_then(|status| StatusCode::from_u16(status.as_u16()).ok());
        let status = status.unwrap_or(StatusCode::BAD_REQUEST);
        let (title, hint) = match status {
            StatusCode::FORBIDDEN => ("Not allowed", Some(READ_ONLY)),
            StatusCode::NOT_FOUND => ("Not found", None),
            StatusCode::SERVICE_UNAVAILABLE => ("Unavailable", Some("Nothing was changed. Try again.")),
            StatusCode::NOT_IMPLEMENTED => ("Not served yet", None),
            StatusCode::TOO_MANY_REQUESTS => ("Too many requests", Some("Wait a minute and try again.")),
            _ => ("Refused by the server", None),
        };
        Self {
            code: error.code().map(Into::into),
            request_id: error.request_id().map(Into::into),
            hint: hint.map(Into::into),
            ..Self::new(status, title, error.message())
        }
    }
}

/// The failure is shown by the layer that knows the session.
impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}
