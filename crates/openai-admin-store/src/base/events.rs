//! Names of audit events that are written in more than one file.

pub(crate) const MEMBER_ADDED: &str = "group.user.added";
pub(crate) const MEMBER_REMOVED: &str = "group.user.removed";
pub(crate) const ROLE_ASSIGNED: &str = "role.assignment.created";
pub(crate) const ROLE_UNASSIGNED: &str = "role.assignment.deleted";
pub(crate) const PROJECT_USER_ADDED: &str = "project.user.added";
pub(crate) const PROJECT_USER_REMOVED: &str = "project.user.removed";
pub(crate) const PROJECT_GROUP_ADDED: &str = "project.group.added";
pub(crate) const PROJECT_GROUP_REMOVED: &str = "project.group.removed";
pub(crate) const RATE_LIMIT_UPDATED: &str = "rate_limit.updated";
pub(crate) const CERTIFICATE_ACTIVATED: &str = "certificates.activated";
pub(crate) const CERTIFICATE_DEACTIVATED: &str = "certificates.deactivated";
