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
fn nothing_is_planned_from_a_table_with_an_open_quote() {
    let desk = desk();
    desk.write("people.csv", "email,group,notes\na@example.com,Support,\"ill\nb@example.com,Support,\n");
    desk.write(
        "groups.yaml",
        "version: 1\ngroups:\n  - { name: Support, members_from: { csv: people.csv } }\n",
    );
    for command in ["import memberships people.csv --mode exact --yes", "apply groups.yaml --yes"] {
        let answer = desk.run(&format!("--local new.db {command}"));
        assert_eq!((answer.status, answer.stdout.as_str()), (65, ""), "{command}");
        let told = "error: people.csv:2: unclosed quote";
        assert!(answer.stderr.starts_with(told), "{}", answer.stderr);
    }
    let members = desk.run("--local new.db groups users list Support -o csv").stdout;
    assert_eq!(members.lines().count(), 3, "{members}");
}

#[test]
fn a_group_file_reads_no_file_elsewhere_and_quotes_nothing_of_it() {
    let desk = desk().with_variable("OPENAI_ADMIN_KEY", "sk-admin-SUPERSECRET");
    let desk = desk.with_variable("GITHUB_ACTIONS", "true");
    desk.write("secret.txt", "sk-admin-SUPERSECRET\n");
    std::fs::create_dir(desk.path().join("wishes")).expect("a folder");
    for table in ["/proc/self/environ", "../secret.txt", "/etc/passwd"] {
        let file =
            format!("version: 1\ngroups:\n  - {{ name: Support, members_from: {{ csv: {table} }} }}\n");
        desk.write("wishes/groups.yaml", &file);
        let answer = desk.run("--local new.db plan wishes/groups.yaml");
        assert_eq!(answer.status, 65, "{table}: {}", answer.stderr);
        assert!(answer.stderr.contains("outside the folder"), "{table}: {}", answer.stderr);
        let said = answer.stdout + &answer.stderr;
        assert!(!said.contains("SUPERSECRET") && !said.contains("root:"), "{table}: {said}");
    }
}

#[test]
fn who_is_left_out_by_a_filter_is_told_also_in_silence() {
    let desk = desk();
    desk.write("people.csv", "email,group,active\na@example.com,Support,yes\nb@example.com,Support,Y\n");
    let answer =
        desk.run("--local new.db -q import memberships people.csv --where active=yes --mode exact --dry-run");
    assert!(
        answer.stderr.contains("people.csv: 1 of 2 rows left out by active=yes; other values: Y (1)"),
        "{}",
        answer.stderr
    );
}
