//! Users: list, and the page of one with groups, roles and effective access.

use askama::Template;
use axum::{extract::Path, http::StatusCode};
use openai_admin::{
    AccessPathKind, Error, UserId,
    models::{AccessPath, PermissionAccess, User},
};

use crate::{
    base::{
        fields::{escaped, link},
        frame::{Frame, Section},
        lists,
        page::{Answer, page},
    },
    nouns::{people::Person, runs},
    visit::{ChangeForm, Visit},
};

/// Rows of a page.
const PAGE_SIZE: i64 = 100;
/// Groups of a user that a page shows.
const GROUPS_MAX: i64 = 1000;

#[derive(Template)]
#[template(path = "users.html")]
struct UsersPage {
    frame: Frame,
    search: String,
    rows: Vec<Person>,
    is_first: bool,
    next: Option<String>,
}

pub(crate) async fn list(visit: Visit) -> Answer {
    let (search, after) = (visit.query.get("q").to_owned(), visit.query.get("after").to_owned());
    let (rows, next): (Vec<User>, _) = if search.is_empty() {
        let call = visit.client.users().list_users().limit(PAGE_SIZE);
        let (page, next) = lists::read(call, &after).await?;
        (page.data, next)
    } else {
        let call = visit.client.search().search_users(&*search).limit(PAGE_SIZE);
        let (page, next) = lists::read(call, &after).await?;
        (page.data, next)
    };
    let rows = rows.into_iter().map(Person::from).collect();
    let next = next.map(|next| link("/console/users", &[("q", &search), ("after", &next)]));
    let frame = visit.frame(Section::Users, "Users");
    page(&UsersPage { frame, search, rows, is_first: after.is_empty(), next })
}

/// The page of a user.
pub(crate) fn path_of(id: &str) -> String {
    format!("/console/users/{}", escaped(id))
}

/// A permission with every path to it.
struct PermissionRow {
    permission: String,
    paths: Vec<PathRow>,
}

impl From<PermissionAccess> for PermissionRow {
    fn from(access: PermissionAccess) -> Self {
        Self { permission: access.permission, paths: access.paths.into_iter().map(PathRow::from).collect() }
    }
}

/// A path to a permission.
struct PathRow {
    role_id: String,
    role_name: String,
    /// The group that has the role, with its name.
    group: Option<(String, String)>,
    is_implied: bool,
    is_assumed: bool,
}

impl From<AccessPath> for PathRow {
    fn from(path: AccessPath) -> Self {
        let name = path.group_name.unwrap_or_default();
        Self {
            role_id: path.role_id.to_string(),
            role_name: path.role_name,
            group: path.group_id.map(|id| (id.to_string(), name)),
            is_implied: path.kind == AccessPathKind::Implied,
            is_assumed: path.assumed,
        }
    }
}

#[derive(Template)]
#[template(path = "user.html")]
struct UserPage {
    frame: Frame,
    path: String,
    user: Person,
    groups: Vec<(String, String)>,
    has_more_groups: bool,
    permissions: Option<Vec<PermissionRow>>,
    can_plan: bool,
}

impl UserPage {
    fn has_assumed(&self) -> bool {
        self.permissions.iter().flatten().flat_map(|row| &row.paths).any(|path| path.is_assumed)
    }
}

pub(crate) async fn show(visit: Visit, Path(id): Path<String>) -> Answer {
    let client = &visit.client;
    let groups = client.users().list_user_groups(id.clone()).limit(GROUPS_MAX).await?.into_inner();
    // A key may read users without roles, or roles without users.
    let (user, permissions) = match client.access().retrieve_user_access(id.clone()).await {
        Ok(access) => {
            let access = access.into_inner();
            (access.user, Some(access.permissions.into_iter().map(PermissionRow::from).collect()))
        }
        Err(error) if error.status() == Some(StatusCode::FORBIDDEN) => (None, None),
        Err(error) => return Err(error.into()),
    };
    let user = match user {
        Some(user) => user,
        None => client.users().retrieve_user(id.clone()).await?.into_inner(),
    };
    let user = Person::from(user);
    page(&UserPage {
        frame: visit.frame(Section::Users, user.shown().to_owned()),
        path: path_of(&id),
        has_more_groups: groups.has_more,
        groups: groups.data.into_iter().map(|group| (group.id.to_string(), group.name)).collect(),
        user,
        permissions,
        can_plan: visit.state.pages.runs.is_some(),
    })
}

/// Plans to remove the user from all groups and to end the user's rights.
pub(crate) async fn offboard(Path(id): Path<String>, form: ChangeForm) -> Answer {
    let user = UserId::try_from(id).map_err(Error::from)?;
    let caller = form.visit.session.as_ref().map(|session| session.open.caller.actor().to_owned());
    let planned = runs::planner(&form.visit)?.plan_offboarding(&user, caller.as_deref()).await;
    runs::keep(&form.visit, planned)
}
