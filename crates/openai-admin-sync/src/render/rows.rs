//! What each form of a plan shows: the rows of a group, its remarks, and the lines about all of them.

use crate::{
    input::visible::visible,
    plan::{
        document::{Plan, UnknownPolicy},
        group_plan::GroupPlan,
        guard::{Standing, blocked_removals},
        operation::{Effect, Operation, Why},
    },
    render::summary::Summary,
};

/// How many rows of one group people see; programs get all of them as JSON.
pub const ROWS_SHOWN_MAX: usize = 200;

/// How many additions, and how many removals, of a blocked group people see: enough to tell what went wrong.
pub const BLOCKED_ROWS_SHOWN_MAX: usize = 20;

/// What is said beside the plan itself.
#[derive(Clone, Debug, Default)]
pub struct Notes {
    /// The pace of writes in requests per minute, if it is known, and whether it was learned or set.
    pub pace: Option<(f64, String)>,
    /// The command that applies it.
    pub apply: Option<String>,
    /// Colours, for terminals.
    pub color: bool,
}

/// The last line: what a plan comes to.
pub(super) fn plan_line(summary: &Summary, plan: &Plan, notes: &Notes) -> String {
    let mut line = summary.line(plan);
    if summary.writes() > 0
        && let Some((rpm, known)) = &notes.pace
    {
        let seconds = summary.writes() as f64 * 60.0 / rpm.max(f64::EPSILON);
        line += &format!(", about {} at {}/min ({known})", duration(seconds), round(*rpm));
    }
    line
}

pub(super) fn round(number: f64) -> String {
    if number >= 10.0 || (number - number.round()).abs() < 0.05 {
        format!("{number:.0}")
    } else {
        format!("{number:.1}")
    }
}

pub(super) fn duration(seconds: f64) -> String {
    match seconds {
        seconds if seconds < 90.0 => format!("{:.0} s", seconds.max(1.0)),
        seconds if seconds < 90.0 * 60.0 => format!("{:.0} min", seconds / 60.0),
        seconds => format!("{:.1} h", seconds / 3600.0),
    }
}

/// What would accept the limits, and what waits with the removals.
pub(super) fn acceptance(plan: &Plan) -> Option<String> {
    let blocked = blocked_removals(plan);
    let is_waiting = |group: &&GroupPlan| !group.is_barred() && !group.blocks.is_empty();
    let additions: usize = plan.groups.iter().filter(is_waiting).map(GroupPlan::additions).sum();
    let waiting = match additions {
        0 => String::new(),
        1 => " (1 addition waits for it as well)".to_owned(),
        _ => format!(" ({additions} additions wait for it as well)"),
    };
    (blocked > 0).then(|| format!("to accept the block: --allow-removals {blocked}{waiting}"))
}

/// A row of the plan, in its columns.
pub(super) struct Row {
    pub(super) sign: char,
    pub(super) who: String,
    pub(super) id: String,
    pub(super) why: String,
    pub(super) place: String,
}

/// The rows of a group that are shown, and how many are not. Of a blocked one the removals come first: they are what
/// whoever accepts the block accepts.
pub(super) fn rows_shown(group: &GroupPlan, standings: &[Standing], is_blocked: bool) -> (Vec<Row>, usize) {
    let rows =
        group.operations.iter().zip(standings).filter_map(|(operation, standing)| row(operation, standing));
    if is_blocked {
        let (removals, additions): (Vec<Row>, Vec<Row>) = rows.partition(|row| row.sign == '-');
        let all = removals.len() + additions.len();
        let part = |rows: Vec<Row>| rows.into_iter().take(BLOCKED_ROWS_SHOWN_MAX);
        let shown: Vec<Row> = part(removals).chain(part(additions)).collect();
        let more = all - shown.len();
        return (shown, more);
    }
    let mut shown: Vec<Row> = rows.collect();
    let more = shown.len().saturating_sub(ROWS_SHOWN_MAX);
    shown.truncate(ROWS_SHOWN_MAX);
    (shown, more)
}

pub(super) fn row(operation: &Operation, standing: &Standing) -> Option<Row> {
    let id = operation.user_id()?.to_string();
    let who = operation.email().map_or_else(|| id.clone(), str::to_owned);
    let sign = if operation.is(Effect::Revoke) { '-' } else { '+' };
    let mut why = reasons(operation);
    match standing {
        Standing::Protected => why.push("PROTECTED: stays".to_owned()),
        Standing::Held(reason) => why.push(format!("HELD: {reason}")),
        Standing::Goes | Standing::Blocked => {}
    }
    let place = operation.origin.place.as_ref();
    let place = place.map(|place| format!("{}:{}", place.file, place.line)).unwrap_or_default();
    Some(Row { sign, who, id: shortened(&id), why: why.join("  "), place })
}

pub(super) fn reasons(operation: &Operation) -> Vec<String> {
    let origin = &operation.origin;
    let mut why = Vec::new();
    match operation.why {
        Why::NotListed => why.push("not in the file".to_owned()),
        Why::Undo => why.push("undo".to_owned()),
        Why::Ended => why.extend(origin.until.map(|day| format!("ended {day}"))),
        Why::Listed => {
            why.extend(origin.set.as_ref().map(|set| format!("from set {set}")));
            why.extend(origin.until.map(|day| format!("until {day}")));
        }
    }
    why.extend(origin.reason.clone());
    why.into_iter().map(|text| visible(&text)).collect()
}

/// An id that is recognised by its beginning.
pub(super) fn shortened(id: &str) -> String {
    const SHOWN: usize = 13;
    if id.chars().count() <= SHOWN + 3 {
        return visible(id);
    }
    visible(&id.chars().take(SHOWN).collect::<String>()) + "…"
}

/// What stands under a group: a name that it may be a slip of, blocks, people who were not found, and removals that wait for them.
pub(super) fn remarks(group: &GroupPlan, policy: UnknownPolicy) -> Vec<String> {
    let mut remarks: Vec<String> = similar(group).into_iter().collect();
    let blocks = group.blocks.iter();
    remarks.extend(blocks.map(|block| format!("{}: {}", block.rule.as_str(), visible(&block.message))));
    for unresolved in &group.unresolved {
        let place = unresolved.origin.place.as_ref().map(|place| format!("  {}:{}", place.file, place.line));
        let place = place.unwrap_or_default();
        remarks.push(format!("? {}  {}{place}", visible(&unresolved.who), unresolved.problem));
    }
    if group.frozen_removals > 0 {
        let (who, are) = if group.frozen_removals == 1 { ("1 member", "is") } else { ("members", "are") };
        let number =
            if group.frozen_removals == 1 { String::new() } else { format!("{} ", group.frozen_removals) };
        let still = match policy {
            UnknownPolicy::Error => "",
            UnknownPolicy::Skip => ", also with --unknown skip",
        };
        remarks.push(format!(
            "frozen: {number}{who} not in the file {are} kept: somebody who was not found may be one of them{still}; \
            correct each ? or take it out of the file to let them go"
        ));
    }
    remarks
}

/// What is asked of a group that is created beside one with almost its name.
pub(super) fn similar(group: &GroupPlan) -> Option<String> {
    let similar = group.similar.as_deref()?;
    Some(format!(
        "new: did you mean '{0}', which is there? Then write that name, or `previously: [{0}]` to rename it",
        visible(similar)
    ))
}

/// Groups that people need to see: those that change, are blocked, or have a fault.
pub(super) fn is_shown(group: &GroupPlan) -> bool {
    !group.operations.is_empty() || !group.blocks.is_empty() || !group.unresolved.is_empty()
}

/// What is said of groups that are left alone.
pub(super) fn skipped(plan: &Plan) -> Vec<String> {
    let skipped = plan.groups.iter().filter_map(|group| Some((group, group.skipped?)));
    skipped
        .filter(|(group, _)| group.blocks.is_empty())
        .map(|(group, skip)| {
            let differs = if group.left_out > 0 { "; its members differ from the input" } else { "" };
            format!("{} is left alone: {}{differs}", visible(&group.name), skip.as_str())
        })
        .collect()
}
