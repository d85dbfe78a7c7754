//! Roles of an organization: predefined ones, which have no rows, and custom ones.

use std::collections::{BTreeSet, HashMap};

use openai_admin::{
    Cursor, Order, RoleId, Timestamp, UserRole,
    access::PredefinedRole,
    models::{
        AuditLogPayload, Project, PublicCreateOrganizationRoleBody, PublicRoleListResource,
        PublicUpdateOrganizationRoleBody, Role, RoleDeletedResource,
    },
    operations::{CreateRole, DeleteRole, ListRoles, RetrieveRole, UpdateRole},
};

use crate::{
    base::{
        error::{Error, Result},
        kind::Kind,
        page::Range,
        rule::{Rule, Rules},
        text::{check_bounded_text, check_text},
        value::{Row, Value, values},
    },
    operation::{Changes, Reads, change::Change, reading::Reading, tx::Tx},
    shapes::{
        assignment::Resource,
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
    recorded: name = "role_name";
    numbers: Numbers::Sequence;
    events: "role.created", "role.updated", "role.deleted";
}

/// What roles belong to: the organization, or a project.
#[derive(Clone, Copy, Debug)]
pub(crate) enum RoleResource<'a> {
    Organization,
    Project(&'a Stored<Project>),
}

impl RoleResource<'_> {
    /// The resource as assignments hold it.
    pub(crate) fn resource(self) -> Resource {
        match self {
            Self::Organization => Resource::Organization,
            Self::Project(project) => Resource::Project(project.seq),
        }
    }

    fn project_seq(self) -> i64 {
        self.resource().project_seq()
    }

    /// The numbers of its predefined roles that grant a permission.
    pub(crate) fn predefined_granting(self, permission: &str) -> impl Iterator<Item = i64> {
        let Predefined { resource_type, roles, .. } = self.predefined();
        let grants = move |name: &str| {
            PredefinedRole::named(resource_type, name).is_some_and(|role| role.grants(permission))
        };
        roles.iter().filter(move |(_, name, _)| grants(name)).map(|(seq, ..)| *seq)
    }

    fn predefined(self) -> &'static Predefined {
        match self {
            Self::Organization => &OF_ORGANIZATION,
            Self::Project(_) => &OF_PROJECT,
        }
    }
}

/// A role, with what only some answers show.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StoredRole {
    pub(crate) role: Role,
    /// The number of its project; 0 for a role of the organization.
    pub(crate) project_seq: i64,
    /// When it was created and last updated; none of a predefined role.
    pub(crate) times: Option<(Timestamp, Timestamp)>,
}

impl StoredRole {
    /// A new custom role that grants nothing.
    pub(crate) fn new(resource: RoleResource<'_>, id: RoleId, name: &str, now: Timestamp) -> Self {
        Self::custom(resource.project_seq(), id, name, Vec::new(), (now, now))
    }

    fn custom(
        project_seq: i64,
        id: RoleId,
        name: &str,
        permissions: Vec<String>,
        times: (Timestamp, Timestamp),
    ) -> Self {
        let predefined = if project_seq == 0 { &OF_ORGANIZATION } else { &OF_PROJECT };
        let resource_type = predefined.resource_type.to_owned();
        let role = Role::new(id, name.to_owned(), permissions, resource_type, false);
        Self { role, project_seq, times: Some(times) }
    }
}

impl Thing for StoredRole {
    const TABLE: &'static Table = &TABLE;

    fn id(&self) -> &str {
        self.role.id.as_str()
    }

    fn project_seq(&self) -> Option<i64> {
        Some(self.project_seq).filter(|seq| *seq != 0)
    }

    fn from_row(row: &Row<'_>) -> Result<Self> {
        let permissions = serde_json::from_str(row.text(5)?).map_err(Error::internal)?;
        let time = |column| row.integer(column).map(Timestamp::from_unix_seconds);
        let times = (time(6)?, time(7)?);
        let mut found = Self::custom(row.integer(2)?, row.parsed(1)?, row.text(3)?, permissions, times);
        found.role.description = row.optional_text(4)?.map(Into::into);
        Ok(found)
    }

    fn bind<R>(&self, write: impl FnOnce(&[Value<'_>]) -> R) -> R {
        let permissions = serde_json::Value::from(self.role.permissions.clone()).to_string();
        let (created_at, updated_at) = self.times.unzip();
        write(values![
            self.role.id.as_str(),
            self.project_seq,
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
        page(tx, RoleResource::Organization, self.order.unwrap_or(Order::Asc), self.after.as_ref(), limit)
    }
}

impl Reads for RetrieveRole {
    fn read(&self, tx: &mut Reading<'_>) -> Result<Role> {
        Ok(find(tx, RoleResource::Organization, &self.role_id)?.thing.role)
    }
}

impl Changes for CreateRole {
    fn change(&self, change: &mut Change<'_>) -> Result<Role> {
        create(change, RoleResource::Organization, &self.body)
    }
}

impl Changes for UpdateRole {
    fn change(&self, change: &mut Change<'_>) -> Result<Role> {
        modify(change, RoleResource::Organization, &self.role_id, &self.body)
    }
}

/// Every assignment of the role ends with it.
impl Changes for DeleteRole {
    const ENDS: bool = true;

    fn change(&self, change: &mut Change<'_>) -> Result<RoleDeletedResource> {
        delete(change, RoleResource::Organization, &self.role_id)
    }
}

/// Creates a custom role.
pub(crate) fn create(
    change: &mut Change<'_>,
    resource: RoleResource<'_>,
    body: &PublicCreateOrganizationRoleBody,
) -> Result<Role> {
    let (id, now) = (change.mint("role_")?, change.stamp().at());
    let mut new = StoredRole::new(resource, id, &body.role_name, now);
    new.role.permissions.clone_from(&body.permissions);
    new.role.description.clone_from(&body.description);
    check(change, resource, &new.role, "role_name")?;
    thing::insert(change, &new)?;
    Ok(new.role)
}

/// Changes what the body names of a custom role.
pub(crate) fn modify(
    change: &mut Change<'_>,
    resource: RoleResource<'_>,
    id: &RoleId,
    body: &PublicUpdateOrganizationRoleBody,
) -> Result<Role> {
    let Stored { seq, thing: mut new } = find_custom(change, resource, id)?;
    let before = new.role.clone();
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
    check(change, resource, &new.role, "role_name")?;
    let now = change.stamp().at();
    new.times = new.times.map(|(created_at, _)| (created_at, now));
    update(change, seq, &before, &new)?;
    Ok(new.role)
}

/// Deletes a custom role.
pub(crate) fn delete(
    change: &mut Change<'_>,
    resource: RoleResource<'_>,
    id: &RoleId,
) -> Result<RoleDeletedResource> {
    let role = find_custom(change, resource, id)?;
    thing::bury(change, &role)?;
    Ok(RoleDeletedResource::new(role.thing.role.id))
}

/// Writes everything about a custom role but its id, and records what differs from `before`.
pub(crate) fn update(change: &mut Change<'_>, seq: i64, before: &Role, new: &StoredRole) -> Result<()> {
    thing::update(change, seq, new)?;
    let payload = AuditLogPayload::role_updated(before, &new.role);
    change.record(TABLE.updated, thing::places(seq, new).with(Some(&payload)))
}

/// The predefined roles of a type of resource.
#[derive(Debug)]
struct Predefined {
    resource_type: &'static str,
    /// What their ids begin with. The name follows.
    id: &'static str,
    /// What binds their ids to a resource. The resource's id follows.
    bound: &'static str,
    /// Their numbers, names and descriptions, in order.
    roles: &'static [(i64, &'static str, &'static str)],
}

impl Predefined {
    fn bound_id(&self, name: &str, resource_id: &str) -> String {
        format!("{}{name}{}{resource_id}", self.id, self.bound)
    }
}

/// The descriptions are recorded.
static OF_ORGANIZATION: Predefined = Predefined {
    resource_type: "api.organization",
    id: "role-api-organization-",
    bound: "__api-organization__",
    roles: &[
        (-2, "owner", "Can modify billing information and manage organization members"),
        (-1, "reader", "Can make standard API requests and read basic organizational data"),
    ],
};

/// The names and descriptions are assumed.
static OF_PROJECT: Predefined = Predefined {
    resource_type: "api.project",
    id: "role-api-project-",
    bound: "__api-project__",
    roles: &[
        (-5, "owner", "Can manage the project and its members, and make API requests"),
        (-4, "member", "Can make API requests in the project"),
        (-3, "viewer", "Can read the project"),
    ],
};

/// The number of a predefined role. Assumed: `member` is the older name of `reader`.
pub(crate) fn predefined_seq(role: &UserRole) -> i64 {
    if *role == UserRole::Owner { -2 } else { -1 }
}

/// The number of a predefined role of projects.
pub(crate) fn predefined_project_seq(name: &str) -> Option<i64> {
    OF_PROJECT.roles.iter().find(|(_, predefined, _)| *predefined == name).map(|(seq, ..)| *seq)
}

/// The name of a predefined role of projects.
pub(crate) fn predefined_project_name(seq: i64) -> Option<&'static str> {
    OF_PROJECT.roles.iter().find(|(predefined, ..)| *predefined == seq).map(|(_, name, _)| *name)
}

/// The id of a predefined role of the organization, or of a project where there is one.
pub(crate) fn predefined_id(seq: i64, organization_id: &str, project_id: Option<&str>) -> Option<String> {
    let (predefined, resource_id) = match project_id {
        Some(project_id) => (&OF_PROJECT, project_id),
        None => (&OF_ORGANIZATION, organization_id),
    };
    let (_, name, _) = predefined.roles.iter().find(|(predefined, ..)| *predefined == seq)?;
    Some(predefined.bound_id(name, resource_id))
}

/// Whether an id is one that predefined roles have.
pub(crate) fn is_predefined_id(id: &RoleId) -> bool {
    [&OF_ORGANIZATION, &OF_PROJECT].iter().any(|predefined| id.as_str().starts_with(predefined.id))
}

/// The numbers of a resource's custom roles that grant a permission.
pub(crate) fn custom_granting(
    tx: &mut Tx<'_>,
    resource: RoleResource<'_>,
    permission: &str,
) -> Result<Vec<i64>> {
    let org = tx.org();
    // With a lower bound for the number, SQLite uses the index of the resource.
    let roles: Vec<Stored<StoredRole>> = tx.query(
        select!("roles where org = $1 and project_seq = $2 and seq > $3 and removed_at is null order by seq"),
        values![org, resource.project_seq(), 0],
        stored,
    )?;
    let grants =
        |role: &Stored<StoredRole>| role.thing.role.permissions.iter().any(|known| known == permission);
    Ok(roles.iter().filter(|role| grants(role)).map(|role| role.seq).collect())
}

/// The permissions of all custom roles: of the organization and of its projects.
pub(crate) fn custom_permissions(tx: &mut Tx<'_>) -> Result<BTreeSet<String>> {
    let org = tx.org();
    // A permission that no predefined role grants is rare, so there is no index for it.
    let roles: Vec<Stored<StoredRole>> =
        tx.query(select!("roles where org = $1 and removed_at is null order by seq"), values![org], stored)?;
    Ok(roles.into_iter().flat_map(|role| role.thing.role.permissions).collect())
}

/// The predefined roles, in order.
pub(crate) fn predefined(tx: &mut Tx<'_>, resource: RoleResource<'_>) -> Result<Vec<Stored<StoredRole>>> {
    match resource {
        RoleResource::Organization => predefined_of(resource, &organization_id(tx)?),
        RoleResource::Project(project) => predefined_of(resource, project.thing.id.as_str()),
    }
}

/// The predefined roles of a resource with this id.
fn predefined_of(resource: RoleResource<'_>, resource_id: &str) -> Result<Vec<Stored<StoredRole>>> {
    let (predefined, project_seq) = (resource.predefined(), resource.project_seq());
    let roles = predefined.roles.iter().map(|(seq, name, description)| {
        let id = RoleId::new(predefined.bound_id(name, resource_id)).map_err(Error::internal)?;
        let resource_type = predefined.resource_type.to_owned();
        let mut role = Role::new(id, (*name).to_owned(), Vec::new(), resource_type, true);
        role.description = Some((*description).to_owned());
        Ok(Stored { seq: *seq, thing: StoredRole { role, project_seq, times: None } })
    });
    roles.collect()
}

fn organization_id(tx: &mut Tx<'_>) -> Result<String> {
    let org = tx.org();
    tx.query_one("select id from organizations where org = $1", values![org], |row| {
        Ok(row.text(0)?.to_owned())
    })?
    .ok_or_else(|| Error::internal("the organization is missing"))
}

/// Finds a role by its id. For a predefined role, the resource may be omitted from the id (recorded).
pub(crate) fn find(tx: &mut Tx<'_>, resource: RoleResource<'_>, id: &RoleId) -> Result<Stored<StoredRole>> {
    look_up(tx, resource, id)?.ok_or_else(|| Error::not_found(Kind::Role, id))
}

/// [`find`], where a role that is not there is no error.
pub(crate) fn look_up(
    tx: &mut Tx<'_>,
    resource: RoleResource<'_>,
    id: &RoleId,
) -> Result<Option<Stored<StoredRole>>> {
    if is_predefined_id(id) {
        let bound_by = resource.predefined().bound;
        let is_meant = |role: &Role| {
            let bound = role.id.as_str();
            bound == id.as_str() || bound.split(bound_by).next() == Some(id.as_str())
        };
        return Ok(predefined(tx, resource)?.into_iter().find(|stored| is_meant(&stored.thing.role)));
    }
    let org = tx.org();
    let sql = select!("roles where org = $1 and project_seq = $2 and id = $3 and removed_at is null");
    tx.query_one(sql, values![org, resource.project_seq(), id.as_str()], stored)
}

/// A role by its name, which no other role of the resource has.
pub(crate) fn find_by_name(
    tx: &mut Tx<'_>,
    resource: RoleResource<'_>,
    name: &str,
) -> Result<Option<Stored<StoredRole>>> {
    if let Some(found) = predefined(tx, resource)?.into_iter().find(|stored| stored.thing.role.name == name) {
        return Ok(Some(found));
    }
    // No role has such a name, and PostgreSQL would reject the query.
    if name.contains('\0') {
        return Ok(None);
    }
    let org = tx.org();
    let sql = select!("roles where org = $1 and project_seq = $2 and name = $3 and removed_at is null");
    tx.query_one(sql, values![org, resource.project_seq(), name], stored)
}

/// The roles with these numbers, in the order of the numbers. One statement reads the custom roles and the id of the
/// organization, to which the ids of its predefined roles are bound.
pub(crate) fn with_seqs(
    tx: &mut Tx<'_>,
    resource: RoleResource<'_>,
    seqs: &[i64],
) -> Result<Vec<Stored<StoredRole>>> {
    /// The number of the row with the id of the organization. No role has this number.
    const ORGANIZATION: i64 = 0;
    let custom: Vec<i64> = seqs.iter().copied().filter(|seq| *seq >= 0).collect();
    let mut roles = match resource {
        RoleResource::Project(_) if seqs.len() > custom.len() => predefined(tx, resource)?,
        _ => Vec::new(),
    };
    if custom.is_empty() && (seqs.is_empty() || !roles.is_empty()) {
        return Ok(ordered(roles, seqs));
    }
    // PostgreSQL would otherwise read all roles and hash them.
    let sql = tx.choose(
        select!(
            "roles where org = $1 and seq in (select value from json_each($2)) and removed_at is null
             union all select 0, id, 0, '', '', '', 0, 0 from organizations where org = $1"
        ),
        select!(
            "(select cast($1 as bigint) as of_org) o
             cross join jsonb_array_elements_text(cast(cast($2 as text) as jsonb)) listed(value)
             cross join lateral (select * from roles where org = of_org and seq = cast(value as bigint)
                                   and removed_at is null limit 1) roles
             union all select 0, id, 0, '', '', '', 0, 0 from organizations where org = $1"
        ),
    );
    let (org, custom) = (tx.org(), serde_json::to_string(&custom).map_err(Error::internal)?);
    let mut of_organization = Vec::new();
    let custom = tx.query(sql, values![org, custom.as_str()], |row| {
        if row.integer(0)? == ORGANIZATION {
            of_organization = predefined_of(RoleResource::Organization, row.text(1)?)?;
            return Ok(None);
        }
        stored(row).map(Some)
    })?;
    if let RoleResource::Organization = resource {
        roles = of_organization;
    }
    roles.extend(custom.into_iter().flatten());
    Ok(ordered(roles, seqs))
}

/// The roles with these numbers, in the order of the numbers.
fn ordered(roles: Vec<Stored<StoredRole>>, seqs: &[i64]) -> Vec<Stored<StoredRole>> {
    let mut by_seq: HashMap<i64, Stored<StoredRole>> =
        roles.into_iter().map(|role| (role.seq, role)).collect();
    seqs.iter().filter_map(|seq| by_seq.remove(seq)).collect()
}

fn find_custom(tx: &mut Tx<'_>, resource: RoleResource<'_>, id: &RoleId) -> Result<Stored<StoredRole>> {
    let found = find(tx, resource, id)?;
    if found.thing.role.predefined_role {
        return Err(Error::invalid_value("role_id", "a custom role; predefined roles cannot be changed"));
    }
    Ok(found)
}

/// Returns the number of a cursor. The role may be deleted, so that a list continues after its last role was deleted.
pub(crate) fn cursor(
    tx: &mut Tx<'_>,
    resource: RoleResource<'_>,
    after: Option<&Cursor>,
) -> Result<Option<i64>> {
    let Some(after) = after else { return Ok(None) };
    let unknown = || Error::UnknownCursor(after.clone());
    let id = RoleId::new(after.as_str()).map_err(|_| unknown())?;
    if is_predefined_id(&id) {
        return Ok(Some(find(tx, resource, &id).map_err(|_| unknown())?.seq));
    }
    let org = tx.org();
    tx.query_one(
        "select seq from roles where org = $1 and project_seq = $2 and id = $3",
        values![org, resource.project_seq(), after.as_str()],
        |row| row.integer(0),
    )?
    .map(Some)
    .ok_or_else(unknown)
}

/// A page of roles, the predefined ones before the others.
pub(crate) fn page(
    tx: &mut Tx<'_>,
    resource: RoleResource<'_>,
    order: Order,
    after: Option<&Cursor>,
    limit: u16,
) -> Result<PublicRoleListResource> {
    if limit == 0 {
        return Ok(PublicRoleListResource::new(Vec::new(), false));
    }
    let after = cursor(tx, resource, after)?.or((order == Order::Asc).then_some(i64::MIN));
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
    let mut roles = tx.query(sql, values![org, resource.project_seq(), range.after, range.rows()], stored)?;
    let computed = predefined(tx, resource)?.into_iter();
    match order {
        Order::Asc => drop(roles.splice(0..0, computed.filter(|role| role.seq > range.after))),
        Order::Desc => roles.extend(computed.rev().filter(|role| role.seq < range.after)),
    }
    let (roles, has_more) = range.cut(roles);
    let roles = roles.into_iter().map(|stored: Stored<StoredRole>| stored.thing.role).collect();
    Ok(PublicRoleListResource::new(roles, has_more))
}

/// What must hold of a role before it is written. `name` is the field that holds its name.
pub(crate) fn check(
    tx: &mut Tx<'_>,
    resource: RoleResource<'_>,
    role: &Role,
    name: &'static str,
) -> Result<()> {
    check_text(name, &role.name)?;
    let description = role.description.as_deref().unwrap_or_default();
    check_bounded_text("description", description, DESCRIPTION_LENGTH_MAX)?;
    check_permissions(tx.rules(), "permissions", &role.permissions)?;
    let org = tx.org();
    let taken = tx.query_one(
        "select 1 from roles where org = $1 and project_seq = $2 and name = $3 and removed_at is null and id <> $4",
        values![org, resource.project_seq(), role.name.as_str(), role.id.as_str()],
        |_| Ok(()),
    )?;
    let is_predefined = resource.predefined().roles.iter().any(|(_, predefined, _)| *predefined == role.name);
    if taken.is_some() || is_predefined {
        return Err(Error::AlreadyExists { kind: Kind::Role, field: name, value: role.name.clone() });
    }
    Ok(())
}

/// Assumed: any text with the prefix of a known permission is valid.
pub(crate) fn check_permissions(rules: Rules, list: &str, permissions: &[String]) -> Result<()> {
    if permissions.len() > PERMISSIONS_MAX {
        let expected = format!("at most {PERMISSIONS_MAX} permissions, but got {}", permissions.len());
        return Err(Error::invalid_value(list, expected));
    }
    for (index, permission) in permissions.iter().enumerate() {
        let field = format!("{list}[{index}]");
        check_bounded_text(&field, permission, PERMISSION_LENGTH_MAX)?;
        let is_known = permission.starts_with("api.") || permission.starts_with("model.");
        if !is_known && rules.has(Rule::UnknownPermission) {
            let expected = format!("a permission such as 'api.groups.read', but got '{permission}'");
            return Err(Error::invalid_value(field, expected));
        }
    }
    Ok(())
}
