//! Reads the roles of one user.

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

/// The organization, or a project with its predefined role `owner`.
pub(crate) struct Scope {
    pub(crate) project: Option<(Stored<Project>, Role)>,
}

impl Scope {
    pub(crate) fn new(tx: &mut Tx<'_>, project: Option<Stored<Project>>) -> Result<Self> {
        let Some(project) = project else { return Ok(Self { project: None }) };
        let owner = roles::find_by_name(tx, RoleResource::Project(&project), "owner")?
            .ok_or_else(|| Error::internal("a project has no role 'owner'"))?;
        Ok(Self { project: Some((project, owner.thing.role)) })
    }
}

/// The roles of a user in the organization, and in the project of the scope.
pub(crate) fn of_user(tx: &mut Tx<'_>, user: &Stored<StoredUser>, scope: &Scope) -> Result<HeldRoles> {
    let own = user.thing.user.role.as_ref().map(roles::predefined_seq);
    let organization = held(tx, user.seq, RoleResource::Organization, own)?;
    let project = match &scope.project {
        Some((project, owner)) => {
            let own = service_account_role(tx, user, project)?;
            let held = held(tx, user.seq, RoleResource::Project(project), own)?;
            Some(ProjectRoles { held, owner: owner.clone() })
        }
        None => None,
    };
    Ok(HeldRoles { organization, project })
}

/// The roles of a user in a resource. `own` is the number of a role that has no assignment.
fn held(
    tx: &mut Tx<'_>,
    user_seq: i64,
    resource: RoleResource<'_>,
    own: Option<i64>,
) -> Result<Vec<HeldRole>> {
    let mut direct = assignment::direct(tx, Principal::User(user_seq), resource.resource())?;
    direct.extend(own.filter(|own| !direct.contains(own)));
    direct.sort_unstable();
    let mut held: Vec<_> = direct.into_iter().map(|role_seq| (role_seq, None)).collect();
    let inherited = role_assignments::inherited(tx, user_seq, resource.resource())?.into_iter();
    held.extend(
        inherited
            .map(|Inherited { role_seq, group_id, group_name }| (role_seq, Some((group_id, group_name)))),
    );
    let mut seqs: Vec<i64> = held.iter().map(|(role_seq, _)| *role_seq).collect();
    seqs.sort_unstable();
    seqs.dedup();
    let roles = roles::with_seqs(tx, resource, &seqs)?;
    let held = held.into_iter().filter_map(|(role_seq, group)| {
        let role = roles.iter().find(|role| role.seq == role_seq)?.thing.role.clone();
        Some(HeldRole { role, group })
    });
    Ok(held.collect())
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
