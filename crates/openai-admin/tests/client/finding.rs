//! Users, groups and memberships, found by address, name and id.

use super::*;

fn groups(names: &[(&str, &str)], next: Option<&str>) -> String {
    let data: Vec<_> = names
        .iter()
        .map(|(id, name)| {
            serde_json::json!({ "id": id, "name": name, "created_at": 0, "is_scim_managed": false,
                                "group_type": "group" })
        })
        .collect();
    serde_json::json!({ "object": "list", "data": data, "has_more": next.is_some(), "next": next })
        .to_string()
}

#[tokio::test(start_paused = true)]
async fn a_group_is_found_by_its_name_on_any_page() {
    let script = Script::new()
        .then_ok(groups(&[("group_1", "Support")], Some("group_1")))
        .then_ok(groups(&[("group_2", "Se\u{301}curite\u{301}")], None))
        .then_ok(groups(&[("group_1", "support")], None));
    let client = client(&script);
    let found = client.groups().find_group_by_name(" S\u{e9}curit\u{e9}").await.unwrap();
    assert_eq!(found.unwrap().id, "group_2");
    assert!(client.groups().find_group_by_name("Support").await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_name_of_two_groups_is_ambiguous() {
    let script = Script::new().then_ok(groups(&[("group_1", "Support"), ("group_2", "Support")], None));
    let error = client(&script).groups().find_group_by_name("Support").await.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Ambiguous, Some("list-groups")));
    assert!(error.message().contains("group_1 and group_2"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_user_is_found_by_address_even_if_the_service_ignores_the_filter() {
    let user = |id: &str, email: &str| serde_json::json!({ "id": id, "email": email, "added_at": 0 });
    let users = serde_json::json!({
        "object": "list", "data": [user("user_bob", "bob@example.com"), user("user_ada", "Ada@Example.com")],
        "first_id": "user_bob", "last_id": "user_ada", "has_more": false,
    });
    let script = Script::new().then_ok(users.to_string()).times(2);
    let client = client(&script);
    assert_eq!(
        client.users().find_user_by_email("\u{200b} ada@example.com").await.unwrap().unwrap().id,
        "user_ada"
    );
    assert!(client.users().find_user_by_email("eve@example.com").await.unwrap().is_none());
    assert!(client.users().find_user_by_email(" \u{200b}").await.unwrap().is_none());
    assert_eq!(script.requests().len(), 2);
    assert!(script.requests()[0].target.contains("emails=ada%40example.com"), "{:?}", script.requests()[0]);
}

#[tokio::test(start_paused = true)]
async fn only_a_missing_membership_is_not_an_error() {
    let absent = |param: &str| format!(r#"{{"error":{{"message":"m","param":"{param}","code":"c"}}}}"#);
    let script = Script::new()
        .status(404)
        .body(absent("user_id"))
        .status(404)
        .body(absent("group_id"))
        .status(404)
        .body(r#"{"error":{"message":"Invalid URL (GET /v1/x)"}}"#)
        .status(403)
        // An error without a parameter: the group is retrieved too.
        .status(404)
        .then_ok(GROUP)
        .status(404)
        .status(404);
    let client = client(&script);
    assert!(!client.group_users().is_member("g", "u").await.unwrap());
    for status in [404, 404, 403] {
        let error = client.group_users().is_member("g", "u").await.unwrap_err();
        assert_eq!(error.status().unwrap().as_u16(), status);
    }
    assert!(!client.group_users().is_member("g", "u").await.unwrap());
    assert!(client.group_users().is_member("g", "u").await.unwrap_err().is_not_found());
    script.assert_finished();
}
