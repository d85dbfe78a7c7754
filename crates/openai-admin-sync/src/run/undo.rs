//! Plans the undo of a run: the inverse of the changes in its journal.

use std::collections::{BTreeMap, HashSet};

use openai_admin::{InviteStatus, UserId, models::Invite};

use crate::{
    input::{email::EmailKey, max_remove::MaxRemove},
    plan::{
        desired::Desired,
        document::{Plan, Purpose},
        group_plan::{Block, GroupPlan, Removes, Rule},
        operation::{Effect, Operation, Progress, Target, Why},
        planning::{self, PlanOptions},
        right::{Kept, KeptReason, Right},
        source::Origin,
    },
    run::{journal::OperationResult, rights},
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
    let (rights, kept) = inverse_rights(reader, run, plan, results, options.concurrency).await?;
    let purpose = Purpose::Undo { run: run.to_owned() };
    // The limits and protection of the run apply to its undo as well.
    let max_remove = Some(plan.max_remove.stricter(MaxRemove::OF_ORGANIZATION));
    let protect = plan.protect.clone();
    let desired = Desired { purpose, protect, max_remove, rights, kept, ..Desired::default() };
    Ok(planning::assemble(&desired, &snapshot, groups, options))
}

/// Gives back the rights that the run ended, in reverse order, and deletes the invites that it sent. Rights that cannot
/// return are reported.
async fn inverse_rights(
    reader: &Reader,
    run: &str,
    plan: &Plan,
    results: &BTreeMap<usize, OperationResult>,
    concurrency: usize,
) -> Result<(Vec<Operation>, Vec<Kept>), ReadError> {
    let is_change = |number: &usize| results.get(number).is_some_and(|result| result.outcome.may_be_change());
    let changed: Vec<(usize, &Operation)> =
        plan.numbered_rights().filter(|(number, _)| is_change(number)).collect();
    let existing = rights::existing(reader, &changed, concurrency).await?;
    let sends_invite = |operation: &Operation| operation.user_id().is_none() && operation.is(Effect::Grant);
    let invites = match changed.iter().any(|(_, operation)| sends_invite(operation)) {
        true => reader.list_invites().await?,
        false => Vec::new(),
    };
    let (mut inverses, mut kept) = (Vec::new(), Vec::new());
    for (number, operation) in changed.into_iter().rev() {
        let exists = existing.get(&number).copied().unwrap_or_default();
        let Some(right) = operation.right() else { continue };
        // Changes that were already reverted are skipped.
        if operation.progress_of_right(exists) != Progress::Done {
            continue;
        }
        let origin = Origin { reason: Some(format!("run {run}")), ..Origin::default() };
        let (inverse, reason) = match sends_invite(operation) {
            true => (delete_invite(operation, right, &invites, origin), KeptReason::Accepted),
            false => (operation.inverse(Why::Undo, origin), KeptReason::CannotReturn),
        };
        match inverse {
            Some(inverse) => inverses.push(inverse),
            None => {
                kept.push(Kept { who: operation.who().map(str::to_owned), what: right.to_string(), reason })
            }
        }
    }
    keep_last_owner(reader, &mut inverses, &mut kept).await?;
    Ok((inverses, kept))
}

/// Keeps the owners that an undo would demote if no one else is an owner.
async fn keep_last_owner(
    reader: &Reader,
    inverses: &mut Vec<Operation>,
    kept: &mut Vec<Kept>,
) -> Result<(), ReadError> {
    let demotes = |operation: &Operation| {
        operation.is(Effect::Revoke) && matches!(operation.right(), Some(Right::Owner))
    };
    let demoted: HashSet<&UserId> =
        inverses.iter().filter(|one| demotes(one)).filter_map(Operation::user_id).collect();
    if demoted.is_empty() || reader.has_other_owner(&demoted).await? {
        return Ok(());
    }
    for owner in inverses.extract_if(.., |one| demotes(one)) {
        let (who, what) = (owner.who().map(str::to_owned), Right::Owner.to_string());
        kept.push(Kept { who, what, reason: KeptReason::LastOwner });
    }
    Ok(())
}

/// Deletes the invite that an operation sent; `None` if it was accepted.
fn delete_invite(
    operation: &Operation,
    right: &Right,
    invites: &[Invite],
    origin: Origin,
) -> Option<Operation> {
    let email = operation.email()?;
    let key = EmailKey::new(email);
    let is_it =
        |invite: &&Invite| invite.status == InviteStatus::Pending && EmailKey::new(&invite.email) == key;
    let invite_id = Some(invites.iter().find(is_it)?.id.clone());
    let Right::Invite { role, .. } = right else { return None };
    let right = Right::Invite { invite_id, role: role.clone() };
    let target = Target::Right { user_id: None, email: Some(email.to_owned()), right };
    Some(Operation::of_right(Effect::Revoke, target, Why::Undo, origin))
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
