use openai_admin::{GroupType, Timestamp};
use openai_admin_store::{Error, Kind};
use serde_json::json;

use crate::{
    support::{Database, NOW, assert_refused, conformance},
    tenant::{Part, group_name, ids},
};

conformance! {
    also in_memory:
    a_created_group_is_retrieved_as_in_its_answer,
    a_created_group_gets_the_time_of_its_change,
    two_groups_may_have_one_name,
    a_generated_id_that_exists_is_a_conflict,
    a_renamed_group_keeps_everything_else,
    renaming_to_the_same_name_succeeds,
    an_unknown_group_is_not_found_by_any_operation,
    a_deleted_group_is_not_found_by_any_operation,
    deleting_a_group_twice_reports_not_found,
    deleting_a_group_deletes_its_memberships,
    groups_are_listed_oldest_first_by_default,
    groups_of_one_second_keep_the_order_of_their_creation,
    a_group_with_an_earlier_time_is_listed_where_it_was_created,
    deleted_groups_are_not_listed,
    the_groups_of_a_user_are_listed_in_both_directions,
    the_groups_of_a_user_need_a_user,
    [but not:
        deleting_a_group_records_each_removal,
        deleting_a_group_erases_its_name,
        a_scim_managed_group_refuses_every_change,
        a_tenant_group_refuses_every_change,
        each_change_of_a_group_records_one_event,
    ]
}

async fn a_generated_id_that_exists_is_a_conflict(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let stamp = database.stamp();
    let create = async || {
        let request = openai_admin::operations::CreateGroup::new(group_name("One"));
        acme.store().change(acme.org(), stamp.clone(), request).await
    };
    create().await.unwrap();
    assert_refused!(create().await, Error::Conflict);
}

async fn a_created_group_is_retrieved_as_in_its_answer(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let created = acme.create_group("Support").await.unwrap();
    assert_eq!(created.name, "Support");
    assert_eq!(created.group_type, GroupType::Group);
    assert!(!created.is_scim_managed);
    assert!(created.id.as_str().starts_with("group_"));
    assert_eq!(acme.group(created.id.as_str()).await.unwrap(), created);
    assert_eq!(acme.groups(Part::new()).await.unwrap().data, [created]);
}

async fn a_created_group_gets_the_time_of_its_change(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let request = openai_admin::operations::CreateGroup::new(group_name("Late"));
    let created = acme.store().change(acme.org(), database.stamp_at(NOW + 60), request).await.unwrap();
    assert_eq!(created.created_at.unix_seconds(), i64::try_from(NOW + 60).unwrap());
}

async fn two_groups_may_have_one_name(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let first = acme.create_group("Twins").await.unwrap();
    let second = acme.create_group("Twins").await.unwrap();
    assert_ne!(first.id, second.id);
    assert_eq!(acme.groups(Part::new()).await.unwrap().data, [first, second]);
}

async fn a_renamed_group_keeps_everything_else(database: Database) {
    let acme = database.acme(2, json!([{ "id": "group_1", "name": "Old", "members": ["user_2"] }])).await;
    let mut expected = acme.group("group_1").await.unwrap();
    acme.rename_group("group_1", "New").await.unwrap();
    expected.name = "New".to_owned();
    assert_eq!(acme.group("group_1").await.unwrap(), expected);
    assert_eq!(acme.member_ids("group_1").await, ["user_2"]);
}

async fn renaming_to_the_same_name_succeeds(database: Database) {
    let acme = database.acme(0, json!([{ "id": "group_1", "name": "Same" }])).await;
    acme.rename_group("group_1", "Same").await.unwrap();
    assert_eq!(acme.group("group_1").await.unwrap().name, "Same");
}

async fn an_unknown_group_is_not_found_by_any_operation(database: Database) {
    let acme = database.acme(1, json!([])).await;
    assert_group_is_not_found(&acme, "group_none").await;
}

async fn a_deleted_group_is_not_found_by_any_operation(database: Database) {
    let acme = database.acme(1, json!([{ "id": "group_1", "name": "One", "members": ["user_1"] }])).await;
    acme.delete_group("group_1").await.unwrap();
    assert_group_is_not_found(&acme, "group_1").await;
}

async fn assert_group_is_not_found(acme: &crate::tenant::Tenant, group: &str) {
    macro_rules! assert_not_found {
        ($result:expr) => {
            assert_refused!($result, Error::NotFound { kind: Kind::Group, id } if id == group)
        };
    }
    assert_not_found!(acme.group(group).await);
    assert_not_found!(acme.rename_group(group, "Name").await);
    assert_not_found!(acme.delete_group(group).await);
    assert_not_found!(acme.members(group, Part::new()).await);
    assert_not_found!(acme.members(group, Part::new().limit(0)).await);
    assert_not_found!(acme.add(group, "user_1").await);
    assert_not_found!(acme.member(group, "user_1").await);
    assert_not_found!(acme.remove(group, "user_1").await);
}

async fn deleting_a_group_twice_reports_not_found(database: Database) {
    let acme = database.acme(0, json!([{ "id": "group_1", "name": "One" }])).await;
    acme.delete_group("group_1").await.unwrap();
    assert_refused!(acme.delete_group("group_1").await, Error::NotFound { kind: Kind::Group, .. });
}

async fn deleting_a_group_deletes_its_memberships(database: Database) {
    let groups = json!([
        { "id": "group_1", "name": "One", "members": ["user_1", "user_2"] },
        { "id": "group_2", "name": "Two", "members": ["user_1"] },
    ]);
    let acme = database.acme(2, groups).await;
    acme.delete_group("group_1").await.unwrap();
    assert_eq!(ids(&acme.groups_of("user_1", Part::new()).await.unwrap()), ["group_2"]);
    assert_eq!(acme.groups_of("user_2", Part::new()).await.unwrap().data, []);
    assert_eq!(acme.member_ids("group_2").await, ["user_1"]);
}

async fn deleting_a_group_records_each_removal(database: Database) {
    let members = ["user_3", "user_1", "user_2"];
    let acme = database.acme(3, json!([{ "id": "group_1", "name": "One", "members": members }])).await;
    let before = database.events().len();
    acme.delete_group("group_1").await.unwrap();
    let expected = [
        "group.user.removed group_1 user_1",
        "group.user.removed group_1 user_2",
        "group.user.removed group_1 user_3",
        "group.deleted group_1",
    ];
    assert_eq!(database.events_since(before), expected);
}

async fn deleting_a_group_erases_its_name(database: Database) {
    let acme = database.acme(0, json!([{ "id": "group_1", "name": "Secret project" }])).await;
    acme.delete_group("group_1").await.unwrap();
    assert_eq!(database.texts("select name from groups"), [""]);
}

async fn groups_are_listed_oldest_first_by_default(database: Database) {
    let acme = database.acme(0, three_groups()).await;
    assert_eq!(ids(&acme.groups(Part::new()).await.unwrap()), ["group_b", "group_a", "group_c"]);
    assert_eq!(ids(&acme.groups(Part::new().asc()).await.unwrap()), ["group_b", "group_a", "group_c"]);
    assert_eq!(ids(&acme.groups(Part::new().desc()).await.unwrap()), ["group_c", "group_a", "group_b"]);
}

fn three_groups() -> serde_json::Value {
    json!([
        { "id": "group_b", "name": "B", "members": [] },
        { "id": "group_a", "name": "A", "members": [] },
        { "id": "group_c", "name": "C", "members": [] },
    ])
}

async fn groups_of_one_second_keep_the_order_of_their_creation(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let mut created = Vec::new();
    for name in ["Z", "A", "M", "B"] {
        created.push(acme.create_group(name).await.unwrap());
    }
    assert!(created.iter().all(|group| group.created_at == created[0].created_at), "a tie");
    assert_eq!(acme.groups(Part::new()).await.unwrap().data, created);
    created.reverse();
    assert_eq!(acme.groups(Part::new().desc()).await.unwrap().data, created);
}

async fn a_group_with_an_earlier_time_is_listed_where_it_was_created(database: Database) {
    let acme = database.acme(0, json!([{ "id": "group_1", "name": "One" }])).await;
    acme.load(json!({ "groups": [{ "id": "group_0", "name": "Zero", "created_at": 1 }] })).await.unwrap();
    let page = acme.groups(Part::new()).await.unwrap();
    assert_eq!(ids(&page), ["group_1", "group_0"], "paging that has started must not miss new groups");
    assert_eq!(page.data[1].created_at, Timestamp::from_unix_seconds(1));
}

async fn deleted_groups_are_not_listed(database: Database) {
    let acme = database.acme(0, three_groups()).await;
    acme.delete_group("group_a").await.unwrap();
    let page = acme.groups(Part::new().limit(2)).await.unwrap();
    assert_eq!(ids(&page), ["group_b", "group_c"]);
    assert!(!page.has_more, "a deleted group does not count as more");
}

async fn the_groups_of_a_user_are_listed_in_both_directions(database: Database) {
    let groups = json!([
        { "id": "group_1", "name": "One", "members": ["user_1"] },
        { "id": "group_2", "name": "Two", "members": ["user_2"] },
        { "id": "group_3", "name": "Three", "members": ["user_1", "user_2"] },
        { "id": "group_4", "name": "Four", "members": ["user_1"] },
    ]);
    let acme = database.acme(2, groups).await;
    let listed = |part| {
        let acme = acme.clone();
        async move { acme.groups_of("user_1", part).await.unwrap() }
    };
    assert_eq!(ids(&listed(Part::new()).await), ["group_1", "group_3", "group_4"]);
    assert_eq!(ids(&listed(Part::new().desc()).await), ["group_4", "group_3", "group_1"]);
    let page = listed(Part::new().limit(2)).await;
    assert_eq!((ids(&page), page.has_more), (vec!["group_1", "group_3"], true));
    assert_eq!(page.next.unwrap(), "group_3");
    assert_eq!(ids(&listed(Part::new().after("group_3")).await), ["group_4"]);
    assert_eq!(ids(&listed(Part::new().after("group_3").desc()).await), ["group_1"]);
}

async fn the_groups_of_a_user_need_a_user(database: Database) {
    let acme = database.acme(1, json!([])).await;
    assert_eq!(acme.groups_of("user_1", Part::new()).await.unwrap().data, []);
    let unknown = acme.groups_of("user_none", Part::new()).await;
    assert_refused!(unknown, Error::NotFound { kind: Kind::User, id } if id == "user_none");
}

async fn a_scim_managed_group_refuses_every_change(database: Database) {
    let group = json!({ "id": "group_1", "name": "Staff", "is_scim_managed": true, "members": ["user_1"] });
    assert_refuses_every_change(database, group).await;
}

async fn a_tenant_group_refuses_every_change(database: Database) {
    let group =
        json!({ "id": "group_1", "name": "Staff", "group_type": "tenant_group", "members": ["user_1"] });
    assert_refuses_every_change(database, group).await;
}

async fn assert_refuses_every_change(database: Database, group: serde_json::Value) {
    let acme = database.acme(2, json!([group])).await;
    let before = (acme.dump().await, database.events());
    assert_refused!(acme.rename_group("group_1", "Mine").await, Error::ManagedGroup(id) if id == "group_1");
    assert_refused!(acme.delete_group("group_1").await, Error::ManagedGroup(_));
    assert_refused!(acme.add("group_1", "user_2").await, Error::ManagedGroup(_));
    assert_refused!(acme.add("group_1", "user_1").await, Error::ManagedGroup(_));
    assert_refused!(acme.remove("group_1", "user_1").await, Error::ManagedGroup(_));
    assert_eq!((acme.dump().await, database.events()), before);
    assert_eq!(acme.member_ids("group_1").await, ["user_1"], "it is read like any other");
}

async fn each_change_of_a_group_records_one_event(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let before = database.events().len();
    let group = acme.create_group("One").await.unwrap().id;
    acme.rename_group(group.as_str(), "Two").await.unwrap();
    acme.delete_group(group.as_str()).await.unwrap();
    let expected =
        ["group.created", "group.updated", "group.deleted"].map(|event| format!("{event} {group}"));
    assert_eq!(database.events_since(before), expected);
}
