//! Groups: list, create, show, delete.

use askama::Template;
use axum::extract::Path;
use openai_admin::{
    Client, Error, GroupId, GroupType, Order,
    models::{CreateGroupBody, GroupResponse, GroupUser},
};
use openai_admin_sync::render::shell_word;

use crate::{
    base::{
        failure::Failure,
        fields::{escaped, link},
        frame::{Frame, Section},
        lists,
        moment::Moment,
        numbers::counted,
        page::{Answer, page, see},
    },
    session::with_notice,
    visit::{ChangeForm, Visit},
};

/// Rows of a page.
const PAGE_SIZE: i64 = 100;
/// Groups that one request finds, to select all of them.
const SEARCH_PAGE_SIZE: i64 = 1000;
/// Members of a group that a page counts at most.
const COUNTED_MAX: i64 = 1000;

/// A group in a table.
pub(crate) struct GroupRow {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) managed: &'static str,
    pub(crate) created_at: Moment,
}

impl From<GroupResponse> for GroupRow {
    fn from(group: GroupResponse) -> Self {
        Self {
            managed: managed(&group),
            id: group.id.to_string(),
            name: group.name,
            created_at: group.created_at.into(),
        }
    }
}

/// Who manages the members of a group.
fn managed(group: &GroupResponse) -> &'static str {
    match group.group_type {
        GroupType::TenantGroup => "tenant",
        _ if group.is_scim_managed => "SCIM",
        _ => "",
    }
}

/// The ids and names of all groups whose name or id starts with a text.
pub(crate) async fn all_starting_with(
    client: &Client,
    text: &str,
    groups_max: usize,
) -> Result<Vec<(GroupId, String)>, Failure> {
    let (mut all, mut after) = (Vec::new(), String::new());
    loop {
        let call = client.search().search_groups(text).limit(SEARCH_PAGE_SIZE);
        let (found, next) = lists::read(call, &after).await?;
        all.extend(found.data.into_iter().map(|group| (group.id, group.name)));
        if all.len() > groups_max {
            let message = format!("more than {groups_max} groups match");
            return Err(Failure::invalid(message).hint("Nothing was changed. Search for fewer groups."));
        }
        match next {
            Some(next) => after = next,
            None => return Ok(all),
        }
    }
}

#[derive(Template)]
#[template(path = "groups.html")]
struct GroupsPage {
    frame: Frame,
    search: String,
    order: &'static str,
    rows: Vec<GroupRow>,
    is_first: bool,
    next: Option<String>,
    can_plan: bool,
}

pub(crate) async fn list(visit: Visit) -> Answer {
    let (search, after) = (visit.query.get("q").to_owned(), visit.query.get("after").to_owned());
    let (order, order_name) = match visit.query.get("order") {
        "desc" => (Order::Desc, "desc"),
        _ => (Order::Asc, "asc"),
    };
    let (groups, next) = if search.is_empty() {
        let call = visit.client.groups().list_groups().limit(PAGE_SIZE).order(order);
        lists::read(call, &after).await?
    } else {
        let call = visit.client.search().search_groups(&*search).limit(PAGE_SIZE).order(order);
        lists::read(call, &after).await?
    };
    let rows = groups.data.into_iter().map(GroupRow::from).collect();
    let next =
        next.map(|next| link("/console/groups", &[("q", &search), ("order", order_name), ("after", &next)]));
    let frame = visit.frame(Section::Groups, "Groups");
    let (is_first, can_plan) = (after.is_empty(), visit.state.pages.runs.is_some());
    page(&GroupsPage { frame, search, order: order_name, rows, is_first, next, can_plan })
}

pub(crate) async fn create(form: ChangeForm) -> Answer {
    let name = form.fields.get("name").try_into().map_err(Error::from)?;
    let created = form.visit.client.groups().create_group(CreateGroupBody::new(name)).await?;
    see(&with_notice(&path_of(created.id.as_str()), "created"))
}

/// The page of a group.
pub(crate) fn path_of(id: &str) -> String {
    format!("/console/groups/{}", escaped(id))
}

/// A member in the table of a group.
struct MemberRow {
    id: String,
    name: String,
    email: String,
}

#[derive(Template)]
#[template(path = "group.html")]
struct GroupPage {
    frame: Frame,
    path: String,
    /// The start of the shown members.
    search: String,
    group: GroupRow,
    /// Why the members cannot be edited here.
    managed_elsewhere: Option<&'static str>,
    /// The number of members, on the first page.
    count: Option<String>,
    members: Vec<MemberRow>,
    is_first: bool,
    next: Option<String>,
    order: &'static str,
    can_plan: bool,
}

pub(crate) async fn show(visit: Visit, Path(id): Path<String>) -> Answer {
    let group = visit.client.groups().retrieve_group(id.clone()).await?.into_inner();
    let after = visit.query.get("after").to_owned();
    let (order, order_name) = match visit.query.get("order") {
        "asc" => (Order::Asc, "asc"),
        _ => (Order::Desc, "desc"),
    };
    let search = visit.query.get("q").to_owned();
    let found = members(&visit.client, &id, order, &search, &after).await?;
    let path = path_of(&id);
    let next = found.next.map(|next| link(&path, &[("q", &search), ("order", order_name), ("after", &next)]));
    let is_first = after.is_empty();
    let members = found.users.into_iter().map(|user| MemberRow {
        id: user.id.to_string(),
        name: user.name.to_string(),
        email: user.email.map(|email| email.to_string()).unwrap_or_default(),
    });
    let managed_elsewhere = match managed(&group) {
        "" => None,
        "SCIM" => Some("An identity provider manages this group by SCIM. Change its members there."),
        _ => Some("The tenant shares this group. Change its members there."),
    };
    page(&GroupPage {
        frame: visit.frame(Section::Groups, group.name.clone()),
        path,
        search,
        managed_elsewhere,
        group: group.into(),
        count: found.count,
        members: members.collect(),
        is_first,
        next,
        order: order_name,
        can_plan: visit.state.pages.runs.is_some(),
    })
}

/// Members of a page.
struct FoundMembers {
    users: Vec<GroupUser>,
    next: Option<String>,
    /// The number of all members, up to [`COUNTED_MAX`], if the page is the first one of all.
    count: Option<String>,
}

/// A page of members, or of the members that match a search. The request for the first page of all members also counts
/// them.
async fn members(
    client: &Client,
    id: &str,
    order: Order,
    search: &str,
    after: &str,
) -> Result<FoundMembers, Error> {
    if !search.is_empty() {
        let call = client.search().search_group_users(id, search).limit(PAGE_SIZE).order(order);
        let (found, next) = lists::read(call, after).await?;
        return Ok(FoundMembers { users: found.data, next, count: None });
    }
    let is_counted = after.is_empty();
    let size = if is_counted { COUNTED_MAX } else { PAGE_SIZE };
    let call = client.group_users().list_group_users(id).limit(size).order(order);
    let (read, next) = lists::read(call, after).await?;
    let mut found = FoundMembers { users: read.data, next, count: None };
    if is_counted {
        found.count = Some(counted(found.users.len() as u64, found.next.is_some()));
        if found.users.len() > PAGE_SIZE as usize {
            found.users.truncate(PAGE_SIZE as usize);
            found.next = found.users.last().map(|user| user.id.to_string());
        }
    }
    Ok(found)
}

/// The number of members, up to [`COUNTED_MAX`]: counting all of a large group would read all of it.
async fn bounded_count(client: &Client, id: &str) -> Result<String, Error> {
    let read = client.group_users().list_group_users(id).limit(COUNTED_MAX).await?;
    Ok(counted(read.data.len() as u64, read.has_more))
}

#[derive(Template)]
#[template(path = "confirm.html")]
pub(crate) struct ConfirmPage {
    pub(crate) frame: Frame,
    pub(crate) question: String,
    pub(crate) effect: String,
    pub(crate) action: String,
    pub(crate) button: &'static str,
    /// The text to type, if the action cannot be undone.
    pub(crate) typed: Option<String>,
    pub(crate) back: String,
    pub(crate) command: String,
}

pub(crate) async fn confirm_delete(visit: Visit, Path(id): Path<String>) -> Answer {
    let group = visit.client.groups().retrieve_group(id.clone()).await?.into_inner();
    let count = bounded_count(&visit.client, &id).await?;
    page(&ConfirmPage {
        frame: visit.frame(Section::Groups, format!("Delete {}", group.name)),
        question: format!("Delete the group {}?", group.name),
        effect: format!("{count} memberships and the roles of the group end. This cannot be undone."),
        action: format!("{}/delete", path_of(&id)),
        button: "Delete group",
        typed: Some(group.name),
        back: path_of(&id),
        command: format!("openai-admin groups delete {}", shell_word(&id)),
    })
}

pub(crate) async fn delete(Path(id): Path<String>, form: ChangeForm) -> Answer {
    let group = form.visit.client.groups().retrieve_group(id.clone()).await?.into_inner();
    if form.fields.get("typed") != group.name.trim() {
        return Err(Failure::invalid(format!("type the name of the group, {}", group.name))
            .hint("Nothing was changed."));
    }
    form.visit.client.groups().delete_group(id).await?;
    see(&with_notice("/console/groups", "deleted"))
}
