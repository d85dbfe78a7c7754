//! Records the changes that a command makes to one group as a run, so that `runs undo` reverts them.
//!
//! A command works without the record: if the state before it cannot be read or the run cannot be written, a note says
//! that the change cannot be undone.

use std::{
    collections::{HashMap, HashSet},
    path::Path,
    sync::Arc,
};

use futures_util::future::try_join_all;
use openai_admin::{Error, GroupId, OrganizationId, UserId, models::GroupResponse};
use openai_admin_sync::{
    Journal, LaneSettings, Lanes, Plan, Reader, Runs,
    current::ReadError,
    executor::outcome_of,
    input::max_remove::MaxRemove,
    journal::{Entry, OperationResult, Outcome},
    lanes::MAX_WAIT,
    plan::{GroupPlan, Operation, PLAN_VERSION, Purpose, Removes, UnknownPolicy},
    policy::Protected,
};

use super::memberships::now;
use crate::{failure::Failure, resolve, session::Session};

/// The most users whose membership is looked up one by one, and whose record is not synced to disk.
const LOOKED_UP_MAX: usize = 8;

/// A group to change, and its organization if the service names it.
pub(super) struct FoundGroup {
    pub(super) group: GroupResponse,
    pub(super) organization: Option<OrganizationId>,
}

impl FoundGroup {
    /// The group with this id, or else with this name.
    pub(super) async fn find(session: &Session<'_>, text: &str) -> Result<Self, Failure> {
        let (group, organization) = resolve::group_and_organization(&session.client, text).await?;
        Ok(Self { group, organization })
    }
}

/// The state of a group before a command.
pub(super) struct Before {
    runs: Runs,
    organization: Option<OrganizationId>,
    /// The members, or those among the users of the command.
    pub(super) members: HashSet<UserId>,
    is_counted: bool,
}

/// A run that is being recorded.
pub(super) struct Recording {
    /// None after a line could not be written: more lines after a part of one would make the journal unreadable.
    journal: Option<Journal>,
    run: String,
    /// The numbers of the operations and their actions, by user.
    numbers: HashMap<UserId, (usize, &'static str)>,
    requests: u64,
    are_all_settled: bool,
    is_changed: bool,
}

impl Before {
    /// Reads which of these users are members: one request for each of a few users, or else one for each 1,000 members.
    /// None if the run could not be recorded.
    pub(super) async fn read(session: &Session<'_>, group: &FoundGroup, users: &[UserId]) -> Option<Self> {
        let before = Self::without_members(session, group)?;
        match members_among(&reader(session), &group.group.id, users).await {
            Ok(members) => Some(Self { members, is_counted: users.len() > LOOKED_UP_MAX, ..before }),
            Err(error) => not_recorded(session, &error),
        }
    }

    /// For a change of the group itself.
    pub(super) fn without_members(session: &Session<'_>, group: &FoundGroup) -> Option<Self> {
        let service = service(session)?;
        let organization = group.organization.clone();
        let runs = Runs::of_organization(service, organization.as_ref().map_or("unknown", |id| id.as_str()));
        Some(Self { runs, organization, members: HashSet::new(), is_counted: false })
    }
}

/// The members of a group, at least those among these users.
async fn members_among(
    reader: &Reader,
    group_id: &GroupId,
    users: &[UserId],
) -> Result<HashSet<UserId>, ReadError> {
    if users.len() > LOOKED_UP_MAX {
        let members = reader.list_group_users(group_id.clone()).await?;
        return Ok(members.into_iter().map(|member| member.id).collect());
    }
    let found = users.iter().map(|user_id| reader.find_group_user(group_id.clone(), user_id.clone()));
    let found = try_join_all(found).await?;
    Ok(found.into_iter().flatten().map(|member| member.id).collect())
}

/// The folder of the runs of the service. Without one, a note says that nothing is recorded.
fn service<'s>(session: &'s Session<'_>) -> Option<&'s Path> {
    let service = session.service.as_deref();
    if service.is_none() && session.output.is_for_people() {
        session.output.note(
            "`runs undo` cannot undo this command: there is no folder for runs; set OPENAI_ADMIN_STATE",
        );
    }
    service
}

fn reader(session: &Session<'_>) -> Reader {
    let lanes = Lanes::new(LaneSettings { rpm_max: None, max_wait: MAX_WAIT });
    Reader::new(&session.client, Arc::new(lanes))
}

impl Recording {
    /// Starts the record of these operations. None without operations, or if it cannot be written.
    pub(super) fn begin(
        session: &Session<'_>,
        before: Option<Before>,
        group: &GroupResponse,
        command: &str,
        operations: Vec<Operation>,
    ) -> Option<Self> {
        let before = before.filter(|_| !operations.is_empty())?;
        let begun = Self::try_begin(before, session.user_name.clone(), group, command, operations);
        begun.map_or_else(|error| not_recorded(session, &error), Some)
    }

    fn try_begin(
        before: Before,
        by: Option<String>,
        group: &GroupResponse,
        command: &str,
        operations: Vec<Operation>,
    ) -> std::io::Result<Self> {
        let Before { runs, organization, members, is_counted } = before;
        let at = now();
        let group_plan = GroupPlan {
            id: Some(group.id.clone()),
            member_count: if is_counted { members.len() } else { 0 },
            adds: true,
            removes: Removes::Listed,
            allow_empty: true,
            operations,
            ..GroupPlan::new(&group.name, MaxRemove::OF_GROUP)
        };
        let plan = Plan {
            version: PLAN_VERSION,
            digest: String::new(),
            created_at: at.to_string(),
            organization,
            purpose: Purpose::Command { command: command.to_owned() },
            revoke_first: false,
            unknown: UnknownPolicy::Error,
            max_remove: MaxRemove::OF_ORGANIZATION,
            protect: Protected::default(),
            sources: Vec::new(),
            groups: vec![group_plan],
            rights: Vec::new(),
            kept: Vec::new(),
            blocks: Vec::new(),
        };
        let plan = plan.sealed();
        let chance = at.subsec_nanosecond().unsigned_abs() ^ std::process::id();
        let run = runs.begin(&plan, at, chance)?;
        let (mut journal, _) = Journal::open(&run.journal())?;
        let begin =
            Entry::Begin { plan: plan.digest.clone(), accepted: None, resumed: false, head: false, by };
        journal.write(at, begin)?;
        journal.flush()?;
        let users = plan.operations().enumerate().filter_map(|(number, (_, operation))| {
            Some((operation.user_id()?.clone(), (number, operation.action())))
        });
        let numbers = users.collect();
        let journal = Some(journal);
        Ok(Self { journal, run: run.name, numbers, requests: 0, are_all_settled: true, is_changed: false })
    }

    /// Records that the request for a user is about to be sent: if the command is killed, a resumed run knows that the
    /// change may be its own.
    pub(super) fn user_intent(&mut self, session: &Session<'_>, group_id: &GroupId, user_id: &UserId) {
        let Some((operation, action)) = self.numbers.get(user_id).copied() else { return };
        let (group_id, user_id) = (Some(group_id.clone()), Some(user_id.clone()));
        let intent = Entry::Intent { operation, action: action.to_owned(), group_id, user_id };
        self.write(session, intent, Journal::flush);
    }

    /// Writes a line, and gives up recording if that fails.
    fn write(
        &mut self,
        session: &Session<'_>,
        entry: Entry,
        save: impl FnOnce(&mut Journal) -> std::io::Result<()>,
    ) {
        let Some(journal) = &mut self.journal else { return };
        if let Err(error) = journal.write(now(), entry).and_then(|()| save(journal)) {
            self.journal = not_recorded(session, &error);
        }
    }

    /// Records the result of the operation on a user, unless the user needed no change.
    pub(super) fn user_result<T>(
        &mut self,
        session: &Session<'_>,
        user_id: &UserId,
        result: &Result<T, Error>,
    ) {
        if let Some((operation, _)) = self.numbers.get(user_id).copied() {
            self.result(session, operation, result);
        }
    }

    /// Records the result of an operation.
    pub(super) fn result<T>(&mut self, session: &Session<'_>, operation: usize, result: &Result<T, Error>) {
        let error = result.as_ref().err();
        let outcome = error.map_or(Outcome::Done, outcome_of);
        self.requests += 1;
        self.are_all_settled &= outcome.is_settled();
        self.is_changed |= outcome.may_be_change();
        let result = OperationResult {
            operation,
            outcome,
            status: error.and_then(Error::status).map(|status| status.as_u16()),
            request_id: error.and_then(Error::request_id).map(str::to_owned),
            latency_ms: 0,
            group_id: None,
            error: error.map(ToString::to_string),
        };
        self.write(session, Entry::Result(result), Journal::flush);
    }

    /// Ends the record, and prints the command that undoes the changes.
    pub(super) fn end(mut self, session: &Session<'_>) {
        let end = Entry::End { complete: self.are_all_settled, requests: self.requests, refused: 0 };
        match self.numbers.len() <= LOOKED_UP_MAX {
            // A sync to disk takes as long as the change. Without it, the record survives a crash of this process, and a
            // crash of the machine a few seconds later.
            true => self.write(session, end, Journal::flush),
            false => self.write(session, end, Journal::sync),
        }
        if self.journal.is_some() && self.is_changed {
            let undo = session.output.command(&format!("runs undo {}", self.run));
            session.output.note(&format!("to undo: {undo}"));
        }
    }
}

/// Says that the change cannot be undone.
fn not_recorded<T>(session: &Session<'_>, error: &impl ToString) -> Option<T> {
    let cause = Failure::usage(error.to_string()).message;
    session
        .output
        .note(&format!("`runs undo` cannot undo this change, because it was not recorded: {cause}"));
    None
}
