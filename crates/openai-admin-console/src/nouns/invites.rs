//! Invites: list, send, delete.

use askama::Template;
use axum::extract::Path;
use openai_admin::{Error, InviteRole, InviteStatus, models::InviteRequest};

use crate::{
    base::{
        fields::link,
        frame::{Frame, Section},
        lists,
        moment::Moment,
        page::{Answer, page, see},
    },
    session::with_notice,
    visit::{ChangeForm, Visit},
};

const PAGE_SIZE: i64 = 100;

struct InviteRow {
    id: String,
    email: String,
    role: String,
    status: String,
    is_pending: bool,
    created_at: Moment,
    expires_at: Option<Moment>,
}

#[derive(Template)]
#[template(path = "invites.html")]
struct InvitesPage {
    frame: Frame,
    rows: Vec<InviteRow>,
    is_first: bool,
    next: Option<String>,
}

pub(crate) async fn list(visit: Visit) -> Answer {
    let after = visit.query.get("after").to_owned();
    let call = visit.client.invites().list_invites().limit(PAGE_SIZE);
    let (read, next) = lists::read(call, &after).await?;
    let rows = read.data.into_iter().map(|invite| InviteRow {
        id: invite.id.to_string(),
        email: invite.email.to_string(),
        role: invite.role.as_str().to_owned(),
        is_pending: invite.status == InviteStatus::Pending,
        status: invite.status.as_str().to_owned(),
        created_at: invite.created_at.into(),
        expires_at: invite.expires_at.map(Moment::from),
    });
    page(&InvitesPage {
        frame: visit.frame(Section::Invites, "Invites"),
        rows: rows.collect(),
        is_first: after.is_empty(),
        next: next.map(|next| link("/console/invites", &[("after", &next)])),
    })
}

pub(crate) async fn create(form: ChangeForm) -> Answer {
    let email = form.fields.get("email").try_into().map_err(Error::from)?;
    let role = InviteRole::from(form.fields.get("role"));
    form.visit.client.invites().invite_user(InviteRequest::new(email, role)).await?;
    see(&with_notice("/console/invites", "created"))
}

pub(crate) async fn delete(Path(id): Path<String>, form: ChangeForm) -> Answer {
    form.visit.client.invites().delete_invite(id).await?;
    see(&with_notice("/console/invites", "deleted"))
}
