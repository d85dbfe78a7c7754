//! A plan for pull requests: a heading and a table for each group.

use std::fmt::Write as _;

use super::rows::{
    Notes, ROWS_SHOWN_MAX, Row, acceptance, is_shown, kept, plan_line, remarks, rights, rows_shown, skipped,
};
use crate::{
    input::visible::visible,
    plan::{
        document::Plan,
        guard::{Approval, decisions},
        operation::{Effect, Target},
    },
    render::summary::Summary,
};

/// The plan as GitHub Markdown.
pub fn markdown(plan: &Plan, notes: &Notes) -> String {
    let mut text = String::from("## Group memberships\n\n");
    let summary = Summary::of(plan, &Approval::None);
    let _ = writeln!(text, "**{}**\n", plan_line(&summary, plan, notes));
    for block in &plan.blocks {
        let _ = writeln!(text, "> **Blocked**: all removals. {}\n", escaped(&block.message));
    }
    let decisions = decisions(plan, &Approval::None);
    let mut rest = decisions.as_slice();
    for group in &plan.groups {
        let (of_group, after) = rest.split_at(group.operations.len());
        rest = after;
        if !is_shown(group) {
            continue;
        }
        let removals = group.operations.iter().filter(|operation| operation.is(Effect::Revoke)).count();
        let blocked = if group.blocks.is_empty() { "" } else { " · **blocked**" };
        let _ =
            writeln!(text, "### {} (+{} −{removals}){blocked}\n", escaped(&group.name), group.additions());
        for operation in &group.operations {
            match operation.target() {
                Target::Group { before: None, .. } => text.push_str("The group is created.\n\n"),
                Target::Group { before: Some(before), .. } => {
                    let _ = writeln!(text, "Renamed from {}.\n", escaped(before));
                }
                Target::Membership { .. } | Target::Right { .. } => {}
            }
        }
        let remarks = remarks(group, plan.unknown);
        for remark in &remarks {
            let _ = writeln!(text, "- {}", escaped(remark));
        }
        if !remarks.is_empty() {
            text.push('\n');
        }
        let (rows, more) = rows_shown(group, of_group, !group.blocks.is_empty());
        if rows.is_empty() {
            continue;
        }
        text.push_str("| | User | Reason | Source |\n|---|---|---|---|\n");
        for row in &rows {
            text.push_str(&line(row));
        }
        if more > 0 {
            let _ = writeln!(text, "\n… and {more} more.");
        }
        text.push('\n');
    }
    for (title, [additions, removals], rows) in rights(plan, rest) {
        let _ = writeln!(text, "### {} (+{additions} −{removals})\n", escaped(title));
        text.push_str("| | Right | Note | Source |\n|---|---|---|---|\n");
        for row in rows.iter().take(ROWS_SHOWN_MAX) {
            text.push_str(&line(row));
        }
        text.push('\n');
    }
    for line in skipped(plan).iter().chain(&kept(plan)) {
        let _ = writeln!(text, "- {}", escaped(line));
    }
    if let Some(accept) = acceptance(plan) {
        let _ = writeln!(text, "\n{}", escaped(&accept));
    }
    let _ = writeln!(text, "\n`{}`", plan.digest);
    text
}

fn line(row: &Row) -> String {
    let cells = [&row.who, &row.why, &row.position].map(|cell| escaped(cell)).join(" | ");
    let sign = if row.sign == '+' { "➕" } else { "➖" };
    format!("| {sign} | {cells} |\n")
}

/// Escapes the characters that Markdown and HTML interpret.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in visible(text).chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '&' => escaped.push_str("&amp;"),
            '|' | '*' | '_' | '`' | '[' | ']' | '\\' | '#' | '~' => {
                escaped.push('\\');
                escaped.push(c);
            }
            // GitHub would turn an address into a mention.
            '@' => escaped.push_str("&#64;"),
            c => escaped.push(c),
        }
    }
    escaped
}
