//! Compares a plan with the current state: operations to send, operations that are already done, and unplanned
//! differences, which make the plan stale.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    fmt,
};

use openai_admin::{GroupId, UserId};

use crate::{
    input::policy::{Protected, Protection},
    plan::{
        document::Plan,
        group_plan::{GroupPlan, Removes},
        guard::{self, Approval, Decision, decisions},
        operation::{Effect, Operation, Progress},
    },
    run::{
        journal::{self, Entry, Line, OperationResult, Outcome},
        rights,
    },
    service::{
        current::{self, CurrentGroup, Members, Snapshot},
        read_error::ReadError,
        reader::Reader,
    },
};

/// The start of a run: the operations to send, and those already settled.
#[derive(Debug, Default)]
pub struct Start {
    /// The operations to send, by number.
    pub todo: Vec<usize>,
    /// The operations that are not sent: already done, blocked or held.
    pub settled: BTreeMap<usize, Settled>,
    /// The results from the earlier part of a resumed run.
    pub kept: BTreeMap<usize, OperationResult>,
    /// The ids of the plan's groups; `None` for groups that do not exist yet.
    pub group_ids: Vec<Option<GroupId>>,
    /// Why the caller must approve the plan by its digest, if it is a saved plan.
    pub needs_digest: Option<String>,
    /// The changes since the plan was made. Any of them makes the plan stale.
    pub differences: Vec<Difference>,
}

/// An operation that is not sent, and the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// The outcome.
    pub outcome: Outcome,
    /// The reason, if it is blocked or held.
    pub reason: Option<String>,
}

/// A change that the plan does not expect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The group's name.
    pub group: String,
    /// The description, for messages.
    pub description: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.group, self.description)
    }
}

impl Start {
    /// The start of a new plan, without a comparison.
    pub fn of(plan: &Plan, approval: &Approval) -> Self {
        let mut start =
            Self { group_ids: plan.groups.iter().map(|group| group.id.clone()).collect(), ..Self::default() };
        for (number, decision) in decisions(plan, approval).into_iter().enumerate() {
            start.set_decision(number, decision);
        }
        start
    }

    fn set_decision(&mut self, number: usize, decision: Decision) {
        let (outcome, reason) = match decision {
            Decision::Allowed => {
                self.todo.push(number);
                return;
            }
            Decision::Blocked => (Outcome::Blocked, "blocked by a limit or a rule".to_owned()),
            Decision::Protected => (Outcome::Blocked, "the user is protected".to_owned()),
            Decision::Held(reason) => (Outcome::Held, reason),
        };
        self.settled.insert(number, Settled { outcome, reason: Some(reason) });
    }

    /// The number of operations that a limit or a rule blocks.
    pub fn blocked(&self) -> usize {
        self.settled.values().filter(|settled| settled.outcome == Outcome::Blocked).count()
    }

    /// The number of operations that are already done.
    pub fn done_already(&self) -> usize {
        self.settled.values().filter(|settled| settled.outcome.is_settled()).count()
    }
}

/// The earlier part of a resumed run.
#[derive(Debug, Default)]
pub struct Earlier {
    /// The journaled results, by operation.
    pub results: BTreeMap<usize, OperationResult>,
    /// The operations with a journaled intent.
    pub intents: BTreeSet<usize>,
    /// The users and groups that the last applied file protects.
    pub protected: Protected,
}

impl Earlier {
    /// The earlier part of the run with this journal.
    pub fn of_journal(lines: &[Line]) -> Self {
        let intents = lines.iter().filter_map(|line| match line.entry {
            Entry::Intent { operation, .. } => Some(operation),
            _ => None,
        });
        Self { results: journal::results(lines), intents: intents.collect(), ..Self::default() }
    }
}

/// Compares the plan with the current state. Reads the list of groups, the members of the groups that the plan changes, and
/// each right that it changes.
///
/// # Errors
///
/// If they cannot be read.
pub async fn compare(
    reader: &Reader,
    plan: &Plan,
    approval: &Approval,
    earlier: &Earlier,
    concurrency: usize,
) -> Result<Start, ReadError> {
    let mut snapshot = current::read_groups(reader).await?;
    current::check_organization(plan.organization.as_ref(), snapshot.organization.as_ref())?;
    let mut comparing = Comparing::new(plan, earlier, decisions(plan, approval));
    let indexes: Vec<Option<usize>> = comparing.find_groups(&snapshot);
    let wanted: Vec<usize> = indexes.iter().copied().flatten().collect();
    current::read_members(reader, &mut snapshot, &wanted, concurrency).await?;
    for (index, found) in indexes.iter().enumerate() {
        if let Some(found) = found {
            comparing.group(index, &snapshot.groups[*found]);
        }
    }
    let open = plan.numbered_rights().filter(|(number, _)| comparing.decisions[*number] == Decision::Allowed);
    let open: Vec<(usize, &Operation)> = open.collect();
    let existing = rights::existing(reader, &open, concurrency).await?;
    let emails = rights::current_emails(reader, &open, concurrency).await?;
    if rights::leaves_no_owner(reader, &open, &existing).await? {
        comparing.start.differences.push(Difference {
            group: "owners".to_owned(),
            description: "the organization would have no owner".to_owned(),
        });
    }
    for (number, operation) in open {
        let exists = existing.get(&number).copied().unwrap_or_default();
        if operation.progress_of_right(exists) == Progress::Done {
            comparing.settle(number);
        }
    }
    Ok(comparing.finish(
        &Current { snapshot: &snapshot, indexes: &indexes, emails: &emails },
        approval,
        &earlier.protected,
    ))
}

/// The current state of what a plan changes.
struct Current<'a> {
    snapshot: &'a Snapshot,
    /// The snapshot indexes of the groups that the plan changes.
    indexes: &'a [Option<usize>],
    /// The addresses of the users whose rights end.
    emails: &'a HashMap<UserId, Option<String>>,
}

struct Comparing<'a> {
    plan: &'a Plan,
    earlier: &'a Earlier,
    decisions: Vec<Decision>,
    /// The number of each group's first operation.
    first: Vec<usize>,
    start: Start,
}

impl<'a> Comparing<'a> {
    fn new(plan: &'a Plan, earlier: &'a Earlier, decisions: Vec<Decision>) -> Self {
        let mut number = 0;
        let first = plan.groups.iter().map(|group| {
            let first = number;
            number += group.operations.len();
            first
        });
        let first = first.collect();
        let group_ids = plan.groups.iter().map(|group| group.id.clone()).collect();
        let start = Start { group_ids, ..Start::default() };
        Self { plan, earlier, decisions, first, start }
    }

    fn add_difference(&mut self, group: &GroupPlan, description: impl Into<String>) {
        self.start
            .differences
            .push(Difference { group: group.name.clone(), description: description.into() });
    }

    fn settle(&mut self, number: usize) {
        // An intent without a result: the run probably made this change.
        let has_intent = self.earlier.intents.contains(&number);
        let known = self.earlier.results.get(&number).filter(|result| result.outcome.is_settled());
        let outcome = match known {
            Some(result) => {
                self.start.kept.insert(number, result.clone());
                result.outcome
            }
            None if has_intent => Outcome::FoundDone,
            None => Outcome::NoChange,
        };
        self.start.settled.insert(number, Settled { outcome, reason: None });
    }

    fn is_touched(&self, index: usize) -> bool {
        let (first, count) = (self.first[index], self.plan.groups[index].operations.len());
        self.decisions[first..first + count].contains(&Decision::Allowed)
    }

    /// The snapshot indexes of the groups that the plan changes.
    fn find_groups(&mut self, snapshot: &Snapshot) -> Vec<Option<usize>> {
        let by_id: HashMap<&str, usize> =
            snapshot.groups.iter().enumerate().map(|(index, group)| (group.id.as_str(), index)).collect();
        (0..self.plan.groups.len())
            .map(|index| {
                let group = &self.plan.groups[index];
                if !self.is_touched(index) {
                    return None;
                }
                if group.is_created() {
                    return self.find_created(index, snapshot);
                }
                let found = group.id.as_ref().and_then(|id| by_id.get(id.as_str())).copied();
                if found.is_none() {
                    self.add_difference(group, "the group no longer exists");
                }
                found
            })
            .collect()
    }

    /// Finds a group that the plan creates. Only a group that this run created may have its name.
    fn find_created(&mut self, index: usize, snapshot: &Snapshot) -> Option<usize> {
        let group = &self.plan.groups[index];
        let number = self.first[index];
        let created_id = self.earlier.results.get(&number).and_then(|result| result.group_id.as_ref());
        let named = |wanted: &CurrentGroup| wanted.name == group.name;
        let found: Vec<usize> = (0..snapshot.groups.len())
            .filter(|index| match created_id {
                Some(id) => snapshot.groups[*index].id == *id,
                None => named(&snapshot.groups[*index]),
            })
            .collect();
        match (found.as_slice(), created_id) {
            ([], None) => None,
            ([], Some(_)) => {
                self.add_difference(group, "the run created the group, but it no longer exists");
                None
            }
            ([one], _) if created_id.is_some() || self.earlier.intents.contains(&number) => {
                self.start.group_ids[index] = Some(snapshot.groups[*one].id.clone());
                self.settle(number);
                Some(*one)
            }
            _ => {
                self.add_difference(group, "a group with this name was created in the meantime");
                None
            }
        }
    }

    fn group(&mut self, index: usize, current: &CurrentGroup) {
        let plan = self.plan;
        let group = &plan.groups[index];
        if current.is_managed_elsewhere() {
            self.add_difference(group, "the group is now managed elsewhere");
            return;
        }
        let members = match &current.members {
            Members::Read(members) => members,
            Members::NotRead => return,
            Members::Unreadable(problem) => {
                self.add_difference(group, format!("the group cannot be read: {problem}"));
                return;
            }
        };
        let now: HashSet<&UserId> = members.iter().map(|member| &member.id).collect();
        for (offset, operation) in group.operations.iter().enumerate() {
            match operation.progress(&current.name, &now) {
                Progress::Pending => {}
                Progress::Done => self.settle(self.first[index] + offset),
                Progress::Conflict => {
                    let what = format!("the group was renamed to '{}' in the meantime", current.name);
                    self.add_difference(group, what);
                }
            }
        }
        self.find_unplanned(group, &now);
    }

    /// Records the changes that are needed now and not in the plan.
    fn find_unplanned(&mut self, group: &GroupPlan, now: &HashSet<&UserId>) {
        let desired_members = group.desired_members();
        let planned = |effect| -> HashSet<&UserId> {
            let operations = group.operations.iter().filter(|operation| operation.is(effect));
            operations.filter_map(Operation::user_id).collect()
        };
        let mut lines: Vec<String> = Vec::new();
        if group.adds {
            let granted = planned(Effect::Grant);
            let missing =
                desired_members.iter().filter(|user| !now.contains(*user) && !granted.contains(*user));
            lines.extend(missing.map(|user| format!("+ {user} has left in the meantime and would be added")));
        }
        if group.removes == Removes::Unlisted {
            let revoked = planned(Effect::Revoke);
            let extra =
                now.iter().filter(|user| !desired_members.contains(*user) && !revoked.contains(*user));
            lines.extend(
                extra.map(|user| format!("- {user} has joined in the meantime and would be removed")),
            );
        }
        lines.sort();
        for line in lines {
            self.add_difference(group, line);
        }
    }

    /// Applies the guard to the remaining operations, with the current state.
    fn finish(mut self, current: &Current<'_>, approval: &Approval, remembered: &Protected) -> Start {
        let mut fresh = self.plan.clone();
        let mut numbers = Vec::new();
        for (index, group) in fresh.groups.iter_mut().enumerate() {
            let first = self.first[index];
            let mut number = first;
            group.operations.retain(|_| {
                let is_left = !self.start.settled.contains_key(&number);
                if is_left {
                    numbers.push(number);
                }
                number += 1;
                is_left
            });
            if let Some(found) = current.indexes[index] {
                use_current_names(group, &current.snapshot.groups[found]);
            }
        }
        let mut number = self.plan.first_right();
        fresh.rights.retain(|_| {
            let is_left = !self.start.settled.contains_key(&number);
            if is_left {
                numbers.push(number);
            }
            number += 1;
            is_left
        });
        for operation in &mut fresh.rights {
            if let Some(email) = operation.user_id().and_then(|user_id| current.emails.get(user_id)) {
                operation.set_email(email.as_deref());
            }
        }
        // The addresses in a saved plan may be wrong: protection uses those of the service.
        let protection = Protection::of(&fresh.protect);
        guard::mark_protected(&mut fresh, &protection);
        guard::limit(&mut fresh);
        self.start.needs_digest = guard::needs_digest(&fresh, remembered);
        for (number, decision) in numbers.into_iter().zip(decisions(&fresh, approval)) {
            let known = self.earlier.results.get(&number).filter(|result| result.outcome.is_settled());
            match (known, decision) {
                // A change with a journaled result is never sent again, even if it was reverted since.
                (Some(result), Decision::Allowed) => {
                    let reason = Some("the run made this change, and it was reverted since".to_owned());
                    let kept = OperationResult { error: reason.clone(), ..result.clone() };
                    self.start.kept.insert(number, kept);
                    self.start.settled.insert(number, Settled { outcome: result.outcome, reason });
                }
                (_, decision) => self.start.set_decision(number, decision),
            }
        }
        self.start
    }
}

/// Replaces the names and addresses of the plan with those of the service.
fn use_current_names(group: &mut GroupPlan, current: &CurrentGroup) {
    let emails: HashMap<&UserId, Option<&str>> =
        current.members().iter().map(|member| (&member.id, member.email.as_deref())).collect();
    for operation in &mut group.operations {
        if operation.is(Effect::Revoke)
            && let Some(known) = operation.user_id().and_then(|user| emails.get(user))
        {
            operation.set_email(*known);
        }
    }
    group.name.clone_from(&current.name);
    group.member_count = emails.len();
}
