//! What came of every row of a run, for spreadsheets and programs.
//!
//! Pure.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{journal::OperationResult, plan::Plan, verify::Verification};

/// One operation, and what came of it.
#[derive(Clone, Debug, Serialize)]
pub struct ReportRow {
    /// Its number in the plan.
    pub operation: usize,
    /// What it does.
    pub action: &'static str,
    /// The group's name.
    pub group: String,
    /// The group's id.
    pub group_id: Option<String>,
    /// The user's address.
    pub email: Option<String>,
    /// The user's id.
    pub user_id: Option<String>,
    /// What came of it; `not_sent` where nothing did yet.
    pub outcome: &'static str,
    /// The status of the answer.
    pub status: Option<u16>,
    /// The service's id of the request.
    pub request_id: Option<String>,
    /// From sending to the answer, in milliseconds.
    pub latency_ms: Option<u64>,
    /// Whether the wish was found to hold afterwards.
    pub verified: Option<bool>,
    /// Where the wish comes from, as FILE:LINE.
    pub origin: Option<String>,
    /// What went wrong.
    pub error: Option<String>,
}

/// The columns of [`csv()`], in order.
pub const COLUMNS: [&str; 13] = [
    "operation",
    "action",
    "group",
    "group_id",
    "email",
    "user_id",
    "outcome",
    "status",
    "request_id",
    "latency_ms",
    "verified",
    "origin",
    "error",
];

/// The rows of a run.
pub fn rows(
    plan: &Plan,
    results: &BTreeMap<usize, OperationResult>,
    verification: Option<&Verification>,
) -> Vec<ReportRow> {
    let mut rows = Vec::with_capacity(plan.operation_count());
    let mut group_id: Option<String> = None;
    for (number, (group, operation)) in plan.operations().enumerate() {
        let result = results.get(&number);
        let made = result.and_then(|result| result.group_id.as_ref()).map(ToString::to_string);
        group_id = match (&group.id, made) {
            (Some(id), _) => Some(id.to_string()),
            (None, Some(made)) => Some(made),
            // The group of the row before, which has created it.
            (None, None) if !matches!(operation.action, crate::plan::Action::CreateGroup { .. }) => group_id,
            (None, None) => None,
        };
        rows.push(ReportRow {
            operation: number,
            action: operation.action.name(),
            group: group.name.clone(),
            group_id: group_id.clone(),
            email: operation.action.email().map(str::to_owned),
            user_id: operation.action.user_id().map(ToString::to_string),
            outcome: result.map_or("not_sent", |result| result.outcome.as_str()),
            status: result.and_then(|result| result.status),
            request_id: result.and_then(|result| result.request_id.clone()),
            latency_ms: result.filter(|result| result.status.is_some()).map(|result| result.latency_ms),
            verified: verification.and_then(|verification| verification.holds.get(&number).copied()),
            origin: operation.origin.place.as_ref().map(|place| format!("{}:{}", place.file, place.line)),
            error: result.and_then(|result| result.error.clone()),
        });
    }
    rows
}

/// The rows as CSV with a heading.
///
/// # Errors
///
/// None that can be helped: memory.
pub fn csv(rows: &[ReportRow]) -> Result<String, ::csv::Error> {
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    if rows.is_empty() {
        writer.write_record(COLUMNS)?;
    }
    for row in rows {
        writer.serialize(row)?;
    }
    let bytes = writer.into_inner().map_err(|error| error.into_error())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
