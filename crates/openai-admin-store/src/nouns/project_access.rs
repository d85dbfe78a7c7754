//! Who is in a project: users, each with one predefined role, and groups.

use openai_admin::{ProjectId, Timestamp, models::Project};

use crate::{
    base::{
        error::{Error, Result},
        events::{PROJECT_GROUP_ADDED, PROJECT_GROUP_REMOVED, PROJECT_USER_ADDED, PROJECT_USER_REMOVED},
        kind::Kind,
        rule::Rule,
        value::values,
    },
    nouns::roles::{self, RoleResource, StoredRole},
    operation::{audit_events::Places, change::Change, tx::Tx},
    shapes::{
        assignment::{self, Principal},
        thing::{Stored, Thing as _},
    },
};

/// The statements and events of the users or of the groups of projects. Each statement begins with the parameters
/// organization, project, and user or group.
struct Members {
    find: &'static str,
    insert: &'static str,
    delete: &'static str,
    added: &'static str,
    removed: &'static str,
}

static USERS: Members = Members {
    find: "select 1 from project_users where org = $1 and project_seq = $2 and user_seq = $3",
    insert: "insert into project_users (org, project_seq, user_seq, added_at) values ($1, $2, $3, $4)
             on conflict do nothing",
    delete: "delete from project_users where org = $1 and project_seq = $2 and user_seq = $3",
    added: PROJECT_USER_ADDED,
    removed: PROJECT_USER_REMOVED,
};

static GROUPS: Members = Members {
    find: "select 1 from project_groups where org = $1 and project_seq = $2 and group_seq = $3",
    insert: "insert into project_groups (org, project_seq, group_seq, created_at) values ($1, $2, $3, $4)
             on conflict do nothing",
    delete: "delete from project_groups where org = $1 and project_seq = $2 and group_seq = $3",
    added: PROJECT_GROUP_ADDED,
    removed: PROJECT_GROUP_REMOVED,
};

fn members(principal: Principal) -> (&'static Members, i64) {
    match principal {
        Principal::User(seq) => (&USERS, seq),
        Principal::Group(seq) => (&GROUPS, seq),
    }
}

/// The role that replaces an unknown one while `unknown_role` is off.
const ROLE_OF_UNKNOWN: &str = "member";

/// The role of a predefined role's name: `owner`, `member` or `viewer`.
pub(crate) fn find_role(
    tx: &mut Tx<'_>,
    project: &Stored<Project>,
    name: &str,
) -> Result<Stored<StoredRole>> {
    let unknown = || Error::invalid_value("role", "'owner', 'member' or 'viewer'");
    let seq = match roles::predefined_project_seq(name) {
        None if !tx.rules().has(Rule::UnknownRole) => roles::predefined_project_seq(ROLE_OF_UNKNOWN),
        found => found,
    };
    let seq = seq.ok_or_else(unknown)?;
    roles::with_seqs(tx, RoleResource::Project(project), &[seq])?.pop().ok_or_else(unknown)
}

/// Adds a user to a project with a predefined role. Says whether the user was not in it.
pub(crate) fn add_user(
    change: &mut Change<'_>,
    project: &Stored<Project>,
    user_seq: i64,
    role: &Stored<StoredRole>,
    added_at: Timestamp,
) -> Result<bool> {
    let is_new = add(change, project, Principal::User(user_seq), added_at)?;
    if is_new {
        set_user_role(change, project, user_seq, role)?;
    }
    Ok(is_new)
}

/// Adds a user or group to a project. Says whether it was not in it. The caller gives it a role.
pub(crate) fn add(
    change: &mut Change<'_>,
    project: &Stored<Project>,
    principal: Principal,
    added_at: Timestamp,
) -> Result<bool> {
    let (org, (members, seq)) = (change.org(), members(principal));
    let inserted = change.execute(members.insert, values![org, project.seq, seq, added_at.unix_seconds()])?;
    if inserted > 0 {
        change.record(members.added, places(project, principal))?;
    }
    Ok(inserted > 0)
}

/// Gives a user of a project a predefined role, which takes the place of the one before. Says whether it is another.
pub(crate) fn set_user_role(
    change: &mut Change<'_>,
    project: &Stored<Project>,
    user_seq: i64,
    role: &Stored<StoredRole>,
) -> Result<bool> {
    let (resource, principal) = (RoleResource::Project(project), Principal::User(user_seq));
    let mut replaced = assignment::direct(change, principal, resource.resource())?;
    replaced.retain(|seq| *seq < 0 && *seq != role.seq);
    unassign_all(change, project, principal, &replaced)?;
    assignment::assign(change, principal, resource.resource(), role.seq, role.thing.id())
}

/// Removes a user or group from a project with all roles in it. Says whether it was in it.
pub(crate) fn remove(
    change: &mut Change<'_>,
    project: &Stored<Project>,
    principal: Principal,
) -> Result<bool> {
    let (org, (members, seq)) = (change.org(), members(principal));
    if change.execute(members.delete, values![org, project.seq, seq])? == 0 {
        return Ok(false);
    }
    let all = assignment::direct(change, principal, RoleResource::Project(project).resource())?;
    unassign_all(change, project, principal, &all)?;
    change.record(members.removed, places(project, principal))?;
    Ok(true)
}

fn unassign_all(
    change: &mut Change<'_>,
    project: &Stored<Project>,
    principal: Principal,
    role_seqs: &[i64],
) -> Result<()> {
    let resource = RoleResource::Project(project);
    for role in roles::with_seqs(change, resource, role_seqs)? {
        assignment::unassign(change, principal, resource.resource(), role.seq, role.thing.id())?;
    }
    Ok(())
}

/// Refuses a user or group that is not in a project.
pub(crate) fn check_in_project(
    tx: &mut Tx<'_>,
    project: &Stored<Project>,
    principal: Principal,
    id: &str,
) -> Result<()> {
    let (org, (members, seq)) = (tx.org(), members(principal));
    tx.query_one(members.find, values![org, project.seq, seq], |_| Ok(()))?
        .ok_or_else(|| not_in_project(&project.thing.id, principal, id))
}

/// The error about a user or group that is not in a project.
pub(crate) fn not_in_project(project_id: &ProjectId, principal: Principal, id: &str) -> Error {
    let kind = match principal {
        Principal::User(_) => Kind::User,
        Principal::Group(_) => Kind::Group,
    };
    Error::NotInProject { kind, id: id.to_owned(), project_id: project_id.clone() }
}

fn places(project: &Stored<Project>, principal: Principal) -> Places<'static> {
    let places = Places { project_seq: Some(project.seq), ..Places::default() };
    match principal {
        Principal::User(seq) => Places { user_seq: Some(seq), ..places },
        Principal::Group(seq) => Places { group_seq: Some(seq), ..places },
    }
}
