//! Client and types of the OpenAI organization administration API: groups, members, users, roles and more.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! use openai_admin::Client;
//!
//! let client = Client::new("sk-admin-123")?;
//! # let directory = serde_json::json!({
//! #     "users": [{ "id": "user_abc123", "name": "Ada Lovelace", "email": "ada@example.com" }],
//! #     "groups": [{ "id": "group_01J1F8ABCDXYZ", "name": "Support" }],
//! # });
//! # let client = openai_admin_server::testing::client_with(serde_json::from_value(directory)?).await?;
//! let added = client.group_users().add_group_user("group_01J1F8ABCDXYZ", "user_abc123").await?;
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
//! The examples in this documentation run against a real server in process. Your tests can do the same:
//! `openai_admin_server::testing::client()`.
//!
//! # Overview
//!
//! - [`Client`]: sends requests. [`Client::group_users`], [`Client::groups`], [`Client::users`] and similar methods are
//!   named like the API's reference; [`Client::send`] sends any operation. Ids, and bodies with one required field, may be
//!   given as text.
//! - [`RetryPolicy`]: how often, after which pauses and after which failures a client retries.
//! - [`operations`]: the requests, one struct each, and the trait [`Endpoint`].
//! - [`models`]: the bodies of requests and responses, under the names of the published schemas.
//! - [`GroupId`], [`UserId`], [`Cursor`], [`Limit`]: validated values. They exclude values that the API would refuse or
//!   misinterpret.
//! - [`Page`]: the common trait of all lists.
//! - [`Error`]: the cause of a failure, whether the request was sent, and the service's message.
//! - [`wire`]: encodes and decodes requests, for servers, proxies and tests.
//!
//! # Features
//!
//! | Feature | What it adds |
//! |---|---|
//! | `rustls` (default) | the default transport: hyper over rustls, with ring and Mozilla's root certificates |
//! | `client` (default) | the client without a transport, for a custom [`tower_service::Service`] |
//! | `http2` | HTTP/2 if the service supports it |
//! | `native-roots` | the operating system's root certificates instead of Mozilla's |
//! | `aws-lc` | AWS-LC's cryptography instead of ring's |
//! | `stream` | lists as `futures_core::Stream` |
//! | `blocking` | a client for programs without a runtime |
//! | `testing` | a scripted service that fails on demand |
//! | `likeness` | suggestions for misspelt words |
//! | `schema` | JSON Schemas of all types, in `schema` |
//!
//! Without features: the types and [`wire`], with serde and without IO.
//!
//! # Migrating from another client
//!
//! [A table of names](https://github.com/openai-admin/openai-admin/blob/main/docs/coming-from-other-clients.md) maps
//! `openai-client-base` and `async-openai` to this crate.

pub mod access;
mod decimal;
mod deleted;
mod eight_bytes;
pub mod endpoint;
mod hexadecimal;
pub mod id;
pub mod identity;
pub mod models;
mod one_field;
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
mod json;
#[cfg(feature = "likeness")]
pub mod likeness;
#[cfg(feature = "schema")]
pub mod schema;
#[cfg(feature = "testing")]
pub mod testing;

#[cfg(feature = "client")]
pub use client::{Client, ClientBuilder, Response, RetryPolicy};
pub use decimal::{Decimal, InvalidDecimal};
pub use deleted::{Deleted, DeletedKind, Gone};
pub use endpoint::{Endpoint, Method, Scope};
#[cfg(feature = "client")]
pub use error::{Error, ErrorKind};
pub use hexadecimal::hexadecimal;
pub use id::{
    ApiKeyId, AuditLogId, CertificateId, Cursor, ExternalKeyId, ExternalStorageId, FederationRuleId, GroupId,
    InviteId, OrganizationId, PermissionName, ProjectId, RateLimitId, RoleId, ServiceAccountId, SpendAlertId,
    UserId, WorkloadIdentityProviderId,
};
pub use one_field::InvalidField;
pub use open_enum::{
    AccessPathKind, ApiSource, AuditLogActorType, AuditLogEventType, CertificateInclude, DefaultServiceTier,
    ExternalKeyObject, ExternalKeyPurpose, ExternalKeyType, ExternalStorageProviderType,
    ExternalStorageStatus, FederationRulePermissionsType, GroupType, InviteProjectRole, InviteRole,
    InviteStatus, ModelPermissionsMode, NamedKind, OrganizationDataRetentionType, OwnerProjectAccess,
    OwnerProjectAccessFilter, ProjectDataRetentionType, ProjectOptionalServiceTier, ProjectResidency,
    ProjectStatus, ServiceAccountRole, SpendAlertChannelType, SpendLimitCurrency,
    SpendLimitEnforcementStatus, SpendLimitInterval, UnknownValue, UserRole, UserType,
    WorkloadIdentityProviderType, WorkloadIdentityVerificationType,
};
pub use page::{IdPage, ListEndpoint, ListItem, NextPage, OrderedListEndpoint, Page};
pub use value::{BoundedInteger, BoundedText, Limit, Object, ObjectName, Order, PersonalText, Timestamp};
pub use violation::{Violation, ViolationCode};

/// The default base URL.
pub const DEFAULT_BASE_URL: &str = "https://api.openai.com/v1";
