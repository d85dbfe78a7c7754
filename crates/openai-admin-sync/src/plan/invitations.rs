//! Invites for addresses that match no user.
//!
//! Only the organization invites: the memberships of groups follow in a later plan, after the person has accepted.

use std::collections::HashSet;

use openai_admin::{InviteStatus, operations::users::EmailText};

use crate::{
    input::email::EmailKey,
    plan::{
        group_plan::{GroupPlan, Unresolved},
        no_user::NO_USER_WITH_ADDRESS,
        operation::{Operation, Why},
        suggest::{COMPARED_BEFORE_INVITES_MAX, Compared, SUGGESTED_MAX},
    },
    service::{read_error::ReadError, reader::Reader},
};

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

/// Plans an invite for each unmatched address that a group should have and that was compared with all users, because an
/// invite to a mistyped address gives access to a stranger. An address with a suggestion may be mistyped, so it stays
/// unmatched.
pub fn invite(groups: &mut [GroupPlan], compared: &Compared) -> Vec<Operation> {
    let mut keys = HashSet::new();
    let mut operations = Vec::new();
    for (_, one) in unmatched(groups).filter(|(adds, one)| *adds && one.suggestion.is_none()) {
        let key = EmailKey::new(&one.who);
        if let Some(problem) = problem(&one.who, &key, compared) {
            one.problem += &format!(": {problem}");
        } else if keys.insert(key) {
            let (who, origin) = (one.who.clone(), one.origin.clone());
            operations.push(Operation::invite(who, ROLE.to_owned(), Why::Listed, origin));
        }
    }
    mark(groups, &keys, "to be invited");
    operations
}

/// Why an address is not invited.
fn problem(address: &str, key: &EmailKey, compared: &Compared) -> Option<String> {
    if EmailText::new(address).is_err() {
        return Some("it is not a valid address, so it is not invited".to_owned());
    }
    if !compared.with_all {
        return Some(format!(
            "the organization has too many users to rule out a typo ({COMPARED_BEFORE_INVITES_MAX} or more); use \
             `invites create`"
        ));
    }
    let is_compared = compared.addresses.contains(key);
    (!is_compared).then(|| {
        format!("at most {SUGGESTED_MAX} unknown addresses are checked for typos at once; run again")
    })
}

/// The addresses that match no user, each with whether its group would add the user.
fn unmatched(groups: &mut [GroupPlan]) -> impl Iterator<Item = (bool, &mut Unresolved)> {
    let all = groups.iter_mut().flat_map(|group| {
        let adds = group.adds_users();
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

    fn compared(groups: &[GroupPlan]) -> Compared {
        let unresolved = groups.iter().flat_map(|group| &group.unresolved).take(SUGGESTED_MAX);
        Compared { addresses: unresolved.map(|one| EmailKey::new(&one.who)).collect(), with_all: true }
    }

    #[test]
    fn an_address_of_several_groups_is_invited_once_and_a_similar_one_is_not() {
        let both = || ["a@x.y".to_owned(), "b@x.y".to_owned()];
        let mut groups = [group(true, both()), group(true, both()), group(false, ["c@x.y".to_owned()])];
        groups[0].unresolved[1].suggestion = Some("bb@x.y".to_owned());
        groups[1].unresolved[1].suggestion = Some("bb@x.y".to_owned());
        let compared = compared(&groups);
        let invites = invite(&mut groups, &compared);
        assert_eq!(invites.iter().filter_map(Operation::email).collect::<Vec<_>>(), ["a@x.y"]);
        let invited = groups.iter().flat_map(|group| &group.unresolved).map(|one| one.invited);
        assert_eq!(invited.collect::<Vec<_>>(), [true, false, true, false, false]);
    }

    #[test]
    fn an_address_that_was_not_compared_with_all_users_is_not_invited() {
        let mut groups = [group(true, (0..=SUGGESTED_MAX).map(|number| format!("{number}@x.y")))];
        let some = compared(&groups);
        assert_eq!(invite(&mut groups, &some).len(), SUGGESTED_MAX);
        let last = &groups[0].unresolved[SUGGESTED_MAX];
        assert_eq!(
            (last.invited, last.problem.as_str()),
            (
                false,
                "no user in the organization has this address: at most 200 unknown addresses are checked for typos at \
                 once; run again"
            )
        );
        let mut groups = [group(true, ["a@x.y".to_owned()])];
        let part = Compared { with_all: false, ..compared(&groups) };
        assert_eq!(invite(&mut groups, &part), []);
        assert!(groups[0].unresolved[0].problem.contains("use `invites create`"));
    }
}
