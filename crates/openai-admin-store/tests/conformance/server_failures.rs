//! A PostgreSQL server that does not answer, restarts, or is gone. Every operation ends within its time limit.

use std::time::Duration;

use openai_admin_store::{Error, Result, Store};
use serde_json::json;
use tokio::time::timeout;

use crate::{
    cluster::Cluster,
    proxy::{Cut, Proxy},
    support::{Database, Engine, assert_refused, run, user_ids},
    tenant::{Part, Tenant},
};

/// Longer than the time limit of an operation, but shorter than twice that.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(18);
/// Longer than a server needs to recover from a crash.
const RECOVERY_TIMEOUT: Duration = Duration::from_secs(60);

/// One operation for each path to the server: a page, a membership, a body that reads and one that writes.
async fn all_ways(acme: &Tenant) -> [Result<()>; 4] {
    let ways = async {
        tokio::join!(
            async { acme.members("group_1", Part::new()).await.map(drop) },
            async { acme.add("group_1", "user_1").await.map(drop) },
            async { acme.group("group_1").await.map(drop) },
            async { acme.rename_group("group_1", "Team").await },
        )
    };
    timeout(ANSWER_TIMEOUT, ways).await.expect("every operation ends within its time limit").into()
}

/// Retries until all paths work again. Until then, each reports that it is unavailable or has an unknown outcome.
async fn all_ways_recover(acme: &Tenant) {
    let recover = async {
        loop {
            let ways = all_ways(acme).await;
            if ways.iter().all(Result::is_ok) {
                return;
            }
            for way in ways {
                assert!(
                    matches!(way, Ok(()) | Err(Error::Unavailable(_) | Error::OutcomeUnknown(_))),
                    "{way:?}"
                );
            }
        }
    };
    timeout(RECOVERY_TIMEOUT, recover).await.expect("it recovers without a restart");
}

#[test]
fn a_server_that_freezes_restarts_or_vanishes_does_not_block_callers() {
    let cluster = Cluster::start();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let database = Database {
            store: Store::open(&cluster.url()).await.unwrap(),
            is_in_memory: false,
            url: cluster.url(),
            stamps: Default::default(),
        };
        let acme =
            database.acme(2, json!([{ "id": "group_1", "name": "Team", "members": ["user_2"] }])).await;
        for way in all_ways(&acme).await {
            way.unwrap();
        }

        cluster.freeze();
        for way in all_ways(&acme).await {
            assert_refused!(way, Error::Unavailable(_));
        }
        let opened = timeout(ANSWER_TIMEOUT, Store::open(&cluster.url())).await;
        assert_refused!(opened.expect("it times out"), Error::Unavailable(_));
        cluster.thaw();
        all_ways_recover(&acme).await;

        cluster.crash();
        all_ways_recover(&acme).await;
        assert_eq!(acme.member_ids("group_1").await, user_ids(2));
        assert_eq!(database.problems().await, Vec::<String>::new());

        cluster.end();
        // Operations that were running when it ended may have been done.
        let _ = all_ways(&acme).await;
        for way in all_ways(&acme).await {
            assert_refused!(way, Error::Unavailable(_));
        }
        timeout(ANSWER_TIMEOUT, acme.store().close()).await.expect("it closes");
    });
}

#[test]
fn a_commit_that_is_never_answered_has_an_unknown_outcome() {
    run(Engine::Postgres, async |database| {
        let acme = database.acme(1, json!([{ "id": "group_1", "name": "Team" }])).await;
        let behind = async |cut: Cut| {
            let proxy = Proxy::start(&database.url);
            let store = Store::open(&proxy.url(&database.url)).await.unwrap();
            proxy.cut(cut);
            Tenant { database: Database { store, ..database.clone() }, ..acme.clone() }
        };
        let silent = Cut::Silence(b"COMMIT\0");
        let (adds, renames, reads) = (behind(silent).await, behind(silent).await, behind(silent).await);
        let (added, renamed, read) = tokio::join!(
            timeout(ANSWER_TIMEOUT, adds.add("group_1", "user_1")),
            timeout(ANSWER_TIMEOUT, renames.rename_group("group_1", "Renamed")),
            timeout(ANSWER_TIMEOUT, reads.group("group_1")),
        );
        assert_refused!(added.unwrap(), Error::OutcomeUnknown(_));
        assert_refused!(renamed.unwrap(), Error::OutcomeUnknown(_));
        assert_refused!(read.unwrap(), Error::Unavailable(_));
        assert_eq!(
            acme.member_ids("group_1").await,
            ["user_1"],
            "it has happened, and who asked cannot tell"
        );
        assert_eq!(acme.group("group_1").await.unwrap().name, "Renamed");
        adds.add("group_1", "user_1").await.unwrap();
        renames.rename_group("group_1", "Team").await.unwrap();
        reads.group("group_1").await.unwrap();
    });
}
