use openai_admin::Timestamp;
use openai_admin_store::{ApiKey, Error, Kind, NewApiKey, RotatedApiKey};
use serde_json::json;

use crate::{
    support::{Database, NOW, assert_refused, conformance},
    tenant::Tenant,
};

conformance! {
    also in_memory:
    a_created_key_is_found_by_its_hash,
    an_unknown_hash_finds_nothing,
    a_revoked_key_is_neither_found_nor_listed,
    revoking_a_key_twice_reports_not_found,
    an_expired_key_is_found_with_its_expiry,
    the_last_use_of_a_key_is_kept,
    keys_are_listed_oldest_first,
    a_revoked_key_stays_revoked,
    the_bootstrap_key_is_found_like_any_other,
    another_bootstrap_key_replaces_the_first,
    a_revoked_key_does_not_become_valid_again,
    an_expired_key_does_not_become_valid_again,
    the_key_of_another_organization_cannot_become_the_bootstrap_key,
    rotating_a_key_does_not_extend_its_expiry,
    a_replaced_and_rotated_bootstrap_key_stays_valid_until_its_overlap_ends,
    only_a_valid_key_is_rotated,
    every_change_of_keys_is_counted,
    [but not:
        a_key_cannot_be_stored_twice,
        the_same_bootstrap_key_again_changes_nothing,
        a_bootstrap_key_gets_the_scopes_of_this_version,
        a_replaced_bootstrap_key_can_be_restored,
        a_known_key_as_bootstrap_key_stays_unchanged,
        each_change_of_a_key_records_one_event,
        a_rotated_key_and_its_successor_are_both_valid_during_the_overlap,
        a_refused_rotation_changes_nothing,
    ]
}

pub(crate) fn key(letter: char) -> NewApiKey {
    NewApiKey {
        hash: letter.to_string().repeat(64),
        redacted: format!("sk-admin-…{letter}"),
        name: format!("Key {letter}"),
        scopes: vec!["api.groups.read".to_owned(), "api.groups.write".to_owned()],
        expires_at: None,
    }
}

pub(crate) async fn create(acme: &Tenant, new: NewApiKey) -> openai_admin_store::Result<ApiKey> {
    acme.store().create_api_key(acme.org(), acme.database.stamp(), new).await
}

async fn set_bootstrap(acme: &Tenant, new: NewApiKey) -> openai_admin_store::Result<ApiKey> {
    acme.store().set_bootstrap_api_key(acme.org(), acme.database.stamp(), new).await
}

async fn revoke(acme: &Tenant, id: &str) -> openai_admin_store::Result<()> {
    acme.store().revoke_api_key(acme.org(), acme.database.stamp(), id.to_owned()).await
}

async fn find(acme: &Tenant, letter: char) -> Option<ApiKey> {
    acme.store().find_api_key(letter.to_string().repeat(64)).await.unwrap()
}

async fn listed(acme: &Tenant) -> Vec<String> {
    let keys = acme.store().list_api_keys(acme.org()).await.unwrap();
    keys.into_iter().map(|key| key.name).collect()
}

async fn a_created_key_is_found_by_its_hash(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let created = create(&acme, key('a')).await.unwrap();
    assert!(created.id.starts_with("key_"));
    assert_eq!(created.org, acme.org());
    assert_eq!(created.scopes, ["api.groups.read", "api.groups.write"]);
    assert_eq!(find(&acme, 'a').await, Some(created));
}

async fn an_unknown_hash_finds_nothing(database: Database) {
    let acme = database.acme(0, json!([])).await;
    create(&acme, key('a')).await.unwrap();
    assert_eq!(find(&acme, 'A').await, None);
    assert_eq!(find(&acme, 'b').await, None);
}

async fn a_revoked_key_is_neither_found_nor_listed(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let id = create(&acme, key('a')).await.unwrap().id;
    create(&acme, key('b')).await.unwrap();
    revoke(&acme, &id).await.unwrap();
    assert_eq!(find(&acme, 'a').await, None);
    assert_eq!(listed(&acme).await, ["Key b"]);
}

async fn revoking_a_key_twice_reports_not_found(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let key_id = create(&acme, key('a')).await.unwrap().id;
    revoke(&acme, &key_id).await.unwrap();
    assert_refused!(revoke(&acme, &key_id).await, Error::NotFound { kind: Kind::ApiKey, id } if id == key_id);
    assert_refused!(revoke(&acme, "key_none").await, Error::NotFound { kind: Kind::ApiKey, .. });
}

async fn an_expired_key_is_found_with_its_expiry(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let expired = NewApiKey { expires_at: Some(Timestamp::from_unix_seconds(1)), ..key('a') };
    create(&acme, expired).await.unwrap();
    let found = find(&acme, 'a').await.unwrap();
    assert_eq!(found.expires_at, Some(Timestamp::from_unix_seconds(1)), "the caller checks the expiry");
}

async fn the_last_use_of_a_key_is_kept(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let created = create(&acme, key('a')).await.unwrap();
    assert_eq!(created.last_used_at, None);
    let at = Timestamp::from_unix_seconds(1_750_000_060);
    acme.store().touch_api_key("a".repeat(64), at).await.unwrap();
    let mut expected = created;
    expected.last_used_at = Some(at);
    assert_eq!(find(&acme, 'a').await, Some(expected));
    acme.store().touch_api_key("b".repeat(64), at).await.unwrap();
}

async fn keys_are_listed_oldest_first(database: Database) {
    let acme = database.acme(0, json!([])).await;
    for letter in ['c', 'a', 'b'] {
        create(&acme, key(letter)).await.unwrap();
    }
    assert_eq!(listed(&acme).await, ["Key c", "Key a", "Key b"], "also within one second");
}

async fn a_key_cannot_be_stored_twice(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let other = database.tenant("org-other", 0, json!([])).await;
    create(&acme, key('a')).await.unwrap();
    let before = database.events();
    for tenant in [&acme, &other] {
        let again = create(tenant, key('a')).await;
        assert_refused!(
            again,
            Error::AlreadyExists { kind: Kind::ApiKey, field: "value", value } if value == "sk-admin-…a"
        );
    }
    assert_eq!(database.events(), before);
}

async fn a_revoked_key_stays_revoked(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let id = create(&acme, key('a')).await.unwrap().id;
    revoke(&acme, &id).await.unwrap();
    assert_refused!(create(&acme, key('a')).await, Error::AlreadyExists { kind: Kind::ApiKey, .. });
    assert_eq!(find(&acme, 'a').await, None);
}

async fn the_bootstrap_key_is_found_like_any_other(database: Database) {
    let acme = database.acme(0, json!([])).await;
    set_bootstrap(&acme, key('a')).await.unwrap();
    let found = find(&acme, 'a').await.unwrap();
    assert_eq!((found.id.as_str(), found.org), ("key_bootstrap", acme.org()));
    assert_eq!(listed(&acme).await, ["Key a"]);
}

async fn the_same_bootstrap_key_again_changes_nothing(database: Database) {
    let acme = database.acme(0, json!([])).await;
    set_bootstrap(&acme, key('a')).await.unwrap();
    let before = (find(&acme, 'a').await, database.events());
    set_bootstrap(&acme, key('a')).await.unwrap();
    assert_eq!((find(&acme, 'a').await, database.events()), before);
}

async fn another_bootstrap_key_replaces_the_first(database: Database) {
    let acme = database.acme(0, json!([])).await;
    create(&acme, key('m')).await.unwrap();
    set_bootstrap(&acme, key('a')).await.unwrap();
    set_bootstrap(&acme, key('b')).await.unwrap();
    assert_eq!(find(&acme, 'a').await, None);
    assert_eq!(find(&acme, 'b').await.unwrap().id, "key_bootstrap");
    assert_eq!(listed(&acme).await.len(), 2, "a generated key stays");
}

async fn a_replaced_bootstrap_key_can_be_restored(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let before = database.events().len();
    for letter in ['a', 'b', 'a'] {
        assert_eq!(set_bootstrap(&acme, key(letter)).await.unwrap().id, "key_bootstrap");
    }
    assert_eq!(listed(&acme).await, ["Key a"]);
    let (created, revoked) = ("api_key.created key_bootstrap", "api_key.deleted key_bootstrap");
    assert_eq!(database.events_since(before), [created, revoked, created, revoked, created]);
}

async fn a_known_key_as_bootstrap_key_stays_unchanged(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let expires_at = Some(Timestamp::from_unix_seconds(NOW as i64 + 1));
    let minted = NewApiKey { name: "ci".to_owned(), scopes: vec!["one".to_owned()], expires_at, ..key('a') };
    let minted = create(&acme, minted).await.unwrap();
    set_bootstrap(&acme, key('b')).await.unwrap();
    let before = database.events().len();
    assert_eq!(set_bootstrap(&acme, key('a')).await.unwrap(), minted);
    assert_eq!(find(&acme, 'a').await, Some(minted));
    assert_eq!(listed(&acme).await, ["ci"], "it replaced the previous bootstrap key");
    assert_eq!(database.events_since(before), ["api_key.deleted key_bootstrap"]);
    set_bootstrap(&acme, key('a')).await.unwrap();
    assert_eq!(database.events().len(), before + 1, "the second time nothing changes");
}

async fn a_revoked_key_does_not_become_valid_again(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let minted = create(&acme, key('a')).await.unwrap().id;
    revoke(&acme, &minted).await.unwrap();
    set_bootstrap(&acme, key('b')).await.unwrap();
    revoke(&acme, "key_bootstrap").await.unwrap();
    set_bootstrap(&acme, key('c')).await.unwrap();
    for (letter, name) in [('a', "Key a"), ('b', "Key b")] {
        assert_refused!(
            set_bootstrap(&acme, key(letter)).await,
            Error::InvalidValue { field, expected }
                if field == "key" && expected.contains(name) && expected.contains("revoked")
        );
        assert_eq!(find(&acme, letter).await, None);
    }
    assert_eq!(listed(&acme).await, ["Key c"], "the previous key is still valid");
}

async fn an_expired_key_does_not_become_valid_again(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let expires_at = Some(Timestamp::from_unix_seconds(NOW as i64));
    create(&acme, NewApiKey { expires_at, ..key('a') }).await.unwrap();
    assert_refused!(
        set_bootstrap(&acme, key('a')).await,
        Error::InvalidValue { expected, .. } if expected.contains("'Key a'") && expected.contains("expired")
    );
    assert_eq!(find(&acme, 'a').await.unwrap().expires_at, expires_at);
}

async fn the_key_of_another_organization_cannot_become_the_bootstrap_key(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let other = database.tenant("org-other", 0, json!([])).await;
    create(&other, key('a')).await.unwrap();
    set_bootstrap(&acme, key('b')).await.unwrap();
    let refused = set_bootstrap(&acme, key('a')).await;
    assert_refused!(refused, Error::AlreadyExists { kind: Kind::ApiKey, field: "value", .. });
    assert_eq!(find(&acme, 'a').await.unwrap().org, other.org());
    assert_eq!(listed(&acme).await, ["Key b"], "the previous key is still valid");
}

async fn each_change_of_a_key_records_one_event(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let before = database.events().len();
    let id = create(&acme, key('a')).await.unwrap().id;
    set_bootstrap(&acme, key('b')).await.unwrap();
    revoke(&acme, &id).await.unwrap();
    let expected = [
        format!("api_key.created {id}"),
        "api_key.created key_bootstrap".to_owned(),
        format!("api_key.deleted {id}"),
    ];
    assert_eq!(database.events_since(before), expected);
}

async fn rotate(
    acme: &Tenant,
    id: &str,
    new: NewApiKey,
    at: u64,
) -> openai_admin_store::Result<RotatedApiKey> {
    let stamp = acme.database.stamp();
    acme.store().rotate_api_key(acme.org(), stamp, id.to_owned(), new, timestamp(at)).await
}

fn timestamp(unix_seconds: u64) -> Timestamp {
    Timestamp::from_unix_seconds(unix_seconds as i64)
}

async fn a_rotated_key_and_its_successor_are_both_valid_during_the_overlap(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let old = create(&acme, key('a')).await.unwrap();
    let before = database.events().len();
    let new = NewApiKey { name: "ignored".to_owned(), scopes: Vec::new(), ..key('b') };
    let rotated = rotate(&acme, &old.id, new, NOW + 60).await.unwrap();
    let mut expected = old.clone();
    expected.expires_at = Some(timestamp(NOW + 60));
    assert_eq!(rotated.old, expected);
    assert_eq!((&rotated.new.name, &rotated.new.scopes), (&old.name, &old.scopes));
    assert_eq!(rotated.new.expires_at, None);
    assert_eq!(find(&acme, 'a').await, Some(rotated.old));
    assert_eq!(find(&acme, 'b').await, Some(rotated.new.clone()));
    let expected = [format!("api_key.created {}", rotated.new.id), format!("api_key.updated {}", old.id)];
    assert_eq!(database.events_since(before), expected);
}

async fn a_replaced_and_rotated_bootstrap_key_stays_valid_until_its_overlap_ends(database: Database) {
    let acme = database.acme(0, json!([])).await;
    set_bootstrap(&acme, key('a')).await.unwrap();
    let rotated = rotate(&acme, "key_bootstrap", key('b'), NOW + 60).await.unwrap();
    // A server starts with the new key, and later with one that another operator has set.
    assert_eq!(set_bootstrap(&acme, key('b')).await.unwrap(), rotated.new);
    assert_eq!(find(&acme, 'a').await.unwrap().expires_at, Some(timestamp(NOW + 60)));
    assert_eq!(set_bootstrap(&acme, key('c')).await.unwrap().id, "key_bootstrap");
    assert_eq!(find(&acme, 'a').await.unwrap().expires_at, Some(timestamp(NOW + 60)));
    assert_eq!(listed(&acme).await.len(), 3);
}

async fn rotating_a_key_does_not_extend_its_expiry(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let short = NewApiKey { expires_at: Some(timestamp(NOW + 10)), ..key('a') };
    let id = create(&acme, short).await.unwrap().id;
    let new = NewApiKey { expires_at: Some(timestamp(NOW + 99)), ..key('b') };
    let rotated = rotate(&acme, &id, new, NOW + 60).await.unwrap();
    assert_eq!(rotated.old.expires_at, Some(timestamp(NOW + 10)));
    assert_eq!(rotated.new.expires_at, Some(timestamp(NOW + 99)));
}

async fn only_a_valid_key_is_rotated(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let other = database.tenant("org-other", 0, json!([])).await;
    let expired = NewApiKey { expires_at: Some(timestamp(NOW)), ..key('a') };
    let expired = create(&acme, expired).await.unwrap().id;
    let revoked = create(&acme, key('b')).await.unwrap().id;
    revoke(&acme, &revoked).await.unwrap();
    let others = create(&other, key('c')).await.unwrap().id;
    assert_refused!(
        rotate(&acme, &expired, key('d'), NOW + 60).await,
        Error::InvalidValue { field, expected } if field == "key" && expected.contains("expired")
    );
    for id in [&revoked, &others, "key_none"] {
        let refused = rotate(&acme, id, key('d'), NOW + 60).await;
        assert_refused!(refused, Error::NotFound { kind: Kind::ApiKey, .. });
    }
    assert_eq!(find(&acme, 'd').await, None);
}

async fn a_refused_rotation_changes_nothing(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let old = create(&acme, key('a')).await.unwrap();
    let before = database.events().len();
    let refused = rotate(&acme, &old.id, key('a'), NOW + 60).await;
    assert_refused!(refused, Error::AlreadyExists { kind: Kind::ApiKey, .. });
    assert_eq!(find(&acme, 'a').await, Some(old));
    assert_eq!(database.events().len(), before);
}

async fn every_change_of_keys_is_counted(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let mut versions = vec![acme.store().api_keys_version()];
    let id = create(&acme, key('a')).await.unwrap().id;
    versions.push(acme.store().api_keys_version());
    rotate(&acme, &id, key('b'), NOW + 60).await.unwrap();
    versions.push(acme.store().api_keys_version());
    set_bootstrap(&acme, key('c')).await.unwrap();
    versions.push(acme.store().api_keys_version());
    revoke(&acme, &id).await.unwrap();
    versions.push(acme.store().api_keys_version());
    assert!(versions.is_sorted_by(|one, next| one < next), "{versions:?}");
}

async fn a_bootstrap_key_gets_the_scopes_of_this_version(database: Database) {
    let acme = database.acme(0, json!([])).await;
    set_bootstrap(&acme, key('a')).await.unwrap();
    let before = database.events().len();
    let more = NewApiKey { scopes: vec!["api.roles.read".to_owned()], ..key('a') };
    assert_eq!(set_bootstrap(&acme, more.clone()).await.unwrap().scopes, ["api.roles.read"]);
    assert_eq!(find(&acme, 'a').await.unwrap().scopes, ["api.roles.read"]);
    assert_eq!(database.events_since(before), ["api_key.updated key_bootstrap"]);
    set_bootstrap(&acme, more).await.unwrap();
    assert_eq!(database.events().len(), before + 1, "a second call changes nothing");
}
