//! Requests and output of `api`, with a file and with a real server.

use crate::{
    desk::{Answer, Desk, freeze},
    running::Running,
};

#[test]
fn any_request_is_sent_and_its_response_printed() {
    let desk = Desk::with_acme();
    desk.write("group.json", r#"{ "name": "New" }"#);
    freeze!(desk.transcript(&[
        "--local acme.db api GET /organization/groups --query limit=1",
        "--local acme.db api get v1/organization/groups?limit=1 -o jsonl",
        "--local acme.db api GET http://localhost/v1/organization/groups/group_support/users --query limit=0",
        "--local acme.db api POST organization/groups -d @group.json --yes -o yaml",
        "--local acme.db api DELETE organization/groups/group_support/users/user_ada --yes",
        "--local acme.db api GET organization/groups/group_nope",
        "--local acme.db api GET organization/nothing",
        "--local acme.db api GET organization/groups/",
    ]));
    let created =
        desk.run_with_input(r#"{"name":"Piped"}"#, "--local acme.db api POST organization/groups -d - -y");
    assert_eq!((created.status, created.json()["name"].as_str()), (0, Some("Piped")), "{}", created.stderr);
}

#[test]
fn an_invalid_request_is_refused_before_it_is_sent() {
    let desk = Desk::with_acme();
    desk.write("bad.json", "{ \"name\": }");
    freeze!(desk.transcript(&[
        "--local acme.db api POST organization/groups -d {}",
        "--local acme.db api DELETE organization/groups/group_support",
        "--local acme.db api POST organization/groups -d @bad.json --yes",
        "--local acme.db api POST organization/groups -d @missing.json --yes",
        "--local acme.db api POST organization/groups -d name --yes",
        "--local acme.db api GET organization/groups -d {}",
        "--local acme.db api GET https://example.com/v1/organization/groups",
        "--local acme.db api GET \"organization/my groups\"",
        "--local acme.db api PATCH organization/groups",
        "--local acme.db api GET organization/groups --query limit",
        "--local acme.db api GET organization/groups -o csv",
        "--key-file - api POST organization/groups -d - --yes",
        "api GET organization/groups",
    ]));
    let before = desk.run("--local acme.db groups list -o json").json();
    assert_eq!(before.as_array().map(Vec::len), Some(5), "{before}");
}

#[test]
fn a_refusal_has_the_exit_code_of_other_commands() {
    let desk = Desk::with_acme();
    let server = Running::start(&desk, "--local acme.db --log error");
    let key = server.minted_key();
    for (key, path, status) in [
        (&*key, "organization/groups", 0),
        ("sk-admin-wrong", "organization/groups", 4),
        (&*key, "organization/groups/group_nope", 6),
        (&*key, "organization/groups?limit=x", 1),
    ] {
        let mut command = desk.command(&format!("api GET {path}"));
        command.env("OPENAI_ADMIN_KEY", key).env("OPENAI_BASE_URL", format!("{}/v1", server.address));
        let answer = Answer::from(command.output().expect("the binary runs"));
        assert_eq!(answer.status, status, "{path}: {}", answer.stderr);
        assert_eq!(answer.json().get("error").is_some(), status != 0, "{path}: {}", answer.stdout);
    }
}

#[test]
fn a_dry_run_sends_no_request() {
    let desk = Desk::with_acme();
    let body = "{\"name\": \"New\"}";
    desk.write("body.json", body);
    let dry = "--local acme.db api POST organization/groups -d @body.json --dry-run";
    assert_eq!(
        desk.run(dry).stdout,
        format!("Would send POST organization/groups with {} bytes\n", body.len())
    );
    let dry = "--local acme.db api DELETE organization/groups/group_support --dry-run -o json";
    let would = "send DELETE organization/groups/group_support";
    assert_eq!(desk.run(dry).json(), serde_json::json!({ "dry_run": true, "would": would }));
    let groups = desk.run("--local acme.db groups list -o json").json();
    assert_eq!(groups.as_array().map(Vec::len), Some(5), "{groups}");
}
