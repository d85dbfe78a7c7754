//! An older server keeps working while a newer one migrates the schema.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use openai_admin_store::{DatabaseUrl, Error, Store};
use serde_json::json;

use crate::{
    support::{Database, Engine, assert_refused, conformance, run, user_ids},
    tenant::{Part, Tenant},
};

conformance! {
    a_server_keeps_working_when_a_newer_one_extends_the_schema,
}

/// The kinds of changes that a later release may make to the schema: additions. Its version is far beyond any real one.
fn additions(engine: &DatabaseUrl) -> String {
    let tables =
        ["organizations", "users", "groups", "group_users", "audit_events", "api_keys", "idempotency_keys"];
    let columns = tables.map(|table| {
        format!(
            "alter table {table} add column later text;
             alter table {table} add column later_still bigint not null default 7;
             create index {table}_later on {table} (later, later_still);"
        )
    });
    let begin = if matches!(engine, DatabaseUrl::Sqlite(_)) { "begin immediate" } else { "begin" };
    format!(
        "{begin};
         {}
         create table later (org bigint not null primary key, what text);
         insert into schema_migrations (version, applied_by) values (1000000, 'a later release');
         commit",
        columns.concat()
    )
}

/// As a migration does: it times out on a lock, and retries.
async fn add_to_schema(database: &Database) {
    let additions = additions(&database.url);
    let DatabaseUrl::Postgres(url) = database.url.clone() else { return database.execute(&additions) };
    let migrate = move || {
        let mut client = ::postgres::Client::connect(&url, ::postgres::NoTls).unwrap();
        client.batch_execute("set lock_timeout = '50ms'").unwrap();
        while let Err(error) = client.batch_execute(&additions) {
            assert_eq!(error.code(), Some(&::postgres::error::SqlState::LOCK_NOT_AVAILABLE), "{error}");
            client.batch_execute("rollback").unwrap();
        }
    };
    tokio::task::spawn_blocking(migrate).await.unwrap();
}

/// Adds, removes, lists and renames until it is stopped, and counts the rounds. No operation may fail.
async fn work(acme: Tenant, user: String, stop: Arc<AtomicBool>, rounds: Arc<AtomicUsize>) {
    while !stop.load(Ordering::SeqCst) {
        acme.add("group_1", &user).await.unwrap();
        assert!(acme.member_ids("group_1").await.contains(&user));
        acme.member("group_1", &user).await.unwrap();
        acme.remove("group_1", &user).await.unwrap();
        rounds.fetch_add(1, Ordering::SeqCst);
    }
}

async fn at_least(rounds: &AtomicUsize, least: usize) {
    while rounds.load(Ordering::SeqCst) < least {
        tokio::task::yield_now().await;
    }
}

async fn a_server_keeps_working_when_a_newer_one_extends_the_schema(database: Database) {
    let acme = database.acme(6, json!([{ "id": "group_1", "name": "Team" }])).await;
    let (stop, rounds) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let workers: Vec<_> = user_ids(4)
        .into_iter()
        .map(|user| tokio::spawn(work(acme.clone(), user, Arc::clone(&stop), Arc::clone(&rounds))))
        .collect();
    // Every statement has been prepared on the existing connections.
    at_least(&rounds, 100).await;
    add_to_schema(&database).await;
    let before = rounds.load(Ordering::SeqCst);
    at_least(&rounds, before + 100).await;
    stop.store(true, Ordering::SeqCst);
    for worker in workers {
        worker.await.unwrap();
    }

    let group = acme.create_group("Made on the newer schema").await.unwrap();
    acme.rename_group("group_1", "Renamed").await.unwrap();
    acme.add(group.id.as_str(), "user_6").await.unwrap();
    acme.create_user(json!({ "email": "new@example.com", "name": "New" })).await.unwrap();
    acme.delete_user("user_5").await.unwrap();
    acme.delete_group(group.id.as_str()).await.unwrap();
    assert_eq!(acme.groups(Part::new()).await.unwrap().data.len(), 1);
    assert!(!acme.logs(json!({})).await.unwrap().data.is_empty());
    assert_eq!(acme.store().verify().await.unwrap(), Vec::<String>::new());
    // A restarted server would refuse this schema, so the runner removes the additions.
    assert_refused!(Store::open(&database.url).await, Error::InvalidValue { field, .. } if field == "database");
    database.execute("delete from schema_migrations where version = 1000000");
}

/// The schema before its third version, with the audit events of the first.
fn as_of_version_2(database: &Database) {
    let first = include_str!("../../migrations/V1__organizations_groups_users.sql");
    let begin = first.find("create table audit_events (").unwrap();
    let table = &first[begin..];
    let table = &table[..table.find(';').unwrap()];
    let (clustered, clock) = match database.url {
        DatabaseUrl::Sqlite(_) => (") without rowid", ""),
        DatabaseUrl::Postgres(_) => (")", "drop table audit_clock;"),
    };
    database.go_back_to(2);
    database.execute(&format!(
        "alter table audit_events rename to audit_events_of_version_3;
         {};
         insert into audit_events (org, change, item, recorded_at, actor, event, group_seq, user_seq, detail)
         select org, change, item, recorded_at, actor, event, group_seq, user_seq, detail
         from audit_events_of_version_3;
         drop table audit_events_of_version_3;
         {clock}",
        table.replace(") /* clustered */", clustered)
    ));
}

/// The statements of a server of the second version for adding a user to a group.
const INSERT: &str =
    "insert into group_users (org, group_seq, user_seq) values (1, 1, $1) on conflict do nothing";
const RECORD: &str = "insert into audit_events
                          (org, change, item, recorded_at, actor, event, group_seq, user_seq, detail)
                      values (1, $1, 0, 1750000000, 'older', 'group.user.added', 1, $2, null)";
/// How many users it adds, with the same statements before and after the migration.
const PEOPLE: usize = 400;

#[test]
fn a_server_of_version_2_keeps_working_while_a_newer_one_migrates() {
    run(Engine::Postgres, async |database| {
        let acme = database.acme(PEOPLE, json!([{ "id": "group_1", "name": "Team" }])).await;
        as_of_version_2(&database);
        let DatabaseUrl::Postgres(url) = database.url.clone() else { panic!("it is PostgreSQL") };
        let (added, has_migrated) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let older = std::thread::spawn({
            let (added, has_migrated) = (Arc::clone(&added), Arc::clone(&has_migrated));
            move || {
                let mut client = ::postgres::Client::connect(&url, ::postgres::NoTls).unwrap();
                let (insert, record) = (client.prepare(INSERT).unwrap(), client.prepare(RECORD).unwrap());
                for user in 1..=PEOPLE {
                    // Half of them before and during the migration, however fast it is.
                    while user > PEOPLE / 2 && !has_migrated.load(Ordering::SeqCst) {
                        std::thread::yield_now();
                    }
                    let seq = i64::try_from(user).unwrap();
                    let mut transaction = client.transaction().unwrap();
                    assert_eq!(transaction.execute(&insert, &[&seq]).unwrap(), 1);
                    let change = format!("older{user:05}");
                    assert_eq!(transaction.execute(&record, &[&change, &seq]).unwrap(), 1);
                    transaction.commit().unwrap();
                    added.fetch_add(1, Ordering::SeqCst);
                }
            }
        });
        at_least(&added, PEOPLE / 8).await;
        let newer = acme.opened_again().await;
        has_migrated.store(true, Ordering::SeqCst);
        older.join().unwrap();

        let mut members = newer.member_ids("group_1").await;
        members.sort_by_key(|user| user[5..].parse::<usize>().unwrap());
        assert_eq!(members, user_ids(PEOPLE));
        let told =
            database.texts("select change from audit_events where actor = 'older' order by place, change");
        let expected: Vec<String> = (1..=PEOPLE).map(|user| format!("older{user:05}")).collect();
        assert_eq!(told, expected, "older events first, and all in order");
        newer.remove("group_1", "user_1").await.unwrap();
        assert_eq!(newer.store().verify().await.unwrap(), Vec::<String>::new());
        newer.store().close().await;
    });
}

#[test]
fn a_migration_that_has_to_wait_releases_its_locks() {
    run(Engine::Postgres, async |database| {
        let acme = database.acme(1, json!([{ "id": "group_1", "name": "Team" }])).await;
        as_of_version_2(&database);
        let DatabaseUrl::Postgres(url) = database.url.clone() else { panic!("it is PostgreSQL") };
        let (is_writing, may_end) = (std::sync::mpsc::channel(), std::sync::mpsc::channel::<()>());
        let older = std::thread::spawn(move || {
            let mut client = ::postgres::Client::connect(&url, ::postgres::NoTls).unwrap();
            let mut transaction = client.transaction().unwrap();
            transaction.execute(INSERT, &[&1_i64]).unwrap();
            transaction.execute(RECORD, &[&"older", &1_i64]).unwrap();
            is_writing.0.send(()).unwrap();
            may_end.1.recv().unwrap();
            transaction.commit().unwrap();
        });
        is_writing.1.recv().unwrap();
        let newer = tokio::spawn({
            let acme = acme.clone();
            async move { acme.opened_again().await }
        });
        let waits = || {
            let waiting = "select pid::text from pg_locks
                           where not granted and relation = 'audit_events'::regclass";
            !database.texts(waiting).is_empty()
        };
        while !waits() {}
        while waits() {}
        assert!(!newer.is_finished(), "it has not failed");
        may_end.0.send(()).unwrap();
        older.join().unwrap();
        let newer = newer.await.unwrap();
        assert_eq!(newer.member_ids("group_1").await, ["user_1"]);
        assert_eq!(newer.store().verify().await.unwrap(), Vec::<String>::new());
        newer.store().close().await;
    });
}

#[test]
fn a_server_of_version_2_can_only_read_after_a_newer_one_migrated_its_file() {
    run(Engine::Sqlite, async |database| {
        let acme =
            database.acme(2, json!([{ "id": "group_1", "name": "Team", "members": ["user_2"] }])).await;
        as_of_version_2(&database);
        let DatabaseUrl::Sqlite(file) = &database.url else { panic!("it is SQLite") };
        let older = rusqlite::Connection::open(file).unwrap();
        let mut members = older.prepare("select count(*) from group_users").unwrap();
        let mut members = || members.query_row([], |row| row.get::<_, i64>(0)).unwrap();
        let add = |user: i64| {
            let transaction = older.unchecked_transaction().unwrap();
            transaction.prepare_cached(INSERT).unwrap().execute([user]).unwrap();
            transaction.prepare_cached(RECORD).unwrap().execute((format!("older{user}"), user))?;
            transaction.commit()
        };
        add(1).unwrap();
        assert_eq!(members(), 2);
        let newer = acme.opened_again().await;
        newer.remove("group_1", "user_1").await.unwrap();
        assert_eq!(members(), 1, "it sees the changes of the newer server");
        let refused = add(1).unwrap_err().to_string();
        assert!(refused.contains("audit_events.place"), "{refused}");
        assert_eq!(newer.member_ids("group_1").await, ["user_2"], "nothing has changed");
        newer.store().close().await;
    });
}
