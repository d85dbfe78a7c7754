//! The controls in general.

use axum::{body::Body, http::Request};
use openai_admin_emulator::Emulator;
use openai_admin_server::{Caller, Config, Minter, Server};
use openai_admin_store::Store;
use tower_service::Service as _;

use crate::support::{ask, ask_as, ask_raw, emulator};

#[tokio::test]
async fn the_document_matches_the_controls() {
    let emulator = emulator().await;
    let document = ask(&emulator, "GET", "/_emulator/openapi.json", "").await.json();
    let paths = document["paths"].as_object().unwrap();
    for (path, operations) in paths {
        let path = path.replace("{name}", "x");
        for method in operations.as_object().unwrap().keys() {
            let answer = ask(&emulator, &method.to_uppercase(), &path, "{}").await;
            assert!(answer.status != 405 && !answer.body.contains("unknown control"), "{method} {path}");
        }
    }
    insta::assert_json_snapshot!(document);
}

#[tokio::test]
async fn an_unknown_control_is_refused_with_a_hint() {
    let emulator = emulator().await;
    let missing = ask(&emulator, "POST", "/_emulator/rest", "").await;
    assert_eq!(missing.status, 404);
    assert!(missing.body.contains("/_emulator/openapi.json lists all controls"), "{}", missing.body);
    let wrong = ask(&emulator, "GET", "/_emulator/reset", "").await;
    assert_eq!((wrong.status, wrong.header("allow")), (405, Some("POST")));
}

#[tokio::test]
async fn a_malformed_body_is_refused_with_the_reason() {
    let emulator = emulator().await;
    for (path, body, problem) in [
        ("/_emulator/faults", "{", "cannot be read"),
        ("/_emulator/faults", r#"{"rulez":[]}"#, "rulez"),
        ("/_emulator/clock/step", r#"{"ms":-1}"#, "-1"),
        ("/_emulator/verify", "[]", "cannot be read"),
    ] {
        let method = if path.ends_with("faults") { "PUT" } else { "POST" };
        let refused = ask(&emulator, method, path, body).await;
        assert_eq!(refused.status, 400, "{path} {body}");
        assert!(refused.body.contains(problem), "{}", refused.body);
    }
}

#[tokio::test]
async fn a_posted_plan_is_refused_with_a_hint() {
    let emulator = emulator().await;
    for plan in [r#"{"rules":[]}"#, r#"{"profile":"slow"}"#, "rules:\n  - fault: { kind: truncated }\n"] {
        let refused = ask(&emulator, "POST", "/_emulator/faults", plan).await;
        assert_eq!(refused.status, 400);
        assert!(refused.message().contains("use PUT to replace all 'rules'"), "{}", refused.message());
    }
    let misspelt = ask(&emulator, "POST", "/_emulator/faults", r#"{"ruels":[]}"#).await;
    assert!(misspelt.message().contains("ruels"), "{}", misspelt.message());
}

#[tokio::test]
async fn a_body_must_have_a_json_or_yaml_content_type() {
    let emulator = emulator().await;
    let head = |kind: &str| format!("PUT /_emulator/clock HTTP/1.1\r\nhost: localhost{kind}");
    let (json, yaml) = (r#"{"now":"2030-01-01T00:00:00Z"}"#, "now: 2030-01-01T00:00:00Z\n");
    for (kind, body) in [
        ("application/json", json),
        ("Application/JSON; charset=utf-8", json),
        ("application/yaml", yaml),
        ("text/yaml", yaml),
    ] {
        let answer = ask_raw(&emulator, &head(&format!("\r\ncontent-type: {kind}")), body).await;
        assert_eq!(answer.status, 200, "{kind}: {answer:?}");
    }
    for kind in [
        "",
        "\r\ncontent-type: text/plain",
        "\r\ncontent-type: application/x-www-form-urlencoded",
        "\r\ncontent-type: multipart/form-data; boundary=x",
        "\r\ncontent-type: text/plain, application/json",
        "\r\ncontent-type: application/json\r\ncontent-type: text/plain",
    ] {
        let refused = ask_raw(&emulator, &head(kind), json).await;
        assert_eq!(refused.status, 415, "{kind}");
        assert!(refused.message().contains("application/json"), "{}", refused.message());
    }
}

#[tokio::test]
async fn a_server_has_no_controls() {
    let (store, minter) = (Store::open_in_memory(None).await.unwrap(), Minter::system());
    let organization = store.open_organization(minter.stamp("test"), None).await.unwrap();
    let mut router = Server::new(store, minter, Config::default()).router_as(Caller::local(&organization));
    let document = ask(&emulator().await, "GET", "/_emulator/openapi.json", "").await.json();
    for path in document["paths"].as_object().unwrap().keys() {
        let request = Request::post(path.replace("{name}", "x")).body(Body::empty()).unwrap();
        assert_eq!(router.call(request).await.unwrap().status(), 404, "{path}");
    }
}

#[tokio::test]
async fn the_controls_of_an_emulator_need_no_key() {
    let emulator = Emulator::start().await.unwrap();
    assert_eq!(ask_as(&emulator, "", "GET", "/_emulator", "").await.status, 200);
}
