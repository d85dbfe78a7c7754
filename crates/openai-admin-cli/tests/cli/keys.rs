use crate::desk::{Desk, freeze};

#[test]
fn creates_lists_and_revokes_keys() {
    freeze!(Desk::empty().transcript(&[
        "keys create --name laptop",
        "keys create --name reports --scope api.groups.read --expires-in 90d -o json",
        "keys create --name auditor --read-only",
        "keys list",
        "keys list -o json",
        "keys revoke laptop",
        "keys revoke laptop --yes",
        "keys revoke laptop --yes",
        "keys list -o csv",
    ]));
}

#[test]
fn what_is_wrong_with_a_key_is_said() {
    let desk = Desk::empty();
    freeze!(desk.transcript(&[
        "keys list",
        "--local other.db keys revoke x --yes",
        "keys create",
        "keys create --name x --scope everything",
        "keys create --name x --read-only --scope api.groups.write",
        "keys create --name x --expires-in soon",
        "keys create --name x --expires-in 0d",
        "keys create --name x --expires-at soon",
        "keys create --name x --expires-at 2020-01-01",
        "keys create --name x --expires-at 2120-01-01 --expires-in 1d",
        "keys rotate",
        "--base-url http://127.0.0.1:8080/v1 keys list",
        "--database mysql://localhost keys list",
    ]));
    assert!(!desk.path().join("openai-admin.db").exists(), "looking creates nothing");
}

#[test]
fn two_keys_with_one_name_are_told_apart_by_id() {
    let desk = Desk::empty();
    desk.run("keys create --name ci");
    desk.run("keys create --name ci");
    freeze!(desk.transcript(&["keys revoke ci --yes"]));
}

#[test]
fn rotates_keys() {
    let desk = Desk::empty();
    let created = desk.run("keys create --name ci --scope api.groups.read --expires-in 90d -o json").json();
    desk.run("keys create --name audit --read-only --expires-at 2120-01-01");
    freeze!(desk.transcript(&["keys rotate nobody", "keys rotate ci", "keys rotate ci", "keys list"]));
    let keys = desk.run("keys list -o json").json();
    let (old, new) = (&keys[0], &keys[2]);
    assert_eq!((&old["id"], &old["name"], &new["name"]), (&created["id"], &"ci".into(), &"ci".into()));
    assert_eq!(new["scopes"], old["scopes"]);
    let seconds = |key: &serde_json::Value, field: &str| key[field].as_i64().expect("a time");
    assert_eq!(seconds(new, "expires_at") - seconds(new, "created_at"), 90 * 86_400, "the same lifetime");
    assert_eq!(seconds(old, "expires_at") - seconds(new, "created_at"), 86_400, "a day of overlap");
    assert_eq!(keys[1]["expires_at"], 4_733_510_400_i64);
}
