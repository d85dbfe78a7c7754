use super::api::api;
use crate::{
    ProjectId, RoleId,
    models::{PublicCreateOrganizationRoleBody, PublicUpdateOrganizationRoleBody},
};

api! {
    /// Roles of a project: list, create, retrieve, update, delete.
    ProjectRolesApi = project_roles;
    /// Lists the roles of a project, 1000 a page, unless told otherwise.
    list list_project_roles(project_id: ProjectId) -> ListProjectRoles {
        /// let roles = client.project_roles().list_project_roles("proj_1").items().try_collect().await?;
        /// assert!(roles.iter().any(|role| role.name == "Annotators"));
    }
    /// Creates a custom role of a project.
    call create_project_role(project_id: ProjectId; body: PublicCreateOrganizationRoleBody) -> CreateProjectRole {
        /// use openai_admin::models::PublicCreateOrganizationRoleBody;
        /// let body = PublicCreateOrganizationRoleBody::new("Testers".try_into()?, vec!["api.model.read".to_owned()]);
        /// let role = client.project_roles().create_project_role("proj_1", body).await?;
        /// assert_eq!(role.resource_type, "api.project");
    }
    /// Retrieves a role of a project.
    call retrieve_project_role(project_id: ProjectId, role_id: RoleId) -> RetrieveProjectRole {
        /// let role = client.project_roles().retrieve_project_role("proj_1", "role_2").await?;
        /// assert_eq!(role.name, "Annotators");
    }
    /// Updates a custom role of a project.
    call update_project_role(
        project_id: ProjectId,
        role_id: RoleId;
        body: PublicUpdateOrganizationRoleBody
    ) -> UpdateProjectRole {
        /// use openai_admin::models::PublicUpdateOrganizationRoleBody;
        /// let mut body = PublicUpdateOrganizationRoleBody::new();
        /// body.description = Some(None);
        /// let role = client.project_roles().update_project_role("proj_1", "role_2", body).await?;
        /// assert_eq!(role.description, None);
    }
    /// Deletes a custom role of a project.
    call delete_project_role(project_id: ProjectId, role_id: RoleId) -> DeleteProjectRole {
        /// assert!(client.project_roles().delete_project_role("proj_1", "role_2").await?.deleted);
    }
}
