//! The pages by their paths.

use std::sync::Arc;

use axum::{
    Router,
    http::{Method, StatusCode, Uri},
    middleware,
    response::Redirect,
    routing::{get, post},
};
use openai_admin::Client;
use openai_admin_server::{Caller, Minter, Server};

use crate::{
    base::{
        assets,
        failure::Failure,
        page::{Answer, see},
    },
    nouns::{
        admin_api_keys, audit_logs, emulator, group_roles, group_users, groups, home, invites, projects,
        roles, runs, search, uploads, usage, users,
    },
    session,
    state::{Pages, SignInLink, State},
    visit::{self, Visit},
};

/// The web console. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Console(Arc<State>);

impl Console {
    /// A console of a server. Visitors sign in with an admin key.
    pub fn of_server(server: &Server, minter: Minter, pages: Pages) -> Self {
        Self(Arc::new(State::of_server(server, minter, pages)))
    }

    /// A console without sign-in, for an emulator: everyone may look and change with `client`. `controls` is a client of
    /// the root of the emulator, for its controls.
    pub fn open(client: Client, controls: Client, minter: Minter, pages: Pages) -> Self {
        Self(Arc::new(State::open(client, controls, minter, pages)))
    }

    /// A link that signs in the operator of this machine, once within 10 minutes. `None` in an emulator.
    pub fn sign_in_link(&self, operator: Caller) -> Option<SignInLink> {
        self.0.create_link(operator)
    }

    /// The pages, all below `/console`.
    pub fn router(&self) -> Router {
        let pages = Router::new()
            .route("/console", get(home::show))
            .route("/console/", get(|| async { Redirect::permanent("/console") }))
            .route("/console/sign-in", get(session::sign_in).post(session::open_session))
            .route("/console/sign-in/link", get(session::sign_in_link))
            .route("/console/sign-out", post(session::sign_out))
            .route("/console/unlock", get(session::unlock).post(session::unlock_session))
            .route("/console/lock", post(session::lock_session))
            .route("/console/appearance", post(session::set_scheme))
            .route("/console/search", get(search::show))
            .route("/console/groups", get(groups::list).post(groups::create))
            .route("/console/groups/plan", post(group_users::plan_of_groups))
            .route("/console/groups/{group_id}", get(groups::show))
            .route("/console/groups/{group_id}/delete", get(groups::confirm_delete).post(groups::delete))
            .route("/console/groups/{group_id}/roles", get(group_roles::list))
            .route("/console/groups/{group_id}/plan", post(group_users::plan))
            .route("/console/users", get(users::list))
            .route("/console/users/{user_id}", get(users::show))
            .route("/console/users/{user_id}/offboard", post(users::offboard))
            .route("/console/projects", get(projects::list))
            .route("/console/projects/{project_id}", get(projects::show))
            .route("/console/roles", get(roles::list))
            .route("/console/roles/{role_id}", get(roles::show))
            .route("/console/invites", get(invites::list).post(invites::create))
            .route("/console/invites/{invite_id}", get(page_above))
            .route("/console/invites/{invite_id}/delete", post(invites::delete))
            .route("/console/keys", get(admin_api_keys::list).post(admin_api_keys::create))
            .route(
                "/console/keys/{key_id}/revoke",
                get(admin_api_keys::confirm_revoke).post(admin_api_keys::revoke),
            )
            .route("/console/audit", get(audit_logs::list))
            .route("/console/audit.csv", get(audit_logs::table))
            .route("/console/plans", get(new_plan).post(uploads::plan))
            .route("/console/plans/new", get(uploads::show))
            .route("/console/plans/{digest}", get(runs::show_plan).post(runs::apply))
            .route("/console/usage", get(usage::show))
            .route("/console/runs", get(runs::list))
            .route("/console/runs/{name}", get(runs::show))
            .route("/console/runs/{name}/undo", post(runs::undo))
            .route("/console/emulator", get(emulator::show).post(emulator::control))
            .route("/console/emulator/requests/{number}", get(emulator::exchange))
            .route("/console/assets/{name}", get(assets::serve))
            .route("/console/{*path}", get(unknown))
            .method_not_allowed_fallback(page_above);
        let layer = middleware::from_fn_with_state(Arc::clone(&self.0), visit::admit);
        pages.layer(layer).with_state(Arc::clone(&self.0))
    }
}

/// The path of a form that is opened as a page leads to the page above it: the answer to a form has this path, and
/// browsers open it again. The page above shows the notice.
async fn page_above(method: Method, uri: Uri) -> Answer {
    let above = uri.path().rsplit_once('/').map_or("", |(above, _)| above);
    if !matches!(method, Method::GET | Method::HEAD) {
        let message = format!("{method} {} is not served", uri.path());
        return Err(Failure::new(StatusCode::METHOD_NOT_ALLOWED, "Refused", message));
    }
    see(&with_query(above, &uri))
}

async fn new_plan(uri: Uri) -> Answer {
    see(&with_query("/console/plans/new", &uri))
}

/// A path with the query of a request.
fn with_query(path: &str, uri: &Uri) -> String {
    uri.query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"))
}

async fn unknown(_: Visit) -> Failure {
    Failure::not_found("the console has no such page")
}
