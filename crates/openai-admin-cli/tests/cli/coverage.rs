use crate::desk::{Desk, freeze};

#[test]
fn the_operations_of_each_state_are_listed() {
    let desk = Desk::empty();
    let all = desk.run("coverage -o json").json();
    let not_served = desk.run("coverage --not-served -o json").json();
    let of = |status| all.as_array().expect("a list").iter().filter(|row| row["status"] == status).count();
    assert_eq!(of("served") + of("partly"), 143);
    assert_eq!(not_served, serde_json::json!([]));
}

#[test]
fn the_table_lists_served_and_missing_operations() {
    let desk = Desk::empty();
    let answer = desk.run("coverage");
    let head: Vec<&str> = answer.stdout.lines().take(15).collect();
    freeze!(format!("{}\n…\n{}= {}\n", head.join("\n"), answer.stderr, answer.status));
    let refused = desk.run("coverage --markdown --not-served");
    assert_eq!(refused.status, 64, "{}", refused.stderr);
}
