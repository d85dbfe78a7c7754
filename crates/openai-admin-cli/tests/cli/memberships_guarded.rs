//! Guards of changes: protection, limits, the lock, and messages about changes that were not made.

use std::{
    fs,
    process::{Child, Stdio},
};

use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};

use crate::{desk::Desk, emulate::Emulating, running::Running};

/// An organization with a group `Core` of 20, a group `Small` of 5, and people `u0` to `u39`.
fn desk() -> Desk {
    let desk = Desk::empty().with_variable("OPENAI_ADMIN_STATE", "state");
    let users: Vec<Json> =
        (0..40).map(|n| json!({ "id": format!("user_{n}"), "email": address(n) })).collect();
    let ids = |range: std::ops::Range<usize>| range.map(|n| format!("user_{n}")).collect::<Vec<_>>();
    let organization = json!({
        "organization": { "id": "org-guarded" },
        "users": users,
        "groups": [
            { "id": "group_core", "name": "Core", "members": ids(0..20) },
            { "id": "group_small", "name": "Small", "members": ids(20..25) },
        ],
    });
    desk.write("organization.yaml", organization.to_string());
    assert_eq!(desk.run("--local g.db load organization.yaml -q").status, 0);
    desk
}

fn address(n: usize) -> String {
    format!("u{n}@example.com")
}

fn group_file(group: &str, people: impl Iterator<Item = usize>, more: &str) -> String {
    let members: Vec<String> = people.map(address).collect();
    format!("version: 1\n{more}groups:\n- name: {group}\n  members: [{}]\n", members.join(", "))
}

fn members(desk: &Desk, group: &str) -> Vec<String> {
    let listed = desk.run(&format!("--local g.db groups users list {group} -o json")).json();
    let rows = listed.as_array().expect("a list");
    rows.iter().map(|row| row["id"].as_str().expect("an id").to_owned()).collect()
}

/// The plan with its correct digest, which anyone can compute.
fn sealed(mut plan: Json) -> String {
    plan["digest"] = json!("");
    let created_at = plan["created_at"].take();
    plan["created_at"] = json!("");
    let sources = plan["sources"].clone();
    for source in plan["sources"].as_array_mut().expect("sources") {
        source.as_object_mut().expect("fields").remove("canonical");
    }
    let hex: String = Sha256::digest(plan.to_string()).iter().map(|byte| format!("{byte:02x}")).collect();
    let digest = format!("sha256:{hex}");
    plan["digest"] = json!(digest);
    plan["created_at"] = created_at;
    plan["sources"] = sources;
    plan.to_string()
}

#[test]
fn a_saved_plan_with_raised_limits_needs_its_digest() {
    let desk = desk();
    desk.write("cut.yaml", group_file("Core", 0..10, ""));
    assert_eq!(desk.run("--local g.db plan cut.yaml --out p.json").status, 5);
    let plan: Json =
        serde_json::from_slice(&fs::read(desk.path().join("p.json")).expect("a plan")).expect("JSON");
    // A plan with a changed field and the old digest is refused, whatever the field.
    for field in plan.as_object().expect("fields").keys().filter(|field| *field != "created_at") {
        let mut changed = plan.clone();
        changed[field] = match &plan[field] {
            Json::String(text) => json!(format!("{text}x")),
            Json::Bool(is) => json!(!is),
            Json::Array(_) => json!([]),
            Json::Object(_) => json!({ "percent": 99, "count": 99, "min_size": 0 }),
            Json::Number(_) | Json::Null => json!(7),
        };
        if changed == plan {
            continue;
        }
        desk.write("changed.json", changed.to_string());
        let answer = desk.run("--local g.db apply changed.json");
        assert_eq!(answer.status, 65, "{field}: {}", answer.stderr);
    }
    // With a matching digest, the limits in the plan still do not count.
    let large = json!({ "percent": 100, "count": 1_000_000, "min_size": 0 });
    let mut raised = plan.clone();
    raised["max_remove"] = large.clone();
    raised["groups"][0]["max_remove"] = large;
    raised["groups"][0]["blocks"] = json!([]);
    raised["groups"][0]["allow_empty"] = json!(true);
    raised["groups"][0]["member_count"] = json!(100_000);
    let raised = sealed(raised);
    desk.write("raised.json", &raised);
    let refused = desk.run("--local g.db apply raised.json");
    assert_eq!(refused.status, 5, "{}", refused.stderr);
    assert!(refused.stderr.contains("--approve sha256:"), "{}", refused.stderr);
    assert_eq!(members(&desk, "Core").len(), 20);
    // Two entries of one group would get the limits of two groups.
    let mut parts: Json = serde_json::from_str(&raised).expect("JSON");
    let part = parts["groups"][0].clone();
    parts["groups"].as_array_mut().expect("groups").push(part);
    desk.write("parts.json", sealed(parts));
    assert_eq!(desk.run("--local g.db apply parts.json").status, 65);
    let digest =
        serde_json::from_str::<Json>(&raised).expect("JSON")["digest"].as_str().expect("text").to_owned();
    let approved = desk.run(&format!("--local g.db apply raised.json --approve {digest}"));
    assert_eq!(approved.status, 0, "{}", approved.stderr);
    assert_eq!(members(&desk, "Core").len(), 10);
}

#[test]
fn a_policy_applies_to_every_command() {
    let desk = desk();
    desk.write("cut.yaml", group_file("Core", 1..20, ""));
    assert_eq!(desk.run("--local g.db plan cut.yaml --out p.json").status, 0);
    fs::create_dir_all(desk.path().join("state")).expect("a folder");
    desk.write("state/policy.yaml", "version: 1\nprotect: { users: [u0@example.com], groups: [Small] }\n");
    desk.write("rows.csv", "email,group\nu0@example.com,Core\n");
    for command in [
        "apply p.json",
        "apply cut.yaml --yes",
        "import memberships rows.csv --mode remove --yes",
        "users offboard u0@example.com --yes",
        "users remove user_0 --yes",
        "groups users remove Core user_0 --yes",
        "groups users remove Core u0@example.com --yes",
        "groups users remove Small u20@example.com --yes",
        "groups users add Small u0@example.com",
        "groups delete Small --yes",
        "groups rename Small Smaller",
    ] {
        let answer = desk.run(&format!("--local g.db {command}"));
        assert_eq!(answer.status, 5, "{command}: {}{}", answer.stdout, answer.stderr);
    }
    assert_eq!((members(&desk, "Core").len(), members(&desk, "Small").len()), (20, 5));
    // The same with a policy file by option.
    desk.write("other.yaml", "version: 1\nmax_remove_of_group: { count: 0 }\n");
    let answer = desk.run("--local g.db groups users remove Core u1@example.com --yes --policy other.yaml");
    assert_eq!(answer.status, 5, "{}", answer.stderr);
    desk.write("other.yaml", "version: 1\nprotekt: {}\n");
    let answer = desk.run("--local g.db groups list --policy other.yaml");
    assert_eq!((answer.status, answer.stderr.contains("did you mean `protect`?")), (65, true));
}

#[test]
fn a_saved_plan_cannot_rename_a_protected_user_or_group() {
    let desk = desk();
    desk.write("small.yaml", group_file("Small", 20..24, ""));
    desk.write("core.yaml", group_file("Core", 1..20, ""));
    desk.write("policy.yaml", "version: 1\nprotect: { users: [u24@example.com], groups: [Core] }\n");
    for file in ["small", "core"] {
        let planned = desk.run(&format!("--local g.db plan {file}.yaml --out {file}.json -q"));
        assert_eq!(planned.status, 0, "{}", planned.stderr);
        let mut plan: Json =
            serde_json::from_slice(&fs::read(desk.path().join(format!("{file}.json"))).unwrap()).unwrap();
        plan["groups"][0]["name"] = json!("Other");
        plan["groups"][0]["operations"][0]["email"] = json!("other@example.com");
        desk.write("renamed.json", sealed(plan));
        let applied = desk.run("--local g.db --policy policy.yaml apply renamed.json --yes");
        assert_ne!(applied.status, 0, "{file}: {}", applied.stderr);
        assert!(!applied.stderr.contains("digest"), "the plan is read: {}", applied.stderr);
    }
    assert_eq!((members(&desk, "Small").len(), members(&desk, "Core").len()), (5, 20));
}

#[test]
fn an_undo_skips_the_users_that_its_run_protected() {
    let desk = desk();
    let protect = "protect: { users: [u30@example.com], groups: [Core] }\n";
    desk.write("add.yaml", group_file("Small", (20..25).chain(30..32), protect));
    assert_eq!(desk.run("--local g.db apply add.yaml --yes").status, 0);
    let undo = desk.run("--local g.db runs undo last --yes");
    assert_eq!(undo.status, 3, "{}", undo.stderr);
    assert!(
        undo.stderr.contains("not done: u30@example.com stays in 'Small' (protected)"),
        "{}",
        undo.stderr
    );
    let left = members(&desk, "Small");
    assert!(left.contains(&"user_30".to_owned()) && !left.contains(&"user_31".to_owned()), "{left:?}");
    // The protection of the last applied file applies to a table too.
    desk.write("rows.csv", "email,group\nu30@example.com,Small\nu1@example.com,Core\n");
    let import = desk.run("--local g.db import memberships rows.csv --mode remove --yes");
    assert_eq!(import.status, 5, "{}", import.stderr);
    assert_eq!(members(&desk, "Core").len(), 20);
}

#[test]
fn an_undo_skips_groups_that_the_policy_protects() {
    let desk = desk();
    desk.write("add.yaml", group_file("Small", 20..26, ""));
    assert_eq!(desk.run("--local g.db apply add.yaml --yes").status, 0);
    desk.write("policy.yaml", "version: 1\nprotect: { groups: [Small] }\n");
    let undo = desk.run("--local g.db --policy policy.yaml runs undo last --yes");
    assert_eq!(undo.status, 5, "{}", undo.stderr);
    assert!(undo.stderr.contains("Small"), "{}", undo.stderr);
    assert_eq!(members(&desk, "Small").len(), 6);
    assert_eq!(desk.run("--local g.db runs undo last --yes").status, 0);
    assert_eq!(members(&desk, "Small").len(), 5);
}

#[test]
fn concurrent_applies_cannot_exceed_a_limit_together() {
    let desk = desk();
    let server = Running::start(&desk, "--local g.db --log error");
    let remote = Desk::empty()
        .with_variable("OPENAI_ADMIN_STATE", desk.path().join("state").display().to_string())
        .with_variable("OPENAI_ADMIN_KEY", server.minted_key())
        .with_variable("OPENAI_BASE_URL", format!("{}/v1", server.address));
    // Each removes four others of twenty: 20 %, and together 60 %.
    for (number, first) in [(0, 0), (1, 4), (2, 8)] {
        let people = (0..20).filter(|n| !(first..first + 4).contains(n));
        remote.write(&format!("{number}.yaml"), group_file("Core", people, ""));
    }
    let start = |number: usize| -> Child {
        let mut command = remote.command(&format!("apply {number}.yaml --yes"));
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts")
    };
    let children: Vec<Child> = (0..3).map(start).collect();
    let codes: Vec<Option<i32>> =
        children.into_iter().map(|mut child| child.wait().expect("an end").code()).collect();
    // Each ran first (0), found another running (9), or ran later and would have removed 4 of 16 (5).
    assert!(codes.iter().all(|code| matches!(code, Some(0 | 5 | 9))), "{codes:?}");
    assert!(codes.contains(&Some(0)), "{codes:?}");
    assert_eq!(members(&desk, "Core").len(), 16);
}

#[test]
fn a_shrunken_source_is_refused_under_every_path() {
    let desk = desk();
    desk.write("groups.yaml", group_file("Core", 0..20, ""));
    let first = desk.run("--local g.db apply groups.yaml --yes");
    assert!(first.stderr.contains("no earlier run found"), "{}", first.stderr);
    desk.write("groups.yaml", group_file("Core", 0..20, "").replace("u19@example.com", "u38@example.com"));
    assert_eq!(desk.run("--local g.db apply groups.yaml --yes").status, 0);
    desk.write("groups.yaml", group_file("Core", 0..5, ""));
    let folder = desk.path().display().to_string();
    for file in [
        "groups.yaml",
        "./groups.yaml",
        ".//groups.yaml",
        &format!("{folder}/groups.yaml"),
        "state/../groups.yaml",
    ] {
        let answer = desk.run(&format!("--local g.db plan {file}"));
        assert_eq!(answer.status, 65, "{file}: {}", answer.stdout);
        assert!(
            answer.stderr.contains("had 20 entries in the last applied run and has 5 now"),
            "{}",
            answer.stderr
        );
    }
}

#[test]
fn an_incomplete_comparison_is_never_up_to_date() {
    let desk = desk();
    desk.write(
        "gone.yaml",
        "version: 1\ngroups:\n- name: Small\n  id: group_gone\n  members: [u20@example.com]\n",
    );
    desk.write("rows.csv", "email,group\nu20@example.com,Nope\n");
    for (command, status) in [
        ("drift gone.yaml", 3),
        ("plan gone.yaml", 6),
        ("apply gone.yaml --yes", 6),
        ("import memberships rows.csv --dry-run", 6),
        ("import memberships rows.csv --yes", 6),
    ] {
        let answer = desk.run(&format!("--local g.db {command}"));
        assert_eq!(answer.status, status, "{command}: {}", answer.stderr);
        assert!(!answer.stdout.contains("up to date"), "{command}: {}", answer.stdout);
        assert!(answer.stdout.contains("1 group not matched"), "{command}: {}", answer.stdout);
        let last = answer.stderr.lines().find(|line| line.starts_with("error: ")).expect("an error");
        assert!(last.contains("there is no group"), "{last}");
    }
    let import = desk.run("--local g.db import memberships rows.csv --yes");
    assert!(import.stderr.contains("groups create Nope"), "{}", import.stderr);
    assert_eq!(desk.run("--local g.db groups create Small --allow-duplicate").status, 0);
    desk.write("two.yaml", group_file("Small", 20..25, ""));
    let answer = desk.run("--local g.db drift two.yaml");
    assert_eq!(answer.status, 3, "{}", answer.stderr);
    assert!(answer.stderr.contains("2 groups are called 'Small'"), "{}", answer.stderr);
}

#[test]
fn a_partly_blocked_offboarding_lists_the_remaining_groups() {
    let desk = desk();
    assert_eq!(
        desk.run("--local g.db groups users remove Small user_21 user_22 user_23 user_24 --yes").status,
        0
    );
    assert_eq!(desk.run("--local g.db groups users add Core u20@example.com").status, 0);
    let answer = desk.run("--local g.db users offboard u20@example.com --yes");
    assert_eq!(answer.status, 3, "{}", answer.stderr);
    assert!(
        answer.stderr.contains("is still a member: 'Small' (would remove the last member)"),
        "{}",
        answer.stderr
    );
    assert!(answer.stderr.trim_end().ends_with("--allow-removals 1"), "{}", answer.stderr);
}

#[test]
fn a_report_has_every_row_for_dry_run_and_apply() {
    let desk = desk();
    desk.write(
        "rows.csv",
        "email,group\nu20@example.com,Small\nu30@example.com,Small\nnobody@example.com,Small\nu31@example.com,Nope\n",
    );
    let outcomes = |command: &str| {
        desk.run(&format!("--local g.db import memberships rows.csv --report R.json {command}"));
        let rows: Json =
            serde_json::from_slice(&fs::read(desk.path().join("R.json")).expect("a report")).expect("JSON");
        let of = |row: &Json| {
            let origin = row["origin"].as_str().expect("an origin").to_owned();
            (origin, row["outcome"].as_str().expect("an outcome").to_owned())
        };
        let mut rows: Vec<_> = rows.as_array().expect("rows").iter().map(of).collect();
        rows.sort();
        rows.into_iter().map(|(origin, outcome)| format!("{origin} {outcome}")).collect::<Vec<_>>()
    };
    let rest = ["rows.csv:4 not_found", "rows.csv:5 blocked"];
    assert_eq!(outcomes("--dry-run"), [["rows.csv:2 already", "rows.csv:3 planned"], rest].concat());
    assert_eq!(outcomes("--yes"), [["rows.csv:2 already", "rows.csv:3 done"], rest].concat());
    let rows = desk.run("--local g.db import memberships rows.csv --dry-run -o csv").stdout;
    assert!(rows.starts_with("group,action,email,user_id,reason,line,right\n"), "{rows}");
}

#[cfg(unix)]
#[test]
fn files_with_personal_data_are_readable_by_their_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let desk = desk();
    desk.write("add.yaml", group_file("Small", 20..26, ""));
    assert_eq!(desk.run("--local g.db plan add.yaml --out plan.json").status, 0);
    assert_eq!(desk.run("--local g.db apply add.yaml --yes --report report.csv").status, 0);
    let mut folders = vec![desk.path().join("state")];
    let mut files = vec![desk.path().join("plan.json"), desk.path().join("report.csv")];
    while let Some(folder) = folders.pop() {
        assert_eq!(fs::metadata(&folder).expect("there").permissions().mode() & 0o077, 0, "{folder:?}");
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    assert!(files.len() > 4, "{files:?}");
    for file in files {
        assert_eq!(fs::metadata(&file).expect("there").permissions().mode() & 0o077, 0, "{file:?}");
    }
}

#[test]
fn a_refused_user_is_not_suggested_for_resume() {
    let desk = desk();
    desk.write("add.yaml", group_file("Small", 20..27, ""));
    assert_eq!(desk.run("--local g.db plan add.yaml --out p.json").status, 0);
    assert_eq!(desk.run("--local g.db users remove u25@example.com --yes").status, 0);
    let answer = desk.run("--local g.db apply p.json");
    assert_eq!(answer.status, 3, "{}", answer.stderr);
    assert!(answer.stderr.contains("refuses u25@example.com (named at add.yaml:4)"), "{}", answer.stderr);
    assert!(!answer.stderr.contains("runs resume"), "{}", answer.stderr);
    assert!(members(&desk, "Small").contains(&"user_26".to_owned()));
}

#[test]
fn a_change_with_a_lost_response_is_verified_and_undone() {
    let desk = desk();
    desk.write("faults.yaml", "rules:\n- operation: add-group-user\n  fault: { kind: reset, when: after }\n");
    let emulating = Emulating::start(&desk, "--fixtures organization.yaml --faults faults.yaml");
    let ask = |arguments: &str| emulating.ask(&desk, "any-key", arguments);
    desk.write("add.yaml", group_file("Small", 20..27, ""));
    let applied = ask("apply add.yaml --yes");
    assert_eq!(applied.status, 0, "{}", applied.stderr);
    assert!(applied.stderr.contains(": 2 changes applied and verified"), "{}", applied.stderr);
    let rows = ask("runs report last -o json").json();
    assert!(rows.as_array().expect("rows").iter().all(|row| row["outcome"] == "found_done"), "{rows}");
    let undone = ask("runs undo last --yes");
    assert_eq!(undone.status, 0, "{}", undone.stderr);
    assert_eq!(ask("groups users list Small -o json").json().as_array().map(Vec::len), Some(5));
}
