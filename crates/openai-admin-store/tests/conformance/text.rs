//! Texts are returned byte for byte, or rejected. Email addresses are compared without regard to case.

use openai_admin_store::Error;
use serde_json::json;

use crate::{
    support::{Database, assert_refused, conformance},
    tenant::{Part, ids},
};

conformance! {
    also in_memory:
    names_come_back_byte_for_byte,
    similar_names_are_different,
    ids_come_back_byte_for_byte,
    ids_are_compared_byte_for_byte,
    the_longest_texts_are_kept,
    emails_are_found_in_any_case,
    emails_that_differ_in_more_than_case_are_two,
    a_null_character_in_a_query_matches_nothing,
    [but not:
        an_invite_rejects_the_addresses_that_other_operations_reject,
        old_duplicate_addresses_are_kept_and_reported_and_new_ones_refused,
        texts_of_a_directory_have_the_bounds_of_the_api,
        every_stored_text_rejects_a_null_character,
    ]
}

/// Combining marks, right-to-left, four-byte characters, quotes, a lone control character, blanks at the ends.
const NAMES: [&str; 10] = [
    "Å",
    "A\u{30a}",
    "山田 浩",
    "فرح حداد",
    "👩\u{200d}🚀",
    "O'Connor \"; drop table groups; --",
    "$1 %s {} \\ \\x00",
    " both ends ",
    "tab\there, bell\u{7}, escape\u{1b}, delete\u{7f}, next line\u{85}",
    "\u{feff}byte order mark\u{2028}",
];

async fn names_come_back_byte_for_byte(database: Database) {
    let acme = database.acme(0, json!([])).await;
    for (number, name) in NAMES.into_iter().enumerate() {
        let group = acme.create_group(name).await.unwrap();
        assert_eq!(acme.group(group.id.as_str()).await.unwrap().name, name);
        let user = format!("user_{number}");
        acme.create_user(json!({ "id": user, "email": null, "name": name })).await.unwrap();
        assert_eq!(acme.user(&user).await.unwrap().name.unwrap(), name);
        acme.add(group.id.as_str(), &user).await.unwrap();
        assert_eq!(acme.members(group.id.as_str(), Part::new()).await.unwrap().data[0].name, name);
    }
}

async fn similar_names_are_different(database: Database) {
    let acme = database.acme(0, json!([])).await;
    acme.load(json!({ "groups": [{ "name": "Å" }, { "name": "A\u{30a}" }, { "name": "å" }] })).await.unwrap();
    let page = acme.groups(Part::new()).await.unwrap();
    let names: Vec<&str> = page.data.iter().map(|group| group.name.as_str()).collect();
    assert_eq!(names, ["Å", "A\u{30a}", "å"], "a directory finds a group by its exact name");
}

async fn ids_come_back_byte_for_byte(database: Database) {
    let acme = database.acme(0, json!([])).await;
    for id in ["a b", "a%2fb", "пользователь", "🦀", "A\u{30a}", "'", &"x".repeat(255)] {
        acme.create_user(json!({ "id": id, "email": null, "name": "Ada" })).await.unwrap();
        acme.load(json!({ "groups": [{ "id": id, "name": "Group", "members": [id] }] })).await.unwrap();
        assert_eq!(acme.member(id, id).await.unwrap().id, id);
        assert_eq!(ids(&acme.groups_of(id, Part::new()).await.unwrap()), [id]);
    }
}

async fn ids_are_compared_byte_for_byte(database: Database) {
    let acme = database.acme(0, json!([])).await;
    for id in ["user_é", "user_e\u{301}", "USER_É", "user_e"] {
        acme.create_user(json!({ "id": id, "email": null, "name": id })).await.unwrap();
    }
    for id in ["user_é", "user_e\u{301}", "USER_É", "user_e"] {
        assert_eq!(acme.user(id).await.unwrap().name.unwrap(), id);
    }
    acme.user("user_E\u{301}").await.unwrap_err();
}

async fn the_longest_texts_are_kept(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let name = "🚀".repeat(255);
    let group = acme.create_group(&name).await.unwrap();
    assert_eq!(acme.group(group.id.as_str()).await.unwrap().name, name);
    let email = format!("{}@example.com", "🚀".repeat(77));
    let user = json!({ "id": "user_1", "email": email, "name": name });
    let created = acme.create_user(user).await.unwrap();
    assert_eq!(acme.user("user_1").await.unwrap(), created);
    assert_eq!(ids(&acme.users_with(20, None, &[&email]).await.unwrap()), ["user_1"]);
}

async fn texts_of_a_directory_have_the_bounds_of_the_api(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let before = (acme.dump().await, database.events());
    let long = |length: usize| "x".repeat(length);
    for (field, value) in [
        ("name", long(256)),
        ("email", format!("{}@example.com", long(309))),
        ("picture", long(2049)),
        ("technical_level", long(256)),
        ("developer_persona", long(256)),
    ] {
        let mut user = json!({ "id": "user_1" });
        user[field] = value.into();
        let place = format!("users[0].{field}");
        let refused = acme.load(json!({ "users": [user] })).await;
        assert_refused!(refused, Error::InvalidValue { field, .. } if field == place);
    }
    assert_eq!((acme.dump().await, database.events()), before);
}

async fn emails_are_found_in_any_case(database: Database) {
    let acme = database.acme(0, json!([])).await;
    for (number, (stored, asked)) in [
        ("ada@example.com", "ADA@EXAMPLE.COM"),
        ("É@example.com", "é@example.com"),
        ("weiß@example.com", "WEIẞ@example.com"),
        ("İ@example.com", "i\u{307}@example.com"),
        ("ЖЕНЯ@example.com", "женя@example.com"),
        ("ǅ@example.com", "ǆ@example.com"),
        ("café@example.com", "cafe\u{301}@example.com"),
        ("ΑΣ@example.com", "ας@example.com"),
        ("ασσ@example.com", "ΑΣΣ@example.com"),
    ]
    .into_iter()
    .enumerate()
    {
        let user = format!("user_{number}");
        acme.create_user(json!({ "id": user, "email": stored, "name": "" })).await.unwrap();
        assert_eq!(ids(&acme.users_with(20, None, &[asked]).await.unwrap()), [user], "{asked}");
        let again = acme.create_user(json!({ "email": asked, "name": "" })).await;
        assert_refused!(again, Error::AlreadyExists { field: "email", .. });
    }
}

async fn emails_that_differ_in_more_than_case_are_two(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let emails =
        ["weiß@x.org", "weiss@x.org", "i@x.org", "ı@x.org", "é@x.org", "a.b@x.org", "ab@x.org", "ab+1@x.org"];
    for (number, email) in emails.into_iter().enumerate() {
        acme.create_user(json!({ "id": format!("user_{number}"), "email": email, "name": "" }))
            .await
            .unwrap();
    }
    for (number, email) in emails.into_iter().enumerate() {
        let found = acme.users_with(20, None, &[email]).await.unwrap();
        assert_eq!(ids(&found), [format!("user_{number}")], "{email}");
    }
}

async fn an_invite_rejects_the_addresses_that_other_operations_reject(database: Database) {
    let acme = database.acme(0, json!([])).await;
    for email in
        ["a\nb@x.org", "\u{1b}[31m@x.org", "a@b@c", "a b@x.org", "a\u{200b}b@x.org", "nobody", "<a@x.org>"]
    {
        let refused = acme.create_user(json!({ "email": email, "name": "" })).await;
        assert_refused!(refused, Error::InvalidValue { ref field, .. } if field == "email");
        let loaded = acme.load(json!({ "users": [{ "id": "user_1", "email": email }] })).await;
        assert_refused!(loaded, Error::InvalidValue { ref field, .. } if field == "users[0].email");
    }
    // Existing addresses are kept, also when they are loaded again.
    acme.create_user(json!({ "id": "user_1", "email": "ab@x.org", "name": "" })).await.unwrap();
    database.execute("update users set email = 'a@b@c', email_key = 'a@b@c'");
    acme.load(json!({ "users": [{ "id": "user_1", "email": "a@b@c", "name": "Ada" }] })).await.unwrap();
    assert_eq!(acme.user("user_1").await.unwrap().name.unwrap(), "Ada");
}

async fn old_duplicate_addresses_are_kept_and_reported_and_new_ones_refused(database: Database) {
    let acme = database.acme(0, json!([])).await;
    for (id, email) in [("user_1", "1@x.org"), ("user_2", "2@x.org"), ("user_3", "3@x.org")] {
        acme.create_user(json!({ "id": id, "email": email, "name": "" })).await.unwrap();
    }
    assert_eq!(acme.store().duplicate_addresses().await.unwrap(), Vec::<String>::new());
    // As an earlier version wrote them, which only ignored the case of letters.
    for (id, email) in [("user_1", "café@x.org"), ("user_2", "cafe\u{301}@x.org"), ("user_3", "ας@x.org")]
    {
        database
            .execute(&format!("update users set email = '{email}', email_key = '{email}' where id = '{id}'"));
    }
    database.go_back_to(3);
    let again = acme.opened_again().await;
    assert_eq!(again.store().verify().await.unwrap(), Vec::<String>::new());
    assert_eq!(
        again.store().duplicate_addresses().await.unwrap(),
        ["user_1 and user_2 have the same address in two spellings: delete one of them"]
    );
    for asked in ["ΑΣ@x.org", "ασ@x.org"] {
        assert_eq!(ids(&again.users_with(20, None, &[asked]).await.unwrap()), ["user_3"], "{asked}");
    }
    for taken in ["CAFÉ@x.org", "Cafe\u{301}@x.org", "ΑΣ@x.org"] {
        let refused = again.create_user(json!({ "email": taken, "name": "" })).await;
        assert_refused!(refused, Error::AlreadyExists { field: "email", .. });
    }
    // Both keep their address, and after one is deleted the other is found by it.
    assert_eq!(again.user("user_2").await.unwrap().email.unwrap(), "cafe\u{301}@x.org");
    again.delete_user("user_1").await.unwrap();
    assert_eq!(ids(&again.users_with(20, None, &["CAFÉ@x.org"]).await.unwrap()), ["user_2"]);
    assert_eq!(again.store().duplicate_addresses().await.unwrap(), Vec::<String>::new());
    again.store().close().await;
}

async fn every_stored_text_rejects_a_null_character(database: Database) {
    let acme = database.acme(1, json!([{ "id": "group_1", "name": "One" }])).await;
    let before = (acme.dump().await, database.events());
    macro_rules! assert_refused_at {
        ($place:expr, $result:expr) => {
            assert_refused!($result, Error::InvalidValue { field, .. } if field == $place)
        };
    }
    let nul = "a\0b";
    assert_refused_at!("name", acme.create_group(nul).await);
    assert_refused_at!("name", acme.rename_group("group_1", nul).await);
    assert_refused_at!("name", acme.create_user(json!({ "email": null, "name": nul })).await);
    let email = "a\0b@example.com";
    assert_refused_at!("email", acme.create_user(json!({ "email": email, "name": "" })).await);
    assert_refused_at!(
        "technical_level",
        acme.modify_user("user_1", json!({ "technical_level": nul })).await
    );
    for field in ["name", "picture", "technical_level", "developer_persona"] {
        let mut user = json!({ "id": "user_1" });
        user[field] = nul.into();
        assert_refused_at!(format!("users[0].{field}"), acme.load(json!({ "users": [user] })).await);
    }
    assert_refused_at!("groups[0].name", acme.load(json!({ "groups": [{ "name": nul }] })).await);
    let members = json!({ "groups": [{ "id": "group_1", "name": "One", "members": [nul] }] });
    assert_refused_at!("groups[0].members[0]", acme.load(members).await);
    let titled = json!({ "organization": { "id": "org-new", "title": nul } });
    let titled = serde_json::from_value(titled).unwrap();
    assert_refused_at!("organization.title", acme.store().load(database.stamp(), titled).await);
    assert_eq!((acme.dump().await, database.events()), before);
}

async fn a_null_character_in_a_query_matches_nothing(database: Database) {
    let acme = database.acme(1, json!([])).await;
    let emails = ["user_1@example.com\0", "\0", "user_1@example.com"];
    assert_eq!(ids(&acme.users_with(20, None, &emails).await.unwrap()), ["user_1"]);
    let unknown = json!({ "groups": [{ "name": "One", "members": ["user_1@example.com\0"] }] });
    acme.load(unknown).await.unwrap_err();
}
