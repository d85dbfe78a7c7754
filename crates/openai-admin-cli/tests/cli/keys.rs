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
