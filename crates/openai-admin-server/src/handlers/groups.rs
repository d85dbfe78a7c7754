use openai_admin::{
    models::{GroupDeletedResource, GroupListResource, GroupResourceWithSuccess, GroupResponse},
    operations::{CreateGroup, DeleteGroup, ListGroups, RetrieveGroup, UpdateGroup},
};
use openai_admin_store::Result;

use super::Context;

pub(crate) async fn list(context: Context, request: ListGroups) -> Result<GroupListResource> {
    context.store.list_groups(context.org(), request).await
}

pub(crate) async fn create(context: Context, request: CreateGroup) -> Result<GroupResponse> {
    context.store.create_group(context.org(), context.stamp(), request).await
}

pub(crate) async fn retrieve(context: Context, request: RetrieveGroup) -> Result<GroupResponse> {
    context.store.retrieve_group(context.org(), request).await
}

pub(crate) async fn update(context: Context, request: UpdateGroup) -> Result<GroupResourceWithSuccess> {
    context.store.update_group(context.org(), context.stamp(), request).await
}

pub(crate) async fn delete(context: Context, request: DeleteGroup) -> Result<GroupDeletedResource> {
    context.store.delete_group(context.org(), context.stamp(), request).await
}
