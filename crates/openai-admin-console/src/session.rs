//! Sign in, unlock, sign out.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{Request, State as Shared},
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse, Redirect, Response},
};
use openai_admin_server::{ConsoleSessions, RefusedKey};

use crate::{
    base::{
        cookies::{self, Cookies},
        failure::Failure,
        fields::Fields,
        frame::{Frame, Scheme, Section},
        page::{Answer, page_with, see},
    },
    state::State,
    visit::{SignedForm, Visit, read_form},
};

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    frame: Frame,
    token: String,
    back: String,
    problem: Option<String>,
    /// The secret of a sign-in link, which replaces the key.
    link: Option<String>,
}

#[derive(Template)]
#[template(path = "unlock.html")]
struct UnlockPage {
    frame: Frame,
    back: String,
    needs_key: bool,
    key_name: String,
    problem: Option<String>,
}

/// A page of the console to return to. Anything else becomes the first page, so that a link cannot lead elsewhere.
fn page_of_console(back: &str) -> &str {
    let is_own = back.starts_with("/console") && !back.contains('\\') && !back.starts_with("/console/sign-");
    if is_own { back } else { "/console" }
}

fn sessions(state: &State) -> Result<&ConsoleSessions, Failure> {
    state.sessions().ok_or_else(|| Failure::not_found("the emulator needs no sign-in"))
}

/// A visitor without a session.
#[derive(Clone, Copy)]
struct Visitor {
    cookies: Cookies,
    scheme: Option<Scheme>,
}

impl Visitor {
    fn of(state: &State, uri: &Uri, headers: &HeaderMap) -> Self {
        let cookies = Cookies::of(uri, headers, state.pages.is_secure);
        Self { cookies, scheme: Scheme::chosen(cookies, headers) }
    }
}

/// Shows the sign-in form. It belongs to the visitor's cookie, so that no other site can sign a visitor in.
fn form(
    state: &State,
    visitor: Visitor,
    status: StatusCode,
    back: &str,
    link: Option<String>,
    problem: Option<String>,
) -> Answer {
    let sessions = sessions(state)?;
    let secret = sessions.new_secret();
    let frame = Frame::without_session("Sign in", "", visitor.scheme);
    let token = sessions.form_token(&secret);
    let back = page_of_console(back).to_owned();
    let response = page_with(status, &SignInPage { frame, token, back, problem, link })?;
    Ok(with_cookie(response, visitor.cookies.set(cookies::VISITOR, &secret)))
}

fn with_cookie(mut response: Response, cookie: axum::http::HeaderValue) -> Response {
    response.headers_mut().append(header::SET_COOKIE, cookie);
    response
}

pub(crate) async fn sign_in(Shared(state): Shared<Arc<State>>, uri: Uri, headers: HeaderMap) -> Answer {
    let query = Fields::parse(uri.query().unwrap_or_default().as_bytes());
    form(&state, Visitor::of(&state, &uri, &headers), StatusCode::OK, query.get("back"), None, None)
}

/// The page of a sign-in link. The link is used only when its form is sent, so that a preview does not use it.
pub(crate) async fn sign_in_link(Shared(state): Shared<Arc<State>>, uri: Uri, headers: HeaderMap) -> Answer {
    let query = Fields::parse(uri.query().unwrap_or_default().as_bytes());
    form(
        &state,
        Visitor::of(&state, &uri, &headers),
        StatusCode::OK,
        "",
        Some(query.get("secret").to_owned()),
        None,
    )
}

pub(crate) async fn open_session(Shared(state): Shared<Arc<State>>, request: Request) -> Answer {
    let sessions = sessions(&state)?;
    let (parts, body) = request.into_parts();
    let fields = read_form(&parts, body).await?;
    let back = page_of_console(fields.get("back")).to_owned();
    let visitor = Visitor::of(&state, &parts.uri, &parts.headers);
    let cookies = visitor.cookies;
    if !is_own_form(cookies, sessions, &parts.headers, &fields) {
        let problem = Some("The form has expired. Sign in again.".to_owned());
        return form(&state, visitor, StatusCode::FORBIDDEN, &back, None, problem);
    }
    let opened = match fields.given("link") {
        Some(secret) => match state.use_link(secret) {
            Some(operator) => sessions.sign_in_locally(&operator).await,
            None => {
                let problem =
                    Some("The link was used or has expired. Start `openai-admin console` again.".to_owned());
                return form(&state, visitor, StatusCode::FORBIDDEN, &back, None, problem);
            }
        },
        None => sessions.sign_in(fields.get("key"), &parts.extensions).await,
    };
    match opened {
        Ok(secret) => {
            let session = cookies.set(cookies::SESSION, &secret);
            let response = with_cookie(Redirect::to(&back).into_response(), session);
            Ok(with_cookie(response, cookies.set(cookies::VISITOR, "")))
        }
        Err(refused) => form(&state, visitor, status(&refused), &back, None, Some(refused.message)),
    }
}

fn is_own_form(cookies: Cookies, sessions: &ConsoleSessions, headers: &HeaderMap, fields: &Fields) -> bool {
    let visitor = cookies.read(headers, cookies::VISITOR);
    visitor.is_some_and(|visitor| sessions.is_form_token(visitor, fields.raw("token")))
}

fn status(refused: &RefusedKey) -> StatusCode {
    StatusCode::from_u16(refused.status).unwrap_or(StatusCode::UNAUTHORIZED)
}

pub(crate) async fn sign_out(form: SignedForm) -> Answer {
    let state = &form.visit.state;
    if let (Some(sessions), Some(session)) = (state.sessions(), &form.visit.session) {
        let ended = sessions.sign_out(&session.secret, &session.open).await;
        ended.map_err(|refused| Failure::new(status(&refused), "Not signed out", refused.message))?;
    }
    let cookie = form.cookies.set(cookies::SESSION, "");
    Ok(with_cookie(Redirect::to(crate::visit::SIGN_IN).into_response(), cookie))
}

fn unlock_page(visit: &Visit, status: StatusCode, back: &str, problem: Option<String>) -> Answer {
    let key_name = visit.session.as_ref().and_then(|session| session.open.key_name.clone());
    let needs_key = key_name.is_some();
    page_with(
        status,
        &UnlockPage {
            frame: visit.frame(Section::Other, "Unlock"),
            back: page_of_console(back).to_owned(),
            needs_key,
            key_name: key_name.unwrap_or_default(),
            problem,
        },
    )
}

pub(crate) async fn unlock(visit: Visit) -> Answer {
    unlock_page(&visit, StatusCode::OK, visit.query.get("back"), None)
}

pub(crate) async fn unlock_session(request: Request) -> Response {
    let extensions = request.extensions().clone();
    let form = match <SignedForm as axum::extract::FromRequest<()>>::from_request(request, &()).await {
        Ok(form) => form,
        Err(response) => return response,
    };
    let SignedForm { visit, fields, .. } = form;
    let back = page_of_console(fields.get("back"));
    let (Some(sessions), Some(session)) = (visit.state.sessions(), &visit.session) else {
        return Redirect::to(back).into_response();
    };
    let unlocked = sessions.unlock(&session.secret, &session.open, fields.get("key"), &extensions).await;
    let answer = match unlocked {
        Ok(()) => see(&with_notice(back, "unlocked")),
        Err(refused) => unlock_page(&visit, status(&refused), back, Some(refused.message)),
    };
    answer.into_response()
}

pub(crate) async fn lock_session(form: SignedForm) -> Answer {
    let SignedForm { visit, fields, .. } = form;
    if let (Some(sessions), Some(session)) = (visit.state.sessions(), &visit.session) {
        let locked = sessions.lock(&session.secret).await;
        locked.map_err(|refused| Failure::new(status(&refused), "Not locked", refused.message))?;
    }
    see(&with_notice(page_of_console(fields.get("back")), "locked"))
}

/// Keeps the choice of a colour scheme in a cookie.
pub(crate) async fn set_scheme(form: SignedForm) -> Answer {
    let SignedForm { fields, cookies, .. } = form;
    let scheme = Scheme::named(fields.get("scheme")).map_or("", Scheme::name);
    let answer = see(page_of_console(fields.get("back")))?;
    Ok(with_cookie(answer, cookies.set(cookies::SCHEME, scheme)))
}

/// A path with the name of a notice, which replaces an earlier one.
pub(crate) fn with_notice(path: &str, name: &str) -> String {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let others = query.split('&').filter(|field| !field.is_empty() && !field.starts_with("notice="));
    let others: String = others.map(|field| format!("{field}&")).collect();
    format!("{path}?{others}notice={name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_cannot_lead_to_another_site() {
        for (back, page) in [
            ("/console/groups?q=a", "/console/groups?q=a"),
            ("", "/console"),
            ("//evil.example", "/console"),
            ("https://evil.example", "/console"),
            ("/console\\evil", "/console"),
            ("/console/sign-out", "/console"),
        ] {
            assert_eq!(page_of_console(back), page, "{back}");
        }
    }

    #[test]
    fn a_notice_replaces_an_earlier_one() {
        assert_eq!(with_notice("/console", "locked"), "/console?notice=locked");
        assert_eq!(with_notice("/console?notice=created&q=a", "locked"), "/console?q=a&notice=locked");
    }
}
