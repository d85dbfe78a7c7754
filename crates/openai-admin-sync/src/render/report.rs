//! The result of each operation of a run, for spreadsheets and programs.
//!
//! Pure.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    plan::{
        document::Plan,
        guard::Approval,
        operation::Effect,
        right::{Kept, Right},
        source::Origin,
    },
    run::{fresh::Start, journal::OperationResult, verify::Verification},
};

/// One operation and its result.
#[derive(Clone, Debug, Serialize)]
pub struct ReportRow {
    /// The operation's number in the plan; `None` for a row without an operation.
    pub operation: Option<usize>,
    /// The name of the operation's action; `none` for a row without an operation.
    pub action: &'static str,
    /// The group's name; empty for an operation on a right.
    pub group: String,
    /// The group's id.
    pub group_id: Option<String>,
    /// The user's address.
    pub email: Option<String>,
    /// The user's id.
    pub user_id: Option<String>,
    /// The outcome; `not_sent` if there is none yet.
    pub outcome: &'static str,
    /// The HTTP status of the response.
    pub status: Option<u16>,
    /// The request id that the service returned.
    pub request_id: Option<String>,
    /// The time from the request to the response, in milliseconds.
    pub latency_ms: Option<u64>,
    /// Whether the verification found the change in place.
    pub verified: Option<bool>,
    /// The source of the change, as FILE:LINE.
    pub origin: Option<String>,
    /// What went wrong.
    pub error: Option<String>,
    /// The right, with the last use of a key.
    pub right: Option<String>,
}

/// The columns of [`csv()`], in order.
pub const COLUMNS: [&str; 14] = [
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
    "right",
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
        group_id = match (group.and_then(|group| group.id.as_ref()), made) {
            _ if group.is_none() => None,
            (Some(id), _) => Some(id.to_string()),
            (None, Some(made)) => Some(made),
            // The operation before this one creates the group.
            (None, None) if !operation.is(Effect::Create) => group_id,
            (None, None) => None,
        };
        rows.push(ReportRow {
            operation: Some(number),
            action: operation.action(),
            group: group.map(|group| group.name.clone()).unwrap_or_default(),
            group_id: group_id.clone(),
            email: operation.email().map(str::to_owned),
            user_id: operation.user_id().map(ToString::to_string),
            outcome: result.map_or("not_sent", |result| result.outcome.as_str()),
            status: result.and_then(|result| result.status),
            request_id: result.and_then(|result| result.request_id.clone()),
            latency_ms: result.filter(|result| result.status.is_some()).map(|result| result.latency_ms),
            verified: verification.and_then(|verification| verification.holds.get(&number).copied()),
            origin: operation
                .origin
                .position
                .as_ref()
                .map(|position| format!("{}:{}", position.file, position.line)),
            error: result.and_then(|result| result.error.clone()),
            right: operation.right().map(described),
        });
    }
    rows.extend(rows_without_operation(plan));
    rows.extend(plan.kept.iter().map(kept_row));
    rows
}

/// A right, with the last use of a key.
fn described(right: &Right) -> String {
    match right.last_use() {
        Some(last_use) => format!("{right}, {last_use}"),
        None => right.to_string(),
    }
}

/// The row of something that the plan leaves.
fn kept_row(kept: &Kept) -> ReportRow {
    ReportRow {
        operation: None,
        action: "none",
        group: String::new(),
        group_id: None,
        email: kept.who.clone(),
        user_id: None,
        outcome: "kept",
        status: None,
        request_id: None,
        latency_ms: None,
        verified: None,
        origin: None,
        error: Some(kept.to_string()),
        right: Some(kept.what.clone()),
    }
}

/// The outcome of operations that would be sent, before the plan is applied.
const PLANNED: &str = "planned";

/// The rows without an operation: unmatched users, memberships that already exist, and rows of blocked groups.
fn rows_without_operation(plan: &Plan) -> Vec<ReportRow> {
    let mut rows = Vec::new();
    for group in &plan.groups {
        let reason = group.blocks.first().map(|block| block.message.clone());
        let row = |who: &str, user_id: Option<String>, origin: &Origin, outcome, error| ReportRow {
            operation: None,
            action: "none",
            group: group.name.clone(),
            group_id: group.id.as_ref().map(ToString::to_string),
            email: Some(who.to_owned()),
            user_id,
            outcome,
            status: None,
            request_id: None,
            latency_ms: None,
            verified: None,
            origin: origin.position.as_ref().map(|position| format!("{}:{}", position.file, position.line)),
            error,
            right: None,
        };
        for one in &group.unresolved {
            let outcome = if one.invited { "invited" } else { "not_found" };
            rows.push(row(&one.who, None, &one.origin, outcome, Some(one.problem.clone())));
        }
        for one in &group.rows {
            let (outcome, error) = if one.holds { ("already", None) } else { ("blocked", reason.clone()) };
            let user_id = one.user_id.as_ref().map(ToString::to_string);
            rows.push(row(&one.who, user_id, &one.origin, outcome, error));
        }
    }
    rows
}

/// The rows of a plan that is not applied yet.
pub fn planned_rows(plan: &Plan, approval: &Approval) -> Vec<ReportRow> {
    let start = Start::of(plan, approval);
    let mut rows = rows(plan, &BTreeMap::new(), None);
    for row in &mut rows {
        let Some(number) = row.operation else { continue };
        match start.settled.get(&number) {
            Some(settled) => {
                row.outcome = settled.outcome.as_str();
                row.error.clone_from(&settled.reason);
            }
            None => row.outcome = PLANNED,
        }
    }
    rows
}

/// One row of a plan, for spreadsheets.
#[derive(Clone, Debug, Serialize)]
pub struct PlanRow {
    /// The group's name; empty for an operation on a right.
    pub group: String,
    /// The name of the action; `not_found`, `invited`, `already`, `blocked` or `kept` for a row without an operation.
    pub action: &'static str,
    /// The user's address, if there is one.
    pub email: Option<String>,
    /// The user's id.
    pub user_id: Option<String>,
    /// Why the row is blocked, held or not found.
    pub reason: Option<String>,
    /// The source of the row, as FILE:LINE.
    pub line: Option<String>,
    /// The right, with the last use of a key.
    pub right: Option<String>,
}

/// The fields of [`PlanRow`], in order.
pub const PLAN_COLUMNS: [&str; 7] = ["group", "action", "email", "user_id", "reason", "line", "right"];

/// The rows of a plan: operations, unmatched users and blocked groups.
pub fn plan_rows(plan: &Plan) -> Vec<PlanRow> {
    let mut rows: Vec<PlanRow> = planned_rows(plan, &Approval::None)
        .into_iter()
        .map(|row| PlanRow {
            action: if row.operation.is_some() { row.action } else { row.outcome },
            reason: row.error,
            group: row.group,
            email: row.email,
            user_id: row.user_id,
            line: row.origin,
            right: row.right,
        })
        .collect();
    let blocks = plan.groups.iter().flat_map(|group| {
        group.blocks.iter().map(|block| PlanRow {
            group: group.name.clone(),
            action: "blocked",
            email: None,
            user_id: None,
            reason: Some(block.message.clone()),
            line: group.position.as_ref().map(ToString::to_string),
            right: None,
        })
    });
    rows.extend(blocks);
    rows
}

/// The rows as CSV with a heading.
///
/// # Errors
///
/// Only if the CSV library fails.
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
