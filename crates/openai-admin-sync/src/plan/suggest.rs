//! Suggests users for addresses that match no user: by the name in the table's row, and by similar addresses.

use std::collections::{HashMap, HashSet};

use openai_admin::{
    identity::{email_key, name_key_in_any_case},
    likeness::likeness,
    models::User,
};

use crate::{
    input::{email::EmailKey, visible::visible},
    plan::{
        group_plan::{GroupPlan, Unresolved},
        no_user::{NO_USER_WITH_ADDRESS, NO_USER_WITH_ID},
    },
    service::{
        read_error::ReadError,
        reader::{Reader, Walk},
    },
};

/// The most users that are read to find suggestions: 50 requests.
pub const COMPARED_MAX: usize = 5_000;
/// The most users that are read before someone is invited: 1,000 requests. A typo of any other address is not recognized.
pub const COMPARED_BEFORE_INVITES_MAX: usize = 100_000;
/// The most addresses of a plan that get a suggestion.
pub const SUGGESTED_MAX: usize = 200;
/// The most letters by which a mistyped address differs.
const LETTERS_MAX: usize = 2;
/// The fewest letters before the `@` of an address that can be mistyped: short ones are similar by chance.
const NAME_LETTERS_MIN: usize = 4;
/// The mark of a guest of another tenant in Entra: `ada_example.com#EXT#@acme.onmicrosoft.com`.
const GUEST_MARK: &str = "#ext#@";

/// The users of the organization, for suggestions.
#[derive(Debug)]
pub struct Candidates {
    users: Vec<(String, String)>,
    users_max: usize,
}

impl Default for Candidates {
    fn default() -> Self {
        Self { users: Vec::new(), users_max: COMPARED_MAX }
    }
}

impl Candidates {
    /// Adds a user, unless there are enough or the user has no address.
    pub fn add(&mut self, email: Option<&str>, name: Option<&str>) {
        if let Some(email) = email.filter(|_| self.users.len() < self.users_max) {
            self.users.push((email_key(email), name.unwrap_or_default().to_owned()));
        }
    }

    /// The user that an unknown address may mean: the address, and the name, which may be empty.
    fn suggest(&self, address: &str, name: Option<&str>) -> Option<&(String, String)> {
        let by_name = || {
            let key = name.map(name_key_in_any_case).filter(|key| !key.is_empty())?;
            self.only(|(_, name)| name_key_in_any_case(name) == key)
        };
        let by_guest = || {
            let guest = guest_address(address)?;
            self.only(|(email, _)| *email == guest)
        };
        let by_letters = || self.only(|(email, _)| is_mistyped(address, email));
        by_guest().or_else(by_letters).or_else(by_name)
    }

    /// The only user that fits. Of several, none is suggested.
    fn only(&self, fits: impl Fn(&(String, String)) -> bool) -> Option<&(String, String)> {
        let mut found = self.users.iter().filter(|user| fits(user));
        let first = found.next()?;
        found.next().is_none().then_some(first)
    }
}

/// The unmatched addresses that were compared with those of users.
#[derive(Debug, Default)]
pub struct Compared {
    /// The addresses.
    pub addresses: HashSet<EmailKey>,
    /// Whether they were compared with all users.
    pub with_all: bool,
}

/// A user in a message: `dana@example.com (Dana Whitfield)`.
fn shown((email, name): &(String, String)) -> String {
    if name.is_empty() { email.clone() } else { format!("{email} ({})", visible(name)) }
}

/// Whether an address may be a typo of another one: one or two letters differ, and no digit.
fn is_mistyped(address: &str, known: &str) -> bool {
    let (Some((name, host)), Some((known_name, known_host))) =
        (address.split_once('@'), known.split_once('@'))
    else {
        return false;
    };
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    if digits(address) != digits(known) {
        return false;
    }
    match (name == known_name, host == known_host) {
        (true, false) => letters_between(host, known_host) <= LETTERS_MAX,
        (false, true) => {
            name.chars().count().min(known_name.chars().count()) >= NAME_LETTERS_MIN
                && letters_between(name, known_name) <= LETTERS_MAX
        }
        (true, true) | (false, false) => false,
    }
}

/// The number of letters that are missing, added, replaced or swapped.
fn letters_between(a: &str, b: &str) -> usize {
    let longer = a.chars().count().max(b.chars().count());
    // Too different in length to be compared.
    if a.chars().count().abs_diff(b.chars().count()) > LETTERS_MAX {
        return usize::MAX;
    }
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let letters = ((1.0 - likeness(a, b)) * longer as f64).round() as usize;
    letters
}

/// The address of a guest, from the name that Entra gives a guest.
fn guest_address(address: &str) -> Option<String> {
    let (guest, _) = address.split_once(GUEST_MARK)?;
    let (name, host) = guest.rsplit_once('_')?;
    Some(format!("{name}@{host}"))
}

/// Adds suggestions to the unmatched addresses of a plan, first in groups that add users. Reads users only if there are such
/// addresses. Returns the addresses that were compared with `users_max` users or with all.
///
/// # Errors
///
/// See [`ReadError`].
pub async fn suggest(
    reader: &Reader,
    groups: &mut [GroupPlan],
    names: &HashMap<EmailKey, Box<str>>,
    users_max: usize,
) -> Result<Compared, ReadError> {
    let unmatched =
        |one: &&mut Unresolved| [NO_USER_WITH_ADDRESS, NO_USER_WITH_ID].contains(&one.problem.as_str());
    if !groups.iter_mut().flat_map(|group| &mut group.unresolved).any(|one| unmatched(&&mut *one)) {
        return Ok(Compared::default());
    }
    let mut candidates = Candidates { users: Vec::new(), users_max };
    let take = |users: Vec<User>| {
        for user in &users {
            candidates.add(user.email.as_deref(), user.name.as_deref());
        }
        if candidates.users.len() < candidates.users_max { Walk::Continue } else { Walk::Stop }
    };
    reader.scan_users(take).await?;
    let mut compared = Compared { addresses: HashSet::new(), with_all: candidates.users.len() < users_max };
    let (adding, others): (Vec<_>, Vec<_>) = groups.iter_mut().partition(|group| group.adds_users());
    let unresolved = adding.into_iter().chain(others).flat_map(|group| &mut group.unresolved);
    for one in unresolved.filter(unmatched).take(SUGGESTED_MAX) {
        compared.addresses.insert(EmailKey::new(&one.who));
        let name = match one.problem == NO_USER_WITH_ID {
            // A name in place of an id.
            true => Some(one.who.as_str()),
            false => names.get(&EmailKey::new(&one.who)).map(AsRef::as_ref),
        };
        if let Some(user) = candidates.suggest(&one.who, name) {
            one.problem = format!("{}: did you mean {}?", one.problem, shown(user));
            one.suggestion = Some(user.0.clone());
        }
    }
    Ok(compared)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_address_a_guest_and_a_name_are_suggested() {
        let mut candidates = Candidates::default();
        for (email, name) in [
            ("chidi.okonkwo@example.com", "Chidi Okonkwo"),
            ("Dana@example.com", "Dana Whitfield"),
            ("partner@fabrikam.example", ""),
            ("user10@example.com", "Ten"),
            ("li@example.com", "Li"),
            ("twin1@example.com", "Twin"),
            ("twin2@example.com", "Twin"),
        ] {
            candidates.add(Some(email), Some(name));
        }
        for (address, name, expected) in [
            ("chidi.okonkwo@exmaple.com", None, Some("chidi.okonkwo@example.com (Chidi Okonkwo)")),
            ("chidi.okonkow@example.com", None, Some("chidi.okonkwo@example.com (Chidi Okonkwo)")),
            ("dana@example.co", None, Some("dana@example.com (Dana Whitfield)")),
            ("d.whitfield@example.com", Some("dana  whitfield"), Some("dana@example.com (Dana Whitfield)")),
            ("partner_fabrikam.example#ext#@acme.onmicrosoft.com", None, Some("partner@fabrikam.example")),
            ("user11@example.com", None, None),
            ("lo@example.com", None, None),
            ("dana@other.example", None, None),
            ("Dana Whitfield", Some("Dana Whitfield"), Some("dana@example.com (Dana Whitfield)")),
            ("x@example.com", Some("Twin"), None),
            ("x@example.com", Some(""), None),
        ] {
            assert_eq!(candidates.suggest(address, name).map(shown).as_deref(), expected, "{address}");
        }
    }

    #[test]
    fn users_over_the_limit_are_not_compared() {
        let mut candidates = Candidates::default();
        for number in 0..=COMPARED_MAX {
            candidates.add(Some(&format!("{number}@x.y")), None);
        }
        assert_eq!(candidates.users.len(), COMPARED_MAX);
    }
}
