//! The declaration of an operation: its request as a struct, with a few constants.

use std::fmt;

use serde::{Serialize, de::DeserializeOwned};

/// An operation of the API.
///
/// The struct that implements this trait *is* the request. Three rules define the position of each field (the 143
/// operations of the published description need no other):
///
/// 1. a field named in braces in [`PATH`](Self::PATH) is part of the path,
/// 2. a field called `body` is the JSON body,
/// 3. any other field is a query parameter.
///
/// Client, server and OpenAPI document are all derived from this one declaration.
///
/// ```
/// use openai_admin::{Endpoint, operations::AddGroupUser};
/// assert_eq!(AddGroupUser::PATH, "/organization/groups/{group_id}/users");
/// ```
pub trait Endpoint: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The operation id of the published description, such as `add-group-user`.
    const ID: &'static str;
    /// The HTTP method.
    const METHOD: Method;
    /// The path, relative to the base URL. `{name}` is a placeholder for a field, in the order of the fields.
    const PATH: &'static str;
    /// The scope that a key needs.
    const SCOPE: Scope;
    /// The tag of the published description, such as `Group users`.
    const TAG: &'static str;
    /// Whether a retry is safe even if the outcome of the first attempt is unknown: true for reads and removals, and
    /// for POST requests that declare it.
    const IDEMPOTENT: bool = !matches!(Self::METHOD, Method::Post);
    /// The response.
    type Response: Serialize + DeserializeOwned + Send + Sync + 'static;
}

/// The facts of an operation as values, for code that all operations share.
#[cfg(feature = "client")]
#[derive(Clone, Copy)]
pub(crate) struct Operation {
    pub(crate) id: &'static str,
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) scope: Scope,
    pub(crate) idempotent: bool,
}

#[cfg(feature = "client")]
impl Operation {
    pub(crate) const fn of<E: Endpoint>() -> Self {
        Self { id: E::ID, method: E::METHOD, path: E::PATH, scope: E::SCOPE, idempotent: E::IDEMPOTENT }
    }
}

/// Implements [`Endpoint`] for a request: `endpoint!(Request, "id", METHOD path, SCOPE -> Response)`, followed by `,
/// idempotent` for a POST that may be retried. The tag is the file's constant `TAG`.
macro_rules! endpoint {
    ($request:ident, $id:literal, $method:ident $path:expr, $scope:ident -> $response:ty $(, $idempotent:ident)?) => {
        impl $crate::Endpoint for $request {
            const ID: &'static str = $id;
            const METHOD: $crate::Method = $crate::endpoint::endpoint!(@method $method);
            const PATH: &'static str = $path;
            const SCOPE: $crate::Scope = $crate::Scope::$scope;
            const TAG: &'static str = TAG;
            $(const IDEMPOTENT: bool = $crate::endpoint::endpoint!(@$idempotent);)?
            type Response = $response;
        }
    };
    (@method GET) => { $crate::Method::Get };
    (@method POST) => { $crate::Method::Post };
    (@method DELETE) => { $crate::Method::Delete };
    (@idempotent) => { true };
}
pub(crate) use endpoint;

/// The methods that the API uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Method {
    /// Reads. Safe to retry.
    Get,
    /// Creates or changes.
    Post,
    /// Replaces. Only the controls of an emulator use it. Safe to retry.
    Put,
    /// Removes. Safe to retry.
    Delete,
}

impl Method {
    /// The method as sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A permission of a key, in the API's format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scope(&'static str);

impl Scope {
    /// Read the audit log.
    pub const AUDIT_LOGS_READ: Self = Self("api.audit_logs.read");
    /// Read and validate external keys.
    pub const EXTERNAL_KEYS_READ: Self = Self("api.external_keys.read");
    /// Register and delete external keys.
    pub const EXTERNAL_KEYS_WRITE: Self = Self("api.external_keys.write");
    /// Read external storage.
    pub const EXTERNAL_STORAGE_READ: Self = Self("api.external_storage.read");
    /// Register, validate and disconnect external storage.
    pub const EXTERNAL_STORAGE_WRITE: Self = Self("api.external_storage.write");
    /// Read groups and their users.
    pub const GROUPS_READ: Self = Self("api.groups.read");
    /// Change groups and their users.
    pub const GROUPS_WRITE: Self = Self("api.groups.write");
    /// Read the organization: users, and later invites, projects and so on.
    pub const MANAGEMENT_READ: Self = Self("api.management.read");
    /// Change the organization.
    pub const MANAGEMENT_WRITE: Self = Self("api.management.write");

    /// Read roles and their assignments (assumed: the API does not publish this scope).
    pub const ROLES_READ: Self = Self("api.roles.read");
    /// Change roles and their assignments (assumed: the API does not publish this scope).
    pub const ROLES_WRITE: Self = Self("api.roles.write");
    /// Read usage.
    pub const USAGE_READ: Self = Self("api.usage.read");
    /// Record usage (an extension).
    pub const USAGE_WRITE: Self = Self("api.usage.write");

    /// All scopes of served operations.
    pub const ALL: &'static [Self] = &[
        Self::AUDIT_LOGS_READ,
        Self::EXTERNAL_KEYS_READ,
        Self::EXTERNAL_KEYS_WRITE,
        Self::EXTERNAL_STORAGE_READ,
        Self::EXTERNAL_STORAGE_WRITE,
        Self::GROUPS_READ,
        Self::GROUPS_WRITE,
        Self::MANAGEMENT_READ,
        Self::MANAGEMENT_WRITE,
        Self::ROLES_READ,
        Self::ROLES_WRITE,
        Self::USAGE_READ,
        Self::USAGE_WRITE,
    ];

    /// The scope, as in an error message or a key's list of scopes.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}
