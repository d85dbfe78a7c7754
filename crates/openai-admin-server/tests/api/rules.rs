//! The status, code and parameter of each row in the table of rules.

use axum::{
    body::Body,
    http::{Request, header},
};
use openai_admin_server::Config;
use serde_json::json;

use crate::support::{Answer, KEY, TestServer, bearer};

#[tokio::test]
async fn adding_a_member_again_answers_the_same() {
    let server = TestServer::new().await;
    let (group, user) = (server.group("g").await, server.user("ada").await);
    let path = format!("/v1/organization/groups/{group}/users");
    let body = json!({ "user_id": user }).to_string();
    let first = server.post(&path, &body).await;
    let second = server.post(&path, &body).await;
    assert_eq!(first.body, json!({ "object": "group.user", "user_id": user, "group_id": group }));
    assert_eq!((second.status, second.body), (first.status, first.body));
}

#[tokio::test]
async fn removing_or_retrieving_a_non_member_names_user_and_group() {
    let server = TestServer::new().await;
    let (group, user) = (server.group("g").await, server.user("ada").await);
    let path = format!("/v1/organization/groups/{group}/users/{user}");
    for answer in [server.delete(&path).await, server.get(&path).await] {
        let message = answer.assert_error(404, Some("not_a_member"), Some("user_id"));
        assert_eq!(message, format!("User '{user}' is not in group '{group}'."));
    }
}

#[tokio::test]
async fn removing_a_user_twice_reports_not_found() {
    let server = TestServer::new().await;
    let (group, user) = (server.group("g").await, server.user("ada").await);
    server.add(&group, &user).await;
    let path = format!("/v1/organization/groups/{group}/users/{user}");
    let removed = server.delete(&path).await;
    assert_eq!(removed.body, json!({ "object": "group.user.deleted", "deleted": true }));
    server.delete(&path).await.assert_error(404, Some("not_a_member"), Some("user_id"));
}

#[tokio::test]
async fn an_unknown_group_and_an_unknown_user_have_different_codes() {
    let server = TestServer::new().await;
    let (group, user) = (server.group("g").await, server.user("ada").await);
    let body = json!({ "user_id": user }).to_string();
    let answer = server.post("/v1/organization/groups/group_nope/users", &body).await;
    assert_eq!(
        answer.assert_error(404, Some("group_not_found"), Some("group_id")),
        "No group with id 'group_nope'."
    );
    let path = format!("/v1/organization/groups/{group}/users");
    let answer = server.post(&path, r#"{"user_id":"user-nope"}"#).await;
    assert_eq!(
        answer.assert_error(404, Some("user_not_found"), Some("user_id")),
        "No user with id 'user-nope'."
    );
}

#[tokio::test]
async fn limit_0_is_an_empty_page_even_with_an_invalid_cursor() {
    let server = TestServer::new().await;
    let group = server.group("g").await;
    let empty = json!({ "object": "list", "data": [], "has_more": false, "next": null });
    for path in [format!("/v1/organization/groups/{group}/users"), "/v1/organization/groups".to_owned()] {
        let answer = server.get(&format!("{path}?limit=0&after=never-seen")).await;
        assert_eq!((answer.status.as_u16(), answer.body), (200, empty.clone()));
    }
}

#[tokio::test]
async fn a_limit_out_of_range_is_refused_with_the_range() {
    let server = TestServer::new().await;
    let answer = server.get("/v1/organization/groups?limit=1001").await;
    let message = answer.assert_error(400, Some("integer_above_max_value"), Some("limit"));
    assert_eq!(
        message,
        "Invalid 'limit': integer above maximum value. Expected a value <= 1000, but got 1001 instead."
    );
    for (path, code) in [
        ("/v1/organization/groups?limit=-1", "integer_below_min_value"),
        ("/v1/organization/groups?limit=99999999999999999999", "integer_above_max_value"),
        ("/v1/organization/groups?limit=-99999999999999999999", "integer_below_min_value"),
        ("/v1/organization/users?limit=0", "integer_below_min_value"),
        ("/v1/organization/users?limit=101", "integer_above_max_value"),
    ] {
        server.get(path).await.assert_error(400, Some(code), Some("limit"));
    }
    for path in ["/v1/organization/groups?limit=1000", "/v1/organization/users?limit=100"] {
        assert_eq!(server.get(path).await.status, 200);
    }
}

#[tokio::test]
async fn a_limit_that_is_not_an_integer_has_the_wrong_type() {
    let server = TestServer::new().await;
    for limit in ["abc", "1.5", "", "%20", "1e3", "0x10", "٣"] {
        let answer = server.get(&format!("/v1/organization/groups?limit={limit}")).await;
        answer.assert_error(400, Some("invalid_type"), Some("limit"));
    }
}

#[tokio::test]
async fn an_unknown_order_is_refused_with_the_valid_ones() {
    let server = TestServer::new().await;
    let answer = server.get("/v1/organization/groups?order=foo").await;
    let message = answer.assert_error(400, Some("invalid_value"), Some("order"));
    assert_eq!(message, "Invalid 'order': got 'foo'. Supported values are: 'asc' and 'desc'.");
}

#[tokio::test]
async fn a_query_key_given_twice_is_refused() {
    let server = TestServer::new().await;
    let answer = server.get("/v1/organization/groups?limit=1&limit=2").await;
    answer.assert_error(400, Some("duplicate_parameter"), Some("limit"));
}

#[tokio::test]
async fn an_unknown_query_key_is_ignored() {
    let server = TestServer::new().await;
    assert_eq!(server.get("/v1/organization/groups?colour=blue&colour=red").await.status, 200);
}

#[tokio::test]
async fn an_unknown_body_field_is_ignored_or_with_strict_refused() {
    let body = r#"{"name":"g","colour":"blue"}"#;
    assert_eq!(TestServer::new().await.post("/v1/organization/groups", body).await.status, 200);
    let strict = TestServer::with(Config::default().with_strict(true)).await;
    let answer = strict.post("/v1/organization/groups", body).await;
    assert_eq!(
        answer.assert_error(400, Some("unknown_parameter"), Some("colour")),
        "Unknown parameter: 'colour'."
    );
}

#[tokio::test]
async fn after_accepts_a_cursor_and_the_id_of_any_user() {
    let server = TestServer::new().await;
    let group = server.group("g").await;
    let mut users = Vec::new();
    for name in ["a", "b", "c", "d"] {
        users.push(server.user(name).await);
        server.add(&group, &users[users.len() - 1]).await;
    }
    let path = format!("/v1/organization/groups/{group}/users");
    let page = server.get(&format!("{path}?limit=2&order=asc")).await;
    assert_eq!(page.body["next"], json!(users[1]));
    assert_eq!(page.body["has_more"], json!(true));
    server.delete(&format!("{path}/{}", users[1])).await;
    server.delete(&format!("/v1/organization/users/{}", users[1])).await;
    let rest = server.get(&format!("{path}?order=asc&after={}", users[1])).await;
    let ids: Vec<&str> =
        rest.body["data"].as_array().unwrap().iter().map(|user| user["id"].as_str().unwrap()).collect();
    assert_eq!(ids, [&users[2], &users[3]]);
    assert_eq!((&rest.body["has_more"], &rest.body["next"]), (&json!(false), &json!(null)));
}

#[tokio::test]
async fn after_refuses_an_unknown_cursor() {
    let server = TestServer::new().await;
    let (group, user) = (server.group("g").await, server.user("ada").await);
    for (path, after) in [
        (format!("/v1/organization/groups/{group}/users"), "user-never-seen"),
        (format!("/v1/organization/groups/{group}/users"), group.as_str()),
        ("/v1/organization/groups".to_owned(), user.as_str()),
        ("/v1/organization/users".to_owned(), group.as_str()),
        ("/v1/organization/groups".to_owned(), ""),
        ("/v1/organization/groups".to_owned(), "%00"),
    ] {
        let answer = server.get(&format!("{path}?after={after}")).await;
        answer.assert_error(400, Some("invalid_value"), Some("after"));
    }
}

#[tokio::test]
async fn next_is_null_only_on_the_last_page() {
    let server = TestServer::new().await;
    let mut groups = Vec::new();
    let mut users = Vec::new();
    for name in ["a", "b", "c"] {
        groups.push(server.group(name).await);
        users.push(server.user(name).await);
    }
    let members = format!("/v1/organization/groups/{}/users", groups[0]);
    for user in &users {
        server.add(&groups[0], user).await;
    }
    assert_eq!(walk(&server, "/v1/organization/groups?").await, groups);
    for (path, order) in
        [(members.as_str(), "order=asc&"), (&members, "order=desc&"), ("/v1/organization/users", "")]
    {
        let mut walked = walk(&server, &format!("{path}?{order}")).await;
        walked.sort();
        users.sort();
        assert_eq!(walked, users, "{path}?{order}");
    }
}

/// The ids of a list, in pages of one, until `next` is null.
async fn walk(server: &TestServer, list: &str) -> Vec<String> {
    let mut after = String::new();
    let mut seen = Vec::new();
    loop {
        let page = server.get(&format!("{list}limit=1{after}")).await;
        seen.push(page.body["data"][0]["id"].as_str().unwrap().to_owned());
        assert_eq!(
            page.body["has_more"].as_bool().unwrap(),
            next_of(&page).is_some(),
            "{list}: {}",
            page.text
        );
        match next_of(&page) {
            Some(next) => after = format!("&after={next}"),
            None => return seen,
        }
    }
}

/// The cursor of the next page: `next` in most lists, `last_id` in the list of users.
fn next_of(page: &Answer) -> Option<String> {
    match page.body.get("next") {
        Some(next) => next.as_str().map(str::to_owned),
        None => page.body["last_id"].as_str().filter(|_| page.body["has_more"] == true).map(str::to_owned),
    }
}

#[tokio::test]
async fn a_permission_that_no_role_grants_is_refused_with_the_next_step() {
    let server = TestServer::new().await;
    let answer = server.get("/v1/x/permissions/api.gruops.read/users").await;
    answer.assert_error(400, Some("invalid_value"), Some("permission"));
    assert_eq!(
        answer.body["error"]["message"],
        "Invalid 'permission': expected a permission that a role grants, but got 'api.gruops.read'; \
         `openai-admin access permissions` lists them."
    );
    let body = r#"{"checks":[{"user_id":"user_1","permission":"api.gruops.read"}]}"#;
    let answer = server.post("/v1/x/access/check", body).await;
    answer.assert_error(400, Some("invalid_value"), Some("checks[0].permission"));
}

#[tokio::test]
async fn an_invalid_user_id_in_a_body_is_refused_with_the_reason() {
    let server = TestServer::new().await;
    let group = server.group("g").await;
    let path = format!("/v1/organization/groups/{group}/users");
    for (body, code) in [
        ("{}", "missing_required_parameter"),
        (r#"{"user_id":null}"#, "invalid_type"),
        (r#"{"user_id":7}"#, "invalid_type"),
        (r#"{"user_id":["user-1"]}"#, "invalid_type"),
        (r#"{"user_id":""}"#, "invalid_value"),
        (r#"{"user_id":"  "}"#, "invalid_value"),
        (r#"{"user_id":"a/b"}"#, "invalid_value"),
        (r#"{"user_id":"a\u0000b"}"#, "invalid_value"),
    ] {
        server.post(&path, body).await.assert_error(400, Some(code), Some("user_id"));
    }
    let answer = server.post(&path, "{}").await;
    assert_eq!(answer.body["error"]["message"], "Missing required parameter: 'user_id'.");
    let answer = server.post(&path, r#"{"user_id":7}"#).await;
    assert_eq!(
        answer.body["error"]["message"],
        "Invalid type for 'user_id': expected a string, but got an integer instead."
    );
}

#[tokio::test]
async fn a_name_has_1_to_255_characters() {
    let server = TestServer::new().await;
    let post = async |name: String| {
        server.post("/v1/organization/groups", &json!({ "name": name }).to_string()).await
    };
    for blank in ["", " ", "\t\n"] {
        post(blank.to_owned()).await.assert_error(400, Some("string_below_min_length"), Some("name"));
    }
    post("x".repeat(256)).await.assert_error(400, Some("string_above_max_length"), Some("name"));
    let longest = "🦀".repeat(255);
    assert_eq!(post(longest.clone()).await.body["name"], json!(longest), "characters are counted, not bytes");
}

#[tokio::test]
async fn two_groups_may_have_the_same_name() {
    let server = TestServer::new().await;
    assert_ne!(server.group("Support").await, server.group("Support").await);
}

#[tokio::test]
async fn a_body_that_is_not_a_json_object_is_refused_without_a_code() {
    let server = TestServer::new().await;
    for body in ["", "{", "null", "[]", "\"x\"", "7", r#"{"name":"g"} {}"#, "\u{feff}{}"] {
        server.post("/v1/organization/groups", body).await.assert_error(400, None, None);
    }
    let (group, user) = (server.group("g").await, server.user("ada").await);
    for path in [
        "/v1/organization/groups".to_owned(),
        format!("/v1/organization/groups/{group}"),
        format!("/v1/organization/groups/{group}/users"),
        format!("/v1/organization/users/{user}"),
        "/v1/x/users".to_owned(),
    ] {
        for body in ["[]".to_owned(), "[\"owner\"]".to_owned(), format!(" [\"{user}\"]")] {
            server.post(&path, &body).await.assert_error(400, None, None);
        }
    }
}

#[tokio::test]
async fn a_body_field_given_twice_is_refused() {
    let server = TestServer::new().await;
    let refused = server.post("/v1/organization/groups", r#"{"name":"A","name":"B"}"#).await;
    refused.assert_error(400, Some("duplicate_parameter"), Some("name"));
}

#[tokio::test]
async fn the_content_type_must_be_json_with_any_charset_and_case() {
    let server = TestServer::new().await;
    let post = |content_type: Option<&'static str>| {
        let mut request = server.request("POST", "/v1/organization/groups", r#"{"name":"g"}"#);
        request.headers_mut().remove(header::CONTENT_TYPE);
        if let Some(content_type) = content_type {
            request.headers_mut().insert(header::CONTENT_TYPE, content_type.parse().unwrap());
        }
        server.send(request)
    };
    for good in ["application/json", "Application/JSON; charset=utf-8", "application/json;charset=latin1"] {
        assert_eq!(post(Some(good)).await.status, 200, "{good}");
    }
    for bad in
        [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("application/jsonx")]
    {
        post(bad).await.assert_error(400, Some("unsupported_content_type"), None);
    }
}

#[tokio::test]
async fn a_body_over_one_mebibyte_is_too_large() {
    let server = TestServer::new().await;
    let body = |bytes: usize| format!("{{\"name\":\"g\",\"padding\":\"{}\"}}", "x".repeat(bytes - 25));
    assert_eq!(server.post("/v1/organization/groups", &body(1024 * 1024)).await.status, 200);
    let answer = server.post("/v1/organization/groups", &body(1024 * 1024 + 1)).await;
    answer.assert_error(413, Some("request_too_large"), None);
}

#[tokio::test]
async fn a_managed_group_cannot_be_changed() {
    let server = TestServer::new().await;
    let user = server.user("ada").await;
    let directory = json!({ "groups": [
        { "id": "scim", "name": "SCIM", "is_scim_managed": true, "members": [user] },
        { "id": "tenant", "name": "Tenant", "group_type": "tenant_group" },
    ]});
    let directory = serde_json::from_value(directory).unwrap();
    server.store.load(server.minter.stamp("test"), directory).await.unwrap();
    for group in ["scim", "tenant"] {
        let path = format!("/v1/organization/groups/{group}");
        let body = json!({ "user_id": user }).to_string();
        for answer in [
            server.post(&path, r#"{"name":"x"}"#).await,
            server.delete(&path).await,
            server.post(&format!("{path}/users"), &body).await,
            server.delete(&format!("{path}/users/{user}")).await,
        ] {
            answer.assert_error(403, Some("scim_managed_group"), Some("group_id"));
        }
        assert_eq!(server.get(&path).await.status, 200);
    }
    assert_eq!(server.get("/v1/organization/groups/tenant").await.body["group_type"], "tenant_group");
    assert_eq!(server.get("/v1/organization/groups/scim").await.body["is_scim_managed"], true);
}

#[tokio::test]
async fn deleting_a_group_or_a_user_deletes_its_memberships() {
    let server = TestServer::new().await;
    let (one, two) = (server.group("one").await, server.group("two").await);
    let (ada, bob) = (server.user("ada").await, server.user("bob").await);
    for group in [&one, &two] {
        server.add(group, &ada).await;
        server.add(group, &bob).await;
    }
    let deleted = server.delete(&format!("/v1/organization/groups/{one}")).await;
    assert_eq!(deleted.body, json!({ "object": "group.deleted", "id": one, "deleted": true }));
    let deleted = server.delete(&format!("/v1/organization/users/{ada}")).await;
    assert_eq!(deleted.body, json!({ "object": "organization.user.deleted", "id": ada, "deleted": true }));
    let left = server.get(&format!("/v1/organization/groups/{two}/users")).await;
    assert_eq!(left.body["data"], json!([{ "id": bob, "name": "bob", "email": "bob@example.com" }]));
    let groups = server.get(&format!("/v1/x/users/{bob}/groups")).await;
    assert_eq!(groups.body["data"].as_array().unwrap().len(), 1);
    assert_eq!(server.store.verify().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn an_invalid_id_in_a_path_is_an_unknown_url() {
    let server = TestServer::new().await;
    for id in [".", "..", "%2e", "%2E%2e", "a%2Fb", "%2F", "%00", "%0a", "%ff", "%20", &"x".repeat(256)] {
        let answer = server.get(&format!("/v1/organization/groups/{id}")).await;
        answer.assert_error(404, None, None);
    }
    // Decoded once: this is the unknown id `%2F`.
    let answer = server.get("/v1/organization/groups/%252F").await;
    answer.assert_error(404, Some("group_not_found"), Some("group_id"));
}

#[tokio::test]
async fn an_unknown_path_is_an_invalid_url() {
    let server = TestServer::new().await;
    for path in
        ["/v1/organization/colours", "/v2/organization/groups", "/", "/v1", "/v1/organization/groups/"]
    {
        let answer = server.get(path).await;
        assert_eq!(answer.assert_error(404, None, None), format!("Invalid URL (GET {path})"));
    }
}

#[tokio::test]
async fn head_is_get_without_its_body_and_options_lists_the_methods() {
    let server = TestServer::new().await;
    let get = server.get("/v1/organization/groups").await;
    let head = server.call("HEAD", "/v1/organization/groups", "").await;
    assert_eq!((head.status.as_u16(), head.text.as_str()), (200, ""));
    assert_eq!(head.header("content-length"), Some(get.text.len().to_string().as_str()));
    let options = server.call("OPTIONS", "/v1/organization/groups", "").await;
    assert_eq!((options.status.as_u16(), options.header("allow")), (204, Some("GET, POST, HEAD, OPTIONS")));
}

#[tokio::test]
async fn no_key_is_challenged() {
    let server = TestServer::new().await;
    for authorization in [None, Some("Bearer"), Some("Bearer "), Some("Basic YTpi")] {
        let mut request = server.request("GET", "/v1/organization/groups", "");
        request.headers_mut().remove(header::AUTHORIZATION);
        if let Some(authorization) = authorization {
            request.headers_mut().insert(header::AUTHORIZATION, authorization.parse().unwrap());
        }
        let answer = server.send(request).await;
        answer.assert_error(401, None, None);
        assert_eq!(answer.header("www-authenticate"), Some("Bearer realm=\"OpenAI API\""));
    }
}

#[tokio::test]
async fn a_wrong_key_is_redacted_except_for_its_ends() {
    let server = TestServer::new().await;
    let mut request = server.request("GET", "/v1/organization/groups", "");
    let wrong = "sk-admin-wrong-0123456789abcdef";
    request.headers_mut().insert(header::AUTHORIZATION, bearer(wrong).parse().unwrap());
    let answer = server.send(request).await;
    let message = answer.assert_error(401, Some("invalid_api_key"), None);
    assert!(message.contains("sk-admin********cdef") && !message.contains("wrong"), "{message}");
}

#[tokio::test]
async fn a_missing_scope_is_a_bare_string() {
    let server = TestServer::new().await;
    let key = server.key_with(&["api.groups.read"]).await;
    let mut request = server.request("POST", "/v1/organization/groups", r#"{"name":"g"}"#);
    request.headers_mut().insert(header::AUTHORIZATION, bearer(&key).parse().unwrap());
    let answer = server.send(request).await;
    assert_eq!(answer.status, 403);
    let message = answer.body["error"].as_str().expect("a bare string");
    assert!(message.starts_with(
        "You have insufficient permissions for this operation. Missing scopes: api.groups.write."
    ));
}

#[tokio::test]
async fn a_rate_limited_request_gets_a_time_to_wait() {
    let server = TestServer::with(Config::default().with_requests_per_minute(2.try_into().ok())).await;
    for _ in 0..2 {
        assert_eq!(server.get("/v1/organization/groups").await.status, 200);
    }
    let answer = server.get("/v1/organization/groups").await;
    answer.assert_error(429, Some("rate_limit_exceeded"), None);
    assert_eq!(answer.body["error"]["type"], "invalid_request_error");
    assert_eq!(answer.header("retry-after"), Some("30"));
    assert_eq!(answer.header("x-should-retry"), None);
    server.advance_clock_ms(30_000);
    assert_eq!(server.get("/v1/organization/groups").await.status, 200);
}

#[tokio::test]
async fn every_answer_has_the_headers_of_the_api() {
    let server = TestServer::new().await;
    let success = server.get("/v1/organization/groups").await;
    let refusal = server.get("/v1/organization/groups/nope").await;
    let unknown = server.get("/nope").await;
    for answer in [&success, &refusal, &unknown] {
        let request_id = answer.header("x-request-id").unwrap();
        assert!(request_id.starts_with("req_") && request_id.len() == 36, "{request_id}");
        assert_eq!(answer.header("openai-version"), Some("2020-10-01"));
        assert_eq!(answer.header("openai-processing-ms"), Some("0"));
        assert_eq!(answer.header("content-type"), Some("application/json"));
    }
    assert_eq!(success.header("openai-organization"), Some(server.organization.id.as_str()));
    assert_eq!((success.header("x-should-retry"), refusal.header("x-should-retry")), (None, Some("false")));
    assert_ne!(success.header("x-request-id"), refusal.header("x-request-id"));
}

#[tokio::test]
async fn the_same_routes_are_served_without_v1() {
    let server = TestServer::new().await;
    let with = server.get("/v1/organization/groups").await;
    let without = server.get("/organization/groups").await;
    assert_eq!((without.status, without.body), (with.status, with.body));
}

#[tokio::test]
async fn emails_may_be_repeated_with_or_without_brackets() {
    let server = TestServer::new().await;
    let (ada, bob) = (server.user("ada").await, server.user("bob").await);
    server.user("carol").await;
    for query in [
        "emails=ADA@example.com&emails=bob@example.com",
        "emails[]=ada@example.com&emails%5B%5D=bob@example.com",
    ] {
        let page = server.get(&format!("/v1/organization/users?{query}")).await;
        assert_eq!((&page.body["first_id"], &page.body["last_id"]), (&json!(ada), &json!(bob)));
        assert_eq!(page.body["data"].as_array().unwrap().len(), 2);
    }
}

#[tokio::test]
async fn a_request_with_a_malformed_query_is_answered() {
    let server = TestServer::new().await;
    for query in ["&&&", "=", "%", "limit", "limit=%ff", "a=%zz"] {
        let uri = format!("/v1/organization/groups?{query}");
        let request =
            Request::get(uri).header(header::AUTHORIZATION, bearer(KEY)).body(Body::empty()).unwrap();
        assert!(server.send(request).await.status.as_u16() < 500, "{query}");
    }
}
