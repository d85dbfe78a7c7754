//! Adds or removes many users of a group, several at a time. One failure does not stop the others.

use std::collections::HashSet;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use openai_admin::{
    Client, Error, ErrorKind, GroupId, GroupType, UserId,
    models::{CreateGroupUserBody, GroupResponse},
};
use openai_admin_sync::{
    desired::Origin,
    plan::{Operation, Why},
};
use serde::Serialize;

use crate::{
    commands::{
        protection,
        recording::{Before, FoundGroup, Recording},
    },
    failure::{Doing as _, ExitStatus, Failure, Result},
    lists::LONG_PAGE_SIZE,
    output::{Output, Record, count, visible},
    progress::{self, CONCURRENCY, Progress},
    resolve,
    session::Session,
};

/// How many failures people see one by one; programs get all of them as data.
const FAILURES_SHOWN_MAX: usize = 20;
/// How many unknown users get suggestions.
const SUGGESTED_MAX: usize = 3;

/// The change for each user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Add,
    Remove,
}

/// The result for a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    /// Added, or already a member: the API does not say which.
    InGroup,
    Removed,
    /// Not a member, so there was nothing to remove.
    NotInGroup,
    WouldAdd,
    WouldRemove,
    Failed,
    /// The job stopped before this user's turn.
    NotTried,
}

/// One user of the job.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    /// The argument that names the user.
    user: String,
    user_id: Option<UserId>,
    /// Whether a user with this id is known to exist.
    #[serde(skip)]
    is_known: bool,
    outcome: Outcome,
    error: Option<String>,
    #[serde(skip)]
    failure: Option<Failure>,
    /// Whether every other user would fail in the same way.
    #[serde(skip)]
    fails_for_all: bool,
}

impl Record for Row {
    const FIELDS: &'static [&'static str] = &["user", "user_id", "outcome", "error"];
    const COLUMNS: &'static [(&'static str, &'static str)] =
        &[("USER", "user"), ("ID", "user_id"), ("OUTCOME", "outcome"), ("ERROR", "error")];
}

impl Row {
    fn set_result(&mut self, result: std::result::Result<Outcome, Failure>) {
        match result {
            Ok(outcome) => self.outcome = outcome,
            Err(failure) => {
                self.outcome = Outcome::Failed;
                self.error = Some(failure.message.clone());
                self.failure = Some(failure);
            }
        }
    }
}

pub(super) async fn run(
    session: &Session<'_>,
    change: Change,
    found: &FoundGroup,
    mut rows: Vec<Row>,
    dry_run: bool,
) -> Result<()> {
    let group = &found.group;
    if change == Change::Remove {
        check_policy(session, group, &mut rows).await?;
    }
    let (stop, recording) = if dry_run {
        preview(session, change, group, &mut rows).await?;
        (None, None)
    } else {
        let mut recording = record(session, change, found, &rows).await;
        let stop = execute(session, change, &group.id, &mut rows, recording.as_mut()).await;
        (stop, recording)
    };
    suggest(session, &mut rows).await;
    let reported = report(session.output, group, &rows, stop);
    if let Some(recording) = recording {
        recording.end(session);
    }
    reported
}

/// Starts to record the changes that are needed.
async fn record(
    session: &Session<'_>,
    change: Change,
    found: &FoundGroup,
    rows: &[Row],
) -> Option<Recording> {
    let group = &found.group;
    let users: Vec<UserId> = rows.iter().filter_map(|row| row.user_id.clone()).collect();
    let before = Before::read(session, found, &users).await?;
    let needs_change = |user_id: &UserId| before.members.contains(user_id) == (change == Change::Remove);
    let users = rows.iter().filter_map(|row| Some((row, row.user_id.clone()?)));
    let operations = users.filter(|(_, user_id)| needs_change(user_id)).map(|(row, user_id)| {
        let email = row.user.contains('@').then(|| row.user.clone());
        match change {
            Change::Add => Operation::add_user(user_id, email, Why::Listed, Origin::default()),
            Change::Remove => Operation::remove_user(user_id, email, Why::Listed, Origin::default()),
        }
    });
    let operations = operations.collect();
    let verb = if change == Change::Add { "add" } else { "remove" };
    Recording::begin(session, Some(before), group, &format!("groups users {verb} {}", group.name), operations)
}

/// Refuses to remove protected users, and more users than the policy allows.
async fn check_policy(session: &Session<'_>, group: &GroupResponse, rows: &mut [Row]) -> Result<()> {
    for row in &mut *rows {
        let Some(user_id) = row.user_id.clone() else { continue };
        let email = row.user.contains('@').then_some(row.user.as_str());
        if let Err(failure) = protection::allow_user(session, &user_id, email).await {
            row.user_id = None;
            row.set_result(Err(failure));
        }
    }
    let left: Vec<&UserId> = rows.iter().filter_map(|row| row.user_id.as_ref()).collect();
    protection::allow_removals(session, group, &left).await
}

/// Resolves the users. Two names of one user make one row.
pub(super) async fn find(client: &Client, users: Vec<String>) -> Result<Vec<Row>> {
    let found = resolve::users(client, &users).await?;
    let mut seen = HashSet::new();
    let mut rows = Vec::with_capacity(users.len());
    for (user, found) in users.into_iter().zip(found) {
        let mut row = Row {
            user,
            user_id: None,
            is_known: false,
            outcome: Outcome::NotTried,
            error: None,
            failure: None,
            fails_for_all: false,
        };
        match found {
            Ok(found) if !seen.insert(found.id.clone()) => continue,
            Ok(found) => {
                // A user found by address was read; an id is used without a lookup.
                row.is_known = found.email.is_some();
                row.user_id = Some(found.id);
            }
            Err(failure) => row.set_result(Err(failure)),
        }
        rows.push(row);
    }
    Ok(rows)
}

/// Predicts the outcomes from the current members of the group.
async fn preview(
    session: &Session<'_>,
    change: Change,
    group: &GroupResponse,
    rows: &mut [Row],
) -> Result<()> {
    let client = &session.client;
    if group.is_scim_managed || group.group_type == GroupType::TenantGroup {
        let message =
            format!("group '{}' ({}) is managed elsewhere and would refuse the change", group.name, group.id);
        return Err(Failure::new(ExitStatus::Failed, message)
            .hint("change it at the identity provider or the tenant that manages it"));
    }
    let members = client.group_users().list_group_users(group.id.clone()).limit(LONG_PAGE_SIZE).items();
    let members =
        members.try_collect().await.doing(|| format!("list the users of group '{}'", group.name))?;
    let members: HashSet<UserId> = members.into_iter().map(|member| member.id).collect();
    for row in &mut *rows {
        let Some(user_id) = &row.user_id else { continue };
        row.is_known |= members.contains(user_id);
        row.outcome = match (change, members.contains(user_id)) {
            (Change::Add, true) => Outcome::InGroup,
            (Change::Add, false) => Outcome::WouldAdd,
            (Change::Remove, true) => Outcome::WouldRemove,
            (Change::Remove, false) => Outcome::NotInGroup,
        };
    }
    find_ids(session, rows).await
}

/// Looks up ids that are not known to exist.
async fn find_ids(session: &Session<'_>, rows: &mut [Row]) -> Result<()> {
    let unsure = rows.iter().enumerate().filter(|(_, row)| !row.is_known);
    let unsure = unsure.filter_map(|(index, row)| Some((index, row.user_id.clone()?))).collect();
    let found = progress::run_concurrently(session.output, unsure, |(index, user_id)| async move {
        match session.client.users().retrieve_user(user_id.clone()).await {
            Ok(_) => Ok((index, Some(true))),
            Err(error) if error.is_not_found() => Ok((index, Some(false))),
            // Adding by id does not need the scope to read users.
            Err(error) if error.is_permission_denied() => Ok((index, None)),
            Err(error) => Err(error).doing(|| format!("find user '{user_id}'")),
        }
    });
    let found: Vec<(usize, Option<bool>)> = found.await?;
    let unchecked = found.iter().filter(|(_, exists)| exists.is_none()).count();
    if unchecked > 0 {
        let ids = count(unchecked, "id");
        session.output.note(&format!("{ids} could not be checked because the key may not read users"));
    }
    for (index, _) in found.into_iter().filter(|(_, exists)| *exists == Some(false)) {
        let failure = resolve::unknown_user(&rows[index].user);
        rows[index].set_result(Err(failure));
    }
    Ok(())
}

/// Changes the users that were found. Returns what stopped the job early, if anything.
async fn execute(
    session: &Session<'_>,
    change: Change,
    group_id: &GroupId,
    rows: &mut [Row],
    mut recording: Option<&mut Recording>,
) -> Option<Failure> {
    let todo: Vec<(usize, UserId)> =
        rows.iter().enumerate().filter_map(|(index, row)| Some((index, row.user_id.clone()?))).collect();
    let mut progress = Progress::new(session.output, todo.len() as u64);
    let mut waiting = todo.into_iter();
    let mut in_flight = FuturesUnordered::new();
    let mut interrupted = std::pin::pin!(tokio::signal::ctrl_c());
    let mut stop = None;
    loop {
        while stop.is_none() && in_flight.len() < CONCURRENCY {
            let Some((index, user_id)) = waiting.next() else { break };
            if let Some(recording) = &mut recording {
                recording.user_intent(session, group_id, &user_id);
            }
            in_flight.push(async move {
                let result = one(&session.client, change, group_id, user_id.clone()).await;
                (index, user_id, result)
            });
        }
        tokio::select! {
            done = in_flight.next() => {
                let Some((index, user_id, result)) = done else { return stop };
                progress.step();
                if let Some(recording) = &mut recording {
                    recording.user_result(session, &user_id, &result);
                }
                rows[index].fails_for_all = result.as_ref().is_err_and(fails_for_all);
                if rows[index].fails_for_all && stop.is_none() {
                    stop = Some(Failure::silent(ExitStatus::Partial));
                }
                rows[index].set_result(result.map_err(Failure::from));
            }
            _ = &mut interrupted, if stop.is_none() => {
                let message = "interrupted after the changes in flight; run the command again to do the rest";
                stop = Some(Failure::new(ExitStatus::Partial, message));
            }
            () = progress.tick() => progress.line(),
        }
    }
}

async fn one(client: &Client, change: Change, group_id: &GroupId, user_id: UserId) -> Result<Outcome, Error> {
    let group_id = group_id.clone();
    match change {
        Change::Add => {
            let body = CreateGroupUserBody::new(user_id);
            client.group_users().add_group_user(group_id, body).await.map(|_| Outcome::InGroup)
        }
        Change::Remove => match client.group_users().remove_group_user(group_id, user_id).await {
            Ok(_) => Ok(Outcome::Removed),
            // A non-member counts as success. A missing group or user is an error.
            Err(error) if error.is_not_found() && !group_or_user_is_missing(&error) => {
                Ok(Outcome::NotInGroup)
            }
            Err(error) => Err(error),
        },
    }
}

/// Whether the group or user does not exist, rather than the user not being in the group. The codes are our own
/// server's; OpenAI's response for an unknown user is not recorded.
fn group_or_user_is_missing(error: &Error) -> bool {
    error.param() == Some("group_id") || error.code() == Some("user_not_found")
}

/// Whether every other user would fail in the same way, so that further requests do only harm.
fn fails_for_all(error: &Error) -> bool {
    let group_is_gone = error.is_not_found() && error.param() == Some("group_id");
    let cannot_connect = error.kind() == ErrorKind::Transport && !error.was_sent();
    error.is_unauthorized()
        || error.is_permission_denied()
        || error.is_rate_limited()
        || group_is_gone
        || cannot_connect
}

/// Adds suggestions for the first unknown users only; with many, the list is more useful.
async fn suggest(session: &Session<'_>, rows: &mut [Row]) {
    let unknown = rows.iter_mut().filter_map(|row| Some((&*row.user, row.failure.as_mut()?)));
    let unknown = unknown.filter(|(_, failure)| failure.status == ExitStatus::NotFound);
    let unknown: Vec<_> = unknown.take(SUGGESTED_MAX).collect();
    if unknown.is_empty() || !session.output.is_for_people() {
        return;
    }
    let may_be_group = |text: &str| !text.contains(['@', '*']);
    let groups = match unknown.iter().any(|(text, _)| may_be_group(text)) {
        true => resolve::known_groups(&session.client).await,
        false => Vec::new(),
    };
    let users = resolve::known_users(&session.client).await;
    for (text, failure) in unknown {
        if !may_be_group(text) || !resolve::explain_group(text, &groups, failure) {
            resolve::suggest(text, &users, failure);
        }
    }
}

/// Prints rows for programs or errors for people, and determines the exit code.
fn report(output: &Output, group: &GroupResponse, rows: &[Row], stop: Option<Failure>) -> Result<()> {
    let failed: Vec<(&Row, &Failure)> =
        rows.iter().filter_map(|row| Some((row, row.failure.as_ref()?))).collect();
    if output.is_for_people() {
        print_failures(output, &failed);
    } else {
        output.items(rows, "")?;
    }
    // For a single failed user, the error is enough.
    if rows.len() > failed.len() || rows.len() > 1 {
        output.note(&format!("{} ({}): {}", visible(&group.name), group.id, summary(rows)));
    }
    match (status(rows, &failed), stop) {
        (ExitStatus::Done, None) => Ok(()),
        (ExitStatus::Done, Some(stop)) => Err(stop),
        (status, stop) => Err(Failure { status, ..stop.unwrap_or_else(|| Failure::silent(status)) }),
    }
}

/// Prints failures one by one, and one that stopped the job only once: each user in flight has it.
fn print_failures(output: &Output, failed: &[(&Row, &Failure)]) {
    let (stopping, mut shown): (Vec<_>, Vec<_>) = failed.iter().partition(|(row, _)| row.fails_for_all);
    let left = shown.len().saturating_sub(FAILURES_SHOWN_MAX);
    shown.truncate(FAILURES_SHOWN_MAX);
    shown.extend(stopping.first());
    for (row, failure) in shown {
        let message = match failure.message.contains(&row.user) {
            true => failure.message.clone(),
            false => format!("{}: {}", row.user, failure.message),
        };
        output.failure(&Failure { message, ..(*failure).clone() });
    }
    if left > 0 {
        output.note(&format!("… and {left} more; -o csv lists all"));
    }
}

/// The status that all failures share, so that scripts can act on it; otherwise `Partial`.
fn status(rows: &[Row], failed: &[(&Row, &Failure)]) -> ExitStatus {
    let Some((_, first)) = failed.first() else { return ExitStatus::Done };
    let mut statuses = failed.iter().map(|(_, failure)| failure.status);
    if let Some(status) =
        statuses.clone().find(|status| matches!(status, ExitStatus::Key | ExitStatus::RateLimited))
    {
        return status;
    }
    let nothing_done = rows.iter().all(|row| matches!(row.outcome, Outcome::Failed | Outcome::NotTried));
    if nothing_done && statuses.all(|status| status == first.status) {
        first.status
    } else {
        ExitStatus::Partial
    }
}

fn summary(rows: &[Row]) -> String {
    let number = |outcome| rows.iter().filter(|row| row.outcome == outcome).count();
    let part =
        |outcome, text| Some(number(outcome)).filter(|number| *number > 0).map(|n| format!("{n} {text}"));
    let parts = [
        part(Outcome::InGroup, "in the group"),
        part(Outcome::Removed, "removed"),
        part(Outcome::NotInGroup, "not in the group"),
        part(Outcome::WouldAdd, "would be added"),
        part(Outcome::WouldRemove, "would be removed"),
        part(Outcome::Failed, "failed"),
        part(Outcome::NotTried, "not tried"),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
