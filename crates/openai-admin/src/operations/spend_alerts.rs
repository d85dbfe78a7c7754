//! Spend alerts of the organization and of its projects: `/organization/spend_alerts` and
//! `/organization/projects/{project_id}/spend_alerts`.

use super::record::record;
use crate::{
    BoundedInteger, Cursor, IdPage, Limit, ListItem, Order, PersonalText, ProjectId, SpendAlertChannelType,
    SpendAlertId, SpendLimitCurrency, SpendLimitInterval, deleted::deleted, endpoint::endpoint,
    page::list_endpoint,
};

const TAG: &str = "Spend alerts";

/// An amount in cents: at least 0.
pub type SpendAlertAmount = BoundedInteger<0, { i64::MAX }>;

record! {
    /// Lists organization spend alerts.
    #[derive(Default)]
    ListOrganizationSpendAlerts {}
    query {
        /// How many spend alerts to return.
        limit: Limit<0, 100, 20>,
        /// The order of the spend alerts; `asc` by default.
        #[cfg_attr(feature = "schema", schemars(extend("default" = "asc")))]
        order: Order,
        /// Return spend alerts after this one: the `last_id` of the previous page.
        after: Cursor,
        /// Return spend alerts before this one: the `first_id` of the following page.
        before: Cursor,
    }
}

endpoint!(ListOrganizationSpendAlerts, "list-organization-spend-alerts", GET "/organization/spend_alerts", MANAGEMENT_READ -> OrganizationSpendAlertListResource);

list_endpoint!(ListOrganizationSpendAlerts, ordered);

record! {
    /// Creates an organization spend alert.
    CreateOrganizationSpendAlert {
        /// The spend alert to create.
        body: CreateSpendAlertBody,
    }
}

endpoint!(CreateOrganizationSpendAlert, "create-organization-spend-alert", POST ListOrganizationSpendAlerts::PATH, MANAGEMENT_WRITE -> OrganizationSpendAlert);

record! {
    /// Retrieves an organization spend alert.
    RetrieveOrganizationSpendAlert {
        /// The ID of the spend alert.
        alert_id: SpendAlertId,
    }
}

endpoint!(RetrieveOrganizationSpendAlert, "retrieve-organization-spend-alert", GET "/organization/spend_alerts/{alert_id}", MANAGEMENT_READ -> OrganizationSpendAlert);

record! {
    /// Replaces an organization spend alert.
    UpdateOrganizationSpendAlert {
        /// The ID of the spend alert.
        alert_id: SpendAlertId,
        /// All fields of the spend alert.
        body: CreateSpendAlertBody,
    }
}

endpoint!(UpdateOrganizationSpendAlert, "update-organization-spend-alert", POST RetrieveOrganizationSpendAlert::PATH, MANAGEMENT_WRITE -> OrganizationSpendAlert, idempotent);

record! {
    /// Deletes an organization spend alert.
    DeleteOrganizationSpendAlert {
        /// The ID of the spend alert.
        alert_id: SpendAlertId,
    }
}

endpoint!(DeleteOrganizationSpendAlert, "delete-organization-spend-alert", DELETE RetrieveOrganizationSpendAlert::PATH, MANAGEMENT_WRITE -> OrganizationSpendAlertDeletedResource);

record! {
    /// Lists project spend alerts.
    ListProjectSpendAlerts {
        /// The ID of the project.
        project_id: ProjectId,
    }
    query {
        /// How many spend alerts to return.
        limit: Limit<0, 100, 20>,
        /// The order of the spend alerts; `asc` by default.
        #[cfg_attr(feature = "schema", schemars(extend("default" = "asc")))]
        order: Order,
        /// Return spend alerts after this one: the `last_id` of the previous page.
        after: Cursor,
        /// Return spend alerts before this one: the `first_id` of the following page.
        before: Cursor,
    }
}

endpoint!(ListProjectSpendAlerts, "list-project-spend-alerts", GET "/organization/projects/{project_id}/spend_alerts", MANAGEMENT_READ -> ProjectSpendAlertListResource);

list_endpoint!(ListProjectSpendAlerts, ordered);

record! {
    /// Creates a project spend alert.
    CreateProjectSpendAlert {
        /// The ID of the project.
        project_id: ProjectId,
        /// The spend alert to create.
        body: CreateSpendAlertBody,
    }
}

endpoint!(CreateProjectSpendAlert, "create-project-spend-alert", POST ListProjectSpendAlerts::PATH, MANAGEMENT_WRITE -> ProjectSpendAlert);

record! {
    /// Retrieves a project spend alert.
    RetrieveProjectSpendAlert {
        /// The ID of the project.
        project_id: ProjectId,
        /// The ID of the spend alert.
        alert_id: SpendAlertId,
    }
}

endpoint!(RetrieveProjectSpendAlert, "retrieve-project-spend-alert", GET "/organization/projects/{project_id}/spend_alerts/{alert_id}", MANAGEMENT_READ -> ProjectSpendAlert);

record! {
    /// Replaces a project spend alert.
    UpdateProjectSpendAlert {
        /// The ID of the project.
        project_id: ProjectId,
        /// The ID of the spend alert.
        alert_id: SpendAlertId,
        /// All fields of the spend alert.
        body: CreateSpendAlertBody,
    }
}

endpoint!(UpdateProjectSpendAlert, "update-project-spend-alert", POST RetrieveProjectSpendAlert::PATH, MANAGEMENT_WRITE -> ProjectSpendAlert, idempotent);

record! {
    /// Deletes a project spend alert.
    DeleteProjectSpendAlert {
        /// The ID of the project.
        project_id: ProjectId,
        /// The ID of the spend alert.
        alert_id: SpendAlertId,
    }
}

endpoint!(DeleteProjectSpendAlert, "delete-project-spend-alert", DELETE RetrieveProjectSpendAlert::PATH, MANAGEMENT_WRITE -> ProjectSpendAlertDeletedResource);

record! {
    /// Parameters for creating or updating a spend alert.
    CreateSpendAlertBody {
        /// The alert threshold amount, in cents.
        threshold_amount: SpendAlertAmount,
        /// The currency for the threshold amount.
        currency: SpendLimitCurrency,
        /// The time interval for evaluating spend against the threshold.
        interval: SpendLimitInterval,
        /// The recipients of the notification.
        notification_channel: SpendAlertNotificationChannel,
    }
}

record! {
    /// Email notification settings for a spend alert.
    SpendAlertNotificationChannel {
        /// The notification channel type. Currently only `email` is supported.
        r#type: SpendAlertChannelType,
        /// Email addresses that receive the spend alert notification: 1 to 100 (assumed).
        recipients: Vec<PersonalText>,
    }
    nullable {
        /// Optional subject prefix for alert emails.
        subject_prefix: String,
    }
}

record! {
    /// A spend alert of the organization.
    OrganizationSpendAlert object OrganizationSpendAlertObject = "organization.spend_alert" {
        /// The identifier, which can be referenced in API endpoints.
        id: SpendAlertId,
        /// The alert threshold amount, in cents.
        threshold_amount: SpendAlertAmount,
        /// The currency for the threshold amount.
        currency: SpendLimitCurrency,
        /// The time interval for evaluating spend against the threshold.
        interval: SpendLimitInterval,
        /// The recipients of the notification.
        notification_channel: SpendAlertNotificationChannel,
    }
}

impl ListItem for OrganizationSpendAlert {
    const LIST_SCHEMA: &'static str = "OrganizationSpendAlertListResource";
    fn id(&self) -> &str {
        self.id.as_str()
    }
}

/// Paginated list of organization spend alerts.
pub type OrganizationSpendAlertListResource = IdPage<OrganizationSpendAlert>;

record! {
    /// A spend alert of a project.
    ProjectSpendAlert object ProjectSpendAlertObject = "project.spend_alert" {
        /// The identifier, which can be referenced in API endpoints.
        id: SpendAlertId,
        /// The alert threshold amount, in cents.
        threshold_amount: SpendAlertAmount,
        /// The currency for the threshold amount.
        currency: SpendLimitCurrency,
        /// The time interval for evaluating spend against the threshold.
        interval: SpendLimitInterval,
        /// The recipients of the notification.
        notification_channel: SpendAlertNotificationChannel,
    }
}

impl ListItem for ProjectSpendAlert {
    const LIST_SCHEMA: &'static str = "ProjectSpendAlertListResource";
    fn id(&self) -> &str {
        self.id.as_str()
    }
}

/// Paginated list of project spend alerts.
pub type ProjectSpendAlertListResource = IdPage<ProjectSpendAlert>;

deleted!(
    OrganizationSpendAlertDeletedResource,
    OrganizationSpendAlertKind,
    "organization.spend_alert.deleted",
    "spend alert of the organization",
    SpendAlertId
);
deleted!(
    ProjectSpendAlertDeletedResource,
    ProjectSpendAlertKind,
    "project.spend_alert.deleted",
    "spend alert of a project",
    SpendAlertId
);
