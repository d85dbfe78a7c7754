//! Checks of the policy for commands that change one group or user. `guard` checks plans.

use std::collections::HashSet;

use openai_admin::{UserId, models::GroupResponse};
use openai_admin_sync::{guard, policy::Protection};

use crate::{
    failure::{Doing as _, ExitStatus, Failure, Result},
    lists::LONG_PAGE_SIZE,
    session::Session,
};

/// Refuses to change a group that the policy protects.
pub(super) fn allow_group(session: &Session<'_>, group: &GroupResponse) -> Result<()> {
    let protection = Protection::of(&session.policy.protect);
    if protection.has_group(Some(group.id.as_str()), &group.name) {
        return Err(policy_failure(format!(
            "group '{}' ({}) is protected by the policy",
            group.name, group.id
        )));
    }
    Ok(())
}

/// Refuses to remove a user that the policy protects. Without `email`, the user is read to get it.
pub(super) async fn allow_user(session: &Session<'_>, id: &UserId, email: Option<&str>) -> Result<()> {
    if session.policy.protect.users.is_empty() {
        return Ok(());
    }
    let protection = Protection::of(&session.policy.protect);
    let mut email = email.map(str::to_owned);
    if email.is_none() && !protection.has_user(id.as_str(), None) {
        match session.client.users().retrieve_user(id.clone()).await {
            Ok(user) => email = user.email.as_deref().map(str::to_owned),
            // The command itself reports a missing user.
            Err(error) if error.is_not_found() => return Ok(()),
            Err(error) => return Err(error).doing(|| format!("check whether user '{id}' is protected")),
        }
    }
    if protection.has_user(id.as_str(), email.as_deref()) {
        let who = email.as_deref().unwrap_or(id.as_str());
        return Err(policy_failure(format!("user '{who}' is protected by the policy")));
    }
    Ok(())
}

/// Refuses more removals from a group than the policy allows at once.
pub(super) async fn allow_removals(
    session: &Session<'_>,
    group: &GroupResponse,
    users: &[&UserId],
) -> Result<()> {
    let Some(max) = session.policy.max_remove_of_group else { return Ok(()) };
    let members =
        session.client.group_users().list_group_users(group.id.clone()).limit(LONG_PAGE_SIZE).items();
    let members =
        members.try_collect().await.doing(|| format!("list the users of group '{}'", group.name))?;
    let ids: HashSet<&UserId> = members.iter().map(|member| &member.id).collect();
    let removals = users.iter().filter(|user| ids.contains(*user)).count();
    match guard::over_limit(removals, members.len(), max) {
        Some(block) => Err(policy_failure(format!("the policy's max_remove_of_group: {}", block.message))),
        None => Ok(()),
    }
}

fn policy_failure(message: String) -> Failure {
    Failure::new(ExitStatus::Guard, message).hint("nothing changed; see the policy file for its limits")
}
