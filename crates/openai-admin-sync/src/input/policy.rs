//! The caller's policy: protection and limits that apply to every plan.
//!
//! Pure. A policy can only make a plan stricter. It comes from the machine that applies the plan: from a policy file or
//! an earlier run. A plan contains a copy of it, so that it also applies to a resumed run and to an undo.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wildmatch::WildMatch;

use crate::input::{input_error::InputError, max_remove::MaxRemove, yaml};

/// The version of the policy file's format.
pub const POLICY_VERSION: u32 = 1;
/// The name of the policy file in the state folder.
pub const POLICY_FILE: &str = "policy.yaml";

/// Patterns of users who are never removed, and of groups that are never changed. `*` matches any characters and `?`
/// matches one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Protected {
    /// Users, by email address or id.
    pub users: Vec<String>,
    /// Groups, by name or id.
    pub groups: Vec<String>,
}

impl Protected {
    /// Whether nothing is protected.
    pub fn is_empty(&self) -> bool {
        self.users.is_empty() && self.groups.is_empty()
    }

    /// Adds what `other` protects, each pattern once.
    pub fn add(&mut self, other: &Self) {
        for (patterns, more) in [(&mut self.users, &other.users), (&mut self.groups, &other.groups)] {
            for pattern in more {
                if !patterns.contains(pattern) {
                    patterns.push(pattern.clone());
                }
            }
        }
    }
}

/// The caller's policy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// The version of this format: 1.
    pub version: u32,
    /// Users and groups that no command on this machine changes.
    #[serde(default)]
    pub protect: Protected,
    /// The limit of removals in one run, in all groups together.
    #[serde(default)]
    pub max_remove: Option<MaxRemove>,
    /// The limit of removals in one run, in each group.
    #[serde(default)]
    pub max_remove_of_group: Option<MaxRemove>,
}

impl Policy {
    /// Reads a policy file. `name` is the name of the file, for messages.
    ///
    /// # Errors
    ///
    /// The first error, with its position.
    pub fn parse(text: &str, name: &str) -> Result<Self, InputError> {
        let policy: Self = yaml::read(text, name)?;
        if policy.version != POLICY_VERSION {
            let message =
                format!("has the unsupported policy version {} (expected {POLICY_VERSION})", policy.version);
            return Err(InputError::of_file(name, message));
        }
        Ok(policy)
    }
}

/// Compiled patterns.
#[derive(Debug, Default)]
pub struct Protection {
    users: Vec<WildMatch>,
    groups: Vec<WildMatch>,
}

impl Protection {
    /// Compiles the patterns.
    pub fn of(protected: &Protected) -> Self {
        let users = protected.users.iter().map(|pattern| WildMatch::new(&pattern.trim().to_lowercase()));
        let groups = protected.groups.iter().map(|pattern| WildMatch::new(pattern));
        Self { users: users.collect(), groups: groups.collect() }
    }

    /// Whether a user is protected.
    pub fn has_user(&self, id: &str, email: Option<&str>) -> bool {
        if self.users.is_empty() {
            return false;
        }
        let (id, email) = (id.to_lowercase(), email.map(|email| email.trim().to_lowercase()));
        let matches = |pattern: &WildMatch| {
            pattern.matches(&id) || email.as_deref().is_some_and(|email| pattern.matches(email))
        };
        self.users.iter().any(matches)
    }

    /// Whether a group is protected.
    pub fn has_group(&self, id: Option<&str>, name: &str) -> bool {
        let matches = |pattern: &WildMatch| pattern.matches(name) || id.is_some_and(|id| pattern.matches(id));
        self.groups.iter().any(matches)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protection_matches_patterns_of_addresses_ids_and_names() {
        let protection = Protection::of(&Protected {
            users: vec!["Root@example.com".to_owned(), "user_break*".to_owned()],
            groups: vec!["break-glass-*".to_owned()],
        });
        assert!(protection.has_user("user_1", Some("root@Example.com")));
        assert!(protection.has_user("user_break_1", None));
        assert!(!protection.has_user("user_2", Some("broot@example.com")));
        assert!(protection.has_group(None, "break-glass-emea"));
        assert!(!protection.has_group(Some("group_1"), "Support"));
    }

    #[test]
    fn a_policy_with_an_unknown_field_or_version_is_refused() {
        let policy = Policy::parse("version: 1\nprotect: { users: [a@b.c] }\n", "policy.yaml").expect("good");
        assert_eq!(policy.protect.users, ["a@b.c"]);
        let unknown = Policy::parse("version: 1\nprotekt: {}\n", "policy.yaml").expect_err("misspelled");
        assert_eq!(unknown.hint.as_deref(), Some("did you mean `protect`?"));
        let other = Policy::parse("version: 2\n", "policy.yaml").expect_err("another version").to_string();
        assert_eq!(other, "policy.yaml has the unsupported policy version 2 (expected 1)");
    }
}
