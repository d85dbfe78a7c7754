//! Plans, applies, drift, exports, imports, runs and offboarding, as people see them.

use std::fs;

use crate::desk::{Desk, freeze};

/// The example organization, and the file that says who should be in which group.
fn desk() -> Desk {
    let desk = Desk::with_acme().with_variable("OPENAI_ADMIN_STATE", "state");
    desk.copy_example("groups.yaml");
    desk.copy_example("contractors.csv");
    desk
}

#[test]
fn a_file_is_planned_applied_and_taken_back() {
    freeze!(desk().transcript(&[
        "--local acme.db plan groups.yaml --detailed-exitcode",
        "--local acme.db drift groups.yaml",
        "--local acme.db apply groups.yaml",
        "--local acme.db apply groups.yaml --yes",
        "--local acme.db drift groups.yaml",
        "--local acme.db plan groups.yaml --detailed-exitcode",
        "--local acme.db runs list",
        "--local acme.db runs show last",
        "--local acme.db runs report last",
        "--local acme.db runs undo last --dry-run",
        "--local acme.db runs undo last --yes --report receipt.csv",
        "--local acme.db groups users list \"Support Team\" -o csv",
    ]));
}

#[test]
fn what_is_exported_plans_to_nothing() {
    let desk = desk();
    let exported = desk.run("--local acme.db export");
    desk.write("exported.yaml", &exported.stdout);
    freeze!(format!(
        "{}{}",
        exported.text(),
        desk.transcript(&[
            "--local acme.db plan exported.yaml --detailed-exitcode",
            "--local acme.db export --groups \"*Platform\" --format csv",
        ])
    ));
}

#[test]
fn a_limit_needs_its_exact_number() {
    let desk = desk();
    desk.write(
        "groups.yaml",
        "version: 1\ndefaults:\n  max_remove: { count: 2 }\nprotect: { users: [chidi@example.com] }\ngroups:\n\
         - name: Support Team\n  members: [grace@example.com]\n\
         - name: Data Platform\n  members: [ada@example.com, bjorn@example.com]\n",
    );
    freeze!(desk.transcript(&[
        "--local acme.db plan groups.yaml",
        "--local acme.db apply groups.yaml --yes --allow-removals 3",
        "--local acme.db apply groups.yaml --yes",
        "--local acme.db apply groups.yaml --yes",
        "--local acme.db apply groups.yaml --yes --allow-removals 4",
        "--local acme.db groups users list \"Support Team\" -o csv",
    ]));
}

#[test]
fn a_kept_plan_that_has_gone_stale_is_not_applied() {
    let desk = desk();
    freeze!(desk.transcript(&[
        "--local acme.db plan groups.yaml --out plan.json -q",
        "--local acme.db groups users add \"Data Platform\" mei@example.com",
        "--local acme.db groups users add \"Support Team\" kavya@example.com",
        "--local acme.db apply plan.json",
        "--local acme.db groups users remove \"Support Team\" kavya@example.com --yes",
        "--local acme.db apply plan.json",
        "--local acme.db apply plan.json",
    ]));
    let plan = fs::read_to_string(desk.path().join("plan.json")).expect("the plan");
    desk.write("plan.json", plan.replace("user_mei", "user_emre"));
    freeze!(desk.transcript(&["--local acme.db apply plan.json"]));
}

#[test]
fn what_is_wrong_in_the_input_is_told_with_its_place() {
    let desk = desk();
    desk.write("empty.yaml", "");
    desk.write("misspelt.yaml", "version: 1\ngroups:\n  - name: A\n    membres: [a@b.c]\n");
    desk.write("nobody.yaml", "version: 1\ngroups:\n  - name: A\n    members: []\n");
    desk.write("other.yaml", "version: 1\norganization: org-other\ngroups:\n  - name: A\n");
    desk.write("people.csv", "email,group\nada@example.com,ML Research\nrubbish,ML Research\n,On call\n");
    desk.write(
        "unknown.yaml",
        "version: 1\ngroups:\n  - name: ML Research\n    members: [ada@example.com, zoe@example.com]\n",
    );
    freeze!(desk.transcript(&[
        "--local acme.db plan empty.yaml",
        "--local acme.db plan misspelt.yaml",
        "--local acme.db plan nobody.yaml",
        "--local acme.db plan other.yaml",
        "--local acme.db plan absent.yaml",
        "--local acme.db import memberships people.csv --yes",
        "--local acme.db plan unknown.yaml",
        "--local acme.db plan unknown.yaml --unknown skip",
    ]));
}

#[test]
fn a_table_is_imported_and_somebody_is_offboarded() {
    let desk = desk();
    desk.write("people.csv", "\u{feff}Mail;Team;Active\nmei@example.com;ML Research;yes\nliam@example.com;group_platform;yes\nx;ML Research;no\n");
    let import = "--local acme.db import memberships people.csv --email-column mail --group-column team --where active=yes";
    freeze!(desk.transcript(&[
        &format!("{import} --dry-run"),
        &format!("{import} --yes"),
        &format!("{import} --mode remove --yes"),
        "--local acme.db users offboard ada@example.com --dry-run",
        "--local acme.db users offboard ada@example.com --yes --report receipt.csv",
        "--local acme.db users groups ada@example.com",
        "--local acme.db runs undo last --yes",
        "--local acme.db users offboard mei@example.com --yes",
    ]));
}

#[test]
fn a_pull_request_gets_annotations_and_a_summary() {
    let desk =
        desk().with_variable("GITHUB_ACTIONS", "true").with_variable("GITHUB_STEP_SUMMARY", "summary.md");
    desk.write(
        "unknown.yaml",
        "version: 1\ngroups:\n  - name: ML Research\n    members: [ada@example.com, zoe@example.com]\n",
    );
    desk.write("nobody.yaml", "version: 1\ngroups:\n  - name: A\n    members: []\n");
    let transcript = desk.transcript(&[
        "--local acme.db plan unknown.yaml --render github",
        "--local acme.db plan nobody.yaml",
        "--local acme.db plan groups.yaml --render markdown",
    ]);
    let summary = fs::read_to_string(desk.path().join("summary.md")).expect("a summary");
    assert!(summary.starts_with("## Who is in which group"), "{summary}");
    freeze!(transcript);
}

#[test]
fn two_runs_of_one_organization_do_not_meet() {
    let desk = desk();
    assert_eq!(desk.run("--local acme.db apply groups.yaml --yes").status, 0);
    let service = fs::read_dir(desk.path().join("state")).expect("the state").next().expect("a service");
    let lock = service.expect("a folder").path().join("org-acme/lock");
    let lock = fs::File::options().read(true).write(true).open(lock).expect("the lock");
    lock.lock().expect("nobody has it");
    desk.write("more.yaml", "version: 1\ngroups:\n  - name: New\n");
    freeze!(desk.transcript(&["--local acme.db apply more.yaml --yes"]));
}

#[test]
fn a_source_that_shrank_is_refused_with_its_number() {
    let desk = desk();
    let people = |number: usize| (0..number).map(|n| format!("u{n}@example.com\n")).collect::<String>();
    desk.write(
        "groups.yaml",
        "version: 1\ngroups:\n  - name: New\n    mode: add-only\n    members_from: { csv: people.csv }\n",
    );
    desk.write("people.csv", format!("email\nada@example.com\n{}", people(20)));
    assert_eq!(desk.run("--local acme.db apply groups.yaml --yes --unknown skip").status, 0);
    desk.write("people.csv", format!("email\nada@example.com\n{}", people(5)));
    freeze!(desk.transcript(&[
        "--local acme.db plan groups.yaml --unknown skip",
        "--local acme.db plan groups.yaml --unknown skip --accept-source people.csv=6",
    ]));
}
