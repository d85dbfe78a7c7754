//! Roles of an organization: predefined ones, which have no rows, and custom ones.

use openai_admin::{
    Cursor, Order, RoleId, Timestamp, UserRole,
    models::{AuditLogPayload, PublicRoleListResource, Role, RoleDeletedResource},
    operations::{CreateRole, DeleteRole, ListRoles, RetrieveRole, UpdateRole},
};

use crate::{
    base::{
        error::{Error, Result},
        kind::Kind,
        page::Range,
        text::{check_bounded_text, check_text},
        value::{Row, Value, values},
    },
    operation::{Changes, Reads, audit_events::Places, change::Change, reading::Reading, tx::Tx},
    shapes::{
        table::{Numbers, Table, table},
        thing::{self, Stored, Thing, stored},
    },
};

/// The maximum number of permissions of a role (assumed).
const PERMISSIONS_MAX: usize = 1000;
/// The maximum length of a permission in characters (assumed).
const PERMISSION_LENGTH_MAX: usize = 255;
/// The maximum length of a description in characters (assumed).
const DESCRIPTION_LENGTH_MAX: usize = 1000;

table! {
    $ roles of Role;
    columns: project_seq name description permissions created_at updated_at;
    erased: name = "''" description = "null" permissions = "''";
    told: name = "role_name";
    numbers: Numbers::Sequence;
    events: "role.created", "role.updated", "role.deleted";
}

/// A role with the fields that only some answers contain.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StoredRole {
    pub(crate) role: Role,
    /// When it was created and last updated. `None` for a predefined role.
    pub(crate) times: Option<(Timestamp, Timestamp)>,
}

impl StoredRole {
    /// A new custom role without permissions.
    pub(crate) fn new(id: RoleId, name: &str, now: Timestamp) -> Self {
        Self { role: of_organization(id, name, Vec::new(), false), times: Some((now, now)) }
    }
}

/// A role of the organization without a description.
fn of_organization(id: RoleId, name: &str, permissions: Vec<String>, predefined_role: bool) -> Role {
    Role::new(id, name.to_owned(), permissions, "api.organization".to_owned(), predefined_role)
}

/// The value of `project_seq` for a role of the organization.
const OF_ORGANIZATION: i64 = 0;

impl Thing for StoredRole {
    const TABLE: &'static Table = &TABLE;

    fn id(&self) -> &str {
        self.role.id.as_str()
    }

    fn from_row(row: &Row<'_>) -> Result<Self> {
        let permissions = serde_json::from_str(row.text(5)?).map_err(Error::internal)?;
        let mut role = of_organization(row.parsed(1)?, row.text(3)?, permissions, false);
        role.description = row.optional_text(4)?.map(Into::into);
        let time = |column| row.integer(column).map(Timestamp::from_unix_seconds);
        Ok(Self { role, times: Some((time(6)?, time(7)?)) })
    }

    fn bind<R>(&self, write: impl FnOnce(&[Value<'_>]) -> R) -> R {
        let permissions = serde_json::Value::from(self.role.permissions.clone()).to_string();
        let (created_at, updated_at) = self.times.unzip();
        write(values![
            self.role.id.as_str(),
            OF_ORGANIZATION,
            self.role.name.as_str(),
            self.role.description.as_deref(),
            permissions.as_str(),
            created_at.map(Timestamp::unix_seconds),
            updated_at.map(Timestamp::unix_seconds)
        ])
    }

    fn payload(&self) -> AuditLogPayload {
        AuditLogPayload::role_created(&self.role.name, self.role.permissions.clone())
    }
}

impl Reads for ListRoles {
    fn read(&self, tx: &mut Reading<'_>) -> Result<PublicRoleListResource> {
        let limit = self.limit.unwrap_or_default().get();
        let (roles, has_more) = page(tx, self.order.unwrap_or(Order::Asc), self.after.as_ref(), limit)?;
        Ok(PublicRoleListResource::new(roles, has_more))
    }
}

impl Reads for RetrieveRole {
    fn read(&self, tx: &mut Reading<'_>) -> Result<Role> {
        Ok(find(tx, &self.role_id)?.thing.role)
    }
}

impl Changes for CreateRole {
    fn change(&self, change: &mut Change<'_>) -> Result<Role> {
        let body = &self.body;
        let mut new = StoredRole::new(change.mint("role_")?, &body.role_name, change.stamp().at());
        new.role.permissions.clone_from(&body.permissions);
        new.role.description.clone_from(&body.description);
        check(change, &new.role, "role_name")?;
        thing::insert(change, &new)?;
        Ok(new.role)
    }
}

impl Changes for UpdateRole {
    fn change(&self, change: &mut Change<'_>) -> Result<Role> {
        let Stored { seq, thing: mut new } = find_custom(change, &self.role_id)?;
        let before = new.role.clone();
        let body = &self.body;
        if let Some(name) = &body.role_name {
            new.role.name = name.to_string();
        }
        if let Some(permissions) = &body.permissions {
            new.role.permissions.clone_from(permissions);
        }
        if let Some(description) = &body.description {
            new.role.description.clone_from(description);
        }
        if new.role == before {
            return Ok(before);
        }
        check(change, &new.role, "role_name")?;
        let now = change.stamp().at();
        new.times = new.times.map(|(created_at, _)| (created_at, now));
        update(change, seq, &before, &new)?;
        Ok(new.role)
    }
}

/// Writes everything about a custom role except its id, and records the differences from `before`.
pub(crate) fn update(change: &mut Change<'_>, seq: i64, before: &Role, new: &StoredRole) -> Result<()> {
    thing::update(change, seq, new)?;
    let payload = AuditLogPayload::role_updated(before, &new.role);
    change.record(TABLE.updated, Places::of(Kind::Role, seq, new.id()).with(Some(&payload)))
}

/// Also deletes all assignments of the role.
impl Changes for DeleteRole {
    const ENDS: bool = true;

    fn change(&self, change: &mut Change<'_>) -> Result<RoleDeletedResource> {
        let role = find_custom(change, &self.role_id)?;
        thing::bury(change, &role)?;
        Ok(RoleDeletedResource::new(role.thing.role.id))
    }
}

/// The predefined roles of an organization: their numbers, names and descriptions (recorded).
const PREDEFINED: [(i64, &str, &str); 2] = [
    (-2, "owner", "Can modify billing information and manage organization members"),
    (-1, "reader", "Can make standard API requests and read basic organizational data"),
];
/// The prefix of a predefined role's id. The name follows.
const PREDEFINED_ID: &str = "role-api-organization-";
/// The text between the name and the organization's id in a predefined role's id.
const PREDEFINED_BOUND: &str = "__api-organization__";

/// The number of a predefined role. Assumed: `member` is the older name of `reader`.
pub(crate) fn predefined_seq(role: &UserRole) -> i64 {
    if *role == UserRole::Owner { -2 } else { -1 }
}

/// Whether an id has the form of a predefined role's id.
pub(crate) fn is_predefined_id(id: &RoleId) -> bool {
    id.as_str().starts_with(PREDEFINED_ID)
}

/// The predefined roles, in order.
pub(crate) fn predefined(tx: &mut Tx<'_>) -> Result<Vec<Stored<StoredRole>>> {
    let org = tx.org();
    let organization: String = tx
        .query_one("select id from organizations where org = $1", values![org], |row| {
            Ok(row.text(0)?.to_owned())
        })?
        .ok_or_else(|| Error::internal("the organization is missing"))?;
    PREDEFINED
        .iter()
        .map(|(seq, name, description)| {
            let id = RoleId::new(format!("{PREDEFINED_ID}{name}{PREDEFINED_BOUND}{organization}"))
                .map_err(Error::internal)?;
            let mut role = of_organization(id, name, Vec::new(), true);
            role.description = Some((*description).to_owned());
            Ok(Stored { seq: *seq, thing: StoredRole { role, times: None } })
        })
        .collect()
}

/// Finds a role by its id. For a predefined role, the organization may be omitted from the id (recorded).
pub(crate) fn find(tx: &mut Tx<'_>, id: &RoleId) -> Result<Stored<StoredRole>> {
    look_up(tx, id)?.ok_or_else(|| Error::not_found(Kind::Role, id))
}

/// Like [`find`], but a missing role is `None` instead of an error.
pub(crate) fn look_up(tx: &mut Tx<'_>, id: &RoleId) -> Result<Option<Stored<StoredRole>>> {
    if is_predefined_id(id) {
        let is_meant = |role: &Role| {
            let bound = role.id.as_str();
            bound == id.as_str() || bound.split(PREDEFINED_BOUND).next() == Some(id.as_str())
        };
        return Ok(predefined(tx)?.into_iter().find(|stored| is_meant(&stored.thing.role)));
    }
    let org = tx.org();
    let sql = select!("roles where org = $1 and project_seq = $2 and id = $3 and removed_at is null");
    tx.query_one(sql, values![org, OF_ORGANIZATION, id.as_str()], stored)
}

/// Finds a role by its unique name.
pub(crate) fn find_by_name(tx: &mut Tx<'_>, name: &str) -> Result<Option<Stored<StoredRole>>> {
    if let Some(found) = predefined(tx)?.into_iter().find(|stored| stored.thing.role.name == name) {
        return Ok(Some(found));
    }
    // No role has such a name, and PostgreSQL would reject the query.
    if name.contains('\0') {
        return Ok(None);
    }
    let org = tx.org();
    let sql = select!("roles where org = $1 and project_seq = $2 and name = $3 and removed_at is null");
    tx.query_one(sql, values![org, OF_ORGANIZATION, name], stored)
}

/// The roles with these numbers, in the order of the numbers.
pub(crate) fn with_seqs(tx: &mut Tx<'_>, seqs: &[i64]) -> Result<Vec<Stored<StoredRole>>> {
    let org = tx.org();
    let predefined = if seqs.iter().any(|seq| *seq < 0) { predefined(tx)? } else { Vec::new() };
    let sql = select!("roles where org = $1 and seq = $2 and removed_at is null");
    let mut roles = Vec::with_capacity(seqs.len());
    for seq in seqs {
        match predefined.iter().find(|role| role.seq == *seq) {
            Some(role) => roles.push(role.clone()),
            None => roles.extend(tx.query_one(sql, values![org, *seq], stored)?),
        }
    }
    Ok(roles)
}

fn find_custom(tx: &mut Tx<'_>, id: &RoleId) -> Result<Stored<StoredRole>> {
    let found = find(tx, id)?;
    if found.thing.role.predefined_role {
        return Err(Error::invalid_value("role_id", "a custom role; predefined roles cannot be changed"));
    }
    Ok(found)
}

/// The number of a cursor. The id of a deleted role is valid, so that a list can continue after its last role was
/// deleted.
pub(crate) fn cursor(tx: &mut Tx<'_>, after: Option<&Cursor>) -> Result<Option<i64>> {
    let Some(after) = after else { return Ok(None) };
    let unknown = || Error::UnknownCursor(after.clone());
    if after.as_str().starts_with(PREDEFINED_ID) {
        let id = RoleId::new(after.as_str()).map_err(|_| unknown())?;
        return Ok(Some(find(tx, &id).map_err(|_| unknown())?.seq));
    }
    let org = tx.org();
    tx.query_one(
        "select seq from roles where org = $1 and project_seq = $2 and id = $3",
        values![org, OF_ORGANIZATION, after.as_str()],
        |row| row.integer(0),
    )?
    .map(Some)
    .ok_or_else(unknown)
}

/// A page of roles, predefined ones first, and whether there are more.
fn page(tx: &mut Tx<'_>, order: Order, after: Option<&Cursor>, limit: u16) -> Result<(Vec<Role>, bool)> {
    if limit == 0 {
        return Ok((Vec::new(), false));
    }
    let after = cursor(tx, after)?.or((order == Order::Asc).then_some(i64::MIN));
    let range = Range::new(order, after, limit);
    let sql = range.choose(
        select!(
            "roles where org = $1 and project_seq = $2 and seq > $3 and removed_at is null order by seq limit $4"
        ),
        select!(
            "roles where org = $1 and project_seq = $2 and seq < $3 and removed_at is null
             order by seq desc limit $4"
        ),
    );
    let org = tx.org();
    let mut roles = tx.query(sql, values![org, OF_ORGANIZATION, range.after, range.rows()], stored)?;
    let computed = predefined(tx)?.into_iter();
    match order {
        Order::Asc => drop(roles.splice(0..0, computed.filter(|role| role.seq > range.after))),
        Order::Desc => roles.extend(computed.rev().filter(|role| role.seq < range.after)),
    }
    let (roles, has_more) = range.cut(roles);
    Ok((roles.into_iter().map(|stored: Stored<StoredRole>| stored.thing.role).collect(), has_more))
}

/// Checks a role before it is written. `name` is the field with its name.
pub(crate) fn check(tx: &mut Tx<'_>, role: &Role, name: &'static str) -> Result<()> {
    check_text(name, &role.name)?;
    let description = role.description.as_deref().unwrap_or_default();
    check_bounded_text("description", description, DESCRIPTION_LENGTH_MAX)?;
    check_permissions(&role.permissions)?;
    let org = tx.org();
    let taken = tx.query_one(
        "select 1 from roles where org = $1 and project_seq = $2 and name = $3 and removed_at is null and id <> $4",
        values![org, OF_ORGANIZATION, role.name.as_str(), role.id.as_str()],
        |_| Ok(()),
    )?;
    if taken.is_some() || PREDEFINED.iter().any(|(_, predefined, _)| *predefined == role.name) {
        return Err(Error::AlreadyExists { kind: Kind::Role, field: name, value: role.name.clone() });
    }
    Ok(())
}

/// Assumed: any text with the prefix of a known permission is valid.
fn check_permissions(permissions: &[String]) -> Result<()> {
    if permissions.len() > PERMISSIONS_MAX {
        let expected = format!("at most {PERMISSIONS_MAX} permissions, but got {}", permissions.len());
        return Err(Error::invalid_value("permissions", expected));
    }
    for (index, permission) in permissions.iter().enumerate() {
        let field = format!("permissions[{index}]");
        check_bounded_text(&field, permission, PERMISSION_LENGTH_MAX)?;
        if !permission.starts_with("api.") && !permission.starts_with("model.") {
            let expected = format!("a permission such as 'api.groups.read', but got '{permission}'");
            return Err(Error::invalid_value(field, expected));
        }
    }
    Ok(())
}
