//! The output of plan, apply, drift, export, import, runs and offboard.

use std::{
    fs,
    io::Read as _,
    net::TcpListener,
    process::{Command, Stdio},
};

use crate::{
    desk::{Desk, freeze},
    published_only::PublishedOnly,
    running::Running,
};

/// The example organization and its group file.
fn desk() -> Desk {
    let desk = Desk::with_acme().with_variable("OPENAI_ADMIN_STATE", "state");
    desk.copy_example("groups.yaml");
    desk.copy_example("contractors.csv");
    desk
}

#[test]
fn a_file_is_planned_applied_and_undone() {
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
fn a_plan_from_an_export_has_no_changes() {
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
fn a_stale_plan_is_not_applied() {
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
fn an_error_in_the_input_has_its_line() {
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
fn a_table_is_imported_and_a_user_is_offboarded() {
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
    assert!(summary.starts_with("## Group memberships"), "{summary}");
    freeze!(transcript);
}

#[test]
fn two_runs_of_one_organization_cannot_overlap() {
    let desk = desk();
    assert_eq!(desk.run("--local acme.db apply groups.yaml --yes").status, 0);
    let service = fs::read_dir(desk.path().join("state")).expect("the state").next().expect("a service");
    let lock = service.expect("a folder").path().join("org-acme/lock");
    let lock = fs::File::options().read(true).write(true).open(lock).expect("the lock");
    lock.lock().expect("the lock is free");
    desk.write("more.yaml", "version: 1\ngroups:\n  - name: New\n");
    freeze!(desk.transcript(&["--local acme.db apply more.yaml --yes"]));
}

#[test]
fn a_shrunken_source_is_refused_with_its_number() {
    let desk = desk();
    let people = |number: usize| (0..number).map(|n| format!("u{n}@example.com\n")).collect::<String>();
    desk.write(
        "groups.yaml",
        "version: 1\ngroups:\n  - name: New\n    mode: add-only\n    members_from: { csv: people.csv }\n",
    );
    desk.write("people.csv", format!("email\nada@example.com\n{}", people(20)));
    assert_eq!(desk.run("--local acme.db apply groups.yaml --yes --unknown skip").status, 0);
    // An import in between is not compared with the source.
    desk.write("one.csv", "email,group\nmei@example.com,ML Research\n");
    assert_eq!(desk.run("--local acme.db import memberships one.csv --yes").status, 0);
    desk.write("people.csv", format!("email\nada@example.com\n{}", people(5)));
    freeze!(desk.transcript(&[
        "--local acme.db plan groups.yaml --unknown skip",
        "--local acme.db plan groups.yaml --unknown skip --accept-source people.csv=6",
    ]));
}

#[test]
fn an_undo_applies_completely_or_not_at_all() {
    let desk = desk();
    let people = ["bjorn", "dana", "emre", "farah", "grace", "jonas", "liam", "mei"];
    let rows: String = people.iter().map(|name| format!("{name}@example.com,ML Research\n")).collect();
    desk.write("people.csv", format!("email,group\n{rows}mei@example.com,Support Team\n"));
    freeze!(desk.transcript(&[
        "--local acme.db import memberships people.csv --yes",
        "--local acme.db runs undo last --yes",
        "--local acme.db groups users list \"Support Team\" -o csv",
        "--local acme.db runs undo last --yes --allow-removals 7",
        "--local acme.db runs undo last --yes --allow-removals 8",
        "--local acme.db runs list",
    ]));
}

#[test]
fn undoing_the_last_run_twice_does_not_redo_it() {
    let desk = desk();
    desk.write("more.yaml", "version: 1\ngroups:\n  - name: New\n    members: [ada@example.com]\n");
    let first = desk.transcript(&[
        "--local acme.db runs undo last --yes",
        "--local acme.db apply more.yaml --yes",
        "--local acme.db runs undo last --yes",
        "--local acme.db runs undo last --yes",
        "--local acme.db runs list",
    ]);
    let runs = desk.run("--local acme.db runs list -o json").json();
    // The newest run is first.
    assert_eq!(runs[1]["undone_by"], runs[0]["run"]);
    let undo = runs[0]["run"].as_str().expect("a name");
    freeze!(format!(
        "{first}{}",
        desk.transcript(&[
            &format!("--local acme.db runs undo {undo} --yes"),
            "--local acme.db runs list",
            "--local acme.db runs undo last --yes -q",
        ])
    ));
}

#[test]
fn applying_in_json_prints_the_outcome_of_the_run() {
    let desk = desk();
    desk.write("more.yaml", "version: 1\ngroups:\n  - name: New\n    members: [ada@example.com]\n");
    let outcome = desk.run("--local acme.db apply more.yaml --yes -o json").json();
    let runs = desk.run("--local acme.db runs list -o json").json();
    assert_eq!(outcome, runs[0]);
    assert_eq!((&outcome["done"], &outcome["failed"], &outcome["left"]), (&2.into(), &0.into(), &0.into()));
}

#[test]
fn runs_are_listed_with_their_command_and_counts() {
    let desk = desk();
    // A user who cannot be added to a protected group is not removed from another group.
    desk.write(
        "move.yaml",
        "version: 1\nprotect: { groups: [Data Platform] }\ngroups:\n\
         - name: Support Team\n  members: [chidi@example.com, dana@example.com, emre@example.com, farah@example.com, grace@example.com, mei@example.com]\n\
         - name: Data Platform\n  mode: add-only\n  members: [liam@example.com]\n",
    );
    desk.write("people.csv", "email,group\nkavya@example.com,On call 🚨\n");
    for command in [
        "apply move.yaml --yes",
        "import memberships people.csv --yes",
        "users offboard ada@example.com --yes",
        "runs undo last --yes",
    ] {
        desk.run(&format!("--local acme.db {command}"));
    }
    freeze!(desk.transcript(&["--local acme.db runs list", "--local acme.db runs list -o csv"]));
}

#[test]
fn a_misspelt_new_group_gets_a_suggestion() {
    let desk = desk();
    desk.write("slip.yaml", "version: 1\ngroups:\n  - name: ML Reserch\n    members: [mei@example.com]\n");
    freeze!(desk.transcript(&[
        "--local acme.db plan slip.yaml",
        "--local acme.db plan slip.yaml --render markdown",
        "--local acme.db plan slip.yaml --render github",
    ]));
}

#[test]
fn a_mistaken_command_gets_a_suggestion() {
    let desk = desk();
    desk.write("people.csv", "Contact;Where\nmei@example.com;ML Research\n");
    desk.write("formula.csv", "email,group\n=B2,ML Research\nada@example.com,=20\n#REF!,ML Research\n");
    desk.write("twenty.yaml", "version: 1\ngroups:\n  - name: A\n    max_remove: =20\n");
    freeze!(desk.transcript(&[
        "--local acme.db plan people.csv",
        "--local acme.db apply people.csv --yes",
        "--local acme.db drift people.csv",
        "import people.csv --mode exact",
        "import membership \"my people.csv\"",
        "--local acme.db import memberships people.csv --yes",
        "--local acme.db import memberships people.csv --email-column mail --group-column team --delimiter comma --yes",
        "--local acme.db import memberships people.csv --delimiter colon --yes",
        "--local acme.db import memberships formula.csv --yes",
        "--local acme.db plan twenty.yaml",
    ]));
}

#[test]
fn a_saved_plan_without_changes_starts_no_run() {
    let desk = desk();
    desk.write("same.yaml", "version: 1\ngroups:\n  - name: ML Research\n");
    freeze!(desk.transcript(&[
        "--local acme.db plan same.yaml --out plan.json",
        "--local acme.db apply plan.json",
        "--local acme.db runs list",
    ]));
}

#[test]
fn the_sample_files_in_help_are_valid() {
    let desk = Desk::empty().with_variable("OPENAI_ADMIN_STATE", "state");
    let sample = |command: &str, heading: &str| {
        let help = desk.run(&format!("{command} --help")).stdout;
        let (_, sample) = help.split_once(heading).expect("a sample");
        let (sample, _) = sample.split_once("\n\n").expect("its end");
        sample
            .lines()
            .map(|line| line.strip_prefix("  ").unwrap_or(line).to_owned() + "\n")
            .collect::<String>()
    };
    desk.write("organization.yaml", sample("load", "\nA file:\n"));
    desk.write("groups.yaml", sample("plan", "\nA file:\n"));
    desk.write("contractors.csv", "mail\nada@example.com\n");
    assert_eq!(desk.run("--local acme.db load organization.yaml").status, 0);
    let plan = desk.run("--local acme.db plan groups.yaml --unknown skip");
    assert_eq!(plan.status, 0, "{}", plan.stderr);
    assert!(plan.stdout.contains("Contractors (new)"), "{}", plan.stdout);
}

#[test]
fn ctrl_c_before_the_first_write_reports_that_nothing_changed() {
    // The service accepts connections and never responds.
    let service = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = service.local_addr().expect("an address");
    let desk = desk().with_variable("OPENAI_ADMIN_KEY", "sk-admin-0123456789abcdef0123456789");
    let mut command = desk.command(&format!("--base-url http://{address}/v1 apply groups.yaml --yes"));
    let mut child = command.stderr(Stdio::piped()).spawn().expect("the binary runs");
    let (mut connection, _) = service.accept().expect("a connection");
    connection.read_exact(&mut [0]).expect("a request");
    let stopped = Command::new("kill").arg("-INT").arg(child.id().to_string()).status();
    assert!(stopped.expect("kill runs").success());
    let mut stderr = String::new();
    child.stderr.take().expect("a pipe").read_to_string(&mut stderr).expect("text");
    assert_eq!(child.wait().expect("an end").code(), Some(130));
    let stopped = "error: stopped before anything was written\n\
        hint: nothing changed; run the command again to start over\n";
    assert!(stderr.ends_with(stopped), "{stderr}");
}

#[test]
fn users_in_a_file_are_offboarded_in_one_run() {
    let desk = desk();
    desk.write("leavers.txt", "# left in May\nada@example.com\ndana@example.com\n");
    desk.write("typo.txt", "ada@example.com\ndnaa@example.com\nnobody\n");
    freeze!(desk.transcript(&[
        "--local acme.db users offboard",
        "--local acme.db users offboard -f typo.txt --yes",
        "--local acme.db users offboard -f leavers.txt --dry-run",
        "--local acme.db users offboard -f leavers.txt --yes --allow-removals 2",
        "--local acme.db users offboard -f leavers.txt --yes",
        "--local acme.db users groups ada@example.com",
        "--local acme.db runs list -o csv",
        "--local acme.db runs undo last --yes",
        "--local acme.db users offboard -f leavers.txt ada@example.com --dry-run --summary",
    ]));
}

#[test]
fn a_published_service_plans_the_same_offboarding_and_does_not_know_earlier_members() {
    const KEY: &str = "sk-admin-offboard-0123456789";
    let desk = desk().with_variable("OPENAI_ADMIN_KEY", KEY);
    desk.write("admin.key", KEY);
    let server = Running::start(&desk, "--local acme.db --log error --key-file admin.key");
    let published = PublishedOnly::start(&server.address);
    let changes = |target: &str, users: &str| {
        let answer = desk.run(&format!("{target} users offboard {users} --dry-run -o csv"));
        let mut rows: Vec<String> = answer.stdout.lines().map(str::to_owned).collect();
        rows.sort();
        (answer.status, rows)
    };
    let target = format!("--base-url http://{}/v1", published.address);
    // The first request with a key records in the background that the key is in use, and a plan shows it.
    changes(&target, "ada@example.com");
    let is_recorded = |_| changes("--local acme.db", "ada@example.com").1.concat().contains("last used");
    assert!((0..100).any(is_recorded), "the use of the key is recorded");
    for users in ["ada@example.com", "ada@example.com user_dana", "ada@example.com user_nobody"] {
        assert_eq!(changes(&target, users), changes("--local acme.db", users), "{users}");
    }
    let answer = desk.run(&format!("{target} groups users list group_research --at today"));
    assert!(answer.status == 1 && answer.stderr.contains("no events for changes"), "{}", answer.stderr);
}

#[test]
fn a_change_that_cannot_be_recorded_says_so() {
    let desk = desk();
    let mut command = desk.command("--local acme.db groups users add group_support ada@example.com");
    let changed = command.env_remove("OPENAI_ADMIN_STATE").env_remove("XDG_STATE_HOME").env_remove("HOME");
    let changed = changed.output().expect("the binary runs");
    let notes = String::from_utf8_lossy(&changed.stderr);
    assert!(changed.status.success(), "{notes}");
    assert!(
        notes.contains("cannot undo this command: there is no folder for runs; set OPENAI_ADMIN_STATE"),
        "{notes}"
    );
}

#[test]
fn single_commands_leave_a_run_that_can_be_undone() {
    let desk = desk();
    freeze!(desk.transcript(&[
        "--local acme.db groups users add group_support ada@example.com dana@example.com",
        "--local acme.db runs undo last --yes",
        "--local acme.db groups users add group_support dana@example.com",
        "--local acme.db groups users remove group_support dana@example.com user_nobody --yes",
        "--local acme.db groups rename group_support Helpdesk",
        "--local acme.db groups rename group_support Helpdesk -o csv",
        "--local acme.db groups users add group_support ada@example.com --dry-run",
        "--local acme.db runs list",
        "--local acme.db runs undo last --yes",
        "--local acme.db groups delete group_support --yes",
    ]));
    let runs = desk.run("--local acme.db runs list -o json").json();
    let removal = runs
        .as_array()
        .expect("runs")
        .iter()
        .find(|run| run["what"] == "groups users remove Support Team" && run["state"] == "complete");
    let removal = removal.expect("the removal")["run"].as_str().expect("a name").to_owned();
    let undo = desk.run(&format!("--local acme.db runs undo {removal} --yes"));
    assert!(undo.status == 6 && undo.stderr.contains("the group no longer exists"), "{}", undo.text());
}

#[test]
fn a_plan_without_changes_is_an_outcome_in_json() {
    let desk = desk();
    desk.run("--local acme.db apply groups.yaml --yes");
    desk.write("limit.csv", "email,group\nnobody@example.com,Support\n");
    for (command, status) in [
        ("apply groups.yaml --yes", 0),
        ("users offboard user_liam --yes", 0),
        ("import memberships limit.csv --yes", 3),
    ] {
        let answer = desk.run(&format!("--local acme.db {command} -o json"));
        let outcome = answer.json();
        assert_eq!((answer.status, &outcome["run"]), (status, &serde_json::Value::Null), "{command}");
        assert_eq!(
            (&outcome["state"], &outcome["done"]),
            (&"nothing to apply".into(), &0.into()),
            "{command}"
        );
    }
}

#[test]
fn an_interactive_import_needs_a_terminal() {
    let desk = desk();
    desk.write("people.csv", "email,group\ndnaa@example.com,Support Team\n");
    freeze!(desk.transcript(&[
        "--local acme.db import memberships people.csv --interactive corrected.csv",
        "--local acme.db import memberships people.csv --dry-run",
    ]));
}

#[test]
fn an_exact_import_names_the_groups_that_are_not_in_the_table() {
    let desk = desk();
    desk.write("one.csv", "email,group\nada@example.com,ML Research\n");
    let notes = |mode: &str| {
        desk.run(&format!("--local acme.db import memberships one.csv --mode {mode} --dry-run")).stderr
    };
    let exact = notes("exact");
    assert!(exact.contains("groups are not in the table and keep their members: "), "{exact}");
    assert!(exact.contains("Data Platform") && !exact.contains("members: ML Research"), "{exact}");
    assert!(!notes("add").contains("not in the table"));
}

#[test]
fn a_second_addition_of_a_member_is_not_recorded() {
    let desk = desk();
    let add = "--local acme.db groups users add \"Support Team\" user_farah ada@example.com";
    assert_eq!(desk.run(add).status, 0);
    assert_eq!(desk.run(add).status, 0);
    let runs = desk.run("--local acme.db runs list -o json").json();
    assert_eq!(runs.as_array().map(Vec::len), Some(1), "{runs}");
}

#[test]
fn runs_and_events_of_a_file_name_the_user() {
    let desk = desk().with_variable("USER", "ada");
    assert_eq!(desk.run("--local acme.db groups users add \"Support Team\" ada@example.com").status, 0);
    assert_eq!(desk.run("--local acme.db runs list -o json").json()[0]["by"], "ada");
    let events = desk.run("--local acme.db audit-logs list --actor local --limit 1 -o json").json();
    assert_eq!(events[0]["actor"]["session"]["user"]["id"], "local:ada", "{events}");
    // A person can run a command as another user of the machine.
    let desk = desk.with_variable("SUDO_USER", "bo b/\u{7}");
    assert_eq!(desk.run("--local acme.db groups rename \"Support Team\" Help").status, 0);
    assert_eq!(desk.run("--local acme.db runs list -o json").json()[0]["by"], "bob");
}
