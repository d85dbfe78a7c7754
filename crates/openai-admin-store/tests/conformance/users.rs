use openai_admin::{Timestamp, UserRole};
use openai_admin_store::{Error, Kind};
use serde_json::json;

use crate::{
    support::{Database, NOW, assert_refused, conformance, user_ids},
    tenant::{Part, ids},
};

conformance! {
    also in_memory:
    a_created_user_is_retrieved_as_in_the_answer,
    a_created_user_gets_an_id_and_the_time_of_the_change,
    a_user_without_email_and_name_is_created,
    two_users_may_have_no_email,
    a_service_account_is_shown_as_one,
    the_email_of_a_user_cannot_be_reused_in_another_case,
    an_email_without_two_sides_is_refused,
    an_unknown_role_is_refused,
    an_unknown_user_is_not_found_by_any_operation,
    users_are_listed_oldest_first,
    a_user_list_has_twenty_by_default,
    a_page_of_users_contains_its_first_and_last_id,
    an_organization_without_users_has_one_empty_page,
    users_are_filtered_by_email_in_the_order_of_the_list,
    a_repeated_email_filter_returns_the_user_once,
    an_unknown_email_matches_no_user,
    a_filtered_list_is_read_in_pages,
    too_many_emails_are_refused,
    changed_metadata_is_kept,
    a_custom_role_is_not_found,
    deleting_a_user_twice_reports_not_found,
    deleting_a_user_deletes_their_memberships,
    deleting_a_user_leaves_managed_groups_without_them,
    the_email_of_a_deleted_user_can_be_reused,
    a_recreated_user_gets_the_old_list_position_but_no_groups,
    [but not:
        the_id_of_a_user_cannot_be_reused,
        a_changed_role_is_kept,
        an_empty_change_changes_nothing,
        a_change_without_a_difference_changes_nothing,
        a_refused_change_of_a_user_changes_nothing,
        deleting_a_user_records_each_removal,
        a_deleted_user_leaves_no_personal_data,
    ]
}

async fn a_created_user_is_retrieved_as_in_the_answer(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let body = json!({ "id": "user_ada", "email": "Ada@Example.com", "name": "Ada", "role": "owner" });
    let created = acme.create_user(body).await.unwrap();
    assert_eq!(created.id, "user_ada");
    assert_eq!(created.email.as_deref(), Some("Ada@Example.com"), "kept as it was written");
    assert_eq!(created.name.as_deref(), Some("Ada"));
    assert_eq!(created.role, Some(UserRole::Owner));
    assert_eq!(acme.user("user_ada").await.unwrap(), created);
    assert_eq!(acme.users(20, None).await.unwrap().data, [created]);
}

async fn a_created_user_gets_an_id_and_the_time_of_the_change(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let created = acme.create_user(json!({ "email": "ada@example.com", "name": "Ada" })).await.unwrap();
    assert!(created.id.as_str().starts_with("user-"));
    assert_eq!(created.added_at, Timestamp::from_unix_seconds(i64::try_from(NOW).unwrap()));
    assert_eq!(created.role, Some(UserRole::Reader));
    assert_eq!(acme.user(created.id.as_str()).await.unwrap(), created);
}

async fn a_user_without_email_and_name_is_created(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let created = acme.create_user(json!({ "id": "user_1", "email": null, "name": "" })).await.unwrap();
    assert_eq!((created.email.as_deref(), created.name.as_deref()), (None, Some("")));
    assert_eq!(acme.user("user_1").await.unwrap(), created);
}

async fn two_users_may_have_no_email(database: Database) {
    let acme = database.acme(0, json!([])).await;
    for id in ["user_1", "user_2"] {
        acme.create_user(json!({ "id": id, "email": null, "name": "Robot" })).await.unwrap();
    }
    assert_eq!(ids(&acme.users(20, None).await.unwrap()), user_ids(2));
}

async fn a_service_account_is_shown_as_one(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let robot = json!({ "id": "user_robot", "email": null, "name": "Robot", "is_service_account": true });
    let person = json!({ "id": "user_ada", "email": null, "name": "Ada", "is_service_account": false });
    assert_eq!(acme.create_user(robot).await.unwrap().is_service_account, Some(true));
    assert_eq!(acme.create_user(person).await.unwrap().is_service_account, None, "written only where true");
    assert_eq!(acme.user("user_robot").await.unwrap().is_service_account, Some(true));
    assert_eq!(acme.user("user_ada").await.unwrap().is_service_account, None);
}

async fn the_id_of_a_user_cannot_be_reused(database: Database) {
    let acme = database.acme(1, json!([])).await;
    let before = (acme.dump().await, database.events());
    let again =
        acme.create_user(json!({ "id": "user_1", "email": "other@example.com", "name": "Other" })).await;
    assert_refused!(
        again,
        Error::AlreadyExists { kind: Kind::User, field: "id", value } if value == "user_1"
    );
    assert_eq!((acme.dump().await, database.events()), before);
}

async fn the_email_of_a_user_cannot_be_reused_in_another_case(database: Database) {
    let acme = database.acme(1, json!([])).await;
    for email in ["user_1@example.com", "USER_1@EXAMPLE.COM", " User_1@example.com "] {
        let again = acme.create_user(json!({ "email": email, "name": "Other" })).await;
        assert_refused!(again, Error::AlreadyExists { kind: Kind::User, field: "email", .. });
    }
    assert_eq!(acme.users(20, None).await.unwrap().data.len(), 1);
}

async fn an_email_without_two_sides_is_refused(database: Database) {
    let acme = database.acme(0, json!([])).await;
    for email in ["ada", "@example.com", "ada@", " @ "] {
        let created = acme.create_user(json!({ "email": email, "name": "Ada" })).await;
        assert_refused!(created, Error::InvalidValue { field, .. } if field == "email");
    }
}

async fn an_unknown_role_is_refused(database: Database) {
    let acme = database.acme(1, json!([])).await;
    let created = acme.create_user(json!({ "email": null, "name": "Ada", "role": "emperor" })).await;
    assert_refused!(created, Error::InvalidValue { field, .. } if field == "role");
    let modified = acme.modify_user("user_1", json!({ "role": "emperor" })).await;
    assert_refused!(modified, Error::InvalidValue { field, .. } if field == "role");
}

async fn an_unknown_user_is_not_found_by_any_operation(database: Database) {
    let acme = database.acme(1, json!([])).await;
    acme.delete_user("user_1").await.unwrap();
    for user in ["user_none", "user_1", "USER_1"] {
        macro_rules! assert_not_found {
            ($result:expr) => {
                assert_refused!($result, Error::NotFound { kind: Kind::User, id } if id == user)
            };
        }
        assert_not_found!(acme.user(user).await);
        assert_not_found!(acme.modify_user(user, json!({ "role": "owner" })).await);
        assert_not_found!(acme.delete_user(user).await);
        assert_not_found!(acme.groups_of(user, Part::new()).await);
    }
}

async fn users_are_listed_oldest_first(database: Database) {
    let acme = database.acme(3, json!([])).await;
    acme.load(json!({ "users": [{ "id": "user_0", "added_at": 1 }] })).await.unwrap();
    let page = acme.users(100, None).await.unwrap();
    assert_eq!(ids(&page), ["user_1", "user_2", "user_3", "user_0"], "in the order of creation");
}

async fn a_user_list_has_twenty_by_default(database: Database) {
    let acme = database.acme(21, json!([])).await;
    let request = openai_admin::operations::ListUsers::new();
    let page = acme.read(request).await.unwrap();
    assert_eq!((ids(&page).len(), page.has_more), (20, true));
}

async fn a_page_of_users_contains_its_first_and_last_id(database: Database) {
    let acme = database.acme(3, json!([])).await;
    let page = acme.users(2, None).await.unwrap();
    assert_eq!((page.first_id.unwrap().as_str(), page.last_id.unwrap().as_str()), ("user_1", "user_2"));
    assert!(page.has_more);
    let page = acme.users(3, None).await.unwrap();
    assert!(!page.has_more, "exactly all");
    let page = acme.users(2, Some("user_2")).await.unwrap();
    assert_eq!((page.first_id.unwrap().as_str(), page.last_id.unwrap().as_str()), ("user_3", "user_3"));
    assert!(!page.has_more);
}

async fn an_organization_without_users_has_one_empty_page(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let page = acme.users(20, None).await.unwrap();
    assert_eq!((page.data, page.first_id, page.last_id, page.has_more), (vec![], None, None, false));
}

async fn users_are_filtered_by_email_in_the_order_of_the_list(database: Database) {
    let acme = database.acme(5, json!([])).await;
    let emails = ["user_4@example.com", "USER_2@EXAMPLE.COM", "none@example.com", " user_5@example.com "];
    let page = acme.users_with(20, None, &emails).await.unwrap();
    assert_eq!((ids(&page), page.has_more), (vec!["user_2", "user_4", "user_5"], false));
}

async fn a_repeated_email_filter_returns_the_user_once(database: Database) {
    let acme = database.acme(2, json!([])).await;
    let emails = ["user_2@example.com", "user_1@example.com", "User_2@Example.com"];
    assert_eq!(ids(&acme.users_with(20, None, &emails).await.unwrap()), user_ids(2));
}

async fn an_unknown_email_matches_no_user(database: Database) {
    let acme = database.acme(2, json!([])).await;
    for email in ["none@example.com", "", "%@example.com", "user_1@example.com%", "user_1"] {
        let page = acme.users_with(20, None, &[email]).await.unwrap();
        assert_eq!((page.data, page.has_more), (vec![], false), "{email}");
    }
}

async fn a_filtered_list_is_read_in_pages(database: Database) {
    let acme = database.acme(6, json!([])).await;
    let emails = ["user_5@example.com", "user_1@example.com", "user_3@example.com"];
    let page = acme.users_with(2, None, &emails).await.unwrap();
    assert_eq!((ids(&page), page.has_more), (vec!["user_1", "user_3"], true));
    let page = acme.users_with(2, Some("user_3"), &emails).await.unwrap();
    assert_eq!((ids(&page), page.has_more), (vec!["user_5"], false));
    let page = acme.users_with(3, None, &emails).await.unwrap();
    assert!(!page.has_more, "exactly all");
    let page = acme.users_with(2, Some("user_2"), &emails).await.unwrap();
    assert_eq!(ids(&page), ["user_3", "user_5"], "any user is a cursor");
}

async fn too_many_emails_are_refused(database: Database) {
    let acme = database.acme(1, json!([])).await;
    let mut emails = vec!["user_1@example.com"; 1000];
    assert_eq!(ids(&acme.users_with(20, None, &emails).await.unwrap()), ["user_1"]);
    emails.push("user_1@example.com");
    let refused = acme.users_with(20, None, &emails).await;
    assert_refused!(refused, Error::InvalidValue { field, .. } if field == "emails");
}

async fn a_changed_role_is_kept(database: Database) {
    let acme = database.acme(1, json!([])).await;
    let before = database.events().len();
    let mut expected = acme.user("user_1").await.unwrap();
    expected.role = Some(UserRole::Owner);
    assert_eq!(acme.modify_user("user_1", json!({ "role": "owner" })).await.unwrap(), expected);
    assert_eq!(acme.user("user_1").await.unwrap(), expected, "and everything else as well");
    assert_eq!(database.events_since(before), ["user.updated user_1"]);
}

async fn changed_metadata_is_kept(database: Database) {
    let acme = database.acme(1, json!([])).await;
    let change = json!({ "technical_level": "expert", "developer_persona": "" });
    let modified = acme.modify_user("user_1", change).await.unwrap();
    assert_eq!(modified.technical_level.as_deref(), Some("expert"));
    assert_eq!(modified.developer_persona.as_deref(), Some(""), "empty is not absent");
    assert_eq!(modified.role, Some(UserRole::Reader), "absent stays");
    assert_eq!(acme.user("user_1").await.unwrap(), modified);
}

async fn an_empty_change_changes_nothing(database: Database) {
    let acme = database.acme(1, json!([])).await;
    let before = (acme.user("user_1").await.unwrap(), database.events());
    let answer = acme.modify_user("user_1", json!({})).await.unwrap();
    assert_eq!((answer, database.events()), before, "nor does it record an event");
}

async fn a_change_without_a_difference_changes_nothing(database: Database) {
    let acme = database.acme(1, json!([])).await;
    let before = database.events();
    acme.modify_user("user_1", json!({ "role": "reader" })).await.unwrap();
    assert_eq!(database.events(), before);
}

async fn a_custom_role_is_not_found(database: Database) {
    let acme = database.acme(1, json!([])).await;
    let modified = acme.modify_user("user_1", json!({ "role_id": "role_1" })).await;
    assert_refused!(modified, Error::NotFound { kind: Kind::Role, id } if id == "role_1");
}

async fn a_refused_change_of_a_user_changes_nothing(database: Database) {
    let acme = database.acme(1, json!([])).await;
    let before = (acme.user("user_1").await.unwrap(), database.events());
    let change = json!({ "technical_level": "expert", "role": "emperor" });
    acme.modify_user("user_1", change).await.unwrap_err();
    acme.modify_user("user_1", json!({ "role": "owner", "role_id": "role_1" })).await.unwrap_err();
    assert_eq!((acme.user("user_1").await.unwrap(), database.events()), before);
}

async fn deleting_a_user_twice_reports_not_found(database: Database) {
    let acme = database.acme(1, json!([])).await;
    acme.delete_user("user_1").await.unwrap();
    assert_refused!(acme.delete_user("user_1").await, Error::NotFound { kind: Kind::User, .. });
}

fn two_groups() -> serde_json::Value {
    json!([
        { "id": "group_1", "name": "One", "members": ["user_1", "user_2"] },
        { "id": "group_2", "name": "Two", "members": ["user_1"] },
    ])
}

async fn deleting_a_user_deletes_their_memberships(database: Database) {
    let acme = database.acme(2, two_groups()).await;
    acme.delete_user("user_1").await.unwrap();
    assert_eq!(acme.member_ids("group_1").await, ["user_2"]);
    assert_eq!(acme.member_ids("group_2").await, Vec::<String>::new());
    assert_eq!(ids(&acme.users(20, None).await.unwrap()), ["user_2"]);
}

async fn deleting_a_user_records_each_removal(database: Database) {
    let acme = database.acme(2, two_groups()).await;
    let before = database.events().len();
    acme.delete_user("user_1").await.unwrap();
    let expected =
        ["group.user.removed group_1 user_1", "group.user.removed group_2 user_1", "user.deleted user_1"];
    assert_eq!(database.events_since(before), expected);
}

async fn deleting_a_user_leaves_managed_groups_without_them(database: Database) {
    let group = json!({ "id": "group_1", "name": "Staff", "is_scim_managed": true, "members": ["user_1"] });
    let acme = database.acme(1, json!([group])).await;
    acme.delete_user("user_1").await.unwrap();
    assert_eq!(acme.member_ids("group_1").await, Vec::<String>::new());
}

async fn a_deleted_user_leaves_no_personal_data(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let ada = json!({
        "id": "user_ada", "email": "ada@example.com", "name": "Ada", "picture": "https://example.com/ada.png",
        "technical_level": "expert", "developer_persona": "author",
    });
    acme.load(json!({ "users": [ada] })).await.unwrap();
    acme.delete_user("user_ada").await.unwrap();
    let left = database.texts(
        "select coalesce(email, '') || coalesce(email_key, '') || name || coalesce(picture, '')
             || coalesce(technical_level, '') || coalesce(developer_persona, '') from users",
    );
    assert_eq!(left, [""]);
}

async fn the_email_of_a_deleted_user_can_be_reused(database: Database) {
    let acme = database.acme(1, json!([])).await;
    acme.delete_user("user_1").await.unwrap();
    let again = json!({ "id": "user_2", "email": "user_1@example.com", "name": "Successor" });
    acme.create_user(again).await.unwrap();
    let found = acme.users_with(20, None, &["user_1@example.com"]).await.unwrap();
    assert_eq!(ids(&found), ["user_2"]);
}

async fn a_recreated_user_gets_the_old_list_position_but_no_groups(database: Database) {
    let acme = database.acme(3, json!([{ "id": "group_1", "name": "One", "members": user_ids(3) }])).await;
    acme.delete_user("user_2").await.unwrap();
    let again = json!({ "id": "user_2", "email": "new@example.com", "name": "New" });
    let created = acme.create_user(again).await.unwrap();
    assert_eq!(acme.user("user_2").await.unwrap(), created);
    assert_eq!(ids(&acme.users(20, None).await.unwrap()), user_ids(3), "the old position");
    assert_eq!(acme.groups_of("user_2", Part::new()).await.unwrap().data, [], "no old groups");
    assert_eq!(acme.member_ids("group_1").await, ["user_1", "user_3"]);
}
