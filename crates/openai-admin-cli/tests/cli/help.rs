use std::fs;

use crate::desk::{Desk, freeze};

#[test]
fn help_lists_commands_and_options() {
    freeze!(Desk::empty().transcript(&[
        "--help",
        "groups --help",
        "groups users --help",
        "groups users add --help"
    ]));
}

#[test]
fn short_help_fits_a_screen() {
    freeze!(Desk::empty().transcript(&[
        "-h",
        "groups users add -h",
        "serve -h",
        "audit-logs list -h",
        "load -h",
        "keys create -h",
        "plan -h",
        "apply -h",
        "drift -h",
        "export -h",
        "import memberships -h",
        "runs -h",
        "users offboard -h",
        "doctor -h",
        "api -h",
        "explain -h",
        "coverage -h"
    ]));
}

#[test]
fn an_error_of_the_parser_is_json_on_request() {
    freeze!(Desk::empty().transcript(&[
        "groups lst -o json",
        "groups -o json",
        "--output=jsonl users get",
        "-ojson audit-logs list --since tomorrow",
        "groups list --limit 0 -o json",
        "groups list --limit 0 -o csv",
    ]));
}

#[test]
fn a_missing_command_is_a_usage_error_with_help() {
    let desk = Desk::empty();
    for command in ["", "groups", "groups users", "users", "audit-logs", "keys"] {
        let answer = desk.run(command);
        assert_eq!((answer.status, answer.stdout.as_str()), (64, ""), "{command}");
        assert!(answer.stderr.contains("Commands:"), "{command}");
    }
}

#[test]
fn completion_knows_the_commands_in_every_shell() {
    let desk = Desk::empty();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let answer = desk.run(&format!("completion {shell}"));
        assert_eq!(answer.status, 0, "{shell}");
        assert!(answer.stdout.contains("openai-admin") && answer.stdout.contains("rename"), "{shell}");
    }
}

#[test]
fn every_command_has_a_man_page() {
    let desk = Desk::empty();
    let answer = desk.run("man-pages .");
    assert_eq!((answer.status, answer.stderr.as_str()), (0, ""));
    let page = fs::read_to_string(desk.path().join("openai-admin-groups-users-add.1")).expect("a page");
    assert!(page.contains(".TH") && page.contains("Add users to a group"), "{page}");
}
