//! Which hosted tools a project may use: `/organization/projects/{project_id}/hosted_tool_permissions`.

use super::record::record;
use crate::{ProjectId, endpoint::endpoint};

const TAG: &str = "Hosted tools";

record! {
    /// Returns hosted tool permissions for a project.
    RetrieveProjectHostedToolPermissions {
        /// The ID of the project.
        project_id: ProjectId,
    }
}

endpoint!(RetrieveProjectHostedToolPermissions, "retrieve-project-hosted-tool-permissions", GET "/organization/projects/{project_id}/hosted_tool_permissions", MANAGEMENT_READ -> ProjectHostedToolPermissions);

record! {
    /// Updates hosted tool permissions for a project.
    UpdateProjectHostedToolPermissions {
        /// The ID of the project.
        project_id: ProjectId,
        /// The tools to change.
        body: ProjectHostedToolPermissionsUpdateRequest,
    }
}

endpoint!(UpdateProjectHostedToolPermissions, "update-project-hosted-tool-permissions", POST RetrieveProjectHostedToolPermissions::PATH, MANAGEMENT_WRITE -> ProjectHostedToolPermissions, idempotent);

record! {
    /// The hosted tools to change. A tool that is absent or null stays as it is.
    #[derive(Default)]
    ProjectHostedToolPermissionsUpdateRequest {}
    optional {
        /// The file search permission update.
        file_search: HostedToolPermission,
        /// The web search permission update.
        web_search: HostedToolPermission,
        /// The image generation permission update.
        image_generation: HostedToolPermission,
        /// The MCP permission update.
        mcp: HostedToolPermission,
        /// The code interpreter permission update.
        code_interpreter: HostedToolPermission,
    }
}

record! {
    /// Hosted tool permissions of a project.
    ProjectHostedToolPermissions {
        /// Whether the project may search files.
        file_search: HostedToolPermission,
        /// Whether the project may search the web.
        web_search: HostedToolPermission,
        /// Whether the project may generate images.
        image_generation: HostedToolPermission,
        /// Whether the project may call MCP servers.
        mcp: HostedToolPermission,
        /// Whether the project may run code.
        code_interpreter: HostedToolPermission,
    }
}

record! {
    /// Permission state for a single hosted tool on a project.
    #[derive(Copy, Eq)]
    HostedToolPermission {
        /// Whether the hosted tool is enabled for the project.
        enabled: bool,
    }
}
