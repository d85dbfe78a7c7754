use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
};

use futures_util::{StreamExt, future::poll_immediate, stream};
use openai_admin_store::{DatabaseUrl, Error, Store};
use serde_json::json;

use crate::{
    support::{Database, Engine, assert_refused, conformance, run, user_ids},
    tenant::{Part, Tenant, ids},
};

conformance! {
    writes_survive_closing_and_reopening,
    writes_survive_dropping_and_reopening,
    a_closed_store_rejects_every_operation,
    closing_again_does_nothing,
    closing_finishes_running_operations,
    one_store_reads_what_another_has_acknowledged,
    one_store_writes_after_another_has_closed,
    every_acknowledged_add_survives_kill_9,
}

async fn writes_survive_closing_and_reopening(database: Database) {
    let acme = database.acme(3, json!([{ "id": "group_1", "name": "One", "members": ["user_3"] }])).await;
    acme.add("group_1", "user_1").await.unwrap();
    let before = acme.dump().await;
    acme.store().close().await;
    let again = acme.opened_again().await;
    assert_eq!(again.dump().await, before);
    again.add("group_1", "user_2").await.unwrap();
    assert_eq!(again.member_ids("group_1").await, user_ids(3));
    again.store().close().await;
}

async fn writes_survive_dropping_and_reopening(database: Database) {
    let mut acme = database.acme(5, json!([{ "id": "group_1", "name": "One" }])).await;
    for user in user_ids(5) {
        // The previous store was dropped without closing; its threads may still be ending.
        acme = acme.opened_again().await;
        acme.add("group_1", &user).await.unwrap();
    }
    assert_eq!(acme.member_ids("group_1").await, user_ids(5));
}

async fn a_closed_store_rejects_every_operation(database: Database) {
    let acme = database.acme(1, json!([{ "id": "group_1", "name": "One" }])).await;
    acme.store().close().await;
    assert_refused!(acme.group("group_1").await, Error::Unavailable(_));
    assert_refused!(acme.add("group_1", "user_1").await, Error::Unavailable(_));
    assert_refused!(acme.store().verify().await, Error::Unavailable(_));
    assert_eq!(acme.opened_again().await.member_ids("group_1").await, Vec::<String>::new());
}

async fn closing_again_does_nothing(database: Database) {
    let store = database.opened_again().await.store;
    store.close().await;
    store.close().await;
    store.clone().close().await;
}

async fn closing_finishes_running_operations(database: Database) {
    let acme = database.acme(50, json!([{ "id": "group_1", "name": "One" }])).await;
    let mut begun = Vec::new();
    for user in user_ids(50) {
        let acme = acme.clone();
        let mut add = Box::pin(async move { acme.add("group_1", &user).await });
        match poll_immediate(&mut add).await {
            Some(result) => _ = result.unwrap(),
            None => begun.push(add),
        }
    }
    acme.store().close().await;
    for result in futures_util::future::join_all(begun).await {
        result.unwrap();
    }
    assert_eq!(acme.opened_again().await.member_ids("group_1").await, user_ids(50));
}

async fn one_store_reads_what_another_has_acknowledged(database: Database) {
    let one = database.acme(5, json!([{ "id": "group_1", "name": "One" }])).await;
    let two = one.opened_again().await;
    for user in user_ids(5) {
        one.add("group_1", &user).await.unwrap();
        assert_eq!(two.member("group_1", &user).await.unwrap().id, *user);
        two.remove("group_1", &user).await.unwrap();
        assert_refused!(one.member("group_1", &user).await, Error::NotMember { .. });
    }
    let group = two.create_group("Two").await.unwrap();
    assert_eq!(one.group(group.id.as_str()).await.unwrap(), group);
    two.store().close().await;
}

async fn one_store_writes_after_another_has_closed(database: Database) {
    let one = database.acme(2, json!([{ "id": "group_1", "name": "One" }])).await;
    let two = one.opened_again().await;
    two.add("group_1", "user_1").await.unwrap();
    two.store().close().await;
    one.add("group_1", "user_2").await.unwrap();
    assert_eq!(one.member_ids("group_1").await, user_ids(2));
}

#[test]
fn a_store_replaces_lost_connections_to_postgres() {
    run(Engine::Postgres, async |database| {
        let acme = database.acme(40, json!([{ "id": "group_1", "name": "One" }])).await;
        let begun = |users: Vec<String>| {
            let adds = users.into_iter().map(|user| {
                let acme = acme.clone();
                async move { acme.add("group_1", &user).await.unwrap() }
            });
            futures_util::future::join_all(adds)
        };
        begun(user_ids(20)).await;
        // As a restart of the server does. The connections of a case have its name.
        let ended = database.texts(
            "select pg_terminate_backend(pid, 10000)::text from pg_stat_activity
             where application_name = current_setting('application_name') and pid <> pg_backend_pid()",
        );
        assert!(ended.len() > 1 && ended.iter().all(|ended| ended == "true"), "{ended:?}");
        begun(user_ids(40)).await;
        assert_eq!(acme.member_ids("group_1").await, user_ids(40));
    });
}

/// How many users the killed process adds, and how many adds it has in flight.
const ADDS: usize = 10_000;
const ADDS_IN_FLIGHT: usize = 1_000;
/// Few users, so that they load quickly; each joins many groups.
const USERS: usize = 100;

/// The database that the killed process opens.
const CRASH_DATABASE: &str = "OPENAI_ADMIN_CRASH_DATABASE";
/// The first group that it adds users to.
const CRASH_GROUP: &str = "OPENAI_ADMIN_CRASH_GROUP";
/// How many times a process is killed; 20 before a release.
const CRASH_ROUNDS: &str = "OPENAI_ADMIN_CRASH_ROUNDS";

fn environment(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "parameters of the test and of its child process")]
    std::env::var(name).ok()
}

async fn every_acknowledged_add_survives_kill_9(database: Database) {
    let rounds: usize = environment(CRASH_ROUNDS).map_or(3, |rounds| rounds.parse().unwrap());
    let groups = rounds * ADDS / USERS;
    let groups =
        (0..groups).map(|number| json!({ "id": format!("group_{number}"), "name": "Team" })).collect();
    let acme = database.acme(USERS, groups).await;
    let mut acknowledged = BTreeSet::new();
    for round in 0..rounds {
        // Each round kills at another moment: after a few adds, in the middle, near the end.
        let moment = 1 + (round * 3 + 1) * 2_654_435_761 % (ADDS * 9 / 10);
        let before = acknowledged.len();
        add_until_killed(&database.url, round * ADDS / USERS, moment, &mut acknowledged);
        assert!(acknowledged.len() >= before + moment);

        let acme = acme.opened_again().await;
        let stored: BTreeSet<String> = database
            .texts(
                "select g.id || ' ' || u.id from group_users m join groups g on g.org = m.org and g.seq = m.group_seq
                 join users u on u.org = m.org and u.seq = m.user_seq",
            )
            .into_iter()
            .collect();
        let lost: Vec<&String> = acknowledged.difference(&stored).collect();
        assert!(
            lost.is_empty(),
            "round {round}: {} acknowledged adds are lost, such as {lost:?}",
            lost.len()
        );
        assert_eq!(acme.store().verify().await.unwrap(), Vec::<String>::new(), "round {round}");
        acme.store().close().await;
    }
    let groups_of = acme.groups_of("user_1", Part::new().limit(1000)).await.unwrap();
    assert!(!ids(&groups_of).is_empty());
}

/// Starts this program as a child process that only adds, kills it after it has acknowledged `moment` adds, and
/// collects all acknowledged adds.
fn add_until_killed(url: &DatabaseUrl, group: usize, moment: usize, acknowledged: &mut BTreeSet<String>) {
    let url = match url {
        DatabaseUrl::Sqlite(file) => format!("sqlite:{}", file.display()),
        DatabaseUrl::Postgres(url) => url.clone(),
    };
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "durability::adds_until_it_is_killed", "--ignored", "--nocapture"])
        .env(CRASH_DATABASE, url)
        .env(CRASH_GROUP, group.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut line = Vec::new();
    let mut heard = 0;
    // To the end, also after the kill: lines in the pipe were acknowledged. A line without its end was not.
    while lines.read_until(b'\n', &mut line).unwrap() > 0 {
        if let Some(added) = line.strip_prefix(b"added ").and_then(|line| line.strip_suffix(b"\n")) {
            acknowledged.insert(String::from_utf8(added.to_vec()).unwrap());
            heard += 1;
        }
        if heard == moment {
            child.kill().unwrap();
        }
        line.clear();
    }
    let status = child.wait().unwrap();
    assert!(
        heard >= moment && !status.success(),
        "the process ended before the kill, after {heard} adds: {status}"
    );
}

/// [`every_acknowledged_add_survives_kill_9`] starts it in a child process. It does nothing by itself.
#[test]
#[ignore = "a part of another test, which starts it in a separate process"]
fn adds_until_it_is_killed() {
    let Some(url) = environment(CRASH_DATABASE) else { return };
    let first_group: usize = environment(CRASH_GROUP).unwrap().parse().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let url: DatabaseUrl = url.parse().unwrap();
        let database = Database {
            store: Store::open(&url).await.unwrap(),
            is_in_memory: false,
            url,
            // Random, so that its change ids differ from those of the test and of earlier rounds.
            stamps: std::sync::Arc::new(((first_group as u64 + 1) << 32).into()),
        };
        let organization = database.store.open_organization(database.stamp(), None).await.unwrap();
        let acme = Tenant { database, organization };
        stream::iter(0..ADDS)
            .for_each_concurrent(ADDS_IN_FLIGHT, |number| {
                let acme = acme.clone();
                async move {
                    let group = format!("group_{}", first_group + number / USERS);
                    let user = format!("user_{}", number % USERS + 1);
                    acme.add(&group, &user).await.unwrap();
                    writeln!(std::io::stdout(), "added {group} {user}").unwrap();
                }
            })
            .await;
    });
}
