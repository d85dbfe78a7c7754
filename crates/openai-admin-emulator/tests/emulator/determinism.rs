//! The same seed and the same requests give the same bytes.

use openai_admin_emulator::{Emulator, faults::FaultPlan};

use crate::support::{ADA, ADD, ask, builder, exchange};

/// Everything that the client receives, followed by the journal.
async fn run(emulator: &Emulator, prefix: &str) -> Vec<String> {
    let mut bytes = Vec::new();
    for round in 0..20 {
        for (method, path, body) in [
            ("POST", "/v1/organization/groups", format!(r#"{{"name":"Group {round}"}}"#)),
            ("POST", "/v1/organization/users", format!(r#"{{"email":"user{round}@example.com"}}"#)),
            ("POST", ADD, ADA.to_owned()),
            ("GET", ADD, String::new()),
            ("GET", "/v1/organization/groups?limit=3&unknown=1", String::new()),
            ("DELETE", &format!("{ADD}/user_ada"), String::new()),
            ("GET", "/v1/organization/group", String::new()),
        ] {
            let path = format!("{prefix}{path}");
            // A reset is recorded like any other result.
            let answer = exchange(emulator, "sk-test", method, &path, &body).await;
            bytes.push(answer.unwrap_or_else(|error| error.kind().to_string()));
        }
    }
    bytes.push(ask(emulator, "GET", &format!("{prefix}/_emulator/requests?limit=100000"), "").await.body);
    bytes
}

async fn seeded(seed: u64) -> Emulator {
    let flaky = FaultPlan::from_text("profile: flaky").unwrap();
    builder().seed(seed).faults(flaky).start().await.unwrap()
}

#[tokio::test]
async fn two_runs_with_one_seed_are_identical() {
    let first = run(&seeded(7).await, "").await;
    assert_eq!(first, run(&seeded(7).await, "").await);
    assert!(first.iter().any(|answer| answer.contains("429 Too Many Requests")), "faults were injected");
    assert_ne!(first, run(&seeded(8).await, "").await);
}

#[tokio::test]
async fn a_run_after_a_reset_is_identical() {
    let emulator = seeded(7).await;
    let first = run(&emulator, "").await;
    emulator.namespace().reset().await.unwrap();
    assert_eq!(first, run(&emulator, "").await);
}

#[tokio::test]
async fn a_run_does_not_depend_on_other_namespaces() {
    let (one, other) = (seeded(7).await, seeded(7).await);
    run(&other, "/_ns/busy").await;
    assert_eq!(run(&one, "/_ns/a").await, run(&other, "/_ns/a").await);
    assert_ne!(run(&one, "/_ns/b").await, run(&one, "/_ns/c").await);
}

#[tokio::test]
async fn demo_usage_and_costs_are_the_same_for_a_seed() {
    let end = openai_admin::Timestamp::from_unix_seconds(1_767_225_600);
    let start = openai_admin::Timestamp::from_unix_seconds(1_767_225_600 - 7 * 86_400);
    let week = async |seed: u64| {
        let emulator = builder().seed(seed).demo_usage(true).start().await.unwrap();
        let client = emulator.client().unwrap();
        let usage = client.usage().usage_completions(start).end_time(end).await.unwrap().into_inner();
        let costs = client.usage().usage_costs(start).end_time(end).await.unwrap().into_inner();
        emulator.namespace().reset().await.unwrap();
        let again = client.usage().usage_completions(start).end_time(end).await.unwrap().into_inner();
        assert_eq!(again, usage, "a reset keeps the usage");
        (usage, costs)
    };
    let (usage, costs) = week(7).await;
    assert!(usage.data.iter().all(|day| day.results[0].input_tokens > 0), "{usage:?}");
    assert!(
        costs
            .data
            .iter()
            .all(|day| day.results[0].amount.as_ref().is_some_and(|cost| cost.value.units() > 0))
    );
    assert_eq!(week(7).await, (usage.clone(), costs));
    assert_ne!(week(8).await.0, usage);
}
