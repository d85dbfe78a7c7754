use std::collections::HashSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{latency, profiles::Profile, rule::FaultRule};
use crate::document;

/// The maximum number of rules in an organization.
pub(super) const RULES_MAX: usize = 1000;

/// Faults to inject.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FaultPlan {
    /// How long reads stay stale after a write, in milliseconds. Default: 0.
    #[serde(default)]
    pub stale_reads_ms: u32,
    /// A named set of rules, applied before `rules`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<Profile>,
    /// The rules, in the order in which they apply. The first rule with a fault for a request decides.
    #[serde(default)]
    pub rules: Vec<FaultRule>,
}

impl FaultPlan {
    /// Parses and checks a plan in JSON or YAML.
    ///
    /// ```
    /// use openai_admin_emulator::faults::FaultPlan;
    /// let plan = FaultPlan::from_text("rules: [{ operation: add-group-user, count: 1, fault: { kind: status, status: 503 } }]")?;
    /// assert_eq!(plan.rules.len(), 1);
    /// assert!(FaultPlan::from_text("rules: [{ operation: add-group-usr, fault: { kind: truncated } }]").is_err());
    /// # Ok::<(), String>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A description of the first error.
    pub fn from_text(text: &str) -> Result<Self, String> {
        let plan: Self = document::read(text)?;
        plan.check()?;
        Ok(plan)
    }

    /// All rules, including those of the profile.
    pub(super) fn into_rules(self) -> impl Iterator<Item = FaultRule> {
        self.profile.map(Profile::rules).unwrap_or_default().into_iter().chain(self.rules)
    }

    /// Checks the plan.
    ///
    /// # Errors
    ///
    /// A description of the first error.
    pub fn check(&self) -> Result<(), String> {
        if self.rules.len() > RULES_MAX {
            return Err(format!("there are {} rules; the limit is {RULES_MAX}", self.rules.len()));
        }
        if self.stale_reads_ms > latency::MS_MAX {
            let ms = self.stale_reads_ms;
            return Err(format!("'stale_reads_ms' is {ms}; the maximum is {}", latency::MS_MAX));
        }
        let profiles = self.profile.map(Profile::rules).unwrap_or_default();
        let mut names: HashSet<&str> = profiles.iter().filter_map(|rule| rule.name.as_deref()).collect();
        for (place, rule) in self.rules.iter().enumerate() {
            rule.check().map_err(|problem| format!("rules[{place}]: {problem}"))?;
            if let Some(name) = rule.name.as_ref().filter(|name| !names.insert(name)) {
                return Err(format!("rules[{place}]: there is another rule '{name}'"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_plan_is_refused_with_the_reason() {
        for (plan, problem) in [
            (
                "rules: [{ operation: add-group-usr, fault: { kind: truncated } }]",
                "did you mean 'add-group-user'?",
            ),
            ("rules: [{}]", "rules[0]: a rule needs a 'fault', a 'sequence' or a 'latency'"),
            (
                "rules: [{ probability: 2, fault: { kind: truncated } }]",
                "'probability' is 2; expected 0 to 1",
            ),
            ("rules: [{ fault: { kind: status, status: 200 } }]", "expected 400 to 599"),
            ("rules: [{ fault: { kind: rate_limited, wait_seconds: -1 } }]", "'wait_seconds' is -1"),
            ("rules: [{ fault: { kind: budget, requests_per_minute: 0 } }]", "expected at least 1"),
            ("rules: [{ fault: { kind: truncated }, sequence: [null] }]", "cannot both be given"),
            ("rules: [{ sequence: [null], count: 1 }]", "not to 'sequence'"),
            ("rules: [{ sequence: [{ kind: budget, requests_per_minute: 1 }] }]", "cannot be a step"),
            ("rules: [{ repeat: true, fault: { kind: truncated } }]", "which is missing"),
            ("rules: [{ name: '', fault: { kind: truncated } }]", "'name' has 0 bytes"),
            (
                "rules: [{ name: a, fault: { kind: truncated } }, { name: a, fault: { kind: truncated } }]",
                "rules[1]: there is another rule 'a'",
            ),
            (
                "rules: [{ latency: { kind: uniform, min_ms: 2, max_ms: 1 } }]",
                "'latency': 2 ms is more than 1 ms",
            ),
            ("stale_reads_ms: 9999999", "'stale_reads_ms' is 9999999"),
            ("rulez: []", "rulez"),
            ("rules: [{ fault: { kind: explode } }]", "explode"),
        ] {
            let refused = FaultPlan::from_text(plan).expect_err(plan);
            assert!(refused.contains(problem), "{plan}: {refused}");
        }
    }

    #[test]
    fn a_parse_error_has_a_position_and_is_one_line() {
        let refused = FaultPlan::from_text("rules:\n  - fault: { kind: status }\n").expect_err("no status");
        assert_eq!(refused, "line 2, column 5: missing field `status`");
        let refused = FaultPlan::from_text("{\"rules\": [\n{\"fault\": 1}]}").expect_err("no fault");
        assert!(refused.starts_with("line 2, column ") && !refused.contains(" at line "), "{refused}");
    }

    #[test]
    fn a_plan_round_trips() {
        let text = r#"{"stale_reads_ms":5,"rules":[{"name":"a","operation":"list-groups","skip":1,"count":2,"probability":0.5,"fault":{"kind":"status","status":502,"body":"html"}},{"sequence":[null,{"kind":"reset","when":"after"}],"repeat":true}]}"#;
        let plan = FaultPlan::from_text(text).expect("a plan");
        assert_eq!(serde_json::to_string(&plan).expect("JSON"), text);
    }
}
