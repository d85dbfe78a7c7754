//! The outcome that is reported for a change if the connection to PostgreSQL ends during it.

use std::sync::mpsc;

use openai_admin_store::{DatabaseUrl, Error, Store};
use serde_json::json;

use crate::{
    proxy::{Cut, Proxy},
    support::{Database, Engine, assert_refused, run},
    tenant::Tenant,
};

/// An organization behind a proxy.
async fn behind_proxy(database: &Database) -> (Proxy, Tenant) {
    let acme = database.acme(0, json!([])).await;
    let proxy = Proxy::start(&database.url);
    let store = Store::open(&proxy.url(&database.url)).await.unwrap();
    (proxy, Tenant { database: Database { store, ..database.clone() }, ..acme })
}

async fn names(acme: &Tenant) -> Vec<String> {
    let dump = acme.dump().await;
    let groups = dump["groups"].as_array().unwrap().iter();
    groups.map(|group| group["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_commit_whose_answer_is_lost_has_an_unknown_outcome() {
    run(Engine::Postgres, async |database| {
        let (proxy, acme) = behind_proxy(&database).await;
        proxy.cut(Cut::After(b"COMMIT\0"));
        assert_refused!(acme.create_group("Done").await, Error::OutcomeUnknown(_));
        assert_eq!(names(&acme).await, ["Done"], "it has happened");
        proxy.cut(Cut::Before(b"COMMIT\0"));
        assert_refused!(acme.create_group("Not done").await, Error::OutcomeUnknown(_));
        assert_eq!(names(&acme).await, ["Done"], "it has not, but the caller cannot know");
    });
}

#[test]
fn a_batch_whose_answer_is_lost_has_an_unknown_outcome() {
    run(Engine::Postgres, async |database| {
        let (proxy, acme) = behind_proxy(&database).await;
        acme.load(json!({ "users": [{ "id": "user_1" }], "groups": [{ "id": "group_1", "name": "One" }] }))
            .await
            .unwrap();
        proxy.cut(Cut::Before(b"COMMIT\0"));
        assert_refused!(acme.add("group_1", "user_1").await, Error::OutcomeUnknown(_));
        assert_eq!(acme.member_ids("group_1").await, Vec::<String>::new(), "it has not happened");
        // The connection may end before or after PostgreSQL reads COMMIT, which is sent together with the statement.
        proxy.cut(Cut::After(b"COMMIT\0"));
        assert_refused!(acme.add("group_1", "user_1").await, Error::OutcomeUnknown(_));
        acme.add("group_1", "user_1").await.unwrap();
        for cut in [Cut::Before(b"START TRANSACTION"), Cut::After(b"START TRANSACTION")] {
            proxy.cut(cut);
            acme.remove("group_1", "user_1").await.unwrap();
            acme.add("group_1", "user_1").await.unwrap();
        }
    });
}

#[test]
fn uncommitted_writes_are_not_visible() {
    run(Engine::Postgres, async |database| {
        let (proxy, acme) = behind_proxy(&database).await;
        for cut in [Cut::Before(b"Not done"), Cut::After(b"Not done")] {
            proxy.cut(cut);
            assert_refused!(acme.create_group("Not done").await, Error::Unavailable(_));
        }
        assert_eq!(names(&acme).await, Vec::<String>::new());
    });
}

#[test]
fn a_change_that_did_not_start_is_retried() {
    run(Engine::Postgres, async |database| {
        let (proxy, acme) = behind_proxy(&database).await;
        for cut in [Cut::Before(b"START TRANSACTION"), Cut::After(b"START TRANSACTION")] {
            proxy.cut(cut);
            acme.create_group("Done").await.unwrap();
        }
        assert_eq!(names(&acme).await, ["Done", "Done"]);
    });
}

#[test]
fn a_read_on_a_lost_connection_is_unavailable() {
    run(Engine::Postgres, async |database| {
        let (proxy, acme) = behind_proxy(&database).await;
        proxy.cut(Cut::After(b"COMMIT\0"));
        assert_refused!(acme.store().organizations().await, Error::Unavailable(_));
    });
}

#[test]
fn a_slow_statement_times_out() {
    run(Engine::Postgres, async |database| {
        let acme = database.acme(0, json!([])).await;
        let DatabaseUrl::Postgres(url) = database.url.clone() else { panic!("it is PostgreSQL") };
        let impatient = DatabaseUrl::Postgres(format!("{url}%20-cstatement_timeout%3D500"));
        let store = Store::open(&impatient).await.unwrap();
        let impatient = Tenant { database: Database { store, ..database.clone() }, ..acme };
        let (locked, wait) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        let holder = std::thread::spawn(move || {
            let mut client = postgres::Client::connect(&url, postgres::NoTls).unwrap();
            client.batch_execute("begin; lock table groups").unwrap();
            locked.send(()).unwrap();
            let _ = released.recv();
        });
        wait.recv().unwrap();
        assert_refused!(impatient.create_group("Not done").await, Error::Unavailable(_));
        drop(release);
        holder.join().unwrap();
        impatient.create_group("Done").await.unwrap();
        assert_eq!(names(&impatient).await, ["Done"]);
    });
}

#[test]
fn every_statement_has_a_limit() {
    run(Engine::Postgres, async |database| {
        // The database itself records the settings of the connection.
        database.execute(
            "create function limit_of_statements() returns trigger language plpgsql as
             $$ begin new.group_type := current_setting('statement_timeout'); return new; end $$;
             create trigger limit_of_statements before insert on groups
             for each row execute function limit_of_statements()",
        );
        let acme = database.acme(0, json!([])).await;
        acme.create_group("One").await.unwrap();
        assert_eq!(database.texts("select group_type from groups"), ["8s"]);
    });
}

#[test]
fn a_database_error_does_not_contain_the_row() {
    run(Engine::Postgres, async |database| {
        database.execute("alter table users add constraint refused check (name <> 'Quellenmark')");
        let acme = database.acme(0, json!([])).await;
        let user = json!({ "name": "Quellenmark", "email": "quellenmark@example.com", "role": "reader" });
        let refused = acme.create_user(user).await;
        assert_refused!(refused, Error::Internal(cause) if {
            let said = format!("{cause} {cause:?}");
            said.contains("refused") && said.contains("23514") && !said.to_lowercase().contains("quellenmark")
        });
    });
}

/// Locks a table from outside the store, as long as the connection is open.
fn locked(database: &Database, table: &str) -> ::postgres::Client {
    let DatabaseUrl::Postgres(url) = database.url.clone() else { panic!("it is PostgreSQL") };
    let lock = format!("begin; lock table {table} in access exclusive mode");
    let connected = std::thread::spawn(move || {
        let mut client = ::postgres::Client::connect(&url, ::postgres::NoTls).unwrap();
        client.batch_execute(&lock).unwrap();
        client
    });
    connected.join().unwrap()
}

#[test]
fn sixty_scans_do_not_delay_other_clients() {
    run(Engine::Postgres, async |database| {
        let acme = database.acme(1, json!([{ "id": "group_1", "name": "One" }])).await;
        // All scans are blocked.
        let client = locked(&database, "audit_events");
        let scans = (0..60).map(|_| {
            let acme = acme.clone();
            tokio::spawn(async move { acme.logs(json!({ "actor_ids[]": ["nobody"] })).await })
        });
        let scans: Vec<_> = scans.collect();
        for _ in 0..20 {
            acme.store().ping().await.unwrap();
            acme.store().find_api_key("hash".to_owned()).await.unwrap();
            acme.group("group_1").await.unwrap();
        }
        scans.iter().for_each(tokio::task::JoinHandle::abort);
        std::thread::spawn(move || drop(client)).join().unwrap();
        assert_eq!(acme.logs(json!({ "actor_ids[]": ["nobody"] })).await.unwrap().data, []);
    });
}

#[test]
fn one_call_at_a_time_needs_one_connection() {
    run(Engine::Postgres, async |database| {
        let acme = database.acme(1, json!([{ "id": "group_1", "name": "One" }])).await;
        let store = Store::open(&database.url).await.unwrap();
        // Without the connections that count.
        let connections = || {
            let count = "select count(*)::text from pg_stat_activity
                         where application_name = current_setting('application_name')
                             and query not like '%pg_stat_activity%'";
            database.texts(count)[0].parse::<usize>().unwrap()
        };
        let opened = connections();
        let acme = Tenant { database: Database { store, ..database.clone() }, ..acme };
        for number in 0..50 {
            acme.create_group(&format!("Group {number}")).await.unwrap();
            acme.group("group_1").await.unwrap();
        }
        let used = connections();
        assert!(used <= opened, "{opened} connections were open, and {used} are now");
    });
}

#[test]
fn calls_at_the_same_time_run_at_the_same_time() {
    const CALLS: usize = 12;
    run(Engine::Postgres, async |database| {
        let acme = database.acme(1, json!([{ "id": "group_1", "name": "One" }])).await;
        let store = Store::open(&database.url).await.unwrap();
        let acme = Tenant { database: Database { store, ..database.clone() }, ..acme };
        let client = locked(&database, "groups");
        let calls = (0..CALLS).map(|_| {
            let acme = acme.clone();
            tokio::spawn(async move { acme.group("group_1").await })
        });
        let calls: Vec<_> = calls.collect();
        let waiting = "select count(*)::text from pg_stat_activity
                       where wait_event_type = 'Lock' and application_name = current_setting('application_name')";
        until(|| database.texts(waiting) == [CALLS.to_string()]).await;
        std::thread::spawn(move || drop(client)).join().unwrap();
        for call in calls {
            call.await.unwrap().unwrap();
        }
    });
}

#[test]
fn a_statement_whose_caller_is_gone_is_cancelled() {
    run(Engine::Postgres, async |database| {
        let acme = database.acme(1, json!([])).await;
        // The table that `verify` has to wait for.
        let client = locked(&database, "groups");
        let store = acme.store().clone();
        let verifying = tokio::spawn(async move { store.verify().await });
        let waiting = "select count(*)::text from pg_stat_activity
                       where wait_event_type = 'Lock' and application_name = current_setting('application_name')";
        until(|| database.texts(waiting) == ["1"]).await;
        verifying.abort();
        until(|| database.texts(waiting) == ["0"]).await;
        std::thread::spawn(move || drop(client)).join().unwrap();
    });
}

/// Waits for a condition that becomes true by itself, and soon.
async fn until(mut is_so: impl FnMut() -> bool) {
    let wait = async {
        while !is_so() {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), wait).await.expect("the condition becomes true");
}
