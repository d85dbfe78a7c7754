//! Users of a group: the memberships.

use openai_admin::{
    Order,
    models::{GroupMemberUser, GroupUser, GroupUserAssignment, GroupUserDeletedResource, UserListResource},
    operations::{AddGroupUser, ListGroupUsers, RemoveGroupUser, RetrieveGroupUser},
};

use crate::{
    audit_events::{Audit, Event, Subject},
    error::{Error, Result},
    groups,
    organizations::Org,
    page::Range,
    stamp::Stamp,
    store::Store,
    transaction::{Transaction, values},
    users,
};

impl Store {
    /// Lists the users of a group by the time they joined the organization. A user who is in the group during a
    /// whole walk over its pages appears exactly once, whatever happens to others meanwhile.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::UnknownCursor`].
    pub async fn list_group_users(&self, org: Org, request: ListGroupUsers) -> Result<UserListResource> {
        self.read(move |transaction| list(transaction, org, &request)).await
    }

    /// Adds a user to a group; adding a member again changes nothing.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] for the group or the user, [`Error::ManagedGroup`].
    pub async fn add_group_user(
        &self,
        org: Org,
        stamp: Stamp,
        request: AddGroupUser,
    ) -> Result<GroupUserAssignment> {
        self.write(move |transaction| add(transaction, org, &stamp, &request)).await
    }

    /// Retrieves a user of a group.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] for the group or the user, [`Error::NotMember`].
    pub async fn retrieve_group_user(&self, org: Org, request: RetrieveGroupUser) -> Result<GroupMemberUser> {
        self.read(move |transaction| retrieve(transaction, org, &request)).await
    }

    /// Removes a user from a group.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] for the group or the user, [`Error::NotMember`], [`Error::ManagedGroup`].
    pub async fn remove_group_user(
        &self,
        org: Org,
        stamp: Stamp,
        request: RemoveGroupUser,
    ) -> Result<GroupUserDeletedResource> {
        self.write(move |transaction| remove(transaction, org, &stamp, &request)).await
    }
}

/// The page's keys first, the users after: left to itself, PostgreSQL plans the join of a dominant group as a merge
/// from the start of `users`. `cross join lateral` is what keeps it from that; SQLite has no lateral and needs none.
const ASCENDING: [&str; 2] = [
    "select u.id, u.name, u.email
     from (select user_seq from group_users where org = $1 and group_seq = $2 and user_seq > $3
           order by user_seq limit $4) m
     cross join users u where u.org = $1 and u.seq = m.user_seq order by m.user_seq",
    "select u.id, u.name, u.email
     from (select user_seq from group_users where org = $1 and group_seq = $2 and user_seq > $3
           order by user_seq limit $4) m
     cross join lateral (select * from users where org = $1 and seq = m.user_seq limit 1) u order by m.user_seq",
];
const DESCENDING: [&str; 2] = [
    "select u.id, u.name, u.email
     from (select user_seq from group_users where org = $1 and group_seq = $2 and user_seq < $3
           order by user_seq desc limit $4) m
     cross join users u where u.org = $1 and u.seq = m.user_seq order by m.user_seq desc",
    "select u.id, u.name, u.email
     from (select user_seq from group_users where org = $1 and group_seq = $2 and user_seq < $3
           order by user_seq desc limit $4) m
     cross join lateral (select * from users where org = $1 and seq = m.user_seq limit 1) u
     order by m.user_seq desc",
];

fn list(transaction: &mut Transaction<'_>, org: Org, request: &ListGroupUsers) -> Result<UserListResource> {
    let group_seq = groups::find(transaction, org, &request.group_id)?.seq;
    let limit = request.limit.unwrap_or_default().get();
    if limit == 0 {
        return Ok(UserListResource::new(Vec::new(), false));
    }
    let after = users::place_of(transaction, org, request.after.as_ref())?;
    let range = Range::new(request.order.unwrap_or(Order::Desc), after, limit);
    let sql = match range.order {
        Order::Asc => transaction.choose(ASCENDING[0], ASCENDING[1]),
        Order::Desc => transaction.choose(DESCENDING[0], DESCENDING[1]),
    };
    let values = values![org.seq(), group_seq, range.after, range.rows()];
    let rows = transaction.query(sql, values, |row| {
        Ok(GroupUser::new(row.parsed(0)?, row.text(1)?.into(), row.optional_text(2)?.map(Into::into)))
    })?;
    let (users, has_more) = range.cut(rows);
    Ok(UserListResource::new(users, has_more))
}

fn add(
    transaction: &mut Transaction<'_>,
    org: Org,
    stamp: &Stamp,
    request: &AddGroupUser,
) -> Result<GroupUserAssignment> {
    let group = groups::find(transaction, org, &request.group_id)?.changeable()?;
    let user = users::find(transaction, org, &request.body.user_id)?;
    insert(transaction, org, &mut Audit::new(org, stamp), group.seq, user.seq)?;
    Ok(GroupUserAssignment::new(group.group.id, user.user.id))
}

/// Makes a user a member, and says whether that is new.
pub(crate) fn insert(
    transaction: &mut Transaction<'_>,
    org: Org,
    audit: &mut Audit<'_>,
    group_seq: i64,
    user_seq: i64,
) -> Result<bool> {
    let inserted = transaction.execute(
        "insert into group_users (org, group_seq, user_seq) values ($1, $2, $3) on conflict do nothing",
        values![org.seq(), group_seq, user_seq],
    )?;
    if inserted > 0 {
        let of = Subject { group_seq: Some(group_seq), user_seq: Some(user_seq), detail: None };
        audit.record(transaction, Event::GroupUserAdded, of)?;
    }
    Ok(inserted > 0)
}

fn retrieve(
    transaction: &mut Transaction<'_>,
    org: Org,
    request: &RetrieveGroupUser,
) -> Result<GroupMemberUser> {
    let RetrieveGroupUser { group_id, user_id, .. } = request;
    let group = groups::find(transaction, org, group_id)?;
    let user = users::find(transaction, org, user_id)?;
    transaction
        .query_one(
            "select 1 from group_users where org = $1 and group_seq = $2 and user_seq = $3",
            values![org.seq(), group.seq, user.seq],
            |_| Ok(()),
        )?
        .ok_or_else(|| Error::NotMember { group_id: group_id.clone(), user_id: user_id.clone() })?;
    Ok(user.as_member())
}

fn remove(
    transaction: &mut Transaction<'_>,
    org: Org,
    stamp: &Stamp,
    request: &RemoveGroupUser,
) -> Result<GroupUserDeletedResource> {
    let RemoveGroupUser { group_id, user_id, .. } = request;
    let group = groups::find(transaction, org, group_id)?.changeable()?;
    let user = users::find(transaction, org, user_id)?;
    let removed = transaction.execute(
        "delete from group_users where org = $1 and group_seq = $2 and user_seq = $3",
        values![org.seq(), group.seq, user.seq],
    )?;
    if removed == 0 {
        return Err(Error::NotMember { group_id: group_id.clone(), user_id: user_id.clone() });
    }
    let of = Subject { group_seq: Some(group.seq), user_seq: Some(user.seq), detail: None };
    Audit::new(org, stamp).record(transaction, Event::GroupUserRemoved, of)?;
    Ok(GroupUserDeletedResource::new())
}
