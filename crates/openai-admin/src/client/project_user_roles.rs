use super::api::api;
use crate::{ProjectId, RoleId, UserId, models::PublicAssignOrganizationGroupRoleBody};

api! {
    /// Roles assigned to a user in a project: list, assign, retrieve, unassign.
    ProjectUserRolesApi = project_user_roles;
    /// Lists the roles of a user in a project.
    list list_project_user_role_assignments(
        project_id: ProjectId,
        user_id: UserId
    ) -> ListProjectUserRoleAssignments {
        /// # use openai_admin::models::PublicAssignOrganizationGroupRoleBody;
        /// # let body = PublicAssignOrganizationGroupRoleBody::new("role_2".try_into()?);
        /// # client.project_user_roles().assign_project_user_role("proj_1", "user_bob", body).await?;
        /// let api = client.project_user_roles();
        /// let roles = api.list_project_user_role_assignments("proj_1", "user_bob").items().try_collect().await?;
        /// assert!(roles.iter().any(|role| role.name == "Annotators"));
    }
    /// Assigns a role of the project to a user of the project.
    call assign_project_user_role(
        project_id: ProjectId,
        user_id: UserId;
        body: any PublicAssignOrganizationGroupRoleBody
    ) -> AssignProjectUserRole {
        /// use openai_admin::models::PublicAssignOrganizationGroupRoleBody;
        /// let body = PublicAssignOrganizationGroupRoleBody::new("role_2".try_into()?);
        /// let assigned = client.project_user_roles().assign_project_user_role("proj_1", "user_bob", body).await?;
        /// assert_eq!(assigned.role.name, "Annotators");
    }
    /// Retrieves a role of a user in a project.
    call retrieve_project_user_role(
        project_id: ProjectId,
        user_id: UserId,
        role_id: RoleId
    ) -> RetrieveProjectUserRole {
        /// # use openai_admin::models::PublicAssignOrganizationGroupRoleBody;
        /// # let body = PublicAssignOrganizationGroupRoleBody::new("role_2".try_into()?);
        /// # client.project_user_roles().assign_project_user_role("proj_1", "user_bob", body).await?;
        /// let role = client.project_user_roles().retrieve_project_user_role("proj_1", "user_bob", "role_2").await?;
        /// assert_eq!(role.name, "Annotators");
    }
    /// Unassigns a role from a user in a project.
    call unassign_project_user_role(
        project_id: ProjectId,
        user_id: UserId,
        role_id: RoleId
    ) -> UnassignProjectUserRole {
        /// # use openai_admin::models::PublicAssignOrganizationGroupRoleBody;
        /// # let body = PublicAssignOrganizationGroupRoleBody::new("role_2".try_into()?);
        /// # client.project_user_roles().assign_project_user_role("proj_1", "user_bob", body).await?;
        /// let roles = client.project_user_roles();
        /// assert!(roles.unassign_project_user_role("proj_1", "user_bob", "role_2").await?.deleted);
    }
}
