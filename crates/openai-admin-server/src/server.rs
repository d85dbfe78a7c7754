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
        published::PublishedOperation,
        routes::{Route, routes},
        serve::{self, Asker, PREFIXES, Resource},
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

    /// The service that answers whoever shows a key.
    pub fn router(&self) -> Router {
        self.build(Asker::Bearer, routes())
    }

    /// The service that takes every request for one of `caller`'s, and asks for no key: for use in process.
    pub fn router_as(&self, caller: Caller) -> Router {
        self.build(Asker::Always(Arc::new(caller)), routes())
    }

    /// The service that takes whoever shows any key at all for one who may do everything in `organization`: for
    /// emulators alone. In the audit log each key has a name of its own.
    pub fn router_for_any_key(&self, organization: &Organization) -> Router {
        self.build(Asker::AnyKey(Arc::new(Caller::local(organization))), routes())
    }

    fn build(&self, asker: Asker, routes: Vec<Route>) -> Router {
        let mut resources: BTreeMap<&str, Resource> = BTreeMap::new();
        // What is not served is left to the fallback, unless a route would take it for one of its own.
        for operation in PublishedOperation::all() {
            let is_served = routes.iter().any(|route| route.facts.id == operation.id);
            if !is_served && routes.iter().any(|route| match_path(route.facts.path, operation.path).is_some())
            {
                resources.entry(operation.path).or_default().not_served.push(operation);
            }
        }
        for route in routes {
            resources.entry(route.facts.path).or_default().routes.push(route);
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
            .fallback(serve::answer_elsewhere)
            .with_state((Arc::clone(&self.0), asker))
            .layer(middleware::from_fn_with_state(Arc::clone(&self.0), serve::envelop))
    }

    /// Answers on `listener` until `stop`. Then `/ready` of [`admin_router`](Self::admin_router) says no and every answer
    /// asks its client to connect anew, for the grace of the configuration; after it nothing more is accepted, and the
    /// requests that are under way are finished, for at most 30 seconds. The store stays open. With `tls` it speaks
    /// HTTPS, else plain HTTP.
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
        let (drain, grace) = (&self.0.drain, self.0.config.drain_grace);
        let stop = async {
            stop.await;
            drain.begin();
            tokio::time::sleep(grace).await;
        };
        let accepting = Accepting {
            config: &self.0.config,
            requests: &self.0.requests,
            minter: &self.0.minter,
            unencrypted: serve::needs_tls(),
        };
        connections::run(listener, self.router(), tls, accepting, stop).await
    }

    /// What operators ask, without a key: `/live`, `/ready` and `/metrics`. It belongs on a listener of its own.
    pub fn admin_router(&self) -> Router {
        admin::router(Arc::clone(&self.0))
    }

    /// Answers operators on `listener`, for as long as the future is polled. Web pages are refused: a request is for
    /// the loopback, for the address of the listener, or for a name of the configuration, and of no other site.
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

    /// An operation that creates nothing from nothing, as those that archive something do.
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

    /// An operation whose path would take that of another one, which is not served.
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

    async fn server() -> (Server, Asker, tempfile::TempDir) {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite:{}", folder.path().join("test.db").display()).parse().expect("a URL");
        let (store, minter) = (Store::open(&url).await.expect("a store"), Minter::system());
        let organization = store.open_organization(minter.stamp("test"), None).await.expect("one");
        let asker = Asker::Always(Arc::new(Caller::local(&organization)));
        (Server::new(store, minter, Config::default()), asker, folder)
    }

    #[tokio::test]
    async fn what_is_served_does_not_stand_before_what_is_not() {
        let (server, asker, _folder) = server().await;
        let routes = vec![with(|context: handlers::Context, _: GetCertificate| async move {
            context.store.read(context.org(), context.minter.now(), ListGroups::new()).await
        })];
        let router = server.build(asker, routes);
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
        }
    }

    #[tokio::test]
    async fn a_post_without_a_body_needs_no_content_type() {
        let (server, asker, _folder) = server().await;
        let routes = vec![
            with(|context: handlers::Context, _: PostWithoutBody| async move {
                context.store.read(context.org(), context.minter.now(), ListGroups::new()).await
            }),
            change::<CreateGroup>(),
        ];
        let router = server.build(asker, routes);
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
