//! Role assignments in the organization: to groups, and to users directly or through a group.
//!
//! The organization role of a user is a column of the user, and is shown as an assignment of a predefined role. Lists
//! are ordered by the creation of the roles, predefined ones first, so a role's id remains a valid cursor even after
//! the role was unassigned.

use std::collections::BTreeMap;

use openai_admin::{
    Cursor, GroupId, Order, RoleId, UserId, UserRole,
    models::{
        AssignedRoleDetails, AssignmentSource, DeletedRoleAssignmentResource, Group, GroupResponse,
        GroupRoleAssignment, OtherFields, Role, RoleListResource, UserRoleAssignment,
    },
    operations::{
        AssignGroupRole, AssignUserRole, ListGroupRoleAssignments, ListUserRoleAssignments,
        RetrieveGroupRole, RetrieveUserRole, UnassignGroupRole, UnassignUserRole,
    },
};

use crate::{
    base::{
        error::{Error, Result},
        kind::Kind,
        page::Range,
        value::values,
    },
    engines::lanes::Lane,
    nouns::{
        roles::{self, RoleResource, StoredRole},
        users::{self, StoredUser},
    },
    operation::{Changes, Reads, change::Change, reading::Reading, tx::Tx},
    shapes::{
        assignment::{self, Principal, Resource},
        thing::{self, Stored, Thing as _},
    },
};

/// The roles of a principal in a resource.
pub(crate) struct Assigned {
    /// The roles by number, each with the ids of the groups that it comes from; with none where it is direct only.
    groups: BTreeMap<i64, Vec<String>>,
    /// The roles of a user itself, with the user's id.
    direct: Option<(UserId, Vec<i64>)>,
}

impl Assigned {
    pub(crate) fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Where a role comes from; none where it is direct only.
    fn sources(&self, role_seq: i64) -> Option<Vec<AssignmentSource>> {
        let groups = self.groups.get(&role_seq).filter(|groups| !groups.is_empty())?;
        let direct = self.direct.as_ref().filter(|(_, direct)| direct.contains(&role_seq));
        let own = direct.map(|(user_id, _)| source(user_id.as_str(), "user"));
        Some(own.into_iter().chain(groups.iter().map(|id| source(id, "group"))).collect())
    }
}

pub(crate) fn of_group(tx: &mut Tx<'_>, group_seq: i64, resource: Resource) -> Result<Assigned> {
    let direct = assignment::direct(tx, Principal::Group(group_seq), resource)?;
    let groups = direct.into_iter().map(|role_seq| (role_seq, Vec::new())).collect();
    Ok(Assigned { groups, direct: None })
}

/// The roles of a group in the organization, read with the group by one statement.
fn in_organization(tx: &mut Tx<'_>, group_id: &GroupId) -> Result<Assigned> {
    let (org, project_seq) = (tx.org(), Resource::Organization.project_seq());
    let roles = tx.query(
        "select a.role_seq from groups g
         left join role_assignments a
             on a.org = g.org and a.user_seq = 0 and a.group_seq = g.seq and a.project_seq = $1
         where g.org = $2 and g.id = $3 and g.removed_at is null",
        values![project_seq, org, group_id.as_str()],
        |row| row.optional_integer(0),
    )?;
    if roles.is_empty() {
        return Err(Error::not_found(Kind::Group, group_id));
    }
    let groups = roles.into_iter().flatten().map(|role_seq| (role_seq, Vec::new())).collect();
    Ok(Assigned { groups, direct: None })
}

pub(crate) fn of_user(tx: &mut Tx<'_>, user: &Stored<StoredUser>, resource: Resource) -> Result<Assigned> {
    let mut groups = BTreeMap::<i64, Vec<String>>::new();
    let (mut direct, inherited) = direct_and_inherited(tx, user.seq, resource)?;
    for Inherited { role_seq, group_id, .. } in inherited {
        groups.entry(role_seq).or_default().push(group_id.to_string());
    }
    if let Resource::Organization = resource {
        direct.extend(user.thing.user.role.as_ref().map(roles::predefined_seq));
    }
    for role_seq in &direct {
        groups.entry(*role_seq).or_default();
    }
    Ok(Assigned { groups, direct: Some((user.thing.user.id.clone(), direct)) })
}

/// A role that a user has through a group.
pub(crate) struct Inherited {
    pub(crate) role_seq: i64,
    pub(crate) group_id: GroupId,
    pub(crate) group_name: String,
}

/// The numbers of the roles of a user itself, in order, and the roles that the user has through groups, in the order of
/// the groups.
pub(crate) fn direct_and_inherited(
    tx: &mut Tx<'_>,
    user_seq: i64,
    resource: Resource,
) -> Result<(Vec<i64>, Vec<Inherited>)> {
    // PostgreSQL would otherwise join all assignments of all groups.
    let sql = tx.choose(
        "select a.role_seq, 0, '', '' from role_assignments a
         where a.org = $1 and a.user_seq = $2 and a.group_seq = 0 and a.project_seq = $3
         union all
         select a.role_seq, m.group_seq, g.id, g.name
         from group_users m
         cross join role_assignments a
         cross join groups g
         where m.org = $1 and m.user_seq = $2
           and a.org = m.org and a.user_seq = 0 and a.group_seq = m.group_seq and a.project_seq = $3
           and g.org = m.org and g.seq = m.group_seq",
        "select a.role_seq, cast(0 as bigint), '', '' from role_assignments a
         where a.org = $1 and a.user_seq = $2 and a.group_seq = 0 and a.project_seq = $3
         union all
         select a.role_seq, m.group_seq, g.id, g.name
         from (select group_seq from group_users where org = $1 and user_seq = $2 offset 0) m
         cross join lateral (select role_seq from role_assignments
                             where org = $1 and user_seq = 0 and group_seq = m.group_seq and project_seq = $3
                             offset 0) a
         cross join lateral (select id, name from groups where org = $1 and seq = m.group_seq limit 1) g",
    );
    let (org, mut direct) = (tx.org(), Vec::new());
    let inherited = tx.query(sql, values![org, user_seq, resource.project_seq()], |row| {
        let (role_seq, group_seq) = (row.integer(0)?, row.integer(1)?);
        if group_seq == 0 {
            direct.push(role_seq);
            return Ok(None);
        }
        let (group_id, group_name) = (row.parsed(2)?, row.text(3)?.to_owned());
        Ok(Some((group_seq, Inherited { role_seq, group_id, group_name })))
    })?;
    direct.sort_unstable();
    let mut inherited: Vec<_> = inherited.into_iter().flatten().collect();
    inherited.sort_by_key(|(group_seq, _)| *group_seq);
    Ok((direct, inherited.into_iter().map(|(_, role)| role).collect()))
}

/// The details of roles for a list. If a user has a role both directly and through a group, `user_id` is one of the
/// sources.
fn details(
    tx: &mut Tx<'_>,
    resource: RoleResource<'_>,
    assigned: &Assigned,
    seqs: &[i64],
) -> Result<Vec<AssignedRoleDetails>> {
    let roles = roles::with_seqs(tx, resource, seqs)?;
    let details = roles.into_iter().map(|Stored { seq, thing }| {
        let mut details = assigned_details(thing.role);
        (details.created_at, details.updated_at) = thing.times.unzip();
        details.assignment_sources = assigned.sources(seq);
        details
    });
    Ok(details.collect())
}

fn assigned_details(role: Role) -> AssignedRoleDetails {
    let Role { id, name, permissions, resource_type, predefined_role, description, .. } = role;
    let mut details = AssignedRoleDetails::new(id, name, permissions, resource_type, predefined_role);
    details.description = description;
    details.metadata = Some(OtherFields::default());
    details
}

fn source(id: &str, r#type: &str) -> AssignmentSource {
    AssignmentSource::new(id.to_owned(), r#type.to_owned())
}

/// The answer to unassigning a role from a group.
pub(crate) fn removed_from_group() -> DeletedRoleAssignmentResource {
    DeletedRoleAssignmentResource::new("group.role.deleted".to_owned(), true)
}

/// The answer to unassigning a role from a user.
pub(crate) fn removed_from_user() -> DeletedRoleAssignmentResource {
    DeletedRoleAssignmentResource::new("user.role.deleted".to_owned(), true)
}

/// A group as role assignments show it.
pub(crate) fn shown(group: GroupResponse) -> Group {
    let GroupResponse { id, name, created_at, is_scim_managed, .. } = group;
    Group::new(id, name, created_at, is_scim_managed)
}

/// A page of the roles of a principal.
pub(crate) fn page(
    tx: &mut Tx<'_>,
    resource: RoleResource<'_>,
    assigned: &Assigned,
    order: Option<Order>,
    after: Option<&Cursor>,
    limit: u16,
) -> Result<RoleListResource> {
    if limit == 0 {
        return Ok(RoleListResource::new(Vec::new(), false));
    }
    let order = order.unwrap_or(Order::Asc);
    let after = roles::cursor(tx, resource, after)?.or((order == Order::Asc).then_some(i64::MIN));
    let range = Range::new(order, after, limit);
    let seqs = assigned.groups.keys().copied();
    let (seqs, has_more) = range.cut(match order {
        Order::Asc => seqs.filter(|seq| *seq > range.after).collect(),
        Order::Desc => seqs.rev().filter(|seq| *seq < range.after).collect(),
    });
    Ok(RoleListResource::new(details(tx, resource, assigned, &seqs)?, has_more))
}

/// One of the roles of a principal.
pub(crate) fn retrieve(
    tx: &mut Tx<'_>,
    resource: RoleResource<'_>,
    assigned: &Assigned,
    role_id: &RoleId,
) -> Result<AssignedRoleDetails> {
    let role = roles::find(tx, resource, role_id)?;
    if !assigned.groups.contains_key(&role.seq) {
        return Err(not_assigned(role_id));
    }
    details(tx, resource, assigned, &[role.seq])?
        .pop()
        .ok_or_else(|| Error::internal("the role that was just found is gone"))
}

impl Reads for ListGroupRoleAssignments {
    fn read(&self, tx: &mut Reading<'_>) -> Result<RoleListResource> {
        let assigned = in_organization(tx, &self.group_id)?;
        let limit = self.limit.unwrap_or_default().get();
        page(tx, RoleResource::Organization, &assigned, self.order, self.after.as_ref(), limit)
    }
}

impl Reads for ListUserRoleAssignments {
    /// It reads the roles of every group of the user.
    fn lane(&self) -> Lane {
        Lane::Scan
    }

    fn read(&self, tx: &mut Reading<'_>) -> Result<RoleListResource> {
        let user = users::find(tx, &self.user_id)?;
        let assigned = of_user(tx, &user, Resource::Organization)?;
        let limit = self.limit.unwrap_or_default().get();
        page(tx, RoleResource::Organization, &assigned, self.order, self.after.as_ref(), limit)
    }
}

impl Reads for RetrieveGroupRole {
    fn read(&self, tx: &mut Reading<'_>) -> Result<AssignedRoleDetails> {
        let assigned = in_organization(tx, &self.group_id)?;
        retrieve(tx, RoleResource::Organization, &assigned, &self.role_id)
    }
}

impl Reads for RetrieveUserRole {
    /// It reads the roles of every group of the user.
    fn lane(&self) -> Lane {
        Lane::Scan
    }

    fn read(&self, tx: &mut Reading<'_>) -> Result<AssignedRoleDetails> {
        let user = users::find(tx, &self.user_id)?;
        let assigned = of_user(tx, &user, Resource::Organization)?;
        retrieve(tx, RoleResource::Organization, &assigned, &self.role_id)
    }
}

/// Assumed: a role that the principal does not have is reported as not found.
pub(crate) fn not_assigned(role_id: &RoleId) -> Error {
    Error::not_found(Kind::Role, role_id)
}

/// Assigning a role again changes nothing (assumed).
impl Changes for AssignGroupRole {
    fn change(&self, change: &mut Change<'_>) -> Result<GroupRoleAssignment> {
        let group = thing::find::<GroupResponse>(change, self.group_id.as_str())?;
        let role = roles::find(change, RoleResource::Organization, &self.body.role_id)?;
        assign(change, RoleResource::Organization, Principal::Group(group.seq), &role)?;
        Ok(GroupRoleAssignment::new(shown(group.thing), role.thing.role))
    }
}

/// A predefined role replaces the user's predefined role (assumed).
impl Changes for AssignUserRole {
    fn change(&self, change: &mut Change<'_>) -> Result<UserRoleAssignment> {
        let mut user = users::find(change, &self.user_id)?;
        let role = roles::find(change, RoleResource::Organization, &self.body.role_id)?;
        if role.thing.role.predefined_role {
            users::set_role(change, &mut user, UserRole::from(role.thing.role.name.as_str()))?;
        } else {
            assign(change, RoleResource::Organization, Principal::User(user.seq), &role)?;
        }
        Ok(UserRoleAssignment::new(user.thing.user, role.thing.role))
    }
}

impl Changes for UnassignGroupRole {
    fn change(&self, change: &mut Change<'_>) -> Result<DeletedRoleAssignmentResource> {
        let group_seq = thing::find_seq::<GroupResponse>(change, self.group_id.as_str())?;
        let role = roles::find(change, RoleResource::Organization, &self.role_id)?;
        unassign(change, RoleResource::Organization, Principal::Group(group_seq), &role)?;
        Ok(removed_from_group())
    }
}

/// Without `owner` a user is a `reader`, and every user has at least that role (assumed).
impl Changes for UnassignUserRole {
    fn change(&self, change: &mut Change<'_>) -> Result<DeletedRoleAssignmentResource> {
        let mut user = users::find(change, &self.user_id)?;
        let role = roles::find(change, RoleResource::Organization, &self.role_id)?;
        if !role.thing.role.predefined_role {
            unassign(change, RoleResource::Organization, Principal::User(user.seq), &role)?;
        } else if user.thing.user.role.as_ref().map(roles::predefined_seq) != Some(role.seq) {
            return Err(not_assigned(&self.role_id));
        } else if role.seq == roles::predefined_seq(&UserRole::Owner) {
            users::set_role(change, &mut user, UserRole::Reader)?;
        } else {
            let expected = "a role that can be unassigned: every user has at least 'reader'";
            return Err(Error::invalid_value("role_id", expected));
        }
        Ok(removed_from_user())
    }
}

/// Assigns a role of a resource; assigning it again changes nothing.
pub(crate) fn assign(
    change: &mut Change<'_>,
    resource: RoleResource<'_>,
    principal: Principal,
    role: &Stored<StoredRole>,
) -> Result<()> {
    assignment::assign(change, principal, resource.resource(), role.seq, role.thing.id()).map(drop)
}

/// Unassigns a role of a resource.
pub(crate) fn unassign(
    change: &mut Change<'_>,
    resource: RoleResource<'_>,
    principal: Principal,
    role: &Stored<StoredRole>,
) -> Result<()> {
    match assignment::unassign(change, principal, resource.resource(), role.seq, role.thing.id())? {
        true => Ok(()),
        false => Err(not_assigned(&role.thing.role.id)),
    }
}

/// Whether a principal has a role of a resource itself, not only through a group.
pub(crate) fn is_direct(
    tx: &mut Tx<'_>,
    resource: RoleResource<'_>,
    principal: Principal,
    role: &Stored<StoredRole>,
) -> Result<bool> {
    Ok(assignment::direct(tx, principal, resource.resource())?.contains(&role.seq))
}
