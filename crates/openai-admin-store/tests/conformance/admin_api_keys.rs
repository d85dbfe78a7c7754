//! Admin API keys: the API shows the keys that authenticate requests.

use openai_admin::{
    Cursor, Limit, Order, Timestamp,
    models::{AdminApiKey, AdminApiKeyCreateResponse, AdminApiKeyListResponse},
    operations::{CreateAdminApiKey, DeleteAdminApiKey, ListAdminApiKeys, RetrieveAdminApiKey},
};
use openai_admin_store::{Error, IdempotencyKey, Kind, NewApiKey, Refusal, Result, Secret, Stamp};
use serde_json::{Value as Json, json};

use crate::{
    api_keys,
    support::{Database, NOW, assert_refused, conformance},
    tenant::Tenant,
};

conformance! {
    a_created_key_has_the_scopes_of_its_creator_and_is_found_by_its_hash,
    keys_of_the_command_line_are_listed_and_retrieved,
    keys_are_paged_in_both_orders,
    a_deleted_key_is_neither_found_nor_listed,
    a_deletion_makes_caches_of_keys_stale,
    a_key_may_delete_itself,
    an_invalid_key_creates_no_key,
    the_owner_of_a_key_is_the_oldest_owner_of_the_organization,
    a_retried_creation_does_not_show_its_key_again,
    keys_of_another_organization_are_unknown,
    each_change_of_a_key_through_the_api_records_one_event,
}

/// Makes a change that returns a secret. Its value is unique to this change.
fn stamp(acme: &Tenant) -> Stamp {
    let stamp = acme.database.stamp();
    let (value, hash) = (format!("sk-admin-{}", stamp.change), format!("hash of {}", stamp.change));
    let secret = Secret { value: value.into(), hash, redacted: "sk-adm".to_owned() };
    stamp.with_secret(secret).with_scopes(vec!["api.management.write".to_owned()])
}

fn request(body: Json) -> CreateAdminApiKey {
    CreateAdminApiKey::new(serde_json::from_value(body).unwrap())
}

pub(crate) async fn create(acme: &Tenant, name: &str) -> Result<AdminApiKeyCreateResponse> {
    acme.store().change(acme.org(), stamp(acme), request(json!({ "name": name }))).await
}

async fn list(acme: &Tenant) -> AdminApiKeyListResponse {
    acme.read(ListAdminApiKeys::new()).await.unwrap()
}

async fn retrieve(acme: &Tenant, id: &str) -> Result<AdminApiKey> {
    acme.read(RetrieveAdminApiKey::new(id.parse().unwrap())).await
}

pub(crate) async fn delete(acme: &Tenant, id: &str) -> Result<()> {
    acme.change(DeleteAdminApiKey::new(id.parse().unwrap())).await.map(drop)
}

async fn a_created_key_has_the_scopes_of_its_creator_and_is_found_by_its_hash(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let stamp = stamp(&acme);
    let secret = stamp.secret.clone().unwrap();
    let body = json!({ "name": "Nightly", "expires_in_seconds": 60 });
    let created = acme.store().change(acme.org(), stamp, request(body)).await.unwrap();
    assert_eq!((&created.value, &created.redacted_value), (&secret.value, &secret.redacted));
    assert!(!format!("{created:?}").contains(secret.value.as_str()));
    let found = acme.store().find_api_key(secret.hash).await.unwrap().unwrap();
    assert_eq!((found.id.as_str(), found.name.as_str()), (created.id.as_str(), "Nightly"));
    assert_eq!(found.scopes, ["api.management.write"]);
    let expires_at = Timestamp::from_unix_seconds(i64::try_from(NOW).unwrap() + 60);
    assert_eq!((found.expires_at, created.expires_at), (Some(expires_at), Some(expires_at)));
    assert_eq!(retrieve(&acme, created.id.as_str()).await.unwrap().expires_at, Some(expires_at));
}

async fn keys_of_the_command_line_are_listed_and_retrieved(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let key = api_keys::create(&acme, api_keys::key('a')).await.unwrap();
    let used_at = Timestamp::from_unix_seconds(7);
    acme.store().touch_api_key("a".repeat(64), used_at).await.unwrap();
    let listed = list(&acme).await.data;
    let [listed] = &*listed else { panic!("{listed:?}") };
    assert_eq!((listed.id.as_str(), listed.name.as_deref()), (key.id.as_str(), Some("Key a")));
    assert_eq!((&listed.redacted_value, listed.last_used_at), (&key.redacted_value, Some(used_at)));
    assert_eq!(&retrieve(&acme, &key.id).await.unwrap(), listed);
}

async fn keys_are_paged_in_both_orders(database: Database) {
    let acme = database.acme(0, json!([])).await;
    for name in ["a", "b", "c", "d", "e"] {
        create(&acme, name).await.unwrap();
    }
    for (order, expected) in [(Order::Asc, "abcde"), (Order::Desc, "edcba")] {
        let mut request = ListAdminApiKeys::new();
        (request.order, request.limit) = (Some(order), Some(Limit::new(2).unwrap()));
        let mut names = String::new();
        loop {
            let page = acme.read(request.clone()).await.unwrap();
            names.extend(page.data.iter().filter_map(|key| key.name.as_deref()));
            request.after = page.data.last().map(|key| Cursor::from(&key.id));
            if !page.has_more {
                break;
            }
        }
        assert_eq!(names, expected);
    }
}

async fn a_deleted_key_is_neither_found_nor_listed(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let stamp = stamp(&acme);
    let hash = stamp.secret.clone().unwrap().hash;
    let created = acme.store().change(acme.org(), stamp, request(json!({ "name": "a" }))).await.unwrap();
    let other = create(&acme, "b").await.unwrap();
    delete(&acme, created.id.as_str()).await.unwrap();
    assert_eq!(acme.store().find_api_key(hash).await.unwrap(), None);
    let unknown = retrieve(&acme, created.id.as_str()).await;
    assert_refused!(unknown, Error::NotFound { kind: Kind::ApiKey, .. });
    let again = delete(&acme, created.id.as_str()).await;
    assert_refused!(again, Error::NotFound { kind: Kind::ApiKey, .. });
    let mut after_deleted = ListAdminApiKeys::new();
    after_deleted.after = Some(Cursor::from(&created.id));
    for request in [ListAdminApiKeys::new(), after_deleted] {
        let page = acme.read(request).await.unwrap().data;
        assert_eq!(page.iter().map(|key| &key.id).collect::<Vec<_>>(), [&other.id]);
    }
}

async fn a_deletion_makes_caches_of_keys_stale(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let created = create(&acme, "a").await.unwrap();
    let before = acme.store().api_keys_version();
    delete(&acme, created.id.as_str()).await.unwrap();
    assert!(acme.store().api_keys_version() > before);
}

async fn a_key_may_delete_itself(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let id = create(&acme, "a").await.unwrap().id;
    let own = Stamp::new(acme.database.stamp().change, id.as_str());
    acme.store().change(acme.org(), own, DeleteAdminApiKey::new(id)).await.unwrap();
    assert!(list(&acme).await.data.is_empty());
}

async fn an_invalid_key_creates_no_key(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let revoked = create(&acme, "revoked").await.unwrap().id;
    delete(&acme, revoked.as_str()).await.unwrap();
    let expires_at = Some(acme.database.stamp().at());
    let expired = NewApiKey { expires_at, ..api_keys::key('a') };
    let expired = api_keys::create(&acme, expired).await.unwrap().id;
    let before = database.events().len();
    for actor in [revoked.as_str(), &expired] {
        let by_actor = Stamp { actor: actor.to_owned(), ..stamp(&acme) };
        let refused = acme.store().change(acme.org(), by_actor, request(json!({ "name": "new" }))).await;
        assert_refused!(refused, Error::Refused { refusal: Refusal::RevokedApiKey, .. });
    }
    assert_eq!(database.events().len(), before);
}

async fn the_owner_of_a_key_is_the_oldest_owner_of_the_organization(database: Database) {
    let acme = database.acme(3, json!([])).await;
    let id = create(&acme, "a").await.unwrap().id;
    let owner = async || retrieve(&acme, id.as_str()).await.unwrap().owner.id.map(|id| id.to_string());
    assert_eq!(owner().await, None);
    for user in ["user_3", "user_2"] {
        acme.modify_user(user, json!({ "role": "owner" })).await.unwrap();
        assert_eq!(owner().await.as_deref(), Some(user));
    }
    acme.delete_user("user_2").await.unwrap();
    assert_eq!(owner().await.as_deref(), Some("user_3"));
}

async fn a_retried_creation_does_not_show_its_key_again(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let create = async || {
        let key = IdempotencyKey { key: "once".to_owned(), request: String::new() };
        let stamp = stamp(&acme).once(Some(key));
        acme.store().change(acme.org(), stamp, request(json!({ "name": "a" }))).await
    };
    create().await.unwrap();
    assert_refused!(create().await, Error::IdempotentAnswerSecret);
    assert_eq!(list(&acme).await.data.len(), 1);
}

async fn keys_of_another_organization_are_unknown(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let other = database.tenant("org-other", 0, json!([])).await;
    let id = create(&acme, "a").await.unwrap().id;
    assert!(list(&other).await.data.is_empty());
    assert_refused!(retrieve(&other, id.as_str()).await, Error::NotFound { kind: Kind::ApiKey, .. });
    assert_refused!(delete(&other, id.as_str()).await, Error::NotFound { kind: Kind::ApiKey, .. });
}

async fn each_change_of_a_key_through_the_api_records_one_event(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let before = database.events().len();
    let id = create(&acme, "a").await.unwrap().id;
    delete(&acme, id.as_str()).await.unwrap();
    let expected = [format!("api_key.created {id}"), format!("api_key.deleted {id}")];
    assert_eq!(database.events_since(before), expected);
}
