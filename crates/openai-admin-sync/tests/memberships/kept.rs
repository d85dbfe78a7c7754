//! The plan and the journal of a run of an earlier version.

use std::{fs, path::PathBuf};

use openai_admin_sync::{
    Approval, Plan,
    guard::{Decision, decisions},
    journal::{self, Entry, Outcome},
    plan::{Effect, Operation},
    report,
};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/kept_run")
}

fn kept_plan() -> (String, Plan) {
    let text = fs::read_to_string(folder().join("plan.json")).expect("the fixture");
    let plan = Plan::from_json(text.as_bytes()).expect("the digest of its content");
    (text, plan)
}

#[test]
fn a_plan_of_an_earlier_version_is_read_and_written_unchanged() {
    let (text, plan) = kept_plan();
    let effects: Vec<Effect> = plan.operations().map(|(_, operation)| Operation::effect(operation)).collect();
    use Effect::{Create, Grant, Rename, Revoke};
    assert_eq!(effects, [Grant, Revoke, Revoke, Rename, Grant, Create, Grant]);
    assert_eq!(plan.to_json(), text);
    assert_eq!(decisions(&plan, &Approval::None)[1..3], [Decision::Allowed, Decision::Protected]);
}

#[test]
fn a_journal_of_an_earlier_version_is_read_with_its_plan() {
    let (_, plan) = kept_plan();
    let lines = journal::read(&folder().join("journal.jsonl")).expect("a whole journal");
    let operations: Vec<&Operation> = plan.operations().map(|(_, operation)| operation).collect();
    let mut sent = 0;
    for line in &lines {
        if let Entry::Intent { operation, action, user_id, .. } = &line.entry {
            let operation = operations[*operation];
            assert_eq!((operation.action(), operation.user_id()), (action.as_str(), user_id.as_ref()));
            sent += 1;
        }
    }
    assert_eq!(sent, 6);
    let rows = report::rows(&plan, &journal::results(&lines), None);
    let outcomes: Vec<&str> = rows.iter().map(|row| row.outcome).collect();
    let (done, blocked) = (Outcome::Done.as_str(), Outcome::Blocked.as_str());
    assert_eq!(outcomes, [done, done, blocked, done, done, done, done, "not_found"]);
}
