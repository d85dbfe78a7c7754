use openai_admin::{
    ListEndpoint, ListItem, Order, Page,
    operations::{SearchGroupUsers, SearchGroups, SearchUsers, search::SearchText},
};
use openai_admin_store::{Error, Reads};
use serde_json::json;

use crate::{
    support::{Database, conformance},
    tenant::Tenant,
};

conformance! {
    also in_memory:
    a_user_is_found_by_the_start_of_a_word_of_the_name_or_the_address_or_by_the_start_of_the_id,
    the_user_with_exactly_the_id_or_the_address_is_first_and_on_no_other_page,
    a_group_is_found_by_the_start_of_its_name_or_id,
    members_are_found_in_the_order_of_the_list,
    removed_users_groups_and_members_and_other_organizations_are_not_found,
    the_pages_of_a_search_have_each_match_once,
    an_unknown_group_or_cursor_and_an_invalid_text_are_reported,
}

fn text(text: &str) -> SearchText {
    SearchText::new(text).unwrap()
}

fn users(starts_with: &str) -> SearchUsers {
    SearchUsers::new(text(starts_with))
}

fn groups(starts_with: &str) -> SearchGroups {
    SearchGroups::new(text(starts_with))
}

fn members(starts_with: &str) -> SearchGroupUsers {
    SearchGroupUsers::new("group_1".parse().unwrap(), text(starts_with))
}

/// The ids on all pages of a search.
async fn all_ids<E>(tenant: &Tenant, mut request: E) -> Vec<String>
where
    E: ListEndpoint<Response: Page<Item: ListItem>> + Reads,
{
    let mut ids = Vec::new();
    loop {
        let page = tenant.read(request.clone()).await.unwrap();
        ids.extend(page.items().iter().map(|item| item.id().to_owned()));
        match page.next_cursor() {
            Some(next) => request.set_after(next),
            None => return ids,
        }
    }
}

async fn people(database: &Database) -> Tenant {
    let acme = database.tenant("org-people", 0, json!([])).await;
    acme.load(json!({
        "users": [
            { "id": "user_dana", "name": "Dana Whitfield", "email": "dw@example.com" },
            { "id": "user_zak", "name": "Łukasz Żak", "email": "Lukasz.Zak@Example.com" },
            { "id": "user_bot", "name": "Nightly", "email": "nightly@bots.example.com" },
            { "id": "ada", "name": "", "email": "first@example.com" },
            { "id": "user_ada", "name": "Ada Swhit", "email": "ada@example.com" },
        ],
        "groups": [
            { "id": "group_1", "name": "ML Research", "members": ["user_dana", "user_zak", "user_ada"] },
            { "id": "group_2", "name": "Research", "members": [] },
            { "id": "group_3", "name": "ml-ops", "members": [] },
        ],
    }))
    .await
    .unwrap();
    acme
}

async fn a_user_is_found_by_the_start_of_a_word_of_the_name_or_the_address_or_by_the_start_of_the_id(
    database: Database,
) {
    let acme = people(&database).await;
    for (starts_with, found) in [
        ("dana", &["user_dana"][..]),
        ("WHIT", &["user_dana"]),
        (" whit ", &["user_dana"]),
        ("field", &[]),
        ("żAK", &["user_zak"]),
        ("zak@example", &["user_zak"]),
        ("bots", &["user_bot"]),
        ("user_b", &["user_bot"]),
        ("USER_B", &[]),
        ("%", &[]),
    ] {
        assert_eq!(all_ids(&acme, users(starts_with)).await, found, "{starts_with}");
    }
}

async fn the_user_with_exactly_the_id_or_the_address_is_first_and_on_no_other_page(database: Database) {
    let acme = people(&database).await;
    for (starts_with, found) in [
        ("ada", &["ada", "user_ada"][..]),
        ("user_ada", &["user_ada"]),
        ("ADA@example.com", &["user_ada"]),
        ("user_", &["user_dana", "user_zak", "user_bot", "user_ada"]),
    ] {
        let mut request = users(starts_with);
        request.set_limit(1).unwrap();
        assert_eq!(all_ids(&acme, request).await, found, "{starts_with}");
    }
    // The first users of the list match, and the exact match fills the page.
    acme.load(
        json!({ "users": [{ "id": "dana", "name": "Last" }], "groups": [{ "id": "ml", "name": "Last" }] }),
    )
    .await
    .unwrap();
    let (mut of_users, mut of_groups) = (users("dana"), groups("ml"));
    of_users.set_limit(1).unwrap();
    of_groups.set_limit(1).unwrap();
    assert_eq!(all_ids(&acme, of_users).await, ["dana", "user_dana"]);
    assert_eq!(all_ids(&acme, of_groups).await, ["ml", "group_1", "group_3"]);
    acme.load(json!({ "users": [
        { "id": "user_last", "name": "Last", "email": "example.com@last.example.com" },
        { "id": "user_exact", "name": "Exact", "email": "example@com" },
    ] }))
    .await
    .unwrap();
    assert_eq!(all_ids(&acme, users("example@com")).await, ["user_exact"]);
}

async fn a_group_is_found_by_the_start_of_its_name_or_id(database: Database) {
    let acme = people(&database).await;
    assert_eq!(all_ids(&acme, groups("ml")).await, ["group_1", "group_3"]);
    assert_eq!(all_ids(&acme, groups("Research")).await, ["group_2"]);
    assert_eq!(all_ids(&acme, groups("group_3")).await, ["group_3"]);
    acme.load(json!({ "groups": [{ "id": "ml", "name": "Last" }] })).await.unwrap();
    assert_eq!(all_ids(&acme, groups("ml")).await, ["ml", "group_1", "group_3"]);
    let mut newest_first = groups("group_");
    newest_first.order = Some(Order::Desc);
    assert_eq!(all_ids(&acme, newest_first).await, ["group_3", "group_2", "group_1"]);
}

async fn members_are_found_in_the_order_of_the_list(database: Database) {
    let acme = people(&database).await;
    assert_eq!(all_ids(&acme, members("user_")).await, ["user_ada", "user_zak", "user_dana"]);
    assert_eq!(all_ids(&acme, members("Nightly")).await, Vec::<String>::new());
    let mut oldest_first = members("example");
    oldest_first.order = Some(Order::Asc);
    oldest_first.set_limit(1).unwrap();
    assert_eq!(all_ids(&acme, oldest_first).await, ["user_dana", "user_zak", "user_ada"]);
}

async fn removed_users_groups_and_members_and_other_organizations_are_not_found(database: Database) {
    let acme = people(&database).await;
    let other = database.tenant("org-other", 0, json!([{ "id": "group_1", "name": "Other" }])).await;
    acme.remove("group_1", "user_zak").await.unwrap();
    acme.delete_user("user_dana").await.unwrap();
    acme.delete_group("group_3").await.unwrap();
    assert_eq!(all_ids(&acme, members("user_")).await, ["user_ada"]);
    for deleted in ["dana", "user_dana", "dw@example.com"] {
        assert_eq!(all_ids(&acme, users(deleted)).await, Vec::<String>::new(), "{deleted}");
    }
    assert_eq!(all_ids(&acme, groups("ml")).await, ["group_1"]);
    assert_eq!(all_ids(&other, users("ada@example.com")).await, Vec::<String>::new());
    assert_eq!(all_ids(&other, groups("ML")).await, Vec::<String>::new());
    assert_eq!(all_ids(&other, members("user_")).await, Vec::<String>::new());
}

async fn the_pages_of_a_search_have_each_match_once(database: Database) {
    let members: Vec<String> = (1..=40).map(|number| format!("user_{number}")).collect();
    let acme = database.acme(40, json!([{ "id": "group_1", "name": "One", "members": members }])).await;
    let expected: Vec<String> = members.iter().filter(|id| id.starts_with("user_1")).cloned().collect();
    for limit in 1..=12 {
        let (mut of_all, mut of_group) = (users("user_1"), super::search::members("user_1"));
        of_all.set_limit(limit).unwrap();
        of_group.set_limit(limit).unwrap();
        of_group.order = Some(Order::Asc);
        assert_eq!(all_ids(&acme, of_all).await, expected);
        assert_eq!(all_ids(&acme, of_group).await, expected);
    }
}

async fn an_unknown_group_or_cursor_and_an_invalid_text_are_reported(database: Database) {
    let acme = database.acme(1, json!([])).await;
    let error = acme.read(members("ada")).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error}");
    let mut request = users("ada");
    request.set_after("user_unknown".parse().unwrap());
    let error = acme.read(request).await.unwrap_err();
    assert!(matches!(error, Error::UnknownCursor(_)), "{error}");
    let error = acme.read(users("ada\0")).await.unwrap_err();
    assert!(matches!(error, Error::InvalidValue { ref field, .. } if field == "starts_with"), "{error}");
}
