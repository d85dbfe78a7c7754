//! Admin API keys: list, create (the value is shown once), revoke.

use askama::Template;
use axum::extract::Path;
use openai_admin::{Error, models::CreateAdminApiKeyBody};
use openai_admin_sync::render::shell_word;

use crate::{
    base::{
        failure::Failure,
        fields::{escaped, link},
        frame::{Frame, Section},
        lists,
        moment::Moment,
        page::{Answer, page, see},
    },
    nouns::groups::ConfirmPage,
    session::with_notice,
    visit::{ChangeForm, Visit},
};

const PAGE_SIZE: i64 = 100;
const PATH: &str = "/console/keys";

struct KeyRow {
    id: String,
    name: String,
    redacted: String,
    created_at: Moment,
    expires_at: Option<Moment>,
    last_used_at: Option<Moment>,
    /// Whether this session uses the key.
    is_own: bool,
}

#[derive(Template)]
#[template(path = "keys.html")]
struct KeysPage {
    frame: Frame,
    rows: Vec<KeyRow>,
    is_first: bool,
    next: Option<String>,
    /// The value of a key that was just created.
    created: Option<String>,
}

pub(crate) async fn list(visit: Visit) -> Answer {
    show(visit, None).await
}

async fn show(visit: Visit, created: Option<String>) -> Answer {
    let after = visit.query.get("after").to_owned();
    let call = visit.client.admin_api_keys().list_admin_api_keys().limit(PAGE_SIZE);
    let (read, next) = lists::read(call, &after).await?;
    let rows = read.data.into_iter().map(|key| KeyRow {
        is_own: is_own(&visit, key.id.as_str()),
        id: key.id.to_string(),
        name: key.name.unwrap_or_default(),
        redacted: key.redacted_value,
        created_at: key.created_at.into(),
        expires_at: key.expires_at.map(Moment::from),
        last_used_at: key.last_used_at.map(Moment::from),
    });
    page(&KeysPage {
        frame: visit.frame(Section::Keys, "Admin keys"),
        rows: rows.collect(),
        is_first: after.is_empty(),
        next: next.map(|next| link(PATH, &[("after", &next)])),
        created,
    })
}

fn is_own(visit: &Visit, id: &str) -> bool {
    visit.session.as_ref().is_some_and(|session| session.open.caller.actor() == id)
}

pub(crate) async fn create(form: ChangeForm) -> Answer {
    let mut body = CreateAdminApiKeyBody::new(form.fields.get("name").try_into().map_err(Error::from)?);
    if let Some(days) = form.fields.given("days") {
        let days: i64 =
            days.parse().map_err(|_| Failure::invalid(format!("invalid number of days \"{days}\"")))?;
        body.expires_in_seconds = Some((days * 24 * 60 * 60).try_into().map_err(Error::from)?);
    }
    let created = form.visit.client.admin_api_keys().create_admin_api_key(body).await?.into_inner();
    show(form.visit, Some(created.value.to_string())).await
}

pub(crate) async fn confirm_revoke(visit: Visit, Path(id): Path<String>) -> Answer {
    let key = visit.client.admin_api_keys().retrieve_admin_api_key(id.clone()).await?.into_inner();
    let name = key.name.unwrap_or_else(|| id.clone());
    page(&ConfirmPage {
        frame: visit.frame(Section::Keys, format!("Revoke {name}")),
        question: format!("Revoke the key {name}?"),
        effect: "Its next request is refused, and its sessions in the console end. This cannot be undone."
            .to_owned(),
        action: format!("{PATH}/{}/revoke", escaped(&id)),
        button: "Revoke key",
        typed: None,
        back: PATH.to_owned(),
        command: format!("openai-admin admin-api-keys delete {}", shell_word(&id)),
    })
}

pub(crate) async fn revoke(Path(id): Path<String>, form: ChangeForm) -> Answer {
    if is_own(&form.visit, &id) {
        return Err(
            Failure::refused("this session uses the key").hint("Sign in with another key to revoke it.")
        );
    }
    form.visit.client.admin_api_keys().delete_admin_api_key(id).await?;
    see(&with_notice(PATH, "revoked"))
}
