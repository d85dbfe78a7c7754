//! Snapshots on SQLite: a database is restored to the state of a snapshot.

use openai_admin_store::{Error, NewApiKey, Store};
use serde_json::json;

use crate::{
    support::{Database, Engine, assert_refused, run, user_ids},
    tenant::{Part, Tenant},
};

macro_rules! on_sqlite {
    ($($case:ident,)*) => {
        mod sqlite { $(#[test] fn $case() { super::run(super::Engine::Sqlite, super::$case); })* }
        mod in_memory { $(#[test] fn $case() { super::run(super::Engine::Memory, super::$case); })* }
    };
}

on_sqlite! {
    later_writes_are_gone_after_a_reset,
    a_page_read_after_the_snapshot_is_not_cached,
    a_snapshot_does_not_change,
    a_database_in_memory_starts_as_its_snapshot,
    numbers_after_a_reset_are_assigned_again,
    a_key_created_after_the_snapshot_is_unknown,
}

async fn acme(database: &Database) -> Tenant {
    let groups = json!([{ "id": "group_1", "name": "One", "members": user_ids(3) }, { "id": "group_2", "name": "Two" }]);
    database.acme(5, groups).await
}

async fn state(database: &Database, acme: &Tenant) -> String {
    serde_json::to_string(&database.store.dump(acme.organization.clone()).await.unwrap()).unwrap()
}

async fn later_writes_are_gone_after_a_reset(database: Database) {
    let acme = acme(&database).await;
    let before = state(&database, &acme).await;
    let snapshot = database.store.snapshot().await.unwrap();
    acme.add("group_2", "user_5").await.unwrap();
    acme.remove("group_1", "user_1").await.unwrap();
    acme.delete_group("group_1").await.unwrap();
    assert_ne!(state(&database, &acme).await, before);
    database.store.reset_to(&snapshot).await.unwrap();
    assert_eq!(state(&database, &acme).await, before);
}

async fn a_page_read_after_the_snapshot_is_not_cached(database: Database) {
    let acme = acme(&database).await;
    let before = acme.members_json("group_1", Part::new()).await.unwrap();
    let snapshot = database.store.snapshot().await.unwrap();
    acme.remove("group_1", "user_1").await.unwrap();
    // Once to fill the cache, and once from the cache.
    for _ in 0..2 {
        assert_ne!(acme.members_json("group_1", Part::new()).await.unwrap(), before);
    }
    database.store.reset_to(&snapshot).await.unwrap();
    assert_eq!(acme.members_json("group_1", Part::new()).await.unwrap(), before);
}

async fn a_snapshot_does_not_change(database: Database) {
    let acme = acme(&database).await;
    let before = state(&database, &acme).await;
    let snapshot = database.store.snapshot().await.unwrap();
    for _ in 0..3 {
        acme.add("group_2", "user_5").await.unwrap();
        database.store.reset_to(&snapshot).await.unwrap();
        assert_eq!(state(&database, &acme).await, before);
    }
}

async fn a_database_in_memory_starts_as_its_snapshot(database: Database) {
    let acme = acme(&database).await;
    let before = state(&database, &acme).await;
    let snapshot = database.store.snapshot().await.unwrap();
    let second = Store::open_in_memory(Some(snapshot)).await.unwrap();
    acme.add("group_2", "user_5").await.unwrap();
    let dumped = second.dump(acme.organization.clone()).await.unwrap();
    assert_eq!(serde_json::to_string(&dumped).unwrap(), before);
    assert_eq!(second.verify().await.unwrap(), Vec::<String>::new());
}

async fn numbers_after_a_reset_are_assigned_again(database: Database) {
    let acme = acme(&database).await;
    let snapshot = database.store.snapshot().await.unwrap();
    let mut runs = Vec::new();
    for _ in 0..2 {
        for user in ["user_5", "user_4"] {
            acme.add("group_2", user).await.unwrap();
        }
        runs.push(acme.members_json("group_2", Part::new().asc()).await.unwrap());
        database.store.reset_to(&snapshot).await.unwrap();
    }
    assert_eq!(runs[0], runs[1]);
}

async fn a_key_created_after_the_snapshot_is_unknown(database: Database) {
    let acme = acme(&database).await;
    let snapshot = database.store.snapshot().await.unwrap();
    let version = database.store.api_keys_version();
    let key = NewApiKey {
        name: "Test".to_owned(),
        hash: "0".repeat(64),
        redacted: "sk-…".to_owned(),
        scopes: Vec::new(),
        expires_at: None,
    };
    database.store.create_api_key(acme.organization.org, database.stamp(), key).await.unwrap();
    database.store.reset_to(&snapshot).await.unwrap();
    assert!(database.store.find_api_key("0".repeat(64)).await.unwrap().is_none());
    assert!(database.store.api_keys_version() > version, "a cached key must be looked up again");
}

#[test]
fn postgresql_has_no_snapshots() {
    run(Engine::Postgres, async |database: Database| {
        assert_refused!(database.store.snapshot().await, Error::InvalidValue { field, .. } if field == "database");
    });
}
