use openai_admin_store::{Error, LoadSummary};
use serde_json::{Value as Json, json};

use crate::{
    projects, roles,
    support::{Database, NOW, assert_refused, conformance, person},
    tenant::{Part, Tenant, ids},
};

conformance! {
    also in_memory:
    a_loaded_directory_is_dumped_as_it_was,
    a_dump_includes_the_defaults_of_a_directory,
    a_load_counts_its_changes,
    a_load_removes_nothing,
    a_load_keeps_fields_that_are_null_in_the_file,
    a_load_replaces_fields_that_are_false_or_empty_in_the_file,
    a_load_adds_to_a_managed_group,
    a_dump_contains_every_resource_and_edge,
    a_user_without_an_id_is_found_by_email,
    a_group_without_an_id_is_found_by_name,
    a_member_is_found_by_id_before_email,
    a_member_named_twice_is_added_once,
    a_new_organization_is_created_with_its_title,
    a_load_without_a_title_keeps_it,
    a_directory_without_an_organization_is_loaded_into_the_only_or_a_new_one,
    a_load_adopts_the_empty_organization_of_a_first_start,
    a_load_does_not_adopt_an_organization_with_a_role,
    a_refused_load_reports_the_position,
    a_user_or_group_listed_twice_is_refused,
    a_loaded_user_keeps_the_list_position_of_a_deleted_one,
    the_id_of_a_deleted_group_is_refused,
    a_dump_omits_deleted_resources,
    a_dump_loads_into_another_organization,
    a_project_is_found_by_id_or_by_a_unique_name,
    [but not:
        loading_the_same_again_changes_nothing,
        a_load_updates_different_fields,
        a_load_updates_every_attribute_of_a_group,
        a_load_updates_a_role,
        a_load_keeps_fields_that_the_file_does_not_mention,
        a_load_changes_the_title_of_an_organization,
        a_refused_load_changes_nothing,
    ]
}

/// The result of a load, in numbers.
pub(crate) fn counts(summary: &LoadSummary) -> [usize; 10] {
    [
        summary.users_created,
        summary.users_updated,
        summary.groups_created,
        summary.groups_updated,
        summary.members_added + summary.project_users_added + summary.project_groups_added,
        summary.roles_created,
        summary.roles_updated,
        summary.roles_assigned,
        summary.projects_created,
        summary.projects_updated,
    ]
}

/// As [`Store::dump`](openai_admin_store::Store::dump) writes it: with all fields, and members by id.
fn full_directory() -> Json {
    json!({
        "users": [
            {
                "id": "user_ada", "email": "Ada@example.com", "name": "Ada", "role": "owner", "added_at": 7,
                "picture": "https://example.com/ada.png", "technical_level": "expert", "developer_persona": "",
                "roles": ["Nothing"],
            },
            { "id": "user_bare", "name": "", "role": "member", "added_at": 3 },
            {
                "id": "user_robot", "name": "Robot", "role": "reader", "added_at": -1,
                "is_service_account": true, "user_type": "tenant_user",
            },
        ],
        "groups": [
            {
                "id": "group_b", "name": "B", "created_at": 9, "members": ["user_ada", "user_robot"],
                "roles": ["owner", "Support", "Nothing"],
            },
            { "id": "group_a", "name": "A", "created_at": 2, "members": [], "is_scim_managed": true },
            { "id": "group_c", "name": "A", "created_at": 2, "members": ["user_bare"], "group_type": "tenant_group" },
        ],
        "projects": [
            {
                "id": "proj_default_org-acme", "name": "Default project",
                "users": [{ "user": "user_bare", "role": "member", "added_at": 6, "roles": ["Tester"] }],
                "roles": [
                    {
                        "id": "role_t", "name": "Tester", "permissions": [], "created_at": 5, "updated_at": 5,
                    },
                ],
                "groups": [{ "group": "group_a", "created_at": 7, "roles": ["viewer"] }],
            },
            {
                "id": "proj_search",
                "name": "Search",
                "residency": "EU_STORAGE",
                "external_key_id": "key_1",
                "created_at": 1,
                "users": [
                    { "user": "user_ada", "role": "owner", "added_at": 3, "roles": ["Annotator"] },
                    { "user": "user_bare", "role": "viewer", "added_at": 4 },
                ],
                "roles": [
                    {
                        "id": "role_a", "name": "Annotator", "permissions": ["api.model.read"], "created_at": 5,
                        "updated_at": 5,
                    },
                ],
                "groups": [
                    { "group": "group_a", "created_at": 5 },
                    { "group": "group_c", "created_at": 6, "roles": ["owner", "member", "Annotator"] },
                ],
            },
            { "id": "proj_other", "name": "Search", "created_at": 2 },
        ],
        "roles": [
            {
                "id": "role_b", "name": "Support", "description": "Answers tickets", "created_at": 5, "updated_at": 6,
                "permissions": ["api.groups.read", "api.groups.write"],
            },
            { "id": "role_a", "name": "Nothing", "permissions": [], "created_at": 5, "updated_at": 5 },
        ],
        "settings": [
            {
                "setting": "spend_limit", "project": "proj_default_org-acme",
                "value": { "threshold_amount": 3, "currency": "USD", "interval": "month" },
            },
            {
                "setting": "spend_limit",
                "value": { "threshold_amount": 1, "currency": "USD", "interval": "month" },
            },
            {
                "setting": "spend_limit", "project": "proj_search",
                "value": { "threshold_amount": 2, "currency": "USD", "interval": "month" },
            },
        ],
        "rate_limits": [
            { "model": "gpt-4o", "limits": { "max_requests_per_1_minute": 100 } },
            { "model": "gpt-4o", "project": "proj_search", "limits": { "max_requests_per_1_minute": 50 } },
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

async fn a_dump_includes_the_defaults_of_a_directory(database: Database) {
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
    assert_eq!(counts(&again), [0; 10]);
    assert_eq!((acme.dump().await, database.events()), before);
}

async fn a_load_counts_its_changes(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let first = acme.load(full_directory()).await.unwrap();
    assert_eq!(counts(&first), [3, 0, 3, 0, 9, 4, 0, 10, 2, 0]);
    let mut changed = full_directory();
    changed["users"][0]["name"] = "Ada Lovelace".into();
    changed["groups"][0]["name"] = "Renamed".into();
    changed["groups"][0]["members"] = json!(["user_ada", "user_bare"]);
    changed["users"].as_array_mut().unwrap().push(person(4));
    let second = acme.load(changed).await.unwrap();
    assert_eq!(counts(&second), [1, 1, 0, 1, 1, 0, 0, 0, 0, 0]);
    assert_eq!(second.organization, acme.organization);
}

async fn a_load_updates_different_fields(database: Database) {
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

async fn a_load_updates_every_attribute_of_a_group(database: Database) {
    let acme = database.acme(0, json!([{ "id": "group_1", "name": "One" }])).await;
    let before = database.events().len();
    let changed = json!({
        "id": "group_1", "name": "One", "is_scim_managed": true, "group_type": "tenant_group", "created_at": 5,
        "members": [],
    });
    let summary = acme.load(json!({ "groups": [changed.clone()] })).await.unwrap();
    assert_eq!(counts(&summary), [0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    assert_eq!(acme.dump().await["groups"][0], changed);
    assert_eq!(database.events_since(before), ["group.updated group_1"]);
}

async fn a_load_updates_a_role(database: Database) {
    let acme = database.acme(0, json!([])).await;
    acme.load(full_directory()).await.unwrap();
    let before = database.events().len();
    let update = json!({ "id": "role_b", "name": "Help", "permissions": ["api.groups.read"] });
    let summary = acme.load(json!({ "roles": [update] })).await.unwrap();
    assert_eq!(counts(&summary), [0, 0, 0, 0, 0, 0, 1, 0, 0, 0]);
    let dump = acme.dump().await;
    let expected = json!({
        "id": "role_b", "name": "Help", "description": "Answers tickets", "permissions": ["api.groups.read"],
        "created_at": 5, "updated_at": NOW,
    });
    assert_eq!(
        (&dump["roles"][0], &dump["groups"][0]["roles"]),
        (&expected, &json!(["owner", "Help", "Nothing"]))
    );
    assert_eq!(database.events_since(before), ["role.updated role_b"]);
}

async fn a_load_removes_nothing(database: Database) {
    let acme = database.acme(2, json!([{ "id": "group_1", "name": "One", "members": ["user_1"] }])).await;
    let before = acme.dump().await;
    acme.load(json!({ "groups": [{ "id": "group_1", "name": "One", "members": [] }] })).await.unwrap();
    acme.load(json!({})).await.unwrap();
    assert_eq!(acme.dump().await, before);
}

async fn a_load_keeps_fields_that_the_file_does_not_mention(database: Database) {
    let acme = database.acme(0, json!([])).await;
    acme.load(full_directory()).await.unwrap();
    let before = (acme.dump().await, database.events());
    let ids = json!({
        "users": [{ "id": "user_ada" }, { "id": "user_robot" }],
        "groups": [{ "id": "group_a", "name": "A" }, { "id": "group_c", "name": "A" }, { "name": "B" }],
    });
    assert_eq!(counts(&acme.load(ids).await.unwrap()), [0; 10]);
    assert_eq!(counts(&acme.load(json!({ "users": [{ "email": "ada@EXAMPLE.com" }] })).await.unwrap())[1], 1);
    let mut expected = before.0;
    expected["users"][0]["email"] = "ada@EXAMPLE.com".into();
    assert_eq!(acme.dump().await, expected, "an address keeps its last spelling");
}

async fn a_load_keeps_fields_that_are_null_in_the_file(database: Database) {
    let acme = database.acme(0, json!([])).await;
    acme.load(full_directory()).await.unwrap();
    let before = acme.dump().await;
    let nothing = json!({
        "users": [{
            "id": "user_ada", "email": null, "name": null, "role": null, "is_service_account": null,
            "picture": null, "user_type": null, "technical_level": null, "developer_persona": null, "added_at": null,
        }],
        "groups": [{
            "id": "group_a", "name": "A", "is_scim_managed": null, "group_type": null, "created_at": null,
        }],
    });
    assert_eq!(counts(&acme.load(nothing).await.unwrap()), [0; 10]);
    assert_eq!(acme.dump().await, before);
}

async fn a_load_replaces_fields_that_are_false_or_empty_in_the_file(database: Database) {
    let acme = database.acme(0, json!([])).await;
    acme.load(full_directory()).await.unwrap();
    let plain = json!({
        "users": [
            { "id": "user_ada", "name": "", "role": "reader", "technical_level": "" },
            { "id": "user_robot", "is_service_account": false, "user_type": "user" },
        ],
        "groups": [
            { "id": "group_a", "name": "A", "is_scim_managed": false },
            { "id": "group_c", "name": "A", "group_type": "group" },
        ],
    });
    assert_eq!(counts(&acme.load(plain).await.unwrap()), [0, 2, 0, 2, 0, 0, 0, 0, 0, 0]);
    let mut expected = with_organization(full_directory());
    expected["users"][0]["name"] = "".into();
    expected["users"][0]["role"] = "reader".into();
    expected["users"][0]["technical_level"] = "".into();
    for (list, index, field) in [
        ("users", 2, "is_service_account"),
        ("users", 2, "user_type"),
        ("groups", 1, "is_scim_managed"),
        ("groups", 2, "group_type"),
    ] {
        expected[list][index].as_object_mut().unwrap().remove(field);
    }
    assert_eq!(acme.dump().await, expected);
}

async fn a_load_adds_to_a_managed_group(database: Database) {
    let group = json!({ "id": "group_1", "name": "Staff", "is_scim_managed": true, "members": ["user_1"] });
    let acme = database.acme(2, json!([group])).await;
    let group =
        json!({ "id": "group_1", "name": "All staff", "is_scim_managed": true, "members": ["user_2"] });
    acme.load(json!({ "groups": [group] })).await.unwrap();
    assert_eq!(acme.member_ids("group_1").await, ["user_1", "user_2"], "a load may change a managed group");
    assert_eq!(acme.group("group_1").await.unwrap().name, "All staff");
}

async fn a_user_without_an_id_is_found_by_email(database: Database) {
    let acme = database.acme(1, json!([])).await;
    let users = json!([{ "email": "USER_1@example.com", "name": "Found" }, { "email": "new@example.com" }]);
    let summary = acme.load(json!({ "users": users })).await.unwrap();
    assert_eq!(counts(&summary), [1, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(acme.user("user_1").await.unwrap().name.unwrap(), "Found");
    let created = acme.users_with(20, None, &["new@example.com"]).await.unwrap();
    assert!(created.data[0].id.as_str().starts_with("user-"));
}

async fn a_group_without_an_id_is_found_by_name(database: Database) {
    let acme = database.acme(1, json!([{ "id": "group_1", "name": "One" }])).await;
    let groups = json!([{ "name": "One", "members": ["user_1"] }, { "name": "ONE" }]);
    let summary = acme.load(json!({ "groups": groups })).await.unwrap();
    assert_eq!(counts(&summary), [0, 0, 1, 0, 1, 0, 0, 0, 0, 0]);
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

/// What the census counts but a dump does not contain.
const NOT_DUMPED: [&str; 8] = [
    "certificate",
    "certificate activation",
    "external key",
    "invite",
    "API key",
    "service account",
    "spend alert",
    "audit event",
];

/// Everything counted is in the full directory, and is restored by loading its dump.
async fn a_dump_contains_every_resource_and_edge(database: Database) {
    let acme = database.acme(0, json!([])).await;
    acme.load(full_directory()).await.unwrap();
    let before = database.store.census().await.unwrap();
    let mut dump = acme.dump().await;
    dump["organization"]["id"] = "org-copy".into();
    database.store.load(database.stamp(), serde_json::from_value(dump).unwrap()).await.unwrap();
    let after = database.store.census().await.unwrap();
    for (name, number) in before.counts().iter().filter(|(name, _)| !NOT_DUMPED.contains(name)) {
        assert!(*number > 0, "add a {name} to `full_directory`");
        assert_eq!(after.of(name), Some(2 * number), "a dump holds each {name}");
    }
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

async fn a_load_changes_the_title_of_an_organization(database: Database) {
    let acme = database.acme(1, json!([])).await;
    let other = database.tenant("org-other", 0, json!([])).await;
    let before = database.events().len();
    let directory = || {
        let organization = json!({ "id": "org-acme", "title": "Acme & Co" });
        serde_json::from_value(json!({ "organization": organization, "users": [person(2)] })).unwrap()
    };
    let summary = database.store.load(database.stamp(), directory()).await.unwrap();
    assert!(summary.organization_updated);
    assert_eq!(summary.organization.title, "Acme & Co");
    let all = database.store.organizations().await.unwrap();
    assert_eq!(all, [summary.organization, other.organization]);
    let expected = ["organization.updated org-acme", "user.added user_2"];
    assert_eq!(database.events_since(before), expected);

    let again = database.store.load(database.stamp(), directory()).await.unwrap();
    assert!(!again.organization_updated);
    assert_eq!(database.events().len(), before + 2);
    assert_eq!(acme.organization.title, "", "as it was");
}

async fn a_load_without_a_title_keeps_it(database: Database) {
    let load = async |directory: Json| {
        database.store.load(database.stamp(), serde_json::from_value(directory).unwrap()).await.unwrap()
    };
    let created = load(json!({ "organization": { "id": "org-acme", "title": "Acme" } })).await;
    assert!(!created.organization_updated, "it is new");
    for organization in [json!({ "id": "org-acme" }), json!({ "id": "org-acme", "title": null }), json!(null)]
    {
        let summary = load(json!({ "organization": organization })).await;
        assert_eq!(
            (summary.organization, summary.organization_updated),
            (created.organization.clone(), false)
        );
    }
}

async fn a_directory_without_an_organization_is_loaded_into_the_only_or_a_new_one(database: Database) {
    let directory = || serde_json::from_value(json!({ "users": [person(1)] })).unwrap();
    let created = database.store.load(database.stamp(), directory()).await.unwrap();
    assert_eq!(database.store.organizations().await.unwrap(), std::slice::from_ref(&created.organization));
    let again = database.store.load(database.stamp(), directory()).await.unwrap();
    assert_eq!((again.organization, again.users_created), (created.organization, 0));
    database.acme(0, json!([])).await;
    let error = database.store.load(database.stamp(), directory()).await.unwrap_err();
    assert!(matches!(error, Error::InvalidValue { field, .. } if field == "organization"));
}

async fn a_load_adopts_the_empty_organization_of_a_first_start(database: Database) {
    let store = &database.store;
    let first = store.open_organization(database.stamp(), None).await.unwrap();
    let named = |id: &str, users: Json| {
        serde_json::from_value(json!({ "organization": { "id": id, "title": "Acme" }, "users": users }))
            .unwrap()
    };
    let loaded = store.load(database.stamp(), named("org-acme", json!([]))).await.unwrap().organization;
    assert_eq!((loaded.org, loaded.id.as_str()), (first.org, "org-acme"));
    store.load(database.stamp(), named("org-acme", json!([person(1)]))).await.unwrap();
    let second = store.load(database.stamp(), named("org-other", json!([]))).await.unwrap().organization;
    assert_ne!(second.org, first.org, "one with a title or users stays");
    assert_eq!(store.organizations().await.unwrap().len(), 2);
}

async fn a_load_does_not_adopt_an_organization_with_a_role(database: Database) {
    let first = database.store.open_organization(database.stamp(), None).await.unwrap();
    let acme = Tenant { database: database.clone(), organization: first.clone() };
    roles::create(&acme, "Support").await.unwrap();
    let named = json!({ "organization": { "id": "org-acme" } });
    let loaded = database.store.load(database.stamp(), serde_json::from_value(named).unwrap()).await.unwrap();
    assert_ne!(loaded.organization.org, first.org);
}

async fn a_refused_load_changes_nothing(database: Database) {
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

async fn a_refused_load_reports_the_position(database: Database) {
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

async fn a_user_or_group_listed_twice_is_refused(database: Database) {
    let acme = database.acme(1, json!([{ "id": "group_1", "name": "One" }])).await;
    for (directory, place) in [
        (json!({ "users": [person(1), person(1)] }), "users[1]"),
        (json!({ "users": [person(2), { "email": "User_2@example.com" }] }), "users[1]"),
        (json!({ "groups": [{ "id": "group_1", "name": "One" }, { "name": "One" }] }), "groups[1]"),
        (json!({ "groups": [{ "name": "New" }, { "name": "Other" }, { "name": "New" }] }), "groups[2]"),
    ] {
        // The second entry would undo the first, and loading the same again would change both again.
        assert_refused!(acme.load(directory).await, Error::InvalidValue { field, .. } if field == place);
    }
}

async fn a_loaded_user_keeps_the_list_position_of_a_deleted_one(database: Database) {
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

async fn a_dump_omits_deleted_resources(database: Database) {
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
    dump["settings"][0]["project"] = "proj_default_org-copy".into();
    dump["projects"][0]["id"] = "proj_default_org-copy".into();
    assert_eq!(serde_json::to_value(copy).unwrap(), dump);
}

async fn a_project_is_found_by_id_or_by_a_unique_name(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let id = projects::create(&acme, "Search").await.id;
    let summary = acme.load(json!({ "projects": [{ "name": "Search", "external_key_id": "key_1" }] })).await;
    assert_eq!(counts(&summary.unwrap())[8..], [0, 1]);
    let summary = acme.load(json!({ "projects": [{ "id": id, "name": "Ranking" }] })).await;
    assert_eq!(counts(&summary.unwrap())[8..], [0, 1]);
    let project = &acme.dump().await["projects"][0];
    assert_eq!((&project["name"], &project["external_key_id"]), (&json!("Ranking"), &json!("key_1")));

    projects::create(&acme, "Ranking").await;
    for (entry, field, word) in [
        (json!({ "name": "Ranking" }), "projects[0].id", "2 projects"),
        (json!({ "id": "proj_default_org-acme", "name": "Ours" }), "projects[0].name", "'Default project'"),
    ] {
        assert_refused!(
            acme.load(json!({ "projects": [entry] })).await,
            Error::InvalidValue { field: found, expected } if found == field && expected.contains(word)
        );
    }
    projects::archive(&acme, id.as_str()).await.unwrap();
    assert_refused!(
        acme.load(json!({ "projects": [{ "id": id, "name": "Again" }] })).await,
        Error::InvalidValue { field, .. } if field == "projects[0].id"
    );
}
