//! The order of the operations of a run.
//!
//! Pure: results in, operations to start out. Groups are created and renamed before users are added, and additions come
//! before removals. The removals of a user wait for the additions of that user, and are held if one of them fails: a
//! user who moves never loses both memberships.

use std::collections::{HashMap, HashSet, VecDeque};

use openai_admin::UserId;

use crate::plan::{
    document::Plan,
    operation::{Effect, Operation},
};

/// The order of the operations of a run.
#[derive(Debug)]
pub struct Schedule {
    /// The effects, in order of preference. Each has a separate lane.
    effects: [Effect; 4],
    ready: HashMap<Effect, VecDeque<usize>>,
    /// The operations that wait for the creation of their group, by group.
    waiting_for_group: HashMap<usize, Vec<usize>>,
    /// The users who are removed from a group: their unfinished additions, and the removals that wait for them.
    users: HashMap<UserId, UserState>,
    group_of: Vec<usize>,
    effect_of: Vec<Effect>,
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
        let mut effect_of = Vec::new();
        for (index, group) in plan.groups.iter().enumerate() {
            for operation in &group.operations {
                group_of.push(index);
                effect_of.push(operation.effect());
            }
        }
        let user_of = if plan.revoke_first { HashMap::new() } else { users_who_move(plan, todo) };
        let effects = if plan.revoke_first {
            [Effect::Revoke, Effect::Create, Effect::Rename, Effect::Grant]
        } else {
            [Effect::Create, Effect::Rename, Effect::Grant, Effect::Revoke]
        };
        let mut schedule = Self {
            effects,
            ready: HashMap::new(),
            waiting_for_group: HashMap::new(),
            users: HashMap::new(),
            group_of,
            effect_of,
            user_of,
            left: todo.len(),
        };
        schedule.queue(todo);
        schedule
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
                self.ready.entry(effect).or_default().push_back(operation);
            }
        }
    }

    /// The effects, in order of preference.
    pub fn effects(&self) -> [Effect; 4] {
        self.effects
    }

    /// Whether an operation with this effect is ready.
    pub fn has(&self, effect: Effect) -> bool {
        self.ready.get(&effect).is_some_and(|ready| !ready.is_empty())
    }

    /// Takes the next operation with this effect.
    pub fn take(&mut self, effect: Effect) -> Option<usize> {
        self.ready.get_mut(&effect)?.pop_front()
    }

    /// Puts an operation back as the next one with its effect.
    pub fn put_back(&mut self, operation: usize) {
        self.ready.entry(self.effect_of[operation]).or_default().push_front(operation);
    }

    /// The number of operations without a result.
    pub fn left(&self) -> usize {
        self.left
    }

    /// Records that an operation ended. Returns the operations that are held because it failed.
    pub fn ended(&mut self, operation: usize, succeeded: bool) -> Held {
        self.left = self.left.saturating_sub(1);
        let mut held = Held::default();
        match self.effect_of[operation] {
            Effect::Create => {
                let waiting = self.waiting_for_group.remove(&self.group_of[operation]).unwrap_or_default();
                if succeeded {
                    for operation in waiting {
                        self.ready.entry(self.effect_of[operation]).or_default().push_back(operation);
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
                        self.ready.entry(Effect::Revoke).or_default().extend(removals);
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
        .filter(|operation| operation.is(Effect::Revoke))
        .filter_map(Operation::user_id)
        .collect();
    let user = |number: &usize| {
        let user = operations[*number].user_id().filter(|user| removed.contains(user))?;
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
        for effect in schedule.effects() {
            while let Some(operation) = schedule.take(effect) {
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
}
