//! Effective access (extensions): the permissions of a user, the users with a permission, and checks of both.
//!
//! [`openai_admin::access`] derives permissions from roles. `held_roles.rs` reads the roles of one user, `holders.rs` finds the users with a permission.

mod held_roles;
mod holders;
mod known_permissions;

use std::collections::{HashMap, hash_map::Entry};

use openai_admin::{
    Order, ProjectId, UserId,
    access::{self, HeldRoles},
    models::{
        AccessCheck, AccessCheckListResource, AccessCheckResult, AccessPath, PermissionUser,
        PermissionUserListResource, UserAccess,
    },
    operations::{CheckAccess, ListPermissionUsers, RetrieveUserAccess, access::ACCESS_CHECKS_MAX},
};

use crate::{
    base::{
        error::{Error, Result},
        page::Range,
    },
    engines::lanes::Lane,
    nouns::{
        projects,
        users::{self, StoredUser},
    },
    operation::{Reads, reading::Reading, tx::Tx},
    shapes::thing::{self, Stored},
};
use held_roles::{KnownRoles, Scope};
use known_permissions::KnownPermissions;

/// An archived project is refused, because it gives no access.
fn scope(tx: &mut Tx<'_>, project_id: Option<&ProjectId>) -> Result<Scope> {
    let project = project_id.map(|id| projects::find_active(tx, id)).transpose()?;
    Scope::new(tx, project)
}

impl Reads for RetrieveUserAccess {
    /// It reads the roles of every group of the user.
    fn lane(&self) -> Lane {
        Lane::Scan
    }

    fn read(&self, tx: &mut Reading<'_>) -> Result<UserAccess> {
        let user = users::find(tx, &self.user_id)?;
        let scope = scope(tx, self.project_id.as_ref())?;
        let mut known = KnownRoles::default();
        let permissions = access::permissions(&held_roles::of_user(tx, &user, &scope, &mut known)?);
        let user = user.thing.user;
        let mut access = UserAccess::new(user.id.clone(), permissions);
        access.user = Some(user);
        access.project_id.clone_from(&self.project_id);
        Ok(access)
    }
}

impl Reads for ListPermissionUsers {
    /// It reads the groups with the permission, and the roles of every group of each user.
    fn lane(&self) -> Lane {
        Lane::Scan
    }

    fn read(&self, tx: &mut Reading<'_>) -> Result<PermissionUserListResource> {
        let scope = scope(tx, self.project_id.as_ref())?;
        KnownPermissions::default().check(tx, self.permission.as_str(), || "permission".to_owned())?;
        let after = thing::cursor::<StoredUser>(tx, self.after.as_ref())?;
        let range = Range::new(Order::Asc, after, self.limit.unwrap_or_default().get());
        let holders = holders::page(tx, &scope, self.permission.as_str(), range)?;
        let (user_seqs, has_more) = range.cut(holders);
        let mut known = KnownRoles::default();
        let mut users = Vec::with_capacity(user_seqs.len());
        for user_seq in user_seqs {
            let user = users::with_seq(tx, user_seq)?;
            let held = held_roles::of_user(tx, &user, &scope, &mut known)?;
            let paths = access::paths(&held, self.permission.as_str());
            users.push(permission_user(user, paths));
        }
        Ok(PermissionUserListResource::new(users, has_more))
    }
}

fn permission_user(user: Stored<StoredUser>, paths: Vec<AccessPath>) -> PermissionUser {
    let user = user.thing.user;
    let mut shown = PermissionUser::new(user.id, paths);
    (shown.name, shown.email) = (user.name, user.email);
    shown
}

impl Reads for CheckAccess {
    /// It reads the roles of every group of each user.
    fn lane(&self) -> Lane {
        Lane::Scan
    }

    fn read(&self, tx: &mut Reading<'_>) -> Result<AccessCheckListResource> {
        let checks = &self.body.checks;
        if checks.is_empty() || checks.len() > ACCESS_CHECKS_MAX {
            let expected = format!("1 to {ACCESS_CHECKS_MAX} checks, but got {}", checks.len());
            return Err(Error::invalid_value("checks", expected));
        }
        let mut known = KnownPermissions::default();
        for (index, check) in checks.iter().enumerate() {
            known.check(tx, check.permission.as_str(), || format!("checks[{index}].permission"))?;
        }
        let held = held_by(tx, checks)?;
        let result = |check: &AccessCheck| {
            let roles = &held[&(&check.user_id, check.project_id.as_ref())];
            let paths = access::paths(roles, check.permission.as_str());
            let (user_id, permission) = (check.user_id.clone(), check.permission.clone());
            let mut result = AccessCheckResult::new(user_id, permission, !paths.is_empty(), paths);
            result.project_id.clone_from(&check.project_id);
            result
        };
        Ok(AccessCheckListResource::new(checks.iter().map(result).collect()))
    }
}

type UserAndProject<'a> = (&'a UserId, Option<&'a ProjectId>);

/// The roles of each user in each project of the checks, read once.
fn held_by<'a>(tx: &mut Tx<'_>, checks: &'a [AccessCheck]) -> Result<HashMap<UserAndProject<'a>, HeldRoles>> {
    let (mut scopes, mut users, mut held) = (HashMap::new(), HashMap::new(), HashMap::new());
    let mut known = KnownRoles::default();
    for check in checks {
        let project_id = check.project_id.as_ref();
        let scope = match scopes.entry(project_id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(scope(tx, project_id)?),
        };
        if let Entry::Vacant(new) = held.entry((&check.user_id, project_id)) {
            let user = match users.entry(&check.user_id) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => new.insert(users::find(tx, &check.user_id)?),
            };
            new.insert(held_roles::of_user(tx, user, scope, &mut known)?);
        }
    }
    Ok(held)
}
