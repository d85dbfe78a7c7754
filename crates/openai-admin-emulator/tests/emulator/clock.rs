//! The settable clock.

use openai_admin_emulator::clock::ClockStart;
use serde_json::json;

use crate::support::{ask, builder};

#[tokio::test]
async fn a_created_resource_has_the_time_of_the_clock() {
    let emulator = builder().clock(ClockStart::Fixed(1_000_000_000_000)).start().await.unwrap();
    let create = async || ask(&emulator, "POST", "/v1/organization/groups", r#"{"name":"X"}"#).await;
    let group = create().await;
    assert_eq!(group.json()["created_at"], json!(1_000_000_000));
    assert_eq!(group.header("date"), Some("Sun, 09 Sep 2001 01:46:40 GMT"));
    let stepped = ask(&emulator, "POST", "/_emulator/clock/step", r#"{"ms":60000}"#).await;
    assert_eq!(stepped.json(), json!({ "now": "2001-09-09T01:47:40Z", "runs": false }));
    assert_eq!(create().await.json()["created_at"], json!(1_000_000_060));
    ask(&emulator, "PUT", "/_emulator/clock", r#"{"now":"2030-01-01T00:00:00Z"}"#).await;
    assert_eq!(create().await.json()["created_at"], json!(1_893_456_000));
    ask(&emulator, "POST", "/_emulator/reset", "").await;
    assert_eq!(create().await.json()["created_at"], json!(1_000_000_000));
}

#[tokio::test]
async fn the_last_time_is_the_same_everywhere() {
    let emulator = builder().start().await.unwrap();
    ask(&emulator, "PUT", "/_emulator/clock", r#"{"now":"9999-12-30T21:59:59Z"}"#).await;
    let stepped = ask(&emulator, "POST", "/_emulator/clock/step", r#"{"ms":86400000}"#).await;
    assert_eq!(stepped.json()["now"], "9999-12-30T22:00:00Z");
    let group = ask(&emulator, "POST", "/v1/organization/groups", r#"{"name":"X"}"#).await;
    assert_eq!(group.json()["created_at"], json!(253_402_207_200_i64));
    assert_eq!(group.header("date"), Some("Thu, 30 Dec 9999 22:00:00 GMT"));
    let later = ask(&emulator, "PUT", "/_emulator/clock", r#"{"now":"9999-12-31T00:00:00Z"}"#).await;
    assert!(later.message().contains("between 1970 and 9999-12-30T22:00:00Z"), "{}", later.message());
}

#[tokio::test]
async fn an_invalid_time_is_refused() {
    let emulator = builder().start().await.unwrap();
    let refused = ask(&emulator, "PUT", "/_emulator/clock", r#"{"now":"tomorrow"}"#).await;
    assert_eq!(refused.status, 400);
    assert!(
        refused.body.contains("invalid time 'tomorrow': use the format 2026-01-01T00:00:00Z"),
        "{}",
        refused.body
    );
}
