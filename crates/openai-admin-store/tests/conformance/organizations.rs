use openai_admin_store::{Error, Kind, NewApiKey};
use serde_json::json;

use crate::{
    support::{Database, assert_refused, conformance, user_ids},
    tenant::{Part, Tenant, ids},
};

conformance! {
    also in_memory:
    the_only_organization_needs_no_id,
    one_of_several_organizations_needs_an_id,
    an_unknown_organization_is_not_found,
    opening_an_unknown_organization_does_not_create_it,
    an_empty_database_opened_many_times_at_once_gets_one_organization,
    organizations_are_listed_oldest_first,
    two_organizations_with_the_same_ids_never_see_each_other,
    an_email_is_taken_in_one_organization_only,
    the_ids_of_one_organization_are_unknown_in_another,
    [but not:
        an_empty_database_opens_with_a_new_organization,
        opening_again_finds_the_same_organization,
    ]
}

async fn an_empty_database_opens_with_a_new_organization(database: Database) {
    assert_eq!(database.store.organizations().await.unwrap(), []);
    let opened = database.store.open_organization(database.stamp(), None).await.unwrap();
    assert!(opened.id.as_str().starts_with("org-"));
    assert_eq!(database.store.organizations().await.unwrap(), [opened]);
    assert_eq!(database.events().len(), 1);
}

async fn opening_again_finds_the_same_organization(database: Database) {
    let opened = database.store.open_organization(database.stamp(), None).await.unwrap();
    assert_eq!(database.store.open_organization(database.stamp(), None).await.unwrap(), opened);
    let by_id = database.store.open_organization(database.stamp(), Some(opened.id.clone())).await;
    assert_eq!(by_id.unwrap(), opened);
    assert_eq!(database.events().len(), 1, "only the first has changed anything");
}

async fn the_only_organization_needs_no_id(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let opened = database.store.open_organization(database.stamp(), None).await.unwrap();
    assert_eq!(opened, acme.organization);
}

async fn one_of_several_organizations_needs_an_id(database: Database) {
    let one = database.tenant("org-one", 0, json!([])).await;
    database.tenant("org-two", 0, json!([])).await;
    assert_refused!(
        database.store.open_organization(database.stamp(), None).await,
        Error::InvalidValue { field, expected }
            if field == "organization" && expected.contains("org-one, org-two")
    );
    let by_id = database.store.open_organization(database.stamp(), Some("org-one".parse().unwrap())).await;
    assert_eq!(by_id.unwrap(), one.organization);
    let directory = serde_json::from_value(json!({ "users": [] })).unwrap();
    let loaded = database.store.load(database.stamp(), directory).await;
    assert_refused!(loaded, Error::InvalidValue { field, .. } if field == "organization");
}

async fn an_unknown_organization_is_not_found(database: Database) {
    database.acme(0, json!([])).await;
    let id = Some("org-none".parse().unwrap());
    assert_refused!(
        database.store.open_organization(database.stamp(), id).await,
        Error::NotFound { kind: Kind::Organization, id } if id == "org-none"
    );
}

async fn opening_an_unknown_organization_does_not_create_it(database: Database) {
    let id = Some("org-none".parse().unwrap());
    let opened = database.store.open_organization(database.stamp(), id).await;
    assert_refused!(opened, Error::NotFound { kind: Kind::Organization, .. });
    assert_eq!(database.store.organizations().await.unwrap(), []);
}

async fn an_empty_database_opened_many_times_at_once_gets_one_organization(database: Database) {
    let opened = (0..8).map(|_| {
        let database = database.clone();
        tokio::spawn(async move { database.store.open_organization(database.stamp(), None).await.unwrap() })
    });
    let opened = futures_util::future::join_all(opened).await;
    let all = database.store.organizations().await.unwrap();
    assert_eq!(all.len(), 1);
    assert!(opened.into_iter().all(|organization| organization.unwrap() == all[0]));
}

async fn organizations_are_listed_oldest_first(database: Database) {
    for id in ["org-b", "org-a", "org-c"] {
        database.tenant(id, 0, json!([])).await;
    }
    let all = database.store.organizations().await.unwrap();
    let ids: Vec<&str> = all.iter().map(|organization| organization.id.as_str()).collect();
    assert_eq!(ids, ["org-b", "org-a", "org-c"]);
}

/// Two organizations with the same ids, addresses and names.
async fn two_tenants(database: &Database) -> (Tenant, Tenant) {
    let groups = json!([
        { "id": "group_1", "name": "One", "members": ["user_1", "user_2"] },
        { "id": "group_2", "name": "Two", "members": ["user_1"] },
    ]);
    (database.tenant("org-one", 3, groups.clone()).await, database.tenant("org-two", 3, groups).await)
}

async fn two_organizations_with_the_same_ids_never_see_each_other(database: Database) {
    let (one, two) = two_tenants(&database).await;
    let before = two.dump().await;

    one.rename_group("group_1", "Renamed").await.unwrap();
    for user in ["user_1", "user_3"] {
        one.modify_user(user, json!({ "role": "owner" })).await.unwrap();
    }
    one.add("group_1", "user_3").await.unwrap();
    one.remove("group_1", "user_2").await.unwrap();
    one.delete_group("group_2").await.unwrap();
    one.delete_user("user_1").await.unwrap();
    one.create_group("Another").await.unwrap();
    one.create_user(json!({ "id": "user_4", "email": null, "name": "Another" })).await.unwrap();
    assert_eq!(two.dump().await, before);

    assert_eq!(one.member_ids("group_1").await, ["user_3"]);
    assert_eq!(two.member_ids("group_1").await, user_ids(2));
    assert_eq!(ids(&two.groups(Part::new()).await.unwrap()), ["group_1", "group_2"]);
    assert_eq!(ids(&two.groups_of("user_1", Part::new()).await.unwrap()), ["group_1", "group_2"]);
    assert_eq!(ids(&two.users(20, None).await.unwrap()), user_ids(3));
    assert_eq!(ids(&two.users_with(20, None, &["user_1@example.com"]).await.unwrap()), ["user_1"]);
    assert_eq!(ids(&one.users_with(20, None, &["user_1@example.com"]).await.unwrap()), Vec::<&str>::new());
    assert_eq!(two.group("group_1").await.unwrap().name, "One");
    assert_eq!(two.member("group_1", "user_2").await.unwrap().id, "user_2");
}

async fn an_email_is_taken_in_one_organization_only(database: Database) {
    let one = database.tenant("org-one", 1, json!([])).await;
    let two = database.tenant("org-two", 0, json!([])).await;
    let body = json!({ "id": "user_9", "email": "user_1@example.com", "name": "Ada" });
    two.create_user(body.clone()).await.unwrap();
    assert_refused!(one.create_user(body).await, Error::AlreadyExists { field: "email", .. });
}

async fn the_ids_of_one_organization_are_unknown_in_another(database: Database) {
    let one = database.tenant("org-one", 1, json!([{ "id": "group_1", "name": "One" }])).await;
    let two = database.tenant("org-two", 0, json!([])).await;
    two.load(json!({ "users": [{ "id": "user_2" }], "groups": [{ "id": "group_2", "name": "Two" }] }))
        .await
        .unwrap();

    assert_refused!(two.group("group_1").await, Error::NotFound { kind: Kind::Group, .. });
    assert_refused!(two.user("user_1").await, Error::NotFound { kind: Kind::User, .. });
    assert_refused!(two.add("group_2", "user_1").await, Error::NotFound { kind: Kind::User, .. });
    assert_refused!(two.add("group_1", "user_2").await, Error::NotFound { kind: Kind::Group, .. });
    let members =
        json!({ "groups": [{ "id": "group_2", "name": "Two", "members": ["user_1@example.com"] }] });
    two.load(members).await.unwrap_err();

    let key = NewApiKey {
        hash: "a".repeat(64),
        redacted: "sk-…a".to_owned(),
        name: "one".to_owned(),
        scopes: vec![],
        expires_at: None,
    };
    let key = database.store.create_api_key(one.org(), database.stamp(), key).await.unwrap();
    assert_eq!(database.store.list_api_keys(two.org()).await.unwrap(), []);
    let revoked = database.store.revoke_api_key(two.org(), database.stamp(), key.id).await;
    assert_refused!(revoked, Error::NotFound { kind: Kind::ApiKey, .. });
    assert_eq!(database.store.list_api_keys(one.org()).await.unwrap().len(), 1);
}
