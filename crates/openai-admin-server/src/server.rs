use std::{collections::BTreeMap, fmt, future::Future, io, sync::Arc};

use axum::{
    Router,
    extract::{RawPathParams, Request, State},
    middleware,
    routing::any,
};
use openai_admin::wire::match_path;
use openai_admin_store::{Organization, Store};
use tokio::net::TcpListener;

use crate::{
    admin,
    answer::{
        auth::Caller,
        console_sessions::ConsoleSessions,
        published::PublishedOperation,
        routes::{Route, routes},
        serve::{self, CallerSource, PREFIXES, Resource},
        shared::Shared,
    },
    connect::{
        browser::AllowedHosts,
        config::Config,
        connections::{self, Accepting},
        tls::Tls,
    },
    describe::{docs_page, openapi},
    minter::Minter,
};

/// A server of the API over a store. Cheap to clone.
#[derive(Clone)]
pub struct Server(Arc<Shared>);

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Server").field(&self.0.store).field(&self.0.config).finish()
    }
}

impl Server {
    /// A server over `store`, with the clock and the randomness of `minter`.
    pub fn new(store: Store, minter: Minter, config: Config) -> Self {
        Self(Arc::new(Shared::new(store, minter, config)))
    }

    /// The service, which authenticates callers by their key.
    pub fn router(&self) -> Router {
        self.build(CallerSource::Bearer, routes())
    }

    /// The service for in-process use: every request is from `caller`, without a key.
    pub fn router_as(&self, caller: Caller) -> Router {
        self.build(CallerSource::Fixed(Arc::new(caller)), routes())
    }

    /// The service for emulators: it accepts any key, with all scopes in `organization`. Each key is a separate actor
    /// in the audit log.
    pub fn router_for_any_key(&self, organization: &Organization) -> Router {
        self.build(CallerSource::AnyKey(Arc::new(Caller::local(organization))), routes())
    }

    /// The service for in-process use: the caller of a request is its extension, an `Arc<Caller>`. A request without one is
    /// refused as one without a key.
    pub fn router_for_callers(&self) -> Router {
        self.build(CallerSource::Extension, routes())
    }

    /// The sessions of the web console.
    pub fn console_sessions(&self) -> ConsoleSessions {
        ConsoleSessions::new(Arc::clone(&self.0))
    }

    fn build(&self, source: CallerSource, routes: Vec<Route>) -> Router {
        self.build_with(source, routes, Router::new())
    }

    fn build_with(&self, source: CallerSource, routes: Vec<Route>, pages: Router) -> Router {
        let mut resources: BTreeMap<&str, Resource> = BTreeMap::new();
        // The fallback answers operations that are not served, unless a route with a placeholder matches their path.
        for operation in PublishedOperation::all() {
            let is_served = routes.iter().any(|route| route.facts.id == operation.id);
            if !is_served && routes.iter().any(|route| match_path(route.facts.path, operation.path).is_some())
            {
                resources.entry(operation.path).or_default().not_served.push(operation);
            }
        }
        for route in routes {
            let index = self.0.metrics.index_of(route.facts.id);
            resources.entry(route.facts.path).or_default().routes.push((route, index));
        }
        let mut router = Router::new();
        for (path, resource) in resources {
            let resource = Arc::new(resource);
            for prefix in PREFIXES {
                let resource = Arc::clone(&resource);
                let answer = move |state: State<_>, path: Result<RawPathParams, _>, request: Request| {
                    serve::answer(state, resource, path, request)
                };
                router = router.route(&format!("{prefix}{path}"), any(answer));
            }
        }
        router
            .route("/openapi.json", any(openapi::serve))
            .route("/docs", any(docs_page::serve))
            .fallback(serve::answer_unrouted)
            .with_state((Arc::clone(&self.0), source))
            .merge(pages)
            .layer(middleware::from_fn_with_state(Arc::clone(&self.0), serve::log_and_add_headers))
    }

    /// Answers on `listener` until `stop`. Then the server drains: during the grace period of the configuration,
    /// `/ready` of [`admin_router`](Self::admin_router) fails, and every response asks its client to reconnect. After
    /// it the server accepts no more connections and finishes the requests in flight, for at most 30 seconds. The store
    /// stays open. With `tls` the server speaks HTTPS, otherwise plain HTTP.
    ///
    /// # Errors
    ///
    /// When the listener fails.
    pub async fn run(
        &self,
        listener: TcpListener,
        tls: Option<Tls>,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        self.run_with(Router::new(), listener, tls, stop).await
    }

    /// [`run`](Self::run), with more pages at their own paths.
    ///
    /// # Errors
    ///
    /// When the listener fails.
    pub async fn run_with(
        &self,
        pages: Router,
        listener: TcpListener,
        tls: Option<Tls>,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        let (drain, grace) = (&self.0.drain, self.0.config.drain_grace);
        let stop = async {
            stop.await;
            drain.begin();
            tokio::time::sleep(grace).await;
        };
        if let Some(tls) = tls.clone() {
            self.0.metrics.watch_certificate(move || tls.expires_at());
        }
        let accepting = Accepting {
            config: &self.0.config,
            requests: &self.0.requests,
            minter: &self.0.minter,
            unencrypted: serve::needs_tls(),
        };
        connections::run(listener, self.router_with(pages), tls, accepting, stop).await
    }

    /// The service of [`router`](Self::router), with more pages at their own paths.
    pub fn router_with(&self, pages: Router) -> Router {
        self.build_with(CallerSource::Bearer, routes(), pages)
    }

    /// The endpoints for operators, without authentication: `/live`, `/ready` and `/metrics`. Serve them on a separate
    /// listener.
    pub fn admin_router(&self) -> Router {
        admin::router(Arc::clone(&self.0))
    }

    /// Serves the endpoints for operators on `listener`, until the future is dropped. Refuses web pages: the host of a
    /// request must be the loopback, the listener's address or a name from the configuration, and its origin no other
    /// site.
    ///
    /// # Errors
    ///
    /// When the listener fails.
    pub async fn run_admin(&self, listener: TcpListener) -> io::Result<()> {
        let Config { admin_hosts, limits, .. } = &self.0.config;
        let hosts = AllowedHosts::of(listener.local_addr()?.ip()).with_names(admin_hosts.iter().cloned());
        admin::run(listener, admin::without_web_pages(self.admin_router(), hosts), limits.admin_connections)
            .await
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use openai_admin::{
        Endpoint, Method, Scope,
        models::GroupListResource,
        operations::{CreateGroup, ListGroups},
    };
    use serde::{Deserialize, Serialize};
    use tower::ServiceExt as _;

    use super::*;
    use crate::answer::{
        handlers,
        routes::{change, with},
    };

    /// An operation without fields in its body, like those that archive a resource.
    #[derive(Serialize, Deserialize, schemars::JsonSchema)]
    struct PostWithoutBody {
        limit: Option<u16>,
    }

    impl Endpoint for PostWithoutBody {
        const ID: &'static str = "post-without-body";
        const METHOD: Method = Method::Post;
        const PATH: &'static str = "/without-body";
        const SCOPE: Scope = Scope::GROUPS_WRITE;
        const TAG: &'static str = "Test";
        type Response = GroupListResource;
    }

    /// An operation whose path also matches that of an operation that is not served.
    #[derive(Serialize, Deserialize, schemars::JsonSchema)]
    struct GetCertificate {
        certificate_id: String,
    }

    impl Endpoint for GetCertificate {
        const ID: &'static str = "getCertificate";
        const METHOD: Method = Method::Get;
        const PATH: &'static str = "/organization/certificates/{certificate_id}";
        const SCOPE: Scope = Scope::GROUPS_READ;
        const TAG: &'static str = "Certificates";
        type Response = GroupListResource;
    }

    async fn server() -> (Server, CallerSource, tempfile::TempDir) {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite:{}", folder.path().join("test.db").display()).parse().expect("a URL");
        let (store, minter) = (Store::open(&url).await.expect("a store"), Minter::system());
        let organization = store.open_organization(minter.stamp("test"), None).await.expect("one");
        let source = CallerSource::Fixed(Arc::new(Caller::local(&organization)));
        (Server::new(store, minter, Config::default()), source, folder)
    }

    #[tokio::test]
    async fn a_route_does_not_answer_operations_that_are_not_served() {
        let (server, source, _folder) = server().await;
        let routes = vec![with(|context: handlers::Context, _: GetCertificate| async move {
            context.store.read(context.org(), context.minter.now(), ListGroups::new()).await
        })];
        let router = server.build(source, routes);
        for (method, path, status) in [
            ("GET", "/v1/organization/certificates/cert_1", 200),
            ("POST", "/v1/organization/certificates/cert_1", 501),
            ("PUT", "/v1/organization/certificates/cert_1", 405),
            ("POST", "/v1/organization/certificates/activate", 501),
            ("GET", "/v1/organization/certificates/activate", 405),
            ("GET", "/v1/organization/certificates", 501),
            ("GET", "/v1/organization/groups", 501),
            ("GET", "/v1/organization/colours", 404),
        ] {
            let request = Request::builder().method(method).uri(path).body(Body::empty()).expect("a request");
            let answer = router.clone().oneshot(request).await.expect("an answer");
            assert_eq!(answer.status(), status, "{method} {path}");
            // Official clients otherwise retry every status above 499.
            let retries = answer.headers().get("x-should-retry").map(|value| value.as_bytes());
            assert!(status != 501 || retries == Some(b"false"), "{method} {path}");
        }
    }

    #[tokio::test]
    async fn a_post_without_a_body_needs_no_content_type() {
        let (server, source, _folder) = server().await;
        let routes = vec![
            with(|context: handlers::Context, _: PostWithoutBody| async move {
                context.store.read(context.org(), context.minter.now(), ListGroups::new()).await
            }),
            change::<CreateGroup>(),
        ];
        let router = server.build(source, routes);
        for (path, body, status) in [
            ("/without-body", "", 200),
            ("/without-body?limit=1", "not JSON", 200),
            ("/without-body?limit=x", "", 400),
            ("/organization/groups", "{}", 400),
        ] {
            let request = Request::post(path).body(Body::from(body)).expect("a request");
            let answer = router.clone().oneshot(request).await.expect("an answer");
            assert_eq!(answer.status(), status, "{path}");
        }
    }
}
