use openai_admin::{
    models::{GroupListResource, User, UserDeleteResponse, UserListResponse},
    operations::{CreateUser, DeleteUser, ListUserGroups, ListUsers, ModifyUser, RetrieveUser},
};
use openai_admin_store::Result;

use super::Context;

pub(crate) async fn list(context: Context, request: ListUsers) -> Result<UserListResponse> {
    context.store.list_users(context.org(), request).await
}

pub(crate) async fn create(context: Context, request: CreateUser) -> Result<User> {
    context.store.create_user(context.org(), context.stamp(), request).await
}

pub(crate) async fn retrieve(context: Context, request: RetrieveUser) -> Result<User> {
    context.store.retrieve_user(context.org(), request).await
}

pub(crate) async fn modify(context: Context, request: ModifyUser) -> Result<User> {
    context.store.modify_user(context.org(), context.stamp(), request).await
}

pub(crate) async fn delete(context: Context, request: DeleteUser) -> Result<UserDeleteResponse> {
    context.store.delete_user(context.org(), context.stamp(), request).await
}

pub(crate) async fn list_groups(context: Context, request: ListUserGroups) -> Result<GroupListResource> {
    context.store.list_user_groups(context.org(), request).await
}
