use super::api::api;
use crate::{
    ProjectId,
    models::{UpdateOrganizationDataRetentionBody, UpdateProjectDataRetentionBody},
};

api! {
    /// Data retention of the organization and of its projects: retrieve, update.
    DataRetentionApi = data_retention;
    /// Retrieves the organization's data retention.
    call retrieve_organization_data_retention() -> RetrieveOrganizationDataRetention {
        /// use openai_admin::OrganizationDataRetentionType;
        /// let retention = client.data_retention().retrieve_organization_data_retention().await?;
        /// assert_eq!(retention.r#type, OrganizationDataRetentionType::ModifiedAbuseMonitoring);
    }
    /// Updates the organization's data retention.
    call update_organization_data_retention(; body: UpdateOrganizationDataRetentionBody) -> UpdateOrganizationDataRetention {
        /// use openai_admin::{OrganizationDataRetentionType, models::UpdateOrganizationDataRetentionBody};
        /// let body = UpdateOrganizationDataRetentionBody::new(OrganizationDataRetentionType::ZeroDataRetention);
        /// let retention = client.data_retention().update_organization_data_retention(body).await?;
        /// assert_eq!(retention.r#type, OrganizationDataRetentionType::ZeroDataRetention);
    }
    /// Retrieves a project's data retention.
    call retrieve_project_data_retention(project_id: ProjectId) -> RetrieveProjectDataRetention {
        /// use openai_admin::ProjectDataRetentionType;
        /// let retention = client.data_retention().retrieve_project_data_retention("proj_1").await?;
        /// assert_eq!(retention.r#type, ProjectDataRetentionType::OrganizationDefault);
    }
    /// Updates a project's data retention.
    call update_project_data_retention(project_id: ProjectId; body: UpdateProjectDataRetentionBody) -> UpdateProjectDataRetention {
        /// use openai_admin::{ProjectDataRetentionType, models::UpdateProjectDataRetentionBody};
        /// let body = UpdateProjectDataRetentionBody::new(ProjectDataRetentionType::None);
        /// let retention = client.data_retention().update_project_data_retention("proj_1", body).await?;
        /// assert_eq!(retention.r#type, ProjectDataRetentionType::None);
    }
}
