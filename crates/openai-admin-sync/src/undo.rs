//! The way back from a run: the inverse of what its journal says it has changed, as a plan like any other.

use std::collections::{BTreeMap, HashMap, HashSet};

use openai_admin::UserId;

use crate::{
    current::{self, CurrentGroup, Members, ReadError},
    desired::{Desired, Origin},
    file::MaxRemove,
    journal::OperationResult,
    plan::{Action, Block, GroupPlan, Operation, Plan, Purpose, Removes, Rule, Why},
    planning::{self, PlanOptions},
    reader::Reader,
};

/// Plans to take back what a run has done, where that still holds. Reads the groups that it has changed.
///
/// A group that the run has created stays, without the members that the run gave it: removing a group would take
/// with it what others have done to it since.
///
/// # Errors
///
/// When the groups cannot be read.
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
    let places: Vec<Option<usize>> = changes
        .iter()
        .map(|change| snapshot.groups.iter().position(|group| Some(&group.id) == change.group_id.as_ref()))
        .collect();
    let wanted: Vec<usize> = places.iter().copied().flatten().collect();
    current::read_members(reader, &mut snapshot, &wanted, options.concurrency).await?;
    let groups = changes
        .iter()
        .zip(&places)
        .map(|(change, place)| inverse(change, place.map(|place| &snapshot.groups[place]), run));
    let groups = groups.collect();
    let purpose = Purpose::Undo { run: run.to_owned() };
    // What the run was held to holds for its undo as well.
    let max_remove = Some(plan.max_remove.stricter(MaxRemove::OF_ORGANIZATION));
    let desired = Desired { purpose, protect: plan.protect.clone(), max_remove, ..Desired::default() };
    Ok(planning::assemble(&desired, &snapshot, groups, options))
}

/// What a run has changed in a group.
struct Change<'a> {
    name: &'a str,
    group_id: Option<openai_admin::GroupId>,
    is_created: bool,
    max_remove: MaxRemove,
    actions: Vec<&'a Action>,
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
            actions: Vec::new(),
        };
        for operation in &group.operations {
            if let Some(result) = results.get(&number) {
                if result.group_id.is_some() {
                    change.group_id.clone_from(&result.group_id);
                }
                if result.outcome.may_be_change() && !matches!(operation.action, Action::CreateGroup { .. }) {
                    change.actions.push(&operation.action);
                }
            }
            number += 1;
        }
        if !change.actions.is_empty() {
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
        let message = "the group is gone since the run".to_owned();
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
    let mut leaving = HashMap::new();
    let (mut additions, mut removals) = (Vec::new(), Vec::new());
    let operation = |action| {
        let reason = Some(format!("run {run}"));
        Operation::new(action, Why::Undo, Origin { reason, ..Origin::default() })
    };
    for action in &change.actions {
        match action {
            Action::CreateGroup { .. } => {}
            Action::RenameGroup { from, to } if current.name == *to => {
                plan.name.clone_from(from);
                let back = Action::RenameGroup { from: to.clone(), to: from.clone() };
                plan.operations.push(operation(back));
            }
            Action::AddUser { user_id, email } if members.contains(user_id) => {
                leaving.insert(user_id, ());
                removals
                    .push(operation(Action::RemoveUser { user_id: user_id.clone(), email: email.clone() }));
            }
            Action::RemoveUser { user_id, email } if !members.contains(user_id) => {
                additions.push(operation(Action::AddUser { user_id: user_id.clone(), email: email.clone() }));
            }
            // Somebody has done it already.
            Action::RenameGroup { .. } | Action::AddUser { .. } | Action::RemoveUser { .. } => {}
        }
    }
    plan.operations.extend(additions);
    plan.operations.extend(removals);
    plan.member_count = members.len();
    plan.adds = true;
    plan.removes = Removes::Listed;
    let kept = current.members().iter().map(|member| &member.id).filter(|id| !leaving.contains_key(*id));
    plan.keep = kept.cloned().collect();
    plan
}
