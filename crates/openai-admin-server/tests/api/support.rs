use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode, header},
};
use openai_admin::Client;
use openai_admin_server::{Caller, Config, Minter, Server, api_keys};
use openai_admin_store::{Organization, Store};
use serde_json::Value;
use tower::ServiceExt;

/// A valid key of every test server.
pub(crate) const KEY: &str = "sk-admin-test-0123456789abcdef";

/// A server with a new database, a clock that only advances on request, and sequential ids.
pub(crate) struct TestServer {
    pub(crate) server: Server,
    pub(crate) store: Store,
    pub(crate) organization: Organization,
    pub(crate) minter: Minter,
    clock_ms: Arc<AtomicU64>,
    steady_ms: Arc<AtomicU64>,
    router: Router,
    folder: tempfile::TempDir,
}

/// A complete response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
    pub(crate) text: String,
}

impl TestServer {
    pub(crate) async fn new() -> Self {
        Self::with(Config::default()).await
    }

    pub(crate) async fn with(config: Config) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("test.db").display()).parse().unwrap();
        let store = Store::open(&url).await.unwrap();
        let clock_ms = Arc::new(AtomicU64::new(1_711_471_533_000));
        let steady_ms = Arc::new(AtomicU64::new(0));
        let (clock, steady) = (Arc::clone(&clock_ms), Arc::clone(&steady_ms));
        let counter = AtomicU64::new(1);
        let minter = Minter::new(
            move || clock.load(Ordering::SeqCst),
            // In large steps, since a change derives its further ids by counting.
            move || u128::from(counter.fetch_add(1, Ordering::SeqCst)) << 20,
        )
        .with_steady_clock(move || Duration::from_millis(steady.load(Ordering::SeqCst)));
        let organization = store.open_organization(minter.stamp("test"), None).await.unwrap();
        let bootstrap = api_keys::given(KEY, "test", api_keys::all_scopes());
        store.set_bootstrap_api_key(organization.org, minter.stamp("test"), bootstrap).await.unwrap();
        let server = Server::new(store.clone(), minter.clone(), config);
        let router = server.router();
        Self { server, store, organization, minter, clock_ms, steady_ms, router, folder }
    }

    /// A second store of the same database, as in another process.
    pub(crate) async fn another_store(&self) -> Store {
        let url = format!("sqlite:{}", self.database_file().display()).parse().unwrap();
        Store::open(&url).await.unwrap()
    }

    /// The folder of the database.
    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// The status of a request with another key and an empty object.
    pub(crate) async fn call_with(&self, key: &str, method: &str, path: &str) -> u16 {
        let mut request = self.request(method, path, "{}");
        request.headers_mut().insert(header::AUTHORIZATION, bearer(key).parse().unwrap());
        self.send(request).await.status.as_u16()
    }

    /// The file of the database.
    pub(crate) fn database_file(&self) -> std::path::PathBuf {
        self.folder.path().join("test.db")
    }

    /// A key with only these scopes.
    pub(crate) async fn key_with(&self, scopes: &[&str]) -> String {
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        let (key, new) = api_keys::mint(&self.minter, "restricted", scopes, None);
        self.store.create_api_key(self.organization.org, self.minter.stamp("test"), new).await.unwrap();
        key
    }

    /// A key of another organization of the same server, with the same id as the first one's.
    pub(crate) async fn key_of_other_organization(&self, id: &str) -> String {
        // An empty organization would be reused instead.
        self.store.change(self.organization.org, self.minter.stamp("test"), a_group()).await.unwrap();
        let directory = serde_json::from_value(serde_json::json!({ "organization": { "id": id } })).unwrap();
        let other = self.store.load(self.minter.stamp("test"), directory).await.unwrap().organization;
        let key = format!("sk-admin-{id}-0123456789abcdef");
        let bootstrap = api_keys::given(&key, "other", api_keys::all_scopes());
        self.store.set_bootstrap_api_key(other.org, self.minter.stamp("test"), bootstrap).await.unwrap();
        key
    }

    pub(crate) async fn get_with(&self, key: &str, path: &str) -> Answer {
        let mut request = self.request("GET", path, "");
        request.headers_mut().insert(header::AUTHORIZATION, bearer(key).parse().unwrap());
        self.send(request).await
    }

    /// Advances both clocks.
    pub(crate) fn advance_clock_ms(&self, milliseconds: u64) {
        self.clock_ms.fetch_add(milliseconds, Ordering::SeqCst);
        self.steady_ms.fetch_add(milliseconds, Ordering::SeqCst);
    }

    /// Sets the wall clock, but not the steady clock.
    pub(crate) fn set_clock_seconds(&self, unix_seconds: u64) {
        self.clock_ms.store(unix_seconds * 1000, Ordering::SeqCst);
    }

    /// A client of the router.
    pub(crate) fn client(&self) -> Client {
        let router = self.server.router_as(Caller::local(&self.organization));
        Client::builder().base_url("http://localhost/v1").service(router).build().unwrap()
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        let text = String::from_utf8(bytes.into()).unwrap();
        Answer { status: parts.status, headers: parts.headers, body, text }
    }

    /// A request with the key and, if there is one, a JSON body.
    pub(crate) async fn call(&self, method: &str, path: &str, body: impl Into<String>) -> Answer {
        self.send(self.request(method, path, body)).await
    }

    pub(crate) fn request(&self, method: &str, path: &str, body: impl Into<String>) -> Request<Body> {
        let builder = Request::builder().method(method).uri(path).header(header::AUTHORIZATION, bearer(KEY));
        builder.header(header::CONTENT_TYPE, "application/json").body(Body::from(body.into())).unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call("GET", path, "").await
    }

    pub(crate) async fn post(&self, path: &str, body: &str) -> Answer {
        self.call("POST", path, body).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.call("DELETE", path, "").await
    }

    /// Creates a group and returns its id.
    pub(crate) async fn group(&self, name: &str) -> String {
        let body = serde_json::json!({ "name": name }).to_string();
        self.post("/v1/organization/groups", &body).await.id()
    }

    /// Creates a user and returns their id.
    pub(crate) async fn user(&self, name: &str) -> String {
        let body = serde_json::json!({ "name": name, "email": format!("{name}@example.com") }).to_string();
        self.post("/v1/x/users", &body).await.id()
    }

    /// Adds a user to a group.
    pub(crate) async fn add(&self, group: &str, user: &str) {
        let body = serde_json::json!({ "user_id": user }).to_string();
        let added = self.post(&format!("/v1/organization/groups/{group}/users"), &body).await;
        assert_eq!(added.status, 200, "{added:?}");
    }
}

fn a_group() -> openai_admin::operations::CreateGroup {
    openai_admin::operations::CreateGroup::new("First".try_into().unwrap())
}

pub(crate) fn bearer(key: &str) -> String {
    format!("Bearer {key}")
}

impl Answer {
    fn id(&self) -> String {
        assert_eq!(self.status, 200, "{self:?}");
        self.body["id"].as_str().unwrap().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Checks the status, code and parameter of an error, and that all its fields are present.
    #[track_caller]
    pub(crate) fn assert_error(&self, status: u16, code: Option<&str>, param: Option<&str>) -> &str {
        let error = &self.body["error"];
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(error["code"].as_str(), code, "{self:?}");
        assert_eq!(error["param"].as_str(), param, "{self:?}");
        let mut fields: Vec<&str> = error.as_object().unwrap().keys().map(String::as_str).collect();
        fields.sort_unstable();
        assert_eq!(fields, ["code", "message", "param", "type"]);
        let message = error["message"].as_str().unwrap();
        assert!(message.ends_with(['.', ')']) && message.starts_with(char::is_uppercase), "{message}");
        message
    }
}

/// A body with the required fields of all operations.
pub(crate) fn every_field() -> serde_json::Value {
    serde_json::json!({
        "user_id": "u", "group_id": "g", "name": "n", "email": "a@b.c", "role": "reader",
        "role_id": "role-api-organization-reader", "role_name": "r", "permissions": [],
        "batch_id": "b", "completions": [], "expires_in_seconds": 60, "ids": ["u"],
        "checks": [{ "user_id": "u", "permission": "api.groups.read" }],
        "certificate": "c", "certificate_ids": ["cert_1"],
        "threshold_amount": 1, "currency": "USD", "interval": "month",
        "notification_channel": { "type": "email", "recipients": ["a@b.c"] },
        "retention_type": "zero_data_retention", "mode": "deny_list", "model_ids": [],
        "type": "azure", "tenant_id": "t", "vault_uri": "v", "key_name": "k", "issuer": "i", "audience": "a",
        "default": "standard", "project_id": "p", "provider": { "type": "aws", "bucket": "b", "role_arn": "r" },
        "project_id": "p", "service_account_id": "s", "attribute_matchers": {},
    })
}

/// A body for an operation in which the name of a field has another type or other values than elsewhere.
pub(crate) fn adapted(mut body: serde_json::Value, operation: &str) -> serde_json::Value {
    let permissions = serde_json::json!({ "type": "service_account_default" });
    for (adapted, name, value) in [
        ("create-workload-identity-provider", "type", "oidc".into()),
        ("create-federation-rule", "permissions", permissions.clone()),
        ("update-federation-rule", "permissions", permissions),
    ] {
        if adapted == operation
            && let Some(field) = body.get_mut(name)
        {
            *field = value;
        }
    }
    body
}
