//! The requests of the client.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_request_has_key_agent_content_type_and_an_escaped_path() {
    let script = Script::new().then_ok(r#"{"object":"group.user","user_id":"u 1","group_id":"g?1"}"#);
    let body = CreateGroupUserBody::new("u 1".parse().unwrap());
    client(&script).group_users().add_group_user("g?1#%2f&\\", body).await.unwrap();
    let request = &script.requests()[0];
    assert_eq!(request.target, "/v1/organization/groups/g%3F1%23%252f%26%5C/users");
    assert_eq!(request.body, r#"{"user_id":"u 1"}"#);
    assert_eq!(request.headers["authorization"], "Bearer sk-admin-secret");
    assert_eq!(request.headers["content-type"], "application/json");
    assert!(request.headers["user-agent"].to_str().unwrap().starts_with("openai-admin/"));
}

#[tokio::test(start_paused = true)]
async fn an_id_that_would_change_the_route_is_refused_before_anything_is_sent() {
    let script = Script::new();
    let client = client(&script);
    for bad in ["", ".", "..", "%2e%2e", "../../../projects/p1", "a/b", "\0"] {
        let error = client.group_users().remove_group_user("group_1", bad).await.unwrap_err();
        assert_eq!((error.kind(), error.was_sent(), error.attempts()), (ErrorKind::InvalidRequest, false, 0));
        assert!(client.group_users().list_group_users(bad).await.is_err());
    }
    let error = client.group_users().remove_group_user("group_1", "a/b").await.unwrap_err();
    let told = "remove-group-user: Invalid 'user_id': expected an id, but it contains a slash.";
    assert_eq!(error.to_string(), told);
    let error = client.group_users().list_group_users("group_1").limit(5000).await.unwrap_err();
    let told = error.to_string();
    assert!(told.starts_with("list-group-users: Invalid 'limit': integer above maximum value."), "{told}");
    assert!(script.requests().is_empty());
}

#[tokio::test(start_paused = true)]
async fn custom_headers_organization_and_project_are_sent() {
    let script = Script::new().then_ok(GROUP);
    let client = Client::builder()
        .base_url("http://localhost")
        .organization(&"org-1".parse().unwrap())
        .project("proj_1")
        .header("x-gateway", "blue")
        .user_agent("acme/1")
        .service(script.clone())
        .build()
        .unwrap();
    client.groups().retrieve_group("g").await.unwrap();
    let headers = &script.requests()[0].headers;
    for (name, value) in [
        ("openai-organization", "org-1"),
        ("openai-project", "proj_1"),
        ("x-gateway", "blue"),
        ("user-agent", "acme/1"),
    ] {
        assert_eq!(headers[name], value);
    }
    assert!(!headers.contains_key("authorization"));
}
