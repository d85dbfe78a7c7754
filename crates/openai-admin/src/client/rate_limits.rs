use super::api::api;
use crate::{ProjectId, RateLimitId, models::ProjectRateLimitUpdateRequest};

api! {
    /// Rate limits of a project, one for each model: list, update.
    RateLimitsApi = rate_limits;
    /// Lists the rate limits of a project.
    list list_project_rate_limits(project_id: ProjectId) -> ListProjectRateLimits {
        /// let limits = client.rate_limits().list_project_rate_limits("proj_1").await?;
        /// assert!(limits.data.iter().any(|limit| limit.model == "text-embedding-3-small"));
    }
    /// Updates a rate limit of a project.
    call update_project_rate_limit(project_id: ProjectId, rate_limit_id: RateLimitId; body: ProjectRateLimitUpdateRequest) -> UpdateProjectRateLimit {
        /// use openai_admin::models::ProjectRateLimitUpdateRequest;
        /// let mut body = ProjectRateLimitUpdateRequest::new();
        /// body.max_requests_per_1_minute = Some(500.try_into()?);
        /// let limits = client.rate_limits();
        /// let limit = limits.update_project_rate_limit("proj_1", "rl-text-embedding-3-small", body).await?;
        /// assert_eq!(limit.max_requests_per_1_minute, 500);
    }
}
