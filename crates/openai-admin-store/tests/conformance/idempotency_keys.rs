use openai_admin::operations::{CreateGroup, CreateUser};
use openai_admin_store::{
    Error, IDEMPOTENCY_KEPT_SECONDS, IDEMPOTENCY_KEYS_MAX, IdempotencyKey, Result, Stamp,
};
use serde_json::json;

use crate::{
    support::{Database, NOW, assert_refused, conformance},
    tenant::{Tenant, group_name},
};

conformance! {
    also in_memory:
    another_request_under_the_same_key_is_refused,
    concurrent_creations_under_one_key_are_made_once,
    a_key_belongs_to_its_organization,
    [but not:
        a_creation_under_the_same_key_is_made_once_and_gets_the_same_answer,
        a_refused_creation_stores_no_key,
        a_key_expires_after_24_hours,
        answers_expire_after_24_hours_even_without_creations,
        an_organization_stores_a_limited_number_of_answers,
        a_retried_creation_of_a_deleted_resource_is_refused_and_its_answer_erased,
        the_answer_survives_a_restart,
    ]
}

fn key(key: &str, request: &str) -> Option<IdempotencyKey> {
    Some(IdempotencyKey { key: key.to_owned(), request: request.to_owned() })
}

/// Creates a group with this name under a key. The name is the request.
async fn create(acme: &Tenant, stamp: Stamp, under: &str, name: &str) -> Result<String> {
    let stamp = stamp.once(key(under, name));
    let created = acme.store().change(acme.org(), stamp, CreateGroup::new(group_name(name))).await;
    created.map(|group| serde_json::to_string(&group).unwrap())
}

async fn create_now(acme: &Tenant, under: &str, name: &str) -> Result<String> {
    create(acme, acme.database.stamp(), under, name).await
}

async fn create_user(acme: &Tenant, under: &str, email: &str) -> Result<String> {
    let body = serde_json::from_value(json!({ "name": "Ada", "email": email })).unwrap();
    let stamp = acme.database.stamp().once(key(under, email));
    let created = acme.store().change(acme.org(), stamp, CreateUser::new(body)).await;
    created.map(|user| serde_json::to_string(&user).unwrap())
}

async fn group_names(acme: &Tenant) -> Vec<String> {
    let dump = acme.dump().await;
    let groups = dump["groups"].as_array().unwrap().iter();
    groups.map(|group| group["name"].as_str().unwrap().to_owned()).collect()
}

fn keys_of(database: &Database) -> Vec<String> {
    database.texts("select key from idempotency_keys order by org, seq")
}

async fn a_creation_under_the_same_key_is_made_once_and_gets_the_same_answer(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let first = create_now(&acme, "key", "Support").await.unwrap();
    assert_eq!(create(&acme, database.stamp_at(NOW + 60), "key", "Support").await.unwrap(), first);
    let events = database.events().len();
    let user = create_user(&acme, "other", "ada@example.com").await.unwrap();
    assert_eq!(create_user(&acme, "other", "ada@example.com").await.unwrap(), user, "not: it exists");
    assert_eq!(database.events_since(events).len(), 1);
    // Without a key, or under another one, it creates another group.
    acme.create_group("Support").await.unwrap();
    assert_ne!(create_now(&acme, "another", "Support").await.unwrap(), first);
    assert_eq!(group_names(&acme).await, ["Support", "Support", "Support"]);
}

async fn another_request_under_the_same_key_is_refused(database: Database) {
    let acme = database.acme(0, json!([])).await;
    create_now(&acme, "key", "Support").await.unwrap();
    assert_refused!(create_now(&acme, "key", "Sales").await, Error::IdempotencyKeyReused);
    assert_refused!(create_user(&acme, "key", "ada@example.com").await, Error::IdempotencyKeyReused);
    assert_eq!(group_names(&acme).await, ["Support"]);
}

async fn a_refused_creation_stores_no_key(database: Database) {
    let acme = database.acme(1, json!([])).await;
    assert_refused!(create_user(&acme, "key", "user_1@example.com").await, Error::AlreadyExists { .. });
    acme.delete_user("user_1").await.unwrap();
    create_user(&acme, "key", "user_1@example.com").await.unwrap();
    assert_eq!(keys_of(&database), ["key"]);
}

async fn concurrent_creations_under_one_key_are_made_once(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let creations = (0..20).map(|number| {
        let acme = acme.clone();
        // Two keys, so that creations under different keys also run concurrently.
        tokio::spawn(async move { create_now(&acme, ["odd", "even"][number % 2], "Support").await.unwrap() })
    });
    let created = futures_util::future::join_all(creations).await;
    let mut created: Vec<String> = created.into_iter().map(|created| created.unwrap()).collect();
    created.sort_unstable();
    created.dedup();
    assert_eq!(created.len(), 2, "{created:?}");
    assert_eq!(group_names(&acme).await, ["Support", "Support"]);
}

async fn a_key_belongs_to_its_organization(database: Database) {
    let acme = database.acme(1, json!([])).await;
    let other = database.tenant("org-other", 1, json!([])).await;
    create_now(&acme, "key", "Support").await.unwrap();
    create_now(&other, "key", "Sales").await.unwrap();
    assert_eq!(
        (group_names(&acme).await, group_names(&other).await),
        (vec!["Support".into()], vec!["Sales".into()])
    );
}

async fn a_key_expires_after_24_hours(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let day = u64::try_from(IDEMPOTENCY_KEPT_SECONDS).unwrap();
    let first = create_now(&acme, "key", "Support").await.unwrap();
    let last_second = database.stamp_at(NOW + day - 1);
    assert_eq!(create(&acme, last_second, "key", "Support").await.unwrap(), first);
    let second = create(&acme, database.stamp_at(NOW + day), "key", "Support").await.unwrap();
    assert_ne!(second, first);
    create(&acme, database.stamp_at(NOW + 2 * day), "other", "Support").await.unwrap();
    assert_eq!(keys_of(&database), ["other"], "a creation also deletes expired keys");
}

async fn an_organization_stores_a_limited_number_of_answers(database: Database) {
    let acme = database.acme(0, json!([])).await;
    // All but three, without the store.
    database.execute(&format!(
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < {IDEMPOTENCY_KEYS_MAX} - 3)
         insert into idempotency_keys (org, key, seq, request, recorded_at) select 1, 'key_' || i, i, '', {NOW} from n"
    ));
    for number in 0..6 {
        create_now(&acme, &format!("new_{number}"), "Support").await.unwrap();
    }
    let count = database.texts("select cast(count(*) as text) from idempotency_keys");
    assert_eq!(count, [IDEMPOTENCY_KEYS_MAX.to_string()]);
    assert_eq!(keys_of(&database)[..2], ["key_4", "key_5"]);
}

async fn a_retried_creation_of_a_deleted_resource_is_refused_and_its_answer_erased(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let group = create_now(&acme, "group", "Secret plans").await.unwrap();
    let user = create_user(&acme, "user", "ada@example.com").await.unwrap();
    let id = |created: &str| -> String {
        serde_json::from_str::<serde_json::Value>(created).unwrap()["id"].as_str().unwrap().to_owned()
    };
    acme.delete_group(&id(&group)).await.unwrap();
    acme.delete_user(&id(&user)).await.unwrap();
    assert_eq!(database.texts("select key from idempotency_keys where answer is not null"), [""; 0]);
    assert_refused!(create_now(&acme, "group", "Secret plans").await, Error::IdempotentAnswerDeleted);
    assert_refused!(create_user(&acme, "user", "ada@example.com").await, Error::IdempotentAnswerDeleted);
    assert_refused!(create_user(&acme, "user", "bob@example.com").await, Error::IdempotencyKeyReused);
    assert_eq!(group_names(&acme).await, [""; 0]);
}

async fn the_answer_survives_a_restart(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let first = create_now(&acme, "key", "Support").await.unwrap();
    acme.store().close().await;
    let again = acme.opened_again().await;
    assert_eq!(create_now(&again, "key", "Support").await.unwrap(), first);
    again.store().close().await;
}

async fn answers_expire_after_24_hours_even_without_creations(database: Database) {
    let acme = database.acme(0, json!([])).await;
    create_user(&acme, "1", "eve@example.com").await.unwrap();
    let day = i64::try_from(NOW).unwrap() + IDEMPOTENCY_KEPT_SECONDS;
    let at = openai_admin::Timestamp::from_unix_seconds;
    acme.store().delete_expired_answers(at(day - 1)).await.unwrap();
    assert_eq!(keys_of(&database), ["1"]);
    acme.store().delete_expired_answers(at(day)).await.unwrap();
    assert_eq!(keys_of(&database), Vec::<String>::new());

    // Using a key and starting a server delete them too.
    create_user(&acme, "2", "ada@example.com").await.unwrap();
    acme.store().touch_api_key("any".to_owned(), at(day)).await.unwrap();
    assert_eq!(keys_of(&database), Vec::<String>::new());
    create_user(&acme, "3", "mae@example.com").await.unwrap();
    let again = acme.opened_again().await;
    again.store().open_organization(database.stamp_at(day as u64), None).await.unwrap();
    assert_eq!(keys_of(&database), Vec::<String>::new());
    again.store().close().await;
}
