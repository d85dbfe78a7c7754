//! Protection from web pages: the host of a request, and the page that sends it.

use openai_admin_emulator::Emulator;
use openai_admin_store::DatabaseUrl;

use crate::support::{ADA, ADD, Answer, ask, ask_raw, builder, emulator};

async fn ask_with(emulator: &Emulator, request: &str, headers: &str) -> Answer {
    let head = format!("{request} HTTP/1.1\r\nauthorization: Bearer k{headers}");
    ask_raw(emulator, &head, "").await
}

/// The API and a control, with the same protection.
const READS: [&str; 2] = ["GET /v1/organization/groups", "GET /_emulator/export"];

#[tokio::test]
async fn only_requests_for_hosts_of_this_machine_are_accepted() {
    let emulator = emulator().await;
    for request in READS {
        for host in [
            "localhost",
            "LOCALHOST",
            "localhost.",
            "a.localhost:80",
            "127.0.0.1:8080",
            "127.1.2.3",
            "[::1]:80",
        ] {
            let answer = ask_with(&emulator, request, &format!("\r\nhost: {host}")).await;
            assert_eq!(answer.status, 200, "{request} {host}");
        }
        for host in [
            "evil.example",
            "evil.example:8080",
            "EVIL.example.",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "localhost@evil.example",
            "evil@localhost",
            "localhost:80:80",
            "[::1",
            "[fe80::1]",
            "0.0.0.0",
            "127.1",
            "2130706433",
            "",
        ] {
            let refused = ask_with(&emulator, request, &format!("\r\nhost: {host}")).await;
            assert!([400, 403].contains(&refused.status), "{request} {host}: {refused:?}");
        }
    }
}

#[tokio::test]
async fn requests_without_a_host_with_two_or_with_one_in_the_target_are_checked() {
    let emulator = emulator().await;
    for (target, headers, status) in [
        ("/_emulator", "", 400),
        ("/_emulator", "\r\nhost: localhost\r\nhost: localhost", 403),
        ("/_emulator", "\r\nhost: localhost\r\nhost: evil.example", 403),
        ("http://localhost/_emulator", "\r\nhost: localhost", 200),
        ("http://127.0.0.1:1/_emulator", "\r\nhost: localhost:2", 200),
        ("http://evil.example/_emulator", "\r\nhost: localhost", 403),
        ("http://localhost/_emulator", "\r\nhost: evil.example", 403),
        ("http://evil@localhost/_emulator", "\r\nhost: localhost", 403),
    ] {
        let answer = ask_with(&emulator, &format!("GET {target}"), headers).await;
        assert_eq!(answer.status, status, "{target} {headers}: {answer:?}");
    }
    // HTTP/1.0 has no such header, and browsers do not use it.
    assert_eq!(ask_raw(&emulator, "GET /_emulator HTTP/1.0", "").await.status, 200);
}

#[tokio::test]
async fn a_page_of_another_site_is_refused_by_the_api_and_by_the_controls() {
    let emulator = emulator().await;
    for request in READS {
        for (header, status) in [
            ("origin: https://evil.example", 403),
            ("origin: null", 403),
            ("origin: http://localhost.evil.example", 403),
            ("sec-fetch-site: cross-site", 403),
            ("origin: http://localhost:3000", 200),
            ("sec-fetch-site: same-origin", 200),
            ("sec-fetch-site: none", 200),
        ] {
            let answer = ask_with(&emulator, request, &format!("\r\nhost: localhost\r\n{header}")).await;
            assert_eq!(answer.status, status, "{request} {header}");
        }
    }
    let refused = ask_with(&emulator, READS[0], "\r\nhost: evil.example").await;
    let message = refused.message();
    assert!(message.contains("Host 'evil.example'") && message.contains("--allow-host NAME"), "{message}");
}

#[tokio::test]
async fn requests_for_an_allowed_name_are_accepted() {
    let emulator = builder().allow_host("emulator.example").unwrap().start().await.unwrap();
    for (host, status) in [("Emulator.example:8080", 200), ("localhost", 200), ("other.example", 403)] {
        let answer = ask_with(&emulator, READS[0], &format!("\r\nhost: {host}")).await;
        assert_eq!(answer.status, status, "{host}");
    }
    for wrong in ["emulator:80", "", "127.0.0.1", "*.example", "http://emulator"] {
        builder().allow_host(wrong).map(|_| ()).expect_err(wrong);
    }
}

/// Content types that a page can send to another site without a preflight request.
const FORMS: [&str; 3] =
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"];

#[tokio::test]
async fn no_web_page_destroys_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let database = DatabaseUrl::Sqlite(folder.path().join("kept.db"));
    let emulator = builder().database(database).start().await.unwrap();
    assert_eq!(ask(&emulator, "POST", ADD, ADA).await.status, 200);
    assert_eq!(ask(&emulator, "PUT", "/_emulator/snapshots/x", "").await.status, 200);
    let before = ask(&emulator, "GET", "/_emulator/export", "").await.body;
    let journal = ask(&emulator, "GET", "/_emulator/requests", "").await.body;
    for control in ["reset", "import", "faults", "clock/step", "snapshots/y", "snapshots/x/restore", "verify"]
    {
        let path = format!("POST /_emulator/{control} HTTP/1.1");
        // An old browser sends no headers about the page of a form, so the content type must be checked too.
        for kind in FORMS {
            let head = format!("{path}\r\nhost: {}\r\ncontent-type: {kind}", address(&emulator));
            for body in ["", r#"{"users":[]}"#] {
                assert_eq!(ask_raw(&emulator, &head, body).await.status, 415, "{control} {kind}");
            }
        }
        for page in ["origin: https://evil.example", "origin: null", "sec-fetch-site: cross-site"] {
            let head =
                format!("{path}\r\nhost: {}\r\ncontent-type: application/json\r\n{page}", address(&emulator));
            assert_eq!(ask_raw(&emulator, &head, "{}").await.status, 403, "{control} {page}");
        }
        let head = format!("{path}\r\nhost: rebound.example:8080\r\norigin: http://rebound.example:8080");
        assert_eq!(ask_raw(&emulator, &head, "").await.status, 403, "{control}");
    }
    // Preflight requests are refused.
    let asked = "OPTIONS /_emulator/reset HTTP/1.1\r\nhost: localhost\r\norigin: http://localhost:3000";
    let preflight = ask_raw(&emulator, asked, "").await;
    assert_eq!((preflight.status, preflight.header("access-control-allow-origin")), (405, None));
    assert_eq!(ask(&emulator, "GET", "/_emulator/export", "").await.body, before);
    assert_eq!(
        ask(&emulator, "GET", "/_emulator/requests", "").await.body,
        journal,
        "no page is in the journal"
    );
}

fn address(emulator: &Emulator) -> String {
    emulator.url().trim_start_matches("http://").trim_end_matches("/v1").to_owned()
}
