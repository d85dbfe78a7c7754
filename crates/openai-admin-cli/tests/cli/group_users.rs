use crate::desk::{Desk, freeze};

#[test]
fn lists_and_shows_the_users_of_a_group() {
    freeze!(Desk::with_acme().transcript(&[
        "--local acme.db groups users list \"Support Team\"",
        "--local acme.db groups users list group_platform -o json --order asc",
        "--local acme.db groups users list group_platform -o csv --limit 2",
        "--local acme.db groups users get \"Support Team\" DANA@example.com",
        "--local acme.db groups users get group_support user_dana -o json",
        "--local acme.db groups users get group_support user_mei",
    ]));
}

#[test]
fn adds_users_by_id_and_address() {
    freeze!(Desk::with_acme().transcript(&[
        "--local acme.db groups users add \"Support Team\" mei@example.com",
        "--local acme.db groups users add group_support user_mei MEI@example.com user_ada -o json",
        "--local acme.db groups users add group_support user_jonas user_dana --dry-run -o csv",
        "--local acme.db groups users list group_support -o csv",
    ]));
}

#[test]
fn a_dry_run_reports_changes_that_would_fail() {
    freeze!(Desk::with_acme().transcript(&[
        "--local acme.db groups users add \"ML Research\" user_x user_ada user_mei --dry-run",
        "--local acme.db groups users add group_staff user_mei --dry-run",
        "--local acme.db groups users remove group_support user_zzz user_mei user_dana --yes --dry-run",
        "--local acme.db groups users remove group_support user_zzz --yes --dry-run -o json",
    ]));
}

#[test]
fn the_end_of_a_list_differs_from_an_empty_list() {
    freeze!(Desk::with_acme().transcript(&[
        "--local acme.db groups users list group_staff --after user_ada",
        "--local acme.db groups list --after group_staff",
        "--local acme.db users groups user_jonas --after group_staff",
        "--local acme.db users groups user_jonas --after group_staff -o json",
    ]));
}

#[test]
fn one_unknown_user_does_not_stop_the_others() {
    freeze!(Desk::with_acme().transcript(&[
        "--local acme.db groups users add group_support ada@example.com me@exampel.com user_bjorn",
        "--local acme.db groups users add group_support user_ada user_nobody ada@exmaple.org -o json",
        "--local acme.db groups users add group_support ada@exampel.com",
        "--local acme.db groups users add group_support adda@example.com user_x user_mai user_y",
        "--local acme.db groups users add \"Suport Team\" ada@example.com",
        "--local acme.db groups users add group_staff user_mei",
    ]));
}

#[test]
fn users_in_a_file_are_removed() {
    let desk = Desk::with_acme();
    desk.copy_example("leavers.txt");
    freeze!(desk.transcript(&[
        "--local acme.db groups users remove \"Support Team\" -f leavers.txt",
        "--local acme.db groups users remove \"Support Team\" -f leavers.txt --dry-run",
        "--local acme.db groups users remove \"Support Team\" -f leavers.txt user_mei --yes",
        "--local acme.db groups users remove \"Support Team\" -f leavers.txt --yes -o csv",
        "--local acme.db groups users list \"Support Team\" -o csv",
    ]));
}

#[test]
fn users_come_from_standard_input_too() {
    let desk = Desk::with_acme();
    let input = "email\nuser_mei\n\n# a comment\nada@example.com # twice\nada@example.com\n";
    let answer = desk.run_with_input(input, "--local acme.db groups users add group_platform -f - -o json");
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    assert_eq!(answer.json().as_array().unwrap().len(), 2);
}

#[test]
fn an_invalid_user_file_is_refused_with_its_line() {
    let desk = Desk::with_acme();
    desk.write("people.csv", "ada@example.com\nAda Lovelace,ada@example.com\n");
    desk.write("empty.txt", "# nobody\n\n");
    desk.write("latin1.txt", b"Bj\xf6rn\n");
    freeze!(desk.transcript(&[
        "--local acme.db groups users add group_support -f people.csv",
        "--local acme.db groups users add group_support -f empty.txt",
        "--local acme.db groups users add group_support -f latin1.txt",
        "--local acme.db groups users add group_support -f missing.txt",
        "--local acme.db groups users add group_support -f .",
        "--local acme.db groups users add group_support",
    ]));
}

#[test]
fn a_large_job_reads_addresses_in_batches_and_keeps_every_row() {
    let desk = Desk::empty();
    let users: String = (0..230).map(|n| format!("  - {{ email: user{n}@example.com }}\n")).collect();
    desk.write("many.yaml", format!("users:\n{users}groups: [{{ id: group_all, name: All }}]\n"));
    assert_eq!(desk.run("--local many.db load many.yaml").status, 0);
    let names: String = (0..230).map(|n| format!("user{n}@example.com\n")).collect();
    desk.write("names.txt", names);
    let added = desk.run("--local many.db groups users add group_all -f names.txt -o json");
    assert_eq!(added.status, 0, "{}", added.stderr);
    let rows = added.json();
    let rows = rows.as_array().unwrap();
    assert_eq!(rows.len(), 230);
    assert!(rows.iter().all(|row| row["outcome"] == "in_group"));
    let listed = desk.run("--local many.db groups users list group_all -o json");
    assert_eq!(listed.json().as_array().unwrap().len(), 230);
    let users = desk.run("--local many.db users list -o json --limit 205");
    assert_eq!(users.json().as_array().unwrap().len(), 205, "three pages, the last one cut");
}

#[test]
fn the_members_at_a_time_are_the_current_ones_without_later_changes() {
    let desk = Desk::with_acme();
    for command in
        ["users create kay@example.com --name Kay --id user_kay", "groups users add \"ML Research\" user_kay"]
    {
        desk.run(&format!("--local acme.db {command}"));
    }
    let list =
        |options: &str| desk.run(&format!("--local acme.db groups users list group_research {options}"));
    assert_eq!(list("--at today -q -o csv").stdout, list("-o csv").stdout);
    freeze!(desk.transcript(&[
        "--local acme.db groups users list group_research --at 2100-01-31",
        "--local acme.db groups users list group_research --at 2020-01-31",
        "--local acme.db groups users list group_research --at tomorrow",
        "--local acme.db groups users list group_research --at today --limit 1",
    ]));
}
