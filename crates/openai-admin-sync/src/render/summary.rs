//! The counts of a plan or of its run. Summary lines and exit codes are both made from them.
//!
//! Pure. The counts include everything that was not compared, not found or not applied, so that no summary line hides
//! it.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    input::visible::visible,
    plan::{
        document::{Plan, UnknownPolicy},
        group_plan::{Block, GroupPlan},
        guard::{Approval, Decision, decisions},
        operation::{Effect, Operation},
        right::{KeptReason, Right},
    },
    run::{
        journal::{OperationResult, Outcome},
        verify::Verification,
    },
};

/// The state of groups that do not exist or have an ambiguous name.
const NOT_MATCHED: &str = "not matched";
/// The most names in one line; the line gives the number of the others.
const NAMED_MAX: usize = 5;

/// The counts of a plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Groups to create.
    pub creations: usize,
    /// Groups to rename.
    pub renamings: usize,
    /// Users to add.
    pub additions: usize,
    /// Users to remove.
    pub removals: usize,
    /// People to invite.
    pub invites: usize,
    /// Rights to give.
    pub rights_granted: usize,
    /// Rights and invites to end.
    pub rights_ended: usize,
    /// Blocked operations, with those that wait for a blocked one.
    pub blocked: usize,
    /// Blocked removals of protected users.
    pub protected: usize,
    /// Addresses and ids that match no user and have no invite.
    pub unresolved: usize,
    /// Memberships of people who have not accepted their invite.
    pub invited: usize,
    /// What the plan leaves although its purpose would change it, without what could not be read.
    pub kept: usize,
    /// What could not be read.
    pub not_read: usize,
    /// Groups that could not be read.
    pub unreadable: usize,
    /// Groups that do not exist or have an ambiguous name.
    pub missing: usize,
    /// Rows of an imported table that are not applied, because their group does not exist or has an ambiguous name.
    pub missing_rows: usize,
    /// Skipped groups.
    pub skipped: usize,
    /// Skipped groups whose members differ from the input.
    pub left_out: usize,
    /// Groups with at least one block.
    pub blocked_groups: usize,
    /// Groups that match the input.
    pub unchanged: usize,
    /// Whether an unmatched address is an error.
    pub unknown_is_error: bool,
    /// Whether a limit blocks all removals.
    pub all_removals_blocked: bool,
}

/// The result of a plan that is not applied yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The plan is complete, and nothing blocks it.
    Clean,
    /// An address matches no user, or a group could not be read.
    Incomplete,
    /// A limit, a protection or an identity provider blocks something.
    Blocked,
    /// A group does not exist, or its name is ambiguous.
    NotFound,
}

impl Summary {
    /// Counts the operations and groups of a plan.
    pub fn of(plan: &Plan, approval: &Approval) -> Self {
        let mut summary = Self {
            unknown_is_error: plan.unknown != UnknownPolicy::Skip,
            all_removals_blocked: !plan.blocks.is_empty() && *approval == Approval::None,
            ..Self::default()
        };
        for ((_, operation), decision) in plan.operations().zip(decisions(plan, approval)) {
            summary.protected += usize::from(decision == Decision::Protected);
            let counter = match (operation.effect(), operation.right(), decision) {
                (_, _, Decision::Blocked | Decision::Protected | Decision::Held(_)) => &mut summary.blocked,
                (Effect::Create, ..) => &mut summary.creations,
                (Effect::Rename, ..) => &mut summary.renamings,
                (Effect::Grant, None, _) => &mut summary.additions,
                (Effect::Revoke, None, _) => &mut summary.removals,
                (Effect::Grant, Some(Right::Invite { .. }), _) => &mut summary.invites,
                (Effect::Grant, Some(_), _) => &mut summary.rights_granted,
                (Effect::Revoke, Some(_), _) => &mut summary.rights_ended,
            };
            *counter += 1;
        }
        let open = plan.kept.iter().filter(|kept| kept.is_open());
        for kept in open {
            match kept.reason {
                KeptReason::NotRead => summary.not_read += 1,
                _ => summary.kept += 1,
            }
        }
        for group in &plan.groups {
            summary.group(group, approval);
        }
        summary
    }

    fn group(&mut self, group: &GroupPlan, approval: &Approval) {
        let invited = group.unresolved.iter().filter(|one| one.invited).count();
        self.invited += invited;
        self.unresolved += group.unresolved.len() - invited;
        self.unreadable += usize::from(group.is_unreadable());
        self.missing += usize::from(group.is_unknown());
        if group.is_unknown() {
            self.missing_rows += group.rows.iter().filter(|row| !row.holds).count();
        }
        self.skipped += usize::from(group.skipped.is_some());
        self.left_out += usize::from(group.left_out > 0);
        self.blocked_groups += usize::from(group.blocks.iter().any(|block| !is_accepted(block, approval)));
        let is_unchanged = group.operations.is_empty()
            && group.blocks.is_empty()
            && group.unresolved.is_empty()
            && group.left_out == 0;
        self.unchanged += usize::from(is_unchanged);
    }

    /// The number of requests that write.
    pub fn writes(&self) -> usize {
        let of_groups = self.creations + self.renamings + self.additions + self.removals;
        of_groups + self.invites + self.rights_granted + self.rights_ended
    }

    /// Whether the plan has no operation.
    pub fn is_empty(&self) -> bool {
        self.writes() + self.blocked == 0
    }

    /// The result of the plan before it is applied.
    pub fn verdict(&self) -> Verdict {
        let other_blocks = self.blocked_groups.saturating_sub(self.missing + self.unreadable);
        match () {
            () if self.unreadable + self.not_read > 0 || (self.unresolved > 0 && self.unknown_is_error) => {
                Verdict::Incomplete
            }
            () if other_blocks + self.protected + self.kept > 0 || self.all_removals_blocked => {
                Verdict::Blocked
            }
            () if self.missing > 0 => Verdict::NotFound,
            () => Verdict::Clean,
        }
    }

    /// The summary line of the plan.
    pub fn line(&self, plan: &Plan) -> String {
        let mut parts = parts(&[
            (self.creations, "to create"),
            (self.renamings, "to rename"),
            (self.additions, "to add"),
            (self.removals, "to remove"),
            (self.invites, "to invite"),
            (self.rights_granted, if self.rights_granted == 1 { "right to give" } else { "rights to give" }),
            (self.rights_ended, if self.rights_ended == 1 { "right to end" } else { "rights to end" }),
            (self.blocked, "blocked"),
        ]);
        let has_no_operation = parts.is_empty();
        parts.extend(self.not_compared());
        if has_no_operation && parts.is_empty() {
            return format!("No changes. {} up to date.", groups_are(plan.groups.len()));
        }
        if has_no_operation {
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

    /// The parts of the summary line about what could not be compared or changed.
    fn not_compared(&self) -> Vec<String> {
        let managed = self.left_out;
        let other_blocks = self.blocked_groups.saturating_sub(self.missing + self.unreadable);
        let mut parts = parts(&[
            (self.unresolved, "not found"),
            (self.invited, "waiting for an invite"),
            (self.kept, "kept"),
            (self.not_read, "not read"),
        ]);
        let kinds = [
            (self.missing, NOT_MATCHED),
            (self.unreadable, "unreadable"),
            (managed, "managed elsewhere"),
            (if self.blocked == 0 { other_blocks.saturating_sub(managed) } else { 0 }, "blocked"),
        ];
        let kinds = kinds.into_iter().filter(|(number, _)| *number > 0);
        parts.extend(kinds.map(|(number, state)| {
            let rows = match self.missing_rows {
                rows if rows == 0 || state != NOT_MATCHED => String::new(),
                1 => " (1 row)".to_owned(),
                rows => format!(" ({rows} rows)"),
            };
            format!("{} {state}{rows}", groups(number))
        }));
        parts
    }
}

/// The summary of a run.
#[derive(Debug)]
pub struct RunSummary {
    /// The number of operations by outcome.
    outcomes: BTreeMap<&'static str, usize>,
    not_sent: usize,
    verified: Verified,
    /// What was not applied, each with its reason.
    pub not_done: Vec<String>,
}

#[derive(Debug)]
enum Verified {
    No,
    Holds,
    Differs(Vec<String>),
}

impl RunSummary {
    /// Counts the results of a run.
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
                Outcome::NoChange => "already done",
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

    /// The summary line of the run.
    pub fn line(&self) -> String {
        let in_order = ["done", "already done", "failed", "unknown", "held", "blocked"];
        let mut numbers: Vec<(usize, &str)> = in_order
            .into_iter()
            .map(|name| (self.outcomes.get(name).copied().unwrap_or_default(), name))
            .collect();
        numbers.push((self.not_sent, "not sent"));
        let is_all = parts(&numbers).len() == 1;
        let done = &mut numbers[0];
        done.1 = match (&self.verified, is_all, done.0) {
            (Verified::Holds, true, 1) => "change applied and verified",
            (Verified::Holds, true, _) => "changes applied and verified",
            (Verified::Holds, false, _) => "applied and verified",
            _ => "applied",
        };
        let has_applied = done.0 > 0;
        let mut line = parts(&numbers).join(", ");
        match &self.verified {
            Verified::No => line += "; not verified: the groups could not be read",
            Verified::Holds if has_applied => {}
            Verified::Holds => line += "; verified",
            Verified::Differs(groups) => {
                line += &format!("; verification failed: differences in {}", visible(&named(groups)));
            }
        }
        line
    }

    /// What was not applied, in one line; `None` if everything was.
    pub fn not_done_line(&self) -> Option<String> {
        (!self.not_done.is_empty()).then(|| visible(&named(&self.not_done)))
    }
}

fn is_accepted(block: &Block, approval: &Approval) -> bool {
    *approval != Approval::None && block.rule.can_be_accepted()
}

/// What a run of the plan does not apply, group by group, then the rights, with the reason.
pub fn not_done(plan: &Plan, approval: &Approval) -> Vec<String> {
    let mut phrases = Vec::new();
    for group in &plan.groups {
        let block = group.blocks.iter().find(|block| !is_accepted(block, approval));
        if let Some(block) = block {
            phrases.push(format!("'{}' ({})", group.name, block.line()));
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
    let protected = plan.rights.iter().filter(|operation| operation.protected);
    let who: BTreeSet<&str> = protected.filter_map(Operation::who).collect();
    phrases.extend(who.into_iter().map(|who| format!("{who} keeps their rights (protected)")));
    phrases.extend(plan.kept.iter().filter(|kept| kept.is_open()).map(ToString::to_string));
    let unresolved = plan.groups.iter().flat_map(|group| &group.unresolved).filter(|one| !one.invited);
    // An address may be in several groups.
    let mut seen = BTreeSet::new();
    let unresolved: Vec<&str> =
        unresolved.map(|one| one.who.as_str()).filter(|who| seen.insert(*who)).collect();
    if !unresolved.is_empty() {
        phrases.push(format!("not found: {}", named(&unresolved)));
    }
    if !plan.blocks.is_empty() && *approval == Approval::None {
        phrases.push(format!("all removals ({})", plan.blocks[0].message));
    }
    phrases
}

/// [`not_done`] in one line; `None` if the run applies everything.
pub fn not_done_line(plan: &Plan, approval: &Approval) -> Option<String> {
    let phrases = not_done(plan, approval);
    (!phrases.is_empty()).then(|| visible(&named(&phrases)))
}

/// What follows after a run of a plan with invites; `None` without.
pub fn follow_up(plan: &Plan) -> Option<String> {
    let invited = plan.groups.iter().flat_map(|group| &group.unresolved).filter(|one| one.invited);
    let people: BTreeSet<&str> = invited.map(|one| one.who.as_str()).collect();
    match people.len() {
        0 => None,
        1 => Some(
            "1 person is invited: after accepting, run the same command again to add this person".to_owned(),
        ),
        people => Some(format!(
            "{people} people are invited: after they accept, run the same command again to add them"
        )),
    }
}

/// How many changes of a plan cannot be undone, and which; `None` if all can.
pub fn irreversible(plan: &Plan) -> Option<String> {
    let is_final = |operation: &&Operation| {
        operation.is(Effect::Revoke)
            && !operation.protected
            && operation.right().is_some_and(|right| !right.can_return())
    };
    let (mut keys, mut invites, mut memberships) = (0, 0, 0);
    for right in plan.rights.iter().filter(is_final).filter_map(Operation::right) {
        *match right {
            Right::Invite { .. } => &mut invites,
            Right::AdminKey(_) | Right::ProjectKey { .. } => &mut keys,
            _ => &mut memberships,
        } += 1;
    }
    let parts = [
        (keys, "deletes 1 key", format!("deletes {keys} keys")),
        (invites, "deletes 1 invite", format!("deletes {invites} invites")),
        (
            memberships,
            "ends 1 right in the default project",
            format!("ends {memberships} rights in the default project"),
        ),
    ];
    let parts = parts.into_iter().filter(|(number, ..)| *number > 0);
    let parts = parts.map(|(number, one, several)| if number == 1 { one.to_owned() } else { several });
    let parts: Vec<String> = parts.collect();
    (!parts.is_empty()).then(|| format!("Cannot be undone: {}.", parts.join(", ")))
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
    parts.map(|(number, noun)| format!("{number} {noun}")).collect()
}

fn groups(number: usize) -> String {
    if number == 1 { "1 group".to_owned() } else { format!("{number} groups") }
}

fn groups_are(number: usize) -> String {
    if number == 1 { "1 group is".to_owned() } else { format!("{number} groups are") }
}
