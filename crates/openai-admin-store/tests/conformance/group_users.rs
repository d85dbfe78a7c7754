use openai_admin::UserType;
use openai_admin_store::{Error, Kind};
use serde_json::{Value as Json, json};

use crate::{
    support::{Database, assert_refused, conformance, user_ids},
    tenant::{Part, Tenant, ids},
};

conformance! {
    also in_memory:
    an_added_user_is_a_member,
    a_removed_user_is_not_a_member,
    removing_a_user_twice_reports_not_member,
    retrieving_a_non_member_reports_not_member,
    an_unknown_group_and_an_unknown_user_are_reported_differently,
    a_user_of_another_organization_cannot_be_added,
    a_member_is_retrieved_with_all_six_fields,
    a_member_without_email_and_name_is_shown_without,
    a_listed_member_has_the_current_name_and_email,
    a_user_may_be_in_many_groups,
    a_removed_user_may_be_added_again,
    members_are_listed_newest_user_first_by_default,
    members_are_listed_in_the_order_of_users_not_of_adding,
    a_page_of_no_users_is_empty_and_the_last,
    a_page_of_exactly_all_users_is_the_last,
    a_page_one_short_of_all_users_has_more,
    an_empty_group_has_one_empty_page,
    a_page_has_100_users_by_default,
    a_page_has_at_most_1000_users,
    [but not:
        adding_a_member_again_changes_nothing,
        each_membership_change_records_one_event,
        a_refused_change_records_no_event,
    ]
}

fn team(members: &[&str]) -> Json {
    json!([{ "id": "group_1", "name": "One", "members": members }])
}

async fn an_added_user_is_a_member(database: Database) {
    let acme = database.acme(2, team(&[])).await;
    let added = acme.add("group_1", "user_1").await.unwrap();
    assert_eq!((added.group_id.as_str(), added.user_id.as_str()), ("group_1", "user_1"));
    assert_eq!(acme.member("group_1", "user_1").await.unwrap().id, "user_1");
    assert_eq!(acme.member_ids("group_1").await, ["user_1"]);
    assert_eq!(ids(&acme.groups_of("user_1", Part::new()).await.unwrap()), ["group_1"]);
}

async fn adding_a_member_again_changes_nothing(database: Database) {
    let acme = database.acme(1, team(&[])).await;
    let first = acme.add("group_1", "user_1").await.unwrap();
    let before = (acme.dump().await, database.events());
    let second = acme.add("group_1", "user_1").await.unwrap();
    assert_eq!(first, second, "a retry reads the answer of the first attempt");
    assert_eq!((acme.dump().await, database.events()), before);
}

async fn a_removed_user_is_not_a_member(database: Database) {
    let acme = database.acme(2, team(&["user_1", "user_2"])).await;
    acme.remove("group_1", "user_1").await.unwrap();
    assert_eq!(acme.member_ids("group_1").await, ["user_2"]);
    assert_eq!(acme.groups_of("user_1", Part::new()).await.unwrap().data, []);
    assert_eq!(acme.user("user_1").await.unwrap().id, "user_1", "still in the organization");
}

async fn removing_a_user_twice_reports_not_member(database: Database) {
    let acme = database.acme(1, team(&["user_1"])).await;
    acme.remove("group_1", "user_1").await.unwrap();
    assert_refused!(
        acme.remove("group_1", "user_1").await,
        Error::NotMember { group_id, user_id } if group_id == "group_1" && user_id == "user_1"
    );
}

async fn retrieving_a_non_member_reports_not_member(database: Database) {
    let acme = database.acme(2, team(&["user_1"])).await;
    assert_refused!(
        acme.member("group_1", "user_2").await,
        Error::NotMember { group_id, user_id } if group_id == "group_1" && user_id == "user_2"
    );
}

async fn an_unknown_group_and_an_unknown_user_are_reported_differently(database: Database) {
    let acme = database.acme(1, team(&["user_1"])).await;
    macro_rules! assert_not_found {
        ($operation:ident) => {
            let unknown_group = acme.$operation("group_none", "user_1").await;
            assert_refused!(unknown_group, Error::NotFound { kind: Kind::Group, id } if id == "group_none");
            let unknown_user = acme.$operation("group_1", "user_none").await;
            assert_refused!(unknown_user, Error::NotFound { kind: Kind::User, id } if id == "user_none");
        };
    }
    assert_not_found!(add);
    assert_not_found!(remove);
    assert_not_found!(member);
}

async fn a_user_of_another_organization_cannot_be_added(database: Database) {
    let acme = database.acme(1, team(&[])).await;
    acme.delete_user("user_1").await.unwrap();
    let deleted = acme.add("group_1", "user_1").await;
    assert_refused!(deleted, Error::NotFound { kind: Kind::User, id } if id == "user_1");
    assert_eq!(acme.member_ids("group_1").await, Vec::<String>::new());
}

async fn a_member_is_retrieved_with_all_six_fields(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let robot = json!({
        "id": "user_robot", "email": "robot@example.com", "name": "Robot", "is_service_account": true,
        "picture": "https://example.com/robot.png", "user_type": "tenant_user",
    });
    let groups = json!([{ "id": "group_1", "name": "One", "members": ["user_robot"] }]);
    acme.load(json!({ "users": [robot], "groups": groups })).await.unwrap();
    let member = acme.member("group_1", "user_robot").await.unwrap();
    assert_eq!(member.name, "Robot");
    assert_eq!(member.email.unwrap(), "robot@example.com");
    assert_eq!(member.picture.unwrap(), "https://example.com/robot.png");
    assert_eq!(member.is_service_account, Some(true));
    assert_eq!(member.user_type, UserType::TenantUser);
}

async fn a_member_without_email_and_name_is_shown_without(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let groups = json!([{ "id": "group_1", "name": "One", "members": ["user_bare"] }]);
    acme.load(json!({ "users": [{ "id": "user_bare" }], "groups": groups })).await.unwrap();
    let member = acme.member("group_1", "user_bare").await.unwrap();
    assert_eq!((member.name.as_str(), member.email, member.picture), ("", None, None));
    assert_eq!((member.is_service_account, member.user_type), (Some(false), UserType::User));
    let page = acme.members("group_1", Part::new()).await.unwrap();
    assert_eq!((page.data[0].name.as_str(), &page.data[0].email), ("", &None));
}

async fn a_listed_member_has_the_current_name_and_email(database: Database) {
    let acme = database.acme(1, team(&["user_1"])).await;
    let renamed = json!({ "id": "user_1", "email": "new@example.com", "name": "New" });
    acme.load(json!({ "users": [renamed] })).await.unwrap();
    let page = acme.members("group_1", Part::new()).await.unwrap();
    assert_eq!(page.data[0].name, "New");
    assert_eq!(page.data[0].email.as_deref(), Some("new@example.com"));
}

async fn a_user_may_be_in_many_groups(database: Database) {
    let acme = database.acme(1, json!([])).await;
    for number in 0..5 {
        let group = acme.create_group(&format!("Group {number}")).await.unwrap();
        acme.add(group.id.as_str(), "user_1").await.unwrap();
    }
    assert_eq!(acme.groups_of("user_1", Part::new()).await.unwrap().data.len(), 5);
}

async fn a_removed_user_may_be_added_again(database: Database) {
    let acme = database.acme(3, team(&["user_1", "user_2", "user_3"])).await;
    acme.remove("group_1", "user_2").await.unwrap();
    acme.add("group_1", "user_2").await.unwrap();
    assert_eq!(acme.member_ids("group_1").await, user_ids(3), "at the same position");
}

async fn each_membership_change_records_one_event(database: Database) {
    let acme = database.acme(1, team(&[])).await;
    let before = database.events().len();
    acme.add("group_1", "user_1").await.unwrap();
    acme.remove("group_1", "user_1").await.unwrap();
    let expected = ["group.user.added group_1 user_1", "group.user.removed group_1 user_1"];
    assert_eq!(database.events_since(before), expected);
}

async fn a_refused_change_records_no_event(database: Database) {
    let acme = database.acme(1, team(&[])).await;
    let before = database.events();
    acme.add("group_1", "user_none").await.unwrap_err();
    acme.add("group_none", "user_1").await.unwrap_err();
    acme.remove("group_1", "user_1").await.unwrap_err();
    acme.rename_group("group_none", "Name").await.unwrap_err();
    acme.delete_user("user_none").await.unwrap_err();
    assert_eq!(database.events(), before);
}

async fn members_are_listed_newest_user_first_by_default(database: Database) {
    let acme = database.acme(3, team(&["user_1", "user_2", "user_3"])).await;
    let newest_first = ["user_3", "user_2", "user_1"];
    assert_eq!(ids(&acme.members("group_1", Part::new()).await.unwrap()), newest_first);
    assert_eq!(ids(&acme.members("group_1", Part::new().desc()).await.unwrap()), newest_first);
    assert_eq!(ids(&acme.members("group_1", Part::new().asc()).await.unwrap()), user_ids(3));
}

async fn members_are_listed_in_the_order_of_users_not_of_adding(database: Database) {
    let acme = database.acme(4, team(&[])).await;
    for user in ["user_3", "user_1", "user_4", "user_2"] {
        acme.add("group_1", user).await.unwrap();
    }
    assert_eq!(acme.member_ids("group_1").await, user_ids(4));
}

async fn page_of(acme: &Tenant, limit: usize) -> (Vec<String>, bool, Option<String>) {
    let page = acme.members("group_1", Part::new().limit(limit).asc()).await.unwrap();
    let ids = ids(&page).into_iter().map(str::to_owned).collect();
    (ids, page.has_more, page.next.map(|next| next.to_string()))
}

async fn a_page_of_no_users_is_empty_and_the_last(database: Database) {
    let acme = database.acme(1, team(&["user_1"])).await;
    assert_eq!(page_of(&acme, 0).await, (vec![], false, None));
    assert_eq!(acme.groups(Part::new().limit(0)).await.unwrap().data, []);
    let groups = acme.groups_of("user_1", Part::new().limit(0)).await.unwrap();
    assert_eq!((groups.data.len(), groups.has_more, groups.next), (0, false, None));
}

async fn a_page_of_exactly_all_users_is_the_last(database: Database) {
    let acme = database.acme(3, team(&["user_1", "user_2", "user_3"])).await;
    assert_eq!(page_of(&acme, 3).await, (user_ids(3), false, None));
    assert_eq!(page_of(&acme, 4).await, (user_ids(3), false, None));
}

async fn a_page_one_short_of_all_users_has_more(database: Database) {
    let acme = database.acme(3, team(&["user_1", "user_2", "user_3"])).await;
    assert_eq!(page_of(&acme, 2).await, (user_ids(2), true, Some("user_2".to_owned())));
    assert_eq!(page_of(&acme, 1).await, (user_ids(1), true, Some("user_1".to_owned())));
}

async fn an_empty_group_has_one_empty_page(database: Database) {
    let acme = database.acme(1, team(&[])).await;
    assert_eq!(page_of(&acme, 100).await, (vec![], false, None));
}

async fn a_page_has_100_users_by_default(database: Database) {
    let members = user_ids(101);
    let acme = database.acme(101, json!([{ "id": "group_1", "name": "One", "members": members }])).await;
    let page = acme.members("group_1", Part::new()).await.unwrap();
    assert_eq!((page.data.len(), page.has_more), (100, true));
    assert_eq!(page.next.unwrap(), "user_2", "newest first, so that user_1 remains");
}

async fn a_page_has_at_most_1000_users(database: Database) {
    let members = user_ids(1001);
    let acme = database.acme(1001, json!([{ "id": "group_1", "name": "One", "members": members }])).await;
    let page = acme.members("group_1", Part::new().limit(1000).asc()).await.unwrap();
    assert_eq!(ids(&page), user_ids(1000));
    assert!(page.has_more);
    let rest = acme.members("group_1", Part::new().limit(1000).asc().after("user_1000")).await.unwrap();
    assert_eq!((ids(&rest), rest.has_more), (vec!["user_1001"], false));
}
