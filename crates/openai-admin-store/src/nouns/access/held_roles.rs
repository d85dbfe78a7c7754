//! Reads the roles of one user.

use std::{
    collections::{BTreeSet, HashMap},
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
    shapes::thing::Stored,
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
        let predefined = roles::predefined(tx, RoleResource::Project(&project))?.into_iter();
        let predefined: HashMap<i64, Arc<Role>> =
            predefined.map(|role| (role.seq, Arc::new(role.thing.role))).collect();
        let owner = predefined.values().find(|role| role.name == "owner").cloned();
        let owner = owner.ok_or_else(|| Error::internal("a project has no role 'owner'"))?;
        Ok(Self { project: Some(ProjectScope { project, predefined, owner }) })
    }
}

/// The roles of any resource that a request has read. Many users have few roles.
#[derive(Default)]
pub(crate) struct KnownRoles {
    roles: HashMap<i64, Arc<Role>>,
}

impl KnownRoles {
    /// Reads those of these roles that are not known, with one statement.
    fn read(&mut self, tx: &mut Tx<'_>, role_seqs: impl Iterator<Item = i64>) -> Result<()> {
        let unknown: BTreeSet<i64> = role_seqs.filter(|seq| !self.roles.contains_key(seq)).collect();
        let unknown: Vec<i64> = unknown.into_iter().collect();
        let read = roles::with_seqs(tx, RoleResource::Organization, &unknown)?.into_iter();
        self.roles.extend(read.map(|role| (role.seq, Arc::new(role.thing.role))));
        Ok(())
    }

    /// A role that was read.
    fn get(&self, role_seq: i64) -> Result<Arc<Role>> {
        let role = self.roles.get(&role_seq).map(Arc::clone);
        role.ok_or_else(|| Error::internal("an assigned role does not exist"))
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
    let (mut direct, inherited) = role_assignments::direct_and_inherited(tx, user_seq, resource.resource())?;
    direct.extend(own.filter(|own| !direct.contains(own)));
    direct.sort_unstable();
    let direct = direct.into_iter().map(|role_seq| (role_seq, None));
    let inherited = inherited.into_iter();
    let inherited = inherited
        .map(|Inherited { role_seq, group_id, group_name }| (role_seq, Some((group_id, group_name))));
    let all: Vec<_> = direct.chain(inherited).collect();
    let of_organization = all.iter().map(|(role_seq, _)| *role_seq);
    known.read(tx, of_organization.filter(|role_seq| !predefined.contains_key(role_seq)))?;
    let held = all.into_iter().map(|(role_seq, group)| {
        let role = match predefined.get(&role_seq) {
            Some(role) => Arc::clone(role),
            None => known.get(role_seq)?,
        };
        Ok(HeldRole { role, group })
    });
    held.collect()
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
