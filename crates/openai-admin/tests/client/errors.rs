//! Errors from refusals and invalid answers.

use super::*;

#[tokio::test(start_paused = true)]
async fn an_error_has_the_status_for_any_body() {
    for status in [400, 401, 403, 404, 409, 418, 422, 300, 304] {
        for body in
            ["", "{", "null", "[]", r#"{"error":"bare"}"#, r#"{"error":{"code":7}}"#, "<html>", "\u{0}"]
        {
            let script = Script::new().status(status).body(body);
            let error = retrieve(&script).await.unwrap_err();
            assert_eq!(error.status().unwrap().as_u16(), status, "{body}");
            assert_eq!((error.kind(), error.was_sent(), error.attempts()), (ErrorKind::Refused, true, 1));
            assert_eq!(error.body(), Some(body.as_bytes()));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_has_the_operation_and_a_hint() {
    let body =
        r#"{"error":{"message":"No group.","type":"invalid_request_error","param":"group_id","code":null}}"#;
    let script = Script::new().status(404).header("x-request-id", "req_1").body(body);
    let error = retrieve(&script).await.unwrap_err();
    assert_eq!(error.to_string(), "retrieve-group: 404 Not Found: No group. (request req_1)");
    assert_eq!((error.request_id(), error.error_type()), (Some("req_1"), Some("invalid_request_error")));

    let script = Script::new().status(401).body(r#"{"error":{"message":"Incorrect API key."}}"#);
    let message = retrieve(&script).await.unwrap_err().to_string();
    assert!(message.ends_with("; this API needs an admin key (sk-admin-…)"), "{message}");

    let script = Script::new().status(403).body(r#"{"error":"Missing scopes: api.groups.read."}"#);
    let error = retrieve(&script).await.unwrap_err();
    assert!(error.is_permission_denied());
    assert!(error.to_string().ends_with("; the key needs the scope api.groups.read"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn an_invalid_answer_is_reported_with_its_position() {
    let script = Script::new().then_ok(page(&["u"], false, None).replace("\"u\"", "7"));
    let error = client(&script).group_users().list_group_users("g").await.unwrap_err();
    assert_eq!((error.kind(), error.status().unwrap().as_u16()), (ErrorKind::UnreadableAnswer, 200));
    assert!(error.to_string().contains("data[0].id: a value is missing or of another type"), "{error}");

    let script = Script::new().then_ok(format!("{GROUP}{GROUP}"));
    assert_eq!(retrieve(&script).await.unwrap_err().kind(), ErrorKind::UnreadableAnswer);
    let script = Script::new().then_ok(r#"["group_1","Support",0,false,"group"]"#);
    assert_eq!(retrieve(&script).await.unwrap_err().kind(), ErrorKind::UnreadableAnswer);
    let script = Script::new().then_ok("");
    assert_eq!(retrieve(&script).await.unwrap_err().kind(), ErrorKind::UnreadableAnswer);
}

#[tokio::test(start_paused = true)]
async fn debug_and_display_show_neither_keys_nor_personal_data() {
    let person = r#"{"id":7,"name":"Ada Lovelace","email":"ada@example.com"}"#;
    let script = Script::new().then_ok(person);
    let client = client(&script);
    let error = client.groups().retrieve_group("g").await.unwrap_err();
    let shown = format!("{error} {error:?} {client:?}");
    assert!(!shown.contains("Ada") && !shown.contains("ada@") && !shown.contains("secret"), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn a_long_message_is_truncated() {
    let body = serde_json::json!({ "error": { "message": "\u{e9}".repeat(5_000_000) } }).to_string();
    let error = retrieve(&Script::new().status(400).body(body)).await.unwrap_err();
    assert!(error.to_string().len() < 5_000);
}

#[tokio::test(start_paused = true)]
async fn a_redirect_is_an_error_and_is_not_followed() {
    let script = Script::new().status(307).header("location", "https://evil.example/v1").then_ok(GROUP);
    let error = retrieve(&script).await.unwrap_err();
    assert_eq!((error.status().unwrap().as_u16(), script.requests().len()), (307, 1));
}

#[tokio::test(start_paused = true)]
async fn an_answer_of_a_gigabyte_is_read_up_to_the_limit() {
    let script = Script::new().status(200).endless_body(1 << 30);
    let error = retrieve(&script).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnreadableAnswer);
    assert!(error.to_string().contains("larger than 33554432 bytes"), "{error}");
}

#[tokio::test]
async fn an_error_names_its_kind_of_status() {
    for (status, is_conflict, is_server_error) in
        [(409, true, false), (404, false, false), (500, false, true)]
    {
        let script = Script::new().status(status);
        let error = client(&script).with_retries(0).groups().retrieve_group("g").await.unwrap_err();
        assert_eq!(
            (error.is_conflict(), error.is_server_error()),
            (is_conflict, is_server_error),
            "{status}"
        );
        assert!(!error.is_timeout());
    }
}
