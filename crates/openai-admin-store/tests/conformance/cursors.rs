use std::collections::BTreeSet;

use openai_admin::{NextPage, Order};
use openai_admin_store::{Error, Result};
use serde_json::{Value as Json, json};

use crate::{
    support::{Database, assert_refused, conformance, user_ids},
    tenant::{Part, Tenant, ids},
};

conformance! {
    also in_memory:
    paging_a_group_lists_each_member_once_at_every_page_size,
    paging_the_groups_lists_each_group_once_at_every_page_size,
    paging_the_groups_of_a_user_lists_each_group_once_at_every_page_size,
    paging_the_users_lists_each_user_once_at_every_page_size,
    the_next_of_a_page_is_its_last_id,
    the_id_of_any_member_is_a_cursor,
    the_page_after_the_last_member_is_empty,
    the_id_of_a_removed_member_stays_a_valid_cursor,
    a_member_deleted_from_the_organization_stays_a_valid_cursor,
    the_id_of_a_deleted_user_stays_a_valid_cursor,
    the_id_of_a_deleted_group_stays_a_valid_cursor,
    the_id_of_a_left_group_stays_a_valid_cursor,
    an_unknown_id_is_not_a_cursor,
    a_tampered_cursor_is_unknown,
    an_id_of_another_list_is_not_a_cursor,
    an_id_of_another_organization_is_not_a_cursor,
    an_empty_page_does_not_check_the_cursor,
    paging_lists_permanent_members_exactly_once_while_others_change,
    a_member_who_is_added_again_during_paging_is_not_listed_twice,
    a_cursor_stays_valid_when_all_later_items_are_deleted,
}

async fn team(database: &Database, people: usize) -> Tenant {
    database.acme(people, json!([{ "id": "group_1", "name": "One", "members": user_ids(people) }])).await
}

/// Reads a list to its end and checks `has_more` and `next` of each page.
async fn walk<T, F>(limit: usize, read: impl Fn(Option<String>) -> F) -> Vec<String>
where
    T: openai_admin::ListItem + Send,
    F: Future<Output = Result<NextPage<T>>>,
{
    let mut met = Vec::new();
    let mut after = None;
    loop {
        let page = read(after.clone()).await.unwrap();
        met.extend(ids(&page).into_iter().map(str::to_owned));
        assert!(page.data.len() <= limit, "a page holds at most its limit");
        assert_eq!(page.next.is_some(), page.has_more, "next goes with has_more");
        let Some(next) = page.next else { return met };
        assert_eq!(page.data.len(), limit, "only the last page may be short");
        let next = Some(next.to_string());
        assert_ne!(next, after, "a repeated cursor would never end");
        after = next;
    }
}

fn part(limit: usize, order: Order, after: Option<&str>) -> Part<'_> {
    let part = Part::new().limit(limit).order(order);
    after.map_or(part, |after| part.after(after))
}

async fn walk_members(acme: &Tenant, limit: usize, order: Order) -> Vec<String> {
    walk(limit, async |after| acme.members("group_1", part(limit, order, after.as_deref())).await).await
}

fn reversed(mut ids: Vec<String>) -> Vec<String> {
    ids.reverse();
    ids
}

async fn paging_a_group_lists_each_member_once_at_every_page_size(database: Database) {
    let acme = team(&database, 7).await;
    for limit in [1, 2, 3, 6, 7, 8, 1000] {
        assert_eq!(walk_members(&acme, limit, Order::Asc).await, user_ids(7), "limit {limit}");
        assert_eq!(walk_members(&acme, limit, Order::Desc).await, reversed(user_ids(7)), "limit {limit}");
    }
}

async fn paging_the_groups_lists_each_group_once_at_every_page_size(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let mut created = Vec::new();
    for _ in 0..7 {
        created.push(acme.create_group("Same name").await.unwrap().id.to_string());
    }
    for limit in [1, 2, 6, 7, 8] {
        for (order, expected) in [(Order::Asc, created.clone()), (Order::Desc, reversed(created.clone()))] {
            let met =
                walk(limit, async |after| acme.groups(part(limit, order, after.as_deref())).await).await;
            assert_eq!(met, expected, "limit {limit}");
        }
    }
}

async fn paging_the_groups_of_a_user_lists_each_group_once_at_every_page_size(database: Database) {
    let ids: Vec<String> = (1..=7).map(|number| format!("group_{number}")).collect();
    let groups: Vec<Json> =
        ids.iter().map(|id| json!({ "id": id, "name": "Same name", "members": ["user_1"] })).collect();
    let acme = database.acme(1, Json::from(groups)).await;
    for limit in [1, 2, 6, 7, 8] {
        for (order, expected) in [(Order::Asc, ids.clone()), (Order::Desc, reversed(ids.clone()))] {
            let met = walk(limit, async |after| {
                acme.groups_of("user_1", part(limit, order, after.as_deref())).await
            })
            .await;
            assert_eq!(met, expected, "limit {limit}");
        }
    }
}

async fn paging_the_users_lists_each_user_once_at_every_page_size(database: Database) {
    let acme = database.acme(7, json!([])).await;
    for limit in [1, 2, 6, 7, 8, 100] {
        let (mut met, mut after) = (Vec::new(), None);
        loop {
            let page = acme.users(limit, after.as_deref()).await.unwrap();
            met.extend(ids(&page).into_iter().map(str::to_owned));
            assert_eq!(page.first_id.as_ref().map(|id| id.as_str()), ids(&page).first().copied());
            assert_eq!(page.last_id.as_ref().map(|id| id.as_str()), ids(&page).last().copied());
            if !page.has_more {
                break;
            }
            after = page.last_id.map(|id| id.to_string());
        }
        assert_eq!(met, user_ids(7), "limit {limit}");
    }
}

async fn the_next_of_a_page_is_its_last_id(database: Database) {
    let acme = team(&database, 3).await;
    let page = acme.members("group_1", Part::new().limit(2)).await.unwrap();
    assert_eq!((ids(&page), page.next.as_ref().unwrap().as_str()), (vec!["user_3", "user_2"], "user_2"));
}

async fn after(acme: &Tenant, cursor: &str, order: Order) -> Vec<String> {
    let page = acme.members("group_1", Part::new().after(cursor).order(order)).await.unwrap();
    ids(&page).into_iter().map(str::to_owned).collect()
}

async fn the_id_of_any_member_is_a_cursor(database: Database) {
    let acme = team(&database, 4).await;
    assert_eq!(after(&acme, "user_2", Order::Asc).await, ["user_3", "user_4"]);
    assert_eq!(after(&acme, "user_2", Order::Desc).await, ["user_1"]);
}

async fn the_page_after_the_last_member_is_empty(database: Database) {
    let acme = team(&database, 3).await;
    for (last, order) in [("user_3", Order::Asc), ("user_1", Order::Desc)] {
        let page = acme.members("group_1", Part::new().after(last).order(order)).await.unwrap();
        assert_eq!((page.data, page.has_more, page.next), (vec![], false, None));
    }
}

async fn the_id_of_a_removed_member_stays_a_valid_cursor(database: Database) {
    let acme = team(&database, 4).await;
    acme.remove("group_1", "user_2").await.unwrap();
    assert_eq!(after(&acme, "user_2", Order::Asc).await, ["user_3", "user_4"]);
    assert_eq!(after(&acme, "user_2", Order::Desc).await, ["user_1"]);
}

async fn a_member_deleted_from_the_organization_stays_a_valid_cursor(database: Database) {
    let acme = team(&database, 4).await;
    acme.delete_user("user_2").await.unwrap();
    assert_eq!(after(&acme, "user_2", Order::Asc).await, ["user_3", "user_4"]);
    assert_eq!(after(&acme, "user_2", Order::Desc).await, ["user_1"]);
}

async fn the_id_of_a_deleted_user_stays_a_valid_cursor(database: Database) {
    let acme = database.acme(4, json!([])).await;
    acme.delete_user("user_2").await.unwrap();
    assert_eq!(ids(&acme.users(100, Some("user_2")).await.unwrap()), ["user_3", "user_4"]);
}

async fn the_id_of_a_deleted_group_stays_a_valid_cursor(database: Database) {
    let groups = json!([
        { "id": "group_1", "name": "One" },
        { "id": "group_2", "name": "Two" },
        { "id": "group_3", "name": "Three" },
    ]);
    let acme = database.acme(0, groups).await;
    acme.delete_group("group_2").await.unwrap();
    assert_eq!(ids(&acme.groups(Part::new().after("group_2")).await.unwrap()), ["group_3"]);
    assert_eq!(ids(&acme.groups(Part::new().after("group_2").desc()).await.unwrap()), ["group_1"]);
}

async fn the_id_of_a_left_group_stays_a_valid_cursor(database: Database) {
    let groups = json!([
        { "id": "group_1", "name": "One", "members": ["user_1"] },
        { "id": "group_2", "name": "Two", "members": ["user_1"] },
        { "id": "group_3", "name": "Three", "members": ["user_1"] },
    ]);
    let acme = database.acme(1, groups).await;
    acme.remove("group_2", "user_1").await.unwrap();
    let after = Part::new().after("group_2");
    assert_eq!(ids(&acme.groups_of("user_1", after).await.unwrap()), ["group_3"]);
    acme.delete_group("group_2").await.unwrap();
    assert_eq!(ids(&acme.groups_of("user_1", after.desc()).await.unwrap()), ["group_1"]);
}

async fn assert_no_place(acme: &Tenant, cursor: &str) {
    let part = Part::new().after(cursor);
    assert_refused!(acme.members("group_1", part).await, Error::UnknownCursor(found) if found == cursor);
    assert_refused!(acme.members("group_1", part.asc()).await, Error::UnknownCursor(_));
    assert_refused!(acme.groups(part).await, Error::UnknownCursor(_));
    assert_refused!(acme.groups_of("user_1", part).await, Error::UnknownCursor(_));
    assert_refused!(acme.users(20, Some(cursor)).await, Error::UnknownCursor(_));
    let by_email = acme.users_with(20, Some(cursor), &["user_1@example.com"]).await;
    assert_refused!(by_email, Error::UnknownCursor(_));
}

async fn an_unknown_id_is_not_a_cursor(database: Database) {
    let acme = team(&database, 2).await;
    assert_no_place(&acme, "user_none").await;
    assert_no_place(&acme, "0").await;
    assert_no_place(&acme, &"x".repeat(512)).await;
}

async fn a_tampered_cursor_is_unknown(database: Database) {
    let acme = team(&database, 2).await;
    for tampered in ["USER_1", "user_1 ", " user_1", "user_1%", "user__", "%", "user_1\u{301}"] {
        assert_no_place(&acme, tampered).await;
    }
}

async fn an_id_of_another_list_is_not_a_cursor(database: Database) {
    let acme = team(&database, 2).await;
    let (group, user) = (Part::new().after("group_1"), Part::new().after("user_1"));
    assert_refused!(acme.members("group_1", group).await, Error::UnknownCursor(_));
    assert_refused!(acme.users(20, Some("group_1")).await, Error::UnknownCursor(_));
    assert_refused!(acme.groups(user).await, Error::UnknownCursor(_));
    assert_refused!(acme.groups_of("user_1", user).await, Error::UnknownCursor(_));
}

async fn an_id_of_another_organization_is_not_a_cursor(database: Database) {
    let acme = team(&database, 2).await;
    let other = database.tenant("org-other", 0, json!([{ "id": "group_other", "name": "Other" }])).await;
    other.load(json!({ "users": [{ "id": "user_other" }] })).await.unwrap();
    assert_no_place(&acme, "user_other").await;
    assert_no_place(&acme, "group_other").await;
}

async fn an_empty_page_does_not_check_the_cursor(database: Database) {
    let acme = team(&database, 2).await;
    let part = Part::new().limit(0).after("user_none");
    let page = acme.members("group_1", part).await.unwrap();
    assert_eq!((page.data, page.has_more, page.next), (vec![], false, None));
    assert_eq!(acme.groups(part).await.unwrap().data, []);
    assert_eq!(acme.groups_of("user_1", part).await.unwrap().data, []);
}

async fn paging_lists_permanent_members_exactly_once_while_others_change(database: Database) {
    let group = |id: &str| json!({ "id": id, "name": "Team", "members": user_ids(20) });
    let acme = database.acme(30, json!([group("group_asc"), group("group_desc")])).await;
    for (group, order) in [("group_asc", Order::Asc), ("group_desc", Order::Desc)] {
        let (mut met, mut after): (Vec<String>, Option<String>) = (Vec::new(), None);
        // 1 to 10 stay members. With each page, one of 11 to 20 is removed, listed or not, and one of 21 to 30 is
        // added.
        for number in 1.. {
            let page = acme.members(group, part(2, order, after.as_deref())).await.unwrap();
            met.extend(ids(&page).into_iter().map(str::to_owned));
            let Some(next) = page.next else { break };
            after = Some(next.to_string());
            if number <= 10 {
                acme.remove(group, &format!("user_{}", number + 10)).await.unwrap();
                acme.add(group, &format!("user_{}", number + 20)).await.unwrap();
            }
        }
        let distinct: BTreeSet<&String> = met.iter().collect();
        assert_eq!(distinct.len(), met.len(), "no member twice: {met:?}");
        assert!(user_ids(10).iter().all(|id| distinct.contains(id)), "every permanent member: {met:?}");
    }
}

async fn a_member_who_is_added_again_during_paging_is_not_listed_twice(database: Database) {
    let acme = team(&database, 4).await;
    let first = acme.members("group_1", Part::new().limit(2).asc()).await.unwrap();
    assert_eq!(ids(&first), ["user_1", "user_2"]);
    acme.remove("group_1", "user_1").await.unwrap();
    acme.add("group_1", "user_1").await.unwrap();
    acme.delete_user("user_2").await.unwrap();
    acme.create_user(json!({ "id": "user_2", "email": null, "name": "Back" })).await.unwrap();
    acme.add("group_1", "user_2").await.unwrap();
    assert_eq!(after(&acme, first.next.unwrap().as_str(), Order::Asc).await, ["user_3", "user_4"]);
}

async fn a_cursor_stays_valid_when_all_later_items_are_deleted(database: Database) {
    let acme = team(&database, 4).await;
    let first = acme.members("group_1", Part::new().limit(2).asc()).await.unwrap();
    assert!(first.has_more);
    for user in user_ids(4) {
        acme.delete_user(&user).await.unwrap();
    }
    assert_eq!(after(&acme, first.next.unwrap().as_str(), Order::Asc).await, Vec::<String>::new());
}
