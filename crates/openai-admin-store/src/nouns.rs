//! Each resource: its table and its operations.

mod access;
pub(crate) mod admin_api_keys;
pub(crate) mod api_keys;
mod audit_filter;
mod audit_logs;
pub(crate) mod certificates;
pub(crate) mod data_retention;
pub(crate) mod group_users;
pub(crate) mod groups;
pub(crate) mod hosted_tools;
pub(crate) mod invites;
pub(crate) mod model_permissions;
pub(crate) mod organizations;
pub(crate) mod project_access;
pub(crate) mod project_api_keys;
mod project_archive;
mod project_groups;
mod project_role_assignments;
mod project_roles;
mod project_users;
pub(crate) mod projects;
mod role_assignments;
pub(crate) mod roles;
pub(crate) mod service_accounts;
pub(crate) mod spend_limits;
pub(crate) mod usage;
pub(crate) mod users;
