//! In which order operations are done.
//!
//! Pure: results come in, and what may be started next comes out. Groups are created and renamed before anybody is
//! added, additions go before removals, and a user's removals wait for that user's additions and are held when one of
//! them failed: a move never leaves somebody with nothing.

use std::collections::{HashMap, HashSet, VecDeque};

use openai_admin::UserId;

use crate::plan::{Action, Plan};

/// The kinds of operations, in the order in which they are preferred. Each has a lane of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Creating groups.
    Create,
    /// Renaming groups.
    Rename,
    /// Adding users.
    Add,
    /// Removing users.
    Remove,
}

impl Kind {
    /// The kind of an action.
    pub fn of(action: &Action) -> Self {
        match action {
            Action::CreateGroup { .. } => Self::Create,
            Action::RenameGroup { .. } => Self::Rename,
            Action::AddUser { .. } => Self::Add,
            Action::RemoveUser { .. } => Self::Remove,
        }
    }
}

/// The order of a run.
#[derive(Debug)]
pub struct Schedule {
    kinds: [Kind; 4],
    ready: HashMap<Kind, VecDeque<usize>>,
    /// By group: what waits for its creation.
    waiting_for_group: HashMap<usize, Vec<usize>>,
    /// By user who is removed somewhere: how many of their additions are not done yet, whether one failed, and what
    /// waits for them.
    users: HashMap<UserId, UserState>,
    group_of: Vec<usize>,
    kind_of: Vec<Kind>,
    /// The additions and removals of those whose removals wait: few of many.
    user_of: HashMap<usize, UserId>,
    left: usize,
}

#[derive(Debug, Default)]
struct UserState {
    additions: usize,
    failed: bool,
    removals: Vec<usize>,
}

/// What an operation's end means for others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Operations that are not done because of it.
    pub operations: Vec<usize>,
}

impl Schedule {
    /// Orders those operations of a plan, by their numbers, that are to be done.
    pub fn new(plan: &Plan, todo: &[usize]) -> Self {
        let mut group_of = Vec::new();
        let mut kind_of = Vec::new();
        for (place, group) in plan.groups.iter().enumerate() {
            for operation in &group.operations {
                group_of.push(place);
                kind_of.push(Kind::of(&operation.action));
            }
        }
        let user_of = if plan.revoke_first { HashMap::new() } else { users_who_move(plan, todo) };
        let kinds = if plan.revoke_first {
            [Kind::Remove, Kind::Create, Kind::Rename, Kind::Add]
        } else {
            [Kind::Create, Kind::Rename, Kind::Add, Kind::Remove]
        };
        let mut schedule = Self {
            kinds,
            ready: HashMap::new(),
            waiting_for_group: HashMap::new(),
            users: HashMap::new(),
            group_of,
            kind_of,
            user_of,
            left: todo.len(),
        };
        schedule.queue(todo);
        schedule
    }

    fn queue(&mut self, todo: &[usize]) {
        let created: HashMap<usize, ()> = todo
            .iter()
            .filter(|operation| self.kind_of[**operation] == Kind::Create)
            .map(|operation| (self.group_of[*operation], ()))
            .collect();
        for operation in todo.iter().copied().filter(|operation| self.kind_of[*operation] == Kind::Add) {
            if let Some(user) = self.user_of.get(&operation) {
                self.users.entry(user.clone()).or_default().additions += 1;
            }
        }
        for operation in todo.iter().copied() {
            let (kind, group) = (self.kind_of[operation], self.group_of[operation]);
            let user = self.user_of.get(&operation).filter(|_| kind == Kind::Remove);
            let waits_for = user.and_then(|user| self.users.get_mut(user));
            if kind != Kind::Create && created.contains_key(&group) {
                self.waiting_for_group.entry(group).or_default().push(operation);
            } else if let Some(state) = waits_for {
                state.removals.push(operation);
            } else {
                self.ready.entry(kind).or_default().push_back(operation);
            }
        }
    }

    /// The kinds, the preferred first.
    pub fn kinds(&self) -> [Kind; 4] {
        self.kinds
    }

    /// Whether something of this kind may be started.
    pub fn has(&self, kind: Kind) -> bool {
        self.ready.get(&kind).is_some_and(|ready| !ready.is_empty())
    }

    /// Takes the next operation of this kind.
    pub fn take(&mut self, kind: Kind) -> Option<usize> {
        self.ready.get_mut(&kind)?.pop_front()
    }

    /// Puts an operation back: it is the next of its kind again.
    pub fn put_back(&mut self, operation: usize) {
        self.ready.entry(self.kind_of[operation]).or_default().push_front(operation);
    }

    /// How many operations have no result yet.
    pub fn left(&self) -> usize {
        self.left
    }

    /// An operation has ended. Gives those that cannot be done because it failed.
    pub fn ended(&mut self, operation: usize, well: bool) -> Held {
        self.left = self.left.saturating_sub(1);
        let mut held = Held::default();
        match self.kind_of[operation] {
            Kind::Create => {
                let waiting = self.waiting_for_group.remove(&self.group_of[operation]).unwrap_or_default();
                if well {
                    for operation in waiting {
                        self.ready.entry(self.kind_of[operation]).or_default().push_back(operation);
                    }
                } else {
                    // Nobody was added: whoever waits for that waits for nothing.
                    for operation in waiting {
                        held.operations.push(operation);
                        held.operations.extend(self.ended(operation, false).operations);
                    }
                }
            }
            Kind::Add => {
                let Some(user) = self.user_of.get(&operation) else { return held };
                let Some(state) = self.users.get_mut(user) else { return held };
                state.additions = state.additions.saturating_sub(1);
                state.failed |= !well;
                if state.additions == 0 {
                    let (failed, removals) = (state.failed, std::mem::take(&mut state.removals));
                    if failed {
                        self.left = self.left.saturating_sub(removals.len());
                        held.operations.extend(removals);
                    } else {
                        self.ready.entry(Kind::Remove).or_default().extend(removals);
                    }
                }
            }
            Kind::Rename | Kind::Remove => {}
        }
        held
    }
}

/// The user of each addition and removal, of those users who have one that is a removal: only they wait.
fn users_who_move(plan: &Plan, todo: &[usize]) -> HashMap<usize, UserId> {
    let actions: Vec<&Action> = plan.operations().map(|(_, operation)| &operation.action).collect();
    let removed: HashSet<&UserId> = todo
        .iter()
        .map(|operation| actions[*operation])
        .filter(|action| action.is_remove())
        .filter_map(Action::user_id)
        .collect();
    let user = |operation: &usize| {
        let user = actions[*operation].user_id().filter(|user| removed.contains(user))?;
        Some((*operation, user.clone()))
    };
    todo.iter().filter_map(user).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        desired::Origin,
        file::MaxRemove,
        plan::{GroupPlan, Operation, Why},
        planning::{PlanOptions, assemble},
    };

    fn plan(groups: &[&[Action]], revoke_first: bool) -> Plan {
        let groups = groups.iter().map(|actions| {
            let mut group = GroupPlan::new("G", MaxRemove::OF_GROUP);
            let operation = |action: &Action| Operation::new(action.clone(), Why::Listed, Origin::default());
            group.operations = actions.iter().map(operation).collect();
            group
        });
        let options = PlanOptions { revoke_first, ..PlanOptions::at(jiff::Timestamp::UNIX_EPOCH) };
        assemble(
            &crate::desired::Desired::default(),
            &crate::current::Snapshot::default(),
            groups.collect(),
            &options,
        )
    }

    fn add(user: &str) -> Action {
        Action::AddUser { user_id: user.parse().expect("an id"), email: None }
    }

    fn remove(user: &str) -> Action {
        Action::RemoveUser { user_id: user.parse().expect("an id"), email: None }
    }

    fn create() -> Action {
        Action::CreateGroup { name: "G".to_owned() }
    }

    /// What may be started now, in the order in which it would be.
    fn ready(schedule: &mut Schedule) -> Vec<usize> {
        let mut ready = Vec::new();
        for kind in schedule.kinds() {
            while let Some(operation) = schedule.take(kind) {
                ready.push(operation);
            }
        }
        ready
    }

    #[test]
    fn additions_go_first_and_a_removal_waits_for_those_of_its_user() {
        let plan = plan(&[&[remove("a"), remove("b")], &[add("a")]], false);
        let mut schedule = Schedule::new(&plan, &[0, 1, 2]);
        assert_eq!(ready(&mut schedule), [2, 1]);
        assert_eq!(schedule.ended(2, true), Held::default());
        assert_eq!(ready(&mut schedule), [0]);
    }

    #[test]
    fn a_removal_is_held_when_an_addition_of_its_user_failed() {
        let plan = plan(&[&[remove("a")], &[add("a")], &[add("a")]], false);
        let mut schedule = Schedule::new(&plan, &[0, 1, 2]);
        assert_eq!(ready(&mut schedule), [1, 2]);
        assert_eq!(schedule.ended(1, false), Held::default());
        assert_eq!(schedule.ended(2, true).operations, [0]);
        assert_eq!((ready(&mut schedule), schedule.left()), (Vec::new(), 0));
    }

    #[test]
    fn people_wait_for_their_group_and_what_waits_for_them_is_held_without_it() {
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
    fn who_is_revoked_first_waits_for_nothing() {
        let plan = plan(&[&[remove("a")], &[add("a")]], true);
        assert_eq!(ready(&mut Schedule::new(&plan, &[0, 1])), [0, 1]);
    }
}
