//! What may not be done without being asked for: limits, protection, and who is held back by them.
//!
//! Pure. A blocked group does not stop healthy ones. Limits can be accepted by the exact number of removals or by the
//! plan's digest; protection cannot, since it is part of the input.

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

/// What somebody has accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Approval {
    /// Nothing.
    #[default]
    None,
    /// As many removals as the limits block, exactly.
    Removals(usize),
    /// Everything in the plan with this digest.
    Digest(String),
}

/// What becomes of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It may be done.
    Goes,
    /// Its group is blocked, or all removals are.
    Blocked,
    /// Its user is protected.
    Protected,
    /// It is a removal of a user who would be added elsewhere, and cannot be.
    Held(String),
}

/// Holds a plan to what the caller's side allows. Every plan passes here before anything of it is done: one that was made
/// just now, one that was kept, a run that goes on, an import, an offboarding, an undo.
pub fn judge(plan: &mut Plan, policy: &Policy) {
    plan.protect.add(&policy.protect);
    if let Some(max) = policy.max_remove {
        plan.max_remove = plan.max_remove.stricter(max);
    }
    if let Some(max) = policy.max_remove_of_group {
        for group in &mut plan.groups {
            group.max_remove = group.max_remove.stricter(max);
        }
    }
    protect(&mut plan.groups, &Protection::of(&plan.protect));
    limit(plan);
}

/// Marks what is protected. What was found before is forgotten.
fn protect(groups: &mut [GroupPlan], protection: &Protection) {
    for group in &mut *groups {
        group.blocks.retain(|block| block.rule != Rule::ProtectedGroup);
        for operation in &mut group.operations {
            operation.protected = false;
        }
    }
    mark_protected(groups, protection);
}

/// Marks what is protected, beside what is marked already.
pub(crate) fn mark_protected(groups: &mut [GroupPlan], protection: &Protection) {
    for group in groups {
        let id = group.id.as_ref().map(GroupId::as_str);
        let is_marked = group.blocks.iter().any(|block| block.rule == Rule::ProtectedGroup);
        if !is_marked && !group.operations.is_empty() && protection.has_group(id, &group.name) {
            let message = "the group is protected: nothing in it is changed".to_owned();
            group.blocks.push(Block { rule: Rule::ProtectedGroup, message });
        }
        for operation in &mut group.operations {
            operation.protected |= is_protected(operation, protection);
        }
    }
}

/// Whether an operation takes away what is protected.
fn is_protected(operation: &Operation, protection: &Protection) -> bool {
    let is_meant = |user: &UserId| protection.has_user(user.as_str(), operation.email());
    operation.is(Effect::Revoke) && operation.user_id().is_some_and(is_meant)
}

/// Checks the limits, of each group and of all together. What was found before is forgotten.
pub fn limit(plan: &mut Plan) {
    for group in &mut plan.groups {
        group.blocks.retain(|block| !block.rule.can_be_accepted());
        let removals = group.removals();
        // A plan that somebody wrote by hand may say anything.
        let left = (group.member_count + group.additions()).saturating_sub(removals);
        if removals > 0 && left == 0 && !group.allow_empty {
            let message = format!("nobody of {} would be left", people(group.member_count));
            group.blocks.push(Block { rule: Rule::Emptied, message });
        }
        group.blocks.extend(over(removals, group.member_count, group.max_remove));
    }
    plan.blocks.clear();
    // What is blocked already does not stop the rest.
    let open = plan.groups.iter().filter(|group| group.blocks.is_empty());
    let removals = open.map(GroupPlan::removals).sum();
    let block = over(removals, plan.member_count(), plan.max_remove);
    plan.blocks.extend(
        block.map(|block| Block { message: format!("all groups together: {}", block.message), ..block }),
    );
}

/// Why a plan that comes from elsewhere needs its digest from the caller: it does what the built-in limits, or what
/// `remembered` protects, would not let it do. A plan that was changed may say any limit, and leave out any protection.
pub fn needs_digest(plan: &Plan, remembered: &Protected) -> Option<String> {
    removes_remembered(plan, &Protection::of(remembered)).or_else(|| over_built_in(plan))
}

fn removes_remembered(plan: &Plan, protection: &Protection) -> Option<String> {
    for group in plan.groups.iter().filter(|group| !group.is_barred() && !group.operations.is_empty()) {
        if protection.has_group(group.id.as_ref().map(GroupId::as_str), &group.name) {
            return Some(format!("it changes '{}', which the last applied file protects", group.name));
        }
        let mut open = group.operations.iter().filter(|operation| !operation.protected);
        let found = open.find(|operation| is_protected(operation, protection));
        if let Some(who) = found.and_then(Operation::who) {
            return Some(format!(
                "it removes {who} from '{}', whom the last applied file protects",
                group.name
            ));
        }
    }
    None
}

fn over_built_in(plan: &Plan) -> Option<String> {
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

/// What the limits say of so many removals from so many members; none when they allow them.
pub fn over(removals: usize, members: usize, max: MaxRemove) -> Option<Block> {
    let is_many = removals as u64 > max.count;
    let is_large_part = members as u64 >= max.min_size && removals * 100 > members * usize::from(max.percent);
    let limits: Vec<String> = [
        is_large_part.then(|| format!("{} %", max.percent)),
        is_many.then(|| people(usize::try_from(max.count).unwrap_or(usize::MAX))),
    ]
    .into_iter()
    .flatten()
    .collect();
    if limits.is_empty() || removals == 0 {
        return None;
    }
    let percent = removals as f64 * 100.0 / members.max(1) as f64;
    let message = format!("{removals} of {members} ({percent:.1} %) is over {}", limits.join(" and over "));
    Some(Block { rule: Rule::MaxRemove, message })
}

fn people(number: usize) -> String {
    if number == 1 { "1 member".to_owned() } else { format!("{number} people") }
}

/// How many removals limits block: the number that accepts them.
pub fn blocked_removals(plan: &Plan) -> usize {
    let is_blocked =
        |group: &&GroupPlan| !group.is_barred() && (!group.blocks.is_empty() || !plan.blocks.is_empty());
    plan.groups.iter().filter(is_blocked).map(GroupPlan::removals).sum()
}

/// Whether `approval` fits the plan.
///
/// # Errors
///
/// What it would have to be instead.
pub fn check_approval(plan: &Plan, approval: &Approval) -> Result<(), String> {
    match approval {
        Approval::None => Ok(()),
        Approval::Removals(number) => match blocked_removals(plan) {
            blocked if blocked == *number => Ok(()),
            0 => Err(format!("--allow-removals {number}: no limit blocks any removal of this plan")),
            blocked => Err(format!("--allow-removals {number}: the limits block {blocked}, not {number}")),
        },
        Approval::Digest(digest) if *digest == plan.digest => Ok(()),
        Approval::Digest(_) => {
            Err(format!("--approve is of another plan: the digest of this one is {}", plan.digest))
        }
    }
}

/// What keeps an undo from being done whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hindrance {
    /// Limits block so many removals, which nobody has accepted.
    Limits(usize),
    /// The members of these groups could not be read.
    Unreadable(Vec<String>),
}

/// What keeps an undo from being done whole, before anything of it is done: half of it would be a state that nobody has
/// wished for. Other plans are done as far as they may be. A group that is gone keeps nobody from the rest.
pub fn hindrance(plan: &Plan, approval: &Approval) -> Option<Hindrance> {
    if !plan.purpose.is_undo() {
        return None;
    }
    let unreadable = plan.groups.iter().filter(|group| group.is_unreadable());
    let unreadable: Vec<String> = unreadable.map(|group| group.name.clone()).collect();
    if !unreadable.is_empty() {
        return Some(Hindrance::Unreadable(unreadable));
    }
    let blocked = blocked_removals(plan);
    (blocked > 0 && *approval == Approval::None).then_some(Hindrance::Limits(blocked))
}

/// What becomes of each operation, in the order of [`Plan::operations`]. The approval must fit.
pub fn standings(plan: &Plan, approval: &Approval) -> Vec<Standing> {
    let is_accepted = !matches!(approval, Approval::None);
    let stops = |block: &Block| !(is_accepted && block.rule.can_be_accepted());
    let removals_stop = plan.blocks.iter().any(stops);
    let mut standings = Vec::with_capacity(plan.operation_count());
    // Where somebody cannot be added, whatever the reason.
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
            standings.push(standing(operation, is_blocked, removals_stop));
        }
    }
    // A group that could not be read, or that is not there: nothing is done to it, and what it lacks is not known.
    let unknown = plan.groups.iter().filter(|group| group.is_unreadable() || group.is_unknown());
    let maybe: HashMap<&UserId, &GroupPlan> =
        unknown.flat_map(|group| group.keep.iter().map(move |user| (user, group))).collect();
    for ((_, operation), standing) in plan.operations().zip(&mut standings) {
        let Some(user) = operation.user_id().filter(|_| operation.is(Effect::Revoke)) else {
            continue;
        };
        if *standing != Standing::Goes || plan.revoke_first {
            continue;
        }
        if let Some(group) = not_added.get(user) {
            *standing = Standing::Held(format!("they cannot be added to '{group}', which is blocked"));
        } else if let Some(group) = maybe.get(user) {
            let problem = if group.is_unreadable() { "could not be read" } else { "is blocked" };
            *standing =
                Standing::Held(format!("they may have to be added to '{}', which {problem}", group.name));
        }
    }
    standings
}

fn standing(operation: &Operation, is_blocked: bool, removals_stop: bool) -> Standing {
    match () {
        () if operation.protected => Standing::Protected,
        () if is_blocked || (removals_stop && operation.is(Effect::Revoke)) => Standing::Blocked,
        () => Standing::Goes,
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

    /// A plan with one operation of each effect, all of them about the same user or group, held to a policy.
    fn judged(purpose: Purpose, policy: Policy) -> Plan {
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
            Purpose::Offboard { user_id },
            Purpose::Undo { run: "r".to_owned() },
        ]
    }

    #[test]
    fn a_protected_user_keeps_every_membership_and_may_be_given_more_whatever_the_plan_is_for() {
        for purpose in purposes() {
            let protect = Protected { users: vec!["user_1".to_owned()], groups: Vec::new() };
            let plan = judged(purpose, Policy { protect, ..Policy::default() });
            assert_eq!(
                standings(&plan, &Approval::None),
                [Standing::Goes, Standing::Goes, Standing::Goes, Standing::Protected]
            );
        }
    }

    #[test]
    fn a_protected_group_keeps_its_name_and_its_members_whatever_the_plan_is_for() {
        for purpose in purposes() {
            let protect = Protected { users: Vec::new(), groups: vec!["New".to_owned()] };
            let plan = judged(purpose, Policy { protect, ..Policy::default() });
            assert_eq!(standings(&plan, &Approval::Digest(plan.digest.clone())), vec![Standing::Blocked; 4]);
        }
    }

    #[test]
    fn a_limit_on_all_groups_blocks_what_revokes_and_nothing_else_until_it_is_accepted() {
        use Standing::{Blocked, Goes};
        for purpose in purposes() {
            let plan = judged(purpose, Policy { max_remove: Some(NO_REMOVAL), ..Policy::default() });
            assert_eq!(standings(&plan, &Approval::None), [Goes, Goes, Goes, Blocked]);
            assert_eq!(standings(&plan, &Approval::Removals(1)), vec![Goes; 4]);
        }
    }
}
