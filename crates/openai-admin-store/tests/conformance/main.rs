//! Requirements on every database. Each case is written once and runs on each engine, on a new database that is
//! verified afterwards.
//!
//! The PostgreSQL cases need a server at `$OPENAI_ADMIN_TEST_POSTGRES`, as `scripts/with-postgres` starts one. They
//! fail without it: a silently skipped case proves nothing.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that panics is doing its job")]

mod access;
mod admin_api_keys;
mod api_keys;
mod audit_logs;
mod backup;
mod certificates;
mod chaos;
mod cluster;
mod concurrency;
mod console_sessions;
mod counts;
mod cursors;
mod directory;
mod directory_roles;
mod directory_round_trips;
mod durability;
mod edges;
mod encryption;
mod external_keys;
mod external_storage;
mod federation_rules;
mod group_users;
mod groups;
mod idempotency_keys;
mod invites;
mod last_owner;
mod migrations;
mod names;
mod organizations;
mod outcomes;
mod page_cache;
mod project_groups;
mod project_role_assignments;
mod project_roles;
mod project_users;
mod projects;
mod proxy;
mod rate_limits;
mod replica_proof;
mod replicas;
mod roles;
mod rolling_upgrades;
mod schema;
mod search;
mod server_failures;
mod service_accounts;
mod settings;
mod snapshots;
mod spend_alerts;
mod support;
mod tenant;
mod text;
mod things;
mod usage;
mod users;
mod verify;
mod workload_identity_providers;
