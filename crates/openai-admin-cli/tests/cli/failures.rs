//! What goes wrong before a command begins: keys, addresses, files.

use crate::desk::{Desk, freeze};

#[test]
fn without_a_key_the_ways_to_give_one_are_shown() {
    let desk = Desk::empty();
    desk.write("empty.key", "\n");
    freeze!(desk.transcript(&[
        "groups list",
        "groups list --key-file missing.key",
        "groups list --key-file empty.key",
    ]));
}

#[test]
fn a_service_that_cannot_be_reached_is_named() {
    let desk = Desk::empty().with_variable("OPENAI_ADMIN_KEY", "sk-admin-secret");
    freeze!(desk.transcript(&[
        // Nothing listens on the port of the discard service.
        "--base-url http://127.0.0.1:9/v1 groups list",
        "--base-url http://example.com/v1 groups list",
        "--base-url example.com groups list",
    ]));
}

#[test]
fn options_that_do_not_go_together_are_explained() {
    let desk = Desk::with_acme();
    freeze!(desk.transcript(&[
        "--local missing.db groups list",
        "--database sqlite:acme.db groups list",
        "--database postgres://localhost/x users list",
        "--local acme.db --base-url http://127.0.0.1:8080/v1 groups list",
        "--base-url http://127.0.0.1:8080/v1 --organization org-acme groups list",
        "--base-url http://127.0.0.1:8080/v1 load organization.yaml",
        "--local acme.db --database sqlite:acme.db dump",
        "--local acme.db --organization org-other groups list",
        "--local organization.yaml groups list",
        "--lokal acme.db groups list",
        "--key-file - groups users add group_support -f -",
    ]));
}

#[test]
fn what_is_typed_goes_before_the_environment() {
    let desk = Desk::with_acme().with_variable("OPENAI_BASE_URL", "http://127.0.0.1:9/v1");
    assert_eq!(desk.run("--local acme.db groups list").status, 0);
    let desk = Desk::with_acme().with_variable("OPENAI_ADMIN_LOCAL", "acme.db");
    assert_eq!(desk.run("groups list").status, 0);
    assert_eq!(desk.run("dump").status, 0);
    let desk = Desk::with_acme().with_variable("OPENAI_ADMIN_DATABASE", "sqlite:acme.db");
    assert_eq!(desk.run("dump").status, 0);
    assert_eq!(desk.run("--local other.db dump").status, 6);
    assert_eq!(desk.run("--base-url http://127.0.0.1:9/v1 groups list").status, 4, "the API needs a key");
}

#[test]
fn a_reader_that_leaves_early_is_no_failure() {
    let desk = Desk::with_acme();
    let mut child = desk
        .command("--local acme.db users list -o json")
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let answer = child.wait_with_output().unwrap();
    assert_eq!((answer.status.code(), answer.stderr.len()), (Some(0), 0));
}

#[test]
fn colour_is_only_where_it_is_wanted() {
    let desk = Desk::with_acme();
    assert!(!desk.run("--local acme.db groups list").stdout.contains('\x1b'));
    assert!(desk.run("--local acme.db groups list --color always").stdout.starts_with("\x1b[1mNAME "));
    let shown = desk.run("--local acme.db groups get group_support --color always").stdout;
    assert!(shown.starts_with("\x1b[1mNAME\x1b[0m           Support Team\n"), "{shown}");
    let failed = desk.run("--local acme.db groups get x --color always");
    assert!(failed.stderr.starts_with("\x1b[31;1merror:\x1b[0m"), "{}", failed.stderr);
}
