use openai_admin::{NamedKind, models::LookUpNamesBody, operations::LookUpNames};
use openai_admin_store::Error;
use serde_json::json;

use crate::{
    api_keys::{create, key},
    support::{Database, assert_refused, conformance},
    tenant::Tenant,
};

conformance! {
    also in_memory:
    names_of_several_kinds_are_looked_up_at_once,
    a_deleted_resource_has_no_name_and_a_revoked_key_keeps_its_name,
    names_of_another_organization_are_unknown,
    a_user_without_a_name_is_named_by_the_address,
    an_id_with_a_nul_names_nothing,
    the_number_of_ids_is_bounded,
}

/// The kinds and names, sorted.
async fn names(tenant: &Tenant, ids: &[&str]) -> Vec<(NamedKind, String)> {
    let ids = ids.iter().map(|id| (*id).to_owned()).collect();
    let found = tenant.read(LookUpNames::new(LookUpNamesBody::new(ids))).await.unwrap();
    let mut names: Vec<_> = found.data.into_iter().map(|named| (named.kind, named.name)).collect();
    names.sort_by(|one, other| one.1.cmp(&other.1));
    names
}

async fn names_of_several_kinds_are_looked_up_at_once(database: Database) {
    let acme = database.acme(2, json!([{ "id": "group_1", "name": "Ã \"quoted\" group" }])).await;
    let key = create(&acme, key('a')).await.unwrap();
    let user = names(&acme, &["user_1"]).await.remove(0);
    assert_eq!(user.0, NamedKind::User);
    let ids =
        ["user_1", "user_1", "group_1", "group_2", &key.id, "'); drop table users; --", "\0", "group_1\0"];
    let mut expected =
        vec![user, (NamedKind::Group, "Ã \"quoted\" group".to_owned()), (NamedKind::AdminApiKey, key.name)];
    expected.sort_by(|one, other| one.1.cmp(&other.1));
    assert_eq!(names(&acme, &ids).await, expected);
}

async fn a_deleted_resource_has_no_name_and_a_revoked_key_keeps_its_name(database: Database) {
    let acme = database.acme(1, json!([{ "id": "group_1", "name": "One" }])).await;
    acme.delete_user("user_1").await.unwrap();
    acme.delete_group("group_1").await.unwrap();
    let key = create(&acme, key('a')).await.unwrap();
    acme.store().revoke_api_key(acme.org(), acme.database.stamp(), key.id.clone()).await.unwrap();
    let expected = [(NamedKind::AdminApiKey, key.name)];
    assert_eq!(names(&acme, &["user_1", "group_1", &key.id]).await, expected);
}

async fn names_of_another_organization_are_unknown(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let _other = database.tenant("org-other", 0, json!([{ "id": "group_1", "name": "One" }])).await;
    assert_eq!(names(&acme, &["group_1"]).await, []);
}

async fn a_user_without_a_name_is_named_by_the_address(database: Database) {
    let user = json!({ "id": "user_1", "name": "", "email": "ada@example.com" });
    let directory = json!({ "organization": { "id": "org-acme" }, "users": [user], "groups": [] });
    let loaded = database.store.load(database.stamp(), serde_json::from_value(directory).unwrap()).await;
    let acme = Tenant { organization: loaded.unwrap().organization, database };
    assert_eq!(names(&acme, &["user_1"]).await, [(NamedKind::User, "ada@example.com".to_owned())]);
}

async fn an_id_with_a_nul_names_nothing(database: Database) {
    let acme = database.acme(1, json!([])).await;
    assert_eq!(names(&acme, &["\0", "user_1\0"]).await, []);
}

async fn the_number_of_ids_is_bounded(database: Database) {
    let acme = database.acme(0, json!([])).await;
    for number in [0, 1001] {
        let ids = vec!["user_1".to_owned(); number];
        let refused = acme.read(LookUpNames::new(LookUpNamesBody::new(ids))).await;
        assert_refused!(refused, Error::InvalidValue { .. });
    }
}
