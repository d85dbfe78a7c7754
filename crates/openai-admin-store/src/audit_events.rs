//! The record of every change, written by the transaction that makes it.

use openai_admin::models::AuditLogPayload;

use crate::{
    error::{Error, Result},
    organizations::Org,
    stamp::Stamp,
    transaction::{Transaction, values},
};

/// What happened, under the published names. Three are ours: the published list has no event for a membership of an
/// organization's group, and none for an organization that is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    OrganizationCreated,
    OrganizationUpdated,
    GroupCreated,
    GroupUpdated,
    GroupDeleted,
    UserAdded,
    UserUpdated,
    UserDeleted,
    GroupUserAdded,
    GroupUserRemoved,
    ApiKeyCreated,
    ApiKeyUpdated,
    ApiKeyDeleted,
}

impl Event {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::OrganizationCreated => "organization.created",
            Self::OrganizationUpdated => "organization.updated",
            Self::GroupCreated => "group.created",
            Self::GroupUpdated => "group.updated",
            Self::GroupDeleted => "group.deleted",
            Self::UserAdded => "user.added",
            Self::UserUpdated => "user.updated",
            Self::UserDeleted => "user.deleted",
            Self::GroupUserAdded => "group.user.added",
            Self::GroupUserRemoved => "group.user.removed",
            Self::ApiKeyCreated => "api_key.created",
            Self::ApiKeyUpdated => "api_key.updated",
            Self::ApiKeyDeleted => "api_key.deleted",
        }
    }
}

/// Writes the events of one change, numbered in order.
pub(crate) struct Audit<'a> {
    org: Org,
    change: String,
    stamp: &'a Stamp,
    items: i64,
}

/// What an event is about.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Subject<'a> {
    pub(crate) group_seq: Option<i64>,
    pub(crate) user_seq: Option<i64>,
    /// The id of anything else.
    pub(crate) detail: Option<&'a str>,
    /// What it was created with, or what was asked to change. Nothing that tells who a person is: events are kept when
    /// a user goes.
    pub(crate) payload: Option<&'a AuditLogPayload>,
}

/// For each engine. The `place` of an event is where it stands among all of its organization's.
///
/// A reader who goes on after the last event that they saw must miss none. So the order is that of the transactions
/// and not of the clock: SQLite's writers take turns, and each event counts on from the last. PostgreSQL's transactions
/// run side by side, so there the column's default is the number of the transaction, and `audit_logs.rs` shows only
/// what comes before every transaction that has not ended.
const RECORD: [&str; 2] = [
    "insert into audit_events (org, change, item, recorded_at, actor, event, group_seq, user_seq, detail, payload, place)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10,
             coalesce((select place from audit_events where org = $1 and place < 9223372036854775807
                       order by place desc limit 1), 0) + 1)",
    "insert into audit_events (org, change, item, recorded_at, actor, event, group_seq, user_seq, detail, payload)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
];

/// For each engine, an event for each membership in a group, or of a user.
macro_rules! record_removals {
    ($of:literal, $order:literal) => {
        [
            concat!(
                "insert into audit_events (org, change, item, recorded_at, actor, event, group_seq, user_seq, place)
                 select org, $1, $2 + row_number() over (order by ",
                $order,
                "), $3, $4, $5, group_seq, user_seq,
                        coalesce((select place from audit_events where org = $6 and place < 9223372036854775807
                                  order by place desc limit 1), 0) + 1
                 from group_users where org = $6 and ",
                $of,
                " = $7"
            ),
            concat!(
                "insert into audit_events (org, change, item, recorded_at, actor, event, group_seq, user_seq)
                 select org, cast($1 as text), cast($2 as bigint) + row_number() over (order by ",
                $order,
                "), cast($3 as bigint), cast($4 as text), cast($5 as text), group_seq, user_seq
                 from group_users where org = $6 and ",
                $of,
                " = $7"
            ),
        ]
    };
}

const RECORD_REMOVALS_OF_GROUP: [&str; 2] = record_removals!("group_seq", "user_seq");
const RECORD_REMOVALS_OF_USER: [&str; 2] = record_removals!("user_seq", "group_seq");

impl<'a> Audit<'a> {
    pub(crate) fn new(org: Org, stamp: &'a Stamp) -> Self {
        Self { org, change: stamp.change.to_string(), stamp, items: 0 }
    }

    /// For a change that has created its organization too, which is its event number 0.
    pub(crate) fn after_creation(org: Org, stamp: &'a Stamp) -> Self {
        Self { items: 1, ..Self::new(org, stamp) }
    }

    pub(crate) fn record(
        &mut self,
        transaction: &mut Transaction<'_>,
        event: Event,
        of: Subject<'_>,
    ) -> Result<()> {
        let Subject { group_seq, user_seq, detail, payload } = of;
        let payload = payload.map(serde_json::to_string).transpose().map_err(Error::internal)?;
        transaction.execute(
            transaction.choose(RECORD[0], RECORD[1]),
            values![
                self.org.seq(),
                self.change.as_str(),
                self.items,
                self.stamp.seconds(),
                self.stamp.actor.as_str(),
                event.as_str(),
                group_seq,
                user_seq,
                detail,
                payload.as_deref()
            ],
        )?;
        self.items += 1;
        Ok(())
    }

    /// Records that every member of a group, or every group of a user, is removed. Call it before they are.
    pub(crate) fn record_removals(
        &mut self,
        transaction: &mut Transaction<'_>,
        of: Subject<'_>,
    ) -> Result<()> {
        let [sqlite, postgres] = match of.group_seq {
            Some(_) => RECORD_REMOVALS_OF_GROUP,
            None => RECORD_REMOVALS_OF_USER,
        };
        let recorded = transaction.execute(
            transaction.choose(sqlite, postgres),
            values![
                self.change.as_str(),
                self.items,
                self.stamp.seconds(),
                self.stamp.actor.as_str(),
                Event::GroupUserRemoved.as_str(),
                self.org.seq(),
                of.group_seq.or(of.user_seq)
            ],
        )?;
        self.items += i64::try_from(recorded).unwrap_or(i64::MAX - self.items);
        self.items += 1;
        Ok(())
    }
}
