use super::api::api;
use crate::{GroupId, ProjectId, RoleId, models::PublicAssignOrganizationGroupRoleBody};

api! {
    /// Roles assigned to a group in a project: list, assign, retrieve, unassign.
    ProjectGroupRolesApi = project_group_roles;
    /// Lists the roles of a group in a project.
    list list_project_group_role_assignments(
        project_id: ProjectId,
        group_id: GroupId
    ) -> ListProjectGroupRoleAssignments {
        /// # use openai_admin::models::InviteProjectGroupBody;
        /// # let body = InviteProjectGroupBody::new("group_1".try_into()?, "role_2".try_into()?);
        /// # client.project_groups().add_project_group("proj_1", body).await?;
        /// let api = client.project_group_roles();
        /// let roles = api.list_project_group_role_assignments("proj_1", "group_1").items().try_collect().await?;
        /// assert!(roles.iter().any(|role| role.name == "Annotators"));
    }
    /// Assigns a role of the project to a group of the project.
    call assign_project_group_role(
        project_id: ProjectId,
        group_id: GroupId;
        body: any PublicAssignOrganizationGroupRoleBody
    ) -> AssignProjectGroupRole {
        /// # use openai_admin::models::InviteProjectGroupBody;
        /// # let body = InviteProjectGroupBody::new("group_1".try_into()?, "role-api-project-member".try_into()?);
        /// # client.project_groups().add_project_group("proj_1", body).await?;
        /// use openai_admin::models::PublicAssignOrganizationGroupRoleBody;
        /// let body = PublicAssignOrganizationGroupRoleBody::new("role_2".try_into()?);
        /// let assigned = client.project_group_roles().assign_project_group_role("proj_1", "group_1", body).await?;
        /// assert_eq!(assigned.role.name, "Annotators");
    }
    /// Retrieves a role of a group in a project.
    call retrieve_project_group_role(
        project_id: ProjectId,
        group_id: GroupId,
        role_id: RoleId
    ) -> RetrieveProjectGroupRole {
        /// # use openai_admin::models::InviteProjectGroupBody;
        /// # let body = InviteProjectGroupBody::new("group_1".try_into()?, "role_2".try_into()?);
        /// # client.project_groups().add_project_group("proj_1", body).await?;
        /// let role = client.project_group_roles().retrieve_project_group_role("proj_1", "group_1", "role_2").await?;
        /// assert_eq!(role.name, "Annotators");
    }
    /// Unassigns a role from a group in a project.
    call unassign_project_group_role(
        project_id: ProjectId,
        group_id: GroupId,
        role_id: RoleId
    ) -> UnassignProjectGroupRole {
        /// # use openai_admin::models::InviteProjectGroupBody;
        /// # let body = InviteProjectGroupBody::new("group_1".try_into()?, "role_2".try_into()?);
        /// # client.project_groups().add_project_group("proj_1", body).await?;
        /// let roles = client.project_group_roles();
        /// assert!(roles.unassign_project_group_role("proj_1", "group_1", "role_2").await?.deleted);
    }
}
