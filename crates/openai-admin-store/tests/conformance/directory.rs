use openai_admin_store::{Error, LoadSummary};
use serde_json::{Value as Json, json};

use crate::{
    support::{Database, NOW, assert_refused, conformance, person},
    tenant::{Part, ids},
};

conformance! {
    a_loaded_directory_is_dumped_as_it_was,
    a_dump_says_what_a_directory_left_out,
    loading_the_same_again_changes_nothing,
    a_load_counts_what_it_has_done,
    a_load_updates_what_differs,
    a_load_removes_nothing,
    a_load_adds_to_a_managed_group,
    a_user_is_found_by_email_where_no_id_is_given,
    a_group_is_found_by_name_where_no_id_is_given,
    a_member_is_found_by_id_before_email,
    a_member_named_twice_is_added_once,
    a_new_organization_is_created_with_its_title,
    a_directory_without_organization_needs_one_in_the_database,
    a_refused_load_leaves_nothing_behind,
    a_refused_load_names_the_place,
    a_deleted_user_is_loaded_into_the_old_place,
    the_id_of_a_deleted_group_is_refused,
    a_dump_leaves_out_what_was_deleted,
    a_dump_loads_into_another_organization,
}

fn counts(summary: &LoadSummary) -> [usize; 5] {
    let LoadSummary { users_created, users_updated, groups_created, groups_updated, members_added, .. } =
        summary;
    [users_created, users_updated, groups_created, groups_updated, members_added].map(|count| *count)
}

/// As [`Store::dump`](openai_admin_store::Store::dump) writes it: everything is said, members by id.
fn full_directory() -> Json {
    json!({
        "users": [
            {
                "id": "user_ada", "email": "Ada@example.com", "name": "Ada", "role": "owner", "added_at": 7,
                "picture": "https://example.com/ada.png", "technical_level": "expert", "developer_persona": "",
            },
            { "id": "user_bare", "name": "", "role": "member", "added_at": 3 },
            {
                "id": "user_robot", "name": "Robot", "role": "reader", "added_at": -1,
                "is_service_account": true, "user_type": "tenant_user",
            },
        ],
        "groups": [
            { "id": "group_b", "name": "B", "created_at": 9, "members": ["user_ada", "user_robot"] },
            { "id": "group_a", "name": "A", "created_at": 2, "members": [], "is_scim_managed": true },
            { "id": "group_c", "name": "A", "created_at": 2, "members": ["user_bare"], "group_type": "tenant_group" },
        ],
    })
}

fn with_organization(mut directory: Json) -> Json {
    directory["organization"] = json!({ "id": "org-acme", "title": "" });
    directory
}

async fn a_loaded_directory_is_dumped_as_it_was(database: Database) {
    let acme = database.acme(0, json!([])).await;
    acme.load(full_directory()).await.unwrap();
    assert_eq!(acme.dump().await, with_organization(full_directory()));
}

async fn a_dump_says_what_a_directory_left_out(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let sparse = json!({
        "users": [{ "id": "user_1", "email": " a@example.com " }],
        "groups": [{ "id": "group_1", "name": "One", "members": ["A@EXAMPLE.COM"] }],
    });
    acme.load(sparse).await.unwrap();
    let full = json!({
        "users": [{ "id": "user_1", "email": "a@example.com", "name": "", "role": "reader", "added_at": NOW }],
        "groups": [{ "id": "group_1", "name": "One", "created_at": NOW, "members": ["user_1"] }],
    });
    assert_eq!(acme.dump().await, with_organization(full));
}

async fn loading_the_same_again_changes_nothing(database: Database) {
    let acme = database.acme(0, json!([])).await;
    acme.load(full_directory()).await.unwrap();
    let before = (acme.dump().await, database.events());
    let again = acme.load(full_directory()).await.unwrap();
    assert_eq!(counts(&again), [0; 5]);
    assert_eq!((acme.dump().await, database.events()), before);
}

async fn a_load_counts_what_it_has_done(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let first = acme.load(full_directory()).await.unwrap();
    assert_eq!(counts(&first), [3, 0, 3, 0, 3]);
    let mut changed = full_directory();
    changed["users"][0]["name"] = "Ada Lovelace".into();
    changed["groups"][0]["name"] = "Renamed".into();
    changed["groups"][0]["members"] = json!(["user_ada", "user_bare"]);
    changed["users"].as_array_mut().unwrap().push(person(4));
    let second = acme.load(changed).await.unwrap();
    assert_eq!(counts(&second), [1, 1, 0, 1, 1]);
    assert_eq!(second.organization, acme.organization);
}

async fn a_load_updates_what_differs(database: Database) {
    let acme = database.acme(2, json!([{ "id": "group_1", "name": "One", "members": ["user_1"] }])).await;
    let before = database.events().len();
    let changed = json!({
        "users": [{ "id": "user_1", "email": "new@example.com", "name": "New", "role": "owner" }, person(2)],
        "groups": [{ "id": "group_1", "name": "Renamed", "members": ["user_2"] }],
    });
    acme.load(changed).await.unwrap();
    let user = acme.user("user_1").await.unwrap();
    assert_eq!((user.email.as_deref(), user.name.as_deref()), (Some("new@example.com"), Some("New")));
    assert_eq!(acme.group("group_1").await.unwrap().name, "Renamed");
    let expected = ["user.updated user_1", "group.updated group_1", "group.user.added group_1 user_2"];
    assert_eq!(database.events_since(before), expected);
}

async fn a_load_removes_nothing(database: Database) {
    let acme = database.acme(2, json!([{ "id": "group_1", "name": "One", "members": ["user_1"] }])).await;
    let before = acme.dump().await;
    acme.load(json!({ "groups": [{ "id": "group_1", "name": "One", "members": [] }] })).await.unwrap();
    acme.load(json!({})).await.unwrap();
    assert_eq!(acme.dump().await, before);
}

async fn a_load_adds_to_a_managed_group(database: Database) {
    let group = json!({ "id": "group_1", "name": "Staff", "is_scim_managed": true, "members": ["user_1"] });
    let acme = database.acme(2, json!([group])).await;
    let group =
        json!({ "id": "group_1", "name": "All staff", "is_scim_managed": true, "members": ["user_2"] });
    acme.load(json!({ "groups": [group] })).await.unwrap();
    assert_eq!(acme.member_ids("group_1").await, ["user_1", "user_2"], "a load stands in for its manager");
    assert_eq!(acme.group("group_1").await.unwrap().name, "All staff");
}

async fn a_user_is_found_by_email_where_no_id_is_given(database: Database) {
    let acme = database.acme(1, json!([])).await;
    let users = json!([{ "email": "USER_1@example.com", "name": "Found" }, { "email": "new@example.com" }]);
    let summary = acme.load(json!({ "users": users })).await.unwrap();
    assert_eq!(counts(&summary), [1, 1, 0, 0, 0]);
    assert_eq!(acme.user("user_1").await.unwrap().name.unwrap(), "Found");
    let created = acme.users_with(20, None, &["new@example.com"]).await.unwrap();
    assert!(created.data[0].id.as_str().starts_with("user-"));
}

async fn a_group_is_found_by_name_where_no_id_is_given(database: Database) {
    let acme = database.acme(1, json!([{ "id": "group_1", "name": "One" }])).await;
    let groups = json!([{ "name": "One", "members": ["user_1"] }, { "name": "ONE" }]);
    let summary = acme.load(json!({ "groups": groups })).await.unwrap();
    assert_eq!(counts(&summary), [0, 0, 1, 0, 1]);
    assert_eq!(acme.member_ids("group_1").await, ["user_1"]);
    let ambiguous = acme.load(json!({ "groups": [{ "id": "group_2", "name": "One" }] })).await;
    ambiguous.unwrap();
    let refused = acme.load(json!({ "groups": [{ "name": "One" }] })).await;
    assert_refused!(refused, Error::InvalidValue { field, .. } if field == "groups[0].id");
}

async fn a_member_is_found_by_id_before_email(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let users = json!([
        { "id": "user_1", "email": "ada@example.com" },
        { "id": "ada@example.com", "email": "other@example.com" },
    ]);
    let groups = json!([{ "id": "group_1", "name": "One", "members": ["ada@example.com"] }]);
    acme.load(json!({ "users": users, "groups": groups })).await.unwrap();
    assert_eq!(acme.member_ids("group_1").await, ["ada@example.com"]);
}

async fn a_member_named_twice_is_added_once(database: Database) {
    let acme = database.acme(1, json!([])).await;
    let members = ["user_1", "user_1", "USER_1@example.com"];
    let groups = json!([{ "id": "group_1", "name": "One", "members": members }]);
    let summary = acme.load(json!({ "groups": groups })).await.unwrap();
    assert_eq!(summary.members_added, 1);
    assert_eq!(acme.member_ids("group_1").await, ["user_1"]);
}

async fn a_new_organization_is_created_with_its_title(database: Database) {
    let directory = json!({ "organization": { "id": "org-new", "title": "New & Söhne" } });
    let summary =
        database.store.load(database.stamp(), serde_json::from_value(directory).unwrap()).await.unwrap();
    assert_eq!(summary.organization.title, "New & Söhne");
    assert_eq!(database.store.organizations().await.unwrap(), [summary.organization]);
}

async fn a_directory_without_organization_needs_one_in_the_database(database: Database) {
    let directory = || serde_json::from_value(json!({ "users": [person(1)] })).unwrap();
    database.store.load(database.stamp(), directory()).await.unwrap_err();
    let acme = database.acme(0, json!([])).await;
    let summary = database.store.load(database.stamp(), directory()).await.unwrap();
    assert_eq!(summary.organization, acme.organization);
    assert_eq!(acme.user("user_1").await.unwrap().id, "user_1");
}

async fn a_refused_load_leaves_nothing_behind(database: Database) {
    let acme = database.acme(1, json!([{ "id": "group_1", "name": "One" }])).await;
    let before = (acme.dump().await, database.events());
    let directory = json!({
        "users": [{ "id": "user_1", "name": "Changed" }, person(2)],
        "groups": [{ "id": "group_1", "name": "Changed", "members": ["user_1", "user_2", "user_none"] }],
    });
    acme.load(directory.clone()).await.unwrap_err();
    assert_eq!((acme.dump().await, database.events()), before);
    let mut elsewhere = directory;
    elsewhere["organization"] = json!({ "id": "org-new" });
    let elsewhere = serde_json::from_value(elsewhere).unwrap();
    database.store.load(database.stamp(), elsewhere).await.unwrap_err();
    assert_eq!(database.store.organizations().await.unwrap(), [acme.organization], "nor an organization");
}

async fn a_refused_load_names_the_place(database: Database) {
    let acme = database.acme(3, json!([{ "id": "group_1", "name": "One" }])).await;
    let group = |members: &[&str]| json!({ "name": "G", "id": "group_2", "members": members });
    let two = json!({ "id": "group_1", "name": "One" });
    for (directory, place) in [
        (json!({ "users": [person(1), { "name": "Nobody" }] }), "users[1].id"),
        (json!({ "users": [{ "id": "user_9", "email": "ada" }] }), "users[0].email"),
        (json!({ "users": [{ "id": "user_9", "email": "USER_1@example.com" }] }), "users[0].email"),
        (json!({ "users": [person(1), person(2), { "id": "user_3", "role": "emperor" }] }), "users[2].role"),
        (json!({ "groups": [two, group(&["user_1", "user_2", "user_none"])] }), "groups[1].members[2]"),
        (json!({ "groups": [group(&["", "user_1"])] }), "groups[0].members[0]"),
        (json!({ "groups": [group(&["none@example.com"])] }), "groups[0].members[0]"),
    ] {
        assert_refused!(acme.load(directory).await, Error::InvalidValue { field, .. } if field == place);
    }
}

async fn a_deleted_user_is_loaded_into_the_old_place(database: Database) {
    let acme = database.acme(3, json!([{ "id": "group_1", "name": "One", "members": ["user_2"] }])).await;
    acme.delete_user("user_2").await.unwrap();
    acme.load(json!({ "users": [person(2)] })).await.unwrap();
    assert_eq!(ids(&acme.users(20, None).await.unwrap()), ["user_1", "user_2", "user_3"]);
    assert_eq!(acme.member_ids("group_1").await, Vec::<String>::new());
}

async fn the_id_of_a_deleted_group_is_refused(database: Database) {
    let acme = database.acme(0, json!([{ "id": "group_1", "name": "One" }])).await;
    acme.delete_group("group_1").await.unwrap();
    let refused = acme.load(json!({ "groups": [{ "id": "group_1", "name": "Two" }] })).await;
    assert_refused!(refused, Error::InvalidValue { field, .. } if field == "groups[0].id");
    acme.load(json!({ "groups": [{ "name": "One" }] })).await.unwrap();
    assert_ne!(ids(&acme.groups(Part::new()).await.unwrap()), ["group_1"], "a new group of the old name");
}

async fn a_dump_leaves_out_what_was_deleted(database: Database) {
    let groups =
        json!([{ "id": "group_1", "name": "One", "members": ["user_1", "user_2"] }, { "name": "Two" }]);
    let acme = database.acme(2, groups).await;
    acme.delete_user("user_1").await.unwrap();
    let dump = acme.dump().await;
    assert_eq!(dump["users"].as_array().unwrap().len(), 1);
    assert_eq!(dump["groups"][0]["members"], json!(["user_2"]));
    acme.delete_group("group_1").await.unwrap();
    assert_eq!(acme.dump().await["groups"].as_array().unwrap().len(), 1);
}

async fn a_dump_loads_into_another_organization(database: Database) {
    let acme = database.acme(0, json!([])).await;
    acme.load(full_directory()).await.unwrap();
    let mut dump = acme.dump().await;
    dump["organization"]["id"] = "org-copy".into();
    let loaded =
        database.store.load(database.stamp(), serde_json::from_value(dump.clone()).unwrap()).await.unwrap();
    let copy = database.store.dump(loaded.organization).await.unwrap();
    assert_eq!(serde_json::to_value(copy).unwrap(), dump);
}
