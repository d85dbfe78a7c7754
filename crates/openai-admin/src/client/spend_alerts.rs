use super::api::api;
use crate::{ProjectId, SpendAlertId, models::CreateSpendAlertBody};

api! {
    /// Spend alerts of the organization and of its projects: list, create, retrieve, update, delete.
    SpendAlertsApi = spend_alerts;
    /// Lists the spend alerts of the organization.
    list list_organization_spend_alerts() -> ListOrganizationSpendAlerts {
        /// let alerts = client.spend_alerts().list_organization_spend_alerts().await?;
        /// assert!(alerts.data.is_empty());
    }
    /// Creates a spend alert of the organization.
    call create_organization_spend_alert(; body: CreateSpendAlertBody) -> CreateOrganizationSpendAlert {
        /// use openai_admin::{
        ///     SpendAlertChannelType, SpendLimitCurrency, SpendLimitInterval,
        ///     models::{CreateSpendAlertBody, SpendAlertNotificationChannel},
        /// };
        /// let recipients = vec!["finance@example.com".into()];
        /// let channel = SpendAlertNotificationChannel::new(SpendAlertChannelType::Email, recipients);
        /// let (currency, interval) = (SpendLimitCurrency::Usd, SpendLimitInterval::Month);
        /// let body = CreateSpendAlertBody::new(100_000.try_into()?, currency, interval, channel);
        /// let alert = client.spend_alerts().create_organization_spend_alert(body).await?;
        /// assert_eq!(alert.threshold_amount.get(), 100_000);
    }
    /// Retrieves a spend alert of the organization.
    call retrieve_organization_spend_alert(alert_id: SpendAlertId) -> RetrieveOrganizationSpendAlert {
        /// let error = client.spend_alerts().retrieve_organization_spend_alert("alert_x").await.unwrap_err();
        /// assert!(error.is_not_found());
    }
    /// Replaces a spend alert of the organization.
    call update_organization_spend_alert(alert_id: SpendAlertId; body: CreateSpendAlertBody) -> UpdateOrganizationSpendAlert {
        /// use openai_admin::models::CreateSpendAlertBody;
        /// let mut body: CreateSpendAlertBody = serde_json::from_value(serde_json::json!({
        ///     "threshold_amount": 100, "currency": "USD", "interval": "month",
        ///     "notification_channel": { "type": "email", "recipients": ["finance@example.com"] },
        /// }))?;
        /// let alert = client.spend_alerts().create_organization_spend_alert(body.clone()).await?;
        /// body.threshold_amount = 200.try_into()?;
        /// let alert = client.spend_alerts().update_organization_spend_alert(&alert.id, body).await?;
        /// assert_eq!(alert.threshold_amount.get(), 200);
    }
    /// Deletes a spend alert of the organization.
    call delete_organization_spend_alert(alert_id: SpendAlertId) -> DeleteOrganizationSpendAlert {
        /// let error = client.spend_alerts().delete_organization_spend_alert("alert_x").await.unwrap_err();
        /// assert!(error.is_not_found());
    }
    /// Lists the spend alerts of a project.
    list list_project_spend_alerts(project_id: ProjectId) -> ListProjectSpendAlerts {
        /// let alerts = client.spend_alerts().list_project_spend_alerts("proj_1").await?;
        /// assert!(alerts.data.is_empty());
    }
    /// Creates a spend alert of a project.
    call create_project_spend_alert(project_id: ProjectId; body: CreateSpendAlertBody) -> CreateProjectSpendAlert {
        /// use openai_admin::models::CreateSpendAlertBody;
        /// let body: CreateSpendAlertBody = serde_json::from_value(serde_json::json!({
        ///     "threshold_amount": 100, "currency": "USD", "interval": "month",
        ///     "notification_channel": { "type": "email", "recipients": ["finance@example.com"] },
        /// }))?;
        /// let alert = client.spend_alerts().create_project_spend_alert("proj_1", body).await?;
        /// assert_eq!(alert.notification_channel.recipients[0], "finance@example.com");
    }
    /// Retrieves a spend alert of a project.
    call retrieve_project_spend_alert(project_id: ProjectId, alert_id: SpendAlertId) -> RetrieveProjectSpendAlert {
        /// let error = client.spend_alerts().retrieve_project_spend_alert("proj_1", "alert_x").await.unwrap_err();
        /// assert_eq!(error.code(), Some("alert_not_found"));
    }
    /// Replaces a spend alert of a project.
    call update_project_spend_alert(project_id: ProjectId, alert_id: SpendAlertId; body: CreateSpendAlertBody) -> UpdateProjectSpendAlert {
        /// use openai_admin::models::CreateSpendAlertBody;
        /// let body: CreateSpendAlertBody = serde_json::from_value(serde_json::json!({
        ///     "threshold_amount": 100, "currency": "USD", "interval": "month",
        ///     "notification_channel": { "type": "email", "recipients": ["finance@example.com"] },
        /// }))?;
        /// let alerts = client.spend_alerts();
        /// let error = alerts.update_project_spend_alert("proj_1", "alert_x", body).await.unwrap_err();
        /// assert!(error.is_not_found());
    }
    /// Deletes a spend alert of a project.
    call delete_project_spend_alert(project_id: ProjectId, alert_id: SpendAlertId) -> DeleteProjectSpendAlert {
        /// let error = client.spend_alerts().delete_project_spend_alert("proj_1", "alert_x").await.unwrap_err();
        /// assert!(error.is_not_found());
    }
}
