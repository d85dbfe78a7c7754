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
    role_assignments::{
        AssignedRoleDetails, AssignmentSource, DeletedRoleAssignmentResource, Group, GroupRoleAssignment,
        PublicAssignOrganizationGroupRoleBody, RoleListResource, UserRoleAssignment,
    },
    roles::{
        PublicCreateOrganizationRoleBody, PublicRoleListResource, PublicUpdateOrganizationRoleBody, Role,
        RoleDeletedResource,
    },
    users::{CreateUserBody, User, UserDeleteResponse, UserListResponse, UserRoleUpdateRequest},
};
