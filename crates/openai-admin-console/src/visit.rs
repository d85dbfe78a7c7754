//! Who visits a page, and what the visit may do.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    extract::{FromRequest, FromRequestParts, Request, State as Shared},
    http::{HeaderMap, Method, StatusCode, Uri, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use http_body_util::{BodyExt as _, Limited};
use openai_admin::Client;
use openai_admin_server::{OpenSession, limits::BODY_TIMEOUT};
use tokio::{sync::OwnedSemaphorePermit, time::timeout};

use crate::{
    base::{
        cookies::{self, Cookies},
        failure::Failure,
        fields::{Fields, link},
        frame::{Frame, Scheme, Section, SessionFacts, notice},
        gzip, headers,
        moment::Moment,
        multipart,
        page::{Answer, page_with},
    },
    state::State,
};

/// The largest form, in bytes: 5,000 pasted addresses of the greatest length.
const FORM_BYTES_MAX: usize = 2 * 1024 * 1024;
/// The largest form with files, in bytes: a table of about 500,000 rows.
pub(crate) const UPLOAD_BYTES_MAX: usize = 16 * 1024 * 1024;
/// How long a form with files may take to arrive.
const UPLOAD_TIMEOUT: Duration = Duration::from_secs(100);
/// The header of requests that a live page sends without its reader.
const POLL: &str = "x-console-poll";
/// The path of the sign-in page.
pub(crate) const SIGN_IN: &str = "/console/sign-in";

/// A signed-in visitor.
#[derive(Clone)]
pub(crate) struct Visit {
    pub(crate) state: Arc<State>,
    /// The API with the scopes of the session.
    pub(crate) client: Client,
    /// The query of the page.
    pub(crate) query: Fields,
    /// The session; `None` in an emulator.
    pub(crate) session: Option<Arc<VisitSession>>,
    facts: SessionFacts,
    here: String,
    scheme: Option<Scheme>,
}

/// The session of a visit.
pub(crate) struct VisitSession {
    pub(crate) secret: String,
    pub(crate) open: OpenSession,
}

impl Visit {
    /// The parts around the content of a page.
    pub(crate) fn frame(&self, section: Section, title: impl Into<String>) -> Frame {
        Frame {
            title: title.into(),
            section,
            session: Some(self.facts.clone()),
            here: self.here.clone(),
            notice: notice(self.query.get("notice")),
            scheme: self.scheme,
        }
    }

    /// Whether the visit may change something.
    pub(crate) fn may_change(&self) -> bool {
        self.facts.is_emulator || self.facts.unlocked_until.is_some()
    }

    /// The name under which plans of this visit are kept.
    pub(crate) fn owner(&self) -> String {
        self.session.as_ref().map(|session| session.secret.clone()).unwrap_or_default()
    }
}

/// Who sent a request, before any page is chosen.
#[derive(Clone)]
enum Visitor {
    Known(Box<Visit>),
    /// A visitor without a session, with the chosen colour scheme.
    Unknown(Option<Scheme>),
}

/// Checks a request, finds its visitor, shows failures, and protects the answer.
pub(crate) async fn admit(Shared(state): Shared<Arc<State>>, mut request: Request, next: Next) -> Response {
    let cookies = Cookies::of(request.uri(), request.headers(), state.pages.is_secure);
    let scheme = Scheme::chosen(cookies, request.headers());
    let visitor = match check(&state, &request) {
        Ok(()) => find(&state, cookies, scheme, request.uri(), request.headers()).await,
        Err(failure) => Err(failure),
    };
    let may_compress = *request.method() == Method::GET && gzip::is_accepted(request.headers());
    let mut response = match &visitor {
        Ok(visitor) => {
            request.extensions_mut().insert(visitor.clone());
            next.run(request).await
        }
        Err(failure) => failure.clone().into_response(),
    };
    if let Some(failure) = response.extensions_mut().remove::<Failure>() {
        let shown = show(visitor.ok(), scheme, failure);
        response = shown.unwrap_or_else(|failure| failure.status.into_response());
    }
    headers::protect(response.headers_mut());
    if may_compress { gzip::compress(response).await } else { response }
}

/// Refuses foreign hosts, and changes that another site sends. A link of another site may lead here: its request has no
/// cookie, since cookies are strict, and changes nothing.
fn check(state: &State, request: &Request) -> Result<(), Failure> {
    let mut host = HeaderMap::new();
    for value in request.headers().get_all(header::HOST) {
        host.append(header::HOST, value.clone());
    }
    if let Err(refused) = state.pages.hosts.check(request.uri(), &host) {
        let status = StatusCode::MISDIRECTED_REQUEST;
        return Err(Failure::new(status, "Refused", refused.to_string()));
    }
    match *request.method() {
        Method::GET | Method::HEAD => Ok(()),
        _ if is_from_own_page(request.uri(), request.headers()) => Ok(()),
        _ => Err(Failure::refused("this form was not sent by a page of the console")),
    }
}

/// Whether the browser says that one of our pages sent the request.
fn is_from_own_page(uri: &Uri, headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return site == "same-origin";
    }
    let host = text("host").or_else(|| uri.authority().map(|authority| authority.as_str()));
    let origin = text("origin").and_then(|origin| origin.split_once("://")).map(|(_, host)| host);
    origin.is_some() && origin == host
}

async fn find(
    state: &Arc<State>,
    cookies: Cookies,
    scheme: Option<Scheme>,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<Visitor, Failure> {
    let here = uri.path_and_query().map_or("/console", |path| path.as_str()).to_owned();
    let query = Fields::parse(uri.query().unwrap_or_default().as_bytes());
    let known = |client, session, facts| {
        let state = Arc::clone(state);
        Visitor::Known(Box::new(Visit { state, client, query, session, facts, here, scheme }))
    };
    let Some(sessions) = state.sessions() else {
        let Some(client) = state.open_client() else { return Ok(Visitor::Unknown(scheme)) };
        let facts = SessionFacts {
            name: "emulator".to_owned(),
            organization: String::new(),
            unlocked_until: None,
            is_emulator: true,
            token: String::new(),
        };
        return Ok(known(client, None, facts));
    };
    let secret = cookies.read(headers, cookies::SESSION);
    let Some(secret) = secret else { return Ok(Visitor::Unknown(scheme)) };
    let unavailable = |refused: openai_admin_server::RefusedKey| {
        let status = StatusCode::from_u16(refused.status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
        Failure::new(status, "Unavailable", refused.message).hint("Nothing was changed. Try again.")
    };
    let is_use = !headers.contains_key(POLL);
    let open = sessions.find(secret, is_use).await.map_err(unavailable)?;
    let Some(open) = open else { return Ok(Visitor::Unknown(scheme)) };
    let client = state.client_of(open.acting_caller())?;
    let facts = SessionFacts {
        name: open.key_name.clone().unwrap_or_else(|| "this machine".to_owned()),
        organization: open.caller.organization_id().to_string(),
        unlocked_until: open.unlocked_until.map(Moment::from),
        is_emulator: false,
        token: sessions.form_token(secret),
    };
    let session = Arc::new(VisitSession { secret: secret.to_owned(), open });
    Ok(known(client, Some(session), facts))
}

#[derive(askama::Template)]
#[template(path = "failure.html")]
struct FailurePage {
    frame: Frame,
    failure: Failure,
}

/// The page of a failure.
fn show(visitor: Option<Visitor>, scheme: Option<Scheme>, failure: Failure) -> Answer {
    let title = failure.title;
    let frame = match visitor {
        Some(Visitor::Known(visit)) => visit.frame(Section::Other, title),
        _ => Frame::without_session(title, "/console", scheme),
    };
    page_with(failure.status, &FailurePage { frame, failure })
}

impl<S: Send + Sync> FromRequestParts<S> for Visit {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        match parts.extensions.get() {
            Some(Visitor::Known(visit)) => Ok((**visit).clone()),
            Some(Visitor::Unknown(scheme)) => Err(to_sign_in(parts, *scheme)),
            None => Err(to_sign_in(parts, None)),
        }
    }
}

#[derive(askama::Template)]
#[template(path = "arrival.html")]
struct ArrivalPage {
    frame: Frame,
}

/// Sends a visitor without a session to the sign-in page, and back afterwards. A visitor from another site may have a
/// session: the page for them leads to the same place from our own site.
fn to_sign_in(parts: &Parts, scheme: Option<Scheme>) -> Response {
    let here = parts.uri.path_and_query().map_or("", |path| path.as_str());
    let site = parts.headers.get("sec-fetch-site").and_then(|site| site.to_str().ok());
    if parts.method == Method::GET && matches!(site, Some("cross-site" | "same-site")) {
        let frame = Frame::without_session("Open the console", here, scheme);
        return page_with(StatusCode::OK, &ArrivalPage { frame }).into_response();
    }
    let back = if parts.method == Method::GET { here } else { "" };
    Redirect::to(&link(SIGN_IN, &[("back", back)])).into_response()
}

/// A form of a signed-in visitor, with the token of the session.
pub(crate) struct SignedForm {
    pub(crate) visit: Visit,
    pub(crate) fields: Fields,
    pub(crate) cookies: Cookies,
}

impl<S: Send + Sync> FromRequest<S> for SignedForm {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let visit = Visit::from_request_parts(&mut parts, state).await?;
        let fields = read_form(&parts, body).await.map_err(IntoResponse::into_response)?;
        check_token(&visit, &fields).map_err(IntoResponse::into_response)?;
        let cookies = Cookies::of(&parts.uri, &parts.headers, visit.state.pages.is_secure);
        Ok(Self { visit, fields, cookies })
    }
}

/// A form that changes something: the session must be unlocked.
pub(crate) struct ChangeForm {
    pub(crate) visit: Visit,
    pub(crate) fields: Fields,
}

impl<S: Send + Sync> FromRequest<S> for ChangeForm {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let SignedForm { visit, fields, .. } = SignedForm::from_request(request, state).await?;
        if !visit.may_change() {
            return Err(read_only().into_response());
        }
        Ok(Self { visit, fields })
    }
}

/// A form with files that becomes a plan: the session must be unlocked, and no more than [`UPLOADS_MAX`] are read at once.
///
/// [`UPLOADS_MAX`]: crate::state::UPLOADS_MAX
pub(crate) struct UploadForm {
    pub(crate) visit: Visit,
    pub(crate) fields: Fields,
    /// The name and the content of each file that was chosen.
    pub(crate) files: Vec<(String, Vec<u8>)>,
    /// Held until the files are read.
    pub(crate) turn: OwnedSemaphorePermit,
}

impl<S: Send + Sync> FromRequest<S> for UploadForm {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let visit = Visit::from_request_parts(&mut parts, state).await?;
        read_upload(visit, &parts, body).await.map_err(IntoResponse::into_response)
    }
}

async fn read_upload(visit: Visit, parts: &Parts, body: Body) -> Result<UploadForm, Failure> {
    if !visit.may_change() {
        return Err(read_only());
    }
    let boundary = multipart::boundary(content_type(parts)).ok_or_else(|| {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        Failure::new(status, "Refused", "expected a form with files (multipart/form-data)")
    })?;
    let busy = |_| {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        Failure::new(status, "Busy", "other uploads are being read").hint("Nothing was changed. Try again.")
    };
    let turn = Arc::clone(&visit.state.uploads).try_acquire_owned().map_err(busy)?;
    let body = read_body(body, UPLOAD_BYTES_MAX, UPLOAD_TIMEOUT).await?;
    let (mut fields, mut files) = (Vec::new(), Vec::new());
    for part in multipart::parse(&body, boundary).map_err(Failure::invalid)? {
        match part.file_name {
            // A browser sends a file without a name and content if none was chosen.
            Some(name) if name.is_empty() && part.bytes.is_empty() => {}
            Some(name) => files.push((name, part.bytes.to_vec())),
            None => fields.push((part.name, String::from_utf8_lossy(part.bytes).into_owned())),
        }
    }
    let fields = Fields::of(fields);
    check_token(&visit, &fields)?;
    Ok(UploadForm { visit, fields, files, turn })
}

fn read_only() -> Failure {
    Failure::refused("this session is read-only").hint("Unlock it, then send the form again.")
}

/// Refuses a form of another session.
fn check_token(visit: &Visit, fields: &Fields) -> Result<(), Failure> {
    match (visit.state.sessions(), &visit.session) {
        (Some(sessions), Some(session)) if !sessions.is_form_token(&session.secret, fields.raw("token")) => {
            Err(Failure::refused("the form is not of this session: open the page again"))
        }
        _ => Ok(()),
    }
}

fn content_type(parts: &Parts) -> &str {
    parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default()
}

/// Reads a form of at most [`FORM_BYTES_MAX`], within [`BODY_TIMEOUT`].
pub(crate) async fn read_form(parts: &Parts, body: Body) -> Result<Fields, Failure> {
    if !content_type(parts).starts_with("application/x-www-form-urlencoded") {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Err(Failure::new(status, "Refused", "expected a form (application/x-www-form-urlencoded)"));
    }
    Ok(Fields::parse(&read_body(body, FORM_BYTES_MAX, BODY_TIMEOUT).await?))
}

async fn read_body(body: Body, bytes_max: usize, within: Duration) -> Result<Bytes, Failure> {
    let body = timeout(within, Limited::new(body, bytes_max).collect()).await;
    let body = body.map_err(|_| {
        let message = format!("the form did not arrive within {} seconds", within.as_secs());
        Failure::new(StatusCode::REQUEST_TIMEOUT, "Refused", message)
    })?;
    let too_large = |_| {
        let message = format!("the form is larger than {bytes_max} bytes, or was cut off");
        Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "Refused", message)
    };
    Ok(body.map_err(too_large)?.to_bytes())
}
