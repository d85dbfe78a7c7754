//! One membership as a register: is there an instant for each call that explains every answer?
//!
//! The search goes through the beginnings and ends of calls in the order of time, and keeps every situation that some
//! choice of instants leads to: whether the user is a member, and which of the calls under way have taken effect. A call
//! that ends with an answer must have; when no situation is left, there are no such instants.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::{
    history::{Call, End, History, Pair, What},
    violation::Violation,
};

/// How many answered calls may be under way at once: one for each client.
const UNDER_WAY_MAX: usize = 64;
/// How many calls before a contradiction are told.
const CALLS_TOLD: usize = 12;

/// What is known of a membership over time.
pub(crate) struct Register {
    /// From each instant to the next: what it may be.
    states: Vec<(u64, May)>,
    pub(crate) violation: Option<Violation>,
}

/// What a membership may be at an instant, seen from the calls up to then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct May {
    be: bool,
    not_be: bool,
}

impl Register {
    /// Whether it may have been so right after this instant.
    pub(crate) fn may_be(&self, at: u64, member: bool) -> bool {
        let state = self.states.partition_point(|(from, _)| *from <= at).saturating_sub(1);
        self.states.get(state).is_none_or(|(_, may)| if member { may.be } else { may.not_be })
    }

    /// The instants between two at which what is known of it changes, the first of the two included.
    pub(crate) fn instants(&self, from: u64, to: u64) -> impl Iterator<Item = u64> + '_ {
        let changes = self.states.iter().map(|(at, _)| *at).filter(move |at| (from..to).contains(at));
        std::iter::once(from).chain(changes)
    }

    /// Whether the user was a member all the time between two instants, without doubt.
    pub(crate) fn is_certain(&self, from: u64, to: u64) -> bool {
        self.violation.is_none() && self.instants(from, to).all(|at| !self.may_be(at, false))
    }
}

/// The register of every pair of a history.
pub(crate) fn registers(history: &History) -> BTreeMap<Pair, Register> {
    let mut looks: BTreeMap<Pair, Vec<Look<'_>>> =
        history.members.iter().map(|pair| (*pair, Vec::new())).collect();
    for call in &history.calls {
        match &call.what {
            What::Added(pair) => looks.entry(*pair).or_default().push(Look { call, does: Does::Add }),
            What::Removed(pair) => looks.entry(*pair).or_default().push(Look { call, does: Does::Remove }),
            What::Found(pair, member) => {
                looks.entry(*pair).or_default().push(Look { call, does: Does::Find(*member) });
            }
            What::Listed(page) => {
                for (pair, member) in page.covered(history.users) {
                    looks.entry(pair).or_default().push(Look { call, does: Does::Find(member) });
                }
            }
        }
    }
    let register =
        |(pair, looks): (Pair, Vec<Look<'_>>)| (pair, search(pair, history.members.contains(&pair), &looks));
    looks.into_iter().map(register).collect()
}

/// What a call means to one pair.
#[derive(Clone, Copy)]
struct Look<'a> {
    call: &'a Call,
    does: Does,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Does {
    Add,
    Remove,
    Find(bool),
}

/// One way in which it may stand between two instants.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Situation {
    member: bool,
    /// The answered calls under way that have taken effect, by their place.
    done: u64,
    /// How many of the calls that were cut off have taken effect. Those of one kind cannot be told apart.
    adds: u32,
    removes: u32,
}

/// The calls under way.
struct UnderWay {
    answered: [Option<Does>; UNDER_WAY_MAX],
    adds: u32,
    removes: u32,
}

impl UnderWay {
    /// The situations that follow when one more call takes effect.
    fn next(&self, from: Situation) -> impl Iterator<Item = Situation> + '_ {
        let answered = self.answered.iter().enumerate().filter_map(move |(place, does)| {
            let done = from.done | (1 << place);
            let member = match (*does)? {
                _ if done == from.done => return None,
                Does::Add => true,
                Does::Remove if from.member => false,
                Does::Find(member) if member == from.member => member,
                Does::Remove | Does::Find(_) => return None,
            };
            Some(Situation { member, done, ..from })
        });
        // A call that was cut off and changes nothing may as well not have taken effect.
        let add = (!from.member && from.adds < self.adds).then_some(Situation {
            member: true,
            adds: from.adds + 1,
            ..from
        });
        let remove = (from.member && from.removes < self.removes).then_some(Situation {
            member: false,
            removes: from.removes + 1,
            ..from
        });
        answered.chain(add).chain(remove)
    }

    /// All situations that can be reached before the next beginning or end.
    fn reach(&self, situations: &HashSet<Situation>) -> HashSet<Situation> {
        let mut reached = situations.clone();
        let mut last: Vec<Situation> = situations.iter().copied().collect();
        while let Some(situation) = last.pop() {
            last.extend(self.next(situation).filter(|next| reached.insert(*next)));
        }
        reached
    }
}

/// The beginning or the end of a look, by its number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Moment {
    Begin(usize),
    End(usize),
}

fn moments(looks: &[Look<'_>]) -> BTreeSet<(u64, Moment)> {
    let mut moments = BTreeSet::new();
    for (number, Look { call, does }) in looks.iter().enumerate() {
        // A look without an answer saw nothing.
        if matches!(does, Does::Find(_)) && !call.is_answered() {
            continue;
        }
        moments.insert((call.begun, Moment::Begin(number)));
        if call.ended != End::Unknown {
            moments.insert((call.latest(), Moment::End(number)));
        }
    }
    moments
}

fn search(pair: Pair, member: bool, looks: &[Look<'_>]) -> Register {
    let mut under_way = UnderWay { answered: [None; UNDER_WAY_MAX], adds: 0, removes: 0 };
    let mut places = vec![0; looks.len()];
    let mut situations = HashSet::from([Situation { member, done: 0, adds: 0, removes: 0 }]);
    let mut states = vec![(0, May { be: member, not_be: !member })];
    for (at, moment) in moments(looks) {
        match moment {
            Moment::Begin(number) => begin(&mut under_way, looks[number], &mut places[number]),
            Moment::End(number) => {
                let reached = under_way.reach(&situations);
                let Look { call, does } = looks[number];
                situations = if call.is_answered() {
                    under_way.answered[places[number]] = None;
                    answered(&reached, places[number])
                } else {
                    cut_off(&mut under_way, &reached, does)
                };
                if situations.is_empty() {
                    let story = told(looks, at);
                    let violation = Violation::NotLinearizable { pair, call: call.clone(), story };
                    return Register { states, violation: Some(violation) };
                }
            }
        }
        let reached = under_way.reach(&situations);
        let may_be = |member| reached.iter().any(|situation| situation.member == member);
        states.push((at, May { be: may_be(true), not_be: may_be(false) }));
    }
    Register { states, violation: None }
}

fn begin(under_way: &mut UnderWay, look: Look<'_>, place: &mut usize) {
    match (look.call.is_answered(), look.does) {
        (true, does) => {
            let free = under_way.answered.iter().position(Option::is_none);
            *place = free.expect("a history has at most 64 clients, each with one call at a time");
            under_way.answered[*place] = Some(does);
        }
        (false, Does::Add) => under_way.adds += 1,
        (false, Does::Remove) => under_way.removes += 1,
        (false, Does::Find(_)) => {}
    }
}

/// What is left when the call at `place` is answered: it has taken effect.
fn answered(reached: &HashSet<Situation>, place: usize) -> HashSet<Situation> {
    let taken = reached.iter().filter(|situation| situation.done & (1 << place) != 0);
    taken.map(|situation| Situation { done: situation.done & !(1 << place), ..*situation }).collect()
}

/// What is left when a call that was cut off can no longer take effect: it was one of those that did, or one that did
/// not.
fn cut_off(under_way: &mut UnderWay, reached: &HashSet<Situation>, does: Does) -> HashSet<Situation> {
    let mut left = HashSet::new();
    let is_add = does == Does::Add;
    if is_add {
        under_way.adds -= 1;
    } else {
        under_way.removes -= 1;
    }
    for situation in reached {
        let (adds, removes) = (situation.adds, situation.removes);
        if adds <= under_way.adds && removes <= under_way.removes {
            left.insert(*situation);
        }
        if is_add && adds > 0 {
            left.insert(Situation { adds: adds - 1, ..*situation });
        }
        if !is_add && removes > 0 {
            left.insert(Situation { removes: removes - 1, ..*situation });
        }
    }
    left
}

/// The last calls about a pair that had begun by an instant.
fn told(looks: &[Look<'_>], at: u64) -> Vec<Call> {
    let mut calls: Vec<Call> =
        looks.iter().filter(|look| look.call.begun <= at).map(|look| look.call.clone()).collect();
    calls.sort_by_key(|call| call.begun);
    calls.split_off(calls.len().saturating_sub(CALLS_TOLD))
}
