//! Injected faults: their kinds, their operations and how often they happen.

mod latency;
mod plan;
mod profiles;
mod rule;

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use schemars::JsonSchema;
use serde::Serialize;

pub use self::{
    latency::Latency,
    plan::FaultPlan,
    profiles::Profile,
    rule::{Fault, FaultBody, FaultRule, ResetTiming, WaitHint},
};
use crate::randomness::Randomness;

const MINUTE_MS: f64 = 60_000.0;

/// The fault rules of an organization, with their counts.
#[derive(Debug)]
pub(crate) struct Faults {
    initial: FaultPlan,
    active: Mutex<Active>,
    randomness: Randomness,
}

#[derive(Debug, Default)]
struct Active {
    rules: Vec<ActiveRule>,
    stale_reads_ms: u32,
}

#[derive(Debug)]
struct ActiveRule {
    rule: FaultRule,
    counts: RuleCounts,
    /// The remaining budget of each operation.
    budgets: HashMap<String, Budget>,
}

#[derive(Clone, Copy, Debug)]
struct Budget {
    left: f64,
    at_ms: u64,
}

/// How often a rule matched, and what it did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RuleCounts {
    /// Requests that matched the rule.
    pub matched: u64,
    /// Requests with its fault.
    pub injected: u64,
    /// Requests that it delayed.
    pub delayed: u64,
}

/// A rule and its counts.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RuleReport {
    /// The rule.
    pub rule: FaultRule,
    /// Its counts.
    pub counts: RuleCounts,
}

/// The faults of an organization and their counts.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct FaultReport {
    /// How long reads stay stale after a write.
    pub stale_reads_ms: u32,
    /// The rules, in the order in which they apply.
    pub rules: Vec<RuleReport>,
}

/// The delay and the fault of a request.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Injection {
    pub(crate) delay_ms: u32,
    /// The fault, and the name of its rule.
    pub(crate) fault: Option<(Fault, String)>,
}

impl Faults {
    pub(crate) fn new(initial: FaultPlan, randomness: Randomness) -> Self {
        let faults = Self { initial, active: Mutex::default(), randomness };
        faults.restart();
        faults
    }

    /// Restores the initial faults.
    pub(crate) fn restart(&self) {
        self.randomness.restart();
        self.set(self.initial.clone());
    }

    pub(crate) fn set(&self, plan: FaultPlan) {
        let mut active = Active { stale_reads_ms: plan.stale_reads_ms, rules: Vec::new() };
        for rule in plan.into_rules() {
            active.add(rule);
        }
        *self.lock() = active;
    }

    /// Adds a rule after the others. Returns its name.
    pub(crate) fn add(&self, rule: FaultRule) -> Result<String, String> {
        let mut active = self.lock();
        if active.rules.len() >= plan::RULES_MAX {
            return Err(format!("the limit of {} rules is reached: remove some", plan::RULES_MAX));
        }
        if let Some(name) = rule.name.as_ref().filter(|name| active.position(name).is_some()) {
            return Err(format!("a rule '{name}' exists: remove it, or choose another name"));
        }
        Ok(active.add(rule))
    }

    /// Removes a rule. Returns whether it existed.
    pub(crate) fn remove(&self, name: &str) -> bool {
        let mut active = self.lock();
        let place = active.position(name);
        place.map(|place| active.rules.remove(place)).is_some()
    }

    /// Whether there is a rule of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.lock().position(name).is_some()
    }

    pub(crate) fn stale_reads_ms(&self) -> u32 {
        self.lock().stale_reads_ms
    }

    pub(crate) fn report(&self) -> FaultReport {
        let active = self.lock();
        let report = |active: &ActiveRule| RuleReport { rule: active.rule.clone(), counts: active.counts };
        FaultReport {
            stale_reads_ms: active.stale_reads_ms,
            rules: active.rules.iter().map(report).collect(),
        }
    }

    /// The delay and the fault of the next request of an operation. Every matching rule may add latency; the first rule
    /// with a fault for the request decides.
    pub(crate) fn next(&self, operation: &str, now_ms: u64) -> Injection {
        let mut injection = Injection::default();
        let mut active = self.lock();
        for active in active.rules.iter_mut().filter(|active| active.rule.matches(operation)) {
            active.counts.matched += 1;
            if let Some(latency) = &active.rule.latency {
                active.counts.delayed += 1;
                injection.delay_ms =
                    injection.delay_ms.saturating_add(latency.draw(&self.randomness)).min(latency::MS_MAX);
            }
            if let Some(fault) = active.fault(operation, now_ms, &self.randomness) {
                active.counts.injected += 1;
                injection.fault = Some((fault, active.rule.name.clone().unwrap_or_default()));
                break;
            }
        }
        injection
    }

    fn lock(&self) -> MutexGuard<'_, Active> {
        self.active.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Active {
    fn position(&self, name: &str) -> Option<usize> {
        self.rules.iter().position(|active| active.rule.name.as_deref() == Some(name))
    }

    fn add(&mut self, mut rule: FaultRule) -> String {
        // A rule without a name gets the first free number.
        let numbered = (1..).map(|number| format!("rule-{number}"));
        let free = || numbered.into_iter().find(|name| self.position(name).is_none()).unwrap_or_default();
        let name = rule.name.take().unwrap_or_else(free);
        rule.name = Some(name.clone());
        self.rules.push(ActiveRule { rule, counts: RuleCounts::default(), budgets: HashMap::new() });
        name
    }
}

impl ActiveRule {
    fn fault(&mut self, operation: &str, now_ms: u64, randomness: &Randomness) -> Option<Fault> {
        let FaultRule { skip, count, probability, .. } = self.rule;
        let place = self.counts.matched - 1;
        if place < skip {
            return None;
        }
        if !self.rule.sequence.is_empty() {
            let length = self.rule.sequence.len() as u64;
            let place = place - skip;
            let place = if self.rule.repeat { place % length } else { place };
            return self.rule.sequence.get(usize::try_from(place).ok()?)?.clone();
        }
        let fault = self.rule.fault.clone()?;
        if count.is_some_and(|count| self.counts.injected >= count)
            || probability.is_some_and(|probability| randomness.fraction() >= probability)
        {
            return None;
        }
        match fault {
            Fault::Budget { requests_per_minute, told } => {
                let budget = self
                    .budgets
                    .entry(operation.to_owned())
                    .or_insert(Budget { left: f64::from(requests_per_minute), at_ms: now_ms });
                budget
                    .take(requests_per_minute, now_ms)
                    .map(|wait_ms| Fault::RateLimited { wait_seconds: wait_ms / 1000.0, told })
            }
            fault => Some(fault),
        }
    }
}

impl Budget {
    /// Takes one request, or returns the milliseconds until the next one.
    fn take(&mut self, requests_per_minute: u32, now_ms: u64) -> Option<f64> {
        let most = f64::from(requests_per_minute);
        let passed = now_ms.saturating_sub(self.at_ms) as f64;
        self.left = (self.left + passed * most / MINUTE_MS).min(most);
        self.at_ms = now_ms;
        if self.left < 1.0 {
            return Some((1.0 - self.left) * MINUTE_MS / most);
        }
        self.left -= 1.0;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(plan: &str) -> Faults {
        let plan = FaultPlan::from_text(plan).expect("a plan");
        Faults::new(plan, Randomness::new(Some(1), "faults"))
    }

    /// The kinds of faults of the next requests.
    fn kinds(faults: &Faults, operation: &str, requests: usize) -> Vec<&'static str> {
        let kind = |injection: Injection| injection.fault.map_or("-", |(fault, _)| fault.kind());
        (0..requests).map(|_| kind(faults.next(operation, 0))).collect()
    }

    const ADD: &str = "add-group-user";

    #[test]
    fn a_rule_without_conditions_matches_every_request() {
        let faults = faults("rules: [{ fault: { kind: status, status: 500 } }]");
        assert_eq!(kinds(&faults, ADD, 2), ["status", "status"]);
        assert_eq!(kinds(&faults, "list-groups", 1), ["status"]);
        assert_eq!(faults.report().rules[0].counts, RuleCounts { matched: 3, injected: 3, delayed: 0 });
    }

    #[test]
    fn a_rule_of_an_operation_does_not_match_others() {
        let faults = faults(
            "rules: [{ operation: add-group-user, skip: 1, count: 2, fault: { kind: reset, when: after } }]",
        );
        assert_eq!(kinds(&faults, "list-groups", 3), ["-", "-", "-"]);
        assert_eq!(kinds(&faults, ADD, 5), ["-", "reset", "reset", "-", "-"]);
        assert_eq!(faults.report().rules[0].counts, RuleCounts { matched: 5, injected: 2, delayed: 0 });
    }

    #[test]
    fn a_sequence_runs_once_or_repeats() {
        let sequence = "sequence: [null, { kind: status, status: 503 }, null]";
        assert_eq!(
            kinds(&faults(&format!("rules: [{{ {sequence} }}]")), ADD, 6),
            ["-", "status", "-", "-", "-", "-"]
        );
        assert_eq!(
            kinds(&faults(&format!("rules: [{{ {sequence}, repeat: true }}]")), ADD, 6),
            ["-", "status", "-", "-", "status", "-"]
        );
    }

    #[test]
    fn a_probability_is_reproducible_with_a_seed() {
        let plan = "rules: [{ probability: 0.25, fault: { kind: truncated } }]";
        let first = kinds(&faults(plan), ADD, 1000);
        let hits = first.iter().filter(|kind| **kind == "truncated").count();
        assert!((200..300).contains(&hits), "{hits} of 1000");
        assert_eq!(kinds(&faults(plan), ADD, 1000), first);
    }

    #[test]
    fn the_first_rule_with_a_fault_decides_and_latencies_add_up() {
        let faults = faults(
            "rules: [{ latency: { kind: fixed, ms: 5 } }, { latency: { kind: fixed, ms: 7 }, fault: { kind: status, status: 500 } },
                     { latency: { kind: fixed, ms: 100 } }]",
        );
        let injection = faults.next(ADD, 0);
        assert_eq!(injection.delay_ms, 12);
        assert_eq!(injection.fault.expect("a fault").1, "rule-2");
    }

    #[test]
    fn each_operation_has_a_budget_that_refills() {
        let faults = faults("rules: [{ fault: { kind: budget, requests_per_minute: 6, told: nowhere } }]");
        assert_eq!(kinds(&faults, ADD, 7), ["-", "-", "-", "-", "-", "-", "rate_limited"]);
        assert_eq!(kinds(&faults, "list-groups", 1), ["-"]);
        let at = |now_ms| faults.next(ADD, now_ms).fault;
        let Some((Fault::RateLimited { wait_seconds, told }, _)) = at(4_000) else { panic!("too early") };
        assert_eq!((wait_seconds, told), (6.0, WaitHint::Nowhere));
        assert_eq!(at(10_000), None);
        assert!(at(10_000).is_some());
    }

    #[test]
    fn rules_have_unique_names_and_can_be_removed() {
        let faults =
            faults("rules: [{ fault: { kind: truncated } }, { name: mine, fault: { kind: truncated } }]");
        let rule = || faults.report().rules[0].rule.clone();
        assert!(faults.add(rule()).expect_err("it is there").contains("'rule-1'"));
        let name = faults.add(FaultRule { name: None, ..rule() }).expect("a name");
        assert_eq!(name, "rule-2");
        assert!(faults.remove("mine") && !faults.remove("mine"));
        faults.restart();
        let names: Vec<_> = faults.report().rules.into_iter().filter_map(|rule| rule.rule.name).collect();
        assert_eq!(names, ["rule-1", "mine"]);
    }
}
