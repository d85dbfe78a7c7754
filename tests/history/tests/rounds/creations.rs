//! Creations under idempotency keys, with crashes in between: a creation that is retried until it is answered is made
//! once.

use std::collections::{BTreeMap, BTreeSet};

use openai_admin::{Client, models::CreateGroupBody};
use openai_admin_server::{Minter, api_keys};
use openai_admin_store::Store;
use tokio::sync::{mpsc, watch};

use crate::{
    database::{Database, Engine},
    server::Running,
};

/// How many clients create how many groups each, and how many servers are killed meanwhile.
const CLIENTS: usize = 6;
const GROUPS_EACH: usize = 20;
const KILLS: usize = 6;
/// How often a creation is sent at most.
const ATTEMPTS_MAX: usize = 100;

#[test]
fn a_creation_that_is_retried_after_a_crash_is_made_once_on_sqlite() {
    run(Engine::Sqlite);
}

#[test]
fn a_creation_that_is_retried_after_a_crash_is_made_once_on_postgres() {
    run(Engine::Postgres);
}

fn run(engine: Engine) {
    let database = Database::new(engine);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(run_on(&database));
}

async fn run_on(database: &Database) {
    let key = key_of(database).await;
    let (show, address) = watch::channel(None);
    let (over, mut attempts) = mpsc::unbounded_channel();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| tokio::spawn(create(number, key.clone(), address.clone(), over.clone())))
        .collect();
    for kill in 0..KILLS {
        let server = Running::start(&database.url, None);
        show.send_replace(Some(server.address.clone()));
        for _ in 0..=3 * kill {
            attempts.recv().await.unwrap();
        }
        show.send_replace(None);
        server.kill();
        database.wait_until_settled();
    }
    let server = Running::start(&database.url, None);
    show.send_replace(Some(server.address.clone()));
    let mut answers = BTreeMap::new();
    let mut sent_again = 0;
    for client in clients {
        let (created, again) = client.await.unwrap();
        answers.extend(created);
        sent_again += again;
    }
    assert!(sent_again > 0, "no kill interrupted a creation");

    let client = Client::builder().key(&key).base_url(format!("{}/v1", server.address)).build().unwrap();
    let mut stored = Vec::new();
    let mut groups = client.groups().list_groups().items();
    while let Some(group) = groups.next().await {
        let group = group.unwrap();
        stored.push((group.name.clone(), group.id.to_string()));
    }
    let names: BTreeSet<&String> = stored.iter().map(|(name, _)| name).collect();
    assert_eq!(
        (names.len(), stored.len()),
        (CLIENTS * GROUPS_EACH, CLIENTS * GROUPS_EACH),
        "each was created once"
    );
    assert_eq!(
        stored.into_iter().collect::<BTreeMap<_, _>>(),
        answers,
        "and matches the answer of its client"
    );
}

/// Creates groups one after the other, each under a new key, until each is answered. Returns the answers, and the
/// number of retries.
async fn create(
    number: usize,
    key: String,
    mut address: watch::Receiver<Option<String>>,
    over: mpsc::UnboundedSender<()>,
) -> (BTreeMap<String, String>, usize) {
    let mut created = BTreeMap::new();
    let mut sent_again = 0;
    for group in 0..GROUPS_EACH {
        let name = format!("group {group} of client {number}");
        for attempt in 1..=ATTEMPTS_MAX {
            let server = address.wait_for(Option::is_some).await.unwrap().clone().unwrap();
            let client = Client::builder().key(&key).base_url(format!("{server}/v1")).retries(0);
            let client = client.header("Idempotency-Key", &name).build().unwrap();
            let body = CreateGroupBody::new(name.as_str().try_into().unwrap());
            let answer = client.groups().create_group(body).await;
            // Sending fails once the last server runs, because no receiver is left.
            let _ = over.send(());
            match answer {
                Ok(group) => {
                    created.insert(name, group.id.to_string());
                    break;
                }
                Err(error) => {
                    assert!(attempt < ATTEMPTS_MAX && error.status().is_none(), "{error}");
                    sent_again += usize::from(error.was_sent());
                }
            }
        }
    }
    (created, sent_again)
}

async fn key_of(database: &Database) -> String {
    let store = Store::open(&database.parsed()).await.unwrap();
    let minter = Minter::system();
    let org = store.open_organization(minter.stamp("test"), None).await.unwrap().org;
    let (key, new) = api_keys::mint(&minter, "creations", api_keys::all_scopes(), None);
    store.create_api_key(org, minter.stamp("test"), new).await.unwrap();
    store.close().await;
    key
}
