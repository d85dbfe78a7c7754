//! A dump equals the loaded directory, and loading a dump changes nothing.

use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use serde_json::{Value as Json, json};

use crate::{
    directory::counts,
    support::{Database, conformance},
};

conformance! {
    also in_memory:
    any_directory_survives_load_and_dump,
}

/// The items of a list that a bit mask selects.
fn chosen(mask: u8, names: &[String]) -> Vec<String> {
    names
        .iter()
        .enumerate()
        .filter(|(place, _)| mask & (1 << place) != 0)
        .map(|(_, name)| name.clone())
        .collect()
}

/// Writes the roles of an entry as a dump does: omitted if empty.
fn give_roles(entry: &mut Json, roles: Vec<String>) {
    if !roles.is_empty() {
        entry["roles"] = roles.into();
    }
}

/// Roles with all fields.
fn any_roles() -> impl Strategy<Value = Vec<Json>> {
    let text = "[^\\x00]{0,12}";
    let role = (text, proptest::option::of(text), any::<u8>(), any::<i32>(), any::<i32>());
    proptest::collection::vec(role, 0..5).prop_map(|roles| {
        let permissions = ["api.groups.read", "api.groups.write", "model.request"].map(str::to_owned);
        let roles = roles.into_iter().enumerate();
        let roles = roles.map(|(number, (name, description, mask, created_at, updated_at))| {
            // Each has a different first letter, so that all names differ.
            let mut role = json!({
                "id": format!("role_{number}"), "name": format!("{number}{name}"),
                "permissions": chosen(mask, &permissions), "created_at": created_at, "updated_at": updated_at,
            });
            if let Some(description) = description {
                role["description"] = description.into();
            }
            role
        });
        roles.collect()
    })
}

/// Projects with all fields. Several may have the same name.
fn any_projects() -> impl Strategy<Value = Vec<Json>> {
    let project = ("[A-z][^\\x00]{0,3}", proptest::option::of("[^\\x00]{0,12}"), any::<i32>());
    proptest::collection::vec(project, 0..4).prop_map(|projects| {
        let projects = projects.into_iter().enumerate().map(|(number, (name, key, created_at))| {
            let mut project =
                json!({ "id": format!("proj_{number}"), "name": name, "created_at": created_at });
            if let Some(key) = key {
                project["external_key_id"] = key.into();
            }
            project
        });
        projects.collect()
    })
}

/// A directory with all fields, so that its dump is equal.
fn any_directory() -> impl Strategy<Value = Json> {
    let text = "[^\\x00]{0,12}";
    let user =
        (text, any::<bool>(), 0_u8..3, any::<i32>(), proptest::option::of(text), any::<bool>(), any::<u8>());
    // A blank name is refused.
    let name = "[A-zÀ-ÿ山🚨][^\\x00]{0,15}";
    let group = (name, any::<bool>(), any::<bool>(), any::<i32>(), any::<u8>(), any::<u8>());
    let users = proptest::collection::vec(user, 0..8);
    let groups = proptest::collection::vec(group, 0..5);
    (users, groups, any_roles(), any_projects()).prop_map(|(users, groups, roles, projects)| {
        let custom: Vec<String> =
            roles.iter().map(|role| role["name"].as_str().unwrap().to_owned()).collect();
        let all: Vec<String> =
            ["owner", "reader"].map(str::to_owned).into_iter().chain(custom.clone()).collect();
        let people: Vec<String> = (0..users.len()).map(|number| format!("user_{number}")).collect();
        let users = users.into_iter().zip(&people).enumerate();
        let users = users.map(|(number, ((name, robot, role, added_at, picture, email, roles), id))| {
            let role = ["owner", "reader", "member"][usize::from(role)];
            let mut user = json!({ "id": id, "name": name, "role": role, "added_at": added_at });
            if email {
                user["email"] = format!("Åsa{number}@example.com").into();
            }
            if robot {
                user["is_service_account"] = true.into();
            }
            if let Some(picture) = picture {
                user["picture"] = picture.clone().into();
                user["technical_level"] = picture.into();
            }
            give_roles(&mut user, chosen(roles, &custom));
            user
        });
        let groups = groups.into_iter().enumerate();
        let groups = groups.map(|(number, (name, scim, tenant, created_at, members, roles))| {
            let (id, members) = (format!("group_{number}"), chosen(members, &people));
            let mut group = json!({ "id": id, "name": name, "created_at": created_at, "members": members });
            if scim {
                group["is_scim_managed"] = true.into();
            }
            if tenant {
                group["group_type"] = "tenant_group".into();
            }
            give_roles(&mut group, chosen(roles, &all));
            group
        });
        let (users, groups) = (users.collect::<Vec<_>>(), groups.collect::<Vec<_>>());
        let mut directory = json!({ "users": users, "groups": groups });
        for (list, entries) in [("roles", roles), ("projects", projects)] {
            if !entries.is_empty() {
                directory[list] = entries.into();
            }
        }
        directory
    })
}

/// Any directory after any other: shared resources have the values of the second directory if it has them, and of the
/// first otherwise. Loading the second again changes nothing.
async fn any_directory_survives_load_and_dump(database: Database) {
    let config = Config { cases: 20, failure_persistence: None, ..Config::default() };
    // The same directories each time, so that every failure is reproducible.
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    tokio::task::block_in_place(|| {
        let result = runner.run(&(any_directory(), any_directory()), |(first, second)| {
            tokio::runtime::Handle::current().block_on(survives_load_and_dump(&database, first, second));
            Ok(())
        });
        result.unwrap();
    });
}

async fn survives_load_and_dump(database: &Database, first: Json, second: Json) {
    let organizations = database.store.organizations().await.unwrap().len();
    let id = format!("org-{organizations}");
    let acme = database.tenant(&id, 0, json!([])).await;
    let mut expected = first.clone();
    expected["organization"] = json!({ "id": id, "title": "" });
    acme.load(first.clone()).await.unwrap();
    assert_eq!(acme.dump().await, expected);
    assert_eq!(counts(&acme.load(first.clone()).await.unwrap()), [0; 10]);
    assert_eq!(acme.dump().await, expected);

    acme.load(second.clone()).await.unwrap();
    let dump = acme.dump().await;
    for list in ["users", "groups", "roles", "projects"] {
        for entry in entries(&second, list) {
            let same = |other: &&Json| other["id"] == entry["id"];
            let mut expected = entries(&first, list).iter().find(same).cloned().unwrap_or_else(|| json!({}));
            expected.as_object_mut().unwrap().extend(entry.as_object().unwrap().clone());
            let mut found = entries(&dump, list).iter().find(same).cloned().unwrap();
            // Members and roles are added to the existing ones.
            for edges in ["members", "roles"] {
                assert!(entries(entry, edges).iter().all(|edge| entries(&found, edges).contains(edge)));
                found.as_object_mut().unwrap().remove(edges);
                expected.as_object_mut().unwrap().remove(edges);
            }
            assert_eq!(found, expected);
        }
    }
    assert_eq!(counts(&acme.load(second).await.unwrap()), [0; 10]);
    assert_eq!(counts(&acme.load(dump.clone()).await.unwrap()), [0; 10]);
    assert_eq!(acme.dump().await, dump);
}

/// A list of a directory or of an entry. Empty if omitted.
fn entries<'a>(of: &'a Json, list: &str) -> &'a [Json] {
    of.get(list).and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default()
}
