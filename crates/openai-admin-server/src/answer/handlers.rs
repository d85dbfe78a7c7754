//! What a handler is given, and the operations that have a path of their own through the store.

use std::{marker::PhantomData, sync::Arc};

use bytes::Bytes;
use openai_admin::{
    models::{GroupUserAssignment, GroupUserDeletedResource, ListAuditLogsResponse, UserListResource},
    operations::{AddGroupUser, ListAuditLogs, ListGroupUsers, RemoveGroupUser},
};
use openai_admin_store::{IdempotencyKey, Org, Result, Stamp, Store};

use crate::{answer::auth::Caller, minter::Minter};

/// What a handler is given beside the request.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    pub(crate) store: Store,
    pub(crate) caller: Arc<Caller>,
    pub(crate) minter: Minter,
    /// Under which a creation is made once.
    pub(crate) idempotency_key: Option<IdempotencyKey>,
}

impl Context {
    /// The organization that is asked about: the caller's own, never another.
    pub(crate) fn org(&self) -> Org {
        self.caller.org
    }

    /// A change by the caller, now.
    pub(crate) fn stamp(&self) -> Stamp {
        self.minter.stamp(&self.caller.actor).once(self.idempotency_key.clone())
    }
}

/// An answer that is JSON already: what serde would write of a `T`.
pub(crate) struct Written<T> {
    pub(crate) json: Bytes,
    of: PhantomData<fn() -> T>,
}

impl<T> Written<T> {
    pub(crate) fn new(json: Bytes) -> Self {
        Self { json, of: PhantomData }
    }
}

pub(crate) async fn list_group_users(
    context: Context,
    request: ListGroupUsers,
) -> Result<Written<UserListResource>> {
    context.store.list_group_users_json(context.org(), request).await.map(Written::new)
}

pub(crate) async fn add_group_user(context: Context, request: AddGroupUser) -> Result<GroupUserAssignment> {
    context.store.add_group_user(context.org(), context.stamp(), request).await
}

pub(crate) async fn remove_group_user(
    context: Context,
    request: RemoveGroupUser,
) -> Result<GroupUserDeletedResource> {
    context.store.remove_group_user(context.org(), context.stamp(), request).await
}

pub(crate) async fn list_audit_logs(
    context: Context,
    request: ListAuditLogs,
) -> Result<ListAuditLogsResponse> {
    context.store.list_audit_logs(context.org(), request).await
}
