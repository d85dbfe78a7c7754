//! A build with the feature `otel`. A plain run of the tests does not have it: .ci/run does.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
};

use crate::{desk::Desk, running::Running};

#[test]
fn a_request_becomes_a_trace_at_the_collector() {
    let collector = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = collector.local_addr().unwrap();
    let endpoint = format!("http://{address}/v1/traces");
    let received = std::thread::spawn(move || {
        let (mut stream, _) = collector.accept().unwrap();
        let mut text = Vec::new();
        let mut part = [0; 4096];
        // The exporter waits for the response before it closes.
        while !String::from_utf8_lossy(&text).contains("list-groups") {
            let read = stream.read(&mut part).unwrap();
            assert!(read > 0, "no span of the request: {}", String::from_utf8_lossy(&text));
            text.extend_from_slice(&part[..read]);
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
        String::from_utf8_lossy(&text).into_owned()
    });
    let desk = Desk::with_acme();
    let server = Running::start(&desk, &format!("--local acme.db --otlp-endpoint {endpoint}"));
    let key = server.minted_key();
    let client = desk.with_variable("OPENAI_ADMIN_KEY", key.as_str());
    assert_eq!(client.run(&format!("--base-url {}/v1 groups list", server.address)).status, 0);
    let (status, log) = server.stop();
    assert_eq!(status, Some(0), "{log}");
    // Everything was sent by now: the collector then sees this connection and its end.
    drop(TcpStream::connect(address));
    let received = received.join().unwrap();
    assert!(received.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{received}");
    assert!(!received.contains(&key), "no key leaves with a trace");
}
