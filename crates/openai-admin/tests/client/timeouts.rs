//! Timeouts.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_missing_header_or_body_ends_with_the_timeout_of_the_attempt() {
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
async fn a_call_with_all_its_attempts_ends_within_its_timeout() {
    let script = Script::new().hang().times(100);
    let client = client(&script).with_retries(99).with_attempt_timeout(Duration::from_secs(3));
    let begun = tokio::time::Instant::now();
    let error = client.with_timeout(Duration::from_secs(10)).groups().retrieve_group("g").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.is_timeout() && !error.is_server_error());
    assert!(begun.elapsed() <= Duration::from_millis(10_001), "{:?}", begun.elapsed());
    assert!(error.attempts() > 1);
}

#[tokio::test(start_paused = true)]
async fn a_pause_beyond_the_timeout_of_the_call_is_not_started() {
    let script = Script::new().status(429).header("retry-after", "60").then_ok(GROUP);
    let begun = tokio::time::Instant::now();
    let client = client(&script).with_timeout(Duration::from_secs(20));
    assert!(client.groups().retrieve_group("g").await.unwrap_err().is_rate_limited());
    assert!(begun.elapsed() < Duration::from_secs(1));
}
