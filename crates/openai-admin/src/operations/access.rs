//! Effective access of users, with every path to a permission: extensions in `/x`.

use super::record::record;
use crate::{
    AccessPathKind, Cursor, GroupId, Limit, ListItem, NextPage, PermissionName, PersonalText, ProjectId,
    RoleId, UserId, endpoint::endpoint, models::User, page::list_endpoint,
};

const TAG: &str = "Access";

record! {
    /// Extension: lists the permissions of a user, each with every path to it.
    RetrieveUserAccess {
        /// The ID of the user.
        user_id: UserId,
    }
    query {
        /// The permissions in this project; those in the organization by default.
        project_id: ProjectId,
    }
}

endpoint!(RetrieveUserAccess, "x-retrieve-user-access", GET "/x/users/{user_id}/access", ROLES_READ -> UserAccess);

record! {
    /// Extension: lists the users with a permission, each with every path to it.
    ListPermissionUsers {
        /// The permission, such as `api.groups.read`.
        permission: PermissionName,
    }
    query {
        /// The users with the permission in this project; those with it in the organization by default.
        project_id: ProjectId,
        /// How many users to return.
        limit: Limit<1, 100, 20>,
        /// Return users after this one: the `next` of the previous page, or the ID of its last user.
        after: Cursor,
    }
}

endpoint!(ListPermissionUsers, "x-list-permission-users", GET "/x/permissions/{permission}/users", ROLES_READ -> PermissionUserListResource);

list_endpoint!(ListPermissionUsers);

record! {
    /// Extension: checks up to 1,000 permissions of users at once. All are checked against the same state.
    CheckAccess {
        /// The permissions to check.
        body: CheckAccessBody,
    }
}

endpoint!(CheckAccess, "x-check-access", POST "/x/access/check", ROLES_READ -> AccessCheckListResource, idempotent);

/// The maximum number of permissions that one request checks.
pub const ACCESS_CHECKS_MAX: usize = 1000;

record! {
    /// The permissions to check.
    CheckAccessBody {
        /// The checks: 1 to 1,000.
        checks: Vec<AccessCheck>,
    }
}

record! {
    /// A permission of a user to check.
    AccessCheck {
        /// The ID of the user.
        user_id: UserId,
        /// The permission, such as `api.groups.read`.
        permission: PermissionName,
    }
    optional {
        /// The project; the organization by default.
        project_id: ProjectId,
    }
}

record! {
    /// The permissions of a user in the organization or in a project.
    UserAccess object UserAccessObject = "x.user.access" {
        /// The ID of the user.
        user_id: UserId,
        /// The permissions, sorted by name.
        permissions: Vec<PermissionAccess>,
    }
    nullable {
        /// The user; null if the key may not read users.
        user: User,
        /// The project; null for the organization.
        project_id: ProjectId,
    }
}

record! {
    /// A permission of a user.
    PermissionAccess {
        /// The permission.
        permission: String,
        /// Every path to it: at least one.
        paths: Vec<AccessPath>,
    }
}

/// Paginated list of users with a permission.
pub type PermissionUserListResource = NextPage<PermissionUser>;

record! {
    /// A user with a permission.
    PermissionUser object PermissionUserObject = "x.permission.user" {
        /// The ID of the user.
        user_id: UserId,
        /// Every path to the permission: at least one.
        paths: Vec<AccessPath>,
    }
    nullable {
        /// The name of the user.
        name: PersonalText,
        /// The email address of the user.
        email: PersonalText,
    }
}

impl ListItem for PermissionUser {
    const LIST_SCHEMA: &'static str = "PermissionUserListResource";
    fn id(&self) -> &str {
        self.user_id.as_str()
    }
}

record! {
    /// The results of checks, in the order of the checks.
    AccessCheckListResource object AccessCheckListObject = "x.access.checks" {
        /// A result for each check.
        data: Vec<AccessCheckResult>,
    }
}

record! {
    /// The result of a check.
    AccessCheckResult {
        /// The ID of the user.
        user_id: UserId,
        /// The permission.
        permission: PermissionName,
        /// Whether the user has the permission.
        allowed: bool,
        /// Every path to the permission. Empty if the user does not have it.
        paths: Vec<AccessPath>,
    }
    nullable {
        /// The project; null for the organization.
        project_id: ProjectId,
    }
}

record! {
    /// A path to a permission: a role of the user that grants it.
    AccessPath {
        /// How the user has the role.
        kind: AccessPathKind,
        /// The ID of the role.
        role_id: RoleId,
        /// The name of the role.
        role_name: String,
        /// Whether it is assumed that the role grants the permission. Some permissions of predefined roles are not published.
        assumed: bool,
    }
    nullable {
        /// The group that has the role; null if the user has it directly.
        group_id: GroupId,
        /// The name of the group.
        group_name: String,
    }
}
