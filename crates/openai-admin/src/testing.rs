//! A scripted service for tests of programs that use the client. It returns given answers in order.
//!
//! For tests against realistic behavior, use the server of this project in process.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
//! use openai_admin::{Client, testing::Script};
//!
//! let script = Script::new().status(503).times(2).then_ok(r#"{"id":"group_1","name":"Support","created_at":0}"#);
//! let client = Client::builder().base_url("http://localhost/v1").service(script.clone()).build()?;
//! let group = client.groups().retrieve_group("group_1").await?;
//! assert_eq!((&*group.name, script.requests().len()), ("Support", 3));
//! script.assert_finished();
//! # Ok::<(), openai_admin::Error>(())
//! # }).unwrap();
//! ```

use std::{
    collections::VecDeque,
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, StatusCode};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;

use crate::{
    client::{NotConnected, RequestBody},
    error::BoxError,
};

/// A scripted service. Clones share the script and the received requests.
#[derive(Clone, Debug, Default)]
pub struct Script(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    steps: VecDeque<Step>,
    /// The number of requests that had a step.
    played: usize,
    requests: Vec<Received>,
}

/// A request that a [`Script`] received.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Received {
    /// The method.
    pub method: http::Method,
    /// Path and query.
    pub target: String,
    /// The headers.
    pub headers: http::HeaderMap,
    /// The body.
    pub body: Bytes,
    /// When it arrived, by the clock of tokio.
    pub at: tokio::time::Instant,
}

#[derive(Clone, Debug)]
enum Step {
    Answer { status: u16, headers: Vec<(String, String)>, body: Body },
    RefuseConnection,
    Reset,
    Hang,
}

/// The body of an answer.
#[derive(Clone, Debug)]
enum Body {
    Whole(Bytes),
    /// Closes the connection after these bytes.
    Broken(Bytes),
    /// This number of zeros.
    Endless(u64),
    /// Never arrives.
    Hanging,
}

impl Script {
    /// An empty script. A request beyond its end gets a 501 that says so, which the client does not retry (unless a
    /// predicate of its policy says so).
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn step(self, step: Step) -> Self {
        self.state().steps.push_back(step);
        self
    }

    fn change_last(self, change: impl FnOnce(&mut u16, &mut Vec<(String, String)>, &mut Body)) -> Self {
        if let Some(Step::Answer { status, headers, body }) = self.state().steps.back_mut() {
            change(status, headers, body);
        }
        self
    }

    /// Answers with this status and an empty body.
    pub fn status(self, status: u16) -> Self {
        self.step(Step::Answer { status, headers: Vec::new(), body: Body::Whole(Bytes::new()) })
    }

    /// Answers 200 with this body.
    pub fn then_ok(self, body: impl Into<Bytes>) -> Self {
        self.status(200).body(body)
    }

    /// Sets the body of the last answer.
    pub fn body(self, bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        self.change_last(|_, _, body| *body = Body::Whole(bytes))
    }

    /// Closes the connection after these bytes of the last answer's body.
    pub fn broken_body(self, bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        self.change_last(|_, _, body| *body = Body::Broken(bytes))
    }

    /// Sets the body of the last answer to this number of zeros, without a content length.
    pub fn endless_body(self, length: u64) -> Self {
        self.change_last(|_, _, body| *body = Body::Endless(length))
    }

    /// Sends the head of the last answer, but never its body.
    pub fn hanging_body(self) -> Self {
        self.change_last(|_, _, body| *body = Body::Hanging)
    }

    /// Adds a header to the last answer.
    pub fn header(self, name: &str, value: &str) -> Self {
        self.change_last(|_, headers, _| headers.push((name.to_owned(), value.to_owned())))
    }

    /// Refuses the connection. The request is not sent.
    pub fn refuse_connection(self) -> Self {
        self.step(Step::RefuseConnection)
    }

    /// Closes the connection after the request was sent.
    pub fn reset(self) -> Self {
        self.step(Step::Reset)
    }

    /// Accepts the request and never answers.
    pub fn hang(self) -> Self {
        self.step(Step::Hang)
    }

    /// Repeats the last step, for this number of times in total. 0 removes it.
    pub fn times(self, times: usize) -> Self {
        let last = self.state().steps.pop_back();
        if let Some(last) = last {
            self.state().steps.extend(std::iter::repeat_n(last, times));
        }
        self
    }

    /// Fails the test if steps are left: the program sent fewer requests than the script has steps.
    ///
    /// # Panics
    ///
    /// If steps are left.
    #[track_caller]
    pub fn assert_finished(&self) {
        let state = self.state();
        let (played, left) = (state.played, state.steps.len());
        assert!(left == 0, "the script has {left} more steps; {played} steps were played");
    }

    /// The received requests, in order.
    pub fn requests(&self) -> Vec<Received> {
        self.state().requests.clone()
    }
}

impl tower_service::Service<Request<RequestBody>> for Script {
    type Response = http::Response<ScriptedBody>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
        let script = self.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let target = parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
            let method = parts.method;
            let body = body
                .collect()
                .await
                .map(|body| body.to_bytes())
                .unwrap_or_else(|never: Infallible| match never {});
            let (step, played) = {
                let mut state = script.state();
                let step = state.steps.pop_front();
                state.played += usize::from(step.is_some());
                if !matches!(step, Some(Step::RefuseConnection)) {
                    state.requests.push(Received {
                        method: method.clone(),
                        target: target.clone(),
                        headers: parts.headers,
                        body,
                        at: now(),
                    });
                }
                (step, state.played)
            };
            match step {
                Some(Step::Answer { status, headers, body }) => Ok(answer(status, headers, body)),
                Some(Step::RefuseConnection) => Err(NotConnected("refused by the script".into()).into()),
                Some(Step::Reset) => Err("reset by the script".into()),
                Some(Step::Hang) => std::future::pending().await,
                None => Ok(end_of_script(&method, &target, played)),
            }
        })
    }
}

#[expect(clippy::disallowed_methods, reason = "tokio's clock, which tests set")]
fn now() -> tokio::time::Instant {
    tokio::time::Instant::now()
}

/// The answer to a request without a step. A retry would only delay the failure of the test.
fn end_of_script(method: &http::Method, target: &str, played: usize) -> http::Response<ScriptedBody> {
    let steps = if played == 1 { "step" } else { "steps" };
    let message = format!("the script ended after {played} {steps}: no answer to {method} {target}");
    let body = serde_json::json!({ "error": { "message": message, "code": SCRIPT_ENDED } });
    let never = ("x-should-retry".to_owned(), "false".to_owned());
    answer(501, vec![never], Body::Whole(body.to_string().into()))
}

fn answer(status: u16, headers: Vec<(String, String)>, body: Body) -> http::Response<ScriptedBody> {
    let mut response = http::Response::new(ScriptedBody(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in headers {
        // Invalid headers are skipped: no service could send them.
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

/// The body of a scripted answer.
#[derive(Debug)]
pub struct ScriptedBody(Body);

/// The code of the answer to a request beyond the end of a script.
const SCRIPT_ENDED: &str = "script_ended";
/// The chunk size of an endless body.
const ENDLESS_CHUNK: u64 = 64 * 1024;

impl http_body::Body for ScriptedBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut self.0 {
            Body::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Body::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Body::Broken(bytes) if bytes.is_empty() => Poll::Ready(Some(Err("closed by the script".into()))),
            Body::Broken(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Body::Endless(0) => Poll::Ready(None),
            Body::Endless(left) => {
                let length = (*left).min(ENDLESS_CHUNK);
                *left -= length;
                let zeros = vec![0; usize::try_from(length).unwrap_or_default()];
                Poll::Ready(Some(Ok(Frame::data(zeros.into()))))
            }
            // The reader is never woken, except by its own timeout.
            Body::Hanging => Poll::Pending,
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}
