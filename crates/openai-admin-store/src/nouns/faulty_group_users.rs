//! Operations on memberships with a planted fault in each.

use std::{
    collections::HashMap,
    sync::{LazyLock, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use openai_admin::{
    Cursor, GroupId, Order,
    models::{GroupResponse, GroupUserAssignment, UserListResource},
    operations::{AddGroupUser, ListGroupUsers},
};

use crate::{
    base::{
        error::{Error, Result},
        events::MEMBER_ADDED,
        org::Org,
        stamp::Stamp,
        value::values,
    },
    engines::transaction::Transaction,
    nouns::{groups, users::StoredUser},
    operation::{audit_events::Places, change::Change, tx::Tx},
    shapes::thing,
    store::Store,
};

/// How many members were read up to a cursor, by group, direction and cursor.
type Offsets = HashMap<(GroupId, bool, String), i64>;

fn offsets() -> MutexGuard<'static, Offsets> {
    static OFFSETS: LazyLock<Mutex<Offsets>> = LazyLock::new(Mutex::default);
    OFFSETS.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Store {
    pub(crate) async fn list_group_users_by_offset(
        &self,
        org: Org,
        request: ListGroupUsers,
    ) -> Result<Bytes> {
        let is_ascending = request.order == Some(Order::Asc);
        let place = |cursor: &Cursor| (request.group_id.clone(), is_ascending, cursor.as_str().to_owned());
        let offset = request.after.as_ref().and_then(|after| offsets().get(&place(after)).copied());
        let mut shifted = request.clone();
        if let Some(offset) = offset {
            let group_id = request.group_id.clone();
            shifted.after =
                self.query(move |transaction| at(transaction, org, &group_id, is_ascending, offset)).await?;
        }
        let page = match (&shifted.after, offset) {
            // Fewer members are left than were read.
            (None, Some(_)) => UserListResource::new(Vec::new(), false),
            _ => self.list_group_users(org, shifted).await?,
        };
        if let Some(next) = &page.next {
            let read = offset.unwrap_or(0) + i64::try_from(page.data.len()).unwrap_or(i64::MAX);
            offsets().insert(place(next), read);
        }
        serde_json::to_vec(&page).map(Bytes::from).map_err(Error::internal)
    }

    pub(crate) async fn add_group_user_and_audit_apart(
        &self,
        org: Org,
        stamp: Stamp,
        request: AddGroupUser,
    ) -> Result<GroupUserAssignment> {
        let (added, group_seq, user_seq, is_new) =
            self.transact(move |transaction| add_without_audit(transaction, org, &request)).await?;
        if is_new {
            let of = Places { group_seq: Some(group_seq), user_seq: Some(user_seq), ..Places::default() };
            self.transact_in(org, move |transaction| {
                Change::new(Tx::new(transaction, org), &stamp).record(MEMBER_ADDED, of)
            })
            .await?;
        }
        Ok(added)
    }
}

/// The member at a place of a group.
fn at(
    transaction: &mut Transaction<'_>,
    org: Org,
    group_id: &GroupId,
    is_ascending: bool,
    place: i64,
) -> Result<Option<Cursor>> {
    let group_seq = thing::find_seq::<GroupResponse>(&mut Tx::new(transaction, org), group_id.as_str())?;
    let sql = if is_ascending {
        "select u.id from group_users m join users u on u.org = m.org and u.seq = m.user_seq
         where m.org = $1 and m.group_seq = $2 order by m.user_seq limit 1 offset $3"
    } else {
        "select u.id from group_users m join users u on u.org = m.org and u.seq = m.user_seq
         where m.org = $1 and m.group_seq = $2 order by m.user_seq desc limit 1 offset $3"
    };
    transaction.query_one(sql, values![org.seq(), group_seq, place - 1], |row| row.parsed(0))
}

fn add_without_audit(
    transaction: &mut Transaction<'_>,
    org: Org,
    request: &AddGroupUser,
) -> Result<(GroupUserAssignment, i64, i64, bool)> {
    let mut tx = Tx::new(transaction, org);
    let group_seq = groups::find_changeable_seq(&mut tx, &request.group_id)?;
    let user_seq = thing::find_seq::<StoredUser>(&mut tx, request.body.user_id.as_str())?;
    let inserted = transaction.execute(
        "insert into group_users (org, group_seq, user_seq) values ($1, $2, $3) on conflict do nothing",
        values![org, group_seq, user_seq],
    )?;
    let added = GroupUserAssignment::new(request.group_id.clone(), request.body.user_id.clone());
    Ok((added, group_seq, user_seq, inserted > 0))
}
