use crate::desk::Desk;

fn desk() -> Desk {
    let desk = Desk::empty();
    desk.write(
        "organization.yaml",
        "users: [{ id: user_a, email: a@example.com }, { id: user_b, email: b@example.com }]\n\
         groups: [{ id: group_s, name: Support, members: [user_a, user_b] }]\n",
    );
    assert_eq!(desk.run("--local new.db load organization.yaml").status, 0);
    desk
}

#[test]
fn a_table_with_an_open_quote_is_refused() {
    let desk = desk();
    desk.write("people.csv", "email,group,notes\na@example.com,Support,\"ill\nb@example.com,Support,\n");
    desk.write(
        "groups.yaml",
        "version: 1\ngroups:\n  - { name: Support, members_from: { csv: people.csv } }\n",
    );
    for command in ["import memberships people.csv --mode exact --yes", "apply groups.yaml --yes"] {
        let answer = desk.run(&format!("--local new.db {command}"));
        assert_eq!((answer.status, answer.stdout.as_str()), (65, ""), "{command}");
        let expected = "error: people.csv:2: unclosed quote";
        assert!(answer.stderr.starts_with(expected), "{}", answer.stderr);
    }
    let members = desk.run("--local new.db groups users list Support -o csv").stdout;
    assert_eq!(members.lines().count(), 3, "{members}");
}

#[test]
fn a_group_file_cannot_read_files_outside_its_folder() {
    let desk = desk().with_variable("OPENAI_ADMIN_KEY", "sk-admin-SUPERSECRET");
    let desk = desk.with_variable("GITHUB_ACTIONS", "true");
    desk.write("secret.txt", "sk-admin-SUPERSECRET\n");
    std::fs::create_dir(desk.path().join("files")).expect("a folder");
    for table in ["/proc/self/environ", "../secret.txt", "/etc/passwd"] {
        let file =
            format!("version: 1\ngroups:\n  - {{ name: Support, members_from: {{ csv: {table} }} }}\n");
        desk.write("files/groups.yaml", &file);
        let answer = desk.run("--local new.db plan files/groups.yaml");
        assert_eq!(answer.status, 65, "{table}: {}", answer.stderr);
        assert!(answer.stderr.contains("outside the folder"), "{table}: {}", answer.stderr);
        let output = answer.stdout + &answer.stderr;
        assert!(!output.contains("SUPERSECRET") && !output.contains("root:"), "{table}: {output}");
    }
}

#[test]
fn filtered_rows_are_reported_even_with_quiet() {
    let desk = desk();
    desk.write("people.csv", "email,group,active\na@example.com,Support,yes\nb@example.com,Support,Y\n");
    let answer =
        desk.run("--local new.db -q import memberships people.csv --where active=yes --mode exact --dry-run");
    assert!(
        answer.stderr.contains("people.csv: skipped 1 of 2 rows where active is not yes (Y: 1)"),
        "{}",
        answer.stderr
    );
}
