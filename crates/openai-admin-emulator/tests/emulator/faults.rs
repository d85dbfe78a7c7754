//! Each fault as a client sees it, and its count in the journal.

use std::time::Duration;

use openai_admin::ErrorKind;
use openai_admin_emulator::{
    Emulator,
    faults::{FaultPlan, Profile},
    journal::{Exchange, ExchangeFilter},
};

use tokio::time::timeout;

use crate::support::{ADA, ADD, add, ask, builder, emulator, exchange, members, once, send_raw};

async fn with(plan: &str) -> Emulator {
    builder().faults(FaultPlan::from_text(plan).unwrap()).start().await.unwrap()
}

async fn all(emulator: &Emulator) -> Vec<Exchange> {
    emulator.namespace().requests(&ExchangeFilter::default(), 0, None).await.unwrap().data
}

/// The number of faults of a kind in the journal, which must match the counts of the rules.
async fn injected(emulator: &Emulator, kind: &str) -> usize {
    let filter = ExchangeFilter { fault: Some(kind.to_owned()), ..ExchangeFilter::default() };
    let any = ExchangeFilter { fault: Some("any".to_owned()), ..ExchangeFilter::default() };
    let counted: u64 = emulator.namespace().faults().rules.iter().map(|rule| rule.counts.injected).sum();
    let asked = async |filter| emulator.namespace().requests(&filter, 0, None).await.unwrap().data.len();
    assert_eq!(asked(any).await as u64, counted);
    asked(filter).await
}

#[tokio::test]
async fn a_429_has_its_time_to_wait_in_the_header() {
    let emulator = with("rules: [{ count: 1, fault: { kind: rate_limited, wait_seconds: 1.2 } }]").await;
    let error = add(&once(&emulator), "user_ada").await.unwrap_err();
    assert_eq!(
        (error.status().map(|status| status.as_u16()), error.code()),
        (Some(429), Some("rate_limit_exceeded"))
    );
    assert_eq!(error.retry_after(), Some(Duration::from_secs(2)));
    assert!(members(&once(&emulator), "group_support").await.is_empty(), "the request had no effect");
    assert_eq!(injected(&emulator, "rate_limited").await, 1);
}

#[tokio::test]
async fn a_429_has_its_time_to_wait_in_the_message_or_nowhere() {
    let emulator = with(
        "rules: [{ sequence: [{ kind: rate_limited, wait_seconds: 6.9, told: message }, { kind: rate_limited, told: nowhere }] }]",
    )
    .await;
    let told = ask(&emulator, "POST", ADD, ADA).await;
    assert_eq!((told.status, told.header("retry-after")), (429, None));
    assert!(told.body.contains("Please try again after 6.9 seconds."), "{}", told.body);
    let silent = ask(&emulator, "POST", ADD, ADA).await;
    assert_eq!((silent.status, silent.header("retry-after")), (429, None));
    assert!(!silent.body.contains("try again"), "{}", silent.body);
    assert_eq!(injected(&emulator, "rate_limited").await, 2);
}

#[tokio::test]
async fn errors_have_a_body_of_json_html_text_or_none() {
    let emulator = with(
        "rules: [{ sequence: [{ kind: status, status: 500 }, { kind: status, status: 502, body: html },
                              { kind: status, status: 503, body: text, retry_after_seconds: 3 }, { kind: status, status: 504, body: empty }] }]",
    )
    .await;
    let client = once(&emulator);
    for (status, body) in [(500, "{\"error\""), (502, "<html>"), (503, "service unavailable"), (504, "")] {
        let error = add(&client, "user_ada").await.unwrap_err();
        assert_eq!(error.status().map(|status| status.as_u16()), Some(status));
        assert!(error.body().unwrap_or_default().starts_with(body.as_bytes()), "{error:?}");
    }
    assert_eq!(injected(&emulator, "status").await, 4);
    add(&client, "user_ada").await.unwrap();
}

#[tokio::test]
async fn a_request_takes_effect_only_if_the_reset_is_after_it() {
    let emulator = with("rules: [{ operation: add-group-user, sequence: [{ kind: reset, when: before }, null, { kind: reset, when: after }] }]").await;
    let client = once(&emulator);
    let error = add(&client, "user_ada").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport, "{error:?}");
    assert!(members(&client, "group_support").await.is_empty());
    add(&client, "user_ada").await.unwrap();
    client.group_users().remove_group_user("group_support", "user_ada").await.unwrap();
    add(&client, "user_ada").await.unwrap_err();
    assert_eq!(members(&client, "group_support").await, ["user_ada"]);
    assert_eq!(injected(&emulator, "reset").await, 2);
}

#[tokio::test]
async fn a_reset_sends_a_tcp_reset() {
    let emulator = with("rules: [{ fault: { kind: reset, when: before } }]").await;
    let error = exchange(&emulator, "k", "POST", ADD, ADA).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn a_request_with_a_truncated_answer_takes_effect() {
    let emulator = with("rules: [{ operation: add-group-user, sequence: [{ kind: truncated }, { kind: truncated, bytes: 5 }] }]").await;
    let error = add(&once(&emulator), "user_ada").await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Transport | ErrorKind::UnreadableAnswer), "{error:?}");
    assert_eq!(members(&once(&emulator), "group_support").await, ["user_ada"]);
    let text = exchange(&emulator, "k", "POST", ADD, ADA).await.unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert_eq!(body.len(), 5);
    assert!(head.contains("200 OK") && !head.contains("content-length: 5"), "{head}");
    assert_eq!(injected(&emulator, "truncated").await, 2);
}

#[tokio::test]
async fn the_client_retries_temporary_faults() {
    let emulator = with(
        "rules: [{ operation: add-group-user, sequence: [{ kind: status, status: 503, retry_after_seconds: 0 }, { kind: reset, when: after }] }]",
    )
    .await;
    add(&emulator.client().unwrap(), "user_ada").await.unwrap();
    let adds = ExchangeFilter { operation: Some("add-group-user".to_owned()), ..ExchangeFilter::default() };
    assert_eq!(emulator.namespace().requests(&adds, 0, None).await.unwrap().data.len(), 3);
}

#[tokio::test]
async fn a_response_is_delayed_as_recorded() {
    let emulator = with("rules: [{ latency: { kind: fixed, ms: 50 } }]").await;
    let client = once(&emulator);
    assert!(timeout(Duration::from_millis(50), add(&client, "user_ada")).await.is_err(), "too early");
    add(&client, "user_ada").await.unwrap();
    assert_eq!(all(&emulator).await[0].delayed_ms, 50);
}

#[tokio::test]
async fn requests_of_disconnected_clients_are_recorded() {
    let emulator = with("rules: [{ latency: { kind: fixed, ms: 50 } }]").await;
    let head = format!(
        "POST {ADD} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer k\r\ncontent-type: application/json"
    );
    drop(send_raw(&emulator, &head, ADA).await.unwrap());
    let recorded = async {
        while all(&emulator).await.is_empty() {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(10), recorded).await.expect("the request is recorded");
    let kept = &all(&emulator).await[0];
    assert_eq!((kept.status, kept.delayed_ms), (Some(200), 50));
}

#[tokio::test]
async fn stale_reads_show_a_write_after_its_delay() {
    let plan = FaultPlan::from_text("stale_reads_ms: 500").unwrap();
    let emulator = builder().seed(1).faults(plan).start().await.unwrap();
    let client = once(&emulator);
    let step = async |ms: u32| {
        ask(&emulator, "POST", "/_emulator/clock/step", &format!("{{\"ms\":{ms}}}")).await;
    };
    add(&client, "user_ada").await.unwrap();
    assert!(members(&client, "group_support").await.is_empty());
    assert_eq!(ask(&emulator, "GET", &format!("{ADD}/user_ada"), "").await.status, 404);
    step(300).await;
    add(&client, "user_bob").await.unwrap();
    assert!(members(&client, "group_support").await.is_empty());
    step(200).await;
    assert_eq!(members(&client, "group_support").await, ["user_ada"]);
    step(300).await;
    assert_eq!(members(&client, "group_support").await, ["user_bob", "user_ada"]);
}

#[tokio::test]
async fn a_budget_without_headers_is_like_the_real_service() {
    let profile = FaultPlan { profile: Some(Profile::ProductionLike), ..FaultPlan::default() };
    let emulator = builder().seed(1).faults(profile).start().await.unwrap();
    let mut statuses = Vec::new();
    for _ in 0..9 {
        let answer = ask(&emulator, "GET", "/v1/organization/groups", "").await;
        assert_eq!(answer.header("retry-after"), None);
        statuses.push(answer.status);
    }
    assert_eq!(statuses, [200, 200, 200, 200, 200, 200, 200, 429, 429]);
    assert_eq!(ask(&emulator, "GET", "/v1/organization/users", "").await.status, 200, "another endpoint");
    ask(&emulator, "POST", "/_emulator/clock/step", r#"{"ms":8600}"#).await;
    assert_eq!(ask(&emulator, "GET", "/v1/organization/groups", "").await.status, 200);
    assert_eq!(injected(&emulator, "rate_limited").await, 2);
}

#[tokio::test]
async fn a_flaky_service_fails_one_request_in_five_in_every_way() {
    let profile = FaultPlan { profile: Some(Profile::Flaky), ..FaultPlan::default() };
    let emulator = builder().seed(1).faults(profile).start().await.unwrap();
    let client = once(&emulator);
    let mut failed = 0;
    for _ in 0..400 {
        failed += usize::from(client.groups().list_groups().await.is_err());
    }
    let mut kinds = Vec::new();
    for kind in ["rate_limited", "status", "reset", "truncated"] {
        kinds.push(injected(&emulator, kind).await);
    }
    assert!(kinds.iter().all(|count| *count > 0), "{kinds:?}");
    assert_eq!(kinds.iter().sum::<usize>(), failed);
    assert!((50..120).contains(&failed), "{failed} of 400");
}

#[tokio::test]
async fn a_slow_service_delays_responses() {
    let profile = FaultPlan { profile: Some(Profile::Slow), ..FaultPlan::default() };
    let emulator = builder().seed(1).faults(profile).start().await.unwrap();
    let client = once(&emulator);
    add(&client, "user_ada").await.unwrap();
    let delayed = all(&emulator).await[0].delayed_ms;
    // The seed makes the delay reproducible.
    emulator.namespace().reset().await.unwrap();
    let delay = Duration::from_millis(delayed.into());
    assert!(delayed > 0 && timeout(delay, add(&client, "user_ada")).await.is_err(), "{delayed} ms");
}

#[tokio::test]
async fn faults_can_be_changed_over_http() {
    let emulator = emulator().await;
    let rule = r#"{"name":"down","fault":{"kind":"status","status":503}}"#;
    assert_eq!(ask(&emulator, "POST", "/_emulator/faults", rule).await.body, r#"{"name":"down"}"#);
    assert_eq!(ask(&emulator, "POST", "/_emulator/faults", rule).await.status, 400);
    let answer = ask(&emulator, "GET", ADD, "").await;
    assert_eq!((answer.status, answer.header("openai-emulator-fault")), (503, Some("down")));
    let report = ask(&emulator, "GET", "/_emulator/faults", "").await.json();
    assert_eq!(report["rules"][0]["counts"]["injected"], 1);
    assert_eq!(ask(&emulator, "DELETE", "/_emulator/faults/down", "").await.status, 200);
    assert_eq!(ask(&emulator, "GET", ADD, "").await.status, 200);
    let plan = ask(&emulator, "PUT", "/_emulator/faults", "profile: slow\nrules: []").await;
    assert_eq!(plan.json()["rules"][0]["rule"]["name"], "latency");
    assert_eq!(ask(&emulator, "DELETE", "/_emulator/faults", "").await.status, 200);
    assert_eq!(emulator.namespace().faults().rules.len(), 0);
}
