//! The parts that every form of a plan shows: the rows and remarks of a group, and the lines about the whole plan.

use crate::{
    input::visible::visible,
    plan::{
        document::{Plan, UnknownPolicy},
        group_plan::GroupPlan,
        guard::{Approval, Decision, blocked_removals, decisions},
        operation::{Effect, Operation, Why},
    },
    render::summary::{Summary, irreversible},
};

/// The most rows of one group that tables show; JSON has all of them.
pub const ROWS_SHOWN_MAX: usize = 200;

/// The most additions, and the most removals, that tables show of a blocked group.
pub const BLOCKED_ROWS_SHOWN_MAX: usize = 20;

/// What a table shows besides the plan.
#[derive(Clone, Debug, Default)]
pub struct Notes {
    /// The rate limit of writes in requests per minute, and its source ("learned" or "set").
    pub pace: Option<(f64, String)>,
    /// The command that applies the plan.
    pub apply: Option<String>,
    /// Whether to use colors.
    pub color: bool,
    /// Whether to show only one line for each group, without the rows of users.
    pub is_summary: bool,
}

/// The summary line, with the estimated duration.
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

/// How to allow the removals that the limits block, and how many other changes are blocked with them.
pub(super) fn acceptance(plan: &Plan) -> Option<String> {
    let blocked = blocked_removals(plan);
    if blocked == 0 {
        return None;
    }
    let is_blocked = |group: &&GroupPlan| !group.is_barred() && !group.blocks.is_empty();
    let additions: usize = plan.groups.iter().filter(is_blocked).map(GroupPlan::additions).sum();
    let held_with = |approval| decisions(plan, &approval).iter().filter(|one| one.is_held()).count();
    let held = held_with(Approval::None).saturating_sub(held_with(Approval::Removals(blocked)));
    let counted =
        [(additions, "addition"), (held, "held removal")].into_iter().filter(|(number, _)| *number > 0);
    let others: Vec<String> = counted
        .map(|(number, what)| if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") })
        .collect();
    let others = match others.is_empty() {
        true => String::new(),
        false => format!("; this also unblocks {}", others.join(" and ")),
    };
    let these = if blocked == 1 { "this removal".to_owned() } else { format!("these {blocked} removals") };
    Some(format!("to allow {these}, pass --allow-removals {blocked}{others}"))
}

/// A row of the table of a group.
pub(super) struct Row {
    pub(super) sign: char,
    pub(super) who: String,
    pub(super) why: String,
    pub(super) position: String,
}

/// The rows to show of a group, and the number of hidden rows. Removals come first in a blocked group, because they are
/// what the caller allows.
pub(super) fn rows_shown(group: &GroupPlan, decisions: &[Decision], is_blocked: bool) -> (Vec<Row>, usize) {
    let rows =
        group.operations.iter().zip(decisions).filter_map(|(operation, decision)| row(operation, decision));
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

pub(super) fn row(operation: &Operation, decision: &Decision) -> Option<Row> {
    let id = operation.user_id()?;
    // An address names the user, so the id is shown only without one.
    let who = operation.email().unwrap_or(id.as_str()).to_owned();
    let sign = if operation.is(Effect::Revoke) { '-' } else { '+' };
    let mut why = reasons(operation);
    match decision {
        Decision::Protected => why.push("PROTECTED: not removed".to_owned()),
        Decision::Held(reason) => why.push(format!("HELD: {reason}")),
        Decision::Allowed | Decision::Blocked => {}
    }
    Some(Row { sign, who, why: why.join("  "), position: position(operation) })
}

/// Where the input requests an operation; empty if it does not.
fn position(operation: &Operation) -> String {
    let position = operation.origin.position.as_ref();
    position.map(|position| format!("{}:{}", position.file, position.line)).unwrap_or_default()
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

/// The beginning of an id, enough to recognize it.
pub(super) fn shortened(id: &str) -> String {
    const SHOWN: usize = 13;
    if id.chars().count() <= SHOWN + 3 {
        return visible(id);
    }
    visible(&id.chars().take(SHOWN).collect::<String>()) + "…"
}

/// The lines below a group: a similar name, blocks, unmatched users, and removals that are kept back because of them.
pub(super) fn remarks(group: &GroupPlan, policy: UnknownPolicy) -> Vec<String> {
    let mut remarks: Vec<String> = similar(group).into_iter().collect();
    let blocks = group.blocks.iter();
    remarks.extend(blocks.map(|block| visible(&block.line())));
    for unresolved in &group.unresolved {
        let position = unresolved
            .origin
            .position
            .as_ref()
            .map(|position| format!("  {}:{}", position.file, position.line));
        let position = position.unwrap_or_default();
        let sign = if unresolved.invited { '~' } else { '?' };
        remarks.push(format!("{sign} {}  {}{position}", visible(&unresolved.who), unresolved.problem));
    }
    if group.frozen_removals > 0 {
        let members = match group.frozen_removals {
            1 => "1 member who is".to_owned(),
            number => format!("{number} members who are"),
        };
        let skip_too = match policy {
            UnknownPolicy::Error => "",
            UnknownPolicy::Skip => " --unknown skip keeps them too.",
            UnknownPolicy::Invite => " --unknown invite keeps them too.",
        };
        remarks.push(format!(
            "Kept {members} not in the file, because an unmatched address may be theirs.{skip_too} \
            Fix or remove the lines marked \"?\" to remove them."
        ));
    }
    remarks
}

/// The rights that change, of each person and of all invited ones: a title, the additions and removals, and the rows.
pub(super) fn rights<'a>(plan: &'a Plan, decisions: &[Decision]) -> Vec<(&'a str, [usize; 2], Vec<Row>)> {
    let mut people: Vec<(&str, [usize; 2], Vec<Row>)> = Vec::new();
    for (operation, decision) in plan.rights.iter().zip(decisions) {
        let Some(row) = right_row(operation, decision) else { continue };
        let who = match operation.user_id() {
            Some(_) => operation.who().unwrap_or_default(),
            None => INVITES,
        };
        let index = people.iter().position(|(title, ..)| *title == who).unwrap_or(people.len());
        if index == people.len() {
            people.push((who, [0; 2], Vec::new()));
        }
        let (_, counts, rows) = &mut people[index];
        counts[usize::from(operation.is(Effect::Revoke))] += 1;
        rows.push(row);
    }
    people
}

/// The title of the invites of a plan.
const INVITES: &str = "Invites";

/// The row of an operation on a right. A person is named by the title, and an invited one by the row.
fn right_row(operation: &Operation, decision: &Decision) -> Option<Row> {
    let right = operation.right()?;
    let sign = if operation.is(Effect::Revoke) { '-' } else { '+' };
    let who = match operation.user_id() {
        Some(_) => right.to_string(),
        None => format!("{} ({right})", operation.email().unwrap_or_default()),
    };
    let mut why: Vec<String> = right.last_use().into_iter().collect();
    if operation.is(Effect::Revoke) && !right.can_return() {
        why.push("cannot be undone".to_owned());
    }
    if *decision == Decision::Protected {
        why.push("PROTECTED: stays".to_owned());
    }
    Some(Row { sign, who, why: why.join(", "), position: position(operation) })
}

/// The lines about what a plan leaves, and about what cannot be undone.
pub(super) fn kept(plan: &Plan) -> Vec<String> {
    let kept = plan.kept.iter().map(|kept| visible(&kept.to_string()));
    kept.chain(irreversible(plan)).collect()
}

/// A warning for a new group whose name is almost that of an existing group.
pub(super) fn similar(group: &GroupPlan) -> Option<String> {
    let similar = group.similar.as_deref()?;
    Some(format!(
        "new group: did you mean the existing group '{0}'? Use that name, or add `previously: [{0}]` to rename it",
        visible(similar)
    ))
}

/// Whether a group has something to show: changes, blocks or unmatched users.
pub(super) fn is_shown(group: &GroupPlan) -> bool {
    !group.operations.is_empty() || !group.blocks.is_empty() || !group.unresolved.is_empty()
}

/// A line for each skipped group.
pub(super) fn skipped(plan: &Plan) -> Vec<String> {
    let skipped = plan.groups.iter().filter_map(|group| Some((group, group.skipped?)));
    skipped
        .filter(|(group, _)| group.blocks.is_empty())
        .map(|(group, skip)| {
            let differs = if group.left_out > 0 { "; its members differ from the input" } else { "" };
            format!("{} skipped: {}{differs}", visible(&group.name), skip.as_str())
        })
        .collect()
}
