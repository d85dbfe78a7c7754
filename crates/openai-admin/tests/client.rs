//! The client against a scripted service: each thing that can go wrong, and what the caller learns of it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::disallowed_methods, reason = "the clock is tokio's, paused")]

use std::time::Duration;

use openai_admin::{
    Client, Error, ErrorKind, GroupId,
    models::{CreateGroupBody, CreateGroupUserBody},
    operations::RetrieveGroup,
    testing::Script,
};

const GROUP: &str =
    r#"{"id":"group_1","name":"Support","created_at":0,"is_scim_managed":false,"group_type":"group"}"#;
const REMOVED: &str = r#"{"object":"group.user.deleted","deleted":true}"#;

fn client(script: &Script) -> Client {
    Client::builder()
        .key("sk-admin-secret")
        .base_url("http://localhost/v1")
        .service(script.clone())
        .build()
        .unwrap()
}

async fn retrieve(script: &Script) -> Result<(), Error> {
    client(script).groups().retrieve_group("group_1").await.map(|_| ())
}

fn support() -> CreateGroupBody {
    CreateGroupBody::new("Support".try_into().unwrap())
}

fn page(ids: &[&str], has_more: bool, next: Option<&str>) -> String {
    let data: Vec<_> =
        ids.iter().map(|id| serde_json::json!({ "id": id, "name": "n", "email": null })).collect();
    serde_json::json!({ "object": "list", "data": data, "has_more": has_more, "next": next }).to_string()
}

mod raw {
    use super::*;
    use openai_admin::{Method, client::RawRequest};

    #[tokio::test(start_paused = true)]
    async fn a_path_is_meant_with_and_without_what_the_base_url_says() {
        let script = Script::new().then_ok("{}").times(4);
        for path in ["/x?a=1", "x?a=1", "/v1/x?a=1", "http://localhost/v1/x?a=1"] {
            let request = RawRequest::new(Method::Get, path).query("b", "c d");
            client(&script).send_raw(&request).await.unwrap();
        }
        for request in script.requests() {
            assert_eq!(request.target, "/v1/x?a=1&b=c+d");
            assert_eq!(request.headers["authorization"], "Bearer sk-admin-secret");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_does_not_leave_for_another_service() {
        let script = Script::new();
        for path in [
            "https://localhost/v1/x",
            "http://localhost:81/v1/x",
            "http://example.com/v1/x",
            "http://localhost@example.com/v1/x",
            "a b",
            "x#y",
            "ü",
        ] {
            let error = client(&script).send_raw(&RawRequest::new(Method::Get, path)).await.unwrap_err();
            assert_eq!((error.kind(), error.attempts()), (ErrorKind::InvalidRequest, 0), "{path}");
        }
        let with_body = RawRequest::new(Method::Delete, "x").body("{}");
        assert_eq!(client(&script).send_raw(&with_body).await.unwrap_err().message(), "a DELETE has no body");
        assert!(script.requests().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_is_sent_once_and_as_it_is() {
        let script = Script::new().status(503).body(r#"{"error":{"message":"later"}}"#);
        let request = RawRequest::new(Method::Post, "/x").body(r#"{"b": 1, "a":2}"#);
        let error = client(&script).send_raw(&request).await.unwrap_err();
        assert_eq!((error.message(), error.attempts(), error.was_sent()), ("later", 1, true));
        let sent = &script.requests()[0];
        assert_eq!((script.requests().len(), &*sent.body), (1, &br#"{"b": 1, "a":2}"#[..]));
        assert_eq!(sent.headers["content-type"], "application/json");
        assert!(!sent.headers["idempotency-key"].is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_a_tree_or_nothing_or_unreadable() {
        let script = Script::new().then_ok(r#"[1]"#).then_ok("").then_ok("<html>");
        let request = RawRequest::new(Method::Delete, "x");
        let client = client(&script);
        assert_eq!(client.send_raw(&request).await.unwrap().into_inner(), serde_json::json!([1]));
        assert!(client.send_raw(&request).await.unwrap().is_null());
        assert_eq!(client.send_raw(&request).await.unwrap_err().kind(), ErrorKind::UnreadableAnswer);
    }
}

mod requests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_request_carries_key_agent_and_type_and_an_escaped_path() {
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
            assert_eq!(
                (error.kind(), error.was_sent(), error.attempts()),
                (ErrorKind::InvalidRequest, false, 0)
            );
            assert!(client.group_users().list_group_users(bad).await.is_err());
        }
        assert!(script.requests().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn own_headers_are_sent_and_organization_and_project() {
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
}

mod errors {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_status_is_never_lost_whatever_the_body() {
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
    async fn an_error_says_what_failed_and_what_to_do() {
        let body = r#"{"error":{"message":"No group.","type":"invalid_request_error","param":"group_id","code":null}}"#;
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
    async fn an_answer_that_is_no_answer_says_where() {
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
    async fn neither_key_nor_people_are_shown_by_debug_or_display() {
        let person = r#"{"id":7,"name":"Ada Lovelace","email":"ada@example.com"}"#;
        let script = Script::new().then_ok(person);
        let client = client(&script);
        let error = client.groups().retrieve_group("g").await.unwrap_err();
        let shown = format!("{error} {error:?} {client:?}");
        assert!(!shown.contains("Ada") && !shown.contains("ada@") && !shown.contains("secret"), "{shown}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_without_end_is_cut() {
        let body = serde_json::json!({ "error": { "message": "\u{e9}".repeat(5_000_000) } }).to_string();
        let error = retrieve(&Script::new().status(400).body(body)).await.unwrap_err();
        assert!(error.to_string().len() < 5_000);
    }

    #[tokio::test(start_paused = true)]
    async fn a_redirect_is_an_error_and_the_key_goes_nowhere() {
        let script = Script::new().status(307).header("location", "https://evil.example/v1").then_ok(GROUP);
        let error = retrieve(&script).await.unwrap_err();
        assert_eq!((error.status().unwrap().as_u16(), script.requests().len()), (307, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_of_a_gigabyte_ends_at_the_limit() {
        let script = Script::new().status(200).endless_body(1 << 30);
        let error = retrieve(&script).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnreadableAnswer);
        assert!(error.to_string().contains("larger than 33554432 bytes"), "{error}");
    }
}

mod retries {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_passes_is_waited_for() {
        for status in [408, 429, 500, 502, 503, 504] {
            let script = Script::new().status(status).times(2).then_ok(GROUP);
            retrieve(&script).await.unwrap();
            assert_eq!(script.requests().len(), 3, "{status}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_gives_up_says_after_how_many_retries() {
        let script = Script::new().status(503).times(3).then_ok(GROUP);
        let error = retrieve(&script).await.unwrap_err();
        assert_eq!((error.attempts(), script.requests().len()), (3, 3));
        assert!(error.to_string().contains(", after 2 retries in "), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn retries_are_set_per_client_and_per_call() {
        let script = Script::new().status(503).times(9).then_ok(GROUP);
        let client = client(&script);
        assert_eq!(client.with_retries(0).groups().retrieve_group("g").await.unwrap_err().attempts(), 1);
        assert_eq!(client.with_retries(4).groups().retrieve_group("g").await.unwrap_err().attempts(), 5);
        assert_eq!(client.groups().retrieve_group("g").await.unwrap_err().attempts(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_settled_refusal_is_not_repeated() {
        for status in [400, 401, 403, 404, 409, 413, 422] {
            let script = Script::new().status(status).then_ok(GROUP);
            assert_eq!(retrieve(&script).await.unwrap_err().attempts(), 1, "{status}");
        }
        let quota = r#"{"error":{"message":"You exceeded your current quota.","code":"insufficient_quota"}}"#;
        let script = Script::new().status(429).body(quota).then_ok(GROUP);
        assert_eq!(retrieve(&script).await.unwrap_err().attempts(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn the_wait_that_is_asked_for_is_kept() {
        for (script, seconds) in [
            (Script::new().status(429).header("retry-after", "7"), 7.0),
            (Script::new().status(429).header("retry-after-ms", "2500"), 2.5),
            (
                Script::new()
                    .status(429)
                    .body(r#"{"error":{"message":"Please try again after 6.9 seconds."}}"#),
                6.9,
            ),
        ] {
            let script = script.then_ok(GROUP);
            retrieve(&script).await.unwrap();
            let requests = script.requests();
            let waited = (requests[1].at - requests[0].at).as_secs_f64();
            assert!((seconds..seconds + 0.6).contains(&waited), "{waited}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_of_a_day_fails_at_once_and_says_so() {
        let script = Script::new().status(429).header("retry-after", "86400").then_ok(GROUP);
        let error = retrieve(&script).await.unwrap_err();
        assert_eq!((error.attempts(), error.retry_after()), (1, Some(Duration::from_secs(86_400))));
        assert!(error.is_rate_limited());
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_was_never_made_is_tried_again_for_every_operation() {
        let script = Script::new().refuse_connection().times(2).then_ok(GROUP);
        client(&script).groups().create_group(support()).await.unwrap();
        let script = Script::new().refuse_connection().times(3);
        let error = client(&script).groups().create_group(support()).await.unwrap_err();
        assert_eq!((error.kind(), error.was_sent(), error.attempts()), (ErrorKind::Transport, false, 3));
    }

    #[tokio::test(start_paused = true)]
    async fn what_may_have_happened_is_repeated_only_where_that_is_harmless() {
        for script in
            [Script::new().reset(), Script::new().status(502), Script::new().status(200).broken_body("{")]
        {
            let script = script.then_ok(GROUP);
            let error = client(&script).groups().create_group(support()).await.unwrap_err();
            assert_eq!((error.was_sent(), error.attempts()), (true, 1));
        }
        for script in
            [Script::new().reset(), Script::new().status(502), Script::new().status(200).broken_body("{")]
        {
            let script = script.then_ok(r#"{"object":"group.user","user_id":"u","group_id":"g"}"#);
            let body = CreateGroupUserBody::new("u".parse().unwrap());
            client(&script).group_users().add_group_user("g", body).await.unwrap();
            assert_eq!(script.requests().len(), 2);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_503_then_a_reset_connection_ends_with_what_happened() {
        let script = Script::new().status(503).reset().status(404).body(r#"{"error":{"message":"Gone."}}"#);
        let error = client(&script).group_users().remove_group_user("g", "u").await.unwrap_err();
        assert!(error.is_not_found() && error.earlier_attempt_may_have_succeeded());
        let script = Script::new().status(429).status(404);
        let error = client(&script).group_users().remove_group_user("g", "u").await.unwrap_err();
        assert!(error.is_not_found() && !error.earlier_attempt_may_have_succeeded());
        let script = Script::new().reset().then_ok(REMOVED);
        assert!(client(&script).group_users().remove_group_user("g", "u").await.unwrap().deleted);
    }

    #[tokio::test(start_paused = true)]
    async fn one_post_has_one_idempotency_key_for_all_its_attempts() {
        let script = Script::new().status(429).times(2).then_ok(GROUP).then_ok(GROUP).then_ok(GROUP);
        let client = client(&script);
        client.groups().create_group(support()).await.unwrap();
        client.groups().create_group(support()).await.unwrap();
        client.groups().retrieve_group("g").await.unwrap();
        let keys: Vec<_> =
            script.requests().iter().map(|request| request.headers.get("idempotency-key").cloned()).collect();
        assert!(keys[0].is_some() && keys[0] == keys[1] && keys[1] == keys[2]);
        assert!(keys[3].is_some() && keys[3] != keys[0]);
        assert_eq!(keys[4], None);
    }

    #[tokio::test(start_paused = true)]
    async fn all_clones_share_one_budget_of_retries() {
        let script = Script::new().status(503).times(1000);
        let client = client(&script);
        let mut attempts = 0;
        for _ in 0..100 {
            attempts +=
                client.clone().with_retries(2).groups().retrieve_group("g").await.unwrap_err().attempts();
        }
        assert_eq!(attempts, 100 + 100, "a hundred calls, and a hundred retries for all of them");
    }

    #[tokio::test(start_paused = true)]
    async fn x_should_retry_is_obeyed() {
        let script = Script::new().status(503).header("x-should-retry", "false").then_ok(GROUP);
        assert_eq!(retrieve(&script).await.unwrap_err().attempts(), 1);
        let script = Script::new().status(409).header("x-should-retry", "true").then_ok(GROUP);
        retrieve(&script).await.unwrap();
    }
}

mod timeouts {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_header_or_body_that_never_comes_ends_with_the_attempt() {
        for script in [Script::new().hang(), Script::new().status(200).hanging_body()] {
            let client = client(&script).with_retries(0);
            let begun = tokio::time::Instant::now();
            let error = client.groups().retrieve_group("g").await.unwrap_err();
            assert_eq!(
                (error.kind(), error.was_sent(), begun.elapsed()),
                (ErrorKind::Timeout, true, Duration::from_secs(30))
            );
            assert_eq!(error.to_string(), "retrieve-group: no answer within 30 s");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_ends_with_all_its_attempts_within_its_own_limit() {
        let script = Script::new().hang().times(100);
        let client = client(&script).with_retries(99).with_attempt_timeout(Duration::from_secs(3));
        let begun = tokio::time::Instant::now();
        let error =
            client.with_timeout(Duration::from_secs(10)).groups().retrieve_group("g").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert!(begun.elapsed() <= Duration::from_millis(10_001), "{:?}", begun.elapsed());
        assert!(error.attempts() > 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_that_outlasts_the_call_is_not_begun() {
        let script = Script::new().status(429).header("retry-after", "60").then_ok(GROUP);
        let begun = tokio::time::Instant::now();
        let client = client(&script).with_timeout(Duration::from_secs(20));
        assert!(client.groups().retrieve_group("g").await.unwrap_err().is_rate_limited());
        assert!(begun.elapsed() < Duration::from_secs(1));
    }
}

mod pages {
    use futures_util::StreamExt;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn items_go_over_pages_and_through_an_empty_one() {
        let script = Script::new()
            .then_ok(page(&["a", "b"], true, Some("b")))
            .then_ok(page(&[], true, Some("c")))
            .then_ok(page(&["d"], false, None));
        let client = client(&script);
        let users = client.group_users().list_group_users("g").limit(2).items().try_collect().await.unwrap();
        assert_eq!(users.iter().map(|user| user.id.as_str()).collect::<Vec<_>>(), ["a", "b", "d"]);
        let targets: Vec<String> = script.requests().into_iter().map(|request| request.target).collect();
        assert_eq!(
            targets,
            [
                "/v1/organization/groups/g/users?limit=2",
                "/v1/organization/groups/g/users?limit=2&after=b",
                "/v1/organization/groups/g/users?limit=2&after=c",
            ]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_list_that_runs_in_a_circle_ends_with_an_error_after_its_items() {
        let script = Script::new()
            .then_ok(page(&["a"], true, Some("a")))
            .then_ok(page(&["b"], true, Some("a")))
            .times(9);
        let client = client(&script);
        let mut items = client.group_users().list_group_users("g").items();
        assert_eq!(items.next().await.unwrap().unwrap().id, "a");
        assert_eq!(items.next().await.unwrap().unwrap().id, "b");
        let error = items.next().await.unwrap().unwrap_err();
        assert!(error.to_string().contains("runs in a circle"), "{error}");
        assert!(items.next().await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_list_of_empty_pages_without_end_ends_with_an_error() {
        let mut script = Script::new();
        for number in 0..1000 {
            script = script.then_ok(page(&[], true, Some(&format!("cursor-{number}"))));
        }
        let error =
            client(&script).group_users().list_group_users("g").items().next().await.unwrap().unwrap_err();
        assert!(error.to_string().contains("only empty pages"), "{error}");
        assert_eq!(script.requests().len(), 100);
    }

    #[tokio::test(start_paused = true)]
    async fn a_page_that_was_not_waited_for_is_read_again() {
        let script =
            Script::new().then_ok(page(&["a"], true, Some("a"))).hang().then_ok(page(&["b"], false, None));
        let client = client(&script);
        let mut items = client.group_users().list_group_users("g").items();
        assert_eq!(items.next().await.unwrap().unwrap().id, "a");
        assert!(tokio::time::timeout(Duration::from_secs(1), items.next()).await.is_err());
        assert_eq!(items.next().await.unwrap().unwrap().id, "b");
        assert!(items.next().await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_resumed_walk_that_is_sent_back_to_its_start_ends() {
        let script = Script::new().then_ok(page(&["a"], true, Some("x"))).times(9);
        let client = client(&script);
        let mut items = client.group_users().list_group_users("g").resume_from("x").items();
        assert!(items.next().await.unwrap().is_ok());
        assert!(items.next().await.unwrap().is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn more_items_without_a_cursor_is_an_error() {
        let script = Script::new().then_ok(page(&["a"], true, None));
        let client = client(&script);
        let mut items = client.group_users().list_group_users("g").items();
        assert!(items.next().await.unwrap().is_ok());
        assert!(items.next().await.unwrap().unwrap_err().to_string().contains("names no cursor"));
    }

    #[tokio::test(start_paused = true)]
    async fn items_come_before_the_error_and_the_walk_can_be_resumed() {
        let script = Script::new().then_ok(page(&["a"], true, Some("a"))).status(400).then_ok(page(
            &["b"],
            false,
            None,
        ));
        let client = client(&script);
        let mut pages = client.group_users().list_group_users("g").pages();
        assert_eq!(pages.next().await.unwrap().unwrap().data.len(), 1);
        let cursor = pages.cursor().unwrap().clone();
        assert!(pages.next().await.unwrap().is_err());
        assert!(pages.next().await.is_none());
        let rest = client
            .group_users()
            .list_group_users("g")
            .resume_from(&cursor)
            .items()
            .try_collect()
            .await
            .unwrap();
        assert_eq!(rest[0].id, "b");
        assert!(script.requests()[2].target.ends_with("?after=a"));
    }

    #[tokio::test(start_paused = true)]
    async fn the_older_envelope_is_followed_by_its_last_id() {
        let users = |ids: &[&str], has_more| {
            let data: Vec<_> = ids.iter().map(|id| serde_json::json!({ "id": id, "added_at": 0 })).collect();
            serde_json::json!({ "data": data, "has_more": has_more, "last_id": ids.last() }).to_string()
        };
        let script = Script::new().then_ok(users(&["a", "b"], true)).then_ok(users(&["c"], false));
        let client = client(&script);
        assert_eq!(client.users().list_users().items().try_collect().await.unwrap().len(), 3);
        assert_eq!(script.requests()[1].target, "/v1/organization/users?after=b");
    }

    #[tokio::test(start_paused = true)]
    async fn a_list_is_a_stream() {
        let script = Script::new().then_ok(page(&["a"], true, Some("a"))).then_ok(page(&["b"], false, None));
        let client = client(&script);
        let ids: Vec<_> = client
            .group_users()
            .list_group_users("g")
            .items()
            .into_stream()
            .map(|user| user.unwrap().id)
            .collect()
            .await;
        assert_eq!(ids, ["a", "b"]);
    }

    #[tokio::test(start_paused = true)]
    async fn pages_of_nothing_are_refused() {
        let script = Script::new();
        let client = client(&script);
        let error =
            client.group_users().list_group_users("g").limit(0).items().next().await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        assert!(script.requests().is_empty());
    }
}

mod answers {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_answer_has_its_envelope_and_fields_that_nobody_knows_yet() {
        let body = GROUP.replace("}", r#","colour":"blue"}"#);
        let script = Script::new().status(201).header("x-request-id", "req_1").body(body);
        let group = client(&script).groups().create_group(support()).await.unwrap();
        assert_eq!((group.status().as_u16(), group.request_id()), (201, Some("req_1")));
        assert_eq!(group.json()["colour"], "blue");
        assert_eq!(group.name, "Support");
    }

    #[tokio::test(start_paused = true)]
    async fn a_strict_client_notices_what_it_does_not_know() {
        let body = GROUP.replace("}", r#","colour":"blue"}"#);
        let script = Script::new().then_ok(body).then_ok(GROUP);
        let client =
            Client::builder().base_url("http://localhost").strict(true).service(script).build().unwrap();
        let error = client.groups().retrieve_group("g").await.unwrap_err();
        assert!(error.to_string().contains("strict: colour is not what this version knows"), "{error}");
        client.groups().retrieve_group("g").await.unwrap();
    }
}

#[test]
fn a_blocking_client_waits_and_iterates() {
    let script = Script::new().then_ok(GROUP).then_ok(page(&["a"], true, Some("a"))).then_ok(page(
        &["b"],
        false,
        None,
    ));
    let client = openai_admin::blocking::Client::new(client(&script)).unwrap();
    let group = client.send(&RetrieveGroup::new(GroupId::new("group_1").unwrap())).unwrap();
    let users: Result<Vec<_>, _> = client.items(client.group_users().list_group_users(&group.id)).collect();
    assert_eq!(users.unwrap().len(), 2);
}

#[tokio::test]
async fn a_blocking_client_may_be_dropped_anywhere() {
    drop(openai_admin::blocking::Client::new(client(&Script::new())).unwrap());
}

#[test]
fn futures_of_the_client_can_be_sent_between_threads() {
    fn check<T: Send>(_: T) {}
    let client = client(&Script::new());
    check(client.groups().retrieve_group("g"));
    check(client.group_users().list_group_users("g").items());
    check(client.clone());
}
