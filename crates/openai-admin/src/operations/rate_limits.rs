//! Rate limits of a project, one for each model: `/organization/projects/{project_id}/rate_limits`.

use super::record::record;
use crate::{
    BoundedInteger, Cursor, IdPage, Limit, ListItem, ProjectId, RateLimitId, endpoint::endpoint,
    page::list_endpoint,
};

const TAG: &str = "Projects";

/// A maximum: at least 0, which blocks every request.
pub type RateLimitValue = BoundedInteger<0, { i64::MAX }>;

record! {
    /// Lists the rate limits of a project, one for each model, in the order of the models' names.
    ListProjectRateLimits {
        /// The ID of the project.
        project_id: ProjectId,
    }
    query {
        /// How many rate limits to return.
        limit: Limit<0, 1000, 100>,
        /// Return rate limits after this one: the `last_id` of the previous page.
        after: Cursor,
        /// Return rate limits before this one: the `first_id` of the following page.
        before: Cursor,
    }
}

endpoint!(ListProjectRateLimits, "list-project-rate-limits", GET "/organization/projects/{project_id}/rate_limits", MANAGEMENT_READ -> ProjectRateLimitListResponse);

list_endpoint!(ListProjectRateLimits);

record! {
    /// Updates a rate limit of a project, up to the rate limit of the organization.
    UpdateProjectRateLimit {
        /// The ID of the project.
        project_id: ProjectId,
        /// The ID of the rate limit: `rl-` and the name of the model.
        rate_limit_id: RateLimitId,
        /// The changes. Absent fields stay unchanged.
        body: ProjectRateLimitUpdateRequest,
    }
}

endpoint!(UpdateProjectRateLimit, "update-project-rate-limits", POST "/organization/projects/{project_id}/rate_limits/{rate_limit_id}", MANAGEMENT_WRITE -> ProjectRateLimit, idempotent);

record! {
    /// Request payload for updating a rate limit of a project.
    #[derive(Default)]
    ProjectRateLimitUpdateRequest {}
    optional {
        /// The maximum requests per minute.
        max_requests_per_1_minute: RateLimitValue,
        /// The maximum tokens per minute.
        max_tokens_per_1_minute: RateLimitValue,
        /// The maximum images per minute. Only relevant for certain models.
        max_images_per_1_minute: RateLimitValue,
        /// The maximum audio megabytes per minute. Only relevant for certain models.
        max_audio_megabytes_per_1_minute: RateLimitValue,
        /// The maximum requests per day. Only relevant for certain models.
        max_requests_per_1_day: RateLimitValue,
        /// The maximum batch input tokens per day. Only relevant for certain models.
        batch_1_day_max_input_tokens: RateLimitValue,
    }
}

record! {
    /// The rate limits of a model in a project.
    ProjectRateLimit object ProjectRateLimitObject = "project.rate_limit" {
        /// The identifier, which can be referenced in API endpoints.
        id: RateLimitId,
        /// The model this rate limit applies to.
        model: String,
        /// The maximum requests per minute.
        max_requests_per_1_minute: i64,
        /// The maximum tokens per minute. 2147483647 stands for no limit.
        max_tokens_per_1_minute: i64,
    }
    optional {
        /// The maximum images per minute. Only present for relevant models.
        max_images_per_1_minute: i64,
        /// The maximum audio megabytes per minute. Only present for relevant models.
        max_audio_megabytes_per_1_minute: i64,
        /// The maximum requests per day. Only present for relevant models.
        max_requests_per_1_day: i64,
        /// The maximum batch input tokens per day. Only present for relevant models.
        batch_1_day_max_input_tokens: i64,
    }
}

impl ListItem for ProjectRateLimit {
    const LIST_SCHEMA: &'static str = "ProjectRateLimitListResponse";
    fn id(&self) -> &str {
        self.id.as_str()
    }
}

/// Paginated list of a project's rate limits.
pub type ProjectRateLimitListResponse = IdPage<ProjectRateLimit>;
