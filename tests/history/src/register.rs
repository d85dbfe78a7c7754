//! Checks one membership as a register: searches for an instant for each call such that they explain all answers.
//!
//! The search processes the starts and ends of calls in order of time. It tracks every state that some choice of
//! instants leads to: whether the user is a member, and which of the running calls have taken effect. A call that ends
//! with an answer must have taken effect. If no state remains, there are no such instants.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::{
    history::{Call, End, History, Outcome, Pair},
    violation::Violation,
};

/// The maximum number of concurrent answered calls: one for each client.
const UNDER_WAY_MAX: usize = 64;
/// How many calls before a contradiction are shown.
const CALLS_SHOWN: usize = 12;

/// The possible states of a membership over time.
pub(crate) struct Register {
    /// From each instant until the next: its possible states.
    states: Vec<(u64, Possible)>,
    pub(crate) violation: Option<Violation>,
}

/// The possible states of a membership at an instant, given the calls up to then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Possible {
    member: bool,
    non_member: bool,
}

impl Register {
    /// Whether this state is possible right after this instant.
    pub(crate) fn may_be(&self, at: u64, member: bool) -> bool {
        let state = self.states.partition_point(|(from, _)| *from <= at).saturating_sub(1);
        self.states
            .get(state)
            .is_none_or(|(_, possible)| if member { possible.member } else { possible.non_member })
    }

    /// The instants between two at which its possible states change, and the first of the two.
    pub(crate) fn instants(&self, from: u64, to: u64) -> impl Iterator<Item = u64> + '_ {
        let changes = self.states.iter().map(|(at, _)| *at).filter(move |at| (from..to).contains(at));
        std::iter::once(from).chain(changes)
    }

    /// Whether the user was certainly a member during the whole time between two instants.
    pub(crate) fn is_certain(&self, from: u64, to: u64) -> bool {
        self.violation.is_none() && self.instants(from, to).all(|at| !self.may_be(at, false))
    }
}

/// The registers of all pairs of a history.
pub(crate) fn registers(history: &History) -> BTreeMap<Pair, Register> {
    let mut operations: BTreeMap<Pair, Vec<Operation<'_>>> =
        history.members.iter().map(|pair| (*pair, Vec::new())).collect();
    for call in &history.calls {
        match &call.outcome {
            Outcome::Added(pair) => {
                operations.entry(*pair).or_default().push(Operation { call, effect: Effect::Add })
            }
            Outcome::Removed(pair) => {
                operations.entry(*pair).or_default().push(Operation { call, effect: Effect::Remove })
            }
            Outcome::Found(pair, member) => {
                operations.entry(*pair).or_default().push(Operation { call, effect: Effect::Find(*member) });
            }
            Outcome::Listed(page) => {
                for (pair, member) in page.covered(history.users) {
                    operations
                        .entry(pair)
                        .or_default()
                        .push(Operation { call, effect: Effect::Find(member) });
                }
            }
        }
    }
    let register = |(pair, operations): (Pair, Vec<Operation<'_>>)| {
        (pair, search(pair, history.members.contains(&pair), &operations))
    };
    operations.into_iter().map(register).collect()
}

/// The effect of a call on one pair.
#[derive(Clone, Copy)]
struct Operation<'a> {
    call: &'a Call,
    effect: Effect,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    Add,
    Remove,
    Find(bool),
}

/// A possible state between two instants.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Configuration {
    member: bool,
    /// The running answered calls that have taken effect, as bits by their slot.
    done: u64,
    /// How many unanswered calls have taken effect. Those of one kind are interchangeable.
    adds: u32,
    removes: u32,
}

/// The running calls.
struct UnderWay {
    answered: [Option<Effect>; UNDER_WAY_MAX],
    adds: u32,
    removes: u32,
}

impl UnderWay {
    /// The states after one more call takes effect.
    fn next(&self, from: Configuration) -> impl Iterator<Item = Configuration> + '_ {
        let answered = self.answered.iter().enumerate().filter_map(move |(place, effect)| {
            let done = from.done | (1 << place);
            let member = match (*effect)? {
                _ if done == from.done => return None,
                Effect::Add => true,
                Effect::Remove if from.member => false,
                Effect::Find(member) if member == from.member => member,
                Effect::Remove | Effect::Find(_) => return None,
            };
            Some(Configuration { member, done, ..from })
        });
        // An unanswered call without an effect on the state need not be considered.
        let add = (!from.member && from.adds < self.adds).then_some(Configuration {
            member: true,
            adds: from.adds + 1,
            ..from
        });
        let remove = (from.member && from.removes < self.removes).then_some(Configuration {
            member: false,
            removes: from.removes + 1,
            ..from
        });
        answered.chain(add).chain(remove)
    }

    /// All states that are reachable before the next start or end.
    fn reach(&self, configurations: &HashSet<Configuration>) -> HashSet<Configuration> {
        let mut reached = configurations.clone();
        let mut last: Vec<Configuration> = configurations.iter().copied().collect();
        while let Some(configuration) = last.pop() {
            last.extend(self.next(configuration).filter(|next| reached.insert(*next)));
        }
        reached
    }
}

/// The start or the end of an operation, by its index.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Moment {
    Begin(usize),
    End(usize),
}

fn moments(operations: &[Operation<'_>]) -> BTreeSet<(u64, Moment)> {
    let mut moments = BTreeSet::new();
    for (number, Operation { call, effect }) in operations.iter().enumerate() {
        // A read without an answer contains no information.
        if matches!(effect, Effect::Find(_)) && !call.is_answered() {
            continue;
        }
        moments.insert((call.begun, Moment::Begin(number)));
        if call.ended != End::Unknown {
            moments.insert((call.latest(), Moment::End(number)));
        }
    }
    moments
}

fn search(pair: Pair, member: bool, operations: &[Operation<'_>]) -> Register {
    let mut under_way = UnderWay { answered: [None; UNDER_WAY_MAX], adds: 0, removes: 0 };
    let mut places = vec![0; operations.len()];
    let mut configurations = HashSet::from([Configuration { member, done: 0, adds: 0, removes: 0 }]);
    let mut states = vec![(0, Possible { member, non_member: !member })];
    for (at, moment) in moments(operations) {
        match moment {
            Moment::Begin(number) => begin(&mut under_way, operations[number], &mut places[number]),
            Moment::End(number) => {
                let reached = under_way.reach(&configurations);
                let Operation { call, effect } = operations[number];
                configurations = if call.is_answered() {
                    under_way.answered[places[number]] = None;
                    answered(&reached, places[number])
                } else {
                    cut_off(&mut under_way, &reached, effect)
                };
                if configurations.is_empty() {
                    let earlier_calls = last_calls(operations, at);
                    let violation = Violation::NotLinearizable { pair, call: call.clone(), earlier_calls };
                    return Register { states, violation: Some(violation) };
                }
            }
        }
        let reached = under_way.reach(&configurations);
        let may_be = |member| reached.iter().any(|configuration| configuration.member == member);
        states.push((at, Possible { member: may_be(true), non_member: may_be(false) }));
    }
    Register { states, violation: None }
}

fn begin(under_way: &mut UnderWay, operation: Operation<'_>, place: &mut usize) {
    match (operation.call.is_answered(), operation.effect) {
        (true, effect) => {
            let free = under_way.answered.iter().position(Option::is_none);
            *place = free.expect("a history has at most 64 clients, each with one call at a time");
            under_way.answered[*place] = Some(effect);
        }
        (false, Effect::Add) => under_way.adds += 1,
        (false, Effect::Remove) => under_way.removes += 1,
        (false, Effect::Find(_)) => {}
    }
}

/// The remaining states when the call in `place` is answered: those in which it has taken effect.
fn answered(reached: &HashSet<Configuration>, place: usize) -> HashSet<Configuration> {
    let taken = reached.iter().filter(|configuration| configuration.done & (1 << place) != 0);
    taken
        .map(|configuration| Configuration { done: configuration.done & !(1 << place), ..*configuration })
        .collect()
}

/// The remaining states when an unanswered call can no longer take effect: those in which it has, and those in which it
/// has not.
fn cut_off(
    under_way: &mut UnderWay,
    reached: &HashSet<Configuration>,
    effect: Effect,
) -> HashSet<Configuration> {
    let mut left = HashSet::new();
    let is_add = effect == Effect::Add;
    if is_add {
        under_way.adds -= 1;
    } else {
        under_way.removes -= 1;
    }
    for configuration in reached {
        let (adds, removes) = (configuration.adds, configuration.removes);
        if adds <= under_way.adds && removes <= under_way.removes {
            left.insert(*configuration);
        }
        if is_add && adds > 0 {
            left.insert(Configuration { adds: adds - 1, ..*configuration });
        }
        if !is_add && removes > 0 {
            left.insert(Configuration { removes: removes - 1, ..*configuration });
        }
    }
    left
}

/// The last calls about a pair that started by an instant.
fn last_calls(operations: &[Operation<'_>], at: u64) -> Vec<Call> {
    let mut calls: Vec<Call> = operations
        .iter()
        .filter(|operation| operation.call.begun <= at)
        .map(|operation| operation.call.clone())
        .collect();
    calls.sort_by_key(|call| call.begun);
    calls.split_off(calls.len().saturating_sub(CALLS_SHOWN))
}
