//! Plans the undo of a run: the inverse of the changes in its journal.

use std::collections::{BTreeMap, HashSet};

use openai_admin::UserId;

use crate::{
    input::max_remove::MaxRemove,
    plan::{
        desired::Desired,
        document::{Plan, Purpose},
        group_plan::{Block, GroupPlan, Removes, Rule},
        operation::{Effect, Operation, Progress, Target, Why},
        planning::{self, PlanOptions},
        source::Origin,
    },
    run::journal::OperationResult,
    service::{
        current::{self, CurrentGroup, Members},
        read_error::ReadError,
        reader::Reader,
    },
};

/// Plans the undo of the changes of a run that are still in place. Reads the groups that the run changed.
///
/// A group that the run created stays, without the members that the run added: deleting it would lose later changes by
/// others.
///
/// # Errors
///
/// If the groups cannot be read.
pub async fn plan_undo(
    reader: &Reader,
    run: &str,
    plan: &Plan,
    results: &BTreeMap<usize, OperationResult>,
    options: &PlanOptions,
) -> Result<Plan, ReadError> {
    let mut snapshot = current::read_groups(reader).await?;
    current::check_organization(plan.organization.as_ref(), snapshot.organization.as_ref())?;
    let changes = changes(plan, results);
    let indexes: Vec<Option<usize>> = changes
        .iter()
        .map(|change| snapshot.groups.iter().position(|group| Some(&group.id) == change.group_id.as_ref()))
        .collect();
    let wanted: Vec<usize> = indexes.iter().copied().flatten().collect();
    current::read_members(reader, &mut snapshot, &wanted, options.concurrency).await?;
    let groups = changes
        .iter()
        .zip(&indexes)
        .map(|(change, index)| inverse(change, index.map(|index| &snapshot.groups[index]), run));
    let groups = groups.collect();
    let purpose = Purpose::Undo { run: run.to_owned() };
    // The limits and protection of the run apply to its undo as well.
    let max_remove = Some(plan.max_remove.stricter(MaxRemove::OF_ORGANIZATION));
    let desired = Desired { purpose, protect: plan.protect.clone(), max_remove, ..Desired::default() };
    Ok(planning::assemble(&desired, &snapshot, groups, options))
}

/// The changes of a run in one group.
struct Change<'a> {
    name: &'a str,
    group_id: Option<openai_admin::GroupId>,
    is_created: bool,
    max_remove: MaxRemove,
    operations: Vec<&'a Operation>,
}

fn changes<'a>(plan: &'a Plan, results: &BTreeMap<usize, OperationResult>) -> Vec<Change<'a>> {
    let mut changes = Vec::new();
    let mut number = 0;
    for group in &plan.groups {
        let mut change = Change {
            name: &group.name,
            group_id: group.id.clone(),
            is_created: group.is_created(),
            max_remove: group.max_remove.stricter(MaxRemove::OF_GROUP),
            operations: Vec::new(),
        };
        for operation in &group.operations {
            if let Some(result) = results.get(&number) {
                if result.group_id.is_some() {
                    change.group_id.clone_from(&result.group_id);
                }
                if result.outcome.may_be_change() && !operation.is(Effect::Create) {
                    change.operations.push(operation);
                }
            }
            number += 1;
        }
        if !change.operations.is_empty() {
            changes.push(change);
        }
    }
    changes
}

fn inverse(change: &Change<'_>, current: Option<&CurrentGroup>, run: &str) -> GroupPlan {
    let mut plan = GroupPlan::new(change.name, change.max_remove);
    plan.id.clone_from(&change.group_id);
    plan.allow_empty = change.is_created;
    let Some(current) = current else {
        let message = "the group no longer exists".to_owned();
        plan.blocks.push(Block { rule: Rule::Group, message });
        return plan;
    };
    plan.name.clone_from(&current.name);
    if let Members::Unreadable(problem) = &current.members {
        let message = format!("its members could not be read: {problem}");
        plan.blocks.push(Block { rule: Rule::Unreadable, message });
        return plan;
    }
    let members: HashSet<&UserId> = current.members().iter().map(|member| &member.id).collect();
    let origin = Origin { reason: Some(format!("run {run}")), ..Origin::default() };
    // Changes that were already reverted are skipped.
    let done = change.operations.iter().filter(|one| one.progress(&current.name, &members) == Progress::Done);
    plan.operations = done.filter_map(|one| one.inverse(Why::Undo, origin.clone())).collect();
    // The rename first, then additions, then removals.
    plan.operations.sort_by_key(Operation::effect);
    if let Some(Target::Group { name, .. }) = plan.operations.first().map(Operation::target) {
        plan.name.clone_from(name);
    }
    let revoked = plan.operations.iter().filter(|operation| operation.is(Effect::Revoke));
    let removed: HashSet<&UserId> = revoked.filter_map(Operation::user_id).collect();
    let kept = current.members().iter().map(|member| &member.id).filter(|id| !removed.contains(id));
    plan.keep = kept.cloned().collect();
    plan.member_count = members.len();
    plan.adds = true;
    plan.removes = Removes::Listed;
    plan
}
