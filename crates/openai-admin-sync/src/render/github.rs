//! Annotations for GitHub Actions.

use std::fmt::Write as _;

use super::rows::similar;
use crate::{
    input::{
        input_error::{InputErrors, Position},
        visible::visible,
    },
    plan::{
        document::{Plan, UnknownPolicy},
        group_plan::GroupPlan,
    },
};

/// The most annotations that are written: GitHub shows no more for one step.
const ANNOTATIONS_MAX: usize = 10;

/// The problems of a plan, each at its line of the file.
pub fn annotations(plan: &Plan) -> String {
    let mut lines = Vec::new();
    for group in &plan.groups {
        if let Some(similar) = similar(group) {
            let title = format!("new group {}", group.name);
            lines.push(annotation("warning", group.position.as_ref(), &title, &similar));
        }
        for block in &group.blocks {
            let title = format!("{} is blocked", group.name);
            lines.push(annotation("error", group.position.as_ref(), &title, &block.message));
        }
        lines.extend(unresolved(group, plan.unknown));
    }
    for block in &plan.blocks {
        lines.push(annotation("error", None, "all removals are blocked", &block.message));
    }
    limited(lines)
}

fn unresolved(group: &GroupPlan, policy: UnknownPolicy) -> impl Iterator<Item = String> {
    group.unresolved.iter().map(move |unresolved| {
        let level = match policy {
            UnknownPolicy::Invite if unresolved.invited => "notice",
            UnknownPolicy::Error | UnknownPolicy::Invite => "error",
            UnknownPolicy::Skip => "warning",
        };
        let message = format!("{}: {}", unresolved.who, unresolved.problem);
        annotation(
            level,
            unresolved.origin.position.as_ref(),
            &format!("not added to {}", group.name),
            &message,
        )
    })
}

/// The errors of the input, each at its line.
pub fn error_annotations(errors: &InputErrors) -> String {
    let error = |error: &crate::input::input_error::InputError| {
        let hint = error.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
        annotation("error", error.position.as_ref(), "invalid input", &format!("{}{hint}", error.message))
    };
    limited(errors.0.iter().map(error).collect())
}

fn limited(lines: Vec<String>) -> String {
    let mut text = String::new();
    for line in lines.iter().take(ANNOTATIONS_MAX) {
        let _ = writeln!(text, "{line}");
    }
    text
}

fn annotation(level: &str, position: Option<&Position>, title: &str, message: &str) -> String {
    let position = position.map(|position| {
        let column = position.column.map(|column| format!(",col={column}")).unwrap_or_default();
        format!("file={},line={}{column},", property(&visible(&position.file)), position.line)
    });
    let title = property(&visible(title));
    format!("::{level} {}title={title}::{}", position.unwrap_or_default(), data(&visible(message)))
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
