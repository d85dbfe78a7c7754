//! The record of every change, written by the transaction that makes it.

use crate::{
    error::Result,
    organizations::Org,
    stamp::Stamp,
    transaction::{Transaction, values},
};

/// What happened. The names are ours: the published list has no event for a membership of an organization's group.
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
    ApiKeyRevoked,
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
            Self::ApiKeyRevoked => "api_key.revoked",
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
}

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
        let Subject { group_seq, user_seq, detail } = of;
        transaction.execute(
            "insert into audit_events
                 (org, change, item, recorded_at, actor, event, group_seq, user_seq, detail)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            values![
                self.org.seq(),
                self.change.as_str(),
                self.items,
                self.stamp.seconds(),
                self.stamp.actor.as_str(),
                event.as_str(),
                group_seq,
                user_seq,
                detail
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
        let (by_group, by_user) = (
            "insert into audit_events (org, change, item, recorded_at, actor, event, group_seq, user_seq)
             select org, cast($1 as text), cast($2 as bigint) + row_number() over (order by user_seq),
                    cast($3 as bigint), cast($4 as text), cast($5 as text), group_seq, user_seq
             from group_users where org = $6 and group_seq = $7",
            "insert into audit_events (org, change, item, recorded_at, actor, event, group_seq, user_seq)
             select org, cast($1 as text), cast($2 as bigint) + row_number() over (order by group_seq),
                    cast($3 as bigint), cast($4 as text), cast($5 as text), group_seq, user_seq
             from group_users where org = $6 and user_seq = $7",
        );
        let sql = if of.group_seq.is_some() { by_group } else { by_user };
        let recorded = transaction.execute(
            sql,
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
