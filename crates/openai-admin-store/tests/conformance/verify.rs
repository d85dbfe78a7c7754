//! Tests that `verify` finds violations, because the other cases rely on it. They change the database without the
//! store.

use openai_admin::operations::CreateUsageBatch;
use openai_admin_store::{DatabaseUrl, NewApiKey};
use serde_json::json;

use crate::{
    certificates, external_keys, external_storage, federation_rules, rate_limits, settings, spend_alerts,
    support::{Database, Engine, run},
    tenant::Tenant,
};

/// Each violation, and a part of the line that reports it.
const DAMAGES: [(&str, &str); 49] = [
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
    ("update workload_identity_providers set name = 'Other'", "the name of a workload identity provider"),
    ("update external_storage set geography = 'Other'", "the geography of a external storage"),
    ("update federation_rules set name = 'Other'", "the name of a federation rule"),
    ("update federation_rules set provider_seq = 99", "refers to a provider and a service account"),
    ("update federation_rules set account_seq = 99", "refers to a provider and a service account"),
    ("update federation_rules set project_seq = 99", "refers to a provider and a service account"),
    ("delete from rate_limits", "with a value of a rate limit"),
    ("update rate_limits set value = '{\"max_requests_per_1_minute\":8}'", "with a value of a rate limit"),
    ("delete from audit_events where event = 'rate_limit.updated'", "with a value of a rate limit"),
    ("update rate_limits set project_seq = 9", "rate limits belong to an organization or a project"),
];

/// An organization with rows and events of every kind that [`DAMAGES`] change.
async fn filled(database: &Database) -> Tenant {
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
    let ends = federation_rules::Ends::create(&acme).await;
    let mut rule = ends.body();
    rule["name"] = json!("Builds");
    federation_rules::create(&acme, &ends.provider, rule).await.unwrap();
    external_storage::create(&acme).await;
    let limits = json!({ "max_requests_per_1_minute": 7 });
    rate_limits::update(&acme, "proj_default_org-acme", "rl-o3", limits).await.unwrap();
    acme.delete_user("user_4").await.unwrap();
    let record = json!({ "time": 7, "input_tokens": 1, "output_tokens": 1, "num_model_requests": 1 });
    let level = json!({ "time": 7, "usage_bytes": 1 });
    let batch = json!({ "batch_id": "1", "completions": [record], "vector_stores": [level] });
    let batch = serde_json::from_value(batch).unwrap();
    acme.change(CreateUsageBatch::new(batch)).await.unwrap();
    acme.delete_group("group_3").await.unwrap();
    acme
}

/// The statements that copy every table, restore all from their copies, and drop the copies.
fn copies(database: &Database) -> [String; 3] {
    let (tables, without_triggers) = match &database.url {
        DatabaseUrl::Sqlite(_) => {
            ("select name from sqlite_schema where type = 'table' and name not like 'sqlite_%'", "")
        }
        DatabaseUrl::Postgres(_) => (
            "select tablename::text from pg_tables where schemaname = current_schema()",
            "set session_replication_role = replica;",
        ),
    };
    let tables = database.texts(tables);
    let each =
        |statements: fn(&str) -> String| tables.iter().map(|table| statements(table)).collect::<String>();
    let restore =
        each(|table| format!("delete from {table}; insert into {table} select * from copy_{table};"));
    [
        each(|table| format!("create table copy_{table} as select * from {table};")),
        format!("{without_triggers} begin; {restore} commit;"),
        each(|table| format!("drop table copy_{table};")),
    ]
}

fn verify_detects_every_violation(engine: Engine) {
    run(engine, async |database: Database| {
        let acme = filled(&database).await;
        let [copy, restore, drop] = copies(&database);
        database.execute(&copy);
        for (damage, word) in DAMAGES {
            assert_eq!(acme.store().verify().await.unwrap(), Vec::<String>::new(), "before {damage}");
            database.execute(damage);
            let problems = acme.store().verify().await.unwrap();
            assert!(problems.iter().any(|problem| problem.contains(word)), "{damage}: {problems:?}");
            database.execute(&restore);
        }
        database.execute(&drop);
    });
}

#[test]
fn verify_detects_every_violation_on_sqlite() {
    verify_detects_every_violation(Engine::Sqlite);
}

#[test]
fn verify_detects_every_violation_on_postgres() {
    verify_detects_every_violation(Engine::Postgres);
}
