//! A plan for terminals: each group with its changes, and the reason and source of each change.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr as _;

use super::rows::{
    Notes, ROWS_SHOWN_MAX, Row, acceptance, is_shown, kept, plan_line, remarks, rights, rows_shown,
    shortened, skipped,
};
use crate::{
    input::visible::visible,
    plan::{
        document::{Plan, Purpose, UnknownPolicy},
        group_plan::GroupPlan,
        guard::{Approval, Decision, decisions},
        operation::{Effect, Operation, Target},
    },
    render::summary::Summary,
};

/// The terminal column where the numbers of a group begin.
const NUMBERS_AT: usize = 55;
const GREEN: &str = "32";
const RED: &str = "31";
const YELLOW: &str = "33;1";
const BOLD: &str = "1";

/// The plan as a table.
pub fn table(plan: &Plan, approval: &Approval, notes: &Notes) -> String {
    let mut writing = Writing {
        text: String::new(),
        color: notes.color,
        is_summary: notes.is_summary,
        is_command: matches!(plan.purpose, Purpose::Command { .. }),
    };
    let decisions = decisions(plan, approval);
    let mut rest = decisions.as_slice();
    let mut groups: Vec<(&GroupPlan, &[Decision])> = Vec::new();
    for group in &plan.groups {
        let (of_group, after) = rest.split_at(group.operations.len());
        rest = after;
        if is_shown(group) {
            groups.push((group, of_group));
        }
    }
    // Blocked groups come last, next to the summary, so that a long plan does not hide them.
    groups.sort_by_key(|(group, _)| is_blocked(group, approval));
    for (group, of_group) in groups {
        writing.group(group, of_group, approval, plan.unknown);
    }
    writing.rights(plan, rest);
    for line in skipped(plan) {
        let _ = writeln!(writing.text, "{line}");
    }
    for line in kept(plan) {
        let _ = writeln!(writing.text, "{}", writing.painted(YELLOW, &line));
    }
    for block in &plan.blocks {
        let line = format!("BLOCKED: all removals. {}: {}", block.rule.as_str(), block.message);
        let _ = writeln!(writing.text, "{}", writing.painted(YELLOW, &line));
    }
    let summary = Summary::of(plan, approval);
    let _ = writeln!(writing.text, "{}", writing.painted(BOLD, &plan_line(&summary, plan, notes)));
    let apply = notes.apply.as_ref().filter(|_| summary.writes() > 0);
    let apply = apply.map(|command| format!("to apply: {command}"));
    let accept = acceptance(plan).filter(|_| *approval == Approval::None);
    let hints: Vec<String> = apply.into_iter().chain(accept).collect();
    if !hints.is_empty() {
        let _ = writeln!(writing.text, "{}", hints.join("    "));
    }
    writing.text
}

/// Whether something blocks a group, and the approval does not accept it.
fn is_blocked(group: &GroupPlan, approval: &Approval) -> bool {
    group.blocks.iter().any(|block| *approval == Approval::None || !block.rule.can_be_accepted())
}

struct Writing {
    text: String,
    color: bool,
    is_summary: bool,
    is_command: bool,
}

impl Writing {
    fn painted(&self, color: &str, text: &str) -> String {
        if self.color { format!("\x1b[{color}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn group(
        &mut self,
        group: &GroupPlan,
        decisions: &[Decision],
        approval: &Approval,
        policy: UnknownPolicy,
    ) {
        // A command that changes few members does not count the others.
        let counts_members = !self.is_command || group.member_count > 0;
        let title = title(group, counts_members);
        let is_blocked = is_blocked(group, approval);
        let removals = group.operations.iter().filter(|operation| operation.is(Effect::Revoke)).count();
        let additions = group.additions();
        let numbers = if group.is_unreadable() || (group.operations.is_empty() && group.blocks.is_empty()) {
            String::new()
        } else {
            let kept = match counts_members {
                true => format!("={}", group.member_count.saturating_sub(removals)),
                false => String::new(),
            };
            format!("{:>4} {:>4}  {kept:>3}", format!("+{additions}"), format!("-{removals}"))
        };
        let pad = " ".repeat(NUMBERS_AT.saturating_sub(title.width()).max(2));
        // With rows, each row says so.
        let held = decisions.iter().filter(|one| self.is_summary && one.is_held()).count();
        let end = match (is_blocked, held) {
            (true, _) => format!("    {}", self.painted(YELLOW, "BLOCKED")),
            (false, 0) => String::new(),
            (false, held) => format!("    {}", self.painted(YELLOW, &format!("{held} HELD"))),
        };
        let line = format!("{}{pad}{numbers}{end}", self.painted(BOLD, &title));
        let _ = writeln!(self.text, "{}", line.trim_end());
        for operation in &group.operations {
            if let Some(line) = of_group(operation) {
                let _ = writeln!(self.text, "  {line}");
            }
        }
        for remark in remarks(group, policy) {
            let _ = writeln!(self.text, "  {}", self.painted(YELLOW, &remark));
        }
        if !self.is_summary {
            let (shown, more) = rows_shown(group, decisions, is_blocked);
            self.rows(&shown, more);
        }
    }

    /// The rights of each person, and the invites.
    fn rights(&mut self, plan: &Plan, decisions: &[Decision]) {
        for (title, [additions, removals], mut rows) in rights(plan, decisions) {
            let title = visible(title);
            let pad = " ".repeat(NUMBERS_AT.saturating_sub(title.width()).max(2));
            let numbers = format!("{:>4} {:>4}", format!("+{additions}"), format!("-{removals}"));
            let _ = writeln!(self.text, "{}{pad}{numbers}", self.painted(BOLD, &title));
            if !self.is_summary {
                let more = rows.len().saturating_sub(ROWS_SHOWN_MAX);
                rows.truncate(ROWS_SHOWN_MAX);
                self.rows(&rows, more);
            }
        }
    }

    fn rows(&mut self, shown: &[Row], more: usize) {
        let width = |column: fn(&Row) -> &str| shown.iter().map(|row| column(row).width()).max().unwrap_or(0);
        let (who, why) = (width(|row| &row.who), width(|row| &row.why));
        let padded =
            |text: &str, width: usize| format!("{text}{}", " ".repeat(width.saturating_sub(text.width())));
        for row in shown {
            let line = format!(
                "{} {}  {}  {}",
                row.sign,
                padded(&visible(&row.who), who),
                padded(&row.why, why),
                visible(&row.position)
            );
            let color = if row.sign == '+' { GREEN } else { RED };
            let _ = writeln!(self.text, "  {}", self.painted(color, line.trim_end()));
        }
        if more > 0 {
            let _ = writeln!(self.text, "  … and {more} more (-o json shows all)");
        }
    }
}

fn title(group: &GroupPlan, counts_members: bool) -> String {
    let name = visible(&group.name);
    let members =
        if group.member_count == 1 { "1 member" } else { &format!("{} members", group.member_count) };
    match &group.id {
        Some(id) if group.is_unreadable() || !counts_members => {
            format!("{name} ({})", shortened(id.as_str()))
        }
        Some(id) => format!("{name} ({}, {members})", shortened(id.as_str())),
        None if group.is_created() => format!("{name} (new)"),
        None => name,
    }
}

/// A line for a change of the group itself.
fn of_group(operation: &Operation) -> Option<String> {
    match operation.target() {
        Target::Group { before: None, .. } => Some("created".to_owned()),
        Target::Group { before: Some(before), .. } => Some(format!("renamed from '{}'", visible(before))),
        Target::Membership { .. } | Target::Right { .. } => None,
    }
}
