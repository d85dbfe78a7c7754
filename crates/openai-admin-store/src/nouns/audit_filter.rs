//! The filter of a request for the audit log.

use openai_admin::{AuditLogEventType, Timestamp, models::TimeRange, operations::ListAuditLogs};

use crate::base::error::{Error, Result};

/// The maximum number of values of a filter.
const FILTER_VALUES_MAX: usize = 100;

/// A filter as parameters of the statement: seconds, and lists as JSON arrays.
pub(crate) struct Filter {
    pub(crate) from: i64,
    pub(crate) to: i64,
    pub(crate) types: Option<String>,
    pub(crate) actors: Option<String>,
    pub(crate) resources: Option<String>,
    pub(crate) projects: Option<String>,
    is_foreign: bool,
}

impl Filter {
    pub(crate) fn new(request: &ListAuditLogs) -> Result<Self> {
        check(request)?;
        let (from, to) = bounds(request.effective_at);
        let types: Vec<&str> = request.event_types.iter().map(AuditLogEventType::as_str).collect();
        Ok(Self {
            from,
            to,
            types: list(&types)?,
            actors: list(&request.actor_ids)?,
            resources: list(&request.resource_ids)?,
            projects: list(&request.project_ids)?,
            is_foreign: !request.actor_emails.is_empty() || request.tenant_only == Some(true),
        })
    }

    /// The store has no tenants, and no actors with an email address.
    pub(crate) fn matches_nothing(&self) -> bool {
        self.is_foreign
    }

    pub(crate) fn matches_all(&self) -> bool {
        let lists = [&self.types, &self.actors, &self.resources, &self.projects];
        (self.from, self.to) == (i64::MIN, i64::MAX) && lists.into_iter().all(Option::is_none)
    }
}

/// Rejects filters that can only be mistakes.
fn check(request: &ListAuditLogs) -> Result<()> {
    for (field, count) in [
        ("project_ids[]", request.project_ids.len()),
        ("event_types[]", request.event_types.len()),
        ("actor_ids[]", request.actor_ids.len()),
        ("actor_emails[]", request.actor_emails.len()),
        ("resource_ids[]", request.resource_ids.len()),
    ] {
        if count > FILTER_VALUES_MAX {
            let expected = format!("at most {FILTER_VALUES_MAX} values, but got {count}");
            return Err(Error::invalid_value(field, expected));
        }
    }
    for r#type in &request.event_types {
        let is_of_tenant = r#type.is_of_tenant();
        if matches!(r#type, AuditLogEventType::Other(_)) && !is_of_tenant {
            let expected = format!("event types, such as 'group.created', but got '{type}'");
            return Err(Error::invalid_value("event_types[]", expected));
        }
        if request.tenant_only == Some(true) && !is_of_tenant {
            let expected = format!("event types of a tenant with tenant_only, but got '{type}'");
            return Err(Error::invalid_value("event_types[]", expected));
        }
    }
    Ok(())
}

/// The first and the last second of a range.
fn bounds(range: TimeRange) -> (i64, i64) {
    let seconds = |moment: Option<Timestamp>| moment.map(Timestamp::unix_seconds);
    let after = seconds(range.gt).map(|second| second.saturating_add(1));
    let before = seconds(range.lt).map(|second| second.saturating_sub(1));
    let from = after.max(seconds(range.gte)).unwrap_or(i64::MIN);
    let to = before.into_iter().chain(seconds(range.lte)).min().unwrap_or(i64::MAX);
    (from, to)
}

/// A list as JSON, or `None` if it is empty and so matches everything. PostgreSQL cannot store U+0000, so such values
/// match nothing.
fn list(values: &[impl AsRef<str>]) -> Result<Option<String>> {
    if values.is_empty() {
        return Ok(None);
    }
    let values: Vec<&str> = values.iter().map(AsRef::as_ref).filter(|value| !value.contains('\0')).collect();
    serde_json::to_string(&values).map(Some).map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Option<Timestamp> {
        Some(Timestamp::from_unix_seconds(seconds))
    }

    #[test]
    fn the_narrower_bounds_of_a_time_range_apply() {
        let mut range = TimeRange::default();
        assert_eq!(bounds(range), (i64::MIN, i64::MAX));
        (range.gt, range.lt) = (at(10), at(20));
        assert_eq!(bounds(range), (11, 19));
        (range.gte, range.lte) = (at(12), at(15));
        assert_eq!(bounds(range), (12, 15));
        (range.gte, range.lte) = (at(3), at(40));
        assert_eq!(bounds(range), (11, 19));
        (range.gt, range.lt) = (at(i64::MAX), at(i64::MIN));
        assert_eq!(bounds(range), (i64::MAX, i64::MIN));
    }
}
