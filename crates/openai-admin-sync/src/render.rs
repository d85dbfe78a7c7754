//! Plans for people: as a table, as Markdown, and as annotations of a pull request.
//!
//! Pure: a plan in, text out.

mod github;
mod markdown;
mod table;

use crate::{
    guard::{Approval, Standing, blocked_removals, standings},
    plan::{Action, GroupPlan, Operation, Plan, UnknownPolicy, Why},
    visible::visible,
};

pub use self::{
    github::{annotations, fault_annotations},
    markdown::markdown,
    table::table,
};

/// How many rows of one group people see; programs get all of them as JSON.
pub const ROWS_SHOWN_MAX: usize = 200;

/// How many additions, and how many removals, of a blocked group people see: enough to tell what went wrong.
pub const BLOCKED_ROWS_SHOWN_MAX: usize = 20;

/// What is said beside the plan itself.
#[derive(Clone, Debug, Default)]
pub struct Notes {
    /// The pace of writes in requests per minute, if it is known, and whether it was learned or set.
    pub pace: Option<(f64, &'static str)>,
    /// The command that applies it.
    pub apply: Option<String>,
    /// Colours, for terminals.
    pub color: bool,
}

/// What a plan comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Groups that are created.
    pub creations: usize,
    /// Groups that are renamed.
    pub renamings: usize,
    /// Users who are added.
    pub additions: usize,
    /// Users who are removed.
    pub removals: usize,
    /// Operations that a rule blocks, or that wait for one.
    pub blocked: usize,
    /// Users who could not be found.
    pub unresolved: usize,
    /// Groups that could not be read.
    pub unreadable: usize,
    /// Groups that are left alone.
    pub skipped: usize,
    /// Groups with a rule that blocks them.
    pub blocked_groups: usize,
}

impl Summary {
    /// Counts.
    pub fn of(plan: &Plan, approval: &Approval) -> Self {
        let mut summary = Self::default();
        for ((_, operation), standing) in plan.operations().zip(standings(plan, approval)) {
            let counter = match (&operation.action, standing) {
                (_, Standing::Blocked | Standing::Protected | Standing::Held(_)) => &mut summary.blocked,
                (Action::CreateGroup { .. }, Standing::Goes) => &mut summary.creations,
                (Action::RenameGroup { .. }, Standing::Goes) => &mut summary.renamings,
                (Action::AddUser { .. }, Standing::Goes) => &mut summary.additions,
                (Action::RemoveUser { .. }, Standing::Goes) => &mut summary.removals,
            };
            *counter += 1;
        }
        for group in &plan.groups {
            summary.unresolved += group.unresolved.len();
            summary.unreadable += usize::from(group.is_unreadable());
            summary.skipped += usize::from(group.skipped.is_some());
            summary.blocked_groups += usize::from(!group.blocks.is_empty());
        }
        summary
    }

    /// How many requests would write.
    pub fn writes(&self) -> usize {
        self.creations + self.renamings + self.additions + self.removals
    }

    /// Whether anything differs.
    pub fn is_empty(&self) -> bool {
        self.writes() + self.blocked == 0
    }

    /// The last line: what a plan comes to.
    fn line(&self, plan: &Plan, notes: &Notes) -> String {
        let part = |number: usize, what: &str| (number > 0).then(|| format!("{number} {what}"));
        let mut parts: Vec<String> = [
            part(self.creations, "to create"),
            part(self.renamings, "to rename"),
            part(self.additions, "to add"),
            part(self.removals, "to remove"),
            part(self.blocked, "blocked"),
            part(self.unresolved, "not found"),
            part(
                self.unreadable,
                if self.unreadable == 1 { "group unreadable" } else { "groups unreadable" },
            ),
        ]
        .into_iter()
        .flatten()
        .collect();
        if parts.is_empty() {
            parts.push(format!("nothing to do, {} as wished for", groups(plan.groups.len())));
        }
        let mut line = format!("Plan: {}", parts.join(", "));
        if self.writes() > 0 {
            let noun = if self.writes() == 1 { "write" } else { "writes" };
            line += &format!(" · {} {noun}", self.writes());
            if let Some((rpm, known)) = notes.pace {
                let seconds = self.writes() as f64 * 60.0 / rpm.max(f64::EPSILON);
                line += &format!(", about {} at {}/min ({known})", duration(seconds), round(rpm));
            }
        }
        line
    }
}

fn groups(number: usize) -> String {
    if number == 1 { "1 group is".to_owned() } else { format!("{number} groups are") }
}

fn round(number: f64) -> String {
    if number >= 10.0 || (number - number.round()).abs() < 0.05 {
        format!("{number:.0}")
    } else {
        format!("{number:.1}")
    }
}

fn duration(seconds: f64) -> String {
    match seconds {
        seconds if seconds < 90.0 => format!("{:.0} s", seconds.max(1.0)),
        seconds if seconds < 90.0 * 60.0 => format!("{:.0} min", seconds / 60.0),
        seconds => format!("{:.1} h", seconds / 3600.0),
    }
}

/// What would accept the limits.
fn acceptance(plan: &Plan) -> Option<String> {
    let blocked = blocked_removals(plan);
    (blocked > 0).then(|| format!("to accept the block: --allow-removals {blocked}"))
}

/// A row of the plan, in its columns.
struct Row {
    sign: char,
    who: String,
    id: String,
    why: String,
    place: String,
}

/// The rows of a group that are shown, and how many are not. Of a blocked one the removals come first: they are what
/// whoever accepts the block accepts.
fn rows_shown(group: &GroupPlan, standings: &[Standing], is_blocked: bool) -> (Vec<Row>, usize) {
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

fn row(operation: &Operation, standing: &Standing) -> Option<Row> {
    let sign = match operation.action {
        Action::AddUser { .. } => '+',
        Action::RemoveUser { .. } => '-',
        Action::CreateGroup { .. } | Action::RenameGroup { .. } => return None,
    };
    let id = operation.action.user_id().map(ToString::to_string).unwrap_or_default();
    let who = operation.action.email().map_or_else(|| id.clone(), str::to_owned);
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

fn reasons(operation: &Operation) -> Vec<String> {
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
fn shortened(id: &str) -> String {
    const SHOWN: usize = 13;
    if id.chars().count() <= SHOWN + 3 {
        return visible(id);
    }
    visible(&id.chars().take(SHOWN).collect::<String>()) + "…"
}

/// What stands under a group: a name that it may be a slip of, blocks, people who were not found, and removals that wait for them.
fn remarks(group: &GroupPlan, policy: UnknownPolicy) -> Vec<String> {
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
fn similar(group: &GroupPlan) -> Option<String> {
    let similar = group.similar.as_deref()?;
    Some(format!(
        "new: did you mean '{0}', which is there? Then write that name, or `previously: [{0}]` to rename it",
        visible(similar)
    ))
}

/// Groups that people need to see: those that change, are blocked, or have a fault.
fn is_shown(group: &GroupPlan) -> bool {
    !group.operations.is_empty() || !group.blocks.is_empty() || !group.unresolved.is_empty()
}

/// What is said of groups that are left alone.
fn skipped(plan: &Plan) -> Vec<String> {
    let skipped = plan.groups.iter().filter_map(|group| Some((group, group.skipped?)));
    skipped
        .map(|(group, skip)| format!("{} is left alone: {}", visible(&group.name), skip.as_str()))
        .collect()
}
