use std::collections::HashSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{latency, profiles::Profile, rule::FaultRule};
use crate::document;

/// How many rules an organization has at most.
pub(super) const RULES_MAX: usize = 1000;

/// What goes wrong on purpose.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FaultPlan {
    /// For how many milliseconds after a write reads show what was there before it; 0 by default.
    #[serde(default)]
    pub stale_reads_ms: u32,
    /// Faults that go together, before the rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<Profile>,
    /// The rules, in the order in which they are asked; the first that has a fault for a request decides.
    #[serde(default)]
    pub rules: Vec<FaultRule>,
}

impl FaultPlan {
    /// A plan as JSON or YAML, checked.
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
    /// What is wrong with it, in words.
    pub fn from_text(text: &str) -> Result<Self, String> {
        let plan: Self = document::read(text)?;
        plan.check()?;
        Ok(plan)
    }

    /// All rules, with those of the profile.
    pub(super) fn into_rules(self) -> impl Iterator<Item = FaultRule> {
        self.profile.map(Profile::rules).unwrap_or_default().into_iter().chain(self.rules)
    }

    /// Whether it can be followed.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in words.
    pub fn check(&self) -> Result<(), String> {
        if self.rules.len() > RULES_MAX {
            return Err(format!(
                "there are {} rules, and at most {RULES_MAX} are followed",
                self.rules.len()
            ));
        }
        if self.stale_reads_ms > latency::MS_MAX {
            let ms = self.stale_reads_ms;
            return Err(format!("'stale_reads_ms' is {ms}, and must be at most {}", latency::MS_MAX));
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
    fn a_plan_that_cannot_be_followed_says_what_is_wrong() {
        for (plan, problem) in [
            (
                "rules: [{ operation: add-group-usr, fault: { kind: truncated } }]",
                "did you mean 'add-group-user'?",
            ),
            ("rules: [{}]", "rules[0]: a rule needs a 'fault', a 'sequence' or a 'latency'"),
            (
                "rules: [{ probability: 2, fault: { kind: truncated } }]",
                "'probability' is 2, and must be from 0 to 1",
            ),
            ("rules: [{ fault: { kind: status, status: 200 } }]", "must be an error"),
            ("rules: [{ fault: { kind: rate_limited, wait_seconds: -1 } }]", "'wait_seconds' is -1"),
            ("rules: [{ fault: { kind: budget, requests_per_minute: 0 } }]", "must be at least 1"),
            ("rules: [{ fault: { kind: truncated }, sequence: [null] }]", "cannot both be given"),
            ("rules: [{ sequence: [null], count: 1 }]", "and not about 'sequence'"),
            ("rules: [{ sequence: [{ kind: budget, requests_per_minute: 1 }] }]", "counts by itself"),
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
    fn a_plan_that_cannot_be_read_says_where_and_what_in_one_line() {
        let refused = FaultPlan::from_text("rules:\n  - fault: { kind: status }\n").expect_err("no status");
        assert_eq!(refused, "line 2, column 5: missing field `status`");
        let refused = FaultPlan::from_text("{\"rules\": [\n{\"fault\": 1}]}").expect_err("no fault");
        assert!(refused.starts_with("line 2, column ") && !refused.contains(" at line "), "{refused}");
    }

    #[test]
    fn a_plan_is_written_as_it_was_read() {
        let text = r#"{"stale_reads_ms":5,"rules":[{"name":"a","operation":"list-groups","skip":1,"count":2,"probability":0.5,"fault":{"kind":"status","status":502,"body":"html"}},{"sequence":[null,{"kind":"reset","when":"after"}],"repeat":true}]}"#;
        let plan = FaultPlan::from_text(text).expect("a plan");
        assert_eq!(serde_json::to_string(&plan).expect("JSON"), text);
    }
}
