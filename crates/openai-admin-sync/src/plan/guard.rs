//! Decides which operations of a plan may be applied: limits, protection, and removals that wait for blocked additions.
//!
//! Pure. A blocked group does not block other groups. The caller can override a limit with the exact number of removals
//! or with the digest of the plan. Protection cannot be overridden: it is part of the input.

use std::collections::HashMap;

use openai_admin::{GroupId, UserId};

use crate::{
    input::{
        max_remove::MaxRemove,
        policy::{Policy, Protected, Protection},
    },
    plan::{
        document::Plan,
        group_plan::{Block, GroupPlan, Rule},
        operation::{Effect, Operation},
    },
};

/// What the caller has approved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Approval {
    /// Nothing.
    #[default]
    None,
    /// Exactly the number of removals that the limits block.
    Removals(usize),
    /// Everything in the plan with this digest.
    Digest(String),
}

/// The guard's decision on an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The operation may be sent.
    Allowed,
    /// The group is blocked, or all removals are.
    Blocked,
    /// The user is protected.
    Protected,
    /// A removal of a user whose addition to another group is blocked, with the reason.
    Held(String),
}

impl Decision {
    /// Whether the operation waits for a blocked one.
    pub fn is_held(&self) -> bool {
        matches!(self, Self::Held(_))
    }
}

/// Applies the policy, protection and limits to a plan. Every plan passes here before it is applied: new and saved
/// plans, resumed runs, imports, offboardings and undos.
pub fn apply_policy(plan: &mut Plan, policy: &Policy) {
    plan.protect.add(&policy.protect);
    if let Some(max) = policy.max_remove {
        plan.max_remove = plan.max_remove.stricter(max);
    }
    if let Some(max) = policy.max_remove_of_group {
        for group in &mut plan.groups {
            group.max_remove = group.max_remove.stricter(max);
        }
    }
    let protection = Protection::of(&plan.protect);
    protect(plan, &protection);
    limit(plan);
}

/// Applies the caller's policy to a reviewed plan, and returns it with the approval that then matches it. An approved
/// digest is that of the reviewed plan; an approved number is that of the plan under the policy, which may block more.
///
/// # Errors
///
/// The number or the digest that would match.
pub fn under_policy(mut plan: Plan, policy: &Policy, approval: Approval) -> Result<(Plan, Approval), String> {
    if matches!(approval, Approval::Digest(_)) {
        check_approval(&plan, &approval)?;
    }
    apply_policy(&mut plan, policy);
    let plan = plan.sealed();
    let approval = match approval {
        Approval::Digest(_) => Approval::Digest(plan.digest.clone()),
        other => other,
    };
    check_approval(&plan, &approval)?;
    Ok((plan, approval))
}

/// Marks protected groups and operations, and clears earlier marks.
fn protect(plan: &mut Plan, protection: &Protection) {
    for group in &mut plan.groups {
        group.blocks.retain(|block| block.rule != Rule::ProtectedGroup);
        for operation in &mut group.operations {
            operation.protected = false;
        }
    }
    for operation in &mut plan.rights {
        operation.protected = false;
    }
    mark_protected(plan, protection);
}

/// Marks protected groups and operations, and keeps earlier marks.
pub(crate) fn mark_protected(plan: &mut Plan, protection: &Protection) {
    for operation in &mut plan.rights {
        operation.protected |= is_protected(operation, protection);
    }
    for group in &mut plan.groups {
        let id = group.id.as_ref().map(GroupId::as_str);
        let is_marked = group.blocks.iter().any(|block| block.rule == Rule::ProtectedGroup);
        if !is_marked && !group.operations.is_empty() && protection.has_group(id, &group.name) {
            let message = "the group is protected, so nothing in it is changed".to_owned();
            group.blocks.push(Block { rule: Rule::ProtectedGroup, message });
        }
        for operation in &mut group.operations {
            operation.protected |= is_protected(operation, protection);
        }
    }
}

/// Whether an operation removes a protected user.
fn is_protected(operation: &Operation, protection: &Protection) -> bool {
    let is_protected_user = |user: &UserId| protection.has_user(user.as_str(), operation.email());
    operation.is(Effect::Revoke) && operation.user_id().is_some_and(is_protected_user)
}

/// Checks the limits of each group and of all groups together, and clears the results of earlier checks.
pub fn limit(plan: &mut Plan) {
    for group in &mut plan.groups {
        group.blocks.retain(|block| !block.rule.can_be_accepted());
        let removals = group.removals();
        // Saturating: a hand-written plan may remove more members than the group has.
        let left = (group.member_count + group.additions()).saturating_sub(removals);
        if removals > 0 && left == 0 && !group.allow_empty {
            let message = match removals {
                1 => "would remove the last member".to_owned(),
                _ => format!("would remove all {removals} members"),
            };
            group.blocks.push(Block { rule: Rule::Emptied, message });
        }
        group.blocks.extend(over_limit(removals, group.member_count, group.max_remove));
    }
    plan.blocks.clear();
    // A group that is already blocked does not count against the limit of all groups.
    let open = plan.groups.iter().filter(|group| group.blocks.is_empty());
    let removals = open.map(GroupPlan::removals).sum();
    let block = over_limit(removals, plan.member_count(), plan.max_remove);
    plan.blocks.extend(
        block.map(|block| Block { message: format!("all groups together: {}", block.message), ..block }),
    );
}

/// The reason why the caller must approve a saved plan by its digest: it exceeds the built-in limits, or removes what
/// `remembered` protects. A plan file can state any limit and omit any protection.
pub fn needs_digest(plan: &Plan, remembered: &Protected) -> Option<String> {
    removes_remembered(plan, &Protection::of(remembered)).or_else(|| over_built_in_limits(plan))
}

fn removes_remembered(plan: &Plan, protection: &Protection) -> Option<String> {
    for group in plan.groups.iter().filter(|group| !group.is_barred() && !group.operations.is_empty()) {
        if protection.has_group(group.id.as_ref().map(GroupId::as_str), &group.name) {
            return Some(format!(
                "it changes the group '{}', which the last applied file protects",
                group.name
            ));
        }
        let mut open = group.operations.iter().filter(|operation| !operation.protected);
        let found = open.find(|operation| is_protected(operation, protection));
        if let Some(who) = found.and_then(Operation::who) {
            return Some(format!(
                "it removes {who} from '{}', but the last applied file protects this user",
                group.name
            ));
        }
    }
    let mut open = plan.rights.iter().filter(|operation| !operation.protected);
    let who = open.find(|operation| is_protected(operation, protection)).and_then(Operation::who)?;
    Some(format!("it ends rights of {who}, but the last applied file protects this user"))
}

fn over_built_in_limits(plan: &Plan) -> Option<String> {
    let mut built_in = plan.clone();
    built_in.max_remove = built_in.max_remove.stricter(MaxRemove::OF_ORGANIZATION);
    for group in &mut built_in.groups {
        group.max_remove = group.max_remove.stricter(MaxRemove::OF_GROUP);
        group.allow_empty = false;
    }
    limit(&mut built_in);
    let raised = plan.groups.iter().zip(&built_in.groups).find_map(|(group, built_in)| {
        let is_new = group.blocks.is_empty() && !built_in.blocks.is_empty();
        is_new.then(|| format!("'{}': {}", group.name, built_in.blocks[0].message))
    });
    let of_all = built_in.blocks.first().filter(|_| plan.blocks.is_empty());
    raised.or_else(|| of_all.map(|block| block.message.clone()))
}

/// The block for `removals` of `members`; `None` if the limits allow them.
pub fn over_limit(removals: usize, members: usize, max: MaxRemove) -> Option<Block> {
    let is_many = removals as u64 > max.count;
    let is_large_part = members as u64 >= max.min_size && removals * 100 > members * usize::from(max.percent);
    let limits: Vec<String> = [
        is_large_part.then(|| format!("{} %", max.percent)),
        is_many.then(|| members_text(usize::try_from(max.count).unwrap_or(usize::MAX))),
    ]
    .into_iter()
    .flatten()
    .collect();
    if limits.is_empty() || removals == 0 {
        return None;
    }
    let percent = removals as f64 * 100.0 / members.max(1) as f64;
    let message = format!(
        "{removals} of {members} members ({percent:.1} %) is over the limit of {}",
        limits.join(" and of ")
    );
    Some(Block { rule: Rule::MaxRemove, message })
}

fn members_text(number: usize) -> String {
    if number == 1 { "1 member".to_owned() } else { format!("{number} members") }
}

/// The number of removals that limits block, which is the number that allows them.
pub fn blocked_removals(plan: &Plan) -> usize {
    let is_blocked =
        |group: &&GroupPlan| !group.is_barred() && (!group.blocks.is_empty() || !plan.blocks.is_empty());
    plan.groups.iter().filter(is_blocked).map(GroupPlan::removals).sum()
}

/// Checks that `approval` matches the plan.
///
/// # Errors
///
/// The number or the digest that would match.
pub fn check_approval(plan: &Plan, approval: &Approval) -> Result<(), String> {
    match approval {
        Approval::None => Ok(()),
        Approval::Removals(number) => match blocked_removals(plan) {
            blocked if blocked == *number => Ok(()),
            0 => Err(format!(
                "--allow-removals {number}: no limit blocks a removal of this plan, so omit the option"
            )),
            blocked => {
                Err(format!("--allow-removals {number}: the limits block {blocked} removals, not {number}"))
            }
        },
        Approval::Digest(digest) if *digest == plan.digest => Ok(()),
        Approval::Digest(_) => {
            Err(format!("--approve does not match: the digest of this plan is {}", plan.digest))
        }
    }
}

/// The reason why an undo cannot be applied completely.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UndoProblem {
    /// Limits block this number of removals, and the caller has not allowed them.
    Limits(usize),
    /// The members of these groups could not be read.
    Unreadable(Vec<String>),
}

/// The reason why an undo cannot be applied completely, checked before it starts: a partial undo would leave a state
/// that no file describes. Other plans are applied as far as possible. A deleted group does not prevent the undo of the
/// others.
pub fn undo_problem(plan: &Plan, approval: &Approval) -> Option<UndoProblem> {
    if !plan.purpose.is_undo() {
        return None;
    }
    let unreadable = plan.groups.iter().filter(|group| group.is_unreadable());
    let unreadable: Vec<String> = unreadable.map(|group| group.name.clone()).collect();
    if !unreadable.is_empty() {
        return Some(UndoProblem::Unreadable(unreadable));
    }
    let blocked = blocked_removals(plan);
    (blocked > 0 && *approval == Approval::None).then_some(UndoProblem::Limits(blocked))
}

/// The decision on each operation, in the order of [`Plan::operations`]. The approval must match the plan.
pub fn decisions(plan: &Plan, approval: &Approval) -> Vec<Decision> {
    let is_accepted = !matches!(approval, Approval::None);
    let stops = |block: &Block| !(is_accepted && block.rule.can_be_accepted());
    let removals_stop = plan.blocks.iter().any(stops);
    let mut decisions = Vec::with_capacity(plan.operation_count());
    // The blocked group of each user who cannot be added.
    let mut not_added: HashMap<&UserId, &str> = HashMap::new();
    for group in &plan.groups {
        let is_blocked = group.blocks.iter().any(stops);
        for operation in &group.operations {
            if is_blocked
                && operation.is(Effect::Grant)
                && let Some(user) = operation.user_id()
            {
                not_added.insert(user, &group.name);
            }
            decisions.push(decision(operation, is_blocked, removals_stop));
        }
    }
    // Limits concern the members of groups.
    decisions.extend(plan.rights.iter().map(|operation| decision(operation, false, false)));
    // Groups that could not be read or matched: the users that they lack are unknown.
    let unknown = plan.groups.iter().filter(|group| group.is_unreadable() || group.is_unknown());
    let maybe: HashMap<&UserId, &GroupPlan> =
        unknown.flat_map(|group| group.keep.iter().map(move |user| (user, group))).collect();
    for ((_, operation), decision) in plan.operations().zip(&mut decisions) {
        let is_removal = operation.is(Effect::Revoke) && operation.right().is_none();
        let Some(user) = operation.user_id().filter(|_| is_removal) else {
            continue;
        };
        if *decision != Decision::Allowed || plan.revoke_first {
            continue;
        }
        if let Some(group) = not_added.get(user) {
            *decision = Decision::Held(format!("the user cannot be added to '{group}', which is blocked"));
        } else if let Some(group) = maybe.get(user) {
            let problem = if group.is_unreadable() { "could not be read" } else { "is blocked" };
            *decision =
                Decision::Held(format!("the user may be missing from '{}', which {problem}", group.name));
        }
    }
    decisions
}

fn decision(operation: &Operation, is_blocked: bool, removals_stop: bool) -> Decision {
    match () {
        () if operation.protected => Decision::Protected,
        () if is_blocked || (removals_stop && operation.is(Effect::Revoke)) => Decision::Blocked,
        () => Decision::Allowed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        plan::{
            desired::Desired,
            document::Purpose,
            operation::Why,
            planning::{PlanOptions, assemble},
            source::Origin,
        },
        service::current::Snapshot,
    };

    const NO_REMOVAL: MaxRemove = MaxRemove { percent: 0, count: 0, min_size: 0 };

    /// A plan with one operation of each effect, all on the same user or group, with a policy applied.
    fn plan_under_policy(purpose: Purpose, policy: Policy) -> Plan {
        let user = || "user_1".parse().expect("an id");
        let origin = Origin::default;
        let mut group = GroupPlan::new("New", MaxRemove::OF_GROUP);
        group.member_count = 2;
        group.operations = vec![
            Operation::create_group("New".to_owned(), Why::Listed, origin()),
            Operation::rename_group("Old".to_owned(), "New".to_owned(), Why::Listed, origin()),
            Operation::add_user(user(), None, Why::Listed, origin()),
            Operation::remove_user(user(), None, Why::Listed, origin()),
        ];
        let options = PlanOptions { policy, ..PlanOptions::at(jiff::Timestamp::UNIX_EPOCH) };
        let desired = Desired { purpose, ..Desired::default() };
        assemble(&desired, &Snapshot::default(), vec![group], &options)
    }

    fn purposes() -> [Purpose; 4] {
        let user_id = "user_1".parse().expect("an id");
        [
            Purpose::Files,
            Purpose::Import,
            Purpose::Offboard { user_id, others: Vec::new() },
            Purpose::Undo { run: "r".to_owned() },
        ]
    }

    #[test]
    fn no_plan_removes_a_protected_user_but_any_plan_may_add_one() {
        for purpose in purposes() {
            let protect = Protected { users: vec!["user_1".to_owned()], groups: Vec::new() };
            let plan = plan_under_policy(purpose, Policy { protect, ..Policy::default() });
            assert_eq!(
                decisions(&plan, &Approval::None),
                [Decision::Allowed, Decision::Allowed, Decision::Allowed, Decision::Protected]
            );
        }
    }

    #[test]
    fn no_plan_changes_a_protected_group() {
        for purpose in purposes() {
            let protect = Protected { users: Vec::new(), groups: vec!["New".to_owned()] };
            let plan = plan_under_policy(purpose, Policy { protect, ..Policy::default() });
            assert_eq!(decisions(&plan, &Approval::Digest(plan.digest.clone())), vec![Decision::Blocked; 4]);
        }
    }

    #[test]
    fn a_limit_on_all_groups_blocks_only_removals_and_can_be_overridden() {
        use Decision::{Allowed, Blocked};
        for purpose in purposes() {
            let plan =
                plan_under_policy(purpose, Policy { max_remove: Some(NO_REMOVAL), ..Policy::default() });
            assert_eq!(decisions(&plan, &Approval::None), [Allowed, Allowed, Allowed, Blocked]);
            assert_eq!(decisions(&plan, &Approval::Removals(1)), vec![Allowed; 4]);
        }
    }
}
