//! Servers that are configured as replicas but are not replicas, or no longer.

use std::time::Duration;

use openai_admin_store::{DatabaseUrl, Error, Store};
use serde_json::json;
use tokio::{
    runtime::{Builder, Runtime},
    time::timeout,
};

use crate::{
    cluster::{Cluster, execute, query},
    support::{Database, Engine, replica_of, run},
    tenant::Tenant,
};

/// A timeout longer than any step of a replica.
const REPLICA_TIMEOUT: Duration = Duration::from_secs(60);
/// More log than everything else in a case writes.
const LONG_LOG: &str = "create table long_log as select repeat('x', 1000) from generate_series(1, 20000)";

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// The database at `url` with three users, and a group with the first user.
async fn acme_at(url: &str) -> Tenant {
    let url = DatabaseUrl::Postgres(url.to_owned());
    let store = Store::open(&url).await.unwrap();
    let database = Database { store, is_in_memory: false, url, stamps: Default::default() };
    database.acme(3, json!([{ "id": "group_1", "name": "One", "members": ["user_1"] }])).await
}

/// The error for a server that is not a replica.
async fn refusal(acme: &Tenant, replica: &str) -> String {
    match acme.store().read_from(&[DatabaseUrl::Postgres(replica.to_owned())]).await {
        Err(error @ Error::InvalidValue { .. }) => error.to_string(),
        other => panic!("expected a refusal of {replica}, but got {other:?}"),
    }
}

async fn read_from(acme: &Tenant, replica: &str) {
    acme.store().read_from(&[DatabaseUrl::Postgres(replica.to_owned())]).await.unwrap();
}

/// Waits until a query on a server returns `expected`.
async fn wait_for(url: &str, sql: &str, expected: &str) {
    let wait = async {
        while query(url, sql) != [expected] {
            tokio::task::yield_now().await;
        }
    };
    timeout(REPLICA_TIMEOUT, wait).await.unwrap_or_else(|_| panic!("never {expected}: {sql}"));
}

/// Waits until a server has replayed the log of another.
async fn wait_for_log(replica: &str, primary: &str) {
    let position = query(primary, "select pg_current_wal_insert_lsn()::text").remove(0);
    wait_for(replica, &format!("select (pg_last_wal_replay_lsn() >= '{position}')::text"), "true").await;
}

/// Reads pages until the replica has answered one.
async fn read_until_the_replica_answers(acme: &Tenant) {
    let read = async {
        while acme.store().figures().replica_pages == 0 {
            acme.member_ids("group_1").await;
        }
    };
    timeout(REPLICA_TIMEOUT, read).await.expect("the replica answers");
}

fn at(url: &str, database: &str) -> String {
    let (server, _) = url.rsplit_once('/').unwrap();
    format!("{server}/{database}")
}

#[test]
fn a_server_that_is_not_a_replica_of_the_database_is_refused() {
    let cluster = Cluster::start();
    let (primary, replica) = (cluster.address(), cluster.replicas()[0].as_str());
    cluster.execute("create database acme");
    cluster.execute("create database other");
    cluster.execute("create role stranger login");
    runtime().block_on(async {
        let acme = acme_at(&at(primary, "acme")).await;
        acme_at(&at(primary, "other")).await.store().close().await;
        execute(&at(primary, "acme"), "create schema copy; create table copy.group_users ()");
        wait_for_log(replica, primary).await;

        let refused = refusal(&acme, &at(replica, "other")).await;
        assert!(refused.contains("another database of the cluster"), "{refused}");
        let tables = format!("{}?options=-csearch_path%3Dcopy", at(replica, "acme"));
        let refused = refusal(&acme, &tables).await;
        assert!(refused.contains("other tables"), "{refused}");
        let refused = refusal(&acme, &at(primary, "acme")).await;
        assert!(refused.contains("it is not a replica"), "{refused}");
        let unseen = at(replica, "acme").replace("postgres@", "stranger:secret@");
        let refused = refusal(&acme, &unseen).await;
        assert!(refused.contains("grant pg_read_all_stats"), "{refused}");
        assert!(!refused.contains("secret"), "{refused}");

        read_from(&acme, &at(replica, "acme")).await;
        read_until_the_replica_answers(&acme).await;
        acme.store().close().await;
    });
}

#[test]
fn a_replica_of_another_cluster_is_refused() {
    run(Engine::Postgres, async |database| {
        let cluster = Cluster::start();
        let acme = database.acme(1, json!([])).await;
        let refused = refusal(&acme, &cluster.replicas()[0]).await;
        assert!(refused.contains("another cluster"), "{refused}");
    });
}

#[test]
fn an_unreachable_or_lagging_replica_is_used_later() {
    run(Engine::Postgres, async |database| {
        let nobody = "postgres://postgres@127.0.0.1:9/none".to_owned();
        let replica = replica_of(&database.url);
        let replicas = [DatabaseUrl::Postgres(nobody), replica];
        database.store.read_from(&replicas).await.unwrap();
    });
}

/// Two replicas, of which the second follows the first. The first is promoted while the old primary keeps running: the
/// second switches to the new timeline without closing a connection.
#[test]
fn a_replica_that_switches_to_another_timeline_is_skipped() {
    let cluster = Cluster::start_with_replicas(2);
    let [first, second] = cluster.replicas() else { panic!("there are two") };
    let old = cluster.address();
    let (_, port) = first.rsplit_once('/').unwrap().0.rsplit_once(':').unwrap();
    let conninfo = format!("host=127.0.0.1 port={port} user=postgres");
    execute(second, &format!("alter system set primary_conninfo = '{conninfo}'"));
    execute(second, "select pg_reload_conf()");
    runtime().block_on(async {
        let sender = "select coalesce(max(sender_port), 0)::text from pg_stat_wal_receiver";
        wait_for(second, sender, port).await;
        let acme = acme_at(old).await;
        read_from(&acme, second).await;
        read_until_the_replica_answers(&acme).await;

        execute(first, "select pg_promote()");
        execute(first, LONG_LOG);
        wait_for_log(second, first).await;
        let before = acme.store().figures().replica_pages;
        acme.add("group_1", "user_2").await.unwrap();
        assert_eq!(acme.member_ids("group_1").await, ["user_1", "user_2"], "the write is visible");
        assert_eq!(acme.store().figures().replica_pages, before, "the replica answers no page");

        let restarted = Store::open(&acme.database.url).await.unwrap();
        let restarted = Tenant { database: Database { store: restarted, ..acme.database.clone() }, ..acme };
        let refused = refusal(&restarted, second).await;
        assert!(refused.contains("follows timeline 2, the primary writes timeline 1"), "{refused}");
        restarted.store().close().await;

        // The steps after a failover: the new primary, and a replica that follows it.
        let url = DatabaseUrl::Postgres(first.clone());
        let store = Store::open(&url).await.unwrap();
        let acme = Tenant { database: Database { store, url, ..acme.database.clone() }, ..restarted };
        read_from(&acme, second).await;
        read_until_the_replica_answers(&acme).await;
        acme.store().close().await;
    });
}

/// The documented failover, half done: the server uses the new primary, and the replica still follows the old one.
#[test]
fn a_replica_that_follows_the_old_primary_is_refused() {
    let cluster = Cluster::start_with_replicas(2);
    let [first, second] = cluster.replicas() else { panic!("there are two") };
    runtime().block_on(async {
        acme_at(cluster.address()).await.store().close().await;
        wait_for_log(first, cluster.address()).await;
        execute(first, "select pg_promote()");
        cluster.execute(LONG_LOG);
        wait_for_log(second, cluster.address()).await;
        let url = DatabaseUrl::Postgres(first.clone());
        let store = Store::open(&url).await.unwrap();
        let database = Database { store, is_in_memory: false, url, stamps: Default::default() };
        let organization = database.store.open_organization(database.stamp(), None).await.unwrap();
        let acme = Tenant { database, organization };
        let refused = refusal(&acme, second).await;
        assert!(refused.contains("follows timeline 1, the primary writes timeline 2"), "{refused}");
        acme.store().close().await;
    });
}
