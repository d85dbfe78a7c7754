//! Projects: list, and the page of one with its users and groups.

use askama::Template;
use axum::extract::Path;
use openai_admin::{ProjectStatus, models::Project};

use crate::{
    base::{
        fields::link,
        frame::{Frame, Section},
        lists,
        moment::Moment,
        page::{Answer, page},
    },
    visit::Visit,
};

const PAGE_SIZE: i64 = 100;

struct ProjectRow {
    id: String,
    name: String,
    status: String,
    created_at: Moment,
}

impl From<Project> for ProjectRow {
    fn from(project: Project) -> Self {
        Self {
            name: project.name.unwrap_or_else(|| project.id.to_string()),
            id: project.id.to_string(),
            status: project.status.as_ref().map(ProjectStatus::as_str).unwrap_or_default().to_owned(),
            created_at: project.created_at.into(),
        }
    }
}

#[derive(Template)]
#[template(path = "projects.html")]
struct ProjectsPage {
    frame: Frame,
    rows: Vec<ProjectRow>,
    is_first: bool,
    next: Option<String>,
}

pub(crate) async fn list(visit: Visit) -> Answer {
    let after = visit.query.get("after").to_owned();
    let call = visit.client.projects().list_projects().limit(PAGE_SIZE);
    let (read, next) = lists::read(call, &after).await?;
    page(&ProjectsPage {
        frame: visit.frame(Section::Projects, "Projects"),
        next: next.map(|next| link("/console/projects", &[("after", &next)])),
        rows: read.data.into_iter().map(ProjectRow::from).collect(),
        is_first: after.is_empty(),
    })
}

/// A user or a group of a project.
struct MemberRow {
    id: String,
    name: String,
    detail: String,
}

#[derive(Template)]
#[template(path = "project.html")]
struct ProjectPage {
    frame: Frame,
    project: ProjectRow,
    users: Vec<MemberRow>,
    has_more_users: bool,
    groups: Vec<MemberRow>,
    has_more_groups: bool,
}

pub(crate) async fn show(visit: Visit, Path(id): Path<String>) -> Answer {
    let client = &visit.client;
    let project: ProjectRow = client.projects().retrieve_project(id.clone()).await?.into_inner().into();
    let users = client.project_users().list_project_users(id.clone()).limit(PAGE_SIZE).await?.into_inner();
    let groups = client.project_groups().list_project_groups(id).limit(PAGE_SIZE).await?.into_inner();
    let (has_more_users, has_more_groups) = (users.has_more, groups.has_more);
    let users = users.data.into_iter().map(|user| MemberRow {
        name: user.name.or(user.email).map_or_else(|| user.id.to_string(), |name| name.to_string()),
        id: user.id.to_string(),
        detail: user.role.to_string(),
    });
    let groups = groups.data.into_iter().map(|group| MemberRow {
        name: group.group_name,
        id: group.group_id.to_string(),
        detail: String::new(),
    });
    page(&ProjectPage {
        frame: visit.frame(Section::Projects, project.name.clone()),
        project,
        users: users.collect(),
        has_more_users,
        groups: groups.collect(),
        has_more_groups,
    })
}
