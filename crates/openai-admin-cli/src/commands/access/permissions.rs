//! The permissions that exist, from the roles that grant them, and the error for one that no role grants.

use std::collections::BTreeMap;

use openai_admin::{
    Client, PermissionName, ProjectId, RoleId,
    access::{granted, predefined_permissions},
    likeness::{likeness, most_like_by},
    models::Role,
};
use openai_admin_sync::render::shell_word;
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    arguments::AccessProject,
    failure::{Doing as _, Failure, Result},
    lists::LONG_PAGE_SIZE,
    output::{Record, visible},
};

/// The minimum likeness of a suggestion, without what permissions share.
const LIKENESS_MIN: f64 = 0.6;

/// A permission, and the roles that grant it.
#[derive(Debug, Serialize)]
pub(super) struct PermissionRoles {
    permission: String,
    roles: Vec<GrantingRole>,
}

/// A role that grants a permission.
#[derive(Debug, Serialize)]
struct GrantingRole {
    id: RoleId,
    name: String,
    /// Whether it is assumed that the role grants the permission.
    assumed: bool,
}

impl Record for PermissionRoles {
    const FIELDS: &'static [&'static str] = &["permission", "roles"];
    const COLUMNS: &'static [(&'static str, &'static str)] =
        &[("PERMISSION", "permission"), ("ROLES", "roles")];

    fn fields(&self) -> serde_json::Result<Value> {
        let name = |GrantingRole { name, assumed, .. }: &GrantingRole| match assumed {
            true => format!("{name} (assumed)"),
            false => name.clone(),
        };
        Ok(json!({ "permission": self.permission, "roles": self.roles.iter().map(name).collect::<Vec<_>>() }))
    }
}

/// The permissions that roles grant, sorted by name.
pub(super) fn permissions_of(roles: &[Role]) -> Vec<PermissionRoles> {
    let mut permissions = BTreeMap::<&str, Vec<GrantingRole>>::new();
    for role in roles {
        for (permission, assumed) in granted(role).into_iter().collect::<BTreeMap<_, _>>() {
            let granting = GrantingRole { id: role.id.clone(), name: role.name.clone(), assumed };
            permissions.entry(permission).or_default().push(granting);
        }
    }
    let permissions = permissions.into_iter();
    permissions
        .map(|(permission, roles)| PermissionRoles { permission: permission.to_owned(), roles })
        .collect()
}

/// The roles of the organization.
pub(super) async fn organization_roles(client: &Client) -> Result<Vec<Role>> {
    let list = client.roles().list_roles().limit(LONG_PAGE_SIZE);
    list.items().try_collect().await.doing(|| "list the roles".to_owned())
}

/// The roles of a project.
pub(super) async fn project_roles(client: &Client, project_id: &ProjectId) -> Result<Vec<Role>> {
    let list = client.project_roles().list_project_roles(project_id).limit(LONG_PAGE_SIZE);
    list.items().try_collect().await.doing(|| format!("list the roles of project '{project_id}'"))
}

/// The roles of the organization, or of a project.
pub(super) async fn roles(client: &Client, project_id: Option<&ProjectId>) -> Result<Vec<Role>> {
    match project_id {
        Some(project_id) => project_roles(client, project_id).await,
        None => organization_roles(client).await,
    }
}

/// Whether a permission is predefined, or one of these roles grants it.
pub(super) fn is_known(permission: &PermissionName, roles: &[Role]) -> bool {
    let permission = permission.as_str();
    predefined_permissions().any(|known| known == permission)
        || roles.iter().any(|role| role.permissions.iter().any(|known| known == permission))
}

/// The failure for a permission that no role grants, with a suggestion from these roles.
pub(super) fn unknown(permission: &PermissionName, roles: &[Role], project: &AccessProject) -> Failure {
    let shown = visible(permission.as_str());
    let failure = Failure::usage(format!("no role grants the permission '{shown}'"));
    let mut known: Vec<&str> = predefined_permissions().collect();
    known.extend(roles.iter().flat_map(|role| &role.permissions).map(String::as_str));
    let failure = match most_like_by(known, LIKENESS_MIN, |known| alike(permission.as_str(), known)) {
        Some(near) => failure.hint(format!("did you mean '{}'?", visible(near))),
        None => failure,
    };
    let arguments = match &project.text {
        Some(text) => format!("access permissions --project {}", shell_word(text)),
        None => "access permissions".to_owned(),
    };
    failure.suggest(arguments, "lists all permissions")
}

/// The likeness of two permissions, without the `api.` that most of them share.
fn alike(one: &str, other: &str) -> f64 {
    let distinct = |permission: &str| permission.trim_start_matches("api.").to_lowercase();
    likeness(&distinct(one), &distinct(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_similar_permissions_are_suggested() {
        let near = |text| most_like_by(predefined_permissions(), LIKENESS_MIN, |known| alike(text, known));
        assert_eq!(near("api.grops.read"), Some("api.groups.read"));
        assert_eq!(near("Groups.Write"), Some("api.groups.write"));
        assert_eq!(near("api.zebra"), None);
    }
}
