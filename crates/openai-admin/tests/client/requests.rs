//! The requests of the client.

use openai_admin::UserId;

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
    assert_eq!(error.param(), Some("limit"));
    assert!(script.requests().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_body_with_one_required_field_may_be_given_as_that_field() {
    let script = Script::new().then_ok(ADDED).times(3).then_ok(GROUP);
    let client = client(&script);
    let user_id = UserId::new("u").unwrap();
    client.group_users().add_group_user("g", "u").await.unwrap();
    client.group_users().add_group_user("g", &user_id).await.unwrap();
    client.group_users().add_group_user("g", CreateGroupUserBody::new(user_id)).await.unwrap();
    client.groups().create_group("Support".to_owned()).await.unwrap();
    let bodies: Vec<_> = script.requests().into_iter().map(|request| request.body).collect();
    let added = r#"{"user_id":"u"}"#;
    assert_eq!(bodies, [added, added, added, r#"{"name":"Support"}"#]);
}

#[tokio::test(start_paused = true)]
async fn an_invalid_field_of_a_body_is_refused_with_its_name() {
    let script = Script::new();
    let client = client(&script);
    let error = client.group_users().add_group_user("g", "a/b").await.unwrap_err();
    let told = "add-group-user: Invalid 'user_id': expected an id, but it contains a slash.";
    assert_eq!((error.to_string().as_str(), error.param()), (told, Some("user_id")));
    let error = client.groups().create_group("").await.unwrap_err();
    assert_eq!((error.operation(), error.param()), (Some("create-group"), Some("name")));
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
