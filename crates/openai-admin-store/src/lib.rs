//! The data of the server: organizations, groups, users, memberships and keys, in SQLite or PostgreSQL.
//!
//! An operation is one `impl` on its request, [`Reads`] or [`Changes`]. [`Store::read`] and [`Store::change`] run it in
//! one transaction: either all of its effects are visible or none. A change is on disk before the call returns, and its
//! audit event is part of it. The most frequent operations have faster methods with the same effect.
//!
//! The store has no HTTP code and uses neither a clock nor random numbers: each change carries a [`Stamp`].
//!
//! Each folder builds on the ones before it:
//!
//! | Folder | Contents |
//! |---|---|
//! | `base` | errors, kinds, stamps, values, bounds |
//! | `engines` | SQLite and PostgreSQL: connections, queues, transactions |
//! | `store.rs`, `operation` | running an operation: its transaction, audit events and idempotency key |
//! | `shapes` | code shared by resources and edges |
//! | `nouns` | each resource: its table and its operations |
//! | `keeping` | operations on the whole database: migrations, backup, verification, load and dump |

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
    rule::{Rule, Rules},
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
        DirectoryProjectUser, DirectoryRateLimit, DirectoryRole, DirectorySetting, DirectoryUser,
    },
    load::LoadSummary,
    migrations::SchemaVersion,
};
pub use nouns::{
    api_keys::{ApiKey, NewApiKey, RotatedApiKey},
    console_sessions::{CONSOLE_SESSIONS_OF_KEY_MAX, ConsoleSession, ConsoleSessionKey},
    organizations::Organization,
};
pub use operation::{
    Changes, Reads,
    idempotency_keys::{IDEMPOTENCY_KEPT_SECONDS, IDEMPOTENCY_KEYS_MAX},
};
pub use store::Store;
