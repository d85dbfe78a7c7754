//! What the server remembers: organizations, groups, users, memberships and keys, in SQLite or PostgreSQL.
//!
//! Each public method of [`Store`] is one whole operation in one transaction, named like the operation: either all
//! of it is visible or none. A change is on disk before its method returns, and its audit event is part of it.
//!
//! The store knows no HTTP, and no clock or random numbers of its own: each change carries a [`Stamp`].

mod api_keys;
mod audit_events;
mod audit_filter;
mod audit_logs;
mod audit_order;
mod backup;
mod census;
mod directory;
mod edges;
mod error;
mod figures;
mod group_users;
mod groups;
mod idempotency_keys;
mod invariants;
mod kind;
mod lanes;
mod migrations;
mod operation;
mod org;
mod organizations;
mod page;
mod page_cache;
#[cfg(feature = "planted-faults")]
mod planted_faults;
mod postgres;
mod snapshot;
mod sqlite;
mod sqlite_files;
mod sqlite_readers;
mod stamp;
mod store;
mod table;
mod tables;
mod text;
mod thing;
mod time_limit;
mod transaction;
mod tx;
mod users;
mod value;
mod verify;

pub use api_keys::{ApiKey, NewApiKey, RotatedApiKey};
pub use backup::BackupProgress;
pub use census::Census;
pub use directory::{Directory, DirectoryGroup, DirectoryOrganization, DirectoryUser, LoadSummary};
pub use error::{Cause, Error, Result};
pub use figures::{COMMIT_SIZES, Figures};
pub use idempotency_keys::{IDEMPOTENCY_KEPT_SECONDS, IDEMPOTENCY_KEYS_MAX, IdempotencyKey};
pub use kind::Kind;
pub use migrations::SchemaVersion;
pub use operation::{Changes, Reads};
pub use org::Org;
pub use organizations::Organization;
pub use page_cache::PAGE_CACHE_BYTES_MAX;
#[cfg(feature = "planted-faults")]
pub use planted_faults::{PlantedFault, plant};
pub use snapshot::Snapshot;
pub use stamp::Stamp;
pub use store::{DatabaseUrl, Store};
