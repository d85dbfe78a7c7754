//! Explains why an address or an id in the input matches no user: a pattern, a group, or no user at all.

use std::collections::HashSet;

use openai_admin::identity::name_key_in_any_case;

use crate::{
    input::member::UserRef,
    plan::{document::Purpose, group_plan::Unresolved},
    service::current::CurrentGroup,
};

/// The problem of an address that belongs to no user.
pub const NO_USER_WITH_ADDRESS: &str = "no user in the organization has this address";
/// The problem of an id that no user has.
pub const NO_USER_WITH_ID: &str = "no user in the organization has this id";
/// The problem of a group in place of a user.
const IS_GROUP: &str = "this is a group, and groups cannot contain groups: list its people, or name them in `sets` and \
    `include` the set in both groups";
/// The character that only patterns contain.
const WILDCARD: char = '*';

/// The problem of a reference that matches no user.
pub fn problem(who: &UserRef) -> &'static str {
    match who {
        UserRef::Email(_) => NO_USER_WITH_ADDRESS,
        UserRef::Id(_) => NO_USER_WITH_ID,
    }
}

/// Replaces the problem of patterns and groups by one with the next step. These are never invited and get no suggestion.
pub fn explain<'a>(
    unresolved: impl Iterator<Item = &'a mut Unresolved>,
    groups: &[CurrentGroup],
    purpose: &Purpose,
) {
    // Made only if an id is unknown.
    let mut names: Option<HashSet<String>> = None;
    for one in unresolved {
        let is_id = one.problem == NO_USER_WITH_ID;
        if !is_id && one.problem != NO_USER_WITH_ADDRESS {
            continue;
        }
        if one.who.contains(WILDCARD) {
            one.problem = format!("patterns are not supported: {}", instead_of_pattern(purpose));
        } else if is_id {
            let names = names.get_or_insert_with(|| {
                let texts = groups.iter().flat_map(|group| [group.name.as_str(), group.id.as_str()]);
                texts.map(name_key_in_any_case).collect()
            });
            if names.contains(&name_key_in_any_case(&one.who)) {
                IS_GROUP.clone_into(&mut one.problem);
            }
        }
    }
}

fn instead_of_pattern(purpose: &Purpose) -> &'static str {
    match purpose {
        Purpose::Import => "write a row for each person",
        _ => "list each person, or read them from a table with `members_from`",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{input::member::user_ref, plan::source::Origin, service::current::Members};

    #[test]
    fn a_pattern_and_a_group_are_explained_and_others_are_not() {
        let groups = [("group_1", "Finance"), ("group_2", "Büro")].map(|(id, name)| CurrentGroup {
            id: id.parse().expect("an id"),
            name: name.to_owned(),
            is_scim_managed: false,
            is_tenant_group: false,
            members: Members::NotRead,
        });
        let explained = |who: &str, purpose: &Purpose| {
            let mut one = Unresolved {
                who: who.to_owned(),
                origin: Origin::default(),
                problem: problem(&user_ref(who).expect(who)).to_owned(),
                suggestion: None,
                invited: false,
            };
            explain(std::iter::once(&mut one), &groups, purpose);
            one.problem
        };
        for group in ["Finance", "finance", "group_1", "BÜRO"] {
            assert_eq!(explained(group, &Purpose::Files), IS_GROUP, "{group}");
        }
        for (who, purpose, next) in [
            ("*@acme.com", Purpose::Import, "write a row for each person"),
            ("*@acme.com", Purpose::Files, "read them from a table with `members_from`"),
            ("user_*", Purpose::Files, "read them from a table with `members_from`"),
        ] {
            let problem = explained(who, &purpose);
            assert!(
                problem.starts_with("patterns are not supported: ") && problem.ends_with(next),
                "{problem}"
            );
        }
        assert_eq!(explained("ada@acme.com", &Purpose::Files), NO_USER_WITH_ADDRESS);
        assert_eq!(explained("Finances", &Purpose::Files), NO_USER_WITH_ID);
    }
}
