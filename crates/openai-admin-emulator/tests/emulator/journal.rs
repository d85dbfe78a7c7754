//! The journal and expectations.

use serde_json::json;

use crate::support::{ADA, ADD, ask, emulator, exchange};

#[tokio::test]
async fn the_journal_records_requests_and_responses() {
    let emulator = emulator().await;
    ask(&emulator, "POST", ADD, ADA).await;
    ask(&emulator, "DELETE", &format!("{ADD}/user_bob"), "").await;
    let journal = ask(&emulator, "GET", "/_emulator/requests", "").await.json();
    let exchanges = journal["data"].as_array().unwrap();
    assert_eq!(exchanges.len(), 2, "controls are not recorded");
    let first = &exchanges[0];
    assert_eq!(first["operation"], "add-group-user");
    assert_eq!(first["path"], json!({ "group_id": "group_support" }));
    assert_eq!(first["body"], json!({ "user_id": "user_ada" }));
    assert_eq!(first["status"], 200);
    assert_eq!(first["answer"]["object"], "group.user");
    assert_eq!(exchanges[1]["path"]["user_id"], "user_bob");
    assert_eq!(exchanges[1]["status"], 404);
    assert!(!journal.to_string().contains("sk-test"), "no key is recorded");
}

#[tokio::test]
async fn the_journal_is_filtered_and_paged() {
    let emulator = emulator().await;
    for _ in 0..3 {
        ask(&emulator, "POST", ADD, ADA).await;
        ask(&emulator, "GET", "/v1/organization/groups", "").await;
    }
    let asked = async |query: &str| {
        let page = ask(&emulator, "GET", &format!("/_emulator/requests?{query}"), "").await.json();
        let numbers: Vec<u64> = page["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|exchange| exchange["number"].as_u64().unwrap())
            .collect();
        (numbers, page["has_more"].as_bool().unwrap())
    };
    assert_eq!(asked("operation=add-group-user").await, (vec![1, 3, 5], false));
    assert_eq!(asked("path.group_id=group_support&limit=2").await, (vec![1, 3], true));
    assert_eq!(asked("path.group_id=group_support&after=3").await, (vec![5], false));
    assert_eq!(asked("method=get&status=200").await, (vec![2, 4, 6], false));
    assert_eq!(ask(&emulator, "GET", "/_emulator/requests?group=x", "").await.status, 400);
    ask(&emulator, "DELETE", "/_emulator/requests", "").await;
    assert_eq!(asked("").await, (vec![], false));
}

#[tokio::test]
async fn expectations_are_verified_over_http() {
    let emulator = emulator().await;
    ask(&emulator, "POST", ADD, ADA).await;
    ask(&emulator, "POST", ADD, ADA).await;
    let verify = async |expectation: serde_json::Value| {
        ask(&emulator, "POST", "/_emulator/verify", &expectation.to_string()).await
    };
    let two = json!({ "operation": "add-group-user", "path": { "group_id": "group_support" }, "exactly": 2 });
    assert_eq!(verify(two).await.json(), json!({ "count": 2 }));
    let none = verify(json!({ "operation": "remove-group-user", "at_least": 1 })).await;
    assert_eq!(none.status, 409);
    assert_eq!(
        none.json()["error"]["message"],
        "expected at least 1 request with {\"operation\":\"remove-group-user\"}, but there were 0; nearest: number 1 \
         (operation is add-group-user); number 2 (operation is add-group-user)"
    );
    assert_eq!(verify(json!({ "operation": "add-group-user" })).await.status, 400);
    assert_eq!(verify(json!({ "operatoin": "add-group-user", "exactly": 0 })).await.status, 400);
}

#[tokio::test]
async fn impossible_filters_are_refused_by_verify_and_by_the_list() {
    let emulator = emulator().await;
    ask(&emulator, "POST", ADD, ADA).await;
    for (filter, query, problem) in [
        (json!({ "operation": "add-user" }), "operation=add-user", "did you mean 'add-group-user'?"),
        (
            json!({ "operation": "add-group-user", "path": { "group": "group_support" } }),
            "operation=add-group-user&path.group=group_support",
            "the path of add-group-user has no 'group': it has group_id",
        ),
        (json!({ "fault": "rate-limited" }), "fault=rate-limited", "no fault 'rate-limited'"),
        (json!({ "method": "GTE" }), "method=GTE", "invalid 'method' 'GTE'"),
    ] {
        let listed = ask(&emulator, "GET", &format!("/_emulator/requests?{query}"), "").await;
        let mut expectation = filter.clone();
        expectation["exactly"] = json!(0);
        let verified = ask(&emulator, "POST", "/_emulator/verify", &expectation.to_string()).await;
        let ordered = json!({ "in_order": [filter] }).to_string();
        let ordered = ask(&emulator, "POST", "/_emulator/verify", &ordered).await;
        for refused in [listed, verified, ordered] {
            assert_eq!(refused.status, 400, "{query}");
            assert!(refused.message().contains(problem), "{query}: {}", refused.message());
        }
    }
}

#[tokio::test]
async fn a_rule_is_a_valid_filter_while_it_exists_or_is_in_the_journal() {
    let emulator = emulator().await;
    let rule = r#"{"name":"mine","count":1,"fault":{"kind":"status","status":503}}"#;
    let listed = async || ask(&emulator, "GET", "/_emulator/requests?fault=mine", "").await.status;
    assert_eq!(listed().await, 400);
    ask(&emulator, "POST", "/_emulator/faults", rule).await;
    assert_eq!(listed().await, 200);
    ask(&emulator, "POST", ADD, ADA).await;
    ask(&emulator, "DELETE", "/_emulator/faults/mine", "").await;
    assert_eq!(listed().await, 200, "the journal has one");
}

#[tokio::test]
async fn requests_without_an_operation_are_recorded() {
    let emulator = emulator().await;
    exchange(&emulator, "k", "POST", ADD, "no json").await.unwrap();
    let kept = ask(&emulator, "GET", "/_emulator/requests", "").await.json();
    assert_eq!(
        (kept["data"][0]["body"].as_str(), kept["data"][0]["status"].as_u64()),
        (Some("no json"), Some(400))
    );
}
