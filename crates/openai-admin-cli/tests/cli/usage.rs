use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;

use crate::desk::{Desk, freeze};

/// A desk with usage and costs of this minute.
#[expect(clippy::disallowed_methods, reason = "the reports use the same clock")]
fn desk() -> Desk {
    let desk = Desk::empty();
    let organization = "projects:\n  - { id: proj_1, name: Search }\n  - { id: proj_2, name: A project whose name is long }\n";
    desk.write("organization.yaml", organization);
    let loaded = desk.run("--local acme.db load organization.yaml");
    assert_eq!(loaded.status, 0, "{}", loaded.stderr);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let record = |project: &str, model: &str, tokens: u64| {
        json!({
            "time": now, "project_id": project, "model": model, "input_tokens": tokens,
            "input_cached_tokens": tokens / 4, "output_tokens": tokens / 10, "num_model_requests": 3,
        })
    };
    let batch = json!({
        "batch_id": "1",
        "completions": [
            record("proj_1", "gpt-5", 1_234_567), record("proj_1", "o3", 4000), record("proj_2", "gpt-5", 999),
        ],
        "costs": [
            { "time": now, "project_id": "proj_1", "line_item": "gpt-5, input", "amount": "1234.565000001" },
            { "time": now, "project_id": "proj_2", "line_item": "gpt-5, input", "amount": 0.1 },
            { "time": now, "project_id": "proj_2", "amount": 0.2 },
        ],
    });
    desk.write("batch.json", batch.to_string());
    let recorded = desk.run("--local acme.db api POST x/usage -d @batch.json --yes");
    assert_eq!(recorded.status, 0, "{}", recorded.stderr);
    desk
}

#[test]
fn usage_is_reported_with_totals_and_bars() {
    freeze!(desk().transcript(&[
        "--local acme.db usage report --by project,model",
        "--local acme.db usage report --by model --last 2d -o csv",
        "--local acme.db usage report --by project -o json",
        "--local acme.db usage report images",
        "--local acme.db usage report --by colour",
        "--local acme.db usage report --by model,model",
        "--local acme.db usage report --last 36601d",
    ]));
}

#[test]
fn costs_are_reported_in_cents_for_people_and_exactly_for_programs() {
    freeze!(desk().transcript(&[
        "--local acme.db costs --by project",
        "--local acme.db costs --by project,line-item -o csv",
        "--local acme.db costs --by line-item --last 7d",
    ]));
}
