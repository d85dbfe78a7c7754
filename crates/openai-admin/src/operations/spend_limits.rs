//! Hard spend limits of the organization and of its projects: `/organization/spend_limit` and
//! `/organization/projects/{project_id}/spend_limit`.

use super::record::record;
use crate::{
    BoundedInteger, ProjectId, SpendLimitCurrency, SpendLimitEnforcementStatus, SpendLimitInterval,
    deleted::deleted, endpoint::endpoint,
};

const TAG: &str = "Spend limits";

/// An amount in cents: at least 1.
pub type SpendLimitAmount = BoundedInteger<1, { i64::MAX }>;

record! {
    /// Get the organization's hard spend limit.
    #[derive(Default)]
    GetOrganizationSpendLimit {}
}

endpoint!(GetOrganizationSpendLimit, "Getorganizationspendlimit", GET "/organization/spend_limit", MANAGEMENT_READ -> OrganizationSpendLimitResource);

record! {
    /// Create or replace the organization's hard spend limit.
    UpdateOrganizationSpendLimit {
        /// The spend limit.
        body: UpdateOrganizationSpendLimitBody,
    }
}

endpoint!(UpdateOrganizationSpendLimit, "Updateorganizationspendlimit", POST GetOrganizationSpendLimit::PATH, MANAGEMENT_WRITE -> OrganizationSpendLimitResource, idempotent);

record! {
    /// Delete the organization's hard spend limit.
    #[derive(Default)]
    DeleteOrganizationSpendLimit {}
}

endpoint!(DeleteOrganizationSpendLimit, "Deleteorganizationspendlimit", DELETE GetOrganizationSpendLimit::PATH, MANAGEMENT_WRITE -> OrganizationSpendLimitDeletedResource);

record! {
    /// Get a project's hard spend limit.
    GetProjectSpendLimit {
        /// The ID of the project.
        project_id: ProjectId,
    }
}

endpoint!(GetProjectSpendLimit, "Getprojectspendlimit", GET "/organization/projects/{project_id}/spend_limit", MANAGEMENT_READ -> ProjectSpendLimitResource);

record! {
    /// Create or replace a project's hard spend limit.
    UpdateProjectSpendLimit {
        /// The ID of the project.
        project_id: ProjectId,
        /// The spend limit.
        body: UpdateProjectSpendLimitBody,
    }
}

endpoint!(UpdateProjectSpendLimit, "Updateprojectspendlimit", POST GetProjectSpendLimit::PATH, MANAGEMENT_WRITE -> ProjectSpendLimitResource, idempotent);

record! {
    /// Delete a project's hard spend limit.
    DeleteProjectSpendLimit {
        /// The ID of the project.
        project_id: ProjectId,
    }
}

endpoint!(DeleteProjectSpendLimit, "Deleteprojectspendlimit", DELETE GetProjectSpendLimit::PATH, MANAGEMENT_WRITE -> ProjectSpendLimitDeletedResource);

record! {
    /// The hard spend limit to create or to replace the existing one with.
    UpdateOrganizationSpendLimitBody {
        /// The hard spend limit amount, in cents.
        threshold_amount: SpendLimitAmount,
        /// The currency for the threshold amount. Currently, only `USD` is supported.
        currency: SpendLimitCurrency,
        /// The time interval for evaluating spend against the threshold. Currently, only `month` is supported.
        interval: SpendLimitInterval,
    }
}

/// The same for a project.
pub type UpdateProjectSpendLimitBody = UpdateOrganizationSpendLimitBody;

record! {
    /// A hard spend limit of the organization.
    OrganizationSpendLimitResource object OrganizationSpendLimitObject = "organization.spend_limit" {
        /// The hard spend limit amount, in cents.
        threshold_amount: SpendLimitAmount,
        /// The currency for the threshold amount. Currently, only `USD` is supported.
        currency: SpendLimitCurrency,
        /// The time interval for evaluating spend against the threshold. Currently, only `month` is supported.
        interval: SpendLimitInterval,
        /// The current enforcement state of the hard spend limit.
        enforcement: SpendLimitEnforcement,
    }
}

record! {
    /// A hard spend limit of a project.
    ProjectSpendLimitResource object ProjectSpendLimitObject = "project.spend_limit" {
        /// The hard spend limit amount, in cents.
        threshold_amount: SpendLimitAmount,
        /// The currency for the threshold amount. Currently, only `USD` is supported.
        currency: SpendLimitCurrency,
        /// The time interval for evaluating spend against the threshold. Currently, only `month` is supported.
        interval: SpendLimitInterval,
        /// The current enforcement state of the hard spend limit.
        enforcement: SpendLimitEnforcement,
    }
}

record! {
    /// The current enforcement state of a hard spend limit.
    SpendLimitEnforcement {
        /// Whether the hard spend limit is currently enforcing.
        status: SpendLimitEnforcementStatus,
    }
}

deleted!(
    OrganizationSpendLimitDeletedResource,
    OrganizationSpendLimitKind,
    "organization.spend_limit.deleted",
    "hard spend limit of the organization"
);
deleted!(
    ProjectSpendLimitDeletedResource,
    ProjectSpendLimitKind,
    "project.spend_limit.deleted",
    "hard spend limit of a project"
);
