use super::api::api;
use crate::{ProjectId, models::ProjectModelPermissionsUpdateRequest};

api! {
    /// Models that projects may use: retrieve, update, delete.
    ModelPermissionsApi = model_permissions;
    /// Retrieves a project's model permissions.
    call retrieve_project_model_permissions(project_id: ProjectId) -> RetrieveProjectModelPermissions {
        /// let error = client.model_permissions().retrieve_project_model_permissions("proj_1").await.unwrap_err();
        /// assert_eq!(error.code(), Some("model_permissions_not_set"));
    }
    /// Replaces a project's model permissions.
    call update_project_model_permissions(project_id: ProjectId; body: ProjectModelPermissionsUpdateRequest) -> UpdateProjectModelPermissions {
        /// use openai_admin::{ModelPermissionsMode, models::ProjectModelPermissionsUpdateRequest};
        /// let body = ProjectModelPermissionsUpdateRequest::new(ModelPermissionsMode::AllowList, vec!["o3".to_owned()]);
        /// let permissions = client.model_permissions().update_project_model_permissions("proj_1", body).await?;
        /// assert_eq!(permissions.model_ids, ["o3"]);
    }
    /// Deletes a project's model permissions.
    call delete_project_model_permissions(project_id: ProjectId) -> DeleteProjectModelPermissions {
        /// let error = client.model_permissions().delete_project_model_permissions("proj_1").await.unwrap_err();
        /// assert!(error.is_not_found());
    }
}
