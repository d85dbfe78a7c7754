//! `openai-admin groups users list --at`: the members of a group at a time, from the current members and the audit log.

use openai_admin::{
    AuditLogEventType, Client, Timestamp, UserId,
    models::{AuditLog, GroupResponse, TimeRange},
};
use openai_admin_sync::render::shell_word;
use serde::Serialize;

use crate::{
    arguments::PointInTime,
    commands::memberships::now,
    failure::{Doing as _, ExitStatus, Failure, Result},
    lists::{LONG_PAGE_SIZE, PAGE_SIZE},
    output::{Record, moment, visible},
    progress,
    session::Session,
};

/// A member at that time. A user who has been removed from the organization has only an id.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct FormerMember {
    id: UserId,
    name: Option<String>,
    email: Option<String>,
}

impl Record for FormerMember {
    const FIELDS: &'static [&'static str] = &["id", "name", "email"];
    const COLUMNS: &'static [(&'static str, &'static str)] =
        &[("NAME", "name"), ("EMAIL", "email"), ("ID", "id")];
}

pub(super) async fn list(session: &Session<'_>, group: &GroupResponse, at: PointInTime) -> Result<()> {
    let Session { client, output, .. } = session;
    let at = at.end(now());
    check_service(client).await?;
    check_time(client, group, at).await?;
    let members = client.group_users().list_group_users(group.id.clone()).limit(LONG_PAGE_SIZE).items();
    let members =
        members.try_collect().await.doing(|| format!("list the users of group '{}'", group.name))?;
    let members = members.into_iter().map(|member| FormerMember {
        id: member.id,
        name: Some(member.name.as_str().to_owned()),
        email: member.email.as_deref().map(str::to_owned),
    });
    // Undoing a change that the list above does not contain yet has no effect.
    let changes = changes_after(client, group, at).await?;
    let mut members = undone(members.collect(), &changes);
    let unnamed = members.iter().filter(|member| member.name.is_none()).map(|member| member.id.clone());
    let found = progress::run_concurrently(output, unnamed.collect(), |id| named(client, id)).await;
    for found in found.doing(|| "find users".to_owned())?.into_iter().flatten() {
        if let Some(member) = members.iter_mut().find(|member| member.id == found.id) {
            *member = found;
        }
    }
    output.items(&members, &format!("group '{}' had no members at {}", visible(&group.name), moment(at)))?;
    if output.is_for_people() {
        let events = format!("audit-logs list --resource {}", shell_word(group.id.as_str()));
        output.note(&format!("members at {} UTC; who changed them: {}", moment(at), output.command(&events)));
    }
    Ok(())
}

/// Refuses a service without our extensions: its audit log has no changes of group members.
async fn check_service(client: &Client) -> Result<()> {
    let anyone = UserId::new("user_none").map_err(|violation| Failure::usage(violation.to_string()))?;
    match client.users().list_user_groups(anyone).limit(1).await {
        Err(error) if error.is_unknown_url() => Err(Failure::new(
            ExitStatus::Failed,
            "the members at a time are unknown: OpenAI's audit log has no events for changes of group members",
        )
        .hint("`openai-admin export` on a schedule keeps a record of the members")),
        Err(error) if error.is_not_found() => Ok(()),
        Err(error) => Err(error).doing(|| "list the groups of a user".to_owned()),
        Ok(_) => Ok(()),
    }
}

/// Refuses a time before the group was created or before the audit log begins.
async fn check_time(client: &Client, group: &GroupResponse, at: i64) -> Result<()> {
    if at < group.created_at.unix_seconds() {
        let created = moment(group.created_at.unix_seconds());
        let message = format!(
            "group '{}' ({}) did not exist at {}: it was created at {created} UTC",
            group.name,
            group.id,
            moment(at)
        );
        return Err(Failure::not_found(message));
    }
    let mut until = TimeRange::default();
    until.lte = Some(Timestamp::from_unix_seconds(at));
    let mut before = client.audit_logs().list_audit_logs().effective_at(until).limit(1).items();
    match before.next().await {
        Some(Ok(_)) => Ok(()),
        Some(Err(error)) => Err(error).doing(|| "list the audit log".to_owned()),
        None => {
            let message = format!("the members at {} are unknown: the audit log begins later", moment(at));
            Err(Failure::not_found(message))
        }
    }
}

/// The changes of the group's members after this time, newest first.
async fn changes_after(client: &Client, group: &GroupResponse, at: i64) -> Result<Vec<AuditLog>> {
    let mut range = TimeRange::default();
    range.gt = Some(Timestamp::from_unix_seconds(at));
    let events = client.audit_logs().list_audit_logs().effective_at(range).limit(i64::from(PAGE_SIZE));
    let events = events
        .event_types([AuditLogEventType::GroupUserAdded, AuditLogEventType::GroupUserRemoved])
        .resource_ids([group.id.to_string()]);
    events.items().try_collect().await.doing(|| "list the audit log".to_owned())
}

/// The members before these changes, which are the newest first.
fn undone(mut members: Vec<FormerMember>, changes: &[AuditLog]) -> Vec<FormerMember> {
    for change in changes {
        let Some(id) = change.detail.as_ref().and_then(|detail| detail.user_id.clone()) else { continue };
        if change.r#type == AuditLogEventType::GroupUserAdded {
            members.retain(|member| member.id != id);
        } else if !members.iter().any(|member| member.id == id) {
            members.push(FormerMember { id, name: None, email: None });
        }
    }
    members
}

/// The user with a name and an address; none if the user has been removed.
async fn named(client: &Client, id: UserId) -> Result<Option<FormerMember>, openai_admin::Error> {
    match client.users().retrieve_user(id).await {
        Ok(user) => Ok(Some(FormerMember {
            id: user.id.clone(),
            name: user.name.as_deref().map(str::to_owned),
            email: user.email.as_deref().map(str::to_owned),
        })),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use openai_admin::{AuditLogId, models::AuditLogDetail};

    use super::*;

    fn member(id: &str) -> FormerMember {
        FormerMember { id: id.parse().expect("an id"), name: None, email: None }
    }

    fn change(r#type: AuditLogEventType, user_id: &str) -> AuditLog {
        let id: AuditLogId = "audit_log-1".parse().expect("an id");
        let mut detail = AuditLogDetail::default();
        detail.user_id = Some(user_id.parse().expect("an id"));
        let mut event = AuditLog::new(id, r#type, Timestamp::from_unix_seconds(0));
        event.detail = Some(detail);
        event
    }

    #[test]
    fn later_changes_are_undone_from_the_newest_on() {
        use AuditLogEventType::{GroupUserAdded, GroupUserRemoved};
        let now = vec![member("user_a"), member("user_b")];
        let changes = [
            change(GroupUserAdded, "user_b"),
            change(GroupUserRemoved, "user_b"),
            change(GroupUserRemoved, "user_c"),
            change(GroupUserAdded, "user_a"),
        ];
        assert_eq!(undone(now.clone(), &changes), [member("user_b"), member("user_c")]);
        // Changes that the list of current members does not contain yet.
        let unseen = [change(GroupUserAdded, "user_d"), change(GroupUserRemoved, "user_a")];
        assert_eq!(undone(now.clone(), &unseen), now);
    }
}
