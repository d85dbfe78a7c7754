use super::api::api;
use crate::{ProjectId, models::ProjectHostedToolPermissionsUpdateRequest};

api! {
    /// Hosted tools that projects may use: retrieve, update.
    HostedToolsApi = hosted_tools;
    /// Retrieves a project's hosted tool permissions.
    call retrieve_project_hosted_tool_permissions(project_id: ProjectId) -> RetrieveProjectHostedToolPermissions {
        /// let tools = client.hosted_tools().retrieve_project_hosted_tool_permissions("proj_1").await?;
        /// assert!(tools.web_search.enabled);
    }
    /// Updates a project's hosted tool permissions.
    call update_project_hosted_tool_permissions(project_id: ProjectId; body: ProjectHostedToolPermissionsUpdateRequest) -> UpdateProjectHostedToolPermissions {
        /// use openai_admin::models::{HostedToolPermission, ProjectHostedToolPermissionsUpdateRequest};
        /// let mut body = ProjectHostedToolPermissionsUpdateRequest::new();
        /// body.web_search = Some(HostedToolPermission::new(false));
        /// let tools = client.hosted_tools().update_project_hosted_tool_permissions("proj_1", body).await?;
        /// assert!(!tools.web_search.enabled && tools.file_search.enabled);
    }
}
