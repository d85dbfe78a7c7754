//! The models, under the names of the published schemas.

pub use crate::operations::{
    group_users::{
        CreateGroupUserBody, GroupMemberUser, GroupUser, GroupUserAssignment, GroupUserDeletedResource,
        UserListResource,
    },
    groups::{
        CreateGroupBody, GroupDeletedResource, GroupListResource, GroupResourceWithSuccess, GroupResponse,
        UpdateGroupBody,
    },
    users::{CreateUserBody, User, UserDeleteResponse, UserListResponse, UserRoleUpdateRequest},
};
