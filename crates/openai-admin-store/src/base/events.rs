//! Names of audit events that are written in more than one file.

pub(crate) const MEMBER_ADDED: &str = "group.user.added";
pub(crate) const MEMBER_REMOVED: &str = "group.user.removed";
pub(crate) const ROLE_ASSIGNED: &str = "role.assignment.created";
pub(crate) const ROLE_UNASSIGNED: &str = "role.assignment.deleted";
pub(crate) const CERTIFICATE_ACTIVATED: &str = "certificates.activated";
pub(crate) const CERTIFICATE_DEACTIVATED: &str = "certificates.deactivated";
