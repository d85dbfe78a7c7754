//! The order of the operations of a run.
//!
//! Pure: results in, operations to start out. Groups are created and renamed before users are added, and additions come
//! before removals. The removals of a user wait for the additions of that user, and are held if one of them fails: a
//! user who moves never loses both memberships. The rights of a person are changed one after the other, in the order of
//! the plan.

use std::collections::{HashMap, HashSet, VecDeque};

use openai_admin::UserId;

use crate::plan::{
    document::Plan,
    operation::{Effect, Operation},
};
use crate::{run::rights, service::lanes::Lane};

/// The order of the operations of a run.
#[derive(Debug)]
pub struct Schedule {
    /// The lanes, in order of preference.
    lanes: Vec<Lane>,
    ready: HashMap<Lane, VecDeque<usize>>,
    /// The operations that wait for the creation of their group, by group.
    waiting_for_group: HashMap<usize, Vec<usize>>,
    /// The users who are removed from a group: their unfinished additions, and the removals that wait for them.
    users: HashMap<UserId, UserState>,
    group_of: Vec<usize>,
    effect_of: Vec<Effect>,
    lane_of: Vec<Lane>,
    /// The operation on a right that follows another one of the same person.
    next_right: HashMap<usize, usize>,
    /// The user of each addition and removal, only for users who are removed from a group.
    user_of: HashMap<usize, UserId>,
    left: usize,
}

#[derive(Debug, Default)]
struct UserState {
    additions: usize,
    failed: bool,
    removals: Vec<usize>,
}

/// The operations that are held because another one failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Their numbers.
    pub operations: Vec<usize>,
}

impl Schedule {
    /// Orders the operations `todo` of a plan, given by number.
    pub fn new(plan: &Plan, todo: &[usize]) -> Self {
        let mut group_of = Vec::new();
        for (index, group) in plan.groups.iter().enumerate() {
            group_of.extend(std::iter::repeat_n(index, group.operations.len()));
        }
        let operations: Vec<&Operation> = plan.operations().map(|(_, operation)| operation).collect();
        let user_of = if plan.revoke_first { HashMap::new() } else { users_who_move(plan, todo) };
        let mut lanes = Vec::new();
        // The first operation of a lane gives its place, and rights come after groups.
        let mut in_order: Vec<usize> = todo.to_vec();
        in_order.sort_by_key(|number| {
            let operation = operations[*number];
            let is_first = plan.revoke_first && operation.is(Effect::Revoke);
            (operation.right().is_some(), !is_first, operation.effect())
        });
        for lane in in_order.into_iter().map(|number| rights::lane(operations[number])) {
            if !lanes.contains(&lane) {
                lanes.push(lane);
            }
        }
        let mut schedule = Self {
            lanes,
            ready: HashMap::new(),
            waiting_for_group: HashMap::new(),
            users: HashMap::new(),
            group_of,
            effect_of: operations.iter().map(|operation| operation.effect()).collect(),
            lane_of: operations.iter().map(|operation| rights::lane(operation)).collect(),
            next_right: HashMap::new(),
            user_of,
            left: todo.len(),
        };
        let (of_groups, of_rights): (Vec<usize>, Vec<usize>) =
            todo.iter().partition(|number| **number < plan.first_right());
        schedule.queue(&of_groups);
        schedule.queue_rights(&operations, &of_rights);
        schedule
    }

    /// Queues the first operation of each person, followed by the others of the person.
    fn queue_rights(&mut self, operations: &[&Operation], todo: &[usize]) {
        let mut last_of: HashMap<&str, usize> = HashMap::new();
        for number in todo.iter().copied() {
            let who = operations[number].user_id().map(UserId::as_str).or(operations[number].email());
            match last_of.insert(who.unwrap_or_default(), number) {
                Some(last) => drop(self.next_right.insert(last, number)),
                None => self.make_ready(number),
            }
        }
    }

    fn make_ready(&mut self, operation: usize) {
        self.ready.entry(self.lane_of[operation]).or_default().push_back(operation);
    }

    fn queue(&mut self, todo: &[usize]) {
        let created: HashMap<usize, ()> = todo
            .iter()
            .filter(|operation| self.effect_of[**operation] == Effect::Create)
            .map(|operation| (self.group_of[*operation], ()))
            .collect();
        for operation in todo.iter().copied().filter(|operation| self.effect_of[*operation] == Effect::Grant)
        {
            if let Some(user) = self.user_of.get(&operation) {
                self.users.entry(user.clone()).or_default().additions += 1;
            }
        }
        for operation in todo.iter().copied() {
            let (effect, group) = (self.effect_of[operation], self.group_of[operation]);
            let user = self.user_of.get(&operation).filter(|_| effect == Effect::Revoke);
            let waits_for = user.and_then(|user| self.users.get_mut(user));
            if effect != Effect::Create && created.contains_key(&group) {
                self.waiting_for_group.entry(group).or_default().push(operation);
            } else if let Some(state) = waits_for {
                state.removals.push(operation);
            } else {
                self.make_ready(operation);
            }
        }
    }

    /// The lanes with an operation that is ready, in order of preference.
    pub fn lanes(&self) -> Vec<Lane> {
        let is_ready = |lane: &&Lane| self.ready.get(lane).is_some_and(|ready| !ready.is_empty());
        self.lanes.iter().filter(is_ready).copied().collect()
    }

    /// Takes the next operation of this lane.
    pub fn take(&mut self, lane: Lane) -> Option<usize> {
        self.ready.get_mut(&lane)?.pop_front()
    }

    /// Puts an operation back as the next one of its lane.
    pub fn put_back(&mut self, operation: usize) {
        self.ready.entry(self.lane_of[operation]).or_default().push_front(operation);
    }

    /// The number of operations without a result.
    pub fn left(&self) -> usize {
        self.left
    }

    /// Records that an operation ended. Returns the operations that are held because it failed.
    pub fn ended(&mut self, operation: usize, succeeded: bool) -> Held {
        self.left = self.left.saturating_sub(1);
        let mut held = Held::default();
        if operation >= self.group_of.len() {
            // Also after a failure: each right that ends is one less.
            if let Some(next) = self.next_right.remove(&operation) {
                self.make_ready(next);
            }
            return held;
        }
        match self.effect_of[operation] {
            Effect::Create => {
                let waiting = self.waiting_for_group.remove(&self.group_of[operation]).unwrap_or_default();
                if succeeded {
                    for operation in waiting {
                        self.make_ready(operation);
                    }
                } else {
                    // No user was added: hold the operations that wait for these additions.
                    for operation in waiting {
                        held.operations.push(operation);
                        held.operations.extend(self.ended(operation, false).operations);
                    }
                }
            }
            Effect::Grant => {
                let Some(user) = self.user_of.get(&operation) else { return held };
                let Some(state) = self.users.get_mut(user) else { return held };
                state.additions = state.additions.saturating_sub(1);
                state.failed |= !succeeded;
                if state.additions == 0 {
                    let (failed, removals) = (state.failed, std::mem::take(&mut state.removals));
                    if failed {
                        self.left = self.left.saturating_sub(removals.len());
                        held.operations.extend(removals);
                    } else {
                        removals.into_iter().for_each(|removal| self.make_ready(removal));
                    }
                }
            }
            Effect::Rename | Effect::Revoke => {}
        }
        held
    }
}

/// The user of each addition and removal, for users with at least one removal: only their operations wait.
fn users_who_move(plan: &Plan, todo: &[usize]) -> HashMap<usize, UserId> {
    let operations: Vec<&Operation> = plan.operations().map(|(_, operation)| operation).collect();
    let removed: HashSet<&UserId> = todo
        .iter()
        .map(|number| operations[*number])
        .filter(|operation| operation.is(Effect::Revoke) && operation.right().is_none())
        .filter_map(Operation::user_id)
        .collect();
    let user = |number: &usize| {
        let operation = Some(operations[*number]).filter(|operation| operation.right().is_none());
        let user = operation?.user_id().filter(|user| removed.contains(user))?;
        Some((*number, user.clone()))
    };
    todo.iter().filter_map(user).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        input::max_remove::MaxRemove,
        plan::{
            group_plan::GroupPlan,
            operation::Why,
            planning::{PlanOptions, assemble},
            right::Right,
            source::Origin,
        },
    };

    fn plan(groups: &[&[Operation]], revoke_first: bool) -> Plan {
        let groups = groups.iter().map(|operations| {
            let mut group = GroupPlan::new("G", MaxRemove::OF_GROUP);
            group.operations = operations.to_vec();
            group
        });
        let options = PlanOptions { revoke_first, ..PlanOptions::at(jiff::Timestamp::UNIX_EPOCH) };
        assemble(
            &crate::plan::desired::Desired::default(),
            &crate::service::current::Snapshot::default(),
            groups.collect(),
            &options,
        )
    }

    fn add(user: &str) -> Operation {
        Operation::add_user(user.parse().expect("an id"), None, Why::Listed, Origin::default())
    }

    fn remove(user: &str) -> Operation {
        Operation::remove_user(user.parse().expect("an id"), None, Why::Listed, Origin::default())
    }

    fn create() -> Operation {
        Operation::create_group("G".to_owned(), Why::Listed, Origin::default())
    }

    /// What may be started now, in the order in which it would be.
    fn ready(schedule: &mut Schedule) -> Vec<usize> {
        let mut ready = Vec::new();
        for lane in schedule.lanes() {
            while let Some(operation) = schedule.take(lane) {
                ready.push(operation);
            }
        }
        ready
    }

    #[test]
    fn a_removal_waits_for_the_additions_of_its_user() {
        let plan = plan(&[&[remove("a"), remove("b")], &[add("a")]], false);
        let mut schedule = Schedule::new(&plan, &[0, 1, 2]);
        assert_eq!(ready(&mut schedule), [2, 1]);
        assert_eq!(schedule.ended(2, true), Held::default());
        assert_eq!(ready(&mut schedule), [0]);
    }

    #[test]
    fn a_removal_is_held_if_an_addition_of_its_user_fails() {
        let plan = plan(&[&[remove("a")], &[add("a")], &[add("a")]], false);
        let mut schedule = Schedule::new(&plan, &[0, 1, 2]);
        assert_eq!(ready(&mut schedule), [1, 2]);
        assert_eq!(schedule.ended(1, false), Held::default());
        assert_eq!(schedule.ended(2, true).operations, [0]);
        assert_eq!((ready(&mut schedule), schedule.left()), (Vec::new(), 0));
    }

    #[test]
    fn operations_wait_for_their_group_and_are_held_if_its_creation_fails() {
        let plan = plan(&[&[create(), add("a")], &[remove("a")]], false);
        let mut schedule = Schedule::new(&plan, &[0, 1, 2]);
        assert_eq!(ready(&mut schedule), [0]);
        assert_eq!(schedule.ended(0, false).operations, [1, 2]);
        let mut schedule = Schedule::new(&plan, &[0, 1, 2]);
        assert_eq!(ready(&mut schedule), [0]);
        assert_eq!(schedule.ended(0, true), Held::default());
        assert_eq!(ready(&mut schedule), [1]);
        schedule.put_back(1);
        assert_eq!(ready(&mut schedule), [1]);
        schedule.ended(1, true);
        assert_eq!(ready(&mut schedule), [2]);
    }

    #[test]
    fn with_revoke_first_removals_wait_for_nothing() {
        let plan = plan(&[&[remove("a")], &[add("a")]], true);
        assert_eq!(ready(&mut Schedule::new(&plan, &[0, 1])), [0, 1]);
    }

    #[test]
    fn the_rights_of_a_person_end_one_after_the_other_also_after_a_failure() {
        let end = |user: &str| {
            Operation::end_right(
                user.parse().expect("an id"),
                None,
                Right::Owner,
                Why::Listed,
                Origin::default(),
            )
        };
        let mut plan = plan(&[&[remove("a")]], true);
        plan.rights = vec![end("a"), end("a"), end("b")];
        let mut schedule = Schedule::new(&plan, &[0, 1, 2, 3]);
        assert_eq!(ready(&mut schedule), [0, 1, 3]);
        schedule.ended(1, false);
        assert_eq!((ready(&mut schedule), schedule.left()), (vec![2], 3));
    }
}
