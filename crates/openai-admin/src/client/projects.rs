use super::api::api;
use crate::{
    ProjectId,
    models::{ProjectCreateRequest, ProjectUpdateRequest},
};

api! {
    /// Projects of the organization: list, create, retrieve, modify, archive.
    ProjectsApi = projects;
    /// Lists the projects that are not archived. A page has 20 by default.
    list list_projects() -> ListProjects {
        /// let projects = client.projects().list_projects().items().try_collect().await?;
        /// assert_eq!(projects[1].name.as_deref(), Some("Search"));
    }
    /// Creates a project.
    call create_project(; body: any ProjectCreateRequest) -> CreateProject {
        /// use openai_admin::models::ProjectCreateRequest;
        /// let project = client.projects().create_project(ProjectCreateRequest::new("Ranking".try_into()?)).await?;
        /// assert_eq!(project.name.as_deref(), Some("Ranking"));
    }
    /// Retrieves a project.
    call retrieve_project(project_id: ProjectId) -> RetrieveProject {
        /// assert_eq!(client.projects().retrieve_project("proj_1").await?.name.as_deref(), Some("Search"));
    }
    /// Modifies a project.
    call modify_project(project_id: ProjectId; body: ProjectUpdateRequest) -> ModifyProject {
        /// use openai_admin::models::ProjectUpdateRequest;
        /// let mut body = ProjectUpdateRequest::new();
        /// body.name = Some("Search and ranking".try_into()?);
        /// client.projects().modify_project("proj_1", body).await?;
    }
    /// Archives a project. This cannot be undone.
    call archive_project(project_id: ProjectId) -> ArchiveProject {
        /// assert!(client.projects().archive_project("proj_1").await?.archived_at.is_some());
    }
}
