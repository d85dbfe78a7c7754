//! Failures before a command starts: keys, addresses, files.

use crate::desk::{BINARY, Desk, freeze};

#[test]
fn a_missing_key_has_hints() {
    let desk = Desk::empty();
    desk.write("empty.key", "\n");
    freeze!(desk.transcript(&[
        "groups list",
        "groups list --key-file missing.key",
        "groups list --key-file empty.key",
    ]));
}

#[test]
fn an_invalid_key_is_refused_from_every_source() {
    let desk = Desk::empty().with_variable("OPENAI_ADMIN_KEY", "sk-admin-schlüssel");
    desk.write("words.key", "sk-admin and more");
    desk.write("umlaut.key", "sk-admin-schlüssel");
    let address = "--base-url http://127.0.0.1:9/v1";
    freeze!(desk.transcript(&[
        &format!("{address} groups list"),
        &format!("{address} --key-file words.key groups list"),
        &format!("{address} --key-file umlaut.key groups list"),
        "serve --listen 127.0.0.1:0",
    ]));
}

#[test]
fn a_service_that_cannot_be_reached_is_named() {
    let desk = Desk::empty().with_variable("OPENAI_ADMIN_KEY", "sk-admin-secret");
    freeze!(desk.transcript(&[
        // The port of the discard service is closed.
        "--base-url http://127.0.0.1:9/v1 groups list",
        "--base-url http://example.com/v1 groups list",
        "--base-url example.com groups list",
    ]));
}

#[test]
fn an_error_in_json_is_one_line_of_json() {
    let desk = Desk::with_acme();
    freeze!(desk.transcript(&[
        "--local acme.db groups get nope -o json",
        "--local acme.db groups users add \"Support Team\" user_missing -o jsonl",
        "--base-url example.com groups list -o json",
    ]));
}

#[test]
fn an_unsupported_database_is_refused() {
    freeze!(Desk::empty().transcript(&[
        "--database sqlite::memory: dump",
        "--local :memory: keys create --name x",
        "--database sqlite:a.db?mode=ro dump",
        "--database postgres://ada:s3cret@db.example/x dump",
        "--database postgres://ada:s3@cret@localhost/x dump",
        "--database postgres://ada:s3cret@127.0.0.1:9/x dump",
    ]));
}

#[test]
fn conflicting_options_are_explained() {
    let desk = Desk::with_acme();
    freeze!(desk.transcript(&[
        "--local missing.db groups list",
        "--database sqlite:acme.db groups list",
        "--database postgres://localhost/x users list",
        "--local acme.db --base-url http://127.0.0.1:8080/v1 groups list",
        "--base-url http://127.0.0.1:8080/v1 --organization org-acme groups list",
        "--base-url http://127.0.0.1:8080/v1 load organization.yaml",
        "--local acme.db --database sqlite:acme.db dump",
        "--local acme.db --retries x groups list",
        "--lokal acme.db groups list",
        "--key-file - groups users add group_support -f -",
    ]));
}

#[test]
fn a_database_that_cannot_be_opened_has_a_hint() {
    let desk = Desk::with_acme();
    desk.write("junk.db", "no database at all");
    freeze!(desk.transcript(&[
        "--local nodir/acme.db load organization.yaml",
        "--local nodir/acme.db groups list",
        "--local . groups list",
        "--local organization.yaml groups list",
        "--local junk.db load organization.yaml",
        "--local postgres://localhost/x groups list",
        "--local sqlite:acme.db dump",
        "--database acme.db dump",
        "--database postgres://postgres@127.0.0.1:9/nope dump",
        "dump",
    ]));
}

#[test]
fn one_of_several_organizations_is_chosen() {
    let desk = Desk::with_acme();
    desk.write(
        "second.yaml",
        "organization: { id: org-two, title: Two }\ngroups: [{ id: group_2, name: Second }]\n",
    );
    freeze!(desk.transcript(&[
        "--local acme.db --organization org-two groups list",
        "--local acme.db load second.yaml",
        "--local acme.db groups list",
        "--local acme.db --organization org-other groups list",
        "--local acme.db --organization org-two groups get Support",
    ]));
    let desk = desk.with_variable("OPENAI_ADMIN_ORGANIZATION", "org-two");
    let listed = desk.run("--local acme.db groups list -o json").json();
    assert_eq!(listed[0]["id"], "group_2");
}

#[test]
fn a_suggested_command_selects_the_same_data() {
    let desk = Desk::with_acme();
    for arguments in ["groups get Zebras", "users get user_nobody", "groups users get group_support user_mei"]
    {
        let failed = desk.run(&format!("--organization org-acme {arguments} --local acme.db"));
        // The suggestion starts with the path of this binary.
        let (_, rest) = failed.stderr.split_once(&format!("hint: `{BINARY} ")).expect("a command");
        let (proposed, _) = rest.split_once('`').expect("its end");
        let answer = desk.run(proposed);
        assert_eq!(answer.status, 0, "{proposed}\n{}", answer.stderr);
        assert!(proposed.starts_with("--local acme.db --organization org-acme "), "{proposed}");
    }
    let failed = desk.run("--database postgres://ada:s3cret@127.0.0.1:9/x keys list");
    assert!(!failed.stderr.contains("s3cret"), "{}", failed.stderr);
}

#[test]
fn options_take_precedence_over_the_environment() {
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
fn a_closed_pipe_is_not_a_failure() {
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
fn colour_is_off_unless_requested() {
    let desk = Desk::with_acme();
    assert!(!desk.run("--local acme.db groups list").stdout.contains('\x1b'));
    assert!(desk.run("--local acme.db groups list --color always").stdout.starts_with("\x1b[1mNAME "));
    let shown = desk.run("--local acme.db groups get group_support --color always").stdout;
    assert!(shown.starts_with("\x1b[1mNAME\x1b[0m           Support Team\n"), "{shown}");
    let failed = desk.run("--local acme.db groups get x --color always");
    assert!(failed.stderr.starts_with("\x1b[31;1merror:\x1b[0m"), "{}", failed.stderr);
}
