//! Search for users and groups by the start of a name, an address or an id.

use askama::Template;

use crate::{
    base::{
        fields::link,
        frame::{Frame, Section},
        page::{Answer, page},
    },
    nouns::{
        groups::{self, GroupRow},
        people::Person,
        users,
    },
    visit::Visit,
};

/// Results of each kind.
const SHOWN_MAX: usize = 20;

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
    let groups = groups::starting_with(&visit.client, &search, "").await?;
    let users = users::starting_with(&visit.client, &search, "").await?;
    let has_more = |next: &Option<String>, length: usize| next.is_some() || length > SHOWN_MAX;
    let more = |path| Some(link(path, &[("q", &search)]));
    if has_more(&groups.next, groups.groups.len()) {
        found.more_groups = more("/console/groups");
    }
    if has_more(&users.next, users.users.len()) {
        found.more_users = more("/console/users");
    }
    found.groups = groups.groups.into_iter().take(SHOWN_MAX).collect();
    found.users = users.users.into_iter().take(SHOWN_MAX).collect();
    page(&found)
}
