//! Groups of an organization.

use openai_admin::{
    GroupType, Order, Timestamp,
    models::{
        AuditLogPayload, GroupDeletedResource, GroupListResource, GroupResourceWithSuccess, GroupResponse,
    },
    operations::{CreateGroup, DeleteGroup, ListGroups, ListUserGroups, RetrieveGroup, UpdateGroup},
};

use crate::{
    base::{
        error::{Error, Result},
        kind::Kind,
        page::Range,
        rule::{Rule, Rules},
        text::check_text,
        value::{Row, Value, values},
    },
    nouns::users::StoredUser,
    operation::{Changes, Reads, audit_events::Places, change::Change, reading::Reading, tx::Tx},
    shapes::{
        table::{Numbers, Table, table},
        thing::{self, Stored, Thing, stored},
    },
};

table! {
    $ groups of Group;
    columns: name group_type is_scim_managed created_at;
    erased: name = "''";
    recorded: name = "group_name";
    numbers: Numbers::Column {
        column: "last_group_seq",
        next: "update organizations set last_group_seq = last_group_seq + 1 where org = $1 returning last_group_seq",
    };
    events: "group.created", "group.updated", "group.deleted";
}

impl Thing for GroupResponse {
    const TABLE: &'static Table = &TABLE;

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn from_row(row: &Row<'_>) -> Result<Self> {
        let mut group =
            Self::new(row.parsed(1)?, row.text(2)?, Timestamp::from_unix_seconds(row.integer(5)?));
        group.group_type = GroupType::from(row.text(3)?);
        group.is_scim_managed = row.flag(4)?;
        Ok(group)
    }

    fn bind<R>(&self, write: impl FnOnce(&[Value<'_>]) -> R) -> R {
        write(values![
            self.id.as_str(),
            self.name.as_str(),
            self.group_type.as_str(),
            self.is_scim_managed,
            self.created_at.unix_seconds()
        ])
    }

    fn payload(&self) -> AuditLogPayload {
        AuditLogPayload::group_name(&self.name)
    }
}

impl Reads for ListGroups {
    fn read(&self, tx: &mut Reading<'_>) -> Result<GroupListResource> {
        let order = self.order.unwrap_or(Order::Asc);
        let (groups, has_more) =
            thing::page(tx, order, self.after.as_ref(), self.limit.unwrap_or_default().get())?;
        Ok(GroupListResource::new(groups, has_more))
    }
}

impl Reads for RetrieveGroup {
    fn read(&self, tx: &mut Reading<'_>) -> Result<GroupResponse> {
        Ok(thing::find(tx, self.group_id.as_str())?.thing)
    }
}

/// In the order in which the groups were created.
impl Reads for ListUserGroups {
    fn read(&self, tx: &mut Reading<'_>) -> Result<GroupListResource> {
        let limit = self.limit.unwrap_or_default().get();
        if limit == 0 {
            thing::find_seq::<StoredUser>(tx, self.user_id.as_str())?;
            return Ok(GroupListResource::new(Vec::new(), false));
        }
        let (org, after) = (tx.org(), thing::cursor::<GroupResponse>(tx, self.after.as_ref())?);
        let range = Range::new(self.order.unwrap_or(Order::Asc), after, limit);
        let sql = range.choose(
            select!(
                "(select 1 from users where org = $1 and id = $2 and removed_at is null) found
                 left join (select org as member_org, group_seq from group_users
                            where org = $1
                              and user_seq = (select seq from users where org = $1 and id = $2 and removed_at is null)
                              and group_seq > $3
                            order by group_seq limit $4) m on true
                 left join groups on org = member_org and seq = group_seq"
            ),
            select!(
                "(select 1 from users where org = $1 and id = $2 and removed_at is null) found
                 left join (select org as member_org, group_seq from group_users
                            where org = $1
                              and user_seq = (select seq from users where org = $1 and id = $2 and removed_at is null)
                              and group_seq < $3
                            order by group_seq desc limit $4) m on true
                 left join groups on org = member_org and seq = group_seq"
            ),
        );
        let values = values![org, self.user_id.as_str(), range.after, range.rows()];
        // A user without a group on this page is a row without a group.
        let rows = tx.query(sql, values, |row| match row.optional_integer(0)? {
            Some(_) => stored::<GroupResponse>(row).map(Some),
            None => Ok(None),
        })?;
        if rows.is_empty() {
            return Err(Error::not_found(Kind::User, &self.user_id));
        }
        let mut groups: Vec<_> = rows.into_iter().flatten().collect();
        // PostgreSQL would sort for any number of users.
        groups.sort_by_key(|group| if range.order == Order::Asc { group.seq } else { -group.seq });
        let (groups, has_more) = range.cut(groups.into_iter().map(|group| group.thing).collect());
        Ok(GroupListResource::new(groups, has_more))
    }
}

impl Changes for CreateGroup {
    fn change(&self, change: &mut Change<'_>) -> Result<GroupResponse> {
        let id = change.mint("group_")?;
        let group = GroupResponse::new(id, &*self.body.name, change.stamp().at());
        insert(change, &group)?;
        Ok(group)
    }
}

impl Changes for UpdateGroup {
    fn change(&self, change: &mut Change<'_>) -> Result<GroupResourceWithSuccess> {
        let Stored { seq, thing: mut group } = find_changeable(change, self.group_id.as_str())?;
        group.name = self.body.name.to_string();
        update(change, seq, &group)?;
        Ok(group.into())
    }
}

impl Changes for DeleteGroup {
    const ENDS: bool = true;

    fn change(&self, change: &mut Change<'_>) -> Result<GroupDeletedResource> {
        let group = find_changeable(change, self.group_id.as_str())?;
        thing::bury(change, &group)?;
        Ok(GroupDeletedResource::new(group.thing.id))
    }
}

/// Writes a new group.
pub(crate) fn insert(change: &mut Change<'_>, group: &GroupResponse) -> Result<i64> {
    check_text("name", &group.name)?;
    thing::insert(change, group)
}

/// Updates everything except the id.
pub(crate) fn update(change: &mut Change<'_>, seq: i64, group: &GroupResponse) -> Result<()> {
    check_text("name", &group.name)?;
    thing::update(change, seq, group)?;
    let payload = group.payload();
    change.record(TABLE.updated, Places::of(Kind::Group, seq, group.id()).with(Some(&payload)))
}

/// Finds a group that the API may change: neither an identity provider nor a tenant manages it.
fn find_changeable(tx: &mut Tx<'_>, id: &str) -> Result<Stored<GroupResponse>> {
    let group = thing::find::<GroupResponse>(tx, id)?;
    match is_changeable(tx.rules(), group.thing.is_scim_managed, &group.thing.group_type) {
        true => Ok(group),
        false => Err(Error::ManagedGroup(group.thing.id)),
    }
}

/// The number of a group that the API may change, without reading the whole row.
pub(crate) fn find_changeable_seq(tx: &mut Tx<'_>, id: &openai_admin::GroupId) -> Result<i64> {
    let (org, rules) = (tx.org(), tx.rules());
    let found = tx.query_one(
        "select seq, is_scim_managed, group_type from groups where org = $1 and id = $2 and removed_at is null",
        values![org, id.as_str()],
        |row| Ok((row.integer(0)?, is_changeable(rules, row.flag(1)?, &GroupType::from(row.text(2)?)))),
    )?;
    match found {
        Some((seq, true)) => Ok(seq),
        Some((_, false)) => Err(Error::ManagedGroup(id.clone())),
        None => Err(Error::not_found(Kind::Group, id)),
    }
}

fn is_changeable(rules: Rules, is_scim_managed: bool, group_type: &GroupType) -> bool {
    !rules.has(Rule::ManagedGroup) || !is_scim_managed && *group_type == GroupType::Group
}

/// All groups with this name.
pub(crate) fn find_by_name(tx: &mut Tx<'_>, name: &str) -> Result<Vec<Stored<GroupResponse>>> {
    let org = tx.org();
    // Without statistics, SQLite would read all groups of the organization.
    let sql = tx.choose(
        select!("groups indexed by groups_by_name where org = $1 and name = $2 and removed_at is null"),
        select!("groups where org = $1 and name = $2 and removed_at is null"),
    );
    tx.query(sql, values![org, name], stored)
}
