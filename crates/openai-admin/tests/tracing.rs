//! The spans of the client have OpenTelemetry's names, and contain no ids, names or keys.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use openai_admin::{Client, testing::Script};
use tracing_subscriber::fmt::{MakeWriter, format::FmtSpan};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_is_a_span_with_a_span_for_each_attempt_and_no_ids() {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_span_events(FmtSpan::CLOSE)
        .with_ansi(false)
        .with_writer(lines.clone())
        .finish();
    let _default = tracing::subscriber::set_default(subscriber);

    let person = r#"{"id":"group_secret","name":"Ada","created_at":0}"#;
    let script = Script::new().status(503).then_ok(person);
    let client =
        Client::builder().key("sk-admin-secret").base_url("http://localhost:8080/v1").service(script);
    client.build().unwrap().groups().retrieve_group("group_secret").await.unwrap();

    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    for wanted in [
        "otel.name=\"retrieve-group\"",
        "otel.kind=\"client\"",
        "http.request.method=\"GET\"",
        "url.template=\"/organization/groups/{group_id}\"",
        "server.address=\"localhost\"",
        "server.port=8080",
        "http.response.status_code=200",
        "attempt{http.request.resend_count=0}: openai_admin::client: close",
        "attempt{http.request.resend_count=1}: openai_admin::client: close",
    ] {
        assert!(text.contains(wanted), "no {wanted} in:\n{text}");
    }
    assert!(!text.contains("secret") && !text.contains("Ada"), "{text}");
}
