//! The models, under the names of the published schemas.

pub use crate::operations::{
    audit_logs::{
        AuditLog, AuditLogActor, AuditLogActorApiKey, AuditLogActorServiceAccount, AuditLogActorSession,
        AuditLogActorUser, AuditLogDetail, AuditLogPayload, AuditLogProject, ListAuditLogsResponse,
        OtherFields, TimeRange,
    },
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
