use super::api::api;
use crate::{ProjectId, models::UpdateProjectServiceTierSettingsBody};

api! {
    /// Service tiers of projects: retrieve, update.
    ServiceTiersApi = service_tiers;
    /// Retrieves a project's service tiers.
    call retrieve_project_service_tier_settings(project_id: ProjectId) -> RetrieveProjectServiceTierSettings {
        /// use openai_admin::models::EnabledServiceTiers;
        /// let tiers = client.service_tiers().retrieve_project_service_tier_settings("proj_1").await?;
        /// assert_eq!(tiers.enabled_tiers, EnabledServiceTiers::All);
    }
    /// Updates a project's service tiers.
    call update_project_service_tier_settings(project_id: ProjectId; body: UpdateProjectServiceTierSettingsBody) -> UpdateProjectServiceTierSettings {
        /// use openai_admin::{DefaultServiceTier, models::UpdateProjectServiceTierSettingsBody};
        /// let mut body = UpdateProjectServiceTierSettingsBody::new();
        /// body.default = Some(DefaultServiceTier::Fast);
        /// let tiers = client.service_tiers().update_project_service_tier_settings("proj_1", body).await?;
        /// assert_eq!(tiers.default, DefaultServiceTier::Fast);
    }
}
