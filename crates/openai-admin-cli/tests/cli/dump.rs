use crate::desk::{Desk, freeze};

#[test]
fn a_dump_loads_into_the_same_organization() {
    let desk = Desk::with_acme();
    for format in ["yaml", "json"] {
        let dumped = desk.run(&format!("--local acme.db dump -o {format}"));
        assert_eq!(dumped.status, 0, "{}", dumped.stderr);
        let copy = format!("--local copy-{format}.db");
        let loaded = desk.run_with_input(&dumped.stdout, &format!("{copy} load -"));
        assert_eq!(loaded.status, 0, "{}", loaded.stderr);
        assert_eq!(desk.run(&format!("{copy} dump -o {format}")).stdout, dumped.stdout);
        let again = desk.run_with_input(&dumped.stdout, &format!("{copy} load -"));
        assert!(again.stderr.contains("no changes"), "{}", again.stderr);
    }
}

#[test]
fn names_that_look_like_other_yaml_types_are_kept() {
    let desk = Desk::empty();
    let names = [
        "null",
        "yes",
        "1e3",
        "0x10",
        "~",
        "- a",
        "a: b",
        "#x",
        "'q'",
        "\"",
        "{x}",
        " lead",
        "*star",
        "&amp",
        "!tag",
        "@at",
        "%p",
        "2026-01-01",
        "|",
        ">",
    ];
    let groups: Vec<_> = names.iter().map(|name| serde_json::json!({ "name": name })).collect();
    let file = serde_json::json!({ "groups": groups }).to_string();
    assert_eq!(desk.run_with_input(&file, "--local a.db load -").status, 0);
    let dumped = desk.run("--local a.db dump");
    let loaded = desk.run_with_input(&dumped.stdout, "--local b.db load -");
    assert_eq!(loaded.status, 0, "{}\n{}", loaded.stderr, dumped.stdout);
    let listed = desk.run("--local b.db groups list -o json").json();
    let listed: Vec<&str> =
        listed.as_array().unwrap().iter().map(|group| group["name"].as_str().unwrap()).collect();
    assert_eq!(listed, names);
}

#[test]
fn a_dump_is_one_document() {
    let desk = Desk::empty();
    desk.write(
        "small.yaml",
        "organization: { id: org-small, title: Small }\n\
         users: [{ id: user_ada, email: ada@example.com, name: Ada Lovelace, role: owner, added_at: 1700000000 }]\n\
         groups: [{ id: group_a, name: A, members: [user_ada], created_at: 1700000000 }]\n",
    );
    desk.run("--local small.db load small.yaml");
    freeze!(desk.transcript(&[
        "--local small.db dump",
        "--local small.db dump -o json",
        "--local small.db dump -o csv",
        "--local missing.db dump",
        "--local small.db --organization org-other dump",
    ]));
}
