//! The pages of each resource.

pub(crate) mod admin_api_keys;
pub(crate) mod audit_logs;
pub(crate) mod emulator;
pub(crate) mod group_roles;
pub(crate) mod group_users;
pub(crate) mod groups;
pub(crate) mod home;
pub(crate) mod invites;
mod people;
pub(crate) mod projects;
pub(crate) mod roles;
pub(crate) mod runs;
pub(crate) mod search;
mod sentence;
pub(crate) mod uploads;
pub(crate) mod usage;
pub(crate) mod users;
