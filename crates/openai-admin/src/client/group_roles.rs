use super::api::api;
use crate::{GroupId, RoleId, models::PublicAssignOrganizationGroupRoleBody};

api! {
    /// Roles assigned to a group in the organization: list, assign, retrieve, unassign.
    GroupRolesApi = group_roles;
    /// Lists the roles of a group.
    list list_group_role_assignments(group_id: GroupId) -> ListGroupRoleAssignments {
        /// let roles = client.group_roles().list_group_role_assignments("group_1").await?;
        /// assert_eq!(roles.data[0].name, "Reviewers");
    }
    /// Assigns a role to a group.
    call assign_group_role(group_id: GroupId; body: any PublicAssignOrganizationGroupRoleBody) -> AssignGroupRole {
        /// use openai_admin::models::PublicAssignOrganizationGroupRoleBody;
        /// let group = client.groups().create_group("Escalations").await?;
        /// let body = PublicAssignOrganizationGroupRoleBody::new("role_1".try_into()?);
        /// let assigned = client.group_roles().assign_group_role(&group.id, body).await?;
        /// assert_eq!(assigned.role.name, "Reviewers");
    }
    /// Retrieves a role assigned to a group.
    call retrieve_group_role(group_id: GroupId, role_id: RoleId) -> RetrieveGroupRole {
        /// let role = client.group_roles().retrieve_group_role("group_1", "role_1").await?;
        /// assert_eq!(role.name, "Reviewers");
    }
    /// Unassigns a role from a group.
    call unassign_group_role(group_id: GroupId, role_id: RoleId) -> UnassignGroupRole {
        /// assert!(client.group_roles().unassign_group_role("group_1", "role_1").await?.deleted);
    }
}
