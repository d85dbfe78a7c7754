//! All tables of resources, and all settings. Code that covers all of them iterates over these lists.

use crate::{
    nouns::{
        certificates, data_retention, external_keys, external_storage, federation_rules::rule_rows, groups,
        hosted_tools, invites, model_permissions, projects, roles, service_accounts, service_tiers,
        spend_alerts, spend_limits, users, workload_identity_providers,
    },
    shapes::{setting::Setting, table::Table},
};

pub(crate) static TABLES: [&Table; 12] = [
    &users::TABLE,
    &groups::TABLE,
    &roles::TABLE,
    &projects::TABLE,
    &invites::TABLE,
    &service_accounts::TABLE,
    &certificates::TABLE,
    &spend_alerts::TABLE,
    &external_keys::TABLE,
    &workload_identity_providers::TABLE,
    &external_storage::TABLE,
    &rule_rows::TABLE,
];

pub(crate) static SETTINGS: [&Setting; 5] = [
    &spend_limits::SETTING,
    &data_retention::SETTING,
    &model_permissions::SETTING,
    &hosted_tools::SETTING,
    &service_tiers::SETTING,
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use openai_admin::AuditLogEventType;
    use rusqlite::Connection;

    use super::*;
    use crate::{engines::transaction::Transaction, keeping::migrations, shapes::edges::EDGES};

    /// Tables that hold neither resources nor edges, and how `load` and `dump` treat their contents.
    const OTHERS: [(&str, &str); 12] = [
        ("organizations", "the organization of the document"),
        ("settings", "the settings of the document"),
        ("rate_limits", "the rate limits of the document"),
        ("sequences", "not dumped: a load assigns new numbers"),
        ("api_keys", "not dumped: a key is a secret, and its hash is useless elsewhere"),
        ("console_sessions", "not dumped: a session ends with its server"),
        ("audit_events", "not dumped: a load records its own events"),
        ("idempotency_keys", "not dumped: they belong to requests to one server"),
        (
            "usage_dimensions",
            "not dumped: usage is a record of the past, as the audit log is, and a backup includes it",
        ),
        ("usage_sums", "not dumped: as above, and there may be millions of rows"),
        ("usage_batches", "not dumped: they belong to requests to one server"),
        ("schema_migrations", "not dumped: it describes the database"),
    ];

    #[test]
    fn every_table_of_the_schema_is_listed_or_has_a_reason() {
        let database = Connection::open_in_memory().expect("a database");
        migrations::migrate(&mut Transaction::Sqlite(&database)).expect("the schema");
        let names = "select name from sqlite_master where type = 'table' and name not like 'sqlite_%'";
        let mut names = database.prepare(names).expect("a statement");
        let schema: BTreeSet<String> =
            names.query_map([], |row| row.get(0)).expect("rows").map(|name| name.expect("a name")).collect();
        let things = TABLES.iter().map(|table| table.name);
        let edges = EDGES.iter().map(|edge| edge.table);
        let others = OTHERS.iter().map(|(name, _)| *name);
        let listed: BTreeSet<String> = things.chain(edges).chain(others).map(str::to_owned).collect();
        assert_eq!(schema, listed, "add the table to TABLES or EDGES, or to OTHERS with a reason");
    }

    /// Events that are not about a resource in a table, an edge or a setting.
    const OTHER_EVENTS: [&str; 9] = [
        "login.succeeded",
        "login.failed",
        "logout.succeeded",
        "organization.created",
        "organization.updated",
        "api_key.created",
        "api_key.updated",
        "api_key.deleted",
        "rate_limit.updated",
    ];

    #[test]
    fn the_events_of_tables_edges_and_settings_match_the_recorded_events() {
        let things = TABLES.iter().flat_map(|table| [table.created, table.updated, table.deleted]);
        let edges = EDGES.iter().flat_map(|edge| [edge.added, edge.ended]);
        let settings = SETTINGS.iter().flat_map(|setting| [Some(setting.set), setting.cleared]).flatten();
        let recorded: BTreeSet<&str> = things.chain(edges).chain(settings).chain(OTHER_EVENTS).collect();
        let listed: BTreeSet<&str> =
            AuditLogEventType::RECORDED.iter().map(|listed| listed.as_str()).collect();
        assert_eq!(recorded, listed, "correct AuditLogEventType::RECORDED");
    }
}
