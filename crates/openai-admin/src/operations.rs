//! The operations: one file for each resource, with its requests and its models.
//!
//! A file here is the whole declaration of a resource. The same noun names the file that stores it, the one
//! that serves it and the one that puts it on the command line.

pub mod audit_logs;
pub mod group_users;
pub mod groups;
pub mod role_assignments;
pub mod roles;
pub mod users;

pub use audit_logs::ListAuditLogs;
pub use group_users::{AddGroupUser, ListGroupUsers, RemoveGroupUser, RetrieveGroupUser};
pub use groups::{CreateGroup, DeleteGroup, ListGroups, RetrieveGroup, UpdateGroup};
pub use role_assignments::{
    AssignGroupRole, AssignUserRole, ListGroupRoleAssignments, ListUserRoleAssignments, RetrieveGroupRole,
    RetrieveUserRole, UnassignGroupRole, UnassignUserRole,
};
pub use roles::{CreateRole, DeleteRole, ListRoles, RetrieveRole, UpdateRole};
pub use users::{CreateUser, DeleteUser, ListUserGroups, ListUsers, ModifyUser, RetrieveUser};

/// Calls `$visit!` with the name of every operation: the one list that tests and tables walk.
#[macro_export]
macro_rules! for_each_operation {
    ($visit:ident) => {
        $visit! {
            ListGroups CreateGroup RetrieveGroup UpdateGroup DeleteGroup
            ListGroupUsers AddGroupUser RetrieveGroupUser RemoveGroupUser
            ListUsers RetrieveUser ModifyUser DeleteUser
            CreateUser ListUserGroups
            ListAuditLogs
            ListRoles CreateRole RetrieveRole UpdateRole DeleteRole
            ListGroupRoleAssignments AssignGroupRole RetrieveGroupRole UnassignGroupRole
            ListUserRoleAssignments AssignUserRole RetrieveUserRole UnassignUserRole
        }
    };
}
