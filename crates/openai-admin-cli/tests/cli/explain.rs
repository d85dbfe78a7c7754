use crate::desk::{Desk, freeze};

#[test]
fn a_code_or_a_status_is_explained() {
    freeze!(Desk::empty().transcript(&[
        "explain group_not_found",
        "explain 401",
        "explain invalid_value",
        "explain operation_not_served",
        "explain not_a_member -o json",
    ]));
}

#[test]
fn all_that_can_be_explained_is_listed() {
    freeze!(Desk::empty().transcript(&["explain", "explain 404 -o csv"]));
}

#[test]
fn what_cannot_be_explained_is_answered_with_what_may_be_meant() {
    freeze!(Desk::empty().transcript(&[
        "explain group_not_fund",
        "explain 418",
        "explain \"\"",
        "explain not_found --markdown",
        "explain --markdown -o json",
    ]));
}

/// Every code that a command prints can be asked about, and the words of its answer lead there.
#[test]
fn what_a_refusal_says_can_be_looked_up() {
    let desk = Desk::with_acme();
    let refused = desk.run("--local acme.db api GET organization/admin_api_keys");
    assert_eq!(refused.status, 1, "{}", refused.stderr);
    let code = refused.json()["error"]["code"].as_str().expect("a code").to_owned();
    let explained = desk.run(&format!("explain {code} -o json")).json();
    assert_eq!(explained[0]["example"]["answer"], refused.json());
}
