//! Custom roles in a directory.

use openai_admin::operations::DeleteRole;
use openai_admin_store::Error;
use serde_json::{Value as Json, json};

use crate::{
    directory::counts,
    support::{Database, NOW, assert_refused, conformance},
};

conformance! {
    also in_memory:
    a_role_without_an_id_is_found_by_name,
    an_assigned_role_is_found_by_name_before_id,
    a_predefined_role_is_assigned_and_never_dumped_as_a_custom_one,
    a_refused_role_is_reported_with_the_next_step,
    the_id_of_a_deleted_role_is_refused,
}

async fn a_role_without_an_id_is_found_by_name(database: Database) {
    let acme = database.acme(1, json!([{ "id": "group_1", "name": "One" }])).await;
    let sparse = json!({
        "users": [{ "id": "user_1", "roles": ["Support", "Support"] }],
        "groups": [{ "id": "group_1", "name": "One", "roles": ["Support"] }],
        "roles": [{ "name": "Support" }],
    });
    assert_eq!(counts(&acme.load(sparse.clone()).await.unwrap()), [0, 0, 0, 0, 0, 1, 0, 2, 0, 0]);
    assert_eq!(counts(&acme.load(sparse).await.unwrap()), [0; 10]);
    let dump = acme.dump().await;
    assert!(dump["roles"][0]["id"].as_str().unwrap().starts_with("role_"));
    let (permissions, updated_at) = (&dump["roles"][0]["permissions"], &dump["roles"][0]["updated_at"]);
    assert_eq!((permissions, updated_at), (&json!([]), &json!(NOW)));
    assert_eq!(
        (&dump["users"][0]["roles"], &dump["groups"][0]["roles"]),
        (&json!(["Support"]), &json!(["Support"]))
    );
}

async fn an_assigned_role_is_found_by_name_before_id(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let roles = json!([{ "id": "role_1", "name": "role_2" }, { "id": "role_2", "name": "Two" }]);
    let groups = json!([
        { "id": "group_1", "name": "One", "roles": ["role_2"] },
        { "id": "group_2", "name": "Two", "roles": ["role_1"] },
        { "id": "group_3", "name": "Three", "roles": ["role-api-organization-reader", "Two"] },
    ]);
    acme.load(json!({ "groups": groups, "roles": roles })).await.unwrap();
    let dump = acme.dump().await;
    let names: Vec<&Json> = dump["groups"].as_array().unwrap().iter().map(|group| &group["roles"]).collect();
    assert_eq!(names, [&json!(["role_2"]), &json!(["role_2"]), &json!(["reader", "Two"])]);
    assert_eq!(counts(&acme.load(dump).await.unwrap()), [0; 10]);
}

async fn a_predefined_role_is_assigned_and_never_dumped_as_a_custom_one(database: Database) {
    let acme = database.acme(1, json!([])).await;
    let groups = json!([{ "id": "group_1", "name": "One", "roles": ["owner"] }]);
    acme.load(json!({ "groups": groups, "users": [{ "id": "user_1", "role": "owner" }] })).await.unwrap();
    let dump = acme.dump().await;
    assert_eq!(dump.get("roles"), None);
    assert_eq!(dump["groups"][0]["roles"], json!(["owner"]));
    assert_eq!((&dump["users"][0]["role"], dump["users"][0].get("roles")), (&json!("owner"), None));
}

async fn a_refused_role_is_reported_with_the_next_step(database: Database) {
    let acme = database.acme(1, json!([])).await;
    let user = |role: &str| json!({ "users": [{ "id": "user_1", "roles": [role] }] });
    let group = |role: &str| {
        let group = json!({ "name": "One", "roles": ["owner", role] });
        json!({ "groups": [group], "roles": [{ "name": "Support" }] })
    };
    let roles = |roles: Json| json!({ "roles": roles });
    for (directory, message) in [
        (
            user("owner"),
            "users[0].roles[0]: expected a custom role, but got 'owner': give a predefined one as the user's role",
        ),
        (
            group("Suport"),
            "groups[0].roles[1]: expected the name or id of a role, but got 'Suport': correct it, or list the role \
             under the roles of the organization",
        ),
        (
            group("\0"),
            "groups[0].roles[1]: expected the name or id of a role, but got '\0': correct it, or list the role \
             under the roles of the organization",
        ),
        (
            roles(json!([{ "name": "Support" }, { "name": "Support" }])),
            "roles[1]: expected one entry for each role: merge this with the one before",
        ),
        (
            roles(json!([{ "id": "role_1", "name": "One" }, { "id": "role_2", "name": "One" }])),
            "roles[1].name: expected another name, because another role has 'One'",
        ),
        (
            roles(json!([{ "name": "owner" }])),
            "roles[0].name: expected another name, because another role has 'owner'",
        ),
        (
            roles(json!([{ "id": "role-api-organization-owner", "name": "Other" }])),
            "roles[0].id: expected the id of a custom role: remove this entry, because every organization has the \
             predefined roles",
        ),
        (
            roles(json!([{ "name": "One", "permissions": ["api.groups.read", "everything"] }])),
            "roles[0].permissions[1]: expected a permission such as 'api.groups.read', but got 'everything'",
        ),
        (
            roles(json!([{ "name": "One", "description": "d".repeat(1001) }])),
            "roles[0].description: expected at most 1000 characters, but got 1001",
        ),
    ] {
        assert_eq!(acme.load(directory).await.unwrap_err().to_string(), message);
    }
}

async fn the_id_of_a_deleted_role_is_refused(database: Database) {
    let acme = database.acme(0, json!([])).await;
    acme.load(json!({ "roles": [{ "id": "role_1", "name": "One" }] })).await.unwrap();
    let delete = DeleteRole::new("role_1".parse().unwrap());
    acme.store().change(acme.org(), database.stamp(), delete).await.unwrap();
    assert_eq!(acme.dump().await.get("roles"), None);
    let refused = acme.load(json!({ "roles": [{ "id": "role_1", "name": "Two" }] })).await;
    assert_refused!(refused, Error::InvalidValue { field, .. } if field == "roles[0].id");
    assert_eq!(counts(&acme.load(json!({ "roles": [{ "name": "One" }] })).await.unwrap())[5], 1);
}
