//! What a caller is told of a change when the connection to PostgreSQL ends while it is made.

use openai_admin_store::{Error, Store};
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
        assert_eq!(names(&acme).await, ["Done"], "it has not, and who asked cannot tell");
    });
}

#[test]
fn what_was_not_committed_did_not_happen() {
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
fn a_change_that_was_not_begun_is_begun_again() {
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
fn a_read_that_is_cut_off_is_unavailable() {
    run(Engine::Postgres, async |database| {
        let (proxy, acme) = behind_proxy(&database).await;
        proxy.cut(Cut::After(b"COMMIT\0"));
        assert_refused!(acme.store().organizations().await, Error::Unavailable(_));
    });
}
