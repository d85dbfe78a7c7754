//! Role assignments in the organization: to groups, and to users directly or through a group.
//!
//! The organization role of a user is a column of the user, and is shown as an assignment of a predefined role. Lists
//! are ordered by the creation of the roles, predefined ones first, so a role's id remains a valid cursor even after
//! the role was unassigned.

use std::collections::BTreeMap;

use openai_admin::{
    Cursor, Order, RoleId, UserId, UserRole,
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
        roles::{self, StoredRole},
        users::{self, StoredUser},
    },
    operation::{Changes, Reads, change::Change, reading::Reading, tx::Tx},
    shapes::{
        assignment::{self, Principal, Resource},
        thing::{self, Stored, Thing as _},
    },
};

/// The roles of a principal by number, each with the ids of the groups that it is inherited from. Empty if it is only
/// direct.
type Assigned = BTreeMap<i64, Vec<String>>;

fn of_group(tx: &mut Tx<'_>, group_seq: i64) -> Result<Assigned> {
    Ok(assignment::direct(tx, Principal::Group(group_seq), Resource::Organization)?
        .into_iter()
        .map(|role_seq| (role_seq, Vec::new()))
        .collect())
}

fn of_user(tx: &mut Tx<'_>, user: &Stored<StoredUser>) -> Result<Assigned> {
    let mut assigned = Assigned::new();
    // PostgreSQL would otherwise join all assignments of all groups.
    let inherited = tx.choose(
        "select a.role_seq, m.group_seq, g.id
         from group_users m
         cross join role_assignments a
         cross join groups g
         where m.org = $1 and m.user_seq = $2
           and a.org = m.org and a.user_seq = 0 and a.group_seq = m.group_seq and a.project_seq = 0
           and g.org = m.org and g.seq = m.group_seq",
        "select a.role_seq, m.group_seq, g.id
         from (select group_seq from group_users where org = $1 and user_seq = $2 offset 0) m
         cross join lateral (select role_seq from role_assignments
                             where org = $1 and user_seq = 0 and group_seq = m.group_seq and project_seq = 0
                             offset 0) a
         cross join lateral (select id from groups where org = $1 and seq = m.group_seq limit 1) g",
    );
    let org = tx.org();
    let mut inherited = tx.query(inherited, values![org, user.seq], |row| {
        Ok((row.integer(0)?, row.integer(1)?, row.text(2)?.to_owned()))
    })?;
    inherited.sort_by_key(|(_, group_seq, _)| *group_seq);
    for (role_seq, _, group_id) in inherited {
        assigned.entry(role_seq).or_default().push(group_id);
    }
    let own = user.thing.user.role.as_ref().map(roles::predefined_seq);
    for role_seq in
        assignment::direct(tx, Principal::User(user.seq), Resource::Organization)?.into_iter().chain(own)
    {
        assigned.entry(role_seq).or_default();
    }
    Ok(assigned)
}

/// The details of roles for a list. If a user has a role both directly and through a group, `user_id` is one of the
/// sources.
fn details(
    tx: &mut Tx<'_>,
    assigned: &Assigned,
    seqs: &[i64],
    is_direct: impl Fn(i64) -> bool,
    user_id: Option<&UserId>,
) -> Result<Vec<AssignedRoleDetails>> {
    let mut all = Vec::with_capacity(seqs.len());
    for Stored { seq, thing } in roles::with_seqs(tx, seqs)? {
        let mut details = assigned_details(thing.role);
        (details.created_at, details.updated_at) = thing.times.unzip();
        let groups = assigned.get(&seq).map(Vec::as_slice).unwrap_or_default();
        if !groups.is_empty() {
            let own = user_id.filter(|_| is_direct(seq)).map(|id| source(id.as_str(), "user"));
            let inherited = groups.iter().map(|id| source(id, "group"));
            details.assignment_sources = Some(own.into_iter().chain(inherited).collect());
        }
        all.push(details);
    }
    Ok(all)
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

fn removed(object: &str) -> DeletedRoleAssignmentResource {
    DeletedRoleAssignmentResource::new(object.to_owned(), true)
}

/// The form of a group in role assignments.
fn shown(group: GroupResponse) -> Group {
    let GroupResponse { id, name, created_at, is_scim_managed, .. } = group;
    Group::new(id, name, created_at, is_scim_managed)
}

/// The page of these roles, and whether there are more.
fn part(
    tx: &mut Tx<'_>,
    assigned: &Assigned,
    order: Order,
    after: Option<&Cursor>,
    limit: u16,
) -> Result<(Vec<i64>, bool)> {
    if limit == 0 {
        return Ok((Vec::new(), false));
    }
    let after = roles::cursor(tx, after)?.or((order == Order::Asc).then_some(i64::MIN));
    let range = Range::new(order, after, limit);
    let seqs = assigned.keys().copied();
    Ok(range.cut(match order {
        Order::Asc => seqs.filter(|seq| *seq > range.after).collect(),
        Order::Desc => seqs.rev().filter(|seq| *seq < range.after).collect(),
    }))
}

impl Reads for ListGroupRoleAssignments {
    fn read(&self, tx: &mut Reading<'_>) -> Result<RoleListResource> {
        let group_seq = thing::find_seq::<GroupResponse>(tx, self.group_id.as_str())?;
        let assigned = of_group(tx, group_seq)?;
        let (order, limit) = (self.order.unwrap_or(Order::Asc), self.limit.unwrap_or_default().get());
        let (seqs, has_more) = part(tx, &assigned, order, self.after.as_ref(), limit)?;
        Ok(RoleListResource::new(details(tx, &assigned, &seqs, |_| true, None)?, has_more))
    }
}

impl Reads for ListUserRoleAssignments {
    /// It reads the roles of every group of the user.
    fn lane(&self) -> Lane {
        Lane::Scan
    }

    fn read(&self, tx: &mut Reading<'_>) -> Result<RoleListResource> {
        let user = users::find(tx, &self.user_id)?;
        let assigned = of_user(tx, &user)?;
        let (order, limit) = (self.order.unwrap_or(Order::Asc), self.limit.unwrap_or_default().get());
        let (seqs, has_more) = part(tx, &assigned, order, self.after.as_ref(), limit)?;
        let all = details_of_user(tx, &user, &assigned, &seqs)?;
        Ok(RoleListResource::new(all, has_more))
    }
}

fn details_of_user(
    tx: &mut Tx<'_>,
    user: &Stored<StoredUser>,
    assigned: &Assigned,
    seqs: &[i64],
) -> Result<Vec<AssignedRoleDetails>> {
    let mut own = assignment::direct(tx, Principal::User(user.seq), Resource::Organization)?;
    own.extend(user.thing.user.role.as_ref().map(roles::predefined_seq));
    details(tx, assigned, seqs, |seq| own.contains(&seq), Some(&user.thing.user.id))
}

impl Reads for RetrieveGroupRole {
    fn read(&self, tx: &mut Reading<'_>) -> Result<AssignedRoleDetails> {
        let group_seq = thing::find_seq::<GroupResponse>(tx, self.group_id.as_str())?;
        let role = roles::find(tx, &self.role_id)?;
        let assigned = of_group(tx, group_seq)?;
        if !assigned.contains_key(&role.seq) {
            return Err(not_assigned(&self.role_id));
        }
        only(details(tx, &assigned, &[role.seq], |_| true, None)?)
    }
}

impl Reads for RetrieveUserRole {
    /// It reads the roles of every group of the user.
    fn lane(&self) -> Lane {
        Lane::Scan
    }

    fn read(&self, tx: &mut Reading<'_>) -> Result<AssignedRoleDetails> {
        let user = users::find(tx, &self.user_id)?;
        let role = roles::find(tx, &self.role_id)?;
        let assigned = of_user(tx, &user)?;
        if !assigned.contains_key(&role.seq) {
            return Err(not_assigned(&self.role_id));
        }
        only(details_of_user(tx, &user, &assigned, &[role.seq])?)
    }
}

fn only(mut details: Vec<AssignedRoleDetails>) -> Result<AssignedRoleDetails> {
    details.pop().ok_or_else(|| Error::internal("the role that was just found is missing"))
}

/// Assumed: a role that the principal does not have is reported as not found.
fn not_assigned(role_id: &RoleId) -> Error {
    Error::not_found(Kind::Role, role_id)
}

/// Assigning a role again changes nothing (assumed).
impl Changes for AssignGroupRole {
    fn change(&self, change: &mut Change<'_>) -> Result<GroupRoleAssignment> {
        let group = thing::find::<GroupResponse>(change, self.group_id.as_str())?;
        let role = roles::find(change, &self.body.role_id)?;
        assign(change, Principal::Group(group.seq), &role)?;
        Ok(GroupRoleAssignment::new(shown(group.thing), role.thing.role))
    }
}

/// A predefined role replaces the user's predefined role (assumed).
impl Changes for AssignUserRole {
    fn change(&self, change: &mut Change<'_>) -> Result<UserRoleAssignment> {
        let mut user = users::find(change, &self.user_id)?;
        let role = roles::find(change, &self.body.role_id)?;
        if role.thing.role.predefined_role {
            users::set_role(change, &mut user, UserRole::from(role.thing.role.name.as_str()))?;
        } else {
            assign(change, Principal::User(user.seq), &role)?;
        }
        Ok(UserRoleAssignment::new(user.thing.user, role.thing.role))
    }
}

impl Changes for UnassignGroupRole {
    fn change(&self, change: &mut Change<'_>) -> Result<DeletedRoleAssignmentResource> {
        let group_seq = thing::find_seq::<GroupResponse>(change, self.group_id.as_str())?;
        let role = roles::find(change, &self.role_id)?;
        unassign(change, Principal::Group(group_seq), &role)?;
        Ok(removed("group.role.deleted"))
    }
}

/// Without `owner` a user is a `reader`, and every user has at least that role (assumed).
impl Changes for UnassignUserRole {
    fn change(&self, change: &mut Change<'_>) -> Result<DeletedRoleAssignmentResource> {
        let mut user = users::find(change, &self.user_id)?;
        let role = roles::find(change, &self.role_id)?;
        if !role.thing.role.predefined_role {
            unassign(change, Principal::User(user.seq), &role)?;
        } else if user.thing.user.role.as_ref().map(roles::predefined_seq) != Some(role.seq) {
            return Err(not_assigned(&self.role_id));
        } else if role.seq == roles::predefined_seq(&UserRole::Owner) {
            users::set_role(change, &mut user, UserRole::Reader)?;
        } else {
            let expected = "a role that can be unassigned: every user has at least 'reader'";
            return Err(Error::invalid_value("role_id", expected));
        }
        Ok(removed("user.role.deleted"))
    }
}

fn assign(change: &mut Change<'_>, principal: Principal, role: &Stored<StoredRole>) -> Result<()> {
    assignment::assign(change, principal, Resource::Organization, role.seq, role.thing.id()).map(drop)
}

fn unassign(change: &mut Change<'_>, principal: Principal, role: &Stored<StoredRole>) -> Result<()> {
    match assignment::unassign(change, principal, Resource::Organization, role.seq, role.thing.id())? {
        true => Ok(()),
        false => Err(not_assigned(&role.thing.role.id)),
    }
}
