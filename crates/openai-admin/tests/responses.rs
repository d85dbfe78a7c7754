//! Generated answers: the client never panics, never loses the status and shows no secrets.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::disallowed_methods, reason = "the number of answers comes from the environment")]

use std::{
    convert::Infallible,
    future::Ready,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body_util::Full;
use openai_admin::{Client, ErrorKind, Order, client::RequestBody};
use proptest::prelude::Rng;
use proptest::test_runner::{RngAlgorithm, TestRng};

/// The number of answers. Set `OPENAI_ADMIN_RESPONSES` to change it, for example to a million.
const RESPONSES: u64 = 50_000;

const KEY: &str = "sk-admin-THE-SECRET";
const PERSON: &str = "Ada-THE-PERSON";

/// A service that returns given answers, one for each request.
#[derive(Clone)]
struct Answers(Arc<Mutex<Option<http::Response<Full<Bytes>>>>>);

impl tower::Service<http::Request<RequestBody>> for Answers {
    type Response = http::Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }
    fn call(&mut self, _: http::Request<RequestBody>) -> Self::Future {
        std::future::ready(Ok(self.0.lock().unwrap().take().expect("one request for each answer")))
    }
}

struct Generator(TestRng);

impl Generator {
    fn below(&mut self, bound: usize) -> usize {
        (self.0.next_u64() % bound as u64) as usize
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }

    fn status(&mut self) -> u16 {
        match self.below(4) {
            0 => 200,
            1 => [201, 204, 301, 304, 400, 401, 403, 404, 408, 409, 429, 500, 502, 503, 529][self.below(15)],
            _ => 200 + self.below(800) as u16,
        }
    }

    fn body(&mut self) -> Vec<u8> {
        let page = format!(
            r#"{{"object":"list","data":[{{"id":"user_1","name":"{PERSON}","email":null}}],"has_more":true,"next":"user_1"}}"#
        );
        let error = format!(r#"{{"error":{{"message":"{PERSON}","type":"t","param":null,"code":17}}}}"#);
        let bodies = [
            page.as_str(),
            &error,
            r#"{"error":"bare"}"#,
            "<html>Bad gateway</html>",
            "",
            "null",
            "[[[[[[[[",
            "\u{feff}{}",
        ];
        let mut body = match self.below(2) {
            0 => page.clone().into_bytes(),
            _ => self.pick(&bodies).as_bytes().to_vec(),
        };
        for _ in 0..self.below(4) {
            let at = self.below(body.len() + 1);
            match self.below(5) {
                0 => body.truncate(at),
                1 => body.insert(at, self.0.next_u32() as u8),
                2 if at < body.len() => body[at] ^= 1 << self.below(8),
                3 => drop(body.splice(
                    at..at,
                    self.pick(&["null", "-1e999", "\"", "{", "99999999999999999999", "\\ud800"]).bytes(),
                )),
                _ => body.extend_from_within(at..),
            }
        }
        body
    }

    fn response(&mut self) -> http::Response<Full<Bytes>> {
        let mut response = http::Response::new(Full::new(Bytes::from(self.body())));
        *response.status_mut() = http::StatusCode::from_u16(self.status()).unwrap();
        for _ in 0..self.below(4) {
            let name = self.pick(&[
                "retry-after",
                "retry-after-ms",
                "x-should-retry",
                "x-request-id",
                "content-type",
                "content-length",
            ]);
            let value = self.pick(&[
                "0",
                "-1",
                "1e309",
                "NaN",
                "true",
                "false",
                "Thu, 01 Jan 1970 00:00:00 GMT",
                "\u{e9}",
                "86400",
            ]);
            response.headers_mut().insert(name, http::HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        response
    }
}

#[tokio::test]
async fn no_answer_causes_a_panic_loses_the_status_or_shows_a_secret() {
    let responses = match std::env::var("OPENAI_ADMIN_RESPONSES") {
        Ok(responses) => responses.parse().expect("a number"),
        Err(_) => RESPONSES,
    };
    let slot = Arc::new(Mutex::new(None));
    let client = Client::builder()
        .key(KEY)
        .retries(0)
        .base_url("http://localhost")
        .service(Answers(Arc::clone(&slot)));
    let client = client.build().unwrap();
    let mut generator = Generator(TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]));
    let (mut read, mut refused, mut unreadable) = (0, 0, 0);
    for _ in 0..responses {
        let response = generator.response();
        let status = response.status();
        *slot.lock().unwrap() = Some(response);
        match client.group_users().list_group_users("group_1").order(Order::Asc).await {
            Ok(page) => {
                read += 1;
                assert_eq!(page.status(), status);
                assert!(status.is_success());
                let shown = format!("{page:?}");
                assert!(!shown.contains(PERSON) && !shown.contains(KEY), "{shown}");
            }
            Err(error) => {
                assert_eq!(error.status(), Some(status));
                assert!(error.was_sent());
                match error.kind() {
                    ErrorKind::Refused => refused += 1,
                    ErrorKind::UnreadableAnswer => unreadable += 1,
                    other => panic!("{other:?}"),
                }
                let shown = format!("{error:?}");
                assert!(!shown.contains(PERSON) && !shown.contains(KEY), "{shown}");
                assert!(!error.to_string().contains(KEY));
                let _ = (error.retry_after(), error.request_id(), error.code(), error.body());
            }
        }
    }
    let least = responses / 50;
    assert!(read > least && refused > least && unreadable > least, "{read} {refused} {unreadable}");
}
