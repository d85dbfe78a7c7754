//! What a person types, and what it names: groups by id or name, users by id or email address.

use std::collections::HashMap;

use openai_admin::{
    Client, GroupId, Limit, UserId,
    identity::{email_key, name_key, name_key_in_any_case},
    likeness::likeness as alike,
    models::{GroupResponse, User},
};

use crate::failure::{Failure, Hint, Result, While as _};

/// How many addresses one request asks for: more make a URL that gateways refuse.
const EMAILS_PER_REQUEST: usize = 50;
/// How many pages of users are read for a suggestion. A guess is not worth more.
const SUGGESTION_PAGES_MAX: usize = 5;
/// How many suggestions are made.
const SUGGESTIONS_MAX: usize = 3;
/// How alike a suggestion must be, from 0 to 1. Two letters of a short name may be wrong.
const SUGGESTION_LIKENESS_MIN: f64 = 0.6;
/// How many candidates of an ambiguous name are listed.
const CANDIDATES_MAX: usize = 10;

/// The group with this id, or else with this name.
pub(crate) async fn group(client: &Client, text: &str) -> Result<GroupResponse> {
    if let Ok(id) = GroupId::new(text) {
        match client.groups().retrieve_group(id).await {
            Ok(group) => return Ok(group.into_inner()),
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error).doing(|| format!("find group '{text}'")),
        }
    }
    let list = client.groups().list_groups().limit(Limit::<0, 1000, 100>::MAX.get());
    let groups = list.items().try_collect().await.doing(|| format!("find group '{text}'"))?;
    let key = name_key(text);
    let (alike, others): (Vec<_>, Vec<_>) =
        groups.into_iter().partition(|group| name_key(&group.name) == key);
    // Of two that look the same, the one that is written the same is meant.
    let (exact, alike): (Vec<_>, Vec<_>) = alike.into_iter().partition(|group| group.name == text);
    let mut named = if exact.is_empty() { alike } else { exact };
    match (named.pop(), named.is_empty()) {
        (Some(group), true) => Ok(group),
        (Some(last), false) => {
            named.push(last);
            let candidate = |group: &GroupResponse| {
                format!("{} (created {})", group.id, crate::output::moment(group.created_at.unix_seconds()))
            };
            let message = format!("{} groups are called '{text}'", named.len());
            Err(ambiguous(message, named.iter().map(candidate)))
        }
        (None, _) => {
            let known = others.iter().map(|group| (vec![group.name.as_str()], group.id.as_str()));
            let near = suggestions(text, known);
            let failure = Failure::not_found(format!("there is no group with the id or name '{text}'"));
            Err(match near.is_empty() {
                true => failure.propose("groups list", "shows all groups"),
                false => near.into_iter().fold(failure, Failure::hint),
            })
        }
    }
}

/// A user whom somebody named. The email address is known when they were named by it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FoundUser {
    pub(crate) id: UserId,
    pub(crate) email: Option<String>,
}

/// The user with this id or email address. An id is taken as it is: whoever uses it will hear if it names nobody.
pub(crate) async fn user(client: &Client, text: &str) -> Result<FoundUser> {
    let mut found = users(client, &[text.to_owned()]).await?;
    match found.pop() {
        Some(Err(failure)) => Err(with_suggestions(client, text, failure).await),
        Some(Ok(user)) => Ok(user),
        None => Err(unknown_user(text)),
    }
}

/// The users with these ids or email addresses, each in its place.
///
/// # Errors
///
/// When the service cannot be asked. A user who is not found is an error in its own place.
pub(crate) async fn users(client: &Client, texts: &[String]) -> Result<Vec<Result<FoundUser>>> {
    let emails: Vec<&str> = texts.iter().map(String::as_str).filter(|text| text.contains('@')).collect();
    let mut by_email: HashMap<String, Vec<User>> = HashMap::new();
    for batch in emails.chunks(EMAILS_PER_REQUEST) {
        let list = client.users().list_users().limit(Limit::<1, 100, 20>::MAX.get());
        let found = list.emails(batch.iter().copied()).items().try_collect().await;
        let found = found.map_err(|error| {
            let is_denied = error.is_permission_denied();
            let failure = Failure::from(error);
            if is_denied {
                failure.hint("or name users by id, which needs no api.management.read")
            } else {
                failure
            }
        });
        let found = found.doing(|| match batch {
            [email] => format!("look up '{email}'"),
            batch => format!("look up {}", crate::output::count(batch.len(), "email address")),
        })?;
        for user in found {
            let email = user.email.as_deref().map(email_key).unwrap_or_default();
            by_email.entry(email).or_default().push(user);
        }
    }
    let mut found = Vec::with_capacity(texts.len());
    for text in texts {
        found.push(match one_user(text, &by_email) {
            None => user_with_id(client, text).await,
            Some(user) => user,
        });
    }
    Ok(found)
}

/// Nobody has the address: an id may hold an @ too.
async fn user_with_id(client: &Client, text: &str) -> Result<FoundUser> {
    let Ok(id) = UserId::new(text) else { return Err(unknown_user(text)) };
    match client.users().retrieve_user(id).await {
        Ok(user) => {
            let User { id, email, .. } = user.into_inner();
            Ok(FoundUser { id, email: email.as_deref().map(str::to_owned) })
        }
        Err(error) if error.is_not_found() => Err(unknown_user(text)),
        Err(error) => Err(error).doing(|| format!("find user '{text}'")),
    }
}

/// The user whom a text names without another question; none when it is an address that nobody has.
fn one_user(text: &str, by_email: &HashMap<String, Vec<User>>) -> Option<Result<FoundUser>> {
    if !text.contains('@') {
        // What is no id names nobody, as it names no group.
        let id = UserId::new(text).map_err(|_| unknown_user(text));
        return Some(id.map(|id| FoundUser { id, email: None }));
    }
    Some(match by_email.get(&email_key(text)).map(Vec::as_slice) {
        None | Some([]) => return None,
        Some([user]) => {
            Ok(FoundUser { id: user.id.clone(), email: user.email.as_deref().map(str::to_owned) })
        }
        Some(several) => {
            let message = format!("{} users have the email address '{text}'", several.len());
            Err(ambiguous(message, several.iter().map(|user| user.id.to_string())))
        }
    })
}

pub(crate) fn unknown_user(text: &str) -> Failure {
    let what = if text.contains('@') { "email address or id" } else { "id" };
    Failure::not_found(format!("there is no user with the {what} '{text}'"))
}

/// The failure to find `text`, with users whose id, address or name is like it.
pub(crate) async fn with_suggestions(client: &Client, text: &str, mut failure: Failure) -> Failure {
    suggest(text, &known_users(client).await, &mut failure);
    failure
}

/// As many users as a suggestion is worth.
pub(crate) async fn known_users(client: &Client) -> Vec<User> {
    let mut pages = client.users().list_users().limit(Limit::<1, 100, 20>::MAX.get()).pages();
    let mut users = Vec::new();
    for _ in 0..SUGGESTION_PAGES_MAX {
        // Who cannot be listed cannot be suggested: the failure itself is what counts.
        let Some(Ok(page)) = pages.next().await else { break };
        users.extend(page.into_inner().data);
    }
    users
}

/// Adds the users whose id, address or name is like `text` to the failure to find it.
pub(crate) fn suggest(text: &str, users: &[User], failure: &mut Failure) {
    let known = users.iter().map(|user| {
        let email = user.email.as_deref().unwrap_or_default();
        let name = user.name.as_deref().unwrap_or_default();
        let shown = if email.is_empty() { name } else { email };
        let local = email.split('@').next().unwrap_or_default();
        let mut alike = vec![shown, name, user.id.as_str()];
        // "ada" means ada@example.com, but in a whole address the domain counts as well.
        if !text.contains('@') {
            alike.push(local);
        }
        (alike, user.id.as_str())
    });
    let near = suggestions(text, known);
    match near.is_empty() {
        true => failure.hints.push(Hint::Command {
            arguments: "users list".to_owned(),
            effect: "shows all users; name one by id or email address",
        }),
        false => failure.hints.extend(near.into_iter().map(Hint::Text)),
    }
}

/// The user does not exist after all, whom an id named.
pub(crate) async fn no_such_user(client: &Client, text: &str) -> Failure {
    with_suggestions(client, text, unknown_user(text)).await
}

/// What an operation on a user said; that there is no such user is said with suggestions.
pub(crate) async fn known<T>(
    client: &Client,
    text: &str,
    answer: Result<T, openai_admin::Error>,
    verb: &str,
) -> Result<T> {
    match answer {
        Err(error) if error.is_not_found() && !error.is_unknown_url() => {
            Err(no_such_user(client, text).await)
        }
        answer => answer.doing(|| format!("{verb} user '{text}'")),
    }
}

/// The things most like `text`. Of each, the first of its texts is shown, and its id.
fn suggestions<'a>(text: &str, known: impl Iterator<Item = (Vec<&'a str>, &'a str)>) -> Vec<String> {
    let text = name_key_in_any_case(text);
    let mut near: Vec<(f64, String)> = known
        .filter_map(|(texts, id)| {
            let likeness = |other: &&str| likeness(&text, &name_key_in_any_case(other));
            let best = texts.iter().filter(|text| !text.is_empty()).map(likeness).fold(0.0, f64::max);
            let shown = format!("did you mean '{}' ({id})?", texts.first().copied().unwrap_or_default());
            (best >= SUGGESTION_LIKENESS_MIN).then_some((best, shown))
        })
        .collect();
    near.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    near.into_iter().take(SUGGESTIONS_MAX).map(|(_, shown)| shown).collect()
}

/// How alike two texts are, from 0 to 1. What all texts of a kind share makes none of them alike: the domain of
/// addresses, the prefix of ids.
fn likeness(a: &str, b: &str) -> f64 {
    if let (Some((local_a, domain_a)), Some((local_b, domain_b))) = (a.split_once('@'), b.split_once('@')) {
        return alike(local_a, local_b).min(alike(domain_a, domain_b));
    }
    match (a.split_once(['_', '-']), b.split_once(['_', '-'])) {
        (Some((prefix_a, rest_a)), Some((prefix_b, rest_b))) if prefix_a == prefix_b => alike(rest_a, rest_b),
        _ => alike(a, b),
    }
}

/// Something that several things answer to.
pub(crate) fn ambiguous(message: String, candidates: impl Iterator<Item = String>) -> Failure {
    let candidates: Vec<String> = candidates.collect();
    let shown = candidates[..candidates.len().min(CANDIDATES_MAX)].join(", ");
    let more = if candidates.len() > CANDIDATES_MAX { ", …" } else { "" };
    Failure::not_found(message).hint(format!("name one by its id: {shown}{more}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_what_is_near_and_nothing_else() {
        let known = || {
            [
                (vec!["Support Team"], "group_1"),
                (vec!["Support"], "group_2"),
                (vec!["ML Research"], "group_3"),
                (vec![""], "group_4"),
            ]
            .into_iter()
        };
        assert_eq!(suggestions("Suport Taem", known()), ["did you mean 'Support Team' (group_1)?"]);
        assert_eq!(suggestions("support", known())[0], "did you mean 'Support' (group_2)?");
        assert!(suggestions("Zebra", known()).is_empty());
    }

    #[test]
    fn a_shared_domain_or_prefix_makes_nobody_alike() {
        assert!(likeness("ada@exampel.com", "ada@example.com") > SUGGESTION_LIKENESS_MIN);
        assert!(likeness("nobody@example.com", "ada@example.com") < SUGGESTION_LIKENESS_MIN);
        assert!(likeness("user_nope", "user_emre") < SUGGESTION_LIKENESS_MIN);
        assert!(likeness("user_ad", "user_ada") > SUGGESTION_LIKENESS_MIN);
    }
}
