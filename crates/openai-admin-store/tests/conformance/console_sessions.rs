use openai_admin::Timestamp;
use openai_admin_store::{CONSOLE_SESSIONS_OF_KEY_MAX, ConsoleSession};
use serde_json::json;

use crate::{
    api_keys::{create, key},
    support::{Database, NOW, conformance},
    tenant::Tenant,
};

conformance! {
    also in_memory:
    a_session_has_the_scopes_of_its_key,
    a_session_of_the_operator_has_no_key,
    a_session_ends_with_its_key,
    an_unlocked_session_knows_its_end,
    a_new_session_deletes_expired_ones,
    a_new_session_beyond_the_limit_ends_the_oldest_of_its_key,
}

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(NOW as i64 + seconds)
}

pub(crate) async fn open(acme: &Tenant, hash: &str, key_id: Option<&str>, now: Timestamp) {
    let (hash, key_id) = (hash.to_owned(), key_id.map(str::to_owned));
    let expired = Timestamp::from_unix_seconds(now.unix_seconds() - 100);
    let stamp = acme.database.stamp_at(now.unix_seconds() as u64);
    acme.store().create_console_session(acme.org(), hash, key_id, stamp, expired).await.unwrap();
}

async fn find(acme: &Tenant, hash: &str) -> Option<ConsoleSession> {
    acme.store().find_console_session(hash.to_owned()).await.unwrap()
}

async fn a_session_has_the_scopes_of_its_key(database: Database) {
    let acme = database.tenant("org-acme", 0, json!([])).await;
    let key = create(&acme, key('a')).await.unwrap();
    open(&acme, "one", Some(&key.id), at(0)).await;
    let session = find(&acme, "one").await.unwrap();
    assert_eq!(session.organization_id.as_str(), "org-acme");
    assert_eq!((session.created_at, session.seen_at, session.unlocked_until), (at(0), at(0), None));
    let held = session.key.unwrap();
    assert_eq!((held.id, held.name, held.scopes), (key.id, key.name, key.scopes));
    assert_eq!(find(&acme, "two").await, None);
    acme.store().touch_console_session("one".to_owned(), at(60)).await.unwrap();
    assert_eq!(find(&acme, "one").await.unwrap().seen_at, at(60));
    end(&acme, "one").await;
    assert_eq!(find(&acme, "one").await, None);
}

pub(crate) async fn end(acme: &Tenant, hash: &str) {
    let stamp = acme.database.stamp();
    acme.store().delete_console_session(acme.org(), stamp, hash.to_owned()).await.unwrap();
}

async fn a_session_of_the_operator_has_no_key(database: Database) {
    let acme = database.tenant("org-acme", 0, json!([])).await;
    open(&acme, "one", None, at(0)).await;
    assert_eq!(find(&acme, "one").await.unwrap().key, None);
}

async fn a_session_ends_with_its_key(database: Database) {
    let acme = database.tenant("org-acme", 0, json!([])).await;
    let key = create(&acme, key('a')).await.unwrap();
    open(&acme, "one", Some(&key.id), at(0)).await;
    acme.store().revoke_api_key(acme.org(), acme.database.stamp(), key.id).await.unwrap();
    assert_eq!(find(&acme, "one").await, None);
}

async fn an_unlocked_session_knows_its_end(database: Database) {
    let acme = database.tenant("org-acme", 0, json!([])).await;
    open(&acme, "one", None, at(0)).await;
    for until in [Some(at(900)), None] {
        acme.store().unlock_console_session("one".to_owned(), until).await.unwrap();
        assert_eq!(find(&acme, "one").await.unwrap().unlocked_until, until);
    }
}

async fn a_new_session_deletes_expired_ones(database: Database) {
    let acme = database.tenant("org-acme", 0, json!([])).await;
    open(&acme, "one", None, at(0)).await;
    open(&acme, "two", None, at(100)).await;
    assert!(find(&acme, "one").await.is_some());
    open(&acme, "three", None, at(101)).await;
    assert!(find(&acme, "one").await.is_none() && find(&acme, "two").await.is_some());
}

async fn a_new_session_beyond_the_limit_ends_the_oldest_of_its_key(database: Database) {
    let acme = database.tenant("org-acme", 0, json!([])).await;
    let key = create(&acme, key('a')).await.unwrap();
    for number in 0..CONSOLE_SESSIONS_OF_KEY_MAX {
        open(&acme, &format!("local {number}"), None, at(number)).await;
        open(&acme, &format!("key {number}"), Some(&key.id), at(number)).await;
    }
    assert!(find(&acme, "key 0").await.is_some());
    open(&acme, "key last", Some(&key.id), at(CONSOLE_SESSIONS_OF_KEY_MAX)).await;
    for (hash, is_open) in [("key 0", false), ("key 1", true), ("key last", true), ("local 0", true)] {
        assert_eq!(find(&acme, hash).await.is_some(), is_open, "{hash}");
    }
    open(&acme, "local last", None, at(CONSOLE_SESSIONS_OF_KEY_MAX)).await;
    assert!(find(&acme, "local 0").await.is_none() && find(&acme, "local last").await.is_some());
}
