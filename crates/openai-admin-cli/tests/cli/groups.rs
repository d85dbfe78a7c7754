use crate::desk::{Desk, freeze};

#[test]
fn lists_groups_in_every_format() {
    freeze!(Desk::with_acme().transcript(&[
        "--local acme.db groups list",
        "--local acme.db groups list -o json --limit 2",
        "--local acme.db groups list -o jsonl --limit 1 --order desc",
        "--local acme.db groups list -o csv --after group_platform",
        "--local acme.db groups list -o yaml --limit 1 --quiet",
    ]));
}

#[test]
fn members_are_counted_on_request() {
    freeze!(Desk::with_acme().transcript(&[
        "--local acme.db groups list --members --limit 2",
        "--local acme.db groups list --members --limit 1 -o json",
        "--local acme.db groups list --members -o csv",
    ]));
}

#[test]
fn an_empty_list_is_a_note_for_people_and_data_for_programs() {
    let desk = Desk::empty();
    desk.run("--local new.db keys create --name first");
    freeze!(desk.transcript(&[
        "--local new.db groups list",
        "--local new.db groups list -o json",
        "--local new.db groups list -o csv",
    ]));
}

#[test]
fn creates_renames_and_deletes_a_group() {
    freeze!(Desk::empty().transcript(&[
        "--local new.db groups create Writers",
        "--local new.db groups create Editors -o json",
        "--local new.db groups get Writers",
        "--local new.db groups rename Writers \"Technical Writers\"",
        "--local new.db groups rename \"Technical Writers\" Authors -o json",
        "--local new.db groups delete Authors --yes",
        "--local new.db groups delete Editors --yes -o json",
        "--local new.db groups list",
    ]));
}

#[test]
fn a_duplicate_name_is_refused_unless_allowed() {
    freeze!(Desk::with_acme().transcript(&[
        "--local acme.db groups create \"Support Team\"",
        "--local acme.db groups create \" Support  Team\"",
        "--local acme.db groups rename group_research \"Support Team\"",
        "--local acme.db groups rename group_support \"Support Team\" -o csv",
        "--local acme.db groups create \"Support Team\" --allow-duplicate",
        "--local acme.db groups rename group_research \"Support Team\" -o csv --allow-duplicate",
        "--local acme.db groups rename group_oncall \"Support Team\" -q --allow-duplicate",
    ]));
}

#[test]
fn commands_have_aliases() {
    let desk = Desk::with_acme();
    for arguments in [
        "groups ls",
        "groups show group_support",
        "groups add New",
        "groups update New Newer",
        "groups rm Newer --yes",
        "groups members ls group_support",
        "groups members show group_support user_dana",
        "groups members rm group_support user_dana --yes",
        "users ls",
        "users show user_ada",
        "users add new@example.com --name New",
        "users delete new@example.com --yes",
        "keys ls",
    ] {
        let answer = desk.run(&format!("--local acme.db {arguments}"));
        assert_eq!(answer.status, 0, "{arguments}\n{}", answer.stderr);
    }
}

#[test]
fn a_group_that_is_not_found_or_not_unique_is_explained() {
    let desk = Desk::with_acme();
    desk.run("--local acme.db groups create \"On call\"");
    desk.run("--local acme.db groups create \"On call\" --allow-duplicate");
    freeze!(desk.transcript(&[
        "--local acme.db groups get \"Suport Team\"",
        "--local acme.db groups get Zebras",
        "--local acme.db groups get \"On call\"",
        "--local acme.db groups get a/b",
    ]));
}

#[test]
fn invalid_changes_are_explained() {
    freeze!(Desk::with_acme().transcript(&[
        "--local acme.db groups rename group_staff Everybody",
        "--local acme.db groups create \"  \"",
        "--local acme.db groups delete group_support",
        "--local acme.db groups list --limit 0",
        "--local acme.db groups list --limit many",
        "--local acme.db groups list --after group_never_seen",
        "--local acme.db groups list -o xml",
    ]));
}

#[test]
fn a_name_cannot_contain_workflow_commands() {
    let desk = Desk::empty().with_variable("GITHUB_ACTIONS", "true");
    desk.write("evil.yaml", "groups: [{ id: group_evil, name: \"x\\n::error::pwn ##[error]pwn\" }]\n");
    for command in [
        "load evil.yaml",
        "groups list",
        "groups list -o csv",
        "groups list -o json",
        "groups list -o yaml",
        "groups get group_evil",
        "dump",
        "groups users list group_evil",
    ] {
        let answer = desk.run(&format!("--local new.db {command}"));
        let output = format!("{}\n{}", answer.stdout, answer.stderr);
        assert!(output.contains("pwn"), "{command}: {output}");
        let is_command = |line: &str| line.trim().starts_with("::") || line.contains("##[");
        assert!(!output.lines().any(is_command), "{command}: {output}");
    }
}

#[test]
fn control_characters_in_a_name_are_escaped() {
    let desk = Desk::empty();
    desk.write("evil.yaml", "groups: [{ id: group_evil, name: \"Evil\\e[2J\\nTwin\" }]\n");
    freeze!(desk.transcript(&[
        "--local new.db load evil.yaml -q",
        "--local new.db groups list",
        "--local new.db groups delete group_evil --yes",
    ]));
}

#[test]
fn the_users_of_several_groups_and_of_none_are_listed() {
    let desk = Desk::with_acme();
    freeze!(desk.transcript(&[
        "--local acme.db groups overlap \"ML Research\" \"Data Platform\"",
        "--local acme.db groups overlap \"Support Team\" \"ML Research\" -o csv",
        "--local acme.db groups overlap \"Support Team\" group_support",
        "--local acme.db groups overlap \"Support Team\"",
        "--local acme.db users list --no-group",
        "--local acme.db users list --no-group --limit 2",
    ]));
}
