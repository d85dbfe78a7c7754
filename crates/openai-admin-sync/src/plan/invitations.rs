//! Invites for addresses that match no user.
//!
//! Only the organization invites: the memberships of groups follow in a later plan, after the person has accepted.

use std::collections::HashSet;

use openai_admin::{InviteStatus, operations::users::EmailText};

use crate::{
    input::email::EmailKey,
    plan::{
        diff::NO_USER_WITH_ADDRESS,
        group_plan::{GroupPlan, Unresolved},
        operation::{Operation, Why},
        suggest::SUGGESTED_MAX,
    },
    service::{read_error::ReadError, reader::Reader},
};

/// The most invites of one plan. Each of their addresses was compared with those of users, because an invite to a
/// mistyped address gives access to a stranger.
pub const INVITES_MAX: usize = SUGGESTED_MAX;
/// The role of invited people in the organization.
const ROLE: &str = "reader";

/// Marks the unmatched addresses that have a pending invite.
///
/// # Errors
///
/// If the invites cannot be read.
pub async fn mark_pending(reader: &Reader, groups: &mut [GroupPlan]) -> Result<(), ReadError> {
    if !unmatched(groups).any(|(adds, _)| adds) {
        return Ok(());
    }
    let invites = reader.list_invites().await?.into_iter();
    let pending: HashSet<EmailKey> = invites
        .filter(|invite| invite.status == InviteStatus::Pending)
        .map(|invite| EmailKey::new(&invite.email))
        .collect();
    mark(groups, &pending, "invited, not accepted yet");
    Ok(())
}

/// Plans an invite for each unmatched address that a group should have. An address with a suggestion may be mistyped, so
/// it stays unmatched. After [`INVITES_MAX`] addresses, a later plan invites the others.
pub fn invite(groups: &mut [GroupPlan]) -> Vec<Operation> {
    let mut keys = HashSet::new();
    let mut operations = Vec::new();
    for (adds, one) in unmatched(groups).take(INVITES_MAX) {
        let can_invite = one.suggestion.is_none() && EmailText::new(one.who.as_str()).is_ok();
        if adds && can_invite && keys.insert(EmailKey::new(&one.who)) {
            let (who, origin) = (one.who.clone(), one.origin.clone());
            operations.push(Operation::invite(who, ROLE.to_owned(), Why::Listed, origin));
        }
    }
    mark(groups, &keys, "to be invited");
    for (adds, one) in unmatched(groups) {
        if adds && one.suggestion.is_none() {
            one.problem += &format!(": at most {INVITES_MAX} people are invited at once; run again later");
        }
    }
    operations
}

/// The addresses that match no user, each with whether its group would add the user.
fn unmatched(groups: &mut [GroupPlan]) -> impl Iterator<Item = (bool, &mut Unresolved)> {
    let all = groups.iter_mut().flat_map(|group| {
        let adds = group.adds && group.blocks.is_empty();
        group.unresolved.iter_mut().map(move |one| (adds, one))
    });
    all.filter(|(_, one)| one.problem.starts_with(NO_USER_WITH_ADDRESS))
}

fn mark(groups: &mut [GroupPlan], invited: &HashSet<EmailKey>, state: &str) {
    for (adds, one) in unmatched(groups) {
        if adds && one.suggestion.is_none() && invited.contains(&EmailKey::new(&one.who)) {
            one.invited = true;
            one.problem = format!("{state}: a later run adds this person");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{input::max_remove::MaxRemove, plan::source::Origin};

    fn group(adds: bool, addresses: impl IntoIterator<Item = String>) -> GroupPlan {
        let unresolved = addresses.into_iter().map(|who| Unresolved {
            who,
            origin: Origin::default(),
            problem: NO_USER_WITH_ADDRESS.to_owned(),
            suggestion: None,
            invited: false,
        });
        GroupPlan { adds, unresolved: unresolved.collect(), ..GroupPlan::new("G", MaxRemove::OF_GROUP) }
    }

    #[test]
    fn an_address_of_several_groups_is_invited_once_and_a_similar_one_is_not() {
        let both = || ["a@x.y".to_owned(), "b@x.y".to_owned()];
        let mut groups = [group(true, both()), group(true, both()), group(false, ["c@x.y".to_owned()])];
        groups[0].unresolved[1].suggestion = Some("bb@x.y".to_owned());
        groups[1].unresolved[1].suggestion = Some("bb@x.y".to_owned());
        let invites = invite(&mut groups);
        assert_eq!(invites.iter().filter_map(Operation::email).collect::<Vec<_>>(), ["a@x.y"]);
        let invited = groups.iter().flat_map(|group| &group.unresolved).map(|one| one.invited);
        assert_eq!(invited.collect::<Vec<_>>(), [true, false, true, false, false]);
    }

    #[test]
    fn addresses_over_the_limit_are_invited_later() {
        let mut groups = [group(true, (0..=INVITES_MAX).map(|number| format!("{number}@x.y")))];
        assert_eq!(invite(&mut groups).len(), INVITES_MAX);
        let last = &groups[0].unresolved[INVITES_MAX];
        assert_eq!(
            (last.invited, last.problem.as_str()),
            (
                false,
                "no user in the organization has this address: at most 200 people are invited at once; run again later"
            )
        );
    }
}
