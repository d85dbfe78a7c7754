//! Reads from a real streaming replica, which `scripts/with-postgres` starts beside its primary.

use std::time::Duration;

use openai_admin_store::{DatabaseUrl, Store};
use serde_json::json;

use crate::{
    proxy::{Cut, Proxy},
    support::{Database, Engine, assert_refused, replica_of, run, user_ids},
    tenant::{Part, Tenant},
};

/// Opens the store with replicas instead of the one without.
async fn reading_from(database: &Database, replicas: &[DatabaseUrl]) -> Database {
    let store = Store::open(&database.url).await.unwrap();
    store.read_from(replicas).await.unwrap();
    Database { store, ..database.clone() }
}

/// Waits until the replica has replayed the primary's log.
async fn wait_for_replica(database: &Database) {
    let position = database.texts("select pg_current_wal_insert_lsn()::text").remove(0);
    let replica = Database { url: replica_of(&database.url), ..database.clone() };
    let has_replayed = format!("select (pg_last_wal_replay_lsn() >= '{position}')::text");
    let wait = async {
        while replica.texts(&has_replayed) != ["true"] {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), wait).await.expect("it follows");
}

/// Whether this case has read a page from the replica.
async fn is_asked(replica: &DatabaseUrl, database: &Database) -> bool {
    let replica = Database { url: replica.clone(), ..database.clone() };
    let sessions = replica.texts(
        "select query from pg_stat_activity where application_name = current_setting('application_name')
         and query like '%group_users%' and query like '%$3%' and pid <> pg_backend_pid()",
    );
    !sessions.is_empty()
}

#[test]
fn a_page_from_a_replica_contains_every_acknowledged_write() {
    run(Engine::Postgres, async |database| {
        let replica = replica_of(&database.url);
        let acme =
            database.acme(60, json!([{ "id": "group_1", "name": "One", "members": ["user_1"] }])).await;
        wait_for_replica(&database).await;
        let (writer, database) = (acme, reading_from(&database, std::slice::from_ref(&replica)).await);
        let reader = Tenant { database: database.clone(), ..writer.clone() };
        let connect = async {
            // Before its first connection, it counts as a replica that is too far behind.
            while !is_asked(&replica, &database).await {
                reader.member_ids("group_1").await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), connect).await.expect("the replica is queried");
        let mut members = 1;
        for user in user_ids(60) {
            writer.add("group_1", &user).await.unwrap();
            members = members.max(user[5..].parse().unwrap());
            assert_eq!(
                reader.member_ids("group_1").await.len(),
                members,
                "the add of another process is visible"
            );
        }
        for user in user_ids(60) {
            reader.remove("group_1", &user).await.unwrap();
            members -= 1;
            assert_eq!(reader.member_ids("group_1").await.len(), members, "its own removal is visible");
        }
        for (group, after) in [("group_none", "user_1"), ("group_1", "user_none")] {
            reader.members(group, Part::new().after(after)).await.unwrap_err();
        }
        reader.store().close().await;
    });
    // One after the other, because it delays the replica.
    run(Engine::Postgres, a_replica_that_is_gone_frozen_or_behind_affects_neither_reads_nor_writes);
}

async fn a_replica_that_is_gone_frozen_or_behind_affects_neither_reads_nor_writes(database: Database) {
    let acme = database.acme(40, json!([{ "id": "group_1", "name": "One" }])).await;
    wait_for_replica(&database).await;
    let replica = replica_of(&database.url);
    let proxy = Proxy::start(&replica);
    let nobody = DatabaseUrl::Postgres("postgres://postgres@127.0.0.1:9/none".to_owned());
    let database = reading_from(&database, &[nobody, proxy.url(&replica)]).await;
    let acme = Tenant { database: database.clone(), ..acme };
    let replayer = Database { url: replica.clone(), ..database.clone() };
    for (index, user) in user_ids(40).iter().enumerate() {
        match index {
            10 => proxy.cut(Cut::After(b"user_")),
            20 => proxy.cut(Cut::Silence(b"group_")),
            25 => replayer.execute("select pg_wal_replay_pause()"),
            35 => replayer.execute("select pg_wal_replay_resume()"),
            _ => {}
        }
        acme.add("group_1", user).await.unwrap();
        assert_eq!(acme.member_ids("group_1").await.len(), index + 1, "after {user}");
    }
    acme.store().close().await;
}

#[test]
fn only_postgres_has_replicas() {
    use openai_admin_store::Error;

    run(Engine::Sqlite, async |database| {
        assert_refused!(
            database.store.read_from(std::slice::from_ref(&database.url)).await,
            Error::InvalidValue { .. }
        );
    });
    run(Engine::Postgres, async |database| {
        let file = DatabaseUrl::Sqlite("other.db".into());
        assert_refused!(database.store.read_from(&[file]).await, Error::InvalidValue { .. });
    });
}
