//! The first page: numbers of resources, keys that end soon, and the last changes.

use askama::Template;

use crate::{
    base::{
        frame::{Frame, Section},
        moment::Moment,
        page::{Answer, page},
    },
    nouns::{audit_logs, emulator, sentence::Sentence},
    visit::Visit,
};

/// Resources that a card counts at most.
const COUNTED_MAX: i64 = 100;
/// A key that ends within this time is shown, in seconds.
const SOON_SECONDS: i64 = 14 * 24 * 60 * 60;

/// The number of resources of a kind.
struct Card {
    name: &'static str,
    path: &'static str,
    count: Option<String>,
}

#[derive(Template)]
#[template(path = "home.html")]
struct HomePage {
    frame: Frame,
    cards: Vec<Card>,
    is_empty: bool,
    /// Keys that end soon: id, name, end.
    ending_keys: Vec<(String, String, Moment)>,
    events: Option<Vec<Sentence>>,
    version: &'static str,
}

pub(crate) async fn show(visit: Visit) -> Answer {
    let client = &visit.client;
    let groups = client.groups().list_groups().limit(COUNTED_MAX).await;
    let users = client.users().list_users().limit(COUNTED_MAX).await;
    let projects = client.projects().list_projects().limit(COUNTED_MAX).await;
    let keys = client.admin_api_keys().list_admin_api_keys().limit(COUNTED_MAX).await;
    let count =
        |length: usize, has_more: bool| if has_more { format!("{length}+") } else { length.to_string() };
    let soon = emulator::now(&visit).await?.unix_seconds() + SOON_SECONDS;
    let ending_keys = keys.as_ref().map(|keys| {
        let ending = keys.data.iter().filter_map(|key| {
            let end = key.expires_at.filter(|end| end.unix_seconds() < soon)?;
            Some((key.id.to_string(), key.name.clone().unwrap_or_default(), Moment::from(end)))
        });
        ending.collect()
    });
    let is_empty = users.as_ref().is_ok_and(|users| users.data.is_empty());
    // A key may lack the scope of a list: its card has no number.
    let cards = vec![
        Card {
            name: "Groups",
            path: "/console/groups",
            count: groups.ok().map(|list| count(list.data.len(), list.has_more)),
        },
        Card {
            name: "Users",
            path: "/console/users",
            count: users.ok().map(|list| count(list.data.len(), list.has_more)),
        },
        Card {
            name: "Projects",
            path: "/console/projects",
            count: projects.ok().map(|list| count(list.data.len(), list.has_more)),
        },
        Card {
            name: "Admin keys",
            path: "/console/keys",
            count: keys.as_ref().ok().map(|list| count(list.data.len(), list.has_more)),
        },
    ];
    page(&HomePage {
        frame: visit.frame(Section::Home, "Overview"),
        cards,
        is_empty,
        ending_keys: ending_keys.unwrap_or_default(),
        events: audit_logs::newest(&visit).await.ok(),
        version: env!("CARGO_PKG_VERSION"),
    })
}
