//! The roles of a group in the organization.

use askama::Template;
use axum::extract::Path;

use crate::{
    base::{
        fields::link,
        frame::{Frame, Section},
        lists,
        page::{Answer, page},
    },
    nouns::{
        groups::{GroupRow, path_of},
        roles::RoleRow,
    },
    visit::Visit,
};

/// Rows of a page.
const PAGE_SIZE: i64 = 100;

#[derive(Template)]
#[template(path = "group_roles.html")]
struct GroupRolesPage {
    frame: Frame,
    path: String,
    group: GroupRow,
    rows: Vec<RoleRow>,
    is_first: bool,
    next: Option<String>,
}

pub(crate) async fn list(visit: Visit, Path(id): Path<String>) -> Answer {
    let group: GroupRow = visit.client.groups().retrieve_group(id.clone()).await?.into_inner().into();
    let after = visit.query.get("after").to_owned();
    let call = visit.client.group_roles().list_group_role_assignments(id.clone()).limit(PAGE_SIZE);
    let (read, next) = lists::read(call, &after).await?;
    let path = path_of(&id);
    page(&GroupRolesPage {
        frame: visit.frame(Section::Groups, format!("Roles of {}", group.name)),
        next: next.map(|next| link(&format!("{path}/roles"), &[("after", &next)])),
        path,
        group,
        rows: read.data.into_iter().map(RoleRow::from).collect(),
        is_first: after.is_empty(),
    })
}
