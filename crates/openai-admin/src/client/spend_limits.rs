use super::api::api;
use crate::{
    ProjectId,
    models::{UpdateOrganizationSpendLimitBody, UpdateProjectSpendLimitBody},
};

api! {
    /// Hard spend limits of the organization and of its projects: get, update, delete.
    SpendLimitsApi = spend_limits;
    /// Gets the organization's spend limit.
    call get_organization_spend_limit() -> GetOrganizationSpendLimit {
        /// let error = client.spend_limits().get_organization_spend_limit().await.unwrap_err();
        /// assert_eq!(error.code(), Some("spend_limit_not_set"));
    }
    /// Creates or replaces the organization's spend limit.
    call update_organization_spend_limit(; body: UpdateOrganizationSpendLimitBody) -> UpdateOrganizationSpendLimit {
        /// use openai_admin::{SpendLimitCurrency, SpendLimitInterval, models::UpdateOrganizationSpendLimitBody};
        /// let amount = 100_000.try_into()?;
        /// let body = UpdateOrganizationSpendLimitBody::new(amount, SpendLimitCurrency::Usd, SpendLimitInterval::Month);
        /// let limit = client.spend_limits().update_organization_spend_limit(body).await?;
        /// assert_eq!(limit.threshold_amount, amount);
    }
    /// Deletes the organization's spend limit.
    call delete_organization_spend_limit() -> DeleteOrganizationSpendLimit {
        /// let error = client.spend_limits().delete_organization_spend_limit().await.unwrap_err();
        /// assert!(error.is_not_found());
    }
    /// Gets a project's spend limit.
    call get_project_spend_limit(project_id: ProjectId) -> GetProjectSpendLimit {
        /// let error = client.spend_limits().get_project_spend_limit("proj_1").await.unwrap_err();
        /// assert_eq!(error.code(), Some("spend_limit_not_set"));
    }
    /// Creates or replaces a project's spend limit.
    call update_project_spend_limit(project_id: ProjectId; body: UpdateProjectSpendLimitBody) -> UpdateProjectSpendLimit {
        /// use openai_admin::{SpendLimitCurrency, SpendLimitInterval, models::UpdateProjectSpendLimitBody};
        /// let amount = 5_000.try_into()?;
        /// let body = UpdateProjectSpendLimitBody::new(amount, SpendLimitCurrency::Usd, SpendLimitInterval::Month);
        /// client.spend_limits().update_project_spend_limit("proj_1", body).await?;
        /// let limit = client.spend_limits().get_project_spend_limit("proj_1").await?;
        /// assert_eq!(limit.threshold_amount, amount);
    }
    /// Deletes a project's spend limit.
    call delete_project_spend_limit(project_id: ProjectId) -> DeleteProjectSpendLimit {
        /// let error = client.spend_limits().delete_project_spend_limit("proj_1").await.unwrap_err();
        /// assert!(error.is_not_found());
    }
}
