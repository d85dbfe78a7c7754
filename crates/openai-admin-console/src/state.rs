//! The state that all pages share: the server behind them, and how visitors are recognized.

use std::{
    convert::Infallible,
    fmt,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use axum::{Router, body::Body, http::Request, response::Response};
use openai_admin::{Client, Error, Timestamp, client::RequestBody};
use openai_admin_server::{Caller, ConsoleSessions, Minter, Server, browser::AllowedHosts};
use openai_admin_sync::Policy;
use tokio::sync::Semaphore;
use tower_service::Service;

use crate::plans::Plans;

/// How long a sign-in link is valid, in seconds.
const LINK_SECONDS: i64 = 10 * 60;
/// How many uploads are read at once.
pub(crate) const UPLOADS_MAX: usize = 2;
/// The base URL of requests in process. The host is not used.
const BASE_URL: &str = "http://localhost/v1";

/// How the pages are served.
#[derive(Clone, Debug)]
pub struct Pages {
    /// The hosts of the listener. Requests for other hosts are refused, against DNS rebinding.
    pub hosts: AllowedHosts,
    /// Whether browsers connect over HTTPS, so that cookies may have the prefix `__Host-`.
    pub is_secure: bool,
    /// The folder of the runs of this service. `None`: changes of several members cannot be applied.
    pub runs: Option<PathBuf>,
    /// The command line that reads the same runs, such as `openai-admin --local acme.db`. `None` if no command does.
    pub command: Option<String>,
    /// The protection and the limits of plans.
    pub policy: Policy,
}

/// A link that signs in the operator of this machine, once.
pub struct SignInLink {
    /// The path with the secret, below the URL of the server.
    pub path: String,
}

impl fmt::Debug for SignInLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignInLink").finish_non_exhaustive()
    }
}

/// The secret of the unused sign-in link, and its end.
struct OpenLink {
    secret: String,
    operator: Caller,
    ends_at: Timestamp,
}

/// The service that answers the requests of the pages.
enum Backend {
    /// A server: visitors sign in.
    Server { router: Router, sessions: ConsoleSessions },
    /// An emulator: everyone may look and change.
    Open { client: Client, controls: Client },
}

/// The shared state.
pub(crate) struct State {
    backend: Backend,
    pub(crate) pages: Pages,
    pub(crate) minter: Minter,
    pub(crate) plans: Plans,
    /// The turns of uploads.
    pub(crate) uploads: Arc<Semaphore>,
    link: Mutex<Option<OpenLink>>,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").field("pages", &self.pages).finish_non_exhaustive()
    }
}

impl State {
    pub(crate) fn of_server(server: &Server, minter: Minter, pages: Pages) -> Self {
        let (router, sessions) = (server.router_for_callers(), server.console_sessions());
        Self::new(Backend::Server { router, sessions }, minter, pages)
    }

    pub(crate) fn open(client: Client, controls: Client, minter: Minter, pages: Pages) -> Self {
        Self::new(Backend::Open { client, controls }, minter, pages)
    }

    fn new(backend: Backend, minter: Minter, pages: Pages) -> Self {
        Self {
            backend,
            pages,
            minter,
            plans: Plans::default(),
            uploads: Arc::new(Semaphore::new(UPLOADS_MAX)),
            link: Mutex::default(),
        }
    }

    /// The sessions; `None` in an emulator.
    pub(crate) fn sessions(&self) -> Option<&ConsoleSessions> {
        match &self.backend {
            Backend::Server { sessions, .. } => Some(sessions),
            Backend::Open { .. } => None,
        }
    }

    /// A client of the API with the scopes of `caller`.
    pub(crate) fn client_of(&self, caller: Caller) -> Result<Client, Error> {
        match &self.backend {
            Backend::Server { router, .. } => {
                let service = InProcess { router: router.clone(), caller: Arc::new(caller) };
                Client::builder().base_url(BASE_URL).retries(0).service(service).build()
            }
            Backend::Open { client, .. } => Ok(client.clone()),
        }
    }

    /// The client of an emulator.
    pub(crate) fn open_client(&self) -> Option<Client> {
        match &self.backend {
            Backend::Server { .. } => None,
            Backend::Open { client, .. } => Some(client.clone()),
        }
    }

    /// A client of the controls of an emulator.
    pub(crate) fn controls(&self) -> Option<Client> {
        match &self.backend {
            Backend::Server { .. } => None,
            Backend::Open { controls, .. } => Some(controls.clone()),
        }
    }

    /// Creates the sign-in link. A new one replaces an unused one.
    pub(crate) fn create_link(&self, operator: Caller) -> Option<SignInLink> {
        let secret = self.sessions()?.new_secret();
        let path = format!("/console/sign-in/link?secret={secret}");
        let ends_at = Timestamp::from_unix_seconds(self.minter.now().unix_seconds() + LINK_SECONDS);
        *self.link.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(OpenLink { secret, operator, ends_at });
        Some(SignInLink { path })
    }

    /// The operator of the sign-in link with this secret. The link cannot be used again.
    pub(crate) fn use_link(&self, secret: &str) -> Option<Caller> {
        let mut link = self.link.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.minter.now();
        let is_right = link.as_ref().is_some_and(|link| link.secret == secret && link.ends_at > now);
        if is_right { link.take().map(|link| link.operator) } else { None }
    }
}

/// The server's router, with the caller of a session.
#[derive(Clone)]
struct InProcess {
    router: Router,
    caller: Arc<Caller>,
}

impl Service<Request<RequestBody>> for InProcess {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = <Router as Service<Request<RequestBody>>>::Future;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<RequestBody>) -> Self::Future {
        request.extensions_mut().insert(Arc::clone(&self.caller));
        self.router.call(request)
    }
}
