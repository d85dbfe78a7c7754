//! Who is in a project, and with which predefined role.

use openai_admin::{Timestamp, models::Project};

use crate::{
    base::{
        error::{Error, Result},
        events::{PROJECT_USER_ADDED, PROJECT_USER_REMOVED},
        value::values,
    },
    nouns::roles::{self, RoleResource, StoredRole},
    operation::{audit_events::Places, change::Change, tx::Tx},
    shapes::{
        assignment::{self, Principal},
        thing::{Stored, Thing as _},
    },
};

/// The role of a predefined role's name: `owner`, `member` or `viewer`.
pub(crate) fn find_role(
    tx: &mut Tx<'_>,
    project: &Stored<Project>,
    name: &str,
) -> Result<Stored<StoredRole>> {
    let unknown = || Error::invalid_value("role", "'owner', 'member' or 'viewer'");
    let seq = roles::predefined_project_seq(name).ok_or_else(unknown)?;
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
    let org = change.org();
    let inserted = change.execute(
        "insert into project_users (org, project_seq, user_seq, added_at) values ($1, $2, $3, $4)
         on conflict do nothing",
        values![org, project.seq, user_seq, added_at.unix_seconds()],
    )?;
    if inserted == 0 {
        return Ok(false);
    }
    change.record(PROJECT_USER_ADDED, places(project, user_seq))?;
    set_user_role(change, project, user_seq, role)?;
    Ok(true)
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

/// Removes a user from a project with all roles in it. Says whether the user was in it.
pub(crate) fn remove_user(change: &mut Change<'_>, project: &Stored<Project>, user_seq: i64) -> Result<bool> {
    let org = change.org();
    let removed = change.execute(
        "delete from project_users where org = $1 and project_seq = $2 and user_seq = $3",
        values![org, project.seq, user_seq],
    )?;
    if removed == 0 {
        return Ok(false);
    }
    let principal = Principal::User(user_seq);
    let all = assignment::direct(change, principal, RoleResource::Project(project).resource())?;
    unassign_all(change, project, principal, &all)?;
    change.record(PROJECT_USER_REMOVED, places(project, user_seq))?;
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

fn places(project: &Stored<Project>, user_seq: i64) -> Places<'static> {
    Places { project_seq: Some(project.seq), user_seq: Some(user_seq), ..Places::default() }
}
