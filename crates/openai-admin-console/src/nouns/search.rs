//! Search for users and groups by the start of a name, an address or an id.

use askama::Template;

use crate::{
    base::{
        fields::link,
        frame::{Frame, Section},
        page::{Answer, page},
    },
    nouns::{groups::GroupRow, people::Person},
    visit::Visit,
};

/// Results of each kind.
const SHOWN_MAX: i64 = 20;

#[derive(Template)]
#[template(path = "search.html")]
struct SearchPage {
    frame: Frame,
    search: String,
    groups: Vec<GroupRow>,
    users: Vec<Person>,
    /// Links to lists with more results.
    more_groups: Option<String>,
    more_users: Option<String>,
}

pub(crate) async fn show(visit: Visit) -> Answer {
    let search = visit.query.get("q").to_owned();
    let mut found = SearchPage {
        frame: visit.frame(Section::Other, "Search"),
        search: search.clone(),
        groups: Vec::new(),
        users: Vec::new(),
        more_groups: None,
        more_users: None,
    };
    if search.is_empty() {
        return page(&found);
    }
    let groups = visit.client.search().search_groups(&*search).limit(SHOWN_MAX).await?.into_inner();
    let users = visit.client.search().search_users(&*search).limit(SHOWN_MAX).await?.into_inner();
    let more = |path| link(path, &[("q", &search)]);
    found.more_groups = groups.has_more.then(|| more("/console/groups"));
    found.more_users = users.has_more.then(|| more("/console/users"));
    found.groups = groups.data.into_iter().map(GroupRow::from).collect();
    found.users = users.data.into_iter().map(Person::from).collect();
    page(&found)
}
