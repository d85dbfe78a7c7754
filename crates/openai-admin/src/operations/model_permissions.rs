//! Which models a project may use: `/organization/projects/{project_id}/model_permissions`.

use super::record::record;
use crate::{ModelPermissionsMode, ProjectId, deleted::deleted, endpoint::endpoint};

const TAG: &str = "Projects";

record! {
    /// Returns model permissions for a project.
    RetrieveProjectModelPermissions {
        /// The ID of the project.
        project_id: ProjectId,
    }
}

endpoint!(RetrieveProjectModelPermissions, "retrieve-project-model-permissions", GET "/organization/projects/{project_id}/model_permissions", MANAGEMENT_READ -> ProjectModelPermissions);

record! {
    /// Updates model permissions for a project.
    UpdateProjectModelPermissions {
        /// The ID of the project.
        project_id: ProjectId,
        /// The model permissions.
        body: ProjectModelPermissionsUpdateRequest,
    }
}

endpoint!(UpdateProjectModelPermissions, "update-project-model-permissions", POST RetrieveProjectModelPermissions::PATH, MANAGEMENT_WRITE -> ProjectModelPermissions, idempotent);

record! {
    /// Deletes model permissions for a project.
    DeleteProjectModelPermissions {
        /// The ID of the project.
        project_id: ProjectId,
    }
}

endpoint!(DeleteProjectModelPermissions, "delete-project-model-permissions", DELETE RetrieveProjectModelPermissions::PATH, MANAGEMENT_WRITE -> ProjectModelPermissionsDeleteResponse);

record! {
    /// The model permissions to set for a project.
    ProjectModelPermissionsUpdateRequest {
        /// The model permissions mode to apply.
        mode: ModelPermissionsMode,
        /// The model IDs included in this permissions policy.
        model_ids: Vec<String>,
    }
}

record! {
    /// The model allowlist or denylist policy of a project.
    ProjectModelPermissions object ProjectModelPermissionsObject = "project.model_permissions" {
        /// Whether the project uses an allowlist or a denylist.
        mode: ModelPermissionsMode,
        /// The model IDs included in the model permissions policy.
        model_ids: Vec<String>,
    }
}

deleted!(
    ProjectModelPermissionsDeleteResponse,
    ProjectModelPermissionsKind,
    "project.model_permissions.deleted",
    "model permissions policy of a project"
);
