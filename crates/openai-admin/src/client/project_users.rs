use super::api::api;
use crate::{
    ProjectId, UserId,
    models::{ProjectUserCreateRequest, ProjectUserUpdateRequest},
};

api! {
    /// Users of a project: list, add, retrieve, modify, remove.
    ProjectUsersApi = project_users;
    /// Lists the users of a project, 20 a page, unless told otherwise.
    list list_project_users(project_id: ProjectId) -> ListProjectUsers {
        /// let users = client.project_users().list_project_users("proj_1").items().try_collect().await?;
        /// assert_eq!((users[0].id.as_str(), users[0].role.as_str()), ("user_bob", "member"));
    }
    /// Adds a user of the organization to a project.
    call create_project_user(project_id: ProjectId; body: ProjectUserCreateRequest) -> CreateProjectUser {
        /// use openai_admin::models::ProjectUserCreateRequest;
        /// let mut body = ProjectUserCreateRequest::new("owner".to_owned());
        /// body.email = Some("ada@example.com".try_into()?);
        /// let user = client.project_users().create_project_user("proj_1", body).await?;
        /// assert_eq!(user.id, "user_ada");
    }
    /// Retrieves a user of a project.
    call retrieve_project_user(project_id: ProjectId, user_id: UserId) -> RetrieveProjectUser {
        /// let user = client.project_users().retrieve_project_user("proj_1", "user_bob").await?;
        /// assert_eq!(user.email.as_deref(), Some("bob@example.com"));
    }
    /// Modifies a user's role in a project.
    call modify_project_user(
        project_id: ProjectId,
        user_id: UserId;
        body: ProjectUserUpdateRequest
    ) -> ModifyProjectUser {
        /// use openai_admin::models::ProjectUserUpdateRequest;
        /// let mut body = ProjectUserUpdateRequest::new();
        /// body.role = Some("owner".to_owned());
        /// let user = client.project_users().modify_project_user("proj_1", "user_bob", body).await?;
        /// assert_eq!(user.role, "owner");
    }
    /// Removes a user from a project, with all roles in it.
    call delete_project_user(project_id: ProjectId, user_id: UserId) -> DeleteProjectUser {
        /// assert!(client.project_users().delete_project_user("proj_1", "user_bob").await?.deleted);
    }
}
