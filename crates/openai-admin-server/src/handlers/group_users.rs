use openai_admin::{
    models::{GroupMemberUser, GroupUserAssignment, GroupUserDeletedResource, UserListResource},
    operations::{AddGroupUser, ListGroupUsers, RemoveGroupUser, RetrieveGroupUser},
};
use openai_admin_store::Result;

use super::{Context, Written};

pub(crate) async fn list(context: Context, request: ListGroupUsers) -> Result<Written<UserListResource>> {
    context.store.list_group_users_json(context.org(), request).await.map(Written::new)
}

pub(crate) async fn add(context: Context, request: AddGroupUser) -> Result<GroupUserAssignment> {
    context.store.add_group_user(context.org(), context.stamp(), request).await
}

pub(crate) async fn retrieve(context: Context, request: RetrieveGroupUser) -> Result<GroupMemberUser> {
    context.store.retrieve_group_user(context.org(), request).await
}

pub(crate) async fn remove(context: Context, request: RemoveGroupUser) -> Result<GroupUserDeletedResource> {
    context.store.remove_group_user(context.org(), context.stamp(), request).await
}
