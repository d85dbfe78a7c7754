//! Projects of the organization: `/organization/projects`.

use super::record::record;
use crate::{
    BoundedText, Cursor, IdPage, Limit, ListItem, ProjectId, ProjectResidency, ProjectStatus, Timestamp,
    endpoint::endpoint, one_field::one_field, page::list_endpoint,
};

const TAG: &str = "Projects";

/// A project's name: 1 to 255 characters, not blank (assumed).
pub type ProjectName = BoundedText<1, 255>;

record! {
    /// Lists the projects of the organization.
    #[derive(Default)]
    ListProjects {}
    query {
        /// How many projects to return.
        limit: Limit<1, 100, 20>,
        /// Return projects after this one: the `last_id` of the previous page.
        after: Cursor,
        /// Whether to include archived projects; false by default.
        include_archived: bool,
    }
}

endpoint!(ListProjects, "list-projects", GET "/organization/projects", MANAGEMENT_READ -> ProjectListResponse);

list_endpoint!(ListProjects);

record! {
    /// Creates a new project in the organization. Projects can be created and archived, but cannot be deleted.
    CreateProject {
        /// The project to create.
        body: ProjectCreateRequest,
    }
}

endpoint!(CreateProject, "create-project", POST ListProjects::PATH, MANAGEMENT_WRITE -> Project);

record! {
    /// Retrieves a project.
    RetrieveProject {
        /// The ID of the project.
        project_id: ProjectId,
    }
}

endpoint!(RetrieveProject, "retrieve-project", GET "/organization/projects/{project_id}", MANAGEMENT_READ -> Project);

record! {
    /// Modifies a project in the organization.
    ModifyProject {
        /// The ID of the project.
        project_id: ProjectId,
        /// The changes. Absent fields stay unchanged.
        body: ProjectUpdateRequest,
    }
}

endpoint!(ModifyProject, "modify-project", POST RetrieveProject::PATH, MANAGEMENT_WRITE -> Project, idempotent);

record! {
    /// Archives a project in the organization. Archived projects cannot be used or updated. Archiving it again changes nothing and succeeds (assumed).
    ArchiveProject {
        /// The ID of the project.
        project_id: ProjectId,
    }
}

endpoint!(ArchiveProject, "archive-project", POST "/organization/projects/{project_id}/archive", MANAGEMENT_WRITE -> Project, idempotent);

record! {
    /// Request payload for creating a project.
    ProjectCreateRequest {
        /// The friendly name of the project, which appears in reports.
        name: ProjectName,
    }
    optional {
        /// The residency configuration of the project. The organization must have access to it.
        residency: ProjectResidency,
        /// External key ID to associate with the project.
        external_key_id: String,
    }
}

one_field!(ProjectCreateRequest { name: ProjectName });

record! {
    /// Request payload for changing a project.
    #[derive(Default)]
    ProjectUpdateRequest {}
    optional {
        /// The updated name of the project, which appears in reports.
        name: ProjectName,
    }
    clearable {
        /// External key ID to associate with the project; null clears it (assumed).
        external_key_id: String,
    }
}

/// Paginated list of the organization's projects.
pub type ProjectListResponse = IdPage<Project>;

record! {
    /// Represents an individual project.
    Project object ProjectObject = "organization.project" {
        /// The identifier, which can be referenced in API endpoints.
        id: ProjectId,
        /// The Unix timestamp (in seconds) of when the project was created.
        created_at: Timestamp,
    }
    optional {
        /// The residency configuration of the project.
        residency: ProjectResidency,
    }
    nullable {
        /// The name of the project, which appears in reports.
        name: String,
        /// The Unix timestamp (in seconds) of when the project was archived.
        archived_at: Timestamp,
        /// `active` or `archived`.
        status: ProjectStatus,
        /// The external key associated with the project.
        external_key_id: String,
    }
}

impl ListItem for Project {
    const LIST_SCHEMA: &'static str = "ProjectListResponse";
    fn id(&self) -> &str {
        self.id.as_str()
    }
}
