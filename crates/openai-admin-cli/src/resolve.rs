//! Resolves arguments: groups by id or name, users by id or email address. Several are looked up concurrently, and their
//! names in one list.

use std::{collections::HashMap, future::Future};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use openai_admin::{
    Client, GroupId, OrganizationId, ProjectId, Response, RoleId, UserId,
    identity::{email_key, name_key, name_key_in_any_case},
    likeness::likeness as alike,
    models::{GroupResponse, User},
};
use openai_admin_sync::render::shell_word;

use crate::{
    failure::{Doing as _, Failure, Hint, Result},
    lists::{LONG_PAGE_SIZE, PAGE_SIZE},
    output::count,
    progress::CONCURRENCY,
};

/// How many addresses are in one request: gateways reject longer URLs.
const EMAILS_PER_REQUEST: usize = 50;
/// How many pages of users are read for suggestions.
const SUGGESTION_PAGES_MAX: usize = 5;
/// The maximum of suggestions.
const SUGGESTIONS_MAX: usize = 3;
/// The minimum likeness of a suggestion, from 0 to 1. It allows two wrong letters in a short name.
const SUGGESTION_LIKENESS_MIN: f64 = 0.6;
/// The maximum of candidates in the hint for an ambiguous name.
const CANDIDATES_MAX: usize = 10;

/// The group with this id, or else with this name.
pub(crate) async fn group(client: &Client, text: &str) -> Result<GroupResponse> {
    group_and_organization(client, text).await.map(|(group, _)| group)
}

/// The group with this id, or else with this name, and the organization that the response names.
pub(crate) async fn group_and_organization(
    client: &Client,
    text: &str,
) -> Result<(GroupResponse, Option<OrganizationId>)> {
    if let Some(group) = group_with_id(client, text).await? {
        let organization = organization(&group);
        return Ok((group.into_inner(), organization));
    }
    let (groups, organization) = GroupNames::read(client, || format!("find group '{text}'")).await?;
    groups.one(text).map(|group| (group, organization))
}

/// The groups with these ids or else names, in the same order. The names are looked up in one list.
///
/// # Errors
///
/// If a request fails. A group that is not found is an error in the list.
pub(crate) async fn groups(client: &Client, texts: &[String]) -> Result<Vec<Result<GroupResponse>>> {
    let with_ids = concurrently(texts.iter().map(|text| group_with_id(client, text))).await?;
    let names = match with_ids.iter().all(Option::is_some) {
        true => GroupNames::default(),
        false => GroupNames::read(client, || format!("find {}", count(texts.len(), "group"))).await?.0,
    };
    let found = texts.iter().zip(with_ids).map(|(text, group)| match group {
        Some(group) => Ok(group.into_inner()),
        None => names.one(text),
    });
    Ok(found.collect())
}

/// The group with this id, if there is one.
async fn group_with_id(client: &Client, text: &str) -> Result<Option<Response<GroupResponse>>> {
    let Ok(id) = GroupId::new(text) else { return Ok(None) };
    match client.groups().retrieve_group(id).await {
        Ok(group) => Ok(Some(group)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error).doing(|| format!("find group '{text}'")),
    }
}

/// The results of requests, in order, several at a time; the first error ends them.
async fn concurrently<T>(requests: impl Iterator<Item = impl Future<Output = Result<T>>>) -> Result<Vec<T>> {
    // Not lazy: the compiler cannot prove that a closure in a stream lives long enough.
    let requests: Vec<_> = requests.collect();
    stream::iter(requests).buffered(CONCURRENCY).try_collect().await
}

/// The organization that a response names.
fn organization<T>(response: &Response<T>) -> Option<OrganizationId> {
    let header = response.headers().get("openai-organization")?;
    OrganizationId::new(header.to_str().ok()?).ok()
}

/// All groups, by name.
#[derive(Default)]
struct GroupNames {
    groups: Vec<GroupResponse>,
    /// The indices of the groups with a name, by its key.
    by_key: HashMap<String, Vec<usize>>,
}

impl GroupNames {
    /// Reads them, and the organization that the response names.
    async fn read(client: &Client, doing: impl Fn() -> String) -> Result<(Self, Option<OrganizationId>)> {
        let mut pages = client.groups().list_groups().limit(LONG_PAGE_SIZE).pages();
        let (mut names, mut organization_id) = (Self::default(), None);
        while let Some(page) = pages.next().await {
            let page = page.doing(&doing)?;
            organization_id = organization(&page);
            for group in page.into_inner().data {
                names.by_key.entry(name_key(&group.name)).or_default().push(names.groups.len());
                names.groups.push(group);
            }
        }
        Ok((names, organization_id))
    }

    /// The group with this name.
    fn one(&self, text: &str) -> Result<GroupResponse> {
        let alike = self.by_key.get(&name_key(text)).map(Vec::as_slice).unwrap_or_default();
        let alike: Vec<&GroupResponse> = alike.iter().filter_map(|index| self.groups.get(*index)).collect();
        // Among similar names, an exact match wins.
        let exact: Vec<&GroupResponse> = alike.iter().copied().filter(|group| group.name == text).collect();
        match if exact.is_empty() { alike } else { exact }.as_slice() {
            [group] => Ok((*group).clone()),
            [] => {
                let known = self.groups.iter().map(|group| (vec![group.name.as_str()], group.id.as_str()));
                let near = suggestions(text, known);
                let failure = Failure::not_found(format!("no group has the id or name '{text}'"));
                Err(match near.is_empty() {
                    true => failure.suggest("groups list", "lists all groups"),
                    false => near.into_iter().fold(failure, Failure::hint),
                })
            }
            several => {
                let candidate = |group: &&GroupResponse| {
                    let created = crate::output::moment(group.created_at.unix_seconds());
                    format!("{} (created {created})", group.id)
                };
                let message = format!("{} groups have the name '{text}'", several.len());
                Err(ambiguous(message, several.iter().map(candidate)))
            }
        }
    }
}

/// The id of the project with this id, or else with this name.
pub(crate) async fn project(client: &Client, text: &str) -> Result<ProjectId> {
    if let Ok(id) = ProjectId::new(text) {
        match client.projects().retrieve_project(id).await {
            Ok(project) => return Ok(project.into_inner().id),
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error).doing(|| format!("find project '{text}'")),
        }
    }
    let list = client.projects().list_projects().limit(PAGE_SIZE);
    let projects = list.items().try_collect().await.doing(|| format!("find project '{text}'"))?;
    let mut named: Vec<_> = projects.iter().filter(|project| project.name.as_deref() == Some(text)).collect();
    match (named.pop(), named.is_empty()) {
        (Some(project), true) => Ok(project.id.clone()),
        (Some(last), false) => {
            named.push(last);
            let message = format!("{} projects have the name '{text}'", named.len());
            Err(ambiguous(message, named.iter().map(|project| project.id.to_string())))
        }
        (None, _) => {
            let failure = Failure::not_found(format!("no project has the id or name '{text}'"));
            let known = projects
                .iter()
                .map(|project| (vec![project.name.as_deref().unwrap_or_default()], project.id.as_str()));
            let near = suggestions(text, known);
            Err(match near.is_empty() {
                true => failure.suggest("projects list", "lists all projects"),
                false => near.into_iter().fold(failure, Failure::hint),
            })
        }
    }
}

/// The id of the role with this id, or else with this name: a role of the project, or of the organization.
pub(crate) async fn role(client: &Client, project_id: Option<&ProjectId>, text: &str) -> Result<RoleId> {
    let doing = || format!("find role '{text}'");
    let roles = match project_id {
        Some(project_id) => {
            let list = client.project_roles().list_project_roles(project_id).limit(LONG_PAGE_SIZE);
            list.items().try_collect().await.doing(doing)?
        }
        None => client.roles().list_roles().limit(LONG_PAGE_SIZE).items().try_collect().await.doing(doing)?,
    };
    if let Some(role) = roles.iter().find(|role| role.id.as_str() == text) {
        return Ok(role.id.clone());
    }
    let mut named: Vec<_> = roles.iter().filter(|role| role.name == text).collect();
    match (named.pop(), named.is_empty()) {
        (Some(role), true) => Ok(role.id.clone()),
        (Some(last), false) => {
            named.push(last);
            let message = format!("{} roles have the name '{text}'", named.len());
            Err(ambiguous(message, named.iter().map(|role| role.id.to_string())))
        }
        (None, _) => {
            let of = if project_id.is_some() { "of the project " } else { "" };
            let failure = Failure::not_found(format!("no role {of}has the id or name '{text}'"));
            let known = roles.iter().map(|role| (vec![role.name.as_str()], role.id.as_str()));
            let near = suggestions(text, known);
            Err(match (near.is_empty(), project_id) {
                (false, _) => near.into_iter().fold(failure, Failure::hint),
                (true, Some(project_id)) => failure
                    .suggest(format!("projects roles list {project_id}"), "lists the roles of the project"),
                (true, None) => failure.suggest("roles list", "lists all roles"),
            })
        }
    }
}

/// A resolved user. The email address is known if the user was found by it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ResolvedUser {
    pub(crate) id: UserId,
    pub(crate) email: Option<String>,
}

/// The user with this id or email address. An id is not looked up: the operation that uses it reports an unknown id.
pub(crate) async fn user(client: &Client, text: &str) -> Result<ResolvedUser> {
    let mut found = users(client, &[text.to_owned()]).await?;
    match found.pop() {
        Some(Err(failure)) => Err(with_suggestions(client, text, failure).await),
        Some(Ok(user)) => Ok(user),
        None => Err(unknown_user(text)),
    }
}

/// The users with these ids or email addresses, in the same order.
///
/// # Errors
///
/// If a request fails. A user who is not found is an error in the list.
pub(crate) async fn users(client: &Client, texts: &[String]) -> Result<Vec<Result<ResolvedUser>>> {
    let emails: Vec<&str> = texts.iter().map(String::as_str).filter(|text| text.contains('@')).collect();
    let mut by_email: HashMap<String, Vec<User>> = HashMap::new();
    for batch in emails.chunks(EMAILS_PER_REQUEST) {
        let list = client.users().list_users().limit(PAGE_SIZE);
        let found = list.emails(batch.iter().copied()).items().try_collect().await;
        let found = found.map_err(|error| {
            let is_denied = error.is_permission_denied();
            let failure = Failure::from(error);
            if is_denied {
                failure.hint("or use ids, which do not need api.management.read")
            } else {
                failure
            }
        });
        let found = found.doing(|| match batch {
            [email] => format!("look up '{email}'"),
            batch => format!("look up {}", count(batch.len(), "email address")),
        })?;
        for user in found {
            let email = user.email.as_deref().map(email_key).unwrap_or_default();
            by_email.entry(email).or_default().push(user);
        }
    }
    let by_email = &by_email;
    let found = texts.iter().map(|text| async move {
        // A failure belongs to the user: it does not end the other look-ups.
        Ok(match one_user(text, by_email) {
            None => user_with_id(client, text).await,
            Some(user) => user,
        })
    });
    concurrently(found).await
}

/// No user has the address, so it may be an id: ids may contain an @ too.
async fn user_with_id(client: &Client, text: &str) -> Result<ResolvedUser> {
    let Ok(id) = UserId::new(text) else { return Err(unknown_user(text)) };
    match client.users().retrieve_user(id).await {
        Ok(user) => {
            let User { id, email, .. } = user.into_inner();
            Ok(ResolvedUser { id, email: email.as_deref().map(str::to_owned) })
        }
        Err(error) if error.is_not_found() => Err(unknown_user(text)),
        Err(error) => Err(error).doing(|| format!("find user '{text}'")),
    }
}

/// The user without a further request; none for an address that no user has.
fn one_user(text: &str, by_email: &HashMap<String, Vec<User>>) -> Option<Result<ResolvedUser>> {
    if !text.contains('@') {
        // An invalid id cannot belong to a user.
        let id = UserId::new(text).map_err(|_| unknown_user(text));
        return Some(id.map(|id| ResolvedUser { id, email: None }));
    }
    Some(match by_email.get(&email_key(text)).map(Vec::as_slice) {
        None | Some([]) => return None,
        Some([user]) => {
            Ok(ResolvedUser { id: user.id.clone(), email: user.email.as_deref().map(str::to_owned) })
        }
        Some(several) => {
            let message = format!("{} users have the email address '{text}'", several.len());
            Err(ambiguous(message, several.iter().map(|user| user.id.to_string())))
        }
    })
}

pub(crate) fn unknown_user(text: &str) -> Failure {
    let what = if text.contains('@') { "email address or id" } else { "id" };
    Failure::not_found(format!("no user has the {what} '{text}'"))
}

/// Adds users with a similar id, address or name to the failure to find `text`.
pub(crate) async fn with_suggestions(client: &Client, text: &str, mut failure: Failure) -> Failure {
    suggest(text, &known_users(client).await, &mut failure);
    failure
}

/// The users to suggest from.
pub(crate) async fn known_users(client: &Client) -> Vec<User> {
    let mut pages = client.users().list_users().limit(PAGE_SIZE).pages();
    let mut users = Vec::new();
    for _ in 0..SUGGESTION_PAGES_MAX {
        // If the users cannot be listed, there are no suggestions.
        let Some(Ok(page)) = pages.next().await else { break };
        users.extend(page.into_inner().data);
    }
    users
}

/// Adds users with a similar id, address or name to the failure to find `text`.
pub(crate) fn suggest(text: &str, users: &[User], failure: &mut Failure) {
    if text.contains('*') {
        failure.hints.push(Hint::Text("patterns are not supported; name each user".to_owned()));
        return;
    }
    let known = users.iter().map(|user| {
        let email = user.email.as_deref().unwrap_or_default();
        let name = user.name.as_deref().unwrap_or_default();
        let shown = if email.is_empty() { name } else { email };
        let local = email.split('@').next().unwrap_or_default();
        let mut alike = vec![shown, name, user.id.as_str()];
        // "ada" matches ada@example.com, but a whole address is compared with its domain.
        if !text.contains('@') {
            alike.push(local);
        }
        (alike, user.id.as_str())
    });
    let near = suggestions(text, known);
    match near.is_empty() {
        true => failure.hints.push(Hint::Command {
            arguments: "users list".to_owned(),
            effect: "lists all users; use an id or email address",
        }),
        false => failure.hints.extend(near.into_iter().map(Hint::Text)),
    }
}

/// The groups that a user may be mistaken for: those of one page. Empty if they cannot be listed.
pub(crate) async fn known_groups(client: &Client) -> Vec<GroupResponse> {
    let page = client.groups().list_groups().limit(LONG_PAGE_SIZE).await;
    page.map(|page| page.into_inner().data).unwrap_or_default()
}

/// Explains a failure to find a user if `text` names a group. Returns whether it does.
pub(crate) fn explain_group(text: &str, groups: &[GroupResponse], failure: &mut Failure) -> bool {
    let key = name_key_in_any_case(text);
    let is_meant =
        |group: &&GroupResponse| group.id.as_str() == text || name_key_in_any_case(&group.name) == key;
    let Some(group) = groups.iter().find(is_meant) else { return false };
    failure.hints.push(Hint::Text(format!("'{text}' is a group, and groups cannot contain groups")));
    failure.hints.push(Hint::Command {
        arguments: format!("groups users list {}", shell_word(group.id.as_str())),
        effect: "lists its members",
    });
    true
}

/// The failure for an id that no user has, with suggestions.
pub(crate) async fn missing_user(client: &Client, text: &str) -> Failure {
    with_suggestions(client, text, unknown_user(text)).await
}

/// The result of an operation on a user, with suggestions if the user does not exist.
pub(crate) async fn or_missing_user<T>(
    client: &Client,
    text: &str,
    answer: Result<T, openai_admin::Error>,
    verb: &str,
) -> Result<T> {
    match answer {
        Err(error) if error.is_not_found() && !error.is_unknown_url() => {
            Err(missing_user(client, text).await)
        }
        answer => answer.doing(|| format!("{verb} user '{text}'")),
    }
}

/// The candidates most like `text`. Each shows its first text and its id.
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

/// The likeness of two texts, from 0 to 1. It ignores what all texts of a kind share: the domain of addresses and the
/// prefix of ids.
fn likeness(a: &str, b: &str) -> f64 {
    if let (Some((local_a, domain_a)), Some((local_b, domain_b))) = (a.split_once('@'), b.split_once('@')) {
        return alike(local_a, local_b).min(alike(domain_a, domain_b));
    }
    match (a.split_once(['_', '-']), b.split_once(['_', '-'])) {
        (Some((prefix_a, rest_a)), Some((prefix_b, rest_b))) if prefix_a == prefix_b => alike(rest_a, rest_b),
        _ => alike(a, b),
    }
}

/// The failure for a name with several matches.
pub(crate) fn ambiguous(message: String, candidates: impl Iterator<Item = String>) -> Failure {
    let candidates: Vec<String> = candidates.collect();
    let shown = candidates[..candidates.len().min(CANDIDATES_MAX)].join(", ");
    let more = if candidates.len() > CANDIDATES_MAX { ", …" } else { "" };
    Failure::not_found(message).hint(format!("use an id: {shown}{more}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_similar_names_are_suggested() {
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
    fn a_shared_domain_or_prefix_is_not_a_likeness() {
        assert!(likeness("ada@exampel.com", "ada@example.com") > SUGGESTION_LIKENESS_MIN);
        assert!(likeness("norbert@example.com", "ada@example.com") < SUGGESTION_LIKENESS_MIN);
        assert!(likeness("user_nope", "user_emre") < SUGGESTION_LIKENESS_MIN);
        assert!(likeness("user_ad", "user_ada") > SUGGESTION_LIKENESS_MIN);
    }
}
