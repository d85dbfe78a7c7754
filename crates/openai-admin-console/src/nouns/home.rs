//! The first page: numbers of resources, keys that end soon, and the last changes.

use askama::Template;
use openai_admin::models::{Count, Counts};

use crate::{
    base::{
        frame::{Frame, Section},
        moment::Moment,
        numbers::counted,
        page::{Answer, page},
    },
    nouns::{audit_logs, emulator, sentence::Sentence},
    visit::Visit,
};

/// The page checks this many keys, oldest first, for an end that is near.
const KEYS_MAX: i64 = 100;
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
    // A key may lack the scopes of a part of the page.
    let counts = client.counts().retrieve_counts().await.ok();
    let keys = client.admin_api_keys().list_admin_api_keys().limit(KEYS_MAX).await;
    let soon = emulator::now(&visit).await?.unix_seconds() + SOON_SECONDS;
    let ending_keys = keys.as_ref().map(|keys| {
        let ending = keys.data.iter().filter_map(|key| {
            let end = key.expires_at.filter(|end| end.unix_seconds() < soon)?;
            Some((key.id.to_string(), key.name.clone().unwrap_or_default(), Moment::from(end)))
        });
        ending.collect()
    });
    let is_empty = counts.as_ref().is_some_and(|counts| counts.users.number == 0);
    let card = |name, path, count: fn(&Counts) -> Option<&Count>| Card {
        name,
        path,
        count: counts
            .as_deref()
            .and_then(count)
            .map(|count| counted(count.number.unsigned_abs(), count.has_more)),
    };
    let cards = vec![
        card("Groups", "/console/groups", |counts| counts.groups.as_ref()),
        card("Users", "/console/users", |counts| Some(&counts.users)),
        card("Projects", "/console/projects", |counts| Some(&counts.projects)),
        card("Admin keys", "/console/keys", |counts| Some(&counts.admin_api_keys)),
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
