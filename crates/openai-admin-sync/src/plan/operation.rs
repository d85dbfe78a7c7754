//! One write of a plan: its effect, its target and its precondition.
//!
//! Most code handles operations by effect and target. Only `operation_document.rs` knows how a plan document names
//! them, and only `executor.rs` which request sends them.

use std::collections::HashSet;

use openai_admin::UserId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::plan::{right::Right, source::Origin};

/// What an operation does to its target, in the order in which a run sends them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Effect {
    /// Creates a group.
    Create,
    /// Renames a group.
    Rename,
    /// Adds a user to a group, or gives a right.
    Grant,
    /// Removes a user from a group, or ends a right. Protection applies, and the limits of groups.
    Revoke,
}

impl Effect {
    /// The precondition on the target.
    pub fn requires(self) -> Requirement {
        match self {
            Self::Create | Self::Grant => Requirement::Absent,
            Self::Rename | Self::Revoke => Requirement::Present,
        }
    }
}

/// The precondition of an operation. If the target is already in the desired state, the operation changes nothing; in
/// any other state, the plan is stale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requirement {
    /// The target does not exist.
    Absent,
    /// The target exists; a group to rename has its old name.
    Present,
}

/// What an operation changes: in the group that it belongs to, or a right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The group itself.
    Group {
        /// The name, after a rename.
        name: String,
        /// The name before a rename.
        before: Option<String>,
    },
    /// A user's membership of the group.
    Membership {
        /// The user.
        user_id: UserId,
        /// Their address, if it is known.
        email: Option<String>,
    },
    /// A right of a person. It belongs to no group.
    Right {
        /// The user; `None` for an invite.
        user_id: Option<UserId>,
        /// Their address, if it is known.
        email: Option<String>,
        /// The right.
        right: Right,
    },
}

/// The state of an operation, derived from the current state of its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The precondition holds.
    Pending,
    /// The result holds.
    Done,
    /// Neither holds.
    Conflict,
}

/// The reason for an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// The input requests it.
    Listed,
    /// The input does not list the user.
    NotListed,
    /// The end date of the membership has passed.
    Ended,
    /// It undoes a change of a run.
    Undo,
}

/// One write. The constructors allow only matching pairs of effect and target.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    effect: Effect,
    target: Target,
    /// The reason.
    pub why: Why,
    /// Where the input requests it.
    pub origin: Origin,
    /// Whether the user is protected: the operation is not sent.
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

    /// Ends a right of a user.
    pub fn end_right(user_id: UserId, email: Option<String>, right: Right, why: Why, origin: Origin) -> Self {
        Self::new(Effect::Revoke, Target::Right { user_id: Some(user_id), email, right }, why, origin)
    }

    /// Invites an address to the organization.
    pub fn invite(email: String, role: String, why: Why, origin: Origin) -> Self {
        let right = Right::Invite { invite_id: None, role };
        Self::new(Effect::Grant, Target::Right { user_id: None, email: Some(email), right }, why, origin)
    }

    /// The operation with this effect on a right.
    pub(crate) fn of_right(effect: Effect, target: Target, why: Why, origin: Origin) -> Self {
        Self::new(effect, target, why, origin)
    }

    fn new(effect: Effect, target: Target, why: Why, origin: Origin) -> Self {
        Self { effect, target, why, origin, protected: false }
    }

    /// The operation that undoes this one; `None` for a creation, because others may already use the group, and for the
    /// end of a right that cannot return.
    #[must_use]
    pub fn inverse(&self, why: Why, origin: Origin) -> Option<Self> {
        let (effect, target) = match (self.effect, self.target.clone()) {
            (_, Target::Group { before: None, .. }) => return None,
            (effect, Target::Group { name, before: Some(before) }) => {
                (effect, Target::Group { name: before, before: Some(name) })
            }
            (Effect::Revoke, Target::Right { right, .. }) if !right.can_return() => return None,
            (Effect::Revoke, pair) => (Effect::Grant, pair),
            (_, pair) => (Effect::Revoke, pair),
        };
        Some(Self::new(effect, target, why, origin))
    }

    /// The effect.
    pub fn effect(&self) -> Effect {
        self.effect
    }

    /// The target.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Whether the operation has this effect.
    pub fn is(&self, effect: Effect) -> bool {
        self.effect == effect
    }

    /// The user, if the target is a membership or a right.
    pub fn user_id(&self) -> Option<&UserId> {
        match &self.target {
            Target::Membership { user_id, .. } => Some(user_id),
            Target::Right { user_id, .. } => user_id.as_ref(),
            Target::Group { .. } => None,
        }
    }

    /// The right, if the target is one.
    pub fn right(&self) -> Option<&Right> {
        match &self.target {
            Target::Right { right, .. } => Some(right),
            Target::Membership { .. } | Target::Group { .. } => None,
        }
    }

    /// The user's address, if known.
    pub fn email(&self) -> Option<&str> {
        match &self.target {
            Target::Membership { email, .. } | Target::Right { email, .. } => email.as_deref(),
            Target::Group { .. } => None,
        }
    }

    /// The user's address, or the id if no address is known.
    pub fn who(&self) -> Option<&str> {
        self.email().or(self.user_id().map(UserId::as_str))
    }

    /// Replaces the user's address from the document with the one from the service.
    pub(crate) fn set_email(&mut self, address: Option<&str>) {
        if let Target::Membership { email, .. } | Target::Right { user_id: Some(_), email, .. } =
            &mut self.target
        {
            *email = address.map(str::to_owned);
        }
    }

    /// The state of an operation on a right, which exists or not.
    pub fn progress_of_right(&self, exists: bool) -> Progress {
        let is_pending = exists == (self.effect.requires() == Requirement::Present);
        if is_pending { Progress::Pending } else { Progress::Done }
    }

    /// The state of the operation in a group with this name and these members.
    pub fn progress(&self, group: &str, members: &HashSet<&UserId>) -> Progress {
        let is_pending = match &self.target {
            // A right belongs to no group.
            Target::Right { .. } => return Progress::Conflict,
            Target::Membership { user_id, .. } => {
                members.contains(user_id) == (self.effect.requires() == Requirement::Present)
            }
            Target::Group { name, before: Some(before) } if name != group => {
                if before != group {
                    return Progress::Conflict;
                }
                true
            }
            // A group that exists has been created, even if it was renamed later.
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
    fn an_operation_is_pending_if_its_precondition_holds_and_done_if_its_result_holds() {
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
    fn the_inverse_of_an_inverse_is_the_operation() {
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
