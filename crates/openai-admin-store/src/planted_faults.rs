//! Faults to be found: what a store must never do, for tests that prove that it would be noticed.
//!
//! Compiled only with the feature `planted-faults`, which nothing that is shipped switches on, and asleep until a
//! process plants one of them in itself.

use std::{
    collections::HashMap,
    sync::{Mutex, OnceLock, PoisonError},
};

use openai_admin::{
    Cursor, Order,
    models::{GroupUserAssignment, UserListResource},
    operations::{AddGroupUser, ListGroupUsers},
};

use crate::{
    audit_events::{Audit, Event, Subject},
    error::Result,
    group_users, groups,
    organizations::Org,
    stamp::Stamp,
    store::Store,
    transaction::{Transaction, values},
    users,
};

/// A fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlantedFault {
    /// A change is acknowledged when it has been made, and before it is committed.
    AnswerBeforeCommit,
    /// A page begins at as many members as were read before it, whoever has come or gone meanwhile.
    CursorByOffset,
    /// A membership and its audit event are two transactions.
    AuditApart,
}

impl PlantedFault {
    /// Every fault.
    pub const ALL: [Self; 3] = [Self::AnswerBeforeCommit, Self::CursorByOffset, Self::AuditApart];
}

static PLANTED: OnceLock<PlantedFault> = OnceLock::new();

/// Plants a fault in this process, for all its life. Only the first counts.
pub fn plant(fault: PlantedFault) {
    let _ = PLANTED.set(fault);
}

pub(crate) fn is_planted(fault: PlantedFault) -> bool {
    PLANTED.get() == Some(&fault)
}

/// How many members were read up to a cursor, by group, direction and cursor.
type Offsets = HashMap<(i64, bool, String), i64>;

static OFFSETS: Mutex<Option<Offsets>> = Mutex::new(None);

impl Store {
    pub(crate) async fn list_group_users_by_offset(
        &self,
        org: Org,
        request: ListGroupUsers,
    ) -> Result<UserListResource> {
        self.read(move |transaction| list_by_offset(transaction, org, &request)).await
    }

    pub(crate) async fn add_group_user_and_audit_apart(
        &self,
        org: Org,
        stamp: Stamp,
        request: AddGroupUser,
    ) -> Result<GroupUserAssignment> {
        let (added, group_seq, user_seq, is_new) =
            self.write(move |transaction| add_without_audit(transaction, org, &request)).await?;
        if is_new {
            let of = Subject { group_seq: Some(group_seq), user_seq: Some(user_seq), ..Subject::default() };
            self.write(move |transaction| {
                Audit::new(org, &stamp).record(transaction, Event::GroupUserAdded, of)
            })
            .await?;
        }
        Ok(added)
    }
}

fn list_by_offset(
    transaction: &mut Transaction<'_>,
    org: Org,
    request: &ListGroupUsers,
) -> Result<UserListResource> {
    let group_seq = groups::find(transaction, org, &request.group_id)?.seq;
    let is_ascending = request.order == Some(Order::Asc);
    let offset = |cursor: &Cursor| {
        let offsets = OFFSETS.lock().unwrap_or_else(PoisonError::into_inner);
        offsets.as_ref()?.get(&(group_seq, is_ascending, cursor.as_str().to_owned())).copied()
    };
    let offset = request.after.as_ref().and_then(offset);
    let mut shifted = request.clone();
    if let Some(offset) = offset {
        let last_read = if is_ascending {
            "select u.id from group_users m join users u on u.org = m.org and u.seq = m.user_seq
             where m.org = $1 and m.group_seq = $2 order by m.user_seq limit 1 offset $3"
        } else {
            "select u.id from group_users m join users u on u.org = m.org and u.seq = m.user_seq
             where m.org = $1 and m.group_seq = $2 order by m.user_seq desc limit 1 offset $3"
        };
        let last_read =
            transaction.query_one(last_read, values![org.seq(), group_seq, offset - 1], |row| {
                row.parsed::<Cursor>(0)
            })?;
        if last_read.is_none() {
            return Ok(UserListResource::new(Vec::new(), false));
        }
        shifted.after = last_read;
    }
    let page = group_users::list_models(transaction, org, &shifted)?;
    if let Some(next) = &page.next {
        let read = offset.unwrap_or(0) + i64::try_from(page.data.len()).unwrap_or(i64::MAX);
        let mut offsets = OFFSETS.lock().unwrap_or_else(PoisonError::into_inner);
        offsets.get_or_insert_default().insert((group_seq, is_ascending, next.as_str().to_owned()), read);
    }
    Ok(page)
}

fn add_without_audit(
    transaction: &mut Transaction<'_>,
    org: Org,
    request: &AddGroupUser,
) -> Result<(GroupUserAssignment, i64, i64, bool)> {
    let group = groups::find(transaction, org, &request.group_id)?.changeable()?;
    let user = users::find(transaction, org, &request.body.user_id)?;
    let inserted = transaction.execute(
        "insert into group_users (org, group_seq, user_seq) values ($1, $2, $3) on conflict do nothing",
        values![org.seq(), group.seq, user.seq],
    )?;
    Ok((GroupUserAssignment::new(group.group.id, user.user.id), group.seq, user.seq, inserted > 0))
}
