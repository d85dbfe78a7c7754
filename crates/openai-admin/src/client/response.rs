use std::ops::Deref;

use http::{HeaderMap, StatusCode};

/// An answer: the model, and the envelope it came in.
///
/// It dereferences to the model, so its fields are read as if there were no envelope.
#[derive(Clone, Debug)]
pub struct Response<T> {
    model: T,
    status: StatusCode,
    headers: HeaderMap,
}

impl<T> Response<T> {
    pub(crate) fn new(model: T, status: StatusCode, headers: HeaderMap) -> Self {
        Self { model, status, headers }
    }

    /// The model alone.
    pub fn into_inner(self) -> T {
        self.model
    }

    /// The status of the answer; always a success.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers of the answer.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The id that the service gave the request, for its support and its logs.
    pub fn request_id(&self) -> Option<&str> {
        self.headers.get("x-request-id")?.to_str().ok()
    }
}

impl<T> Deref for Response<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.model
    }
}
