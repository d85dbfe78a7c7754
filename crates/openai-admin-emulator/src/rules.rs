//! Switches of the rules that no public recording confirms.

use std::{collections::BTreeMap, str::FromStr};

use openai_admin::likeness::most_like;
use openai_admin_store::{Rule, Rules};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Whether a rule applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RuleState {
    /// The emulator applies the rule, as the server does.
    On,
    /// The emulator does not apply the rule.
    Off,
}

/// The states of rules, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct RuleStates(BTreeMap<String, RuleState>);

impl RuleStates {
    /// The states of all rules.
    pub fn of(rules: Rules) -> Self {
        let state = |rule: &Rule| if rules.has(*rule) { RuleState::On } else { RuleState::Off };
        Self(Rule::ALL.iter().map(|rule| (rule.name().to_owned(), state(rule))).collect())
    }

    /// Switches the named rules, and keeps the others.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for an unknown name, with the most similar one.
    pub fn applied_to(&self, rules: Rules) -> Result<Rules> {
        self.0
            .iter()
            .try_fold(rules, |rules, (name, state)| Ok(rules.with(named(name)?, *state == RuleState::On)))
    }
}

fn named(name: &str) -> Result<Rule> {
    Rule::named(name).ok_or_else(|| {
        let names = || Rule::ALL.iter().map(|rule| rule.name());
        Error::invalid(match most_like(name, names()) {
            Some(similar) => format!("unknown rule '{name}': did you mean '{similar}'?"),
            None => format!("unknown rule '{name}': use {}", names().collect::<Vec<_>>().join(", ")),
        })
    })
}

/// Reads `NAME=off` or `NAME=on`.
impl FromStr for RuleStates {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (name, state) = text.split_once('=').unwrap_or((text, ""));
        let rule = named(name)?;
        let state = match state {
            "on" => RuleState::On,
            "off" => RuleState::Off,
            _ => return Err(Error::invalid(format!("write {rule}=off or {rule}=on"))),
        };
        Ok(Self(BTreeMap::from([(rule.name().to_owned(), state)])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_name_every_rule_and_restore_the_same_rules() {
        let rules = Rules::loose();
        let states = RuleStates::of(rules);
        assert_eq!(states.0.len(), Rule::ALL.len());
        assert_eq!(states.applied_to(Rules::default()).expect("known names"), rules);
    }

    #[test]
    fn an_argument_names_a_rule_and_its_state() {
        let rules =
            |text: &str| text.parse::<RuleStates>().and_then(|states| states.applied_to(Rules::default()));
        let off = rules("not_a_member=off").expect("a known rule");
        assert!(!off.has(Rule::NotAMember));
        assert_eq!(rules("not_a_member=on").expect("a known rule"), Rules::default());
        let refused = |text: &str| rules(text).expect_err("refused").to_string();
        assert_eq!(refused("not_a_membr=off"), "unknown rule 'not_a_membr': did you mean 'not_a_member'?");
        assert_eq!(refused("not_a_member"), "write not_a_member=off or not_a_member=on");
        assert_eq!(refused("not_a_member=of"), "write not_a_member=off or not_a_member=on");
    }
}
