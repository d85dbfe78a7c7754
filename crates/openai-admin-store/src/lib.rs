//! What the server remembers: organizations, groups, users, memberships and keys, in SQLite or PostgreSQL.
//!
//! An operation is one `impl` on its request, [`Reads`] or [`Changes`], which [`Store::read`] and [`Store::change`] run
//! in one transaction: either all of it is visible or none. A change is on disk before the call returns, and its audit
//! event is part of it. The most frequent operations have methods of their own, which do the same faster.
//!
//! The store knows no HTTP, and no clock or random numbers of its own: each change carries a [`Stamp`].
//!
//! The folders are its floors, each built on those before it:
//!
//! | Folder | What is in it |
//! |---|---|
//! | `base` | errors, kinds, stamps, values, bounds |
//! | `engines` | SQLite and PostgreSQL: connections, queues, transactions |
//! | `store.rs`, `operation` | running an operation: its transaction, audit events and idempotency key |
//! | `shapes` | what things and edges have in common |
//! | `nouns` | each resource: its table and its operations |
//! | `keeping` | what concerns the whole database: migrations, backup, verification, load and dump |

mod base;
mod engines;
mod keeping;
mod nouns;
mod operation;
mod shapes;
mod store;

pub use base::{
    error::{Cause, Error, Result},
    kind::Kind,
    org::Org,
    refusal::Refusal,
    secret::Secret,
    stamp::{IdempotencyKey, Stamp},
};
pub use engines::{
    database_url::DatabaseUrl,
    figures::{COMMIT_SIZES, Figures},
    sqlite::{page_cache::PAGE_CACHE_BYTES_MAX, snapshot::Snapshot},
};
pub use keeping::{
    backup::copy::BackupProgress,
    census::Census,
    directory::{
        Directory, DirectoryGroup, DirectoryOrganization, DirectoryProject, DirectoryProjectGroup,
        DirectoryProjectUser, DirectoryRole, DirectoryUser,
    },
    load::LoadSummary,
    migrations::SchemaVersion,
};
pub use nouns::{
    api_keys::{ApiKey, NewApiKey, RotatedApiKey},
    organizations::Organization,
};
pub use operation::{
    Changes, Reads,
    idempotency_keys::{IDEMPOTENCY_KEPT_SECONDS, IDEMPOTENCY_KEYS_MAX},
};
pub use store::Store;
