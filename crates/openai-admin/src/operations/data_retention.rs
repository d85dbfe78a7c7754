//! How long data is retained: `/organization/data_retention` and `/organization/projects/{project_id}/data_retention`.

use super::record::record;
use crate::{OrganizationDataRetentionType, ProjectDataRetentionType, ProjectId, endpoint::endpoint};

const TAG: &str = "Data retention";

record! {
    /// Retrieves organization data retention controls.
    #[derive(Default)]
    RetrieveOrganizationDataRetention {}
}

endpoint!(RetrieveOrganizationDataRetention, "retrieve-organization-data-retention", GET "/organization/data_retention", MANAGEMENT_READ -> OrganizationDataRetention);

record! {
    /// Updates organization data retention controls.
    UpdateOrganizationDataRetention {
        /// The data retention.
        body: UpdateOrganizationDataRetentionBody,
    }
}

endpoint!(UpdateOrganizationDataRetention, "update-organization-data-retention", POST RetrieveOrganizationDataRetention::PATH, MANAGEMENT_WRITE -> OrganizationDataRetention, idempotent);

record! {
    /// Retrieves project data retention controls.
    RetrieveProjectDataRetention {
        /// The ID of the project to inspect.
        project_id: ProjectId,
    }
}

endpoint!(RetrieveProjectDataRetention, "retrieve-project-data-retention", GET "/organization/projects/{project_id}/data_retention", MANAGEMENT_READ -> ProjectDataRetention);

record! {
    /// Updates project data retention controls.
    UpdateProjectDataRetention {
        /// The ID of the project to update.
        project_id: ProjectId,
        /// The data retention.
        body: UpdateProjectDataRetentionBody,
    }
}

endpoint!(UpdateProjectDataRetention, "update-project-data-retention", POST RetrieveProjectDataRetention::PATH, MANAGEMENT_WRITE -> ProjectDataRetention, idempotent);

record! {
    /// The data retention to set for the organization.
    UpdateOrganizationDataRetentionBody {
        /// The desired organization data retention type.
        retention_type: OrganizationDataRetentionType,
    }
}

record! {
    /// The data retention to set for a project.
    UpdateProjectDataRetentionBody {
        /// The desired project data retention type.
        retention_type: ProjectDataRetentionType,
    }
}

record! {
    /// The organization's data retention control setting.
    OrganizationDataRetention object OrganizationDataRetentionObject = "organization.data_retention" {
        /// The configured organization data retention type.
        r#type: OrganizationDataRetentionType,
    }
}

record! {
    /// A project's data retention control setting.
    ProjectDataRetention object ProjectDataRetentionObject = "project.data_retention" {
        /// The configured project data retention type.
        r#type: ProjectDataRetentionType,
    }
}
