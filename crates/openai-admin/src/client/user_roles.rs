use super::api::api;
use crate::{RoleId, UserId, models::PublicAssignOrganizationGroupRoleBody};

api! {
    /// Roles assigned to a user in the organization: list, assign, retrieve, unassign.
    UserRolesApi = user_roles;
    /// Lists the roles of a user.
    list list_user_role_assignments(user_id: UserId) -> ListUserRoleAssignments {
        /// let roles = client.user_roles().list_user_role_assignments("user_bob").await?;
        /// assert!(roles.data.iter().any(|role| role.name == "Reviewers"));
    }
    /// Assigns a role to a user.
    call assign_user_role(user_id: UserId; body: any PublicAssignOrganizationGroupRoleBody) -> AssignUserRole {
        /// use openai_admin::models::PublicAssignOrganizationGroupRoleBody;
        /// let body = PublicAssignOrganizationGroupRoleBody::new("role_1".try_into()?);
        /// let assigned = client.user_roles().assign_user_role("user_ada", body).await?;
        /// assert_eq!(assigned.role.name, "Reviewers");
    }
    /// Retrieves a role assigned to a user.
    call retrieve_user_role(user_id: UserId, role_id: RoleId) -> RetrieveUserRole {
        /// let role = client.user_roles().retrieve_user_role("user_bob", "role_1").await?;
        /// assert_eq!(role.name, "Reviewers");
    }
    /// Unassigns a role from a user.
    call unassign_user_role(user_id: UserId, role_id: RoleId) -> UnassignUserRole {
        /// assert!(client.user_roles().unassign_user_role("user_bob", "role_1").await?.deleted);
    }
}
