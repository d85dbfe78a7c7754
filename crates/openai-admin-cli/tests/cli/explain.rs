use crate::desk::{Desk, freeze};

#[test]
fn a_code_or_a_status_is_explained() {
    freeze!(Desk::empty().transcript(&[
        "explain group_not_found",
        "explain 401",
        "explain invalid_value",
        "explain not_a_member -o json",
    ]));
}

#[test]
fn every_code_is_listed() {
    freeze!(Desk::empty().transcript(&["explain", "explain 404 -o csv"]));
}

#[test]
fn an_unknown_code_gets_a_suggestion() {
    freeze!(Desk::empty().transcript(&[
        "explain group_not_fund",
        "explain 418",
        "explain \"\"",
        "explain not_found --markdown",
        "explain --markdown -o json",
    ]));
}

/// `explain` knows the code of a refusal, and shows the same response as its example.
#[test]
fn the_code_of_a_refusal_is_explained() {
    let desk = Desk::with_acme();
    let refused = desk.run("--local acme.db api GET organization/groups/group_nope");
    assert_eq!(refused.status, 6, "{}", refused.stderr);
    let code = refused.json()["error"]["code"].as_str().expect("a code").to_owned();
    let explained = desk.run(&format!("explain {code} -o json")).json();
    assert_eq!(explained[0]["example"]["answer"], refused.json());
}

#[test]
fn words_of_plans_are_explained() {
    freeze!(Desk::empty().transcript(&[
        "explain BLOCKED",
        "explain max_remove -o json",
        "explain \"held back\"",
        "explain lefft",
    ]));
}
