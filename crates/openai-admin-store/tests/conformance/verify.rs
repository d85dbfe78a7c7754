//! Tests that `verify` finds violations, because the other cases rely on it. They change the database without the
//! store.

use openai_admin::operations::CreateUsageBatch;
use openai_admin_store::NewApiKey;
use serde_json::json;

use crate::{
    certificates, external_keys, rate_limits, settings, spend_alerts,
    support::{Database, Engine, run_and_check},
};

/// Each violation, and a part of the line that reports it.
const DAMAGES: [(&str, &str); 43] = [
    ("insert into group_users (org, group_seq, user_seq) values (1, 99, 1)", "refers to a group"),
    ("insert into group_users (org, group_seq, user_seq) values (1, 1, 99)", "refers to a user"),
    ("insert into group_users (org, group_seq, user_seq) values (2, 1, 1)", "refers to a group"),
    ("update groups set removed_at = 1, name = '' where seq = 1", "refers to a group"),
    ("delete from group_users where user_seq = 1", "audit events of each row of group_users"),
    ("insert into group_users (org, group_seq, user_seq) values (1, 2, 3)", "has an audit event"),
    ("delete from audit_events where event = 'group.user.added'", "has an audit event"),
    ("delete from audit_events where event = 'user.added'", "events of a user"),
    ("delete from audit_events where event = 'group.created'", "events of a group"),
    ("delete from audit_events where event = 'user.deleted'", "events of a user"),
    ("delete from audit_events where event = 'group.deleted'", "events of a group"),
    ("update organizations set last_user_seq = last_user_seq + 1", "every assigned number"),
    ("update organizations set last_group_seq = last_group_seq - 1", "number that the organization assigned"),
    (
        "insert into audit_events (org, place, change, item, recorded_at, actor, event)
         select org, place + 1, change, item, 0, actor, 'organization.updated' from audit_events
         where event = 'organization.created'",
        "a unique number",
    ),
    ("update users set name = 'Ada' where removed_at is not null", "personal data"),
    ("update users set developer_persona = 'author' where removed_at is not null", "personal data"),
    ("update groups set name = 'Secret' where removed_at is not null", "no name"),
    ("delete from audit_events where event = 'group.updated'", "the name of a group"),
    ("delete from audit_events where event = 'user.updated'", "the role of a user"),
    ("delete from audit_events where event = 'api_key.created'", "creation"),
    ("delete from audit_events where event = 'api_key.deleted'", "revoked key"),
    ("delete from audit_events where event = 'organization.created'", "organization has an audit event"),
    ("update organizations set title = 'Nobody'", "with the title"),
    ("delete from audit_events where item = 2", "without gaps"),
    ("update usage_sums set sum_1 = sum_1 + 1 where width = 60", "the usage of 3600 seconds is the sum"),
    (
        "update usage_sums set sum_0 = 2 where series = 9 and width = 3600",
        "the level of 3600 seconds is the last",
    ),
    (
        "update usage_sums set sum_1 = 1 where series = 9 and width = 86400",
        "the level of 86400 seconds is the last",
    ),
    ("delete from usage_sums where width = 86400", "the usage of 86400 seconds is the sum"),
    ("delete from usage_dimensions", "belongs to dimensions"),
    ("update users set email = 'User@example.com' where seq = 1", "found by their email address"),
    ("delete from certificate_activations", "audit events of each row of certificate_activations"),
    ("delete from audit_events where event = 'certificates.activated'", "has an audit event"),
    ("update certificates set name = 'Other'", "the name of a certificate"),
    ("delete from settings", "each spend_limit tells its value"),
    ("update settings set value = '{}'", "each spend_limit tells its value"),
    ("delete from audit_events where event = 'spend_limit.updated'", "each spend_limit tells its value"),
    ("update settings set project_seq = 9", "belongs to an organization or a project"),
    ("update spend_alerts set threshold_amount = 6", "the threshold_amount of a spend alert"),
    ("update external_keys set name = 'Other'", "the name of a external key"),
    ("delete from rate_limits", "with a value of a rate limit"),
    ("update rate_limits set value = '{\"max_requests_per_1_minute\":8}'", "with a value of a rate limit"),
    ("delete from audit_events where event = 'rate_limit.updated'", "with a value of a rate limit"),
    ("update rate_limits set project_seq = 9", "rate limits belong to an organization or a project"),
];

fn verify_detects_every_violation(engine: Engine) {
    for (damage, word) in DAMAGES {
        run_and_check(engine, async |database: Database| {
            let groups = json!([
                { "id": "group_1", "name": "One", "members": ["user_1", "user_2"] },
                { "id": "group_2", "name": "Two" },
                { "id": "group_3", "name": "Three" },
            ]);
            let acme = database.acme(4, groups).await;
            acme.rename_group("group_1", "Uno").await.unwrap();
            acme.modify_user("user_1", json!({ "role": "owner" })).await.unwrap();
            let (hash, redacted, name) = ("hash".to_owned(), "…".to_owned(), "Key".to_owned());
            let key = NewApiKey { hash, redacted, name, scopes: vec![], expires_at: None };
            let key = acme.store().create_api_key(acme.org(), database.stamp(), key).await.unwrap();
            acme.store().revoke_api_key(acme.org(), database.stamp(), key.id).await.unwrap();
            let certificate = certificates::upload(&acme, "Gateway").await;
            certificates::activate(&acme, "proj_default_org-acme", &[&certificate]).await.unwrap();
            settings::limit_spend(&acme, 5).await;
            spend_alerts::create(&acme, 5).await;
            external_keys::create(&acme, "Key").await;
            let limits = json!({ "max_requests_per_1_minute": 7 });
            rate_limits::update(&acme, "proj_default_org-acme", "rl-o3", limits).await.unwrap();
            acme.delete_user("user_4").await.unwrap();
            let record = json!({ "time": 7, "input_tokens": 1, "output_tokens": 1, "num_model_requests": 1 });
            let level = json!({ "time": 7, "usage_bytes": 1 });
            let batch = json!({ "batch_id": "1", "completions": [record], "vector_stores": [level] });
            let batch = serde_json::from_value(batch).unwrap();
            acme.change(CreateUsageBatch::new(batch)).await.unwrap();
            acme.delete_group("group_3").await.unwrap();
            assert_eq!(acme.store().verify().await.unwrap(), Vec::<String>::new());
            database.execute(damage);
            let problems = acme.store().verify().await.unwrap();
            assert!(problems.iter().any(|problem| problem.contains(word)), "{damage}: {problems:?}");
        });
    }
}

#[test]
fn verify_detects_every_violation_on_sqlite() {
    verify_detects_every_violation(Engine::Sqlite);
}

#[test]
fn verify_detects_every_violation_on_postgres() {
    verify_detects_every_violation(Engine::Postgres);
}
