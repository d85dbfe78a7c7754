//! The context of handlers, and the operations with a separate path through the store.

use std::{marker::PhantomData, sync::Arc};

use bytes::Bytes;
use openai_admin::{
    AuditLogEventType, Endpoint, NamedKind,
    models::{
        Counts, GroupUserAssignment, GroupUserDeletedResource, ListAuditLogsResponse, NameListResource,
        UsageBatch, UserAccess, UserListResource,
    },
    operations::{
        AddGroupUser, CreateUsageBatch, ListAdminApiKeys, ListAuditLogs, ListGroupUsers, ListGroups,
        ListRoles, ListUsers, LookUpNames, RemoveGroupUser, RetrieveCounts, RetrieveUser, RetrieveUserAccess,
    },
};
use openai_admin_store::{IdempotencyKey, Org, Result, Rule, Stamp, Store};

use crate::{answer::auth::Caller, minter::Minter};

/// The context of a request.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    pub(crate) store: Store,
    pub(crate) caller: Arc<Caller>,
    pub(crate) minter: Minter,
    /// Deduplicates a retried creation.
    pub(crate) idempotency_key: Option<IdempotencyKey>,
}

impl Context {
    /// The caller's organization.
    pub(crate) fn org(&self) -> Org {
        self.caller.org
    }

    /// A change by the caller at the current time.
    pub(crate) fn stamp(&self) -> Stamp {
        self.minter.stamp(&self.caller.actor).once(self.idempotency_key.clone())
    }
}

/// A response that is already JSON, as serde would serialize a `T`.
pub(crate) struct SerializedJson<T> {
    pub(crate) json: Bytes,
    of: PhantomData<fn() -> T>,
}

impl<T> SerializedJson<T> {
    pub(crate) fn new(json: Bytes) -> Self {
        Self { json, of: PhantomData }
    }
}

pub(crate) async fn list_group_users(
    context: Context,
    request: ListGroupUsers,
) -> Result<SerializedJson<UserListResource>> {
    context.store.list_group_users_json(context.org(), request).await.map(SerializedJson::new)
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

pub(crate) async fn create_usage_batch(context: Context, request: CreateUsageBatch) -> Result<UsageBatch> {
    context.store.change(context.org(), context.stamp(), request).await
}

pub(crate) async fn list_audit_logs(
    context: Context,
    mut request: ListAuditLogs,
) -> Result<ListAuditLogsResponse> {
    let rules = context.minter.rules();
    if request.tenant_only == Some(true) {
        let is_kept =
            |event_type: &AuditLogEventType| rules.has(Rule::NotATenantEvent) || event_type.is_of_tenant();
        request.event_types.retain(is_kept);
    } else if request.event_types.is_empty() && !rules.has(Rule::UnpublishedEvent) {
        let published = AuditLogEventType::RECORDED.iter().filter(|event_type| !event_type.is_extension());
        request.event_types = published.cloned().collect();
    }
    context.store.list_audit_logs(context.org(), request).await
}

/// Leaves out the kinds of resources whose lists the caller may not read.
pub(crate) async fn look_up_names(context: Context, request: LookUpNames) -> Result<NameListResource> {
    let mut names = context.store.read(context.org(), context.minter.now(), request).await?;
    let scope = |kind: &NamedKind| match kind {
        NamedKind::Group => Some(ListGroups::SCOPE),
        NamedKind::User => Some(ListUsers::SCOPE),
        NamedKind::Role => Some(ListRoles::SCOPE),
        NamedKind::AdminApiKey => Some(ListAdminApiKeys::SCOPE),
        _ => None,
    };
    names.data.retain(|named| scope(&named.kind).is_some_and(|scope| context.caller.require(scope).is_ok()));
    Ok(names)
}

/// Leaves out the groups if the caller may not list them.
pub(crate) async fn retrieve_counts(context: Context, request: RetrieveCounts) -> Result<Counts> {
    let mut counts = context.store.read(context.org(), context.minter.now(), request).await?;
    counts.groups = counts.groups.filter(|_| context.caller.require(ListGroups::SCOPE).is_ok());
    Ok(counts)
}

/// Leaves out the user if the caller may not read users.
pub(crate) async fn retrieve_user_access(
    context: Context,
    request: RetrieveUserAccess,
) -> Result<UserAccess> {
    let mut access = context.store.read(context.org(), context.minter.now(), request).await?;
    access.user = access.user.filter(|_| context.caller.require(RetrieveUser::SCOPE).is_ok());
    Ok(access)
}
