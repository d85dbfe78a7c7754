//! Reads the roles of one user.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
};

use openai_admin::{
    ServiceAccountRole,
    access::{HeldRole, HeldRoles, ProjectRoles},
    models::{Project, Role},
};

use crate::{
    base::{
        error::{Error, Result},
        value::values,
    },
    nouns::{
        role_assignments::{self, Inherited},
        roles::{self, RoleResource},
        users::StoredUser,
    },
    operation::tx::Tx,
    shapes::{
        assignment::{self, Principal},
        thing::Stored,
    },
};

/// The organization, or a project with its predefined roles.
pub(crate) struct Scope {
    pub(crate) project: Option<ProjectScope>,
}

/// A project with its predefined roles.
pub(crate) struct ProjectScope {
    pub(crate) project: Stored<Project>,
    predefined: HashMap<i64, Arc<Role>>,
    owner: Arc<Role>,
}

impl Scope {
    pub(crate) fn new(tx: &mut Tx<'_>, project: Option<Stored<Project>>) -> Result<Self> {
        let Some(project) = project else { return Ok(Self { project: None }) };
        let predefined = predefined(tx, RoleResource::Project(&project))?;
        let owner = predefined.values().find(|role| role.name == "owner").cloned();
        let owner = owner.ok_or_else(|| Error::internal("a project has no role 'owner'"))?;
        Ok(Self { project: Some(ProjectScope { project, predefined, owner }) })
    }
}

/// The predefined roles of a resource, by their numbers.
fn predefined(tx: &mut Tx<'_>, resource: RoleResource<'_>) -> Result<HashMap<i64, Arc<Role>>> {
    let predefined = roles::predefined(tx, resource)?.into_iter();
    Ok(predefined.map(|role| (role.seq, Arc::new(role.thing.role))).collect())
}

/// The roles that a request has read: the predefined ones of the organization, and custom ones of any resource. Many
/// users have few roles.
pub(crate) struct KnownRoles {
    roles: HashMap<i64, Arc<Role>>,
}

impl KnownRoles {
    pub(crate) fn new(tx: &mut Tx<'_>) -> Result<Self> {
        Ok(Self { roles: predefined(tx, RoleResource::Organization)? })
    }

    /// The role with a number.
    fn find(&mut self, tx: &mut Tx<'_>, role_seq: i64) -> Result<Arc<Role>> {
        match self.roles.entry(role_seq) {
            Entry::Occupied(known) => Ok(Arc::clone(known.get())),
            Entry::Vacant(new) => {
                let read = roles::with_seqs(tx, RoleResource::Organization, &[role_seq])?.pop();
                let read = read.ok_or_else(|| Error::internal("an assigned role does not exist"))?;
                Ok(Arc::clone(new.insert(Arc::new(read.thing.role))))
            }
        }
    }
}

/// The roles of a user in the organization, and in the project of the scope.
pub(crate) fn of_user(
    tx: &mut Tx<'_>,
    user: &Stored<StoredUser>,
    scope: &Scope,
    known: &mut KnownRoles,
) -> Result<HeldRoles> {
    let own = user.thing.user.role.as_ref().map(roles::predefined_seq);
    let organization = held(tx, user.seq, RoleResource::Organization, own, &HashMap::new(), known)?;
    let project = match &scope.project {
        Some(ProjectScope { project, predefined, owner }) => {
            let own = service_account_role(tx, user, project)?;
            let held = held(tx, user.seq, RoleResource::Project(project), own, predefined, known)?;
            Some(ProjectRoles { held, owner: Arc::clone(owner) })
        }
        None => None,
    };
    Ok(HeldRoles { organization, project })
}

/// The roles of a user in a resource. `own` is the number of a role that has no assignment, and `predefined` are the
/// predefined roles of a project.
fn held(
    tx: &mut Tx<'_>,
    user_seq: i64,
    resource: RoleResource<'_>,
    own: Option<i64>,
    predefined: &HashMap<i64, Arc<Role>>,
    known: &mut KnownRoles,
) -> Result<Vec<HeldRole>> {
    let mut direct = assignment::direct(tx, Principal::User(user_seq), resource.resource())?;
    direct.extend(own.filter(|own| !direct.contains(own)));
    direct.sort_unstable();
    let direct = direct.into_iter().map(|role_seq| (role_seq, None));
    let inherited = role_assignments::inherited(tx, user_seq, resource.resource())?.into_iter();
    let inherited = inherited
        .map(|Inherited { role_seq, group_id, group_name }| (role_seq, Some((group_id, group_name))));
    let mut held = Vec::new();
    for (role_seq, group) in direct.chain(inherited) {
        let role = match predefined.get(&role_seq) {
            Some(role) => Arc::clone(role),
            None => known.find(tx, role_seq)?,
        };
        held.push(HeldRole { role, group });
    }
    Ok(held)
}

/// The number of a service account's role in its project, which is a column of the account.
fn service_account_role(
    tx: &mut Tx<'_>,
    user: &Stored<StoredUser>,
    project: &Stored<Project>,
) -> Result<Option<i64>> {
    if user.thing.user.is_service_account != Some(true) {
        return Ok(None);
    }
    let org = tx.org();
    let role = tx.query_one(
        "select role from service_accounts
         where org = $1 and user_seq = $2 and project_seq = $3 and removed_at is null",
        values![org, user.seq, project.seq],
        |row| Ok(ServiceAccountRole::from(row.text(0)?)),
    )?;
    Ok(role.and_then(|role| roles::predefined_project_seq(role.as_str())))
}
