//! Verifies a run: reads the changed groups again and compares them with the plan.

use std::collections::{BTreeMap, HashSet};

use openai_admin::{GroupId, UserId};

use crate::{
    plan::{
        document::Plan,
        group_plan::{GroupPlan, Removes},
        guard::{Approval, Decision, decisions},
        operation::{Effect, Operation, Progress},
    },
    run::{
        journal::{OperationResult, Outcome},
        rights,
    },
    service::{
        current::{self, CurrentGroup, Members, Snapshot},
        read_error::ReadError,
        reader::Reader,
    },
};

/// The result of a verification.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verification {
    /// Whether each change is in place, by operation number; only for changed groups.
    pub holds: BTreeMap<usize, bool>,
    /// The names of the changed groups that match the plan, and of the people whose rights do.
    pub converged: Vec<String>,
    /// The names of those that differ.
    pub differing: Vec<String>,
    /// The ids of groups whose creation had no response, by operation number.
    pub found_groups: BTreeMap<usize, GroupId>,
}

impl Verification {
    /// Whether all changed groups match the plan.
    pub fn is_converged(&self) -> bool {
        self.differing.is_empty()
    }

    /// The results of operations with an unknown outcome, which the verification settles as done or failed.
    pub fn settle(&self, results: &BTreeMap<usize, OperationResult>) -> Vec<OperationResult> {
        let unknown = results.values().filter(|result| result.outcome == Outcome::Unknown);
        let settled = unknown.filter_map(|result| {
            let is_done = *self.holds.get(&result.operation)?;
            let outcome = if is_done { Outcome::FoundDone } else { Outcome::Failed };
            let group_id = self.found_groups.get(&result.operation).cloned();
            Some(OperationResult { outcome, group_id, ..result.clone() })
        });
        settled.collect()
    }
}

/// Reads the changed groups and rights again and checks each operation.
///
/// # Errors
///
/// If the groups cannot be read.
pub async fn verify(
    reader: &Reader,
    plan: &Plan,
    approval: &Approval,
    group_ids: &[Option<GroupId>],
    concurrency: usize,
) -> Result<Verification, ReadError> {
    let decisions = decisions(plan, approval);
    let mut snapshot = current::read_groups(reader).await?;
    let mut touched: Vec<(usize, usize, Option<usize>)> = Vec::new();
    let mut verification = Verification::default();
    let mut first = 0;
    for (index, group) in plan.groups.iter().enumerate() {
        let end = first + group.operations.len();
        if decisions[first..end].contains(&Decision::Allowed) {
            let id = group_ids.get(index).and_then(Option::as_ref);
            let found = match id {
                Some(id) => snapshot.groups.iter().position(|group| group.id == *id),
                None => only_named(&snapshot, group),
            };
            if let (None, Some(found)) = (id, found) {
                verification.found_groups.insert(first, snapshot.groups[found].id.clone());
            }
            touched.push((index, first, found));
        }
        first = end;
    }
    let indexes: Vec<usize> = touched.iter().filter_map(|(_, _, found)| *found).collect();
    current::read_members(reader, &mut snapshot, &indexes, concurrency).await?;
    for (index, first, found) in touched {
        let group = &plan.groups[index];
        let current = found.map(|found| &snapshot.groups[found]);
        let members: HashSet<&UserId> = current
            .map(|group| group.members().iter().map(|member| &member.id).collect())
            .unwrap_or_default();
        let read = current.filter(|group| matches!(group.members, Members::Read(_)));
        let mut all_hold = read.is_some();
        for (offset, operation) in group.operations.iter().enumerate() {
            let is_done = |group: &CurrentGroup| operation.progress(&group.name, &members) == Progress::Done;
            let holds = read.is_some_and(is_done);
            all_hold &= holds || decisions[first + offset] != Decision::Allowed;
            verification.holds.insert(first + offset, holds);
        }
        let list = if all_hold && matches_plan(group, &decisions[first..], &members) {
            &mut verification.converged
        } else {
            &mut verification.differing
        };
        list.push(group.name.clone());
    }
    verify_rights(reader, plan, &decisions, &mut verification, concurrency).await?;
    Ok(verification)
}

/// Reads the changed rights again. The rights of one person are named by the person.
async fn verify_rights(
    reader: &Reader,
    plan: &Plan,
    decisions: &[Decision],
    verification: &mut Verification,
    concurrency: usize,
) -> Result<(), ReadError> {
    let sent = plan.numbered_rights().filter(|(number, _)| decisions[*number] == Decision::Allowed);
    let sent: Vec<(usize, &Operation)> = sent.collect();
    let existing = rights::existing(reader, &sent, concurrency).await?;
    let mut holds_for: BTreeMap<&str, bool> = BTreeMap::new();
    for (number, operation) in sent {
        let exists = existing.get(&number).copied().unwrap_or_default();
        let holds = operation.progress_of_right(exists) == Progress::Done;
        verification.holds.insert(number, holds);
        *holds_for.entry(operation.who().unwrap_or_default()).or_insert(true) &= holds;
    }
    for (who, holds) in holds_for {
        let list = if holds { &mut verification.converged } else { &mut verification.differing };
        list.push(format!("rights of {who}"));
    }
    Ok(())
}

/// The group of a creation without a response: the only group with its name.
fn only_named(snapshot: &Snapshot, group: &GroupPlan) -> Option<usize> {
    let mut named = snapshot.groups.iter().enumerate().filter(|(_, found)| found.name == group.name);
    match (group.is_created(), named.next(), named.next()) {
        (true, Some((index, _)), None) => Some(index),
        _ => None,
    }
}

/// Whether the group has all kept members and no unexpected ones.
fn matches_plan(group: &GroupPlan, decisions: &[Decision], members: &HashSet<&UserId>) -> bool {
    let desired_members = group.desired_members();
    let kept = group.keep.iter().all(|user| members.contains(user));
    let stays: HashSet<&UserId> = group
        .operations
        .iter()
        .zip(decisions)
        .filter(|(operation, decision)| operation.is(Effect::Revoke) && **decision != Decision::Allowed)
        .filter_map(|(operation, _)| Operation::user_id(operation))
        .collect();
    let no_one_else = group.removes != Removes::Unlisted
        || members.iter().all(|user| desired_members.contains(*user) || stays.contains(*user));
    kept && no_one_else
}
