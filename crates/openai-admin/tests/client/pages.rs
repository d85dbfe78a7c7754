//! Lists, page by page and item by item.

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
async fn a_list_with_a_loop_ends_with_an_error_after_its_items() {
    let script =
        Script::new().then_ok(page(&["a"], true, Some("a"))).then_ok(page(&["b"], true, Some("a"))).times(9);
    let client = client(&script);
    let mut items = client.group_users().list_group_users("g").items();
    assert_eq!(items.next().await.unwrap().unwrap().id, "a");
    assert_eq!(items.next().await.unwrap().unwrap().id, "b");
    let error = items.next().await.unwrap().unwrap_err();
    assert!(error.to_string().contains("has a loop"), "{error}");
    assert!(items.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn an_endless_list_of_empty_pages_ends_with_an_error() {
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
async fn a_cancelled_page_is_read_again() {
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
async fn a_resumed_list_that_returns_to_its_start_ends() {
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
    assert!(items.next().await.unwrap().unwrap_err().to_string().contains("no cursor for them"));
}

#[tokio::test(start_paused = true)]
async fn items_come_before_the_error_and_the_list_can_be_resumed() {
    let script =
        Script::new().then_ok(page(&["a"], true, Some("a"))).status(400).then_ok(page(&["b"], false, None));
    let client = client(&script);
    let mut pages = client.group_users().list_group_users("g").pages();
    assert_eq!(pages.next().await.unwrap().unwrap().data.len(), 1);
    let cursor = pages.cursor().unwrap().clone();
    assert!(pages.next().await.unwrap().is_err());
    assert!(pages.next().await.is_none());
    let rest =
        client.group_users().list_group_users("g").resume_from(&cursor).items().try_collect().await.unwrap();
    assert_eq!(rest[0].id, "b");
    assert!(script.requests()[2].target.ends_with("?after=a"));
}

#[tokio::test(start_paused = true)]
async fn the_older_format_is_followed_by_its_last_id() {
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
async fn a_limit_of_zero_is_refused() {
    let script = Script::new();
    let client = client(&script);
    let error =
        client.group_users().list_group_users("g").limit(0).items().next().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(script.requests().is_empty());
}
