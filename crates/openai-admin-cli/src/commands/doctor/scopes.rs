//! Which scopes a key has: one request for each scope.
//!
//! A read shows whether the key has a read scope. Only a change would show a write scope, so those are tested at our own
//! server alone: there a request that cannot be decoded is refused after its scope was checked, and changes nothing.

use openai_admin::{Client, Error, Method, Scope, Timestamp, client::RawRequest};

/// A read for each read scope besides those that `doctor` tests with lists.
const READS: [(Scope, &str); 4] = [
    (Scope::ROLES_READ, "/organization/roles"),
    (Scope::USAGE_READ, "/organization/costs"),
    (Scope::EXTERNAL_KEYS_READ, "/organization/external_keys"),
    (Scope::EXTERNAL_STORAGE_READ, "/organization/external_storage"),
];
/// A creation for each write scope. The first is an extension, so another service does not know its path.
const WRITES: [(Scope, &str); 6] = [
    (Scope::USAGE_WRITE, "/x/usage"),
    (Scope::GROUPS_WRITE, "/organization/groups"),
    (Scope::MANAGEMENT_WRITE, "/organization/invites"),
    (Scope::ROLES_WRITE, "/organization/roles"),
    (Scope::EXTERNAL_KEYS_WRITE, "/organization/external_keys"),
    (Scope::EXTERNAL_STORAGE_WRITE, "/organization/external_storage"),
];
/// A body that is not JSON.
const UNDECODABLE: &str = "[";
/// The most requests that [`test`] sends.
pub(super) const REQUESTS_MAX: usize = READS.len() + WRITES.len();

/// The result of a test.
pub(super) enum Found {
    Granted,
    /// The key lacks the scope.
    Missing(Box<Error>),
    /// The service does not have the operation.
    NotServed,
    /// The request failed.
    Failed(Box<Error>),
    /// The test would change the service.
    NotTested,
}

/// Tests the scopes, one after the other.
pub(super) async fn test(client: &Client, now: Timestamp) -> Vec<(Scope, Found)> {
    let mut found = Vec::with_capacity(REQUESTS_MAX);
    for (scope, path) in READS {
        let request = RawRequest::new(Method::Get, path).query("limit", "1");
        let request = match scope {
            Scope::USAGE_READ => request.query("start_time", now.unix_seconds().to_string()),
            _ => request,
        };
        found.push((scope, result(client.send_raw(&request).await.map(drop))));
    }
    let mut is_ours = true;
    for (scope, path) in WRITES {
        let tested = match is_ours {
            true => {
                let request = RawRequest::new(Method::Post, path).body(UNDECODABLE);
                result(client.send_raw(&request).await.map(drop))
            }
            false => Found::NotTested,
        };
        // Only our server knows the first path.
        is_ours &= !matches!(tested, Found::NotServed | Found::Failed(_));
        found.push((scope, if is_ours { tested } else { Found::NotTested }));
    }
    found
}

fn result(answered: Result<(), Error>) -> Found {
    match answered {
        Ok(()) => Found::Granted,
        Err(error) if error.is_permission_denied() => Found::Missing(Box::new(error)),
        Err(error) if error.is_not_found() => Found::NotServed,
        // The body was refused, after the scope was checked.
        Err(error) if error.status().is_some_and(|status| status.as_u16() == 400) => Found::Granted,
        Err(error) => Found::Failed(Box::new(error)),
    }
}
