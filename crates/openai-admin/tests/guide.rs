//! The examples of `docs/library.md` run. Each is the code between two comments of a test here.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "the examples show what they do")]

use std::time::Duration;

use openai_admin::{Client, RetryPolicy, testing::Script};

type Result = std::result::Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// A client of an organization with Ada, Bob and the group Support.
async fn organization() -> std::result::Result<Client, Box<dyn std::error::Error + Send + Sync>> {
    let directory = serde_json::json!({
        "users": [{ "id": "user_ada", "name": "Ada", "email": "ada@example.com" }, { "id": "user_bob" }],
        "groups": [{ "id": "group_support", "name": "Support" }],
    });
    Ok(openai_admin_server::testing::client_with(serde_json::from_value(directory)?).await?)
}

#[expect(dead_code, reason = "compiled only: the environment of a test has no key")]
fn a_client_is_configured_by_the_environment() -> Result {
    // Begin
    let client = Client::from_env()?; // OPENAI_ADMIN_KEY, OPENAI_BASE_URL, …
    // End
    drop(client);
    Ok(())
}

#[tokio::test]
async fn a_user_is_added_and_listed() -> Result {
    let client = organization().await?;
    // Begin
    let added = client.group_users().add_group_user("group_support", "user_ada").await?;
    println!("{} is in {}", added.user_id, added.group_id);

    let mut users = client.group_users().list_group_users("group_support").items();
    while let Some(user) = users.next().await {
        println!("{}", user?.name);
    }
    // End
    Ok(())
}

#[tokio::test]
async fn a_user_and_a_group_are_found() -> Result {
    let client = organization().await?;
    // Begin
    let ada = client.users().find_user_by_email("ADA@example.com").await?.ok_or("unknown address")?;
    let support = client.groups().find_group_by_name("Support").await?.ok_or("unknown group")?;
    if !client.group_users().is_member(&support.id, &ada.id).await? {
        client.group_users().add_group_user(&support.id, &ada.id).await?;
    }
    // End
    assert!(client.group_users().is_member("group_support", "user_ada").await?);
    Ok(())
}

#[tokio::test]
async fn many_users_are_added() -> Result {
    let client = organization().await?;
    // Begin
    let users = ["user_ada", "user_bob", "user_unknown"];
    let mut additions = client.group_users().add_group_users("group_support", users)?.concurrency(16);
    while let Some(addition) = additions.next().await {
        if let Err(error) = addition.result {
            println!("{}: {error}", users[addition.position]);
        }
    }
    // End
    assert_eq!(client.group_users().list_group_users("group_support").await?.data.len(), 2);
    Ok(())
}

#[test]
fn a_policy_is_set_on_the_builder() -> Result {
    // Begin
    let policy = RetryPolicy::new()
        .attempts(5)
        .pauses(Duration::from_millis(200), Duration::from_secs(5))
        .budget(20)
        .retry_if(|failed| failed.would_retry() || failed.error().is_conflict());
    let client = Client::builder()
        .key("sk-admin-123")
        .retry_policy(policy)
        .timeout(Duration::from_secs(60)) // of a call with all its attempts
        .build()?;
    // End
    assert!(format!("{client:?}").contains("retries_max: 4"));
    Ok(())
}

#[tokio::test]
async fn a_server_runs_in_process() -> Result {
    // Begin
    let directory = serde_json::json!({
        "users": [{ "id": "user_ada", "email": "ada@example.com" }],
        "groups": [{ "id": "group_support", "name": "Support" }],
    });
    let client = openai_admin_server::testing::client_with(serde_json::from_value(directory)?).await?;
    client.group_users().add_group_user("group_support", "user_ada").await?;
    assert!(client.group_users().is_member("group_support", "user_ada").await?);
    // End
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_script_returns_failures() -> Result {
    // Begin
    let script =
        Script::new().status(503).times(2).then_ok(r#"{"id":"group_1","name":"Support","created_at":0}"#);
    let client = Client::builder().base_url("http://localhost/v1").service(script.clone()).build()?;
    assert_eq!(client.groups().retrieve_group("group_1").await?.name, "Support");
    assert_eq!(script.requests().len(), 3);
    script.assert_finished();
    // End
    Ok(())
}

/// Code without the differences of formatting: line breaks and indentation.
fn words(code: &str) -> String {
    code.split_whitespace().collect()
}

#[test]
fn the_page_has_the_examples_of_this_file() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(folder.join("../../docs/library.md")).unwrap();
    let source = std::fs::read_to_string(folder.join("tests/guide.rs")).unwrap();
    let between = |text: &str, begin: &str, end: &str| -> Vec<String> {
        text.split(begin).skip(1).map(|rest| words(rest.split(end).next().unwrap())).collect()
    };
    // In two parts, so that this line is not found.
    let (begin, end) = (concat!("// Be", "gin\n"), concat!("// E", "nd\n"));
    assert_eq!(between(&page, "```rust\n", "```\n"), between(&source, begin, end));
}
