//! Resolves addresses and ids to users.

use std::collections::{HashMap, HashSet};

use openai_admin::{UserId, models::User};

use crate::{
    input::{
        email::EmailKey,
        input_error::{InputError, InputErrors},
        member::UserRef,
    },
    plan::desired::{Desired, DesiredMember},
    service::{
        current::Snapshot,
        read_error::ReadError,
        reader::{EMAILS_PER_REQUEST, Reader, USERS_PAGE_SIZE, Walk},
    },
};

/// The most users that are looked up for one plan, besides those in the lists of group users. The lookups take at most
/// 4,000 requests: an abandoned scan of 2,000 pages, and 2,000 requests by address.
pub const LOOKED_UP_MAX: usize = 100_000;

/// The known users, from the lists of group users and from lookups.
#[derive(Debug, Default)]
pub struct People {
    by_email: HashMap<EmailKey, Hit>,
    by_id: HashSet<UserId>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Hit {
    One(UserId),
    Several(Vec<UserId>),
}

/// The result of resolving an address or an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution<'a> {
    /// Exactly one user.
    User(&'a UserId),
    /// Several users have the address.
    Several(&'a [UserId]),
    /// No user.
    NoUser,
}

impl People {
    /// All users in the snapshot.
    pub fn of(snapshot: &Snapshot) -> Self {
        let mut people = Self::default();
        for user in snapshot.groups.iter().flat_map(|group| group.members()) {
            people.learn(&user.id, user.email.as_deref());
        }
        people
    }

    /// Adds a user.
    pub fn learn(&mut self, id: &UserId, email: Option<&str>) {
        // Users in several groups are added several times.
        if !self.by_id.insert(id.clone()) {
            return;
        }
        let Some(email) = email.map(EmailKey::new).filter(|email| !email.as_str().is_empty()) else { return };
        match self.by_email.entry(email) {
            std::collections::hash_map::Entry::Vacant(entry) => {
                entry.insert(Hit::One(id.clone()));
            }
            std::collections::hash_map::Entry::Occupied(mut entry) => match entry.get_mut() {
                Hit::One(one) => {
                    let several = Hit::Several(vec![one.clone(), id.clone()]);
                    entry.insert(several);
                }
                Hit::Several(several) => several.push(id.clone()),
            },
        }
    }

    /// The user that `who` refers to.
    pub fn find(&self, who: &UserRef) -> Resolution<'_> {
        match who {
            UserRef::Id(id) => self.by_id.get(id).map_or(Resolution::NoUser, Resolution::User),
            UserRef::Email(email) => match self.by_email.get(email) {
                Some(Hit::One(id)) => Resolution::User(id),
                Some(Hit::Several(several)) => Resolution::Several(several),
                None => Resolution::NoUser,
            },
        }
    }

    fn learn_user(&mut self, user: &User) {
        self.learn(&user.id, user.email.as_deref());
    }

    /// The number of known users.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether no user is known.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }
}

/// The members in the input that are not known yet, without duplicates.
///
/// # Errors
///
/// If there are more than [`LOOKED_UP_MAX`].
fn unknown<'a>(desired: &'a Desired, people: &People) -> Result<Vec<&'a UserRef>, InputErrors> {
    let mut seen = HashSet::new();
    let members = desired.groups.iter().filter_map(|group| group.members.as_ref());
    let unknown: Vec<&DesiredMember> = members
        .flat_map(|members| members.present.iter().chain(&members.absent))
        .filter(|member| people.find(&member.who) == Resolution::NoUser && seen.insert(&member.who))
        .collect();
    if let Some(first) = unknown.get(LOOKED_UP_MAX) {
        let position = first.origin.position.clone();
        let message = format!(
            "the input names {} users who are not in these groups yet; at most {LOOKED_UP_MAX} can be looked up",
            unknown.len()
        );
        let hint = "check that the addresses belong to this organization; if so, add the users in batches first, \
            with `import memberships`";
        return Err(InputErrors::one(InputError { position, message, hint: Some(hint.to_owned()) }));
    }
    Ok(unknown.into_iter().map(|member| &member.who).collect())
}

/// Whether listing all users takes fewer requests than looking up addresses. The total number of users is unknown; the
/// estimate uses the users seen so far, and a scan may end early.
pub(crate) fn is_scan_cheaper(addresses: usize, users_seen: usize) -> bool {
    let lookups = addresses.div_ceil(EMAILS_PER_REQUEST);
    let pages = (users_seen + addresses).div_ceil(USERS_PAGE_SIZE.into());
    pages < lookups
}

/// Looks up the members who are not in the lists of group users, in the way that takes fewer requests.
///
/// # Errors
///
/// See [`ReadError`].
pub async fn find_people(reader: &Reader, desired: &Desired, people: &mut People) -> Result<(), ReadError> {
    let missing = unknown(desired, people)?;
    let emails: Vec<&EmailKey> = missing
        .iter()
        .filter_map(|who| match *who {
            UserRef::Email(email) => Some(email),
            UserRef::Id(_) => None,
        })
        .collect();
    // The number of users is unknown: stop the scan once it has taken more requests than lookups would.
    let lookups = emails.len().div_ceil(EMAILS_PER_REQUEST);
    if is_scan_cheaper(emails.len(), people.len()) && scan(reader, &missing, people, lookups).await? {
        return Ok(());
    }
    let emails: Vec<&str> = emails
        .into_iter()
        .filter(|email| !people.by_email.contains_key(*email))
        .map(EmailKey::as_str)
        .collect();
    for batch in emails.chunks(EMAILS_PER_REQUEST) {
        for user in reader.list_users_with_emails(batch).await? {
            people.learn_user(&user);
        }
    }
    for who in &missing {
        if let UserRef::Id(id) = who
            && !people.by_id.contains(id)
            && let Some(user) = reader.find_user(id.clone()).await?
        {
            people.learn_user(&user);
        }
    }
    Ok(())
}

/// Lists users until all missing ones are found. Returns false if it stopped early, at `pages_max` pages.
async fn scan(
    reader: &Reader,
    missing: &[&UserRef],
    people: &mut People,
    pages_max: usize,
) -> Result<bool, ReadError> {
    let mut left: HashSet<&UserRef> = missing.iter().copied().collect();
    let mut pages = 0;
    let mut is_cut = false;
    let take = |users: Vec<User>| {
        for user in &users {
            people.learn_user(user);
            left.remove(&UserRef::Id(user.id.clone()));
            if let Some(email) = user.email.as_deref() {
                left.remove(&UserRef::Email(EmailKey::new(email)));
            }
        }
        pages += 1;
        is_cut = pages >= pages_max && !left.is_empty();
        if is_cut || left.is_empty() { Walk::Stop } else { Walk::Continue }
    };
    reader.scan_users(take).await?;
    Ok(!is_cut)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        input::input_error::Position,
        plan::{
            desired::{DesiredGroup, DesiredMembers},
            source::Origin,
        },
    };

    fn id(text: &str) -> UserId {
        text.parse().expect("an id")
    }

    #[test]
    fn an_address_of_two_users_is_ambiguous() {
        let mut people = People::default();
        people.learn(&id("user_1"), Some("Ada@x.y"));
        people.learn(&id("user_1"), Some("Ada@x.y"));
        let ada = UserRef::Email(EmailKey::new("ada@x.y"));
        assert_eq!(people.find(&ada), Resolution::User(&id("user_1")));
        people.learn(&id("user_2"), Some("ada@x.y"));
        assert_eq!(people.find(&ada), Resolution::Several(&[id("user_1"), id("user_2")]));
        assert_eq!(people.find(&UserRef::Id(id("user_2"))), Resolution::User(&id("user_2")));
        assert_eq!(people.find(&UserRef::Id(id("user_3"))), Resolution::NoUser);
    }

    #[test]
    fn users_are_found_with_the_fewest_requests() {
        assert!(!is_scan_cheaper(0, 0));
        assert!(!is_scan_cheaper(50, 50));
        assert!(is_scan_cheaper(100, 0));
        assert!(!is_scan_cheaper(100, 10_000));
        assert!(is_scan_cheaper(10_000, 9_000));
    }

    #[test]
    fn one_user_over_the_limit_of_lookups_is_refused() {
        let member = |number: usize| DesiredMember {
            who: UserRef::Email(EmailKey::new(&format!("{number}@x.y"))),
            origin: Origin {
                position: Some(Position::line("groups.yaml", number as u64)),
                ..Origin::default()
            },
        };
        let desired = |numbers: std::ops::RangeInclusive<usize>| {
            let members =
                DesiredMembers { present: numbers.map(member).collect(), ..DesiredMembers::default() };
            // Users in two groups are looked up once.
            let groups = [members.present.clone(), members.present].map(|present| {
                let members = DesiredMembers { present, ..DesiredMembers::default() };
                DesiredGroup { members: Some(members), ..DesiredGroup::existing("A") }
            });
            Desired { groups: groups.into(), ..Desired::default() }
        };
        let mut people = People::default();
        let at_the_limit = desired(1..=LOOKED_UP_MAX);
        assert_eq!(unknown(&at_the_limit, &people).expect("at the limit").len(), LOOKED_UP_MAX);
        let beyond = desired(1..=LOOKED_UP_MAX + 1);
        let errors = unknown(&beyond, &people).expect_err("one more");
        assert_eq!(
            errors.to_string(),
            "groups.yaml:100001: the input names 100001 users who are not in these groups yet; at most 100000 can be \
             looked up"
        );
        // Users in a group's list need no lookup.
        people.learn(&id("user_1"), Some("1@x.y"));
        assert_eq!(unknown(&beyond, &people).expect("one is known").len(), LOOKED_UP_MAX);
    }
}
