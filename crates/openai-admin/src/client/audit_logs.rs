use super::{ListCall, api::api, argument};
use crate::{AuditLogEventType, Cursor, Error, PersonalText, models::TimeRange, operations::ListAuditLogs};

api! {
    /// The audit log of the organization.
    AuditLogsApi = audit_logs;
    /// Lists the events of the organization, newest first. A page has 20 events by default, at most 100.
    list list_audit_logs() -> ListAuditLogs {
        /// use openai_admin::AuditLogEventType;
        /// let logs = client.audit_logs().list_audit_logs().event_types([AuditLogEventType::GroupUserAdded]).await?;
        /// let detail = logs.data[0].detail.as_ref().expect("our server records the detail");
        /// assert_eq!(detail.user_id.as_ref().expect("a user"), "user_bob");
    }
}

impl ListCall<'_, ListAuditLogs> {
    /// Reverses the direction: reads the events after this one in time, page by page towards the newest. Within a page,
    /// the newest event is first. The `first_id` of a page is the cursor of the next.
    ///
    /// To miss no event, store the `first_id` of the last page, and continue before it.
    pub fn before<C>(self, before: C) -> Self
    where
        C: TryInto<Cursor>,
        Error: From<C::Error>,
    {
        self.with(|request| {
            request.before = Some(argument::<ListAuditLogs, _, _>("before", before)?);
            Ok(())
        })
    }

    /// Only events in this range of time.
    pub fn effective_at(self, effective_at: TimeRange) -> Self {
        self.with(|request| {
            request.effective_at = effective_at;
            Ok(())
        })
    }

    /// Only events of these types.
    pub fn event_types(self, types: impl IntoIterator<Item = AuditLogEventType>) -> Self {
        self.with(|request| {
            request.event_types = types.into_iter().collect();
            Ok(())
        })
    }

    /// Only events by these actors: ids of users, of service accounts or of API keys.
    pub fn actor_ids<T: Into<String>>(self, ids: impl IntoIterator<Item = T>) -> Self {
        self.with(|request| {
            request.actor_ids = ids.into_iter().map(Into::into).collect();
            Ok(())
        })
    }

    /// Only events by users with these email addresses.
    pub fn actor_emails<T: Into<PersonalText>>(self, emails: impl IntoIterator<Item = T>) -> Self {
        self.with(|request| {
            request.actor_emails = emails.into_iter().map(Into::into).collect();
            Ok(())
        })
    }

    /// Only events about these resources, such as the id of a group or of a user.
    pub fn resource_ids<T: Into<String>>(self, ids: impl IntoIterator<Item = T>) -> Self {
        self.with(|request| {
            request.resource_ids = ids.into_iter().map(Into::into).collect();
            Ok(())
        })
    }
}
