//! Traces at a collector with a real socket, decoded with the types of the protocol.

use std::time::Duration;

use axum::http::header::HeaderName;
use openai_admin_server::{Config, Traces};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value},
    trace::v1::{Span, span::SpanKind, status::StatusCode},
};
use prost::Message as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

use crate::support::TestServer;

/// Receives one batch and decodes it.
async fn receive(stream: &mut TcpStream) -> Option<(String, ExportTraceServiceRequest)> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            let body = &bytes[end + 4..];
            if body.len() == length.parse::<usize>().unwrap() {
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
                return Some((head, ExportTraceServiceRequest::decode(body).unwrap()));
            }
        }
        if stream.read_buf(&mut bytes).await.unwrap() == 0 {
            return None;
        }
    }
}

fn attribute<'a>(attributes: &'a [KeyValue], name: &str) -> &'a Value {
    let found = attributes.iter().find(|attribute| attribute.key == name);
    found
        .and_then(|attribute| attribute.value.as_ref()?.value.as_ref())
        .unwrap_or_else(|| panic!("no {name}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_gets_a_span_for_each_request_without_ids() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}/v1/traces", listener.local_addr().unwrap());
    let (sender, mut received) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            while let Some(batch) = receive(&mut stream).await {
                sender.send(batch).unwrap();
            }
        }
    });

    let traces = Traces::export_to(&endpoint).unwrap();
    let server = TestServer::with(Config::default().with_traces(Some(traces.clone()))).await;
    let group = server.group("Support").await;
    let mut request = server.request("GET", &format!("/v1/organization/groups/{group}"), "");
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    request.headers_mut().insert(HeaderName::from_static("traceparent"), parent.parse().unwrap());
    server.send(request).await;
    server.get("/v1/organization/groups/group_unknown").await;
    server.store.close().await;
    server.get(&format!("/v1/organization/groups/{group}")).await;
    traces.close().await;

    let mut spans: Vec<Span> = Vec::new();
    while spans.len() < 4 {
        let batch = tokio::time::timeout(Duration::from_secs(20), received.recv()).await;
        let (head, batch) = batch.expect("it arrives").unwrap();
        assert!(
            head.starts_with("post /v1/traces ") && head.contains("content-type: application/x-protobuf"),
            "{head}"
        );
        let shown = format!("{batch:?}");
        for secret in [group.as_str(), "group_unknown", "Support", "sk-admin"] {
            assert!(!shown.contains(secret), "{secret} in {shown}");
        }
        for resource in batch.resource_spans {
            let service = attribute(&resource.resource.as_ref().unwrap().attributes, "service.name");
            assert_eq!(service, &Value::StringValue("openai-admin".to_owned()));
            spans.extend(resource.scope_spans.into_iter().flat_map(|scope| scope.spans));
        }
    }
    let told: Vec<(&str, &Value, bool)> = spans
        .iter()
        .map(|span| {
            let failed = span.status.as_ref().is_some_and(|status| status.code() == StatusCode::Error);
            (span.name.as_str(), attribute(&span.attributes, "http.response.status_code"), failed)
        })
        .collect();
    let status = |status| Value::IntValue(status);
    assert_eq!(
        told,
        [
            ("create-group", &status(200), false),
            ("retrieve-group", &status(200), false),
            ("retrieve-group", &status(404), false),
            ("retrieve-group", &status(503), true),
        ]
    );
    assert!(spans.iter().all(|span| span.kind() == SpanKind::Server));
    assert!(spans.iter().all(|span| span.end_time_unix_nano >= span.start_time_unix_nano));
    // The span of the caller is the parent.
    assert_eq!(spans[1].parent_span_id, [0xb7, 0xad, 0x6b, 0x71, 0x69, 0x20, 0x33, 0x31]);
    assert!(spans[0].parent_span_id.is_empty());
}
