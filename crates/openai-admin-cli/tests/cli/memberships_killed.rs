//! A run that is killed at random points and resumed: the final state is exact, nothing is sent again after its result
//! was written, and the report is complete.

use std::{
    collections::{BTreeMap, HashSet},
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value as Json;

use crate::{desk::Desk, emulate::Emulating, running::Running};

/// By default 10 kills in 2,000 operations; `OPENAI_ADMIN_KILLS=200` makes 200 kills in 20,000.
const KILLS: usize = 10;
const OPERATIONS_PER_KILL: usize = 200;
const OPERATIONS_FOR_MANY: usize = 20_000;
const USERS: usize = 200;
/// How many polls of the journal show that the run is stuck.
const POLLS_MAX: u64 = 200_000_000;

/// A deterministic random generator, so that every test run has the same kills.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

#[test]
fn a_run_killed_anywhere_resumes_and_ends_exactly() {
    #[expect(clippy::disallowed_methods, reason = "an option of the test")]
    let kills = std::env::var("OPENAI_ADMIN_KILLS")
        .map_or(KILLS, |kills| kills.parse().expect("OPENAI_ADMIN_KILLS is a number"));
    let operations = if kills > KILLS { OPERATIONS_FOR_MANY } else { KILLS * OPERATIONS_PER_KILL };
    let groups = operations / USERS;

    let desk = Desk::empty().with_variable("OPENAI_ADMIN_STATE", "state");
    desk.write("organization.yaml", organization(groups));
    desk.write("groups.yaml", group_file(groups));
    assert_eq!(desk.run("--local acme.db load organization.yaml -q").status, 0);
    // Logging at `info` would fill the pipe and stop the server.
    let server = Running::start(&desk, "--local acme.db --log error");
    let key = server.minted_key();
    let desk = desk
        .with_variable("OPENAI_ADMIN_KEY", key)
        .with_variable("OPENAI_BASE_URL", format!("{}/v1", server.address));

    let mut random = Random(42);
    let mut command =
        "apply groups.yaml --yes --allow-removals".to_owned() + &format!(" {}", groups * USERS / 2);
    let mut killed = 0;
    while killed < kills {
        let before = journal(desk.path()).map_or(0, |journal| length(&journal));
        let mut child = desk.command(&command).spawn().expect("it starts");
        // Some are killed before they write a line, some in the middle of one.
        let until = before + random.below(70 * 1024);
        let mut polls = 0;
        let ended = loop {
            if child.try_wait().expect("a process").is_some() {
                break true;
            }
            if journal(desk.path()).is_some_and(|journal| length(&journal) >= until) {
                break false;
            }
            polls += 1;
            assert!(polls < POLLS_MAX, "the run is stuck");
            std::thread::yield_now();
        };
        if ended {
            break;
        }
        child.kill().expect("SIGKILL");
        child.wait().expect("gone");
        killed += 1;
        command = "runs resume last".to_owned();
    }
    assert!(killed >= kills / 2, "only {killed} kills hit a run");

    let last = desk.run("runs resume last --report report.json");
    assert_eq!(last.status, 0, "{}{}", last.stdout, last.stderr);
    let drift = desk.run("drift groups.yaml");
    assert_eq!(drift.status, 0, "{}{}", drift.stdout, drift.stderr);
    check_journal(&journal(desk.path()).expect("a journal"), operations);
    let report: Vec<Json> =
        serde_json::from_slice(&fs::read(desk.path().join("report.json")).expect("a report")).expect("JSON");
    assert_eq!(report.len(), operations);
    for row in &report {
        let outcome = row["outcome"].as_str().expect("an outcome");
        assert!(["done", "found_done", "no_change"].contains(&outcome), "{row}");
        assert_eq!(row["verified"], true, "{row}");
    }
}

/// The emulator makes one addition wait for longer than the test takes, so the command cannot end before it is killed.
const HELD_ADDITION: &str = "rules:
  - operation: add-group-user
    skip: 5
    count: 1
    fault: { kind: rate_limited, wait_seconds: 100 }
";
/// How many additions have a result when the command is killed.
const ADDED_BEFORE_KILL: usize = 10;
const MEMBERS_BEFORE: usize = 3;
const MEMBERS_AFTER: usize = 60;

#[test]
fn a_recorded_command_killed_in_the_middle_can_be_resumed_and_undone() {
    let desk = Desk::empty().with_variable("OPENAI_ADMIN_STATE", "state");
    let user = |n: usize| format!("  - {{ id: user_{n}, email: u{n}@example.com }}\n");
    let users: String = (0..MEMBERS_AFTER).map(user).collect();
    let members: Vec<String> = (0..MEMBERS_BEFORE).map(|n| format!("user_{n}")).collect();
    let group = format!("groups:\n  - {{ id: group_1, name: Team, members: [{}] }}\n", members.join(", "));
    desk.write("organization.yaml", format!("users:\n{users}{group}"));
    desk.write("faults.yaml", HELD_ADDITION);
    let joiners: String = (0..MEMBERS_AFTER).map(|n| format!("u{n}@example.com\n")).collect();
    desk.write("joiners.txt", joiners);
    let emulator = Emulating::start(&desk, "--fixtures organization.yaml --faults faults.yaml");
    let desk = desk
        .with_variable("OPENAI_ADMIN_KEY", "sk-admin-any")
        .with_variable("OPENAI_BASE_URL", format!("http://{}/v1", emulator.address()));

    let results = |file: PathBuf| {
        let text = fs::read_to_string(file).unwrap_or_default();
        text.matches("\"entry\":\"result\"").count()
    };
    kill_when(&desk, "groups users add Team -f joiners.txt", || {
        journal(desk.path()).map_or(0, results) >= ADDED_BEFORE_KILL
    });

    let count = || {
        let listed = desk.run("groups users list Team -o json").json();
        listed.as_array().expect("a list").len()
    };
    let state = || desk.run("runs list -o json").json()[0]["state"].clone();
    assert_eq!(state(), "stopped");
    let before = count();
    assert!((MEMBERS_BEFORE + ADDED_BEFORE_KILL..MEMBERS_AFTER).contains(&before), "{before}");
    let resumed = desk.run("runs resume last");
    assert_eq!(resumed.status, 0, "{}{}", resumed.stdout, resumed.stderr);
    assert_eq!((count(), state()), (MEMBERS_AFTER, "complete".into()));
    let removals = MEMBERS_AFTER - MEMBERS_BEFORE;
    let undone = desk.run(&format!("runs undo last --yes --allow-removals {removals}"));
    assert_eq!(undone.status, 0, "{}{}", undone.stdout, undone.stderr);
    assert_eq!(count(), MEMBERS_BEFORE);
}

/// Starts a command and kills it as soon as `is_time`, which must be before its end.
fn kill_when(desk: &Desk, command: &str, is_time: impl Fn() -> bool) {
    let mut child = desk.command(command).spawn().expect("it starts");
    while !is_time() {
        assert!(child.try_wait().expect("a process").is_none(), "it ended");
        std::thread::yield_now();
    }
    child.kill().expect("SIGKILL");
    child.wait().expect("gone");
}

/// The rights of user_a in four projects. The emulator makes the end of the second wait for longer than the test takes.
const HELD_END: &str = "rules:
  - operation: delete-project-user
    skip: 1
    count: 1
    fault: { kind: rate_limited, wait_seconds: 100 }
";
const PROJECTS: usize = 4;

#[test]
fn an_offboarding_killed_between_two_rights_resumes_and_sends_nothing_twice() {
    let desk = Desk::empty().with_variable("OPENAI_ADMIN_STATE", "state");
    let project = |n: usize| format!("  - {{ name: P{n}, users: [{{ user: user_a, role: member }}] }}\n");
    let projects: String = (0..PROJECTS).map(project).collect();
    desk.write(
        "organization.yaml",
        format!(
            "users:
  - {{ id: user_a, email: a@example.com, role: owner, roles: [Auditor] }}
  - {{ id: user_b, role: owner }}
roles: [{{ name: Auditor }}]
groups: [{{ name: Team, members: [user_a, user_b] }}]
projects:
{projects}"
        ),
    );
    desk.write("faults.yaml", HELD_END);
    let emulator = Emulating::start(&desk, "--fixtures organization.yaml --faults faults.yaml");
    let address = emulator.address();
    let desk = desk
        .with_variable("OPENAI_ADMIN_KEY", "sk-admin-any")
        .with_variable("OPENAI_BASE_URL", format!("http://{address}/v1"));

    let held = format!("--base-url http://{address}/_emulator api GET /requests --query fault=rate_limited");
    kill_when(&desk, "users offboard a@example.com --yes", || {
        !desk.run(&held).json()["data"].as_array().expect("a list").is_empty()
    });

    let run = || desk.run("runs list -o json").json()[0].clone();
    // The membership, two roles and one project have ended.
    assert_eq!((run()["state"].as_str(), run()["done"].as_u64()), (Some("stopped"), Some(4)));
    let resumed = desk.run("runs resume last --report report.json");
    assert_eq!(resumed.status, 0, "{}{}", resumed.stdout, resumed.stderr);
    assert_eq!(run()["state"], "complete");
    check_journal(&journal(desk.path()).expect("a journal"), PROJECTS + 3);
    let report = fs::read(desk.path().join("report.json")).expect("a report");
    let report: Vec<Json> = serde_json::from_slice(&report).expect("JSON");
    assert_eq!(report.len(), PROJECTS + 3);
    assert!(report.iter().all(|row| row["outcome"] == "done" && row["verified"] == true), "{report:?}");
    let left = desk.run("users offboard a@example.com --dry-run");
    assert!(left.text().contains("is in no group and has no rights to end"), "{}", left.text());
}

/// Every group has the first half of the users.
fn organization(groups: usize) -> String {
    let users: String =
        (0..USERS).map(|n| format!("  - {{ id: user_{n}, email: u{n}@example.com }}\n")).collect();
    let members: Vec<String> = (0..USERS / 2).map(|n| format!("user_{n}")).collect();
    let groups: String = (0..groups)
        .map(|n| format!("  - {{ id: group_{n}, name: Group {n}, members: [{}] }}\n", members.join(", ")))
        .collect();
    format!("users:\n{users}groups:\n{groups}")
}

/// The file gives every group the second half.
fn group_file(groups: usize) -> String {
    let members: Vec<String> = (USERS / 2..USERS).map(|n| format!("u{n}@example.com")).collect();
    let groups: String = (0..groups)
        .map(|n| format!("  - {{ name: Group {n}, members: [{}] }}\n", members.join(", ")))
        .collect();
    format!("version: 1\ngroups:\n{groups}")
}

/// The journal of the only run, once there is one.
fn journal(folder: &Path) -> Option<PathBuf> {
    let first = |folder: PathBuf| Some(fs::read_dir(folder).ok()?.next()?.ok()?.path());
    let organization = fs::read_dir(first(folder.join("state"))?).ok()?.next()?.ok()?.path();
    Some(first(organization.join("runs"))?.join("journal.jsonl"))
}

fn length(file: &Path) -> u64 {
    fs::metadata(file).map_or(0, |metadata| metadata.len())
}

fn check_journal(file: &Path, operations: usize) {
    let text = fs::read_to_string(file).expect("a journal");
    let mut settled: HashSet<u64> = HashSet::new();
    let mut outcomes: BTreeMap<u64, String> = BTreeMap::new();
    for line in text.lines() {
        let line: Json = serde_json::from_str(line).expect("a line");
        let operation = line["operation"].as_u64();
        match (line["entry"].as_str(), operation) {
            (Some("intent"), Some(operation)) => {
                assert!(!settled.contains(&operation), "{operation} was sent after its result was written");
            }
            (Some("result"), Some(operation)) => {
                let outcome = line["outcome"].as_str().expect("an outcome").to_owned();
                if ["done", "found_done", "no_change"].contains(&outcome.as_str()) {
                    settled.insert(operation);
                }
                outcomes.insert(operation, outcome);
            }
            _ => {}
        }
    }
    assert_eq!((settled.len(), outcomes.len()), (operations, operations));
}
