//! Finds the users with a permission, page by page, without reading the others.
//!
//! Each role that grants the permission is a source of users, in the order of their numbers: the users with the role,
//! and the members of each group with the role. A source is read only up to the last user that the page needs.

use std::collections::BTreeSet;

use openai_admin::{
    UserRole,
    access::PredefinedRole::{OrganizationOwner, OrganizationReader, ProjectOwner},
};

use crate::{
    base::{error::Result, page::Range, value::values},
    nouns::{
        access::held_roles::{ProjectScope, Scope},
        roles::{self, RoleResource},
    },
    operation::tx::Tx,
    shapes::assignment::Resource,
};

/// The numbers of the first users of the range with a permission, one more than the page holds.
pub(crate) fn page(tx: &mut Tx<'_>, scope: &Scope, permission: &str, range: Range) -> Result<Vec<i64>> {
    let mut page = Page { users: BTreeSet::new(), range };
    match &scope.project {
        None => page.add_of_organization(tx, permission)?,
        Some(ProjectScope { project, .. }) => {
            for role_seq in roles::custom_granting(tx, RoleResource::Organization, permission)? {
                page.add_assigned(tx, role_seq, Resource::Organization)?;
            }
            let resource = RoleResource::Project(project);
            for role_seq in granting(tx, resource, permission)? {
                page.add_assigned(tx, role_seq, resource.resource())?;
                page.add_service_accounts(tx, role_seq, project.seq)?;
            }
            if ProjectOwner.grants(permission) {
                page.add_owners(tx)?;
            }
        }
    }
    Ok(page.users.into_iter().collect())
}

/// The numbers of a resource's roles that grant a permission.
fn granting(tx: &mut Tx<'_>, resource: RoleResource<'_>, permission: &str) -> Result<Vec<i64>> {
    let custom = roles::custom_granting(tx, resource, permission)?;
    Ok(resource.predefined_granting(permission).chain(custom).collect())
}

/// The first users of the sources that were read, at most one more than the page holds.
struct Page {
    users: BTreeSet<i64>,
    range: Range,
}

impl Page {
    fn add_of_organization(&mut self, tx: &mut Tx<'_>, permission: &str) -> Result<()> {
        // Every user is a reader or an owner, and an owner has the permissions of a reader.
        if OrganizationReader.grants(permission) {
            return self.add_everyone(tx);
        }
        if OrganizationOwner.grants(permission) {
            self.add_owners(tx)?;
        }
        for role_seq in roles::custom_granting(tx, RoleResource::Organization, permission)? {
            self.add_assigned(tx, role_seq, Resource::Organization)?;
        }
        Ok(())
    }

    /// The last user that the page may need.
    fn last(&self) -> i64 {
        let is_full = self.users.len() > self.range.limit;
        self.users.last().copied().filter(|_| is_full).unwrap_or(i64::MAX)
    }

    fn add(&mut self, users: Vec<i64>) {
        self.users.extend(users);
        while self.users.len() > self.range.limit + 1 {
            self.users.pop_last();
        }
    }

    fn add_everyone(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        let (org, range) = (tx.org(), self.range);
        let users = tx.query(
            "select seq from users where org = $1 and seq > $2 and removed_at is null order by seq limit $3",
            values![org, range.after, range.rows()],
            |row| row.integer(0),
        )?;
        self.add(users);
        Ok(())
    }

    /// The owners of the organization: users with the role, and members of groups with the role.
    fn add_owners(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        let (org, range) = (tx.org(), self.range);
        let users = tx.query(
            "select seq from users where org = $1 and seq > $2 and seq <= $3 and role = 'owner' and removed_at is null
             order by seq limit $4",
            values![org, range.after, self.last(), range.rows()],
            |row| row.integer(0),
        )?;
        self.add(users);
        self.add_assigned(tx, roles::predefined_seq(&UserRole::Owner), Resource::Organization)
    }

    /// The users with an assigned role, and the members of each group with it.
    fn add_assigned(&mut self, tx: &mut Tx<'_>, role_seq: i64, resource: Resource) -> Result<()> {
        let (org, range) = (tx.org(), self.range);
        let users = tx.query(
            "select user_seq from role_assignments
             where org = $1 and role_seq = $2 and project_seq = $3 and user_seq > $4 and user_seq <= $5
             order by user_seq limit $6",
            values![org, role_seq, resource.project_seq(), range.after, self.last(), range.rows()],
            |row| row.integer(0),
        )?;
        self.add(users);
        // A role may have many groups, so only those whose first member may be on the page are read.
        let mut groups = tx.query(
            "select a.group_seq,
                    (select m.user_seq from group_users m
                     where m.org = a.org and m.group_seq = a.group_seq and m.user_seq > $1
                     order by m.user_seq limit 1)
             from role_assignments a
             where a.org = $2 and a.role_seq = $3 and a.project_seq = $4 and a.user_seq = 0",
            values![range.after, org, role_seq, resource.project_seq()],
            |row| Ok((row.optional_integer(1)?, row.integer(0)?)),
        )?;
        groups.sort_unstable();
        for (first_member, group_seq) in groups {
            if first_member.is_some_and(|first| first <= self.last()) {
                self.add_members(tx, group_seq)?;
            }
        }
        Ok(())
    }

    fn add_members(&mut self, tx: &mut Tx<'_>, group_seq: i64) -> Result<()> {
        let (org, range) = (tx.org(), self.range);
        let users = tx.query(
            "select user_seq from group_users
             where org = $1 and group_seq = $2 and user_seq > $3 and user_seq <= $4 order by user_seq limit $5",
            values![org, group_seq, range.after, self.last(), range.rows()],
            |row| row.integer(0),
        )?;
        self.add(users);
        Ok(())
    }

    /// The service accounts with a role in their project, which is a column of the account.
    fn add_service_accounts(&mut self, tx: &mut Tx<'_>, role_seq: i64, project_seq: i64) -> Result<()> {
        let Some(role) = roles::predefined_project_name(role_seq) else { return Ok(()) };
        let (org, range) = (tx.org(), self.range);
        let users = tx.query(
            "select user_seq from service_accounts
             where org = $1 and project_seq = $2 and user_seq > $3 and user_seq <= $4 and removed_at is null
               and role = $5
             order by user_seq limit $6",
            values![org, project_seq, range.after, self.last(), role, range.rows()],
            |row| row.integer(0),
        )?;
        self.add(users);
        Ok(())
    }
}
