//! Assignments: the roles of a principal on a resource.
//!
//! An assignment is an edge between a principal, a resource and a role, without attributes. Lists are ordered by the
//! numbers of the roles, so a role's id remains a valid cursor even after the role was unassigned.

use crate::{
    base::{
        error::Result,
        events::{ROLE_ASSIGNED, ROLE_UNASSIGNED},
        kind::Kind,
        value::values,
    },
    operation::{audit_events::Places, change::Change, tx::Tx},
};

/// A group or user that has roles.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Principal {
    Group(i64),
    User(i64),
}

/// The resource that roles are assigned on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Resource {
    Organization,
    /// A project, by its number.
    Project(i64),
}

impl Principal {
    /// The columns `user_seq` and `group_seq`.
    fn columns(self) -> (i64, i64) {
        match self {
            Self::Group(seq) => (0, seq),
            Self::User(seq) => (seq, 0),
        }
    }

    fn places(self, resource: Resource, role_seq: i64, role_id: &str) -> Places<'_> {
        let project_seq = Some(resource.project_seq()).filter(|seq| *seq != 0);
        let places = Places { project_seq, ..Places::of(Kind::Role, role_seq, role_id) };
        match self {
            Self::Group(seq) => Places { group_seq: Some(seq), ..places },
            Self::User(seq) => Places { user_seq: Some(seq), ..places },
        }
    }
}

impl Resource {
    /// The column `project_seq`.
    pub(crate) fn project_seq(self) -> i64 {
        match self {
            Self::Organization => 0,
            Self::Project(seq) => seq,
        }
    }
}

/// The numbers of the roles that are assigned to a principal directly, in order.
pub(crate) fn direct(tx: &mut Tx<'_>, principal: Principal, resource: Resource) -> Result<Vec<i64>> {
    let (org, (user_seq, group_seq)) = (tx.org(), principal.columns());
    tx.query(
        "select role_seq from role_assignments
         where org = $1 and user_seq = $2 and group_seq = $3 and project_seq = $4 order by role_seq",
        values![org, user_seq, group_seq, resource.project_seq()],
        |row| row.integer(0),
    )
}

/// Assigns a role, and returns whether the assignment is new.
pub(crate) fn assign(
    change: &mut Change<'_>,
    principal: Principal,
    resource: Resource,
    role_seq: i64,
    role_id: &str,
) -> Result<bool> {
    let (org, (user_seq, group_seq)) = (change.org(), principal.columns());
    let inserted = change.execute(
        "insert into role_assignments (org, user_seq, group_seq, project_seq, role_seq) values ($1, $2, $3, $4, $5)
         on conflict do nothing",
        values![org, user_seq, group_seq, resource.project_seq(), role_seq],
    )?;
    if inserted > 0 {
        change.record(ROLE_ASSIGNED, principal.places(resource, role_seq, role_id))?;
    }
    Ok(inserted > 0)
}

/// Unassigns a role, and returns whether it was assigned.
pub(crate) fn unassign(
    change: &mut Change<'_>,
    principal: Principal,
    resource: Resource,
    role_seq: i64,
    role_id: &str,
) -> Result<bool> {
    let (org, (user_seq, group_seq)) = (change.org(), principal.columns());
    let removed = change.execute(
        "delete from role_assignments
         where org = $1 and user_seq = $2 and group_seq = $3 and project_seq = $4 and role_seq = $5",
        values![org, user_seq, group_seq, resource.project_seq(), role_seq],
    )?;
    if removed > 0 {
        change.record(ROLE_UNASSIGNED, principal.places(resource, role_seq, role_id))?;
    }
    Ok(removed > 0)
}
