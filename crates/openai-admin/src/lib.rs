//! Client and types of the OpenAI organization administration API: who is in which group.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! use openai_admin::{Client, models::CreateGroupUserBody};
//!
//! let client = Client::new("sk-admin-123")?;
//! # let directory = serde_json::json!({
//! #     "users": [{ "id": "user_abc123", "name": "Ada Lovelace", "email": "ada@example.com" }],
//! #     "groups": [{ "id": "group_01J1F8ABCDXYZ", "name": "Support" }],
//! # });
//! # let client = openai_admin_server::testing::client_with(serde_json::from_value(directory)?).await?;
//! let body = CreateGroupUserBody::new("user_abc123".parse()?);
//! let added = client.group_users().add_group_user("group_01J1F8ABCDXYZ", body).await?;
//! println!("{} is in {}", added.user_id, added.group_id);
//!
//! let mut users = client.group_users().list_group_users("group_01J1F8ABCDXYZ").items();
//! while let Some(user) = users.next().await {
//!     println!("{}", user?.name);
//! }
//! # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
//! # }).map_err(|error| error.to_string())?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Every example in this documentation runs against a real server in process, and so can your tests:
//! `openai_admin_server::testing::client()`.
//!
//! # A map
//!
//! - [`Client`]: sends requests. [`Client::group_users`], [`Client::groups`], [`Client::users`] and
//!   [`Client::audit_logs`] are its front doors, named like the API's own reference; [`Client::send`] runs any
//!   operation.
//! - [`operations`]: the requests, one struct each, and [`Endpoint`], what a request is.
//! - [`models`]: the answers and bodies, under the names of the published schemas.
//! - [`GroupId`], [`UserId`], [`Cursor`], [`Limit`]: values that cannot hold what the API would refuse or, worse,
//!   take for something else.
//! - [`Page`]: what all lists have in common.
//! - [`Error`]: what went wrong, whether the request was sent, and what the service said.
//! - [`wire`]: how a request becomes bytes and comes back; for those who build servers, proxies and tests.
//!
//! # Features
//!
//! | Feature | What it adds |
//! |---|---|
//! | `rustls` (default) | the default transport: hyper over rustls, with ring and Mozilla's root certificates |
//! | `client` (default) | the client without a transport, for a [`tower_service::Service`] of your own |
//! | `http2` | HTTP/2 where the service speaks it |
//! | `native-roots` | the operating system's root certificates instead of Mozilla's |
//! | `aws-lc` | AWS-LC's cryptography instead of ring's |
//! | `stream` | lists as `futures_core::Stream` |
//! | `blocking` | a client for programs without a runtime |
//! | `testing` | a scripted service that fails on demand |
//! | `likeness` | which known word a misspelt one may mean |
//! | `schema` | JSON Schemas of all types, and `schema` to read them |
//!
//! Without any: the types and [`wire`], serde and no IO.
//!
//! # Coming from another client
//!
//! [A table of names](https://github.com/openai-admin/openai-admin/blob/main/docs/coming-from-other-clients.md) leads
//! from `openai-client-base` and `async-openai` here.

mod deleted;
mod eight_bytes;
pub mod endpoint;
mod hexadecimal;
pub mod id;
pub mod identity;
pub mod models;
pub mod open_enum;
pub mod operations;
pub mod page;
mod text;
pub mod value;
pub mod violation;
pub mod wire;

#[cfg(feature = "blocking")]
pub mod blocking;
#[cfg(feature = "client")]
pub mod client;
#[cfg(feature = "client")]
pub mod error;
#[cfg(feature = "client")]
mod json;
#[cfg(feature = "likeness")]
pub mod likeness;
#[cfg(feature = "schema")]
pub mod schema;
#[cfg(feature = "testing")]
pub mod testing;

#[cfg(feature = "client")]
pub use client::{Client, ClientBuilder, Response};
pub use deleted::{Deleted, DeletedKind, Gone};
pub use endpoint::{Endpoint, Method, Scope};
#[cfg(feature = "client")]
pub use error::{Error, ErrorKind};
pub use hexadecimal::hexadecimal;
pub use id::{
    ApiKeyId, AuditLogId, CertificateId, Cursor, GroupId, InviteId, OrganizationId, ProjectId, RoleId,
    ServiceAccountId, UserId,
};
pub use open_enum::{
    AuditLogActorType, AuditLogEventType, CertificateInclude, GroupType, InviteProjectRole, InviteRole,
    InviteStatus, ModelPermissionsMode, OrganizationDataRetentionType, OwnerProjectAccess,
    OwnerProjectAccessFilter, ProjectDataRetentionType, ProjectResidency, ProjectStatus, ServiceAccountRole,
    SpendLimitCurrency, SpendLimitEnforcementStatus, SpendLimitInterval, UnknownValue, UserRole, UserType,
};
pub use page::{IdPage, ListEndpoint, ListItem, NextPage, OrderedListEndpoint, Page};
pub use value::{BoundedInteger, BoundedText, Limit, Object, ObjectName, Order, PersonalText, Timestamp};
pub use violation::{Violation, ViolationCode};

/// Where the API lives.
pub const DEFAULT_BASE_URL: &str = "https://api.openai.com/v1";
