use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use futures_util::future::{join_all, poll_immediate};
use openai_admin_store::{DatabaseUrl, Error};
use serde_json::{Value as Json, json};
use tokio::task::JoinSet;

use crate::{
    support::{Database, conformance, user_ids},
    tenant::{Part, Tenant, ids},
};

conformance! {
    fifty_writers_add_distinct_users_to_one_group_and_lose_none,
    fifty_writers_add_the_same_user_and_record_one_event,
    fifty_writers_create_groups_at_once,
    fifty_writers_create_users_at_once,
    writers_who_create_the_same_user_at_once_create_one,
    adding_and_deleting_a_user_at_once_leaves_no_orphan,
    adding_to_and_deleting_a_group_at_once_leaves_no_orphan,
    the_last_of_concurrent_adds_and_removals_wins,
    readers_see_whole_transactions,
    two_stores_write_at_once_and_lose_nothing,
    concurrent_changes_of_two_stores_leave_no_orphan,
    operations_beyond_the_queue_are_refused_and_the_others_done,
    an_abandoned_call_neither_blocks_nor_breaks_the_next,
}

const WRITERS: usize = 50;

/// Runs all of them concurrently, each as a separate task, and returns their results in order.
async fn at_once<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
    calls: impl IntoIterator<Item = F>,
) -> Vec<T> {
    let tasks: Vec<_> = calls.into_iter().map(tokio::spawn).collect();
    join_all(tasks).await.into_iter().map(Result::unwrap).collect()
}

fn teams(teams: usize) -> Json {
    (1..=teams).map(|number| json!({ "id": format!("group_{number}"), "name": "Team" })).collect()
}

async fn fifty_writers_add_distinct_users_to_one_group_and_lose_none(database: Database) {
    let acme = database.acme(WRITERS * 2, teams(1)).await;
    at_once((0..WRITERS).map(|writer| {
        let acme = acme.clone();
        async move {
            for number in [writer * 2 + 1, writer * 2 + 2] {
                acme.add("group_1", &format!("user_{number}")).await.unwrap();
            }
        }
    }))
    .await;
    assert_eq!(acme.member_ids("group_1").await, user_ids(WRITERS * 2));
}

async fn fifty_writers_add_the_same_user_and_record_one_event(database: Database) {
    let acme = database.acme(1, teams(1)).await;
    let before = database.events().len();
    at_once((0..WRITERS).map(|_| {
        let acme = acme.clone();
        async move { acme.add("group_1", "user_1").await.unwrap() }
    }))
    .await;
    assert_eq!(acme.member_ids("group_1").await, ["user_1"]);
    assert_eq!(database.events_since(before), ["group.user.added group_1 user_1"]);
}

async fn fifty_writers_create_groups_at_once(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let created = at_once((0..WRITERS).map(|_| {
        let acme = acme.clone();
        async move { acme.create_group("Team").await.unwrap().id.to_string() }
    }))
    .await;
    let page = acme.groups(Part::new().limit(1000)).await.unwrap();
    let mut listed = ids(&page);
    let mut created: Vec<&str> = created.iter().map(String::as_str).collect();
    listed.sort_unstable();
    created.sort_unstable();
    assert_eq!(listed, created);
}

async fn fifty_writers_create_users_at_once(database: Database) {
    let acme = database.acme(0, json!([])).await;
    at_once((0..WRITERS).map(|writer| {
        let acme = acme.clone();
        let body = json!({ "email": format!("user{writer}@example.com"), "name": "" });
        async move { acme.create_user(body).await.unwrap() }
    }))
    .await;
    assert_eq!(acme.users(100, None).await.unwrap().data.len(), WRITERS);
}

async fn writers_who_create_the_same_user_at_once_create_one(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let results = at_once((0..20).map(|writer| {
        let acme = acme.clone();
        // Half of them use the same id, half the same address.
        let body = match writer % 2 {
            0 => json!({ "id": "user_1", "email": format!("user{writer}@example.com"), "name": "" }),
            _ => json!({ "email": "ADA@example.com", "name": "" }),
        };
        async move { acme.create_user(body).await }
    }))
    .await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 2, "one has the id, one the address");
    let refusals = results.into_iter().filter_map(Result::err);
    for refusal in refusals {
        assert!(matches!(refusal, Error::AlreadyExists { .. }), "{refusal:?}");
    }
    assert_eq!(acme.users(100, None).await.unwrap().data.len(), 2);
}

async fn adding_and_deleting_a_user_at_once_leaves_no_orphan(database: Database) {
    let acme = database.acme(20, teams(3)).await;
    let mut tasks = JoinSet::new();
    for user in user_ids(20) {
        for group in ["group_1", "group_2", "group_3"] {
            let (acme, user) = (acme.clone(), user.clone());
            tasks.spawn(async move { acme.add(group, &user).await.map(|_| ()) });
        }
        let acme = acme.clone();
        tasks.spawn(async move { acme.delete_user(&user).await });
    }
    for result in tasks.join_all().await {
        assert!(matches!(result, Ok(()) | Err(Error::NotFound { .. })), "{result:?}");
    }
    assert_eq!(acme.users(100, None).await.unwrap().data, []);
    for group in ["group_1", "group_2", "group_3"] {
        assert_eq!(acme.member_ids(group).await, Vec::<String>::new());
    }
}

async fn adding_to_and_deleting_a_group_at_once_leaves_no_orphan(database: Database) {
    let acme = database.acme(4, teams(10)).await;
    let mut tasks = JoinSet::new();
    for number in 1..=10 {
        let group = format!("group_{number}");
        for user in user_ids(4) {
            let (acme, group) = (acme.clone(), group.clone());
            tasks.spawn(async move { acme.add(&group, &user).await.map(|_| ()) });
        }
        let acme = acme.clone();
        tasks.spawn(async move { acme.delete_group(&group).await });
    }
    for result in tasks.join_all().await {
        assert!(matches!(result, Ok(()) | Err(Error::NotFound { .. })), "{result:?}");
    }
    assert_eq!(acme.groups_of("user_1", Part::new()).await.unwrap().data, []);
}

async fn the_last_of_concurrent_adds_and_removals_wins(database: Database) {
    let acme = database.acme(1, teams(1)).await;
    let mut tasks = JoinSet::new();
    for _ in 0..20 {
        let (adds, removes) = (acme.clone(), acme.clone());
        tasks.spawn(async move { adds.add("group_1", "user_1").await.map(|_| ()) });
        tasks.spawn(async move { removes.remove("group_1", "user_1").await });
    }
    for result in tasks.join_all().await {
        assert!(matches!(result, Ok(()) | Err(Error::NotMember { .. })), "{result:?}");
    }
    let events = database.events();
    let count = |event: &str| events.iter().filter(|line| line.starts_with(event)).count();
    let members = acme.member_ids("group_1").await.len();
    assert_eq!(count("group.user.added") - count("group.user.removed"), members, "{events:?}");
}

async fn readers_see_whole_transactions(database: Database) {
    let acme = database.acme(10, json!([])).await;
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let seen = Arc::new(AtomicUsize::new(0));
    let readers = (0..4).map(|_| {
        let (acme, stopped, seen) = (acme.clone(), stopped.clone(), Arc::clone(&seen));
        async move {
            while !*stopped.borrow() {
                for group in acme.dump().await["groups"].as_array().unwrap() {
                    assert_eq!(group["members"].as_array().unwrap().len(), 10, "all members or no group");
                    seen.fetch_add(1, SeqCst);
                }
            }
        }
    });
    let readers: Vec<_> = readers.map(tokio::spawn).collect();
    // At least ten changes, and as many as it takes until a reader has seen a group.
    for number in (0..).take_while(|number| *number < 10 || seen.load(SeqCst) == 0) {
        let group = json!({ "id": format!("group_{number}"), "name": "Team", "members": user_ids(10) });
        acme.load(json!({ "groups": [group] })).await.unwrap();
        if number > 1 {
            acme.delete_group(&format!("group_{}", number - 2)).await.unwrap();
        }
    }
    stop.send(true).unwrap();
    join_all(readers).await.into_iter().for_each(Result::unwrap);
}

async fn two_stores_write_at_once_and_lose_nothing(database: Database) {
    let acme = database.acme(40, teams(1)).await;
    let stores = [acme.clone(), acme.opened_again().await];
    at_once(user_ids(40).into_iter().enumerate().map(|(number, user)| {
        let acme = stores[number % 2].clone();
        async move { acme.add("group_1", &user).await.unwrap() }
    }))
    .await;
    for acme in &stores {
        assert_eq!(acme.member_ids("group_1").await, user_ids(40));
    }
    stores[1].store().close().await;
}

/// Memberships are added and removed through two stores while their groups and users are created and deleted. The
/// database is verified after the case: no membership of a deleted resource, and each with its events.
async fn concurrent_changes_of_two_stores_leave_no_orphan(database: Database) {
    const PEOPLE: usize = 6;
    const ROUNDS: usize = 120;
    let acme = database.acme(PEOPLE, teams(3)).await;
    let stores = [acme.clone(), acme.opened_again().await];
    let groups: Vec<String> = (1..=3).map(|number| format!("group_{number}")).collect();
    let groups = std::sync::Arc::new(std::sync::Mutex::new(groups));
    at_once((0..12).map(|worker: usize| {
        let (acme, groups) = (stores[worker % 2].clone(), groups.clone());
        async move {
            for round in 0..ROUNDS {
                // Pseudorandom, and the same each time.
                let choice = (worker * ROUNDS + round).wrapping_mul(2_654_435_761) >> 7;
                let user = format!("user_{}", choice % PEOPLE + 1);
                let group = groups.lock().unwrap()[choice % 3].clone();
                let done = match (choice / 64) % 16 {
                    0 => {
                        let new = acme.create_group("Team").await.unwrap().id.to_string();
                        groups.lock().unwrap()[choice % 3] = new;
                        acme.delete_group(&group).await
                    }
                    1 => acme.delete_user(&user).await,
                    2 => acme.create_user(json!({ "id": user, "name": "" })).await.map(drop),
                    number if number % 3 == 0 => acme.remove(&group, &user).await,
                    _ => acme.add(&group, &user).await.map(drop),
                };
                let refused = matches!(
                    done,
                    Ok(())
                        | Err(Error::NotFound { .. } | Error::NotMember { .. } | Error::AlreadyExists { .. })
                );
                assert!(refused, "{done:?}");
            }
        }
    }))
    .await;
    stores[1].store().close().await;
}

/// Blocks every writer of the database until it is dropped.
enum Barrier {
    Sqlite { _connection: rusqlite::Connection },
    Postgres { release: std::sync::mpsc::Sender<()>, thread: std::thread::JoinHandle<()> },
}

impl Barrier {
    fn new(database: &Database) -> Self {
        match database.url.clone() {
            DatabaseUrl::Sqlite(file) => {
                let connection = rusqlite::Connection::open(file).unwrap();
                connection.execute_batch("begin immediate").unwrap();
                Self::Sqlite { _connection: connection }
            }
            DatabaseUrl::Postgres(url) => {
                let (release, released) = std::sync::mpsc::channel();
                let (locked, is_locked) = std::sync::mpsc::channel();
                let thread = std::thread::spawn(move || {
                    let mut client = ::postgres::Client::connect(&url, ::postgres::NoTls).unwrap();
                    client.batch_execute("begin; lock table groups in access exclusive mode").unwrap();
                    locked.send(()).unwrap();
                    released.recv().unwrap();
                });
                is_locked.recv().unwrap();
                Self::Postgres { release, thread }
            }
        }
    }

    fn lift(self) {
        if let Self::Postgres { release, thread } = self {
            release.send(()).unwrap();
            thread.join().unwrap();
        }
    }
}

async fn operations_beyond_the_queue_are_refused_and_the_others_done(database: Database) {
    // More adds than the queues hold, plus four full batches taken from them.
    const TEAMS: usize = 80;
    let acme = database.acme(TEAMS, teams(TEAMS)).await;
    let barrier = Barrier::new(&database);
    let (mut waiting, mut refused) = (Vec::new(), Vec::new());
    for group in 1..=TEAMS {
        for user in 1..=TEAMS {
            let acme: Tenant = acme.clone();
            let add = async move { acme.add(&format!("group_{group}"), &format!("user_{user}")).await };
            let mut add = Box::pin(add);
            match poll_immediate(&mut add).await {
                None => waiting.push(add),
                Some(Err(Error::Overloaded)) => refused.push((group, user)),
                Some(other) => panic!("no user can have been added yet: {other:?}"),
            }
        }
    }
    assert!(!refused.is_empty(), "{} calls fit", waiting.len());
    barrier.lift();
    let accepted = waiting.len();
    for result in join_all(waiting).await {
        result.unwrap();
    }
    let members = database.texts("select cast(count(*) as text) from group_users");
    assert_eq!(members, [accepted.to_string()], "all accepted adds and no refused one");
    for (group, user) in refused.into_iter().take(5) {
        acme.add(&format!("group_{group}"), &format!("user_{user}")).await.unwrap();
    }
}

async fn an_abandoned_call_neither_blocks_nor_breaks_the_next(database: Database) {
    let acme = database.acme(20, teams(1)).await;
    for user in user_ids(19) {
        let acme = acme.clone();
        // Started, but never awaited.
        let _ = poll_immediate(Box::pin(async move { acme.add("group_1", &user).await })).await;
    }
    acme.add("group_1", "user_20").await.unwrap();
    assert!(acme.member_ids("group_1").await.contains(&"user_20".to_owned()));
}
