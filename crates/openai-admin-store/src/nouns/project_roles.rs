//! Roles of a project: what holds for all roles is in `roles.rs`. The default project has roles too (assumed).

use openai_admin::{
    Order,
    models::{PublicRoleListResource, Role, RoleDeletedResource},
    operations::{
        CreateProjectRole, DeleteProjectRole, ListProjectRoles, RetrieveProjectRole, UpdateProjectRole,
    },
};

use crate::{
    base::error::Result,
    nouns::{
        projects,
        roles::{self, RoleResource},
    },
    operation::{Changes, Reads, change::Change, reading::Reading},
};

impl Reads for ListProjectRoles {
    fn read(&self, tx: &mut Reading<'_>) -> Result<PublicRoleListResource> {
        let project = projects::find(tx, &self.project_id)?;
        let (order, limit) = (self.order.unwrap_or(Order::Asc), self.limit.unwrap_or_default().get());
        roles::page(tx, RoleResource::Project(&project), order, self.after.as_ref(), limit)
    }
}

impl Reads for RetrieveProjectRole {
    fn read(&self, tx: &mut Reading<'_>) -> Result<Role> {
        let project = projects::find(tx, &self.project_id)?;
        Ok(roles::find(tx, RoleResource::Project(&project), &self.role_id)?.thing.role)
    }
}

impl Changes for CreateProjectRole {
    fn change(&self, change: &mut Change<'_>) -> Result<Role> {
        let project = projects::find_active(change, &self.project_id)?;
        roles::create(change, RoleResource::Project(&project), &self.body)
    }
}

impl Changes for UpdateProjectRole {
    fn change(&self, change: &mut Change<'_>) -> Result<Role> {
        let project = projects::find_active(change, &self.project_id)?;
        roles::modify(change, RoleResource::Project(&project), &self.role_id, &self.body)
    }
}

/// Every assignment of the role ends with it.
impl Changes for DeleteProjectRole {
    const ENDS: bool = true;

    fn change(&self, change: &mut Change<'_>) -> Result<RoleDeletedResource> {
        let project = projects::find_active(change, &self.project_id)?;
        roles::delete(change, RoleResource::Project(&project), &self.role_id)
    }
}
