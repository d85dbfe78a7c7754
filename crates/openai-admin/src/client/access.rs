use super::{ListCall, api::api};
use crate::{PermissionName, ProjectId, UserId, models::CheckAccessBody, operations::ListPermissionUsers};

api! {
    /// Extensions of our server: effective access, with every path to a permission.
    AccessApi = access;
    /// Lists the permissions of a user in the organization.
    call retrieve_user_access(user_id: UserId) -> RetrieveUserAccess {
        /// let access = client.access().retrieve_user_access("user_bob").await?;
        /// let found = access.permissions.iter().find(|access| access.permission == "api.groups.read");
        /// assert!(found.is_some_and(|access| access.paths.iter().any(|path| path.role_name == "Reviewers")));
    }
    /// Lists the users with a permission. A page has 20 by default, at most 100.
    list list_permission_users(permission: PermissionName) -> ListPermissionUsers {
        /// let users = client.access().list_permission_users("api.groups.read").project_id("proj_1").await?;
        /// assert_eq!(users.data[0].user_id, "user_bob");
    }
    /// Checks up to 1,000 permissions of users at once.
    call check_access(; body: CheckAccessBody) -> CheckAccess {
        /// use openai_admin::models::{AccessCheck, CheckAccessBody};
        /// let check = AccessCheck::new("user_bob".try_into()?, "api.groups.write".try_into()?);
        /// let checked = client.access().check_access(CheckAccessBody::new(vec![check])).await?;
        /// assert!(!checked.data[0].allowed);
    }
}

impl ListCall<'_, ListPermissionUsers> {
    /// Users with the permission in this project.
    pub fn project_id(self, project_id: impl TryInto<ProjectId, Error: Into<crate::Error>>) -> Self {
        self.with(|request| {
            request.project_id = Some(project_id.try_into().map_err(Into::into)?);
            Ok(())
        })
    }
}
