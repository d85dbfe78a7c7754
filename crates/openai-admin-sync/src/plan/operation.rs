//! One write of a plan: its effect, the target of it, and what must hold before it is sent.
//!
//! Guards, schedules, comparisons, verification and undo judge an operation by its effect and its target. Only
//! `document.rs` knows the words of a plan's document for it, and only `executor.rs` the request.

use std::collections::HashSet;

use openai_admin::UserId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::plan::source::Origin;

/// What an operation does to its target, in the order in which a run prefers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Effect {
    /// Creates a thing.
    Create,
    /// Gives a thing another name.
    Rename,
    /// Grants access: the pair is there afterwards.
    Grant,
    /// Revokes access: the pair is not there afterwards. Limits and protection apply to it.
    Revoke,
}

impl Effect {
    /// What must hold for its target before it is sent.
    pub fn requires(self) -> Requirement {
        match self {
            Self::Create | Self::Grant => Requirement::Absent,
            Self::Rename | Self::Revoke => Requirement::Present,
        }
    }
}

/// What must hold for a target before an operation on it is sent. If the operation's result holds already, that is no
/// change; if anything else holds, the plan is stale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requirement {
    /// The target is not there.
    Absent,
    /// The target is there; a thing under the name that it had.
    Present,
}

/// What an operation changes: a thing, or a pair of which the group is the one that the operation belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The group itself.
    Group {
        /// Its name, after a renaming.
        name: String,
        /// Its name before a renaming.
        before: Option<String>,
    },
    /// A user's membership of the group.
    Membership {
        /// The user.
        user_id: UserId,
        /// Their address, if it is known.
        email: Option<String>,
    },
}

/// How far an operation has come, by the state that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// What it requires holds.
    Pending,
    /// Its result holds.
    Done,
    /// Neither holds.
    Conflict,
}

/// Why an operation is in the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// The input says so.
    Listed,
    /// The input does not name them.
    NotListed,
    /// The day until which the input names them is over.
    Ended,
    /// It undoes what a run did.
    Undo,
}

/// One write, and what must hold for it. The constructors pair each effect with a target that it fits.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    effect: Effect,
    target: Target,
    /// Why.
    pub why: Why,
    /// Where the wish comes from.
    pub origin: Origin,
    /// The user is protected: it is not done.
    pub protected: bool,
}

impl Operation {
    /// Creates the group.
    pub fn create_group(name: String, why: Why, origin: Origin) -> Self {
        Self::new(Effect::Create, Target::Group { name, before: None }, why, origin)
    }

    /// Renames the group.
    pub fn rename_group(from: String, to: String, why: Why, origin: Origin) -> Self {
        Self::new(Effect::Rename, Target::Group { name: to, before: Some(from) }, why, origin)
    }

    /// Adds a user to the group.
    pub fn add_user(user_id: UserId, email: Option<String>, why: Why, origin: Origin) -> Self {
        Self::new(Effect::Grant, Target::Membership { user_id, email }, why, origin)
    }

    /// Removes a user from the group.
    pub fn remove_user(user_id: UserId, email: Option<String>, why: Why, origin: Origin) -> Self {
        Self::new(Effect::Revoke, Target::Membership { user_id, email }, why, origin)
    }

    fn new(effect: Effect, target: Target, why: Why, origin: Origin) -> Self {
        Self { effect, target, why, origin, protected: false }
    }

    /// The operation that takes this one back; none for a creation, since others may use by now what was created.
    #[must_use]
    pub fn inverse(&self, why: Why, origin: Origin) -> Option<Self> {
        let (effect, target) = match (self.effect, self.target.clone()) {
            (_, Target::Group { before: None, .. }) => return None,
            (effect, Target::Group { name, before: Some(before) }) => {
                (effect, Target::Group { name: before, before: Some(name) })
            }
            (Effect::Revoke, pair) => (Effect::Grant, pair),
            (_, pair) => (Effect::Revoke, pair),
        };
        Some(Self::new(effect, target, why, origin))
    }

    /// What it does.
    pub fn effect(&self) -> Effect {
        self.effect
    }

    /// What it does that to.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Whether it has this effect.
    pub fn is(&self, effect: Effect) -> bool {
        self.effect == effect
    }

    /// The user of the pair that it changes.
    pub fn user_id(&self) -> Option<&UserId> {
        match &self.target {
            Target::Membership { user_id, .. } => Some(user_id),
            Target::Group { .. } => None,
        }
    }

    /// The address of that user, if it is known.
    pub fn email(&self) -> Option<&str> {
        match &self.target {
            Target::Membership { email, .. } => email.as_deref(),
            Target::Group { .. } => None,
        }
    }

    /// The address of that user, or the id where none is known.
    pub fn who(&self) -> Option<&str> {
        self.email().or(self.user_id().map(UserId::as_str))
    }

    /// Puts the service's address of the user in place of the one that a document gives.
    pub(crate) fn set_email(&mut self, address: Option<&str>) {
        if let Target::Membership { email, .. } = &mut self.target {
            *email = address.map(str::to_owned);
        }
    }

    /// How far it has come in a group with this name and these members.
    pub fn progress(&self, group: &str, members: &HashSet<&UserId>) -> Progress {
        let is_pending = match &self.target {
            Target::Membership { user_id, .. } => {
                members.contains(user_id) == (self.effect.requires() == Requirement::Present)
            }
            Target::Group { name, before: Some(before) } if name != group => {
                if before != group {
                    return Progress::Conflict;
                }
                true
            }
            // A group that is there has been created, whatever its name is by now.
            Target::Group { .. } => false,
        };
        if is_pending { Progress::Pending } else { Progress::Done }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(id: &str) -> UserId {
        id.parse().expect("an id")
    }

    fn operations() -> [Operation; 4] {
        let origin = Origin::default;
        [
            Operation::create_group("New".to_owned(), Why::Listed, origin()),
            Operation::rename_group("Old".to_owned(), "New".to_owned(), Why::Listed, origin()),
            Operation::add_user(user("a"), None, Why::Listed, origin()),
            Operation::remove_user(user("b"), None, Why::Listed, origin()),
        ]
    }

    #[test]
    fn an_operation_is_pending_where_its_requirement_holds_and_done_where_its_result_does() {
        use Progress::{Conflict, Done, Pending};
        let (a, b) = (user("a"), user("b"));
        for (group, members, expected) in [
            ("Old", HashSet::from([&b]), [Done, Pending, Pending, Pending]),
            ("New", HashSet::from([&a]), [Done, Done, Done, Done]),
            ("Other", HashSet::from([&a, &b]), [Done, Conflict, Done, Pending]),
        ] {
            let progress = operations().map(|operation| operation.progress(group, &members));
            assert_eq!(progress, expected, "{group}");
        }
    }

    #[test]
    fn an_inverse_has_the_other_effect_and_the_inverse_of_it_is_the_operation() {
        let inverse = |operation: &Operation| operation.inverse(Why::Listed, Origin::default());
        let [create, rest @ ..] = operations();
        assert_eq!(inverse(&create), None);
        for operation in rest {
            let back = inverse(&operation).expect("an inverse");
            assert_eq!(
                back.effect().requires() == operation.effect().requires(),
                operation.is(Effect::Rename)
            );
            assert_eq!(inverse(&back), Some(operation));
        }
    }
}
