//! What a plan, or a run of one, comes to: the one count that closing lines and exit codes are made of.
//!
//! Pure. Whatever was not compared, not found or not done is in it, so that no last line says "done" over it.

use std::collections::BTreeMap;

use crate::{
    input::visible::visible,
    plan::{
        document::{Plan, UnknownPolicy},
        group_plan::{Block, GroupPlan, Rule},
        guard::{Approval, Standing, standings},
        operation::{Effect, Operation},
    },
    run::{
        journal::{OperationResult, Outcome},
        verify::Verification,
    },
};

/// How many things that were not done one line names; the others are counted.
const NAMED_MAX: usize = 5;

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
    /// Of these, removals of users who are protected.
    pub protected: usize,
    /// Users who could not be found.
    pub unresolved: usize,
    /// Groups that could not be read.
    pub unreadable: usize,
    /// Groups that are not there, or of which there are several.
    pub missing: usize,
    /// Groups that are left alone.
    pub skipped: usize,
    /// Groups that are left alone and differ.
    pub left_out: usize,
    /// Groups with any rule that blocks them.
    pub blocked_groups: usize,
    /// Groups that are as the input says.
    pub unchanged: usize,
    /// Whether people who were not found are a failure.
    pub unknown_is_error: bool,
    /// Whether a limit blocks every removal.
    pub all_removals_blocked: bool,
}

/// What a plan means before anything of it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All of it was compared, and may be done.
    Clean,
    /// Somebody was not found, or a group could not be read.
    Incomplete,
    /// A limit, a protection or another manager blocks something.
    Blocked,
    /// A group is not there, or there are several.
    NotFound,
}

impl Summary {
    /// Counts.
    pub fn of(plan: &Plan, approval: &Approval) -> Self {
        let mut summary = Self {
            unknown_is_error: plan.unknown == UnknownPolicy::Error,
            all_removals_blocked: !plan.blocks.is_empty() && *approval == Approval::None,
            ..Self::default()
        };
        for ((_, operation), standing) in plan.operations().zip(standings(plan, approval)) {
            summary.protected += usize::from(standing == Standing::Protected);
            let counter = match (operation.effect(), standing) {
                (_, Standing::Blocked | Standing::Protected | Standing::Held(_)) => &mut summary.blocked,
                (Effect::Create, Standing::Goes) => &mut summary.creations,
                (Effect::Rename, Standing::Goes) => &mut summary.renamings,
                (Effect::Grant, Standing::Goes) => &mut summary.additions,
                (Effect::Revoke, Standing::Goes) => &mut summary.removals,
            };
            *counter += 1;
        }
        for group in &plan.groups {
            summary.group(group, approval);
        }
        summary
    }

    fn group(&mut self, group: &GroupPlan, approval: &Approval) {
        self.unresolved += group.unresolved.len();
        self.unreadable += usize::from(group.is_unreadable());
        self.missing += usize::from(group.is_unknown());
        self.skipped += usize::from(group.skipped.is_some());
        self.left_out += usize::from(group.left_out > 0);
        self.blocked_groups += usize::from(group.blocks.iter().any(|block| !is_accepted(block, approval)));
        let is_unchanged = group.operations.is_empty()
            && group.blocks.is_empty()
            && group.unresolved.is_empty()
            && group.left_out == 0;
        self.unchanged += usize::from(is_unchanged);
    }

    /// How many requests would write.
    pub fn writes(&self) -> usize {
        self.creations + self.renamings + self.additions + self.removals
    }

    /// Whether nothing differs, as far as it was compared.
    pub fn is_empty(&self) -> bool {
        self.writes() + self.blocked == 0
    }

    /// What it means before anything is done.
    pub fn verdict(&self) -> Verdict {
        let other_blocks = self.blocked_groups.saturating_sub(self.missing + self.unreadable);
        match () {
            () if self.unreadable > 0 || (self.unresolved > 0 && self.unknown_is_error) => {
                Verdict::Incomplete
            }
            () if other_blocks > 0 || self.protected > 0 || self.all_removals_blocked => Verdict::Blocked,
            () if self.missing > 0 => Verdict::NotFound,
            () => Verdict::Clean,
        }
    }

    /// The last line: what a plan comes to.
    pub fn line(&self, plan: &Plan) -> String {
        let mut parts = parts(&[
            (self.creations, "to create"),
            (self.renamings, "to rename"),
            (self.additions, "to add"),
            (self.removals, "to remove"),
            (self.blocked, "blocked"),
        ]);
        let nothing_to_do = parts.is_empty();
        parts.extend(self.not_compared());
        if nothing_to_do && parts.is_empty() {
            return format!("No changes. {} up to date.", groups_are(plan.groups.len()));
        }
        if nothing_to_do {
            parts.insert(0, "no changes".to_owned());
            if self.unchanged > 0 {
                parts.push(format!("{} up to date", groups_are(self.unchanged)));
            }
        }
        let line = format!("Plan: {}", parts.join(", "));
        match self.writes() {
            0 => line,
            1 => line + " · 1 write",
            writes => line + &format!(" · {writes} writes"),
        }
    }

    /// What is neither up to date nor to be done.
    fn not_compared(&self) -> Vec<String> {
        let managed = self.left_out;
        let other_blocks = self.blocked_groups.saturating_sub(self.missing + self.unreadable);
        let mut parts = parts(&[(self.unresolved, "not found")]);
        let kinds = [
            (self.missing, "not there"),
            (self.unreadable, "unreadable"),
            (managed, "managed elsewhere"),
            (if self.blocked == 0 { other_blocks.saturating_sub(managed) } else { 0 }, "blocked"),
        ];
        let kinds = kinds.into_iter().filter(|(number, _)| *number > 0);
        parts.extend(kinds.map(|(number, what)| format!("{} {what}", groups(number))));
        parts
    }
}

/// What a run has done of a plan.
#[derive(Debug)]
pub struct Closing {
    /// How often each outcome came.
    outcomes: BTreeMap<&'static str, usize>,
    not_sent: usize,
    verified: Verified,
    /// What was not done, and why: a phrase each.
    pub not_done: Vec<String>,
}

#[derive(Debug)]
enum Verified {
    No,
    Holds,
    Differs(Vec<String>),
}

impl Closing {
    /// Counts what came of a run.
    pub fn of(
        plan: &Plan,
        approval: &Approval,
        results: &BTreeMap<usize, OperationResult>,
        verification: Option<&Verification>,
    ) -> Self {
        let mut outcomes = BTreeMap::new();
        for result in results.values() {
            let name = match result.outcome {
                Outcome::Done | Outcome::FoundDone => "done",
                Outcome::NoChange => "done already",
                other => other.as_str(),
            };
            *outcomes.entry(name).or_default() += 1;
        }
        let verified = match verification {
            None => Verified::No,
            Some(found) if found.is_converged() => Verified::Holds,
            Some(found) => Verified::Differs(found.differing.clone()),
        };
        let not_sent = plan.operation_count().saturating_sub(results.len());
        Self { outcomes, not_sent, verified, not_done: not_done(plan, approval) }
    }

    /// The last line of a run.
    pub fn line(&self) -> String {
        let in_order = ["done", "done already", "failed", "unknown", "held", "blocked"];
        let mut numbers: Vec<(usize, &str)> = in_order
            .into_iter()
            .map(|name| (self.outcomes.get(name).copied().unwrap_or_default(), name))
            .collect();
        numbers.push((self.not_sent, "not sent"));
        let mut line = parts(&numbers).join(", ");
        let rest = if self.not_done.is_empty() { "" } else { ", as far as they were done" };
        match &self.verified {
            Verified::No => line += "; not verified: the groups could not be read again",
            Verified::Holds => line += &format!("; verified: the changes are in place{rest}"),
            Verified::Differs(groups) => {
                line += &format!("; verified: differs in {}", visible(&named(groups)));
            }
        }
        line
    }

    /// What was not done, in one line; none when all of it was.
    pub fn not_done_line(&self) -> Option<String> {
        (!self.not_done.is_empty()).then(|| visible(&named(&self.not_done)))
    }
}

fn is_accepted(block: &Block, approval: &Approval) -> bool {
    *approval != Approval::None && block.rule.can_be_accepted()
}

/// What of a plan is not done, whatever its run does: group by group, with the reason.
pub fn not_done(plan: &Plan, approval: &Approval) -> Vec<String> {
    let mut phrases = Vec::new();
    for group in &plan.groups {
        let block = group.blocks.iter().find(|block| !is_accepted(block, approval));
        if let Some(block) = block {
            let reason = match block.rule {
                Rule::Group | Rule::Unreadable | Rule::Managed => block.message.clone(),
                rule => format!("{}: {}", rule.as_str(), block.message),
            };
            phrases.push(format!("'{}' ({reason})", group.name));
        } else if group.left_out > 0 {
            let reason = group.skipped.map(crate::plan::group_plan::Skip::as_str).unwrap_or_default();
            phrases.push(format!("'{}' ({reason})", group.name));
        }
        let protected = group.operations.iter().filter(|operation| operation.protected);
        let who: Vec<&str> = protected.filter_map(Operation::who).collect();
        if !who.is_empty() && block.is_none() {
            phrases.push(format!("{} stays in '{}' (protected)", named(&who), group.name));
        }
    }
    let unresolved: Vec<&str> =
        plan.groups.iter().flat_map(|group| &group.unresolved).map(|one| one.who.as_str()).collect();
    if !unresolved.is_empty() {
        phrases.push(format!("not found: {}", named(&unresolved)));
    }
    if !plan.blocks.is_empty() && *approval == Approval::None {
        phrases.push(format!("no removal ({})", plan.blocks[0].message));
    }
    phrases
}

/// The same in one line; none when all of it is done.
pub fn not_done_line(plan: &Plan, approval: &Approval) -> Option<String> {
    let phrases = not_done(plan, approval);
    (!phrases.is_empty()).then(|| visible(&named(&phrases)))
}

fn named(names: &[impl AsRef<str>]) -> String {
    let shown: Vec<&str> = names.iter().take(NAMED_MAX).map(AsRef::as_ref).collect();
    match names.len().saturating_sub(NAMED_MAX) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

fn parts(numbers: &[(usize, &str)]) -> Vec<String> {
    let parts = numbers.iter().filter(|(number, _)| *number > 0);
    parts.map(|(number, what)| format!("{number} {what}")).collect()
}

fn groups(number: usize) -> String {
    if number == 1 { "1 group".to_owned() } else { format!("{number} groups") }
}

fn groups_are(number: usize) -> String {
    if number == 1 { "1 group is".to_owned() } else { format!("{number} groups are") }
}
