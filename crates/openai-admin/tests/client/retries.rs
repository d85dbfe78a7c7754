//! Retries: which failures, when, and how often.

use std::sync::{Arc, Mutex};

use openai_admin::{RetryPolicy, client::FailedAttempt};

use super::*;

#[tokio::test(start_paused = true)]
async fn temporary_failures_are_retried() {
    for status in [408, 429, 500, 502, 503, 504] {
        let script = Script::new().status(status).times(2).then_ok(GROUP);
        retrieve(&script).await.unwrap();
        assert_eq!(script.requests().len(), 3, "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_call_reports_its_retries() {
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
async fn a_permanent_refusal_is_not_retried() {
    for status in [400, 401, 403, 404, 409, 413, 422] {
        let script = Script::new().status(status).then_ok(GROUP);
        assert_eq!(retrieve(&script).await.unwrap_err().attempts(), 1, "{status}");
    }
    let quota = r#"{"error":{"message":"You exceeded your current quota.","code":"insufficient_quota"}}"#;
    let script = Script::new().status(429).body(quota).then_ok(GROUP);
    assert_eq!(retrieve(&script).await.unwrap_err().attempts(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_requested_wait_is_respected() {
    for (script, seconds) in [
        (Script::new().status(429).header("retry-after", "7"), 7.0),
        (Script::new().status(429).header("retry-after-ms", "2500"), 2.5),
        (
            Script::new().status(429).body(r#"{"error":{"message":"Please try again after 6.9 seconds."}}"#),
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
async fn a_requested_wait_of_a_day_fails_at_once() {
    let script = Script::new().status(429).header("retry-after", "86400").then_ok(GROUP);
    let error = retrieve(&script).await.unwrap_err();
    assert_eq!((error.attempts(), error.retry_after()), (1, Some(Duration::from_secs(86_400))));
    assert!(error.is_rate_limited());
}

#[tokio::test(start_paused = true)]
async fn a_failed_connection_is_retried_for_every_operation() {
    let script = Script::new().refuse_connection().times(2).then_ok(GROUP);
    client(&script).groups().create_group(support()).await.unwrap();
    let script = Script::new().refuse_connection().times(3);
    let error = client(&script).groups().create_group(support()).await.unwrap_err();
    assert_eq!((error.kind(), error.was_sent(), error.attempts()), (ErrorKind::Transport, false, 3));
}

#[tokio::test(start_paused = true)]
async fn after_an_unknown_outcome_only_idempotent_requests_are_retried() {
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
async fn all_clones_share_a_retry_budget() {
    let script = Script::new().status(503).times(1000);
    let client = client(&script);
    let mut attempts = 0;
    for _ in 0..100 {
        attempts += client.clone().with_retries(2).groups().retrieve_group("g").await.unwrap_err().attempts();
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

fn client_with(script: &Script, policy: RetryPolicy) -> Client {
    let client = Client::builder().base_url("http://localhost/v1").service(script.clone());
    client.retry_policy(policy).build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_policy_limits_attempts_and_pauses() {
    let script = Script::new().status(503).times(9);
    // The default pauses are 50 times as long: they could hardly all be so short.
    let policy = RetryPolicy::new().attempts(5).pauses(Duration::from_millis(10), Duration::from_millis(20));
    let error = client_with(&script, policy).groups().retrieve_group("g").await.unwrap_err();
    assert_eq!((error.attempts(), script.requests().len()), (5, 5));
    let requests = script.requests();
    for (pair, pause_max) in requests.windows(2).zip([10, 20, 20, 20]) {
        // tokio's timers have a resolution of a millisecond.
        assert!(pair[1].at - pair[0].at <= Duration::from_millis(pause_max + 1));
    }
    let once = client_with(&script, RetryPolicy::new().attempts(0));
    assert_eq!(once.groups().retrieve_group("g").await.unwrap_err().attempts(), 1);
    assert_eq!(once.with_retries(1).groups().retrieve_group("g").await.unwrap_err().attempts(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_longest_pauses_cause_no_panic() {
    let script = Script::new().status(503).status(429).header("retry-after", "1").status(503);
    let policy = RetryPolicy::new().pauses(Duration::MAX, Duration::MAX);
    let client = Client::builder().base_url("http://localhost/v1").service(script.clone());
    let client = client.retry_policy(policy).timeout(Duration::from_secs(86_400)).build().unwrap();
    assert_eq!(client.groups().retrieve_group("g").await.unwrap_err().attempts(), 3);
    let pause = script.requests()[2].at - script.requests()[1].at;
    assert!((1000..=1501).contains(&pause.as_millis()), "the service asked for a second: {pause:?}");
}

#[tokio::test(start_paused = true)]
async fn the_pauses_of_a_policy_are_spread_over_both_halves_of_their_range() {
    const PAUSES: u32 = 64;
    let script = Script::new().status(503).times(PAUSES as usize + 1);
    let pause_max = Duration::from_secs(2);
    let policy = RetryPolicy::new().attempts(PAUSES + 1).pauses(pause_max, pause_max);
    client_with(&script, policy).groups().retrieve_group("g").await.unwrap_err();
    let pauses: Vec<_> = script.requests().windows(2).map(|pair| pair[1].at - pair[0].at).collect();
    assert_eq!(pauses.len(), PAUSES as usize);
    // A pause is random. All 64 are in one half once in 2^63 runs.
    let (shortest, longest) = (pauses.iter().min().unwrap(), pauses.iter().max().unwrap());
    assert!(*shortest < pause_max / 2 && *longest > pause_max / 2, "{shortest:?} to {longest:?}");
    assert!(*longest <= pause_max + Duration::from_millis(1), "{longest:?}");
}

#[tokio::test(start_paused = true)]
async fn a_policy_has_a_budget_for_all_calls() {
    let script = Script::new().status(503).times(99);
    let client = client_with(&script, RetryPolicy::new().budget(3));
    let mut attempts = 0;
    for _ in 0..5 {
        attempts += client.groups().retrieve_group("g").await.unwrap_err().attempts();
    }
    assert_eq!(attempts, 5 + 3);
}

#[tokio::test(start_paused = true)]
async fn a_predicate_decides_which_failures_are_retried() {
    let conflict = |failed: FailedAttempt<'_>| failed.error().is_conflict();
    let script = Script::new().status(409).then_ok(GROUP).status(503).then_ok(GROUP);
    let client = client_with(&script, RetryPolicy::new().retry_if(conflict));
    client.groups().retrieve_group("g").await.unwrap();
    assert_eq!(client.groups().retrieve_group("g").await.unwrap_err().attempts(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_predicate_knows_the_failure_and_the_usual_decision() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let seen_by_predicate = Arc::clone(&seen);
    let policy = RetryPolicy::new().retry_if(move |failed| {
        let error = failed.error();
        let facts = (error.operation(), error.attempts(), failed.is_idempotent(), failed.would_retry());
        seen_by_predicate.lock().unwrap().push(facts);
        failed.would_retry()
    });
    let script = Script::new().status(429).status(502);
    let client = client_with(&script, policy);
    client.groups().create_group("Support").await.unwrap_err();
    let operation = Some("create-group");
    assert_eq!(*seen.lock().unwrap(), [(operation, 1, false, true), (operation, 2, false, false)]);
    // Nothing was sent, or no retry is left.
    client.groups().retrieve_group("a/b").await.unwrap_err();
    client.with_retries(0).groups().retrieve_group("g").await.unwrap_err();
    assert_eq!(seen.lock().unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_request_beyond_the_end_of_a_script_fails_without_a_retry() {
    let script = Script::new().then_ok(GROUP);
    retrieve(&script).await.unwrap();
    script.assert_finished();
    let error = retrieve(&script).await.unwrap_err();
    assert_eq!((error.attempts(), error.code()), (1, Some("script_ended")));
    let ended = "the script ended after 1 step: no answer to GET /v1/organization/groups/group_1";
    assert_eq!(error.message(), ended);
}

#[test]
#[should_panic(expected = "the script has 2 more steps; 0 steps were played")]
fn a_script_with_steps_left_is_not_finished() {
    Script::new().status(503).times(2).assert_finished();
}
