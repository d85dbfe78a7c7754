//! Group members.

use bytes::Bytes;
use openai_admin::{
    Cursor, GroupId, Order, UserId,
    models::{
        GroupMemberUser, GroupResponse, GroupUser, GroupUserAssignment, GroupUserDeletedResource,
        UserListResource,
    },
    operations::{AddGroupUser, ListGroupUsers, RemoveGroupUser, RetrieveGroupUser},
    wire::UserListWriter,
};

use crate::{
    base::{
        error::{Error, Result},
        events::{MEMBER_ADDED, MEMBER_REMOVED},
        kind::Kind,
        org::Org,
        page::Range,
        rule::{Rule, Rules},
        stamp::Stamp,
        value::{Value, values},
    },
    engines::{postgres, sqlite::page_cache::PageKey, transaction::Transaction},
    nouns::{
        groups,
        users::{self, StoredUser},
    },
    operation::{Changes, Reads, audit_events::Places, change::Change, reading::Reading, tx::Tx},
    shapes::thing,
    store::Store,
};

impl Store {
    /// Lists the users of a group in the order in which they joined the organization. A user who is a member while all
    /// pages are read appears exactly once, even if other members change meanwhile.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::UnknownCursor`].
    pub async fn list_group_users(&self, org: Org, request: ListGroupUsers) -> Result<UserListResource> {
        if let Some(postgres) = self.postgres() {
            let mut users = Vec::new();
            let push = |id: &str, name: &str, email: Option<&str>| push_model(&mut users, id, name, email);
            if let Some(has_more) = Box::pin(postgres.list_group_users(org, &request, push)).await? {
                return Ok(UserListResource::new(users, has_more));
            }
        }
        self.query(move |transaction| list_models(&mut Tx::new(transaction, org), &request)).await
    }

    /// The JSON of [`list_group_users`](Self::list_group_users), written from the rows without building the model.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::UnknownCursor`].
    pub async fn list_group_users_json(&self, org: Org, request: ListGroupUsers) -> Result<Bytes> {
        if let Some(postgres) = self.postgres() {
            let mut page = UserListWriter::new(&request);
            let push = |id: &str, name: &str, email: Option<&str>| {
                page.push(id, name, email);
                Ok(())
            };
            // Boxed, because otherwise the future of every SQLite page would be as large.
            if let Some(has_more) = Box::pin(postgres.list_group_users(org, &request, push)).await? {
                return Ok(Bytes::from(page.finish(has_more)));
            }
        }
        let key = PageKey::new(org, &request);
        if let Some(page) = self.cached_page(&key) {
            return Ok(page);
        }
        let pages = self.pages().cloned();
        self.query(move |transaction| {
            // Before the first statement, which opens the snapshot.
            let sample = pages.as_ref().map(|pages| pages.sample());
            let mut page = UserListWriter::new(&request);
            let listed = list(&mut Tx::new(transaction, org), &request, |id, name, email| {
                page.push(id, name, email);
                Ok(())
            })?;
            let json = Bytes::from(page.finish(listed.has_more));
            if let (Some(pages), Some(sample)) = (&pages, sample) {
                pages.fill(key.clone(), listed.group_seq, sample, json.clone());
            }
            Ok(json)
        })
        .await
    }

    /// Adds a user to a group. Adding a member again changes nothing.
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
        let (group_id, user_id) = (&request.group_id, &request.body.user_id);
        if self.change_at_once(org, true, group_id, user_id, &stamp).await? {
            return Ok(GroupUserAssignment::new(request.group_id, request.body.user_id));
        }
        self.change(org, stamp, request).await
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
        if self.change_at_once(org, false, &request.group_id, &request.user_id, &stamp).await? {
            return Ok(GroupUserDeletedResource::new());
        }
        self.change(org, stamp, request).await
    }

    /// Makes a change with the engine's fast path, if it has one and it covers the case. Returns whether the change is
    /// done.
    async fn change_at_once(
        &self,
        org: Org,
        adds: bool,
        group_id: &GroupId,
        user_id: &UserId,
        stamp: &Stamp,
    ) -> Result<bool> {
        let Some(postgres) = self.postgres() else { return Ok(false) };
        // The fast path applies all rules.
        if stamp.rules != Rules::default() {
            return Ok(false);
        }
        let (group_id, user_id, stamp) = (group_id.clone(), user_id.clone(), stamp.clone());
        Box::pin(postgres.change_group_user(postgres::Change { org, adds, group_id, user_id, stamp })).await
    }
}

/// The page's keys first, then the users: otherwise PostgreSQL plans the join of a large group as a merge from the
/// start of `users`. `cross join lateral` prevents that; SQLite has no lateral joins and needs none.
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

fn list_models(tx: &mut Tx<'_>, request: &ListGroupUsers) -> Result<UserListResource> {
    let mut users = Vec::new();
    let listed = list(tx, request, |id, name, email| push_model(&mut users, id, name, email))?;
    Ok(UserListResource::new(users, listed.has_more))
}

fn push_model(users: &mut Vec<GroupUser>, id: &str, name: &str, email: Option<&str>) -> Result<()> {
    let id = UserId::new(id).map_err(|error| Error::internal(error.to_string()))?;
    users.push(GroupUser::new(id, name.into(), email.map(Into::into)));
    Ok(())
}

/// Reads a page: passes each user's id, name and email address to `push`, in order.
fn list(
    tx: &mut Tx<'_>,
    request: &ListGroupUsers,
    mut push: impl FnMut(&str, &str, Option<&str>) -> Result<()>,
) -> Result<Listed> {
    let limit = request.limit.unwrap_or_default().get();
    let (group_seq, after) = find_group(tx, &request.group_id, request.after.as_ref().filter(|_| limit > 0))?;
    if limit == 0 {
        return Ok(Listed { group_seq, has_more: false });
    }
    let range = Range::new(request.order.unwrap_or(Order::Desc), after, limit);
    let values = values![tx.org(), group_seq, range.after, range.rows()];
    if let Transaction::Sqlite(_) = tx.transaction()
        && let Some(has_more) = list_neighbours(tx, values, range, &mut push)?
    {
        return Ok(Listed { group_seq, has_more });
    }
    let mut rows = 0;
    let sql = members(tx, range.order);
    tx.query(sql, values, |row| {
        rows += 1;
        if rows > range.limit {
            return Ok(());
        }
        push(row.text(0)?, row.text(1)?, row.optional_text(2)?)
    })?;
    Ok(Listed { group_seq, has_more: rows > range.limit })
}

/// Reads the id, the name and the address of members: after a number, up to a limit.
pub(crate) fn members(tx: &Tx<'_>, order: Order) -> &'static str {
    match order {
        Order::Asc => tx.choose(ASCENDING[0], ASCENDING[1]),
        Order::Desc => tx.choose(DESCENDING[0], DESCENDING[1]),
    }
}

/// The numbers of a group and of a cursor in its list, by one statement.
pub(crate) fn find_group(
    tx: &mut Tx<'_>,
    group_id: &GroupId,
    cursor: Option<&Cursor>,
) -> Result<(i64, Option<i64>)> {
    let Some(cursor) = cursor else {
        return Ok((thing::find_seq::<GroupResponse>(tx, group_id.as_str())?, None));
    };
    let org = tx.org();
    let found = tx.query_one(
        "select seq, (select seq from users where org = $1 and id = $2)
         from groups where org = $1 and id = $3 and removed_at is null",
        values![org, cursor.as_str(), group_id.as_str()],
        |row| Ok((row.integer(0)?, row.optional_integer(1)?)),
    )?;
    match found.ok_or_else(|| Error::not_found(Kind::Group, group_id))? {
        (_, None) => Err(Error::UnknownCursor(cursor.clone())),
        found => Ok(found),
    }
}

/// The group that was listed, and whether there are more users.
struct Listed {
    group_seq: i64,
    has_more: bool,
}

/// How many users a range may contain for each user on the page, besides that user, to be read as one range of `users`.
const SKIPPED_USERS_MAX: i64 = 2;

/// In a group of nearly all users, the members are adjacent in `users`. On SQLite, reading that range costs less than
/// looking up each member. Returns `None` if the members of this page are too far apart.
fn list_neighbours(
    tx: &mut Tx<'_>,
    values: &[Value<'_>],
    range: Range,
    push: &mut impl FnMut(&str, &str, Option<&str>) -> Result<()>,
) -> Result<Option<bool>> {
    let sql = range.choose(
        "select user_seq from group_users where org = $1 and group_seq = $2 and user_seq > $3
         order by user_seq limit $4",
        "select user_seq from group_users where org = $1 and group_seq = $2 and user_seq < $3
         order by user_seq desc limit $4",
    );
    // Stops reading members as soon as they are too far apart.
    let distance_max = (1 + SKIPPED_USERS_MAX) * range.rows();
    let (mut first, mut is_far) = (None, false);
    let members = tx.query_while(sql, values, |row| {
        let member = row.integer(0)?;
        is_far = (member - *first.get_or_insert(member)).abs() > distance_max;
        Ok((!is_far).then_some(member))
    })?;
    if is_far {
        return Ok(None);
    }
    let (members, has_more) = range.cut(members);
    let (Some(first), Some(last)) = (members.first(), members.last()) else { return Ok(Some(false)) };
    let (first, last) = (*first.min(last), *first.max(last));
    if last - first > (1 + SKIPPED_USERS_MAX) * members.len() as i64 {
        return Ok(None);
    }
    let sql = range.choose(
        "select seq, id, name, email from users where org = $1 and seq >= $2 and seq <= $3 order by seq",
        "select seq, id, name, email from users where org = $1 and seq >= $2 and seq <= $3 order by seq desc",
    );
    let org = values[0];
    let mut members = members.into_iter().peekable();
    tx.query(sql, &[org, first.into(), last.into()], |row| {
        if members.next_if_eq(&row.integer(0)?).is_none() {
            return Ok(());
        }
        push(row.text(1)?, row.text(2)?, row.optional_text(3)?)
    })?;
    match members.next() {
        None => Ok(Some(has_more)),
        Some(member) => Err(Error::internal(format!("user {member} of a group is missing"))),
    }
}

impl Changes for AddGroupUser {
    fn change(&self, change: &mut Change<'_>) -> Result<GroupUserAssignment> {
        let (group_id, user_id) = (&self.group_id, &self.body.user_id);
        let group_seq = groups::find_changeable_seq(change, group_id)?;
        let user_seq = thing::find_seq::<StoredUser>(change, user_id.as_str())?;
        insert(change, group_seq, user_seq)?;
        Ok(GroupUserAssignment::new(group_id.clone(), user_id.clone()))
    }
}

/// Makes a user a member, and returns whether the membership is new.
pub(crate) fn insert(change: &mut Change<'_>, group_seq: i64, user_seq: i64) -> Result<bool> {
    let org = change.org();
    let inserted = change.execute(
        "insert into group_users (org, group_seq, user_seq) values ($1, $2, $3) on conflict do nothing",
        values![org, group_seq, user_seq],
    )?;
    if inserted > 0 {
        change.record(MEMBER_ADDED, membership(group_seq, user_seq))?;
    }
    Ok(inserted > 0)
}

fn membership(group_seq: i64, user_seq: i64) -> Places<'static> {
    Places { group_seq: Some(group_seq), user_seq: Some(user_seq), ..Places::default() }
}

impl Reads for RetrieveGroupUser {
    fn read(&self, tx: &mut Reading<'_>) -> Result<GroupMemberUser> {
        let group_seq = thing::find_seq::<GroupResponse>(tx, self.group_id.as_str())?;
        let user = users::find(tx, &self.user_id)?;
        let org = tx.org();
        tx.query_one(
            "select 1 from group_users where org = $1 and group_seq = $2 and user_seq = $3",
            values![org, group_seq, user.seq],
            |_| Ok(()),
        )?
        .ok_or_else(|| not_member(&self.group_id, &self.user_id))?;
        Ok(user.thing.as_member())
    }
}

fn not_member(group_id: &GroupId, user_id: &UserId) -> Error {
    Error::NotMember { group_id: group_id.clone(), user_id: user_id.clone() }
}

impl Changes for RemoveGroupUser {
    fn change(&self, change: &mut Change<'_>) -> Result<GroupUserDeletedResource> {
        let group_seq = groups::find_changeable_seq(change, &self.group_id)?;
        let user_seq = thing::find_seq::<StoredUser>(change, self.user_id.as_str())?;
        let org = change.org();
        let removed = change.execute(
            "delete from group_users where org = $1 and group_seq = $2 and user_seq = $3",
            values![org, group_seq, user_seq],
        )?;
        if removed > 0 {
            change.record(MEMBER_REMOVED, membership(group_seq, user_seq))?;
        } else if change.rules().has(Rule::NotAMember) {
            return Err(not_member(&self.group_id, &self.user_id));
        }
        Ok(GroupUserDeletedResource::new())
    }
}
