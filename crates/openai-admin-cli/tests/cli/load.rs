use std::fmt::Write as _;

use crate::desk::{Desk, freeze};

#[test]
fn loading_shows_the_groups_and_their_members() {
    let desk = Desk::empty();
    desk.copy_example("organization.yaml");
    freeze!(desk.transcript(&[
        "--local acme.db load organization.yaml",
        "--local acme.db load organization.yaml -q -o csv",
    ]));
}

#[test]
fn loading_reports_its_changes() {
    let desk = Desk::with_acme();
    desk.write(
        "more.yaml",
        "organization: { id: org-acme, title: Acme & Co }\n\
         users: [{ id: user_ada, name: Ada King }]\n\
         groups: [{ id: group_support, name: Support, members: [user_mei] }, { name: New }]\n",
    );
    freeze!(desk.transcript(&[
        "--local acme.db load organization.yaml",
        "--local acme.db load more.yaml",
        "--database sqlite:acme.db load more.yaml -o json",
    ]));
}

#[test]
fn the_suggested_commands_work() {
    let desk = Desk::empty();
    desk.copy_example("organization.yaml");
    let loaded = desk.run("--local \"my acme.db\" load organization.yaml");
    let suggested: Vec<&str> = loaded
        .stderr
        .lines()
        .skip_while(|line| *line != "next steps:")
        .skip(1)
        .filter_map(|line| line.split_once("openai-admin ").map(|(_, arguments)| arguments))
        .filter(|arguments| !arguments.ends_with("serve"))
        .collect();
    assert_eq!(suggested.len(), 3, "{}", loaded.stderr);
    for arguments in suggested {
        let answer = desk.run(arguments);
        assert_eq!(answer.status, 0, "{arguments}\n{}", answer.stderr);
    }
}

#[test]
fn a_large_organization_shows_counts_and_the_first_groups() {
    let desk = Desk::empty();
    let mut file = String::from("organization: { id: org-large, title: Large }\nusers:\n");
    for user in 0..30 {
        let _ = writeln!(file, "  - {{ id: user_{user}, email: user{user}@example.com }}");
    }
    file.push_str("groups:\n");
    for group in 0..25 {
        let _ = writeln!(file, "  - {{ id: group_{group}, name: Group {group}, members: [user_1, user_2] }}");
    }
    desk.write("large.yaml", file);
    freeze!(desk.transcript(&["--local large.db load large.yaml"]));
}

#[test]
fn json_is_detected_by_its_content() {
    let desk = Desk::empty();
    let json = r#"{"users": [{"id": "user_1", "name": "Ada \ud83d\ude00"}], "groups": [{"name": "A", "members": ["user_1"]}]}"#;
    let answer = desk.run_with_input(json, "--local new.db load -");
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    assert!(answer.stdout.contains("Ada 😀"), "{}", answer.stdout);
}

#[test]
fn an_error_in_the_file_has_its_line() {
    let desk = Desk::empty();
    let files = [
        ("unclosed.yaml", "users:\n  - { id: user_1, email: a@example.com\ngroups: []\n"),
        ("unknown-field.yaml", "users:\n  - { id: user_1, emial: a@example.com }\n"),
        ("wrong-type.yaml", "users: []\ngroups: Support\n"),
        ("wrong-item.yaml", "users:\n  - user_1\n"),
        ("blank-name.yaml", "groups:\n  - { name: ' ' }\n"),
        ("bad-id.yaml", "groups:\n  - { id: a/b, name: A }\n"),
        (
            "unknown-member.yaml",
            "users: [{ id: user_1 }]\ngroups:\n  - name: A\n    members:\n      - user_1\n      - user_2\n",
        ),
        ("unknown-role.yaml", "groups:\n  - name: A\n    roles:\n      - owner\n      - Suport\n"),
        ("role-of-user.yaml", "users:\n  - { id: user_1, roles: [owner] }\n"),
        ("permission.yaml", "roles:\n  - name: Support\n    permissions: [everything]\n"),
        (
            "twice.yaml",
            "users:\n  - { id: user_1, email: a@example.com }\n  - { id: user_2, email: A@example.com }\n",
        ),
        ("nobody.yaml", "users:\n  - { name: Nobody }\n"),
        ("role.yaml", "users:\n  - { id: user_1, role: boss }\n"),
        ("comma.json", "{\n  \"users\": [{ \"id\": \"user_1\", }]\n}\n"),
        ("field.json", "{\n  \"user\": []\n}\n"),
        ("empty.yaml", "\n"),
    ];
    let mut transcript = String::new();
    for (name, text) in files {
        desk.write(name, text);
        transcript += &desk.transcript(&[&format!("--local new.db load {name}")]);
    }
    transcript += &desk.transcript(&["--local new.db load missing.yaml"]);
    desk.write("binary.yaml", b"\xff\xfe");
    transcript += &desk.transcript(&["--local new.db load binary.yaml"]);
    freeze!(transcript);
}

#[test]
fn roles_are_loaded_and_dumped() {
    let desk = Desk::empty();
    desk.write(
        "roles.yaml",
        "users: [{ id: user_1, name: Ada, added_at: 1, roles: [Support] }]
groups: [{ id: group_1, name: One, created_at: 1, roles: [owner, Support] }]
roles: [{ id: role_1, name: Support, permissions: [api.groups.read], created_at: 1, updated_at: 1 }]
organization: { id: org-acme, title: Acme }
",
    );
    let commands =
        ["--local new.db load roles.yaml", "--local new.db load roles.yaml", "--local new.db dump"];
    freeze!(desk.transcript(&commands));
}

#[test]
fn a_refused_file_leaves_no_database_behind() {
    let desk = Desk::empty();
    desk.write("bad.yaml", "groups: [{ name: A, members: [user_x] }]\n");
    assert_eq!(desk.run("--local new.db load bad.yaml").status, 65);
    let left: Vec<_> =
        std::fs::read_dir(desk.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(left, ["bad.yaml"]);
    // An earlier file stays, even if it is empty.
    desk.write("old.db", "");
    assert_eq!(desk.run("--local old.db load bad.yaml").status, 65);
    assert!(desk.path().join("old.db").exists());
}

#[test]
fn a_refused_file_changes_nothing() {
    let desk = Desk::with_acme();
    let before = desk.run("--local acme.db dump").stdout;
    desk.write(
        "bad.yaml",
        "users: [{ id: user_new, email: new@example.com }]\ngroups: [{ name: A, members: [user_x] }]\n",
    );
    assert_eq!(desk.run("--local acme.db load bad.yaml").status, 65);
    assert_eq!(desk.run("--local acme.db dump").stdout, before);
}
