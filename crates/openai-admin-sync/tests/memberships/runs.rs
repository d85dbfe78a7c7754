//! Runs that stop and resume, and rate limits.

use std::{future::ready, sync::Arc};

use openai_admin_sync::{
    Approval, Executor, Journal, LaneSettings, Lanes, Plan, Runs, Start,
    current::ReadError,
    executor::StopReason,
    fresh::{self, Earlier},
    guard::{self, UndoProblem},
    holdings::Holdings,
    journal::{self, Entry, Outcome},
    lock::LockError,
    offboard,
    plan::Purpose,
    report, undo, verify,
};

use crate::desk::{Desk, changes, members, now};

#[tokio::test]
async fn a_resumed_run_sends_nothing_twice() {
    let desk = Desk::with_groups(&[("One", "abc"), ("Two", "xyz")]).await;
    let text =
        format!("groups: [{{ name: One, {} }}, {{ name: Three, {} }}]", members("abcdef"), members("ghij"));
    let plan = desk.plan(&text).await.unwrap();
    let home = tempfile::tempdir().unwrap();
    let runs = Runs::new(home.path().to_owned());
    let run = runs.begin(&plan, now(), 7).unwrap();
    let (mut journal, _) = Journal::open(&run.journal()).unwrap();
    let mut executor = Executor {
        client: desk.client.clone(),
        lanes: &desk.lanes,
        journal: &mut journal,
        clock: &now,
        concurrency: 2,
        progress: &mut |_| {},
    };
    // Stopped at once: the run sends nothing more, and waits for requests in flight.
    let executed = executor.run(&plan, Start::of(&plan, &Approval::None), ready(())).await.unwrap();
    assert!(matches!(executed.stopped, Some(StopReason::ByCaller)));
    assert!(executed.results.len() < plan.operation_count());
    drop(journal);

    let lines = run.lines().unwrap();
    let earlier = Earlier::of_journal(&lines);
    let sent_before = earlier.intents.len();
    let start = fresh::compare(&desk.reader, &plan, &Approval::None, &earlier, 4).await.unwrap();
    assert_eq!(start.differences, []);
    let (mut journal, _) = Journal::open(&run.journal()).unwrap();
    let mut executor = Executor {
        client: desk.client.clone(),
        lanes: &desk.lanes,
        journal: &mut journal,
        clock: &now,
        concurrency: 2,
        progress: &mut |_| {},
    };
    let executed = executor.run(&plan, start, std::future::pending()).await.unwrap();
    assert!(executed.stopped.is_none());
    let verification =
        verify::verify(&desk.reader, &plan, &Approval::None, &executed.group_ids, 4).await.unwrap();
    assert!(verification.is_converged(), "{verification:?}");
    assert_eq!(desk.members("group_one").await, "abcdef");
    let lines = run.lines().unwrap();
    let sent = lines.iter().filter(|line| matches!(line.entry, Entry::Intent { .. })).count();
    assert_eq!(sent, plan.operation_count(), "{sent_before} before");
    let rows = report::rows(&plan, &journal::results(&lines), Some(&verification));
    assert!(rows.iter().all(|row| row.outcome == "done" && row.verified == Some(true)), "{rows:?}");
    assert_eq!(report::csv(&rows).unwrap().lines().count(), plan.operation_count() + 1);
}

#[tokio::test]
async fn a_resumed_run_recognizes_the_group_that_it_created() {
    let desk = Desk::with_groups(&[("One", "a")]).await;
    let plan = desk.plan(&format!("groups: [{{ name: New, {} }}]", members("bc"))).await.unwrap();
    // The run journaled the intent, the service created the group, and the result was not journaled.
    let body = openai_admin::models::CreateGroupBody::new("New".try_into().unwrap());
    let made = desk.client.groups().create_group(body).await.unwrap();
    let earlier = Earlier { intents: [0].into(), ..Earlier::default() };
    let start = fresh::compare(&desk.reader, &plan, &Approval::None, &earlier, 4).await.unwrap();
    assert_eq!((start.differences.len(), start.todo.as_slice()), (0, [1, 2].as_slice()));
    assert_eq!(start.settled[&0].outcome, Outcome::FoundDone);
    assert_eq!(start.group_ids[0], Some(made.id.clone()));
    // For another run, it is an unknown group.
    let start = fresh::compare(&desk.reader, &plan, &Approval::None, &Earlier::default(), 4).await.unwrap();
    assert_eq!(start.differences[0].to_string(), "New: a group with this name was created in the meantime");
}

#[tokio::test]
async fn offboarding_removes_from_every_group_and_can_be_undone() {
    let desk = Desk::with_groups(&[("One", "ab"), ("Two", "abc"), ("Three", "bc")]).await;
    let user: openai_admin::UserId = "user_a".parse().unwrap();
    let (holdings, options) = (Holdings::default(), desk.options());
    let plan = offboard::plan_offboarding(&desk.reader, vec![user], holdings, &options).await.unwrap();
    assert_eq!(changes(&plan), ["-a One", "-a Two"]);
    assert!(plan.revoke_first);
    let (executed, verification) = desk.apply(&plan, &Approval::None).await;
    assert!(verification.is_converged());
    assert_eq!((desk.members("group_one").await, desk.members("group_two").await), ("b".into(), "bc".into()));
    let (options, results) = (desk.options(), &executed.results);
    let undo = openai_admin_sync::undo::plan_undo(&desk.reader, "r", &plan, results, &options).await.unwrap();
    assert_eq!(changes(&undo), ["+a One", "+a Two"]);
    desk.apply(&undo, &Approval::None).await;
    assert_eq!(desk.members("group_two").await, "abc");
}

#[tokio::test]
async fn an_undo_that_a_limit_blocks_in_part_is_blocked_completely() {
    let desk = Desk::with_groups(&[("Large", "abcdefgh"), ("Small", "a")]).await;
    let text = format!(
        "groups: [{{ name: Large, {} }}, {{ name: Small, {} }}]",
        members("abcdefghijkl"),
        members("ab")
    );
    let plan = desk.plan(&text).await.unwrap();
    let (executed, _) = desk.apply(&plan, &Approval::None).await;
    let (options, results) = (desk.options(), &executed.results);
    let undo = undo::plan_undo(&desk.reader, "r", &plan, results, &options).await.unwrap();
    assert_eq!(changes(&undo), ["-i Large", "-j Large", "-k Large", "-l Large", "-b Small"]);
    assert_eq!(undo.purpose, Purpose::Undo { run: "r".to_owned() });
    assert_eq!(guard::undo_problem(&undo, &Approval::None), Some(UndoProblem::Limits(4)));
    assert_eq!(guard::undo_problem(&undo, &Approval::Removals(4)), None);
    guard::check_approval(&undo, &Approval::Removals(4)).expect("the right number");
    // Plans of files are applied as far as possible.
    let file_plan = Plan { purpose: Purpose::Files, ..undo.clone() };
    assert_eq!(guard::undo_problem(&file_plan, &Approval::None), None);
    desk.apply(&undo, &Approval::Removals(4)).await;
    assert_eq!(
        (desk.members("group_large").await, desk.members("group_small").await),
        ("abcdefgh".into(), "a".into())
    );
}

#[tokio::test]
async fn a_second_run_of_an_organization_is_refused_while_the_first_holds_the_lock() {
    let home = tempfile::tempdir().unwrap();
    let runs = Runs::new(home.path().join("org-1"));
    let _first = runs.lock("run one").unwrap();
    assert!(matches!(runs.lock("run two"), Err(LockError::Held(who)) if who == "run one"));
}

#[tokio::test(start_paused = true)]
async fn a_wait_over_the_limit_stops_the_run() {
    let script = openai_admin::testing::Script::new().status(429).header("retry-after", "7200");
    let client =
        openai_admin::Client::builder().base_url("http://localhost/v1").service(script).build().unwrap();
    let lanes = Arc::new(Lanes::new(LaneSettings::default()));
    let reader = openai_admin_sync::Reader::new(&client, Arc::clone(&lanes));
    let error = reader.list_groups().await.unwrap_err();
    assert!(matches!(error, ReadError::Api(error) if error.is_rate_limited()));
    assert_eq!(lanes.refused(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_wait_in_the_message_is_respected_and_the_default_pauses_are_2_and_4_seconds() {
    let empty = r#"{"object":"list","data":[],"has_more":false,"next":null}"#;
    let body = r#"{"error":{"message":"Rate limit reached. Please try again after 6.9 seconds.","type":"invalid_request_error","param":null,"code":"rate_limit_exceeded"}}"#;
    let script = openai_admin::testing::Script::new().status(429).body(body).then_ok(empty);
    let waits = |script: &openai_admin::testing::Script| -> Vec<u128> {
        let received = script.requests();
        received.windows(2).map(|two| two[1].at.duration_since(two[0].at).as_millis()).collect()
    };
    let reader = |script: &openai_admin::testing::Script| {
        let client = openai_admin::Client::builder().base_url("http://localhost/v1").service(script.clone());
        let lanes = Arc::new(Lanes::new(LaneSettings::default()));
        openai_admin_sync::Reader::new(&client.build().unwrap(), lanes)
    };
    reader(&script).list_groups().await.unwrap();
    assert_eq!(waits(&script), [6900]);
    let script = openai_admin::testing::Script::new().status(429).times(2).then_ok(empty);
    reader(&script).list_groups().await.unwrap();
    assert_eq!(waits(&script), [2000, 4000]);
}

#[tokio::test]
async fn a_write_without_a_readable_response_is_unknown_until_it_is_verified() {
    let desk = Desk::with_groups(&[("One", "a")]).await;
    let plan = desk.plan(&format!("groups: [{{ name: One, {} }}]", members("abc"))).await.unwrap();
    let banana = r#"{"object":"banana"}"#;
    let script = openai_admin::testing::Script::new().then_ok(banana).then_ok(banana);
    let client = openai_admin::Client::builder().base_url("http://localhost/v1").service(script);
    let folder = tempfile::tempdir().unwrap();
    let (mut journal, _) = Journal::open(&folder.path().join("journal.jsonl")).unwrap();
    let executed = Executor {
        client: client.build().unwrap(),
        lanes: &desk.lanes,
        journal: &mut journal,
        clock: &now,
        concurrency: 1,
        progress: &mut |_| {},
    }
    .run(&plan, Start::of(&plan, &Approval::None), std::future::pending())
    .await
    .unwrap();
    assert!(executed.results.values().all(|result| result.outcome == Outcome::Unknown), "{executed:?}");
    // One of the two changes was made.
    let group: openai_admin::GroupId = "group_one".parse().unwrap();
    let user: openai_admin::UserId = "user_b".parse().unwrap();
    let body = openai_admin::models::CreateGroupUserBody::new(user);
    desk.client.group_users().add_group_user(group, body).await.unwrap();
    let (options, results) = (desk.options(), &executed.results);
    let undo = undo::plan_undo(&desk.reader, "r", &plan, results, &options).await.unwrap();
    assert_eq!(changes(&undo), ["-b One"]);
    let found = verify::verify(&desk.reader, &plan, &Approval::None, &executed.group_ids, 4).await.unwrap();
    let settled: Vec<Outcome> = found.settle(results).into_iter().map(|result| result.outcome).collect();
    assert_eq!(settled, [Outcome::FoundDone, Outcome::Failed]);
}

#[tokio::test(start_paused = true)]
async fn requests_to_a_service_that_only_refuses_end() {
    for retry_after in ["0", "Thu, 01 Jan 1970 00:00:00 GMT", "30"] {
        let script =
            openai_admin::testing::Script::new().status(429).header("retry-after", retry_after).times(1000);
        let client = openai_admin::Client::builder().base_url("http://localhost/v1").service(script.clone());
        let lanes = Arc::new(Lanes::new(LaneSettings::default()));
        let reader = openai_admin_sync::Reader::new(&client.build().unwrap(), lanes);
        let error = reader.list_groups().await.unwrap_err();
        assert!(matches!(error, ReadError::Api(error) if error.is_rate_limited()));
        let requests = script.requests().len();
        assert!((10..30).contains(&requests), "{retry_after}: {requests}");
    }
}

#[tokio::test]
async fn a_list_without_an_end_is_an_error() {
    let page = |number: usize| {
        let group = format!(
            r#"{{"id":"group_{number}","name":"G","created_at":0,"is_scim_managed":false,"group_type":"group"}}"#
        );
        format!(r#"{{"object":"list","data":[{group}],"has_more":true,"next":"group_{number}"}}"#)
    };
    let script = (0..10).fold(openai_admin::testing::Script::new(), |script, n| script.then_ok(page(n)));
    let client = openai_admin::Client::builder().base_url("http://localhost/v1").service(script.clone());
    let lanes = Arc::new(Lanes::new(LaneSettings::default()));
    let reader = openai_admin_sync::Reader::new(&client.build().unwrap(), lanes).pages_max(5);
    let error = reader.list_groups().await.unwrap_err().to_string();
    assert_eq!(error, "GET /organization/groups: the list did not end after 5 pages");
    assert_eq!(script.requests().len(), 6);
}
