//! Groups of an organization.

use openai_admin::{
    Cursor, GroupId, GroupType, Order, Timestamp,
    models::{
        AuditLogPayload, GroupDeletedResource, GroupListResource, GroupResourceWithSuccess, GroupResponse,
    },
    operations::{CreateGroup, DeleteGroup, ListGroups, ListUserGroups, RetrieveGroup, UpdateGroup},
};

use crate::{
    audit_events::{Audit, Event, Subject},
    error::{Error, Kind, Result},
    idempotency_keys::{self, Created},
    organizations::Org,
    page::Range,
    postgres::Patience,
    stamp::Stamp,
    store::Store,
    text::check_text,
    transaction::{Row, Transaction, Value, values},
    users,
};

impl Store {
    /// Lists the groups by creation.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownCursor`].
    pub async fn list_groups(&self, org: Org, request: ListGroups) -> Result<GroupListResource> {
        self.read(move |transaction| list(transaction, org, &request)).await
    }

    /// Creates a group; under the idempotency key of a stamp only once.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidValue`], [`Error::IdempotencyKeyReused`], [`Error::IdempotentAnswerDeleted`].
    pub async fn create_group(&self, org: Org, stamp: Stamp, request: CreateGroup) -> Result<GroupResponse> {
        self.write(move |transaction| {
            idempotency_keys::once(transaction, org, &stamp, |transaction| {
                create(transaction, org, &stamp, &request)
            })
        })
        .await
    }

    /// Retrieves a group.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`].
    pub async fn retrieve_group(&self, org: Org, request: RetrieveGroup) -> Result<GroupResponse> {
        self.read(move |transaction| Ok(find(transaction, org, &request.group_id)?.group)).await
    }

    /// Renames a group.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::ManagedGroup`], [`Error::InvalidValue`].
    pub async fn update_group(
        &self,
        org: Org,
        stamp: Stamp,
        request: UpdateGroup,
    ) -> Result<GroupResourceWithSuccess> {
        self.write(move |transaction| update(transaction, org, &stamp, &request)).await
    }

    /// Deletes a group and every membership in it.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::ManagedGroup`].
    pub async fn delete_group(
        &self,
        org: Org,
        stamp: Stamp,
        request: DeleteGroup,
    ) -> Result<GroupDeletedResource> {
        self.write_alone(org, move |transaction| delete(transaction, org, &stamp, &request)).await
    }

    /// Lists the groups that a user is in, by creation.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::UnknownCursor`].
    pub async fn list_user_groups(&self, org: Org, request: ListUserGroups) -> Result<GroupListResource> {
        self.read(move |transaction| list_of_user(transaction, org, &request)).await
    }
}

/// A group and its place inside.
pub(crate) struct Found {
    pub(crate) seq: i64,
    pub(crate) group: GroupResponse,
}

impl Found {
    /// The group, if we may change it.
    pub(crate) fn changeable(self) -> Result<Self> {
        if is_changeable(self.group.is_scim_managed, &self.group.group_type) {
            Ok(self)
        } else {
            Err(Error::ManagedGroup(self.group.id))
        }
    }
}

/// The columns of a group, in the order that [`from_row`] reads.
macro_rules! select_groups {
    ($rest:literal) => {
        concat!("select g.seq, g.id, g.name, g.created_at, g.is_scim_managed, g.group_type from ", $rest)
    };
}

fn from_row(row: &Row<'_>) -> Result<Found> {
    let mut group =
        GroupResponse::new(row.parsed(1)?, row.text(2)?, Timestamp::from_unix_seconds(row.integer(3)?));
    group.is_scim_managed = row.flag(4)?;
    group.group_type = GroupType::from(row.text(5)?);
    Ok(Found { seq: row.integer(0)?, group })
}

pub(crate) fn find(transaction: &mut Transaction<'_>, org: Org, id: &GroupId) -> Result<Found> {
    transaction
        .query_one(
            select_groups!("groups g where g.org = $1 and g.id = $2 and g.removed_at is null"),
            values![org.seq(), id.as_str()],
            from_row,
        )?
        .ok_or_else(|| Error::not_found(Kind::Group, id))
}

/// The place of a group, for those who need nothing else of it.
pub(crate) fn find_seq(transaction: &mut Transaction<'_>, org: Org, id: &GroupId) -> Result<i64> {
    transaction
        .query_one(
            "select seq from groups where org = $1 and id = $2 and removed_at is null",
            values![org.seq(), id.as_str()],
            |row| row.integer(0),
        )?
        .ok_or_else(|| Error::not_found(Kind::Group, id))
}

/// The place of a group that we may change, for those who need nothing else of it.
pub(crate) fn find_changeable_seq(transaction: &mut Transaction<'_>, org: Org, id: &GroupId) -> Result<i64> {
    let found = transaction.query_one(
        "select seq, is_scim_managed, group_type from groups where org = $1 and id = $2 and removed_at is null",
        values![org.seq(), id.as_str()],
        |row| Ok((row.integer(0)?, is_changeable(row.flag(1)?, &GroupType::from(row.text(2)?)))),
    )?;
    match found {
        Some((seq, true)) => Ok(seq),
        Some((_, false)) => Err(Error::ManagedGroup(id.clone())),
        None => Err(Error::not_found(Kind::Group, id)),
    }
}

fn is_changeable(is_scim_managed: bool, group_type: &GroupType) -> bool {
    !is_scim_managed && *group_type == GroupType::Group
}

/// The groups with a name: there may be several.
pub(crate) fn find_by_name(transaction: &mut Transaction<'_>, org: Org, name: &str) -> Result<Vec<Found>> {
    // Without statistics SQLite would rather read all groups of the organization.
    let sql = transaction.choose(
        select_groups!(
            "groups g indexed by groups_by_name where g.org = $1 and g.name = $2 and g.removed_at is null"
        ),
        select_groups!("groups g where g.org = $1 and g.name = $2 and g.removed_at is null"),
    );
    transaction.query(sql, values![org.seq(), name], from_row)
}

/// Every group of an organization, in order.
pub(crate) fn all(transaction: &mut Transaction<'_>, org: Org) -> Result<Vec<Found>> {
    let sql = select_groups!("groups g where g.org = $1 and g.removed_at is null order by g.seq");
    transaction.query(sql, values![org.seq()], from_row)
}

/// The place of a cursor: any group that ever was, so that a list goes on when its group was deleted meanwhile.
pub(crate) fn place_of(
    transaction: &mut Transaction<'_>,
    org: Org,
    after: Option<&Cursor>,
) -> Result<Option<i64>> {
    let Some(cursor) = after else { return Ok(None) };
    let seq = transaction.query_one(
        "select seq from groups where org = $1 and id = $2",
        values![org.seq(), cursor.as_str()],
        |row| row.integer(0),
    )?;
    seq.map(Some).ok_or_else(|| Error::UnknownCursor(cursor.clone()))
}

fn list(transaction: &mut Transaction<'_>, org: Org, request: &ListGroups) -> Result<GroupListResource> {
    let limit = request.limit.unwrap_or_default().get();
    if limit == 0 {
        return Ok(GroupListResource::new(Vec::new(), false));
    }
    let after = place_of(transaction, org, request.after.as_ref())?;
    let range = Range::new(request.order.unwrap_or(Order::Asc), after, limit);
    let sql = range.choose(
        select_groups!(
            "groups g where g.org = $1 and g.seq > $2 and g.removed_at is null order by g.seq limit $3"
        ),
        select_groups!(
            "groups g where g.org = $1 and g.seq < $2 and g.removed_at is null order by g.seq desc limit $3"
        ),
    );
    page(transaction, sql, values![org.seq(), range.after, range.rows()], range)
}

fn list_of_user(
    transaction: &mut Transaction<'_>,
    org: Org,
    request: &ListUserGroups,
) -> Result<GroupListResource> {
    let user_seq = users::find(transaction, org, &request.user_id)?.seq;
    let limit = request.limit.unwrap_or_default().get();
    if limit == 0 {
        return Ok(GroupListResource::new(Vec::new(), false));
    }
    let after = place_of(transaction, org, request.after.as_ref())?;
    let range = Range::new(request.order.unwrap_or(Order::Asc), after, limit);
    let sql = range.choose(
        select_groups!(
            "(select org, group_seq from group_users where org = $1 and user_seq = $2 and group_seq > $3
              order by group_seq limit $4) m
             join groups g on g.org = m.org and g.seq = m.group_seq order by m.group_seq"
        ),
        select_groups!(
            "(select org, group_seq from group_users where org = $1 and user_seq = $2 and group_seq < $3
              order by group_seq desc limit $4) m
             join groups g on g.org = m.org and g.seq = m.group_seq order by m.group_seq desc"
        ),
    );
    page(transaction, sql, values![org.seq(), user_seq, range.after, range.rows()], range)
}

fn page(
    transaction: &mut Transaction<'_>,
    sql: &'static str,
    values: &[Value<'_>],
    range: Range,
) -> Result<GroupListResource> {
    let rows = transaction.query(sql, values, |row| Ok(from_row(row)?.group))?;
    let (groups, has_more) = range.cut(rows);
    Ok(GroupListResource::new(groups, has_more))
}

fn create(
    transaction: &mut Transaction<'_>,
    org: Org,
    stamp: &Stamp,
    request: &CreateGroup,
) -> Result<(GroupResponse, Created)> {
    let id = GroupId::new(stamp.mint("group_", 0)).map_err(Error::internal)?;
    let group = GroupResponse::new(id, &*request.body.name, stamp.at());
    let seq = insert(transaction, org, &mut Audit::new(org, stamp), &group)?;
    Ok((group, Created::Group(seq)))
}

/// Gives a group its place and writes it.
pub(crate) fn insert(
    transaction: &mut Transaction<'_>,
    org: Org,
    audit: &mut Audit<'_>,
    group: &GroupResponse,
) -> Result<i64> {
    check_text("name", &group.name)?;
    let seq = transaction
        .query_one(
            "update organizations set last_group_seq = last_group_seq + 1 where org = $1 returning last_group_seq",
            values![org.seq()],
            |row| row.integer(0),
        )?
        .ok_or_else(|| Error::internal("the organization is gone"))?;
    transaction.execute(
        "insert into groups (org, seq, id, name, group_type, is_scim_managed, created_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
        values![
            org.seq(),
            seq,
            group.id.as_str(),
            group.name.as_str(),
            group.group_type.as_str(),
            group.is_scim_managed,
            group.created_at.unix_seconds()
        ],
    )?;
    audit.record(transaction, Event::GroupCreated, named(seq, &AuditLogPayload::group_name(&group.name)))?;
    Ok(seq)
}

fn update(
    transaction: &mut Transaction<'_>,
    org: Org,
    stamp: &Stamp,
    request: &UpdateGroup,
) -> Result<GroupResourceWithSuccess> {
    let Found { seq, mut group } = find(transaction, org, &request.group_id)?.changeable()?;
    group.name = request.body.name.to_string();
    write(transaction, org, &mut Audit::new(org, stamp), seq, &group)?;
    Ok(group.into())
}

/// Writes everything about a group but its place and id.
pub(crate) fn write(
    transaction: &mut Transaction<'_>,
    org: Org,
    audit: &mut Audit<'_>,
    seq: i64,
    group: &GroupResponse,
) -> Result<()> {
    check_text("name", &group.name)?;
    transaction.execute(
        "update groups set name = $1, group_type = $2, is_scim_managed = $3, created_at = $4
         where org = $5 and seq = $6",
        values![
            group.name.as_str(),
            group.group_type.as_str(),
            group.is_scim_managed,
            group.created_at.unix_seconds(),
            org.seq(),
            seq
        ],
    )?;
    audit.record(transaction, Event::GroupUpdated, named(seq, &AuditLogPayload::group_name(&group.name)))
}

/// A group and the name that it gets.
fn named(seq: i64, payload: &AuditLogPayload) -> Subject<'_> {
    Subject { group_seq: Some(seq), payload: Some(payload), ..Subject::default() }
}

fn delete(
    transaction: &mut Transaction<'_>,
    org: Org,
    stamp: &Stamp,
    request: &DeleteGroup,
) -> Result<GroupDeletedResource> {
    let Found { seq, group } = find(transaction, org, &request.group_id)?.changeable()?;
    transaction.allow_long_statements(Patience::Deletion)?;
    let mut audit = Audit::new(org, stamp);
    let of = Subject { group_seq: Some(seq), ..Subject::default() };
    audit.record_removals(transaction, of)?;
    transaction
        .execute("delete from group_users where org = $1 and group_seq = $2", values![org.seq(), seq])?;
    transaction.execute(
        "update groups set removed_at = $1, name = '' where org = $2 and seq = $3",
        values![stamp.seconds(), org.seq(), seq],
    )?;
    idempotency_keys::erase_answers(transaction, org, Created::Group(seq))?;
    audit.record(transaction, Event::GroupDeleted, of)?;
    Ok(GroupDeletedResource::new(group.id))
}
