use crate::desk::{Desk, freeze};

/// A small organization with a few changes.
fn desk() -> Desk {
    let desk = Desk::empty();
    for command in [
        "users create ada@example.com --name Ada --id user_ada",
        // Another owner, so that the first can be removed.
        "users create grace@example.com --name Grace --id user_grace --role owner",
        "groups create Support",
        "groups users add Support ada@example.com",
        "groups rename Support \"Support Team\"",
        "users update user_ada --role owner",
        "keys create --name ci --scope api.groups.read",
        "users remove user_ada --yes",
    ] {
        let answer = desk.run(&format!("--local new.db {command}"));
        assert_eq!(answer.status, 0, "{command}: {}", answer.stderr);
    }
    desk
}

#[test]
fn lists_events_in_every_format() {
    freeze!(desk().transcript(&[
        "--local new.db audit-logs list",
        "--local new.db audit-logs list --type group.user.added -o json",
        "--local new.db audit-logs list --resource user_ada -o csv",
        "--local new.db audit-logs list --limit 1 -o jsonl",
        "--local new.db audit-logs ls --limit 1 -o yaml",
    ]));
}

#[test]
fn events_are_chosen_by_time_type_actor_and_resource() {
    let desk = desk();
    for (filter, count) in [
        ("--since 1h", 10),
        ("--since 2026-01-31", 10),
        ("--until 1h", 0),
        ("--since 1h --until 2100-01-31", 10),
        ("--type user.added --type user.deleted", 3),
        ("--actor local", 10),
        ("--actor key_1", 0),
        ("--resource user_ada", 5),
    ] {
        let answer = desk.run(&format!("--local new.db audit-logs list {filter} -o json"));
        assert_eq!(answer.json().as_array().map(Vec::len), Some(count), "{filter}: {}", answer.stderr);
    }
}

#[test]
fn actors_and_resources_may_be_given_by_name() {
    let desk = Desk::with_acme();
    desk.run("--local acme.db groups users add \"ML Research\" dana@example.com");
    let events = |filter: &str| desk.run(&format!("--local acme.db audit-logs list {filter} -o json"));
    for (name, id) in [
        ("--resource \"ML Research\"", "--resource group_research"),
        ("--resource DANA@example.com", "--resource user_dana"),
        ("--resource \"dana whitfield\"", "--resource user_dana"),
        ("--actor dana@example.com", "--actor user_dana"),
        ("--actor local", "--actor local"),
    ] {
        let (by_name, by_id) = (events(name), events(id));
        assert_eq!((by_name.status, &by_name.stdout), (0, &by_id.stdout), "{name}: {}", by_name.stderr);
    }
    assert_ne!(events("--resource \"ML Research\"").stdout, "[]\n");
    for filter in ["--resource \"ML Reserch\"", "--resource nobody@example.com", "--actor nobody"] {
        let answer = events(filter);
        assert_eq!((answer.status, answer.stdout.as_str()), (6, ""), "{filter}: {}", answer.stderr);
    }
}

#[test]
fn an_invalid_filter_is_explained() {
    freeze!(desk().transcript(&[
        "--local new.db audit-logs list --since tomorrow",
        "--local new.db audit-logs list --type group.exploded",
        "--local new.db audit-logs list --actor nobody",
        "--local new.db audit-logs list --after audit_log-never",
    ]));
}
