//! Roles: list, and the page of one with its permissions.

use askama::Template;
use axum::extract::Path;
use openai_admin::models::{AssignedRoleDetails, Role};

use crate::{
    base::{
        frame::{Frame, Section},
        page::{Answer, page},
    },
    visit::Visit,
};

/// A role in a table.
pub(crate) struct RoleRow {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) is_predefined: bool,
    pub(crate) permissions: Vec<String>,
}

impl From<Role> for RoleRow {
    fn from(role: Role) -> Self {
        Self {
            id: role.id.to_string(),
            name: role.name,
            description: role.description.unwrap_or_default(),
            is_predefined: role.predefined_role,
            permissions: role.permissions,
        }
    }
}

impl From<AssignedRoleDetails> for RoleRow {
    fn from(role: AssignedRoleDetails) -> Self {
        Self {
            id: role.id.to_string(),
            name: role.name,
            description: role.description.unwrap_or_default(),
            is_predefined: role.predefined_role,
            permissions: role.permissions,
        }
    }
}

#[derive(Template)]
#[template(path = "roles.html")]
struct RolesPage {
    frame: Frame,
    rows: Vec<RoleRow>,
}

pub(crate) async fn list(visit: Visit) -> Answer {
    let roles = visit.client.roles().list_roles().items().try_collect().await?;
    let rows = roles.into_iter().map(RoleRow::from).collect();
    page(&RolesPage { frame: visit.frame(Section::Roles, "Roles"), rows })
}

#[derive(Template)]
#[template(path = "role.html")]
struct RolePage {
    frame: Frame,
    role: RoleRow,
}

pub(crate) async fn show(visit: Visit, Path(id): Path<String>) -> Answer {
    let role: RoleRow = visit.client.roles().retrieve_role(id).await?.into_inner().into();
    page(&RolePage { frame: visit.frame(Section::Roles, role.name.clone()), role })
}
