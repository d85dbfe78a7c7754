//! Status, headers and unknown fields of answers.

use super::*;

#[tokio::test(start_paused = true)]
async fn an_answer_has_its_headers_and_unknown_fields() {
    let body = GROUP.replace("}", r#","colour":"blue"}"#);
    let script = Script::new().status(201).header("x-request-id", "req_1").body(body);
    let group = client(&script).groups().create_group(support()).await.unwrap();
    assert_eq!((group.status().as_u16(), group.request_id()), (201, Some("req_1")));
    assert_eq!(group.json()["colour"], "blue");
    assert_eq!(group.name, "Support");
}

#[tokio::test(start_paused = true)]
async fn a_strict_client_refuses_unknown_fields() {
    let body = GROUP.replace("}", r#","colour":"blue"}"#);
    let script = Script::new().then_ok(body).then_ok(GROUP);
    let client = Client::builder().base_url("http://localhost").strict(true).service(script).build().unwrap();
    let error = client.groups().retrieve_group("g").await.unwrap_err();
    assert!(error.to_string().contains("strict: colour is not what this version knows"), "{error}");
    client.groups().retrieve_group("g").await.unwrap();
}
