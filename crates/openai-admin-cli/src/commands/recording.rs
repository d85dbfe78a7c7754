//! Records the changes that a command makes to one group as a run, so that `runs undo` reverts them.
//!
//! A command works without the record: if the state before it cannot be read or the run cannot be written, a note says
//! that the change cannot be undone.

use std::{
    collections::{HashMap, HashSet},
    path::Path,
    sync::Arc,
};

use openai_admin::{Error, UserId, models::GroupResponse};
use openai_admin_sync::{
    Journal, LaneSettings, Lanes, Plan, Reader, Runs,
    executor::outcome_of,
    input::max_remove::MaxRemove,
    journal::{Entry, OperationResult, Outcome},
    lanes::MAX_WAIT,
    plan::{GroupPlan, Operation, PLAN_VERSION, Purpose, Removes, UnknownPolicy},
    policy::Protected,
};

use super::memberships::now;
use crate::{failure::Failure, session::Session};

/// The state of a group before a command.
pub(super) struct Before {
    runs: Runs,
    organization: Option<openai_admin::OrganizationId>,
    pub(super) members: HashSet<UserId>,
}

/// A run that is being recorded.
pub(super) struct Recording {
    journal: Journal,
    run: String,
    /// The numbers of the operations by user.
    numbers: HashMap<UserId, usize>,
    requests: u64,
    are_all_settled: bool,
    is_changed: bool,
}

impl Before {
    /// Reads the members of a group: one request for each 1,000. None if the run could not be recorded.
    pub(super) async fn read(session: &Session<'_>, group: &GroupResponse) -> Option<Self> {
        let service = service(session)?;
        let reader = reader(session);
        let found = reader.list_group_users(group.id.clone()).await;
        match found {
            Ok(members) => {
                Some(Self::of(service, &reader, members.into_iter().map(|member| member.id).collect()))
            }
            Err(error) => not_recorded(session, &error),
        }
    }

    /// Reads only the organization, for a change of the group itself.
    pub(super) async fn read_without_members(session: &Session<'_>, group: &GroupResponse) -> Option<Self> {
        let service = service(session)?;
        let reader = reader(session);
        match reader.retrieve_group(group.id.clone()).await {
            Ok(_) => Some(Self::of(service, &reader, HashSet::new())),
            Err(error) => not_recorded(session, &error),
        }
    }

    fn of(service: &Path, reader: &Reader, members: HashSet<UserId>) -> Self {
        let organization = reader.organization();
        let runs = Runs::of_organization(service, organization.as_ref().map_or("unknown", |id| id.as_str()));
        Self { runs, organization, members }
    }
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
        let begun = Self::try_begin(before, group, command, operations);
        begun.map_or_else(|error| not_recorded(session, &error), Some)
    }

    fn try_begin(
        before: Before,
        group: &GroupResponse,
        command: &str,
        operations: Vec<Operation>,
    ) -> std::io::Result<Self> {
        let Before { runs, organization, members } = before;
        let at = now();
        let group_plan = GroupPlan {
            id: Some(group.id.clone()),
            member_count: members.len(),
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
        let begin = Entry::Begin { plan: plan.digest.clone(), accepted: None, resumed: false, head: true };
        journal.write(at, begin)?;
        journal.sync()?;
        let users = plan
            .operations()
            .enumerate()
            .filter_map(|(number, (_, operation))| Some((operation.user_id()?.clone(), number)));
        let numbers = users.collect();
        Ok(Self { journal, run: run.name, numbers, requests: 0, are_all_settled: true, is_changed: false })
    }

    /// Records the result of the operation on a user, unless the user needed no change.
    pub(super) fn user_result<T>(
        &mut self,
        session: &Session<'_>,
        user_id: &UserId,
        result: &Result<T, Error>,
    ) {
        if let Some(operation) = self.numbers.get(user_id).copied() {
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
        let written = self.journal.write(now(), Entry::Result(result)).and_then(|()| self.journal.flush());
        if let Err(error) = written {
            not_recorded::<()>(session, &error);
        }
    }

    /// Ends the record, and prints the command that undoes the changes.
    pub(super) fn end(mut self, session: &Session<'_>) {
        let end = Entry::End { complete: self.are_all_settled, requests: self.requests, refused: 0 };
        let written = self.journal.write(now(), end).and_then(|()| self.journal.sync());
        if let Err(error) = written {
            not_recorded::<()>(session, &error);
        } else if self.is_changed {
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
